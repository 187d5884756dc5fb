//! One `cache_size` bounds what the cache takes, and the figures about it are true.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Random, small_config, wait_until};
use lightning_db::{ConsistencyLevel, Database, Keyspace, LSMConfig, LightningDbConfig, WriteBatch};

const VALUE: usize = 1000;

fn key(number: u64) -> [u8; 16] {
    let mut key = *b"key 000000000000";
    for (at, digit) in key[4..].iter_mut().rev().enumerate() {
        *digit += (number / 10u64.pow(at as u32) % 10) as u8;
    }
    key
}

/// Half random, half zeros.
fn value(number: u64) -> Vec<u8> {
    let mut random = Random(number);
    let mut value: Vec<u8> = (0..VALUE / 16).flat_map(|_| random.next().to_le_bytes()).collect();
    value.resize(VALUE, 0);
    value
}

fn load(db: &Database, records: u64, mut each_batch: impl FnMut()) {
    for first in (0..records).step_by(100) {
        let mut batch = WriteBatch::new();
        for number in first..records.min(first + 100) {
            batch.put(key(number), value(number)).unwrap();
        }
        db.write_with(&batch, ConsistencyLevel::Eventual).unwrap();
        each_batch();
    }
}

#[test]
fn the_hit_rate_counts_rows_and_pages() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    assert_eq!(db.stats().unwrap().cache_hit_rate, 0.0);
    load(&db, 5000, || ());
    db.compact_lsm().unwrap();
    for number in (0..5000).step_by(50) {
        assert!(db.get(key(number)).unwrap().is_some());
    }
    let cold = db.stats().unwrap();
    // Rows need a second look; then nothing but they answers.
    let hot: Vec<_> = (0..20).map(|number| vec![number; 20]).collect();
    db.put_batch(&hot.iter().map(|key| (key, b"hot")).collect::<Vec<_>>()).unwrap();
    for _ in 0..1000 {
        assert!(hot.iter().all(|key| db.get(key).unwrap().is_some()));
    }
    let warm = db.stats().unwrap();
    assert!(cold.cache_hit_rate < 0.8, "{cold:?}");
    assert!(warm.cache_hit_rate > 0.98, "{warm:?}");
    assert!(warm.cache_bytes <= small_config().cache_size);
}

/// What is merged is read once and then gone: it has no place in the cache.
#[test]
fn a_compaction_brings_nothing_into_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    load(&db, 3000, || ());
    db.flush().unwrap();
    db.clear_cache().unwrap();
    let used = || {
        let metrics = db.get_metrics().unwrap();
        (metrics.cache_hits, metrics.cache_misses, metrics.memory.cache_bytes)
    };
    let before = used();
    db.compact_lsm().unwrap();
    let after = db.stats().unwrap();
    assert!(after.tables_per_level[0] == 0 && after.tables_per_level.iter().sum::<usize>() > 0);
    assert_eq!(used(), before);
}

const RECORDS: u64 = 3000;
/// A record has a page of its own.
const UPDATED: usize = RECORDS as usize / 4;

/// Two keyspaces that are all in tables, one of which is all in the cache, too.
fn one_of_two_is_read(folder: &std::path::Path) -> (Database, Keyspace) {
    let lsm_config = LSMConfig { memtable_size: 8 << 20, ..Default::default() };
    let config = LightningDbConfig { cache_size: 16 << 20, lsm_config, ..small_config() };
    let db = Database::create(folder, config).unwrap();
    let read = db.create_keyspace("read", Default::default()).unwrap();
    update(&db, &read, 1);
    db.compact_lsm().unwrap();
    assert!(misses_of(&db, || read_all(&read)) >= RECORDS);
    assert_eq!(misses_of(&db, || read_all(&read)), 0);
    (db, read)
}

fn update(db: &Database, read: &Keyspace, step: usize) {
    for number in (0..RECORDS).step_by(step) {
        let value = value(number + step as u64);
        db.put_with_consistency(key(number), &value, ConsistencyLevel::Eventual).unwrap();
        read.put_with_consistency(key(number), &value, ConsistencyLevel::Eventual).unwrap();
    }
}

fn read_all(keyspace: &Keyspace) {
    assert!((0..RECORDS).all(|number| keyspace.get(key(number)).unwrap().is_some()));
}

/// Pages that had to be read.
fn misses_of(db: &Database, reads: impl FnOnce()) -> u64 {
    let misses = || db.get_metrics().unwrap().cache_misses;
    let before = misses();
    reads();
    misses() - before
}

#[test]
fn what_was_cached_of_tables_is_cached_of_those_that_a_compaction_makes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let (db, read) = one_of_two_is_read(folder.path());
    let page_bytes = || db.get_metrics().unwrap().memory.page_bytes;
    let before = page_bytes();
    update(&db, &read, 4);
    db.compact_lsm().unwrap();
    // A flush may still be bringing in what the compaction has replaced.
    wait_until("no more is cached than before", || page_bytes() <= before + before / 8);
    assert!(misses_of(&db, || read_all(&read)) < RECORDS / 20);
    assert!(misses_of(&db, || read_all(&db.keyspace("default").unwrap())) >= RECORDS);
}

/// The keyspace that nobody reads comes first, so that it was looked at when the other one is seen to be cached.
#[test]
fn what_a_flush_writes_is_cached_if_what_it_updates_is() {
    let folder = tempfile::tempdir().unwrap();
    let (db, read) = one_of_two_is_read(folder.path());
    let page_bytes = || db.get_metrics().unwrap().memory.page_bytes as usize;
    let before = page_bytes();
    update(&db, &read, 4);
    db.flush().unwrap();
    let comes_in = |_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        page_bytes() >= before + UPDATED * VALUE
    };
    assert!((0..6000).any(comes_in));
    assert!(misses_of(&db, || read_all(&read)) < RECORDS / 20);
    assert!(misses_of(&db, || read_all(&db.keyspace("default").unwrap())) >= RECORDS);
}

#[cfg(target_os = "linux")]
mod resident {
    use super::*;
    use std::process::Command;

    const MEMTABLE: usize = 1 << 20;
    /// The active set and those that may wait for their flush.
    const MEMTABLES: usize = 3;

    /// Bytes of the process in memory that are its own, not the program's.
    fn resident() -> usize {
        let line = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: Vec<usize> = line.split(' ').map(|field| field.trim().parse().unwrap()).collect();
        (pages[1] - pages[2]) * 4096
    }

    #[derive(Default)]
    struct Peak(usize);

    impl Peak {
        fn look(&mut self) {
            self.0 = self.0.max(resident());
        }
    }

    /// Runs in a process of its own, whose other memory does not change meanwhile.
    fn in_child(name: &str) {
        const MARK: &str = "LIGHTNING_DB_TEST_CHILD";
        let budget = if name.ends_with("64_mb") { 64 << 20 } else { 10 << 20 };
        if std::env::var_os(MARK).is_some() {
            return load_and_read(budget);
        }
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("resident::{name}"), "--include-ignored", "--nocapture"])
            .env(MARK, "1")
            .output()
            .unwrap();
        print!("{}", String::from_utf8_lossy(&child.stdout));
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    }

    fn load_and_read(budget: usize) {
        let folder = tempfile::tempdir().unwrap();
        let config = || LightningDbConfig {
            cache_size: budget,
            lsm_config: LSMConfig { memtable_size: MEMTABLE, ..Default::default() },
            ..Default::default()
        };
        let records = (20 * budget / VALUE) as u64;
        // What a process takes once, whatever it does.
        let other = tempfile::tempdir().unwrap();
        let db = Database::create(other.path(), config()).unwrap();
        load(&db, 2000, || ());
        db.close().unwrap();
        drop(db);

        let before = resident();
        let db = Database::create(folder.path(), config()).unwrap();
        let (mut loaded, mut read, mut batches) = (Peak(before), Peak(before), 0);
        load(&db, records, || {
            batches += 1;
            if batches % 16 == 0 {
                loaded.look();
            }
        });
        let mut random = Random(1);
        for number in 0..records {
            // Every record once, a few of them again and again.
            for number in [number * 7919 % records, random.below(3000)] {
                let found = db.get_with(key(number), |found| found.len()).unwrap();
                assert_eq!(found, Some(VALUE));
            }
            if number % 1000 == 0 {
                read.look();
                assert!(db.stats().unwrap().cache_bytes <= budget);
            }
        }
        let mut count = 0;
        for entry in db.scan(None, None).unwrap() {
            assert_eq!(entry.unwrap().1.len(), VALUE);
            count += 1;
            if count % 1000 == 0 {
                read.look();
            }
        }
        assert_eq!(count, records);
        let (loaded, read) = (loaded.0 - before, read.0 - before);
        let allowed = (budget + MEMTABLES * MEMTABLE) * 6 / 5;
        let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        println!(
            "cache_size {:.0} MiB, data {:.0} MiB: grew by {:.1} while loaded, {:.1} while read, of {:.1} MiB allowed; hit rate {:.3}",
            mib(budget),
            mib(records as usize * VALUE),
            mib(loaded),
            mib(read),
            mib(allowed),
            db.stats().unwrap().cache_hit_rate,
        );
        assert!(loaded.max(read) <= allowed, "{loaded} and {read} bytes of {allowed}");
    }

    #[test]
    fn a_process_stays_within_10_mb() {
        in_child("a_process_stays_within_10_mb");
    }

    #[test]
    #[ignore = "loads and reads 1.3 GB"]
    fn a_process_stays_within_64_mb() {
        in_child("a_process_stays_within_64_mb");
    }
}
