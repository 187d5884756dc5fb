//! Consistency levels: which calls each one makes before it acknowledges, what survives what, and the
//! checkpoint interval.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::child::Child;
use common::{FOLDER, entries, open, open_with, small_config, wait_until};
use lightning_db::vfs::{Call, Keep, MemoryVfs, RecordingVfs, Vfs};
use lightning_db::{ConsistencyLevel, Database, LightningDbConfig, WriteBatch};

/// A database whose calls are recorded.
fn recorded(config: LightningDbConfig) -> (Database, RecordingVfs) {
    let calls = RecordingVfs::new(Arc::new(MemoryVfs::default()));
    let vfs: Arc<dyn Vfs> = Arc::new(calls.clone());
    (Database::open_on(vfs, Path::new(FOLDER), config, true).unwrap(), calls)
}

/// Log writes and log syncs that `work` makes before it returns.
fn log_calls(calls: &RecordingVfs, work: impl FnOnce()) -> (usize, usize) {
    let is_log = |path: &Path| path.extension().is_some_and(|extension| extension == "log");
    calls.take();
    work();
    let made = calls.take();
    let count = |wanted: &dyn Fn(&Call) -> bool| made.iter().filter(|call| wanted(call)).count();
    (
        count(&|call| matches!(call, Call::WriteAt { path, .. } if is_log(path))),
        count(&|call| matches!(call, Call::SyncData { path } if is_log(path))),
    )
}

#[test]
fn every_kind_of_commit_makes_its_fixed_number_of_calls() {
    let (db, calls) = recorded(LightningDbConfig::default());
    let batch = || {
        let mut batch = WriteBatch::new();
        batch.put(b"a", b"1").unwrap();
        batch.put(b"b", b"2").unwrap();
        batch
    };
    let transaction = |level| {
        let tx = db.transaction().unwrap();
        tx.put(b"a", b"1").unwrap();
        tx.commit_with(level).unwrap();
    };
    for (level, writes, syncs) in [(ConsistencyLevel::Strong, 1, 1), (ConsistencyLevel::Quorum, 1, 0)] {
        let put = || db.put_with_consistency(b"k", b"v", level).unwrap();
        assert_eq!(log_calls(&calls, put), (writes, syncs), "put at {level:?}");
        assert_eq!(log_calls(&calls, || db.write_with(&batch(), level).unwrap()), (writes, syncs));
        assert_eq!(log_calls(&calls, || transaction(level)), (writes, syncs), "commit at {level:?}");
        let delete = || db.delete_with_consistency(b"k", level).unwrap();
        assert_eq!(log_calls(&calls, delete), (writes, syncs), "delete at {level:?}");
    }
    assert_eq!(log_calls(&calls, || db.put(b"k", b"v").unwrap()), (1, 1), "the default is Strong");
    assert_eq!(log_calls(&calls, || drop(db.get(b"k").unwrap())), (0, 0));
}

#[test]
fn sync_writes_off_lets_the_default_level_fall_back_and_no_other() {
    let mut config = LightningDbConfig::default();
    config.consistency_config.sync_writes = false;
    let (db, calls) = recorded(config);
    assert_eq!(log_calls(&calls, || db.put(b"k", b"v").unwrap()), (1, 0));
    let strong = || db.put_with_consistency(b"k", b"v", ConsistencyLevel::Strong).unwrap();
    assert_eq!(log_calls(&calls, strong), (1, 1));
}

#[test]
fn the_default_level_is_used_where_none_is_named() {
    let mut config = LightningDbConfig::default();
    config.consistency_config.default_level = ConsistencyLevel::Quorum;
    let (db, calls) = recorded(config);
    assert_eq!(log_calls(&calls, || db.put(b"k", b"v").unwrap()), (1, 0));
    assert_eq!(log_calls(&calls, || db.transact(|tx| tx.put(b"k", b"v")).unwrap()), (1, 0));
}

/// A database that was closed and is only read stays as it was, whatever its size.
#[test]
fn an_open_that_is_followed_by_reads_alone_writes_nothing() {
    for records in [5u32, 4_000] {
        let disk = MemoryVfs::default();
        let db = open(&disk).unwrap();
        for number in 0..records {
            db.put_with_consistency(number.to_be_bytes(), [1; 100], ConsistencyLevel::Quorum).unwrap();
        }
        db.compact_lsm().unwrap();
        db.close().unwrap();
        for _ in 0..2 {
            let calls = disk.calls();
            let db = open(&disk).unwrap();
            assert!(db.recovery_report().clean);
            assert_eq!(entries(&db).len(), records as usize);
            std::thread::sleep(Duration::from_millis(20));
            db.close().unwrap();
            assert_eq!(disk.calls(), calls, "{records} records");
        }
    }
}

/// What a killed process and a power cut leave of ten writes at each level.
#[test]
fn each_level_survives_what_it_promises() {
    for level in [ConsistencyLevel::Strong, ConsistencyLevel::Quorum, ConsistencyLevel::Eventual] {
        let disk = MemoryVfs::default();
        let db = open(&disk).unwrap();
        for i in 0..10u8 {
            db.put_with_consistency([i], [i], level).unwrap();
            assert_eq!(db.get([i]).unwrap().unwrap(), [i], "read your writes");
        }
        for keep in [Keep::All, Keep::Durable] {
            let found = entries(&open(&disk.crash(keep)).unwrap());
            assert!(
                found.iter().enumerate().all(|(i, (key, _))| key[..] == [i as u8]),
                "{level:?}: a prefix"
            );
            let promised = match (level, keep) {
                (ConsistencyLevel::Strong, _) | (ConsistencyLevel::Quorum, Keep::All) => 10,
                _ => 0,
            };
            assert!(found.len() >= promised, "{level:?} {keep:?}: {} left", found.len());
        }
    }
}

#[test]
fn deferred_writes_reach_the_log_soon_and_in_front_of_later_ones() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    db.put_with_consistency(b"a", b"1", ConsistencyLevel::Eventual).unwrap();
    db.put_with_consistency(b"b", b"2", ConsistencyLevel::Quorum).unwrap();
    assert_eq!(entries(&open(&disk.crash(Keep::All)).unwrap()).len(), 2, "a later commit writes them first");
    db.put_with_consistency(b"c", b"3", ConsistencyLevel::Eventual).unwrap();
    wait_until("written", || entries(&open(&disk.crash(Keep::All)).unwrap()).len() == 3);
}

/// The environment variable that tells the process to be killed where its database is, and at which level it writes.
const VICTIM: &str = "LIGHTNING_DB_LEVELS_VICTIM";

/// Not a test by itself: writes, batches and transactions, each acknowledged by a line, until it is killed.
#[test]
fn victim() {
    let Ok(place) = std::env::var(VICTIM) else { return };
    let (level, path) = place.split_once(':').unwrap();
    let level = ConsistencyLevel::NAMES.iter().find(|(name, _)| *name == level).unwrap().1;
    let db = Database::open(path, LightningDbConfig::default()).unwrap();
    for number in 0u32.. {
        let keys = [number.to_be_bytes().to_vec(), [&number.to_be_bytes()[..], b"+"].concat()];
        match number % 3 {
            0 => keys.iter().for_each(|key| db.put_with_consistency(key, b"v", level).unwrap()),
            1 => {
                let mut batch = WriteBatch::new();
                keys.iter().for_each(|key| batch.put(key, b"v").unwrap());
                db.write_with(&batch, level).unwrap();
            }
            _ => {
                let tx = db.transaction().unwrap();
                keys.iter().for_each(|key| tx.put(key, b"v").unwrap());
                tx.commit_with(level).unwrap();
            }
        }
        println!("acknowledged {number}");
    }
}

/// Another process is killed in the midst of its work; this one opens what it leaves.
#[test]
fn a_killed_process_keeps_what_its_level_promises() {
    for (name, level) in ConsistencyLevel::NAMES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        Database::create(&path, LightningDbConfig::default()).unwrap().close().unwrap();
        let mut child = Child::of_this_test("victim", VICTIM, format!("{name}:{}", path.display()));
        let mut lines = child.lines();
        let mut acknowledged = 0;
        let mut hear = |line: String| {
            if let Some((_, number)) = line.split_once("acknowledged ") {
                acknowledged = number.parse().unwrap();
            }
            acknowledged
        };
        while hear(lines.next().expect("the child goes on")) < 20 {}
        child.kill();
        // The pipe outlives the child: what it said before it was killed.
        for line in lines {
            hear(line);
        }
        let db = Database::open(&path, LightningDbConfig::default()).unwrap();
        let found = entries(&db);
        for (at, (key, _)) in found.iter().enumerate() {
            assert_eq!(key[..4], (at as u32 / 2).to_be_bytes(), "{name}: no gap in the order");
        }
        let whole = found.len() as u32 / 2;
        if found.len() % 2 == 1 {
            assert_eq!(whole % 3, 0, "{name}: a batch or transaction that is there in part");
        }
        if *level != ConsistencyLevel::Eventual {
            assert!(whole > acknowledged, "{name}: {acknowledged} was acknowledged, {whole} are left");
        }
    }
}

#[test]
fn eventual_commits_are_seen_at_once_and_in_order() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    std::thread::scope(|scope| {
        let reader = db.clone();
        scope.spawn(move || {
            let mut last = 0;
            while last < 3000 {
                let see = |key: &[u8]| -> u32 {
                    reader
                        .get(key)
                        .unwrap()
                        .map_or(0, |value| u32::from_be_bytes(value[..].try_into().unwrap()))
                };
                // The second is written first.
                let (first, second) = (see(b"first"), see(b"second"));
                assert!(first >= last && second >= first, "{last} {first} {second}");
                last = first;
            }
        });
        for number in 1..=3000u32 {
            for key in [&b"second"[..], b"first"] {
                db.put_with_consistency(key, number.to_be_bytes(), ConsistencyLevel::Eventual).unwrap();
                assert_eq!(db.get(key).unwrap().unwrap(), number.to_be_bytes());
            }
        }
    });
}

/// Without the log thread, which writes after a millisecond, 64 KiB are what a killed process can lose.
#[test]
fn deferred_writes_are_bounded_in_bytes() {
    let disk = MemoryVfs::default();
    let db = open_with(&disk, LightningDbConfig::default()).unwrap();
    for number in 0..300u32 {
        db.put_with_consistency(number.to_be_bytes(), [1; 1000], ConsistencyLevel::Eventual).unwrap();
        let left = entries(&open(&disk.crash(Keep::All)).unwrap()).len();
        assert!(left + 66 > number as usize, "{left} left of {number}");
    }
}

#[test]
fn the_age_of_what_is_only_in_the_log_bounds_the_replay() {
    let disk = MemoryVfs::default();
    let mut config = small_config();
    config.consistency_config.checkpoint_interval = Duration::from_secs(2);
    let db = open_with(&disk, config).unwrap();
    let replayed = || open(&disk.crash(Keep::All)).unwrap().recovery_report().replayed_records;
    for number in 0..10u8 {
        db.put([number], b"v").unwrap();
    }
    assert_eq!(replayed(), 10);
    disk.advance(Duration::from_secs(3));
    wait_until("flushed", || replayed() == 0);
    assert_eq!(entries(&db).len(), 10);
}

#[test]
fn the_checkpoint_interval_bounds_the_age_of_what_is_only_in_the_log() {
    let disk = MemoryVfs::default();
    let mut config = small_config();
    config.consistency_config.checkpoint_interval = Duration::from_secs(30);
    let db = open_with(&disk, config).unwrap();
    db.put(b"k", b"v").unwrap();
    let tables = || db.stats().unwrap().tables_per_level.iter().sum::<usize>();
    disk.advance(Duration::from_secs(29));
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(tables(), 0, "younger than the interval");
    disk.advance(Duration::from_secs(2));
    wait_until("flushed", || tables() > 0);
    assert_eq!(db.get(b"k").unwrap().unwrap(), b"v");
}

#[test]
fn the_page_cache_stays_within_its_budget() {
    let db = open(&MemoryVfs::default()).unwrap();
    let mut batch = WriteBatch::new();
    for i in 0..20_000u32 {
        batch.put(i.to_be_bytes(), [i.to_le_bytes(); 50].concat()).unwrap();
    }
    db.write(&batch).unwrap();
    db.compact_lsm().unwrap();
    for i in 0..20_000u32 {
        assert!(db.get(i.wrapping_mul(7_919).rem_euclid(20_000).to_be_bytes()).unwrap().is_some());
        if i % 512 == 0 {
            assert!(db.stats().unwrap().cache_bytes <= 1 << 20);
        }
    }
    let stats = db.stats().unwrap();
    assert!(stats.cache_bytes > 1 << 18 && stats.cache_hit_rate > 0.2, "{stats:?}");
    assert_eq!(stats.total_keys, 20_000);
    db.clear_cache().unwrap();
    // A background compaction may bring in a page at any time.
    assert!(db.stats().unwrap().cache_bytes < stats.cache_bytes / 4);
}
