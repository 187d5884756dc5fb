//! Metrics: each counter moves when its event happens, by the right amount, from any number of threads.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::still::Still;
use common::{open, open_still, open_with, small_config, wait_until};
use lightning_db::vfs::{MemoryVfs, OsVfs};
use lightning_db::{
    Comparator, ConsistencyLevel, Database, ErrorKind, Figure, Lookup, ScanOptions, WriteBatch,
};

fn figures(db: &Database) -> BTreeMap<&'static str, f64> {
    let number = |figure| match figure {
        Figure::Count(count) => count as f64,
        Figure::Number(number) => number,
    };
    db.get_metrics().unwrap().figures().map(|(name, figure)| (name, number(figure))).collect()
}

/// By how much an action moves a figure.
#[derive(Clone, Copy, Debug)]
enum By {
    Exactly(u64),
    Some,
}
use By::{Exactly, Some as Any};

type Case = (fn(&Database), &'static [(&'static str, By)]);

fn put(db: &Database, key: &str) {
    db.put_with_consistency(key, "value", ConsistencyLevel::Quorum).unwrap();
}

/// Two tables with different keys.
fn two_tables(db: &Database) {
    for keys in [["a", "c"], ["b", "d"]] {
        keys.iter().for_each(|key| put(db, key));
        db.flush().unwrap();
    }
}

/// What is done, and all figures that it moves, but for times and for what is in the background.
const CASES: &[Case] = &[
    (|db| drop(db.get("absent").unwrap()), &[("reads", Exactly(1)), ("row_misses", Exactly(1))]),
    (
        |db| {
            put(db, "a");
            (0..10).for_each(|_| drop(db.get("a").unwrap()));
        },
        &[("reads", Exactly(10)), ("row_misses", Any), ("row_hits", Any)],
    ),
    (
        |db| drop(db.get_batch(&["a", "b", "c"]).unwrap()),
        &[("batch_reads", Exactly(1)), ("batch_read_keys", Exactly(3)), ("reads", Exactly(3))],
    ),
    (
        |db| {
            db.put_batch(&(0..700u32).map(|i| (i.to_be_bytes(), "")).collect::<Vec<_>>()).unwrap();
            assert_eq!(db.scan(None, None).unwrap().count(), 700);
            assert_eq!(db.scan(None, None).unwrap().take(3).count(), 3);
            assert_eq!(db.count(ScanOptions::all().limit(5)).unwrap(), 5);
            let tx = db.transaction().unwrap();
            assert_eq!(tx.scan_reverse(None, None).unwrap().count(), 700);
            drop(db.snapshot().unwrap().scan(None, None).unwrap());
        },
        &[("scans", Exactly(5)), ("scan_entries", Exactly(1408)), ("write_records", Exactly(700))],
    ),
    (
        |db| db.put_with_consistency("a", "1", ConsistencyLevel::Strong).unwrap(),
        &[
            ("writes_strong", Exactly(1)),
            ("writes", Exactly(1)),
            ("log_writes", Exactly(1)),
            ("log_syncs", Exactly(1)),
            ("log_bytes", Any),
            ("write_bytes", Any),
            ("write_records", Exactly(1)),
        ],
    ),
    (
        |db| {
            let mut batch = WriteBatch::new();
            batch.put("a", [7; 1000]).unwrap();
            batch.delete("b").unwrap();
            db.write_with(&batch, ConsistencyLevel::Quorum).unwrap();
        },
        &[
            ("writes_quorum", Exactly(1)),
            ("writes", Exactly(1)),
            ("write_records", Exactly(2)),
            ("log_syncs", Exactly(0)),
        ],
    ),
    (
        |db| db.put_with_consistency("a", "1", ConsistencyLevel::Eventual).unwrap(),
        &[("writes_eventual", Exactly(1)), ("writes", Exactly(1))],
    ),
    (
        |db| {
            two_tables(db);
            db.compact_lsm().unwrap();
        },
        &[
            ("flushes", Exactly(2)),
            ("flush_input_bytes", Any),
            ("flush_output_bytes", Any),
            ("flush_seconds", Any),
            ("compactions", Any),
            ("compaction_input_bytes", Any),
            ("compaction_output_bytes", Any),
            ("compaction_seconds", Any),
            ("files_removed", Any),
        ],
    ),
    (
        |db| {
            two_tables(db);
            assert!(db.get("a").unwrap().is_some());
            assert!(db.get("c").unwrap().is_some());
        },
        &[("page_reads", Any), ("page_read_bytes", Any), ("cache_hits", Any), ("cache_misses", Any)],
    ),
    (
        |db| {
            let [won, lost] = [(); 2].map(|()| db.transaction().unwrap());
            for tx in [&won, &lost] {
                tx.get("a").unwrap();
                tx.put("a", "1").unwrap();
            }
            won.commit().unwrap();
            assert_eq!(lost.commit().unwrap_err().kind(), ErrorKind::Conflict);
            db.transaction().unwrap().commit().unwrap();
            db.transaction().unwrap().abort();
            drop(db.transaction().unwrap());
            let shared = db.transaction().unwrap();
            shared.abort_shared().unwrap();
            let id = db.begin_transaction().unwrap();
            db.abort_transaction(id).unwrap();
            db.begin_transaction().unwrap();
        },
        &[
            ("transactions_begun", Exactly(8)),
            ("transactions_committed", Exactly(2)),
            ("transaction_conflicts", Exactly(1)),
            ("transactions_aborted", Exactly(4)),
            ("writes", Exactly(1)),
            ("reads", Exactly(2)),
        ],
    ),
    (
        |db| {
            two_tables(db);
            drop(db.get("a").unwrap());
            drop(db.scan(None, None).unwrap());
        },
        &[
            ("uptime_seconds", Any),
            ("read_ops_per_sec", Any),
            ("write_ops_per_sec", Any),
            ("avg_read_latency_us", Any),
            ("p50_read_latency_us", Any),
            ("p99_read_latency_us", Any),
            ("p999_read_latency_us", Any),
            ("avg_write_latency_us", Any),
            ("p50_write_latency_us", Any),
            ("p99_write_latency_us", Any),
            ("p999_write_latency_us", Any),
            ("avg_log_write_latency_us", Any),
            ("avg_log_sync_latency_us", Any),
            ("p99_log_sync_latency_us", Any),
        ],
    ),
];

/// Of other tests.
const ELSEWHERE: [&str; 3] = ["background_errors", "write_stalls", "write_stall_seconds"];

#[test]
fn each_figure_moves_when_its_event_happens() {
    let mut moved: BTreeSet<_> = ELSEWHERE.into();
    let mut names = BTreeSet::new();
    for (action, expected) in CASES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let db = Database::open_on(Still::over(OsVfs), &path, small_config(), true).unwrap();
        let before = figures(&db);
        assert!(before.iter().all(|(name, value)| *name == "uptime_seconds" || *value == 0.0), "{before:?}");
        action(&db);
        let after = figures(&db);
        for (name, by) in *expected {
            match by {
                Exactly(count) => assert_eq!(after[name], *count as f64, "{name}"),
                Any => assert!(after[name] > 0.0, "{name}"),
            }
        }
        moved.extend(expected.iter().map(|(name, _)| name));
        names.extend(after.into_keys());
    }
    let left: Vec<_> = names.difference(&moved).collect();
    assert!(left.is_empty(), "no action moves {left:?}");
}

#[test]
fn bytes_are_those_of_the_files() {
    let db = open_still(&MemoryVfs::default(), small_config()).unwrap();
    two_tables(&db);
    db.compact_lsm().unwrap();
    let metrics = db.get_metrics().unwrap();
    let table: u64 = db.stats().unwrap().total_size;
    assert!(metrics.compaction_output_bytes < table && table - metrics.compaction_output_bytes < 100);
    // What flushes wrote, one compaction has read.
    assert_eq!(metrics.flush_output_bytes, metrics.compaction_input_bytes);
    assert!(metrics.flush_input_bytes > 0);
    // Two puts went to each log, a chunk a put.
    assert!(metrics.log_bytes > metrics.write_bytes);
    assert_eq!(metrics.write_bytes, 4 * "avalue".len() as u64);
}

#[test]
fn counts_of_several_threads_are_exact() {
    const THREADS: u64 = 6;
    const EACH: u64 = 500;
    let db = open(&MemoryVfs::default()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let db = &db;
            scope.spawn(move || {
                for i in 0..EACH {
                    let key = (thread * EACH + i).to_be_bytes();
                    db.put_with_consistency(key, key, ConsistencyLevel::Quorum).unwrap();
                    assert_eq!(db.get(key).unwrap().unwrap(), key);
                    assert_eq!(db.get(b"common").unwrap(), None);
                    let tx = db.transaction().unwrap();
                    tx.delete([thread as u8]).unwrap();
                    tx.commit_with(ConsistencyLevel::Eventual).unwrap();
                }
            });
        }
    });
    let metrics = db.get_metrics().unwrap();
    let all = THREADS * EACH;
    assert_eq!((metrics.reads, metrics.row_hits + metrics.row_misses), (2 * all, 2 * all));
    assert_eq!((metrics.writes_quorum, metrics.writes_eventual, metrics.writes_strong), (all, all, 0));
    assert_eq!((metrics.writes, metrics.write_records), (2 * all, 2 * all));
    assert_eq!((metrics.transactions_begun, metrics.transactions_committed), (all, all));
}

/// The other languages look in memory first, and then again on the disk.
#[test]
fn a_look_that_must_be_made_again_is_counted_once() {
    let db = open(&MemoryVfs::default()).unwrap();
    put(&db, "a");
    db.flush().unwrap();
    assert_eq!(db.get_cached("a", |_| ()).unwrap(), Lookup::NotCached);
    assert_eq!(db.get_metrics().unwrap().reads, 0);
    assert!(db.get("a").unwrap().is_some());
    assert_eq!(db.get_metrics().unwrap().reads, 1);
}

/// Time stands still but for what the test does with it.
#[test]
fn rates_are_those_of_the_stretch() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    (0..100).for_each(|_| drop(db.get("a").unwrap()));
    (0..50u8).for_each(|i| put(&db, std::str::from_utf8(&[i]).unwrap()));
    disk.advance(Duration::from_secs(50));
    let rates = || {
        let metrics = db.get_metrics().unwrap();
        (metrics.read_ops_per_sec, metrics.write_ops_per_sec)
    };
    assert_eq!(rates(), (2.0, 1.0));
    assert_eq!(rates(), (2.0, 1.0), "a second caller has no shorter stretch");
    (0..60).for_each(|_| drop(db.get("a").unwrap()));
    disk.advance(Duration::from_secs(20));
    assert_eq!(rates(), (3.0, 0.0));
    assert_eq!(db.get_metrics().unwrap().uptime_seconds, 70.0);
}

#[test]
fn failures_in_the_background_are_counted_by_kind() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    disk.set_space(Some(0));
    db.put_with_consistency("a", "1", ConsistencyLevel::Eventual).unwrap();
    wait_until("a failure", || db.get_metrics().unwrap().background_errors > 0);
    let metrics = db.get_metrics().unwrap();
    let [(ErrorKind::NoSpace, count)] = metrics.background_errors_by_kind[..] else { panic!("{metrics:?}") };
    assert_eq!(metrics.background_errors, count);
    disk.set_space(None);
}

/// Holds the flush thread while it is set.
struct Holding(Arc<AtomicBool>);

impl Comparator for Holding {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        while std::thread::current().name() == Some("lightning-flush") && self.0.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        a.cmp(b)
    }

    fn name(&self) -> &str {
        "holding"
    }
}

#[test]
fn a_stalled_write_is_counted_once_with_its_time() {
    let hold = Arc::new(AtomicBool::new(true));
    let mut config = small_config();
    config.comparator = Some(Box::new(Holding(Arc::clone(&hold))));
    let disk = MemoryVfs::default();
    let db = open_with(&disk, config).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for i in 0..120u32 {
                db.put_with_consistency(i.to_be_bytes(), [7; 4000], ConsistencyLevel::Quorum).unwrap();
                if db.get_metrics().unwrap().write_stalls > 0 {
                    return;
                }
            }
        });
        wait_until("a stall", || db.get_metrics().unwrap().write_stalls > 0);
        let sealed = db.memory_stats().unwrap();
        assert!(sealed.sealed_memtable_bytes >= 2 * (64 << 10), "{sealed:?}");
        assert!(sealed.memtable_bytes > sealed.sealed_memtable_bytes);
        disk.advance(Duration::from_secs(3));
        hold.store(false, Ordering::SeqCst);
        writer.join().unwrap();
    });
    let metrics = db.get_metrics().unwrap();
    assert_eq!((metrics.write_stalls, metrics.write_stall_seconds), (1, 3.0));
}

#[test]
fn memory_is_told_by_its_parts() {
    let db = open(&MemoryVfs::default()).unwrap();
    let empty = db.memory_stats().unwrap();
    assert_eq!((empty.cache_bytes, empty.cache_limit_bytes), (0, 1 << 20));
    let entries: Vec<_> = (0..2000u32).map(|i| (i.to_be_bytes(), [7; 20])).collect();
    db.put_batch(&entries).unwrap();
    let written = db.memory_stats().unwrap();
    assert!(written.memtable_bytes > empty.memtable_bytes + 2000 * 24);
    assert_eq!((written.page_bytes, written.row_bytes, written.index_bytes), (0, 0, 0));
    db.compact_lsm().unwrap();
    for _ in 0..4 {
        entries.iter().for_each(|(key, _)| drop(db.get(key).unwrap()));
    }
    let read = db.memory_stats().unwrap();
    assert!(read.memtable_bytes < written.memtable_bytes);
    assert!(read.row_bytes > 0 && read.index_bytes > 0 && read.index_bytes < read.page_bytes, "{read:?}");
    assert_eq!(read.page_bytes + read.row_bytes, read.cache_bytes);
    assert!(read.cache_bytes <= read.cache_limit_bytes);
    assert_eq!(read.total_bytes, read.cache_bytes + read.memtable_bytes);
    assert_eq!(db.get_metrics().unwrap().memory, read);
    db.clear_cache().unwrap();
    let cleared = db.memory_stats().unwrap();
    assert_eq!((cleared.page_bytes, cleared.index_bytes), (0, 0));
}

#[test]
fn a_closed_database_has_no_figures() {
    let db = open(&MemoryVfs::default()).unwrap();
    assert!(db.memory_stats().is_some());
    db.close().unwrap();
    assert_eq!(db.memory_stats(), None);
    assert_eq!(db.get_metrics().unwrap_err().kind(), ErrorKind::Closed);
}
