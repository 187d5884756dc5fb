//! Every option has an effect: one test a field, named `option_<field>`, that looks at behaviour or bytes.
//!
//! `make prove-options` deletes the uses listed in `options/uses.txt`, one by one, and sees the test of the field fail. A
//! new option needs a test here and a line there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::held_log::HeldLogVfs;
use common::{FOLDER, Random, entries, open_with, small_config, wait_until};
use lightning_db::vfs::{Call, Keep, MemoryVfs, OpenMode, RecordingVfs, Vfs};
use lightning_db::{
    ConsistencyConfig, ConsistencyLevel, Database, ErrorKind, KeyspaceOptions, LSMConfig, LightningDbConfig,
    NativeOrder, OPTIONS, WriteBatch,
};

/// Fields that have no test yet, and why. Empty when the engine is whole.
const EXCEPTIONS: &[(&str, &str)] = &[];

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "log")
}

/// Syncs of the log that `work` makes.
fn syncs(config: LightningDbConfig, work: impl FnOnce(&Database)) -> usize {
    let calls = RecordingVfs::new(Arc::new(MemoryVfs::default()));
    let db = Database::open_on(Arc::new(calls.clone()), Path::new(FOLDER), config, true).unwrap();
    calls.take();
    work(&db);
    calls.count(|call| matches!(call, Call::SyncData { path } if is_log(path)))
}

fn consistency(default_level: ConsistencyLevel, sync_writes: bool) -> LightningDbConfig {
    let checkpoint_interval = Duration::from_secs(60);
    let consistency_config = ConsistencyConfig { default_level, sync_writes, checkpoint_interval };
    LightningDbConfig { consistency_config, ..Default::default() }
}

/// What the headers say of every page of every table.
struct Pages {
    codecs: BTreeSet<u8>,
    largest: u32,
    stored: u64,
}

fn pages(disk: &MemoryVfs) -> Pages {
    let mut pages = Pages { codecs: BTreeSet::new(), largest: 0, stored: 0 };
    for name in disk.list(Path::new(FOLDER)).unwrap() {
        if !name.ends_with(".table") {
            continue;
        }
        let file = disk.open(&Path::new(FOLDER).join(name), OpenMode::Read).unwrap();
        // Behind the file header, pages of a 16-byte header and what it says; a footer of 64 bytes.
        let (mut at, end) = (64, file.len().unwrap() - 64);
        while at < end {
            let mut header = [0; 16];
            file.read_at(&mut header, at).unwrap();
            let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
            // Leaves; a page of properties is as large as it must be.
            if header[13] == 1 {
                pages.largest = pages.largest.max(number(8));
                pages.codecs.insert(header[12]);
            }
            pages.stored += u64::from(number(4));
            at += 16 + u64::from(number(4));
        }
    }
    pages
}

/// Text that compresses, better if more is tried.
fn text(records: u32) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for i in 0..records {
        let word = |j| format!("{:x} ", i.wrapping_mul(2_654_435_761) >> (j % 9));
        batch.put(i.to_be_bytes(), (0..20).map(word).collect::<String>()).unwrap();
    }
    batch
}

fn tables(db: &Database) -> usize {
    db.stats().unwrap().tables_per_level.iter().sum()
}

#[test]
fn option_page_size() {
    for page_size in [512, 16 << 10] {
        let disk = MemoryVfs::default();
        let config = LightningDbConfig { page_size, ..Default::default() };
        let db = open_with(&disk, config).unwrap();
        db.write(&text(2000)).unwrap();
        db.flush().unwrap();
        let largest = pages(&disk).largest as usize;
        assert!((page_size / 2..=page_size).contains(&largest), "pages of {largest}");
    }
}

#[test]
fn option_cache_size() {
    let used = |cache_size| {
        let config = LightningDbConfig { cache_size, compression_enabled: false, ..Default::default() };
        let db = open_with(&MemoryVfs::default(), config).unwrap();
        db.write(&text(40_000)).unwrap();
        db.compact_lsm().unwrap();
        for i in 0..40_000u32 {
            db.get(i.to_be_bytes()).unwrap().unwrap();
        }
        db.stats().unwrap().cache_bytes
    };
    assert!(used(1 << 20) <= 1 << 20);
    assert!(used(16 << 20) > 2 << 20);
}

#[test]
fn option_compression_enabled() {
    for compression_enabled in [true, false] {
        let disk = MemoryVfs::default();
        let config = LightningDbConfig { compression_enabled, ..Default::default() };
        let db = open_with(&disk, config).unwrap();
        db.write(&text(2000)).unwrap();
        db.flush().unwrap();
        assert_eq!(pages(&disk).codecs == [0].into(), !compression_enabled);
        db.put(b"more", b"").unwrap();
        db.compact_lsm().unwrap();
        db.close().unwrap();
        assert_eq!(pages(&disk).codecs == [0].into(), !compression_enabled);
    }
}

#[test]
fn option_compression_type() {
    for compression_type in 1..=3 {
        let disk = MemoryVfs::default();
        let config = LightningDbConfig { compression_type, ..Default::default() };
        let db = open_with(&disk, config).unwrap();
        db.write(&text(2000)).unwrap();
        db.compact_lsm().unwrap();
        drop(db);
        assert_eq!(pages(&disk).codecs, [compression_type].into());
    }
}

#[test]
fn option_compression_level() {
    let stored = |compression_level| {
        let disk = MemoryVfs::default();
        let config = LightningDbConfig {
            compression_type: 1,
            compression_level,
            page_size: 64 << 10,
            ..Default::default()
        };
        let db = open_with(&disk, config).unwrap();
        db.write(&text(5000)).unwrap();
        db.compact_lsm().unwrap();
        drop(db);
        pages(&disk).stored
    };
    assert!(stored(15) < stored(1));
}

#[test]
fn option_max_active_transactions() {
    for limit in [1, 5] {
        let config = LightningDbConfig { max_active_transactions: limit, ..Default::default() };
        let db = open_with(&MemoryVfs::default(), config).unwrap();
        let open: Vec<_> = (0..limit).map(|_| db.transaction().unwrap()).collect();
        assert_eq!(db.begin_transaction().unwrap_err().kind(), ErrorKind::TooMany);
        assert_eq!(db.stats().unwrap().active_transactions, limit);
        drop(open);
        db.begin_transaction().unwrap();
    }
}

#[test]
fn option_use_optimized_transactions() {
    const THREADS: usize = 5;
    // The log writes for a held commit and those that come meanwhile.
    let log_writes = |optimized| {
        let vfs = HeldLogVfs::new(Duration::ZERO);
        let calls = RecordingVfs::new(Arc::new(vfs.clone()));
        let config = LightningDbConfig { use_optimized_transactions: optimized, ..Default::default() };
        let db = Database::open_on(Arc::new(calls.clone()), Path::new(FOLDER), config, true).unwrap();
        let begin = |thread| {
            let tx = db.transaction().unwrap();
            tx.put([thread], b"v").unwrap();
            tx
        };
        let transactions: Vec<_> = (0..THREADS as u8).map(begin).collect();
        calls.take();
        vfs.gate.close();
        std::thread::scope(|scope| {
            scope.spawn(|| db.put(b"first", b"its log write is held").unwrap());
            vfs.gate.wait_for_write();
            for tx in transactions {
                scope.spawn(|| tx.commit().unwrap());
            }
            // Mostly enough for them to stand behind it.
            std::thread::sleep(Duration::from_millis(50));
            vfs.gate.open();
        });
        calls.count(|call| matches!(call, Call::WriteAt { path, .. } if is_log(path)))
    };
    assert_eq!(log_writes(false), 1 + THREADS);
    wait_until("a crowd that is in time", || log_writes(true) == 2);
}

#[test]
fn option_default_level() {
    for (level, expected) in [(ConsistencyLevel::Strong, 1), (ConsistencyLevel::Quorum, 0)] {
        assert_eq!(syncs(consistency(level, true), |db| db.put(b"k", b"v").unwrap()), expected);
    }
}

#[test]
fn option_sync_writes() {
    for (sync_writes, expected) in [(true, 1), (false, 0)] {
        let config = || consistency(ConsistencyLevel::Strong, sync_writes);
        assert_eq!(syncs(config(), |db| db.put(b"k", b"v").unwrap()), expected);
        let named = |db: &Database| db.put_with_consistency(b"k", b"v", ConsistencyLevel::Strong).unwrap();
        assert_eq!(syncs(config(), named), 1, "a level that is named is kept");
    }
}

#[test]
fn option_checkpoint_interval() {
    let disk = MemoryVfs::default();
    let mut config = LightningDbConfig::default();
    config.consistency_config.checkpoint_interval = Duration::from_secs(5);
    let db = open_with(&disk, config).unwrap();
    db.put(b"k", b"v").unwrap();
    let replayed = || {
        let killed = disk.crash(Keep::All);
        open_with(&killed, small_config()).unwrap().recovery_report().replayed_records
    };
    assert_eq!((tables(&db), replayed()), (0, 1));
    disk.advance(Duration::from_secs(6));
    wait_until("flushed by its age", || tables(&db) == 1);
    wait_until("nothing to replay", || replayed() == 0);
}

#[test]
fn option_memtable_size() {
    let written = |memtable_size| {
        let lsm_config = LSMConfig { memtable_size, ..Default::default() };
        let config = LightningDbConfig { lsm_config, ..Default::default() };
        let db = open_with(&MemoryVfs::default(), config).unwrap();
        let level = ConsistencyLevel::Quorum;
        (0..2000u32).for_each(|i| db.put_with_consistency(i.to_be_bytes(), [1; 500], level).unwrap());
        db
    };
    wait_until("a small memtable is flushed", {
        let db = written(64 << 10);
        move || tables(&db) > 0
    });
    let large = written(64 << 20);
    assert_eq!((tables(&large), large.stats().unwrap().sealed_memtables), (0, 0));
}

#[test]
fn option_level0_file_num_compaction_trigger() {
    let flushed = |trigger, times: u32| {
        let lsm_config = LSMConfig { level0_file_num_compaction_trigger: trigger, ..Default::default() };
        let config = LightningDbConfig { lsm_config, ..Default::default() };
        let db = open_with(&MemoryVfs::default(), config).unwrap();
        for i in 0..times {
            // Overlapping, so that they can only be merged.
            db.put_batch(&[(vec![0], i.to_be_bytes()), (vec![9], i.to_be_bytes())]).unwrap();
            db.flush().unwrap();
            std::thread::sleep(Duration::from_millis(30));
        }
        db
    };
    // While flushes follow each other the database is not at rest, and the trigger alone decides.
    let most = |trigger| flushed(trigger, 8).stats().unwrap().tables_per_level[0];
    wait_until("compacted at two", || most(2) < 4);
    wait_until("left alone below the trigger", || most(64) == 8);
}

#[test]
fn option_upper_compression_type() {
    for upper_compression_type in 0..=3 {
        let disk = MemoryVfs::default();
        let lsm_config = LSMConfig { upper_compression_type, ..Default::default() };
        let db = open_with(&disk, LightningDbConfig { lsm_config, ..Default::default() }).unwrap();
        db.write(&text(2000)).unwrap();
        db.flush().unwrap();
        assert_eq!(pages(&disk).codecs, [upper_compression_type].into());
    }
}

#[test]
fn option_comparator() {
    let named = |name| LightningDbConfig {
        comparator: NativeOrder::named(name).map(|order| Box::new(order) as _),
        ..Default::default()
    };
    let mut random = Random(1);
    let keys: BTreeSet<_> = (0..200).map(|_| random.next().to_be_bytes().to_vec()).collect();
    let disk = MemoryVfs::default();
    let db = open_with(&disk, named("reverse-bytewise")).unwrap();
    keys.iter().for_each(|key| db.put(key, b"").unwrap());
    for _ in 0..2 {
        assert!(entries(&db).iter().map(|(key, _)| key).eq(keys.iter().rev()));
        db.flush().unwrap();
    }
    drop(db);
    assert_eq!(open_with(&disk, named("bytewise")).unwrap_err().kind(), ErrorKind::Mismatch);
}

/// A keyspace with an order of one's own opens with its comparator, and not without.
#[test]
fn option_comparators() {
    struct ByLength;
    impl lightning_db::Comparator for ByLength {
        fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        }
        fn name(&self) -> &str {
            "by-length"
        }
    }
    let disk = MemoryVfs::default();
    let with = || LightningDbConfig { comparators: vec![Box::new(ByLength)], ..Default::default() };
    let db = open_with(&disk, with()).unwrap();
    let options = KeyspaceOptions { comparator: Some(Box::new(ByLength)), ..Default::default() };
    db.create_keyspace("words", options).unwrap().put_batch(&[("bb", ""), ("a", ""), ("ccc", "")]).unwrap();
    db.close().unwrap();
    assert_eq!(open_with(&disk, LightningDbConfig::default()).unwrap_err().kind(), ErrorKind::Mismatch);
    let db = open_with(&disk, with()).unwrap();
    let keys = db.keyspace("words").unwrap().scan(None, None).unwrap().map(|entry| entry.unwrap().0);
    assert!(keys.eq([b"a".to_vec(), b"bb".to_vec(), b"ccc".to_vec()]));
}

/// Names of the public fields of the three structs of options.
fn fields() -> BTreeSet<String> {
    let source = include_str!("../src/base/config.rs");
    let structs = ["ConsistencyConfig", "LSMConfig", "LightningDbConfig"];
    let mut fields = BTreeSet::new();
    for name in structs {
        let (_, rest) = source.split_once(&format!("pub struct {name} {{\n")).unwrap();
        let (body, _) = rest.split_once("\n}").unwrap();
        for line in body.lines() {
            let field = line.trim().strip_prefix("pub ").and_then(|line| line.split_once(':'));
            fields.extend(field.map(|(field, _)| field.to_owned()));
        }
    }
    // These two hold others.
    assert!(fields.remove("consistency_config") && fields.remove("lsm_config"));
    fields
}

#[test]
fn every_option_has_a_test_and_a_use_to_delete() {
    let uses = include_str!("options/uses.txt");
    let tests = [
        include_str!("options.rs"),
        include_str!("compaction.rs"),
        include_str!("maps.rs"),
        include_str!("read_ahead.rs"),
    ];
    let tests = tests.concat();
    let fields = fields();
    let by_name: BTreeSet<_> = OPTIONS.iter().map(|spec| spec.name.to_owned()).collect();
    assert!(by_name.is_subset(&fields), "{by_name:?}");
    for field in &fields {
        let excused = EXCEPTIONS.iter().any(|(name, _)| name == field);
        let tested = tests.contains(&format!("\nfn option_{field}() {{"));
        let used = uses.lines().any(|line| line.split('|').next().unwrap().trim() == field);
        assert!(tested != excused, "{field}: a test, or a reason for none");
        assert!(used != excused, "{field}: a use in options/uses.txt, or a reason for none");
    }
    let unknown = tests.split("\nfn option_").skip(1).filter_map(|rest| rest.split_once('('));
    for (name, _) in unknown {
        assert!(fields.contains(name), "option_{name} tests no field");
    }
}
