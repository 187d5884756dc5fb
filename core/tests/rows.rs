//! Rows kept in memory never show a reader something older than it may see.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use common::{Random, small_config};
use lightning_db::{ConsistencyLevel, Database, Lookup, WriteBatch};

const KEYS: u64 = 300;

fn key(number: u64) -> Vec<u8> {
    format!("key {number:05}").into_bytes()
}

fn number(value: Option<lightning_db::Value>) -> u64 {
    value.map_or(0, |value| u64::from_be_bytes(value[..8].try_into().unwrap()))
}

/// One writer moves all keys on, in batches and one by one, with flushes and compactions in between; readers
/// hold each answer against the newest acknowledged one and against what they have seen.
#[test]
fn readers_see_acknowledged_writes_and_never_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    let acknowledged: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for reader in 0..3 {
            let (db, acknowledged, done) = (&db, &acknowledged, &done);
            scope.spawn(move || {
                let mut random = Random(reader);
                let mut seen = vec![0; KEYS as usize];
                while !done.load(Ordering::Relaxed) {
                    // Some keys are read much more often than others.
                    let at = random.below(KEYS) * random.below(KEYS) / KEYS;
                    let floor = acknowledged[at as usize].load(Ordering::Acquire);
                    let now = number(db.get(key(at)).unwrap());
                    assert!(now >= floor && now >= seen[at as usize], "{at}: {now} {floor}");
                    seen[at as usize] = now;
                    if random.below(20) == 0 {
                        let snapshot = db.snapshot().unwrap();
                        let then = number(snapshot.get(key(at)).unwrap());
                        thread::yield_now();
                        assert_eq!(number(snapshot.get(key(at)).unwrap()), then);
                        assert!(then >= now);
                    }
                }
            });
        }
        let mut random = Random(99);
        let value = |number: u64, random: &mut Random| {
            let mut value = number.to_be_bytes().to_vec();
            value.resize(8 + random.below(60) as usize, 7);
            value
        };
        for round in 1..=3000u64 {
            let keys: Vec<u64> = (0..1 + random.below(6)).map(|_| random.below(KEYS)).collect();
            let mut batch = WriteBatch::new();
            for at in &keys {
                batch.put(key(*at), value(round, &mut random)).unwrap();
            }
            db.write_with(&batch, ConsistencyLevel::Eventual).unwrap();
            keys.iter().for_each(|at| acknowledged[*at as usize].store(round, Ordering::Release));
            match round % 500 {
                100 => db.flush().unwrap(),
                200 => db.compact_lsm().unwrap(),
                300 => db.clear_cache().unwrap(),
                _ => {}
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    for at in 0..KEYS {
        assert_eq!(number(db.get(key(at)).unwrap()), acknowledged[at as usize].load(Ordering::Relaxed));
    }
}

/// Pairs are written together: who has seen the new half never gets the old other one.
#[test]
fn a_batch_is_seen_whole_through_rows() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let left = number(db.get(b"left").unwrap());
                    assert!(number(db.get(b"right").unwrap()) >= left);
                    let right = number(db.get(b"right").unwrap());
                    assert!(number(db.get(b"left").unwrap()) >= right);
                }
            });
        }
        for round in 1..=20_000u64 {
            let mut batch = WriteBatch::new();
            batch.put(b"left", round.to_be_bytes()).unwrap();
            batch.put(b"right", round.to_be_bytes()).unwrap();
            db.write_with(&batch, ConsistencyLevel::Eventual).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn deleted_keys_are_gone_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    for round in 0..50u8 {
        db.put(b"a", [round; 30]).unwrap();
        for _ in 0..3 {
            assert_eq!(db.get(b"a").unwrap().unwrap(), [round; 30]);
        }
        db.delete(b"a").unwrap();
        assert_eq!(db.get(b"a").unwrap(), None);
    }
}

/// A row outlives the pages that a scan of everything pushes out, and nothing else would keep it in memory.
#[test]
fn a_scan_does_not_push_out_what_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    for part in 0..20u64 {
        let entries: Vec<_> =
            (0..1000).map(|i| (key(part * 1000 + i), (i * 7919).to_be_bytes().repeat(25))).collect();
        db.put_batch(&entries).unwrap();
    }
    db.compact_lsm().unwrap();
    let (hot, cold) = (key(3), key(10_003));
    for _ in 0..3 {
        assert!(db.get(&hot).unwrap().is_some());
    }
    assert!(db.get(&cold).unwrap().is_some());
    assert_eq!(db.scan(None, None).unwrap().count(), 20_000);
    assert_eq!(db.get_cached(&hot, |value| value.len()).unwrap(), Lookup::Found(200));
    assert_eq!(db.get_cached(&cold, |value| value.len()).unwrap(), Lookup::NotCached);
}
