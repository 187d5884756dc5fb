//! The native orders of keys, through memtables, tables, reopening and backups.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Random, entries, small_config};
use lightning_db::{
    BackupEngine, Comparator, Database, ErrorKind, LightningDbConfig, NativeOrder, OptionValue, ScanOptions,
};

fn config(order: NativeOrder) -> LightningDbConfig {
    let mut config = small_config();
    config.set("comparator", OptionValue::Text(order.name())).unwrap();
    config
}

/// Keys of every kind: numbers in ASCII, short and long bytes.
fn random_key(random: &mut Random) -> Vec<u8> {
    match random.below(3) {
        0 => (random.below(2000) as i64 - 1000).to_string().into_bytes(),
        1 => (0..random.below(6)).map(|_| [0, 1, 0x7f, 0x80, 0xff][random.below(5) as usize]).collect(),
        _ => format!("{:0width$}", random.below(500), width = random.below(6) as usize).into_bytes(),
    }
}

#[test]
fn entries_come_in_the_order_of_the_comparator_in_both_directions() {
    for order in NativeOrder::ALL {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::create(folder.path().join("db"), config(order)).unwrap();
        let mut random = Random(7);
        let mut keys: Vec<_> = (0..4000).map(|_| random_key(&mut random)).collect();
        for keys in keys.chunks(100) {
            db.put_batch(&keys.iter().map(|key| (key, vec![0; 60])).collect::<Vec<_>>()).unwrap();
        }
        keys.sort_by(|a, b| order.compare(a, b).then_with(|| a.cmp(b)));
        keys.dedup();
        let in_order = |db: &Database| {
            let found: Vec<_> = entries(db).into_iter().map(|(key, _)| key).collect();
            assert!(found == keys, "{order:?}");
            let back: Vec<_> = db.scan_reverse(None, None).unwrap().map(|entry| entry.unwrap().0).collect();
            assert!(back.iter().eq(keys.iter().rev()), "{order:?}");
            let prefix = db.scan_prefix(b"1").unwrap().count();
            assert_eq!(prefix, keys.iter().filter(|key| key.starts_with(b"1")).count());
            let (start, end) = (&keys[keys.len() / 3], &keys[keys.len() / 2]);
            let range = db.scan_with(ScanOptions::range::<Vec<u8>>(start..end)).unwrap().count();
            assert_eq!(range, keys.len() / 2 - keys.len() / 3);
            assert!(keys.iter().all(|key| db.contains(key).unwrap()));
        };
        in_order(&db);
        db.compact_lsm().unwrap();
        in_order(&db);
        BackupEngine::new(&db).create_backup(folder.path().join("backup")).unwrap();
        db.close().unwrap();
        in_order(&Database::open(folder.path().join("db"), small_config()).unwrap());
        in_order(&Database::restore(folder.path().join("restored"), folder.path().join("backup")).unwrap());
    }
}

#[test]
fn another_order_than_that_of_the_database_is_a_mismatch() {
    for made in NativeOrder::ALL {
        let folder = tempfile::tempdir().unwrap();
        Database::create(folder.path(), config(made)).unwrap().close().unwrap();
        for asked in NativeOrder::ALL {
            let kind = Database::open(folder.path(), config(asked)).err().map(|error| error.kind());
            assert_eq!(kind, (asked != made).then_some(ErrorKind::Mismatch), "{made:?} {asked:?}");
        }
    }
}

#[test]
fn a_comparator_of_ones_own_must_be_given_again() {
    struct Own;
    impl Comparator for Own {
        fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
            a.len().cmp(&b.len())
        }
        fn name(&self) -> &str {
            "by length"
        }
    }
    let own = || LightningDbConfig { comparator: Some(Box::new(Own)), ..Default::default() };
    let folder = tempfile::tempdir().unwrap();
    Database::create(folder.path(), own()).unwrap().close().unwrap();
    let error = Database::open(folder.path(), LightningDbConfig::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert!(error.to_string().contains("by length"), "{error}");
    Database::open(folder.path(), own()).unwrap();
}
