//! Hints to records among the cached leaves never show a reader something older than it may see.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use common::{Random, small_config};
use lightning_db::{ConsistencyLevel, Database, ErrorKind, LightningDbConfig};

/// More than fit the rows of the cache.
const KEYS: u64 = 4000;

fn key(number: u64) -> Vec<u8> {
    format!("key {number:05}").into_bytes()
}

fn number(value: Option<lightning_db::Value>) -> u64 {
    value.map_or(0, |value| u64::from_be_bytes(value[..8].try_into().unwrap()))
}

fn value(number: u64) -> Vec<u8> {
    [&number.to_be_bytes()[..], &[7; 40]].concat()
}

/// A database with all keys in tables, read so often that hints lead to them.
fn hinted(folder: &std::path::Path) -> Database {
    let db = Database::create(folder, LightningDbConfig { cache_size: 2 << 20, ..small_config() }).unwrap();
    for at in 0..KEYS {
        db.put_with_consistency(key(at), value(at), ConsistencyLevel::Eventual).unwrap();
    }
    db.compact_lsm().unwrap();
    read_all(&db, 3);
    db
}

fn read_all(db: &Database, times: u64) {
    for at in (0..KEYS * times).map(|at| at % KEYS) {
        assert_eq!(number(db.get(key(at)).unwrap()), at);
    }
}

/// Looks at pages for each key, of reads that no row answers.
fn pages_per_read(db: &Database, reads: impl FnOnce()) -> f64 {
    let before = db.get_metrics().unwrap();
    reads();
    let after = db.get_metrics().unwrap();
    assert_eq!(before.cache_misses, after.cache_misses);
    (after.cache_hits - before.cache_hits) as f64 / KEYS as f64
}

#[test]
fn reads_of_what_was_read_before_go_straight_to_the_leaf() {
    let folder = tempfile::tempdir().unwrap();
    let db = hinted(folder.path());
    assert!(pages_per_read(&db, || read_all(&db, 1)) < 1.5);
    let keys: Vec<_> = (0..KEYS).map(key).collect();
    let batch = pages_per_read(&db, || {
        let found = db.get_batch(&keys).unwrap();
        assert!(found.into_iter().map(number).eq(0..KEYS));
    });
    assert!(batch < 1.5, "{batch}");
    let snapshot = db.snapshot().unwrap();
    let snapshots = pages_per_read(&db, || {
        (0..KEYS).for_each(|at| assert_eq!(number(snapshot.get(key(at)).unwrap()), at));
    });
    assert!(snapshots < 1.5, "{snapshots}");
    // Behind an ingest nothing is known of any key, and the way is longer.
    db.ingest([(key(KEYS), value(KEYS))]).unwrap();
    let walks = pages_per_read(&db, || read_all(&db, 1));
    assert!(walks > 2.0, "{walks}");
}

#[test]
fn what_is_written_or_deleted_or_ingested_is_seen_behind_hints() {
    let folder = tempfile::tempdir().unwrap();
    let db = hinted(folder.path());
    let before = db.snapshot().unwrap();
    db.put(key(1), value(100_001)).unwrap();
    db.delete(key(2)).unwrap();
    assert_eq!([1, 2, 3].map(|at| number(db.get(key(at)).unwrap())), [100_001, 0, 3]);
    let batch = db.get_batch(&[key(1), key(2), key(3)]).unwrap();
    assert_eq!(batch.into_iter().map(number).collect::<Vec<_>>(), [100_001, 0, 3]);
    db.compact_lsm().unwrap();
    let read = |at| (0..3).map(|_| number(db.get(key(at)).unwrap())).max();
    assert_eq!([1, 2, 3].map(read), [Some(100_001), Some(0), Some(3)]);
    db.ingest([(key(2), value(200_002)), (key(3), value(200_003))]).unwrap();
    assert_eq!([1, 2, 3].map(read), [Some(100_001), Some(200_002), Some(200_003)]);
    // What was ingested has its number from the manifest.
    let later = db.snapshot().unwrap();
    assert_eq!([1, 2, 3].map(|at| number(later.get(key(at)).unwrap())), [100_001, 200_002, 200_003]);
    assert_eq!([1, 2, 3].map(|at| number(before.get(key(at)).unwrap())), [1, 2, 3]);
}

#[test]
fn keyspaces_have_hints_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let db = hinted(folder.path());
    let other = db.create_keyspace("other", Default::default()).unwrap();
    for at in 0..KEYS {
        other.put_with_consistency(key(at), value(at + KEYS), ConsistencyLevel::Eventual).unwrap();
    }
    db.compact_lsm().unwrap();
    for _ in 0..3 {
        for at in 0..KEYS {
            let found = [db.get(key(at)).unwrap(), other.get(key(at)).unwrap()].map(number);
            assert_eq!(found, [at, at + KEYS]);
        }
    }
    db.drop_keyspace("other").unwrap();
    assert_eq!(other.get(key(1)).unwrap_err().kind(), ErrorKind::NotFound);
    read_all(&db, 1);
}

/// One writer moves keys on, with flushes and compactions in between; readers hold each answer against the
/// newest acknowledged one and against what they have seen.
#[test]
fn readers_see_acknowledged_writes_behind_hints() {
    let folder = tempfile::tempdir().unwrap();
    let db = hinted(folder.path());
    let acknowledged: Vec<AtomicU64> = (0..KEYS).map(AtomicU64::new).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for reader in 0..3 {
            let (db, acknowledged, done) = (&db, &acknowledged, &done);
            scope.spawn(move || {
                let mut random = Random(reader);
                while !done.load(Ordering::Relaxed) {
                    let keys: Vec<_> =
                        (0..4).map(|_| random.below(KEYS) * random.below(KEYS) / KEYS).collect();
                    let floor = |at: &u64| acknowledged[*at as usize].load(Ordering::Acquire);
                    let floors: Vec<_> = keys.iter().map(floor).collect();
                    let mut now: Vec<_> = match random.below(3) {
                        0 => db.get_batch(&keys.iter().map(|at| key(*at)).collect::<Vec<_>>()).unwrap(),
                        _ => keys.iter().map(|at| db.get(key(*at)).unwrap()).collect(),
                    }
                    .into_iter()
                    .map(number)
                    .collect();
                    assert!(
                        now.iter().zip(&floors).all(|(now, floor)| now >= floor),
                        "{keys:?} {now:?} {floors:?}"
                    );
                    if random.below(10) == 0 {
                        let snapshot = db.snapshot().unwrap();
                        for _ in 0..2 {
                            let then: Vec<_> =
                                keys.iter().map(|at| number(snapshot.get(key(*at)).unwrap())).collect();
                            assert!(then.iter().zip(&now).all(|(then, now)| then >= now));
                            now = then;
                        }
                    }
                }
            });
        }
        let mut random = Random(99);
        for round in 1..=12_000u64 {
            let at = random.below(KEYS) * random.below(KEYS) / KEYS;
            let next = KEYS * round + at;
            db.put_with_consistency(key(at), value(next), ConsistencyLevel::Eventual).unwrap();
            acknowledged[at as usize].store(next, Ordering::Release);
            match round % 1500 {
                500 => db.flush().unwrap(),
                1400 => db.compact_lsm().unwrap(),
                _ => {}
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}
