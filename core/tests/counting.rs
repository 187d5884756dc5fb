//! Counts, scans of keys alone, and sizes of ranges.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeMap;

use common::{Random, small_config};
use lightning_db::{Database, ScanOptions};

fn options(random: &mut Random) -> ScanOptions {
    let key = |random: &mut Random| format!("{:03}", random.below(1000)).into_bytes();
    let mut options = match random.below(4) {
        0 => ScanOptions::all(),
        1 => ScanOptions::prefix(&key(random)[..random.below(4) as usize]),
        2 => ScanOptions::range(key(random)..),
        _ => ScanOptions::range(key(random)..=key(random)),
    };
    if random.below(2) == 0 {
        options = options.reverse();
    }
    if random.below(4) == 0 {
        options = options.limit(random.below(30) as usize);
    }
    options
}

#[test]
fn counts_and_keys_are_those_of_a_whole_scan() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    let mut random = Random(3);
    let mut model = BTreeMap::new();
    for round in 0..40u64 {
        let mut batch = lightning_db::WriteBatch::new();
        for _ in 0..200 {
            let key = format!("{:03}", random.below(1000));
            if random.below(3) == 0 {
                batch.delete(&key).unwrap();
                model.remove(&key);
            } else {
                batch.put(&key, vec![round as u8; 40]).unwrap();
                model.insert(key, ());
            }
        }
        db.write(&batch).unwrap();
        assert_eq!(db.count(ScanOptions::all()).unwrap(), model.len() as u64);
        for _ in 0..20 {
            let options = options(&mut random);
            let whole: Vec<_> = db.scan_with(options.clone()).unwrap().map(Result::unwrap).collect();
            let keys: Vec<_> =
                db.scan_with(options.clone().keys_only()).unwrap().map(Result::unwrap).collect();
            assert!(
                whole
                    .iter()
                    .map(|(key, _)| (key, &[][..]))
                    .eq(keys.iter().map(|(key, value)| (key, &value[..])))
            );
            assert_eq!(db.count(options).unwrap(), whole.len() as u64);
        }
    }
}

#[test]
fn the_size_of_a_range_is_about_its_share_of_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    assert_eq!(db.approximate_size(&ScanOptions::all()).unwrap(), 0);
    let entries: Vec<_> = (0..20_000u32).map(|i| (format!("{i:05}"), i.to_be_bytes().repeat(25))).collect();
    for entries in entries.chunks(1000) {
        db.put_batch(entries).unwrap();
    }
    db.compact_lsm().unwrap();
    let size = |options: ScanOptions| db.approximate_size(&options).unwrap() as f64;
    let all = size(ScanOptions::all());
    // Merged tables may stay for a moment.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while all as u64 != table_bytes(&db) {
        assert!(std::time::Instant::now() < end, "{all} bytes, not {}", table_bytes(&db));
        std::thread::yield_now();
    }
    for (from, to) in [(0, 10_000), (5_000, 7_000), (19_000, 30_000), (0, 100)] {
        let part = size(ScanOptions::range(format!("{from:05}")..format!("{to:05}")));
        let expected = f64::from(to.min(20_000) - from) / 20_000.0;
        assert!((part / all - expected).abs() < 0.02, "{from}..{to}: {} not {expected}", part / all);
    }
    assert_eq!(size(ScanOptions::range("6".to_string().."5".to_string())), 0.0);
    assert_eq!(size(ScanOptions::range("x".to_string()..)), 0.0);
}

/// Bytes of the table files.
fn table_bytes(db: &Database) -> u64 {
    std::fs::read_dir(db.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "table"))
        .map(|entry| entry.metadata().map_or(0, |metadata| metadata.len()))
        .sum()
}

/// The estimate is right while nothing absent is deleted: in memory, flushed and compacted.
#[test]
fn the_estimate_of_keys_survives_flush_and_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), Default::default()).unwrap();
    let keys: Vec<_> = (0..1000u32).map(|i| i.to_be_bytes()).collect();
    let estimate = || db.stats().unwrap().total_keys;
    db.put_batch(&keys.iter().map(|key| (key, b"")).collect::<Vec<_>>()).unwrap();
    db.delete_batch(&keys[..900]).unwrap();
    assert_eq!(estimate(), 100);
    db.flush().unwrap();
    assert_eq!(estimate(), 100);
    db.delete_batch(&keys[900..950]).unwrap();
    assert_eq!(estimate(), 50);
    db.flush().unwrap();
    assert_eq!(estimate(), 50);
    db.compact_lsm().unwrap();
    assert_eq!(estimate(), 50);
}
