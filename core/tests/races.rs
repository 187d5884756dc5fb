//! Schedules: a whole engine on a disk in memory, whose threads take turns at each use of a lock or an atomic, in an
//! order that a seed decides. For the build with the feature `races`.
//!
//! `LIGHTNING_DB_LONG=1` tries twenty times as many. A schedule that fails is printed, with its seed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::alone::Alone;
use common::{FOLDER, Random, entries, small_config};
use lightning_db::vfs::{Keep, MemoryVfs};
use lightning_db::{ConsistencyLevel, Database, ErrorKind, Isolation, Result, WriteBatch};
use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::thread::spawn;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

const SEED: u64 = 20_261_123;

fn open(disk: &MemoryVfs) -> Result<Database> {
    Database::open_on(Alone::over(disk), Path::new(FOLDER), small_config(), true)
}

/// Lets a thread go on for a while, and then another, and the one before mostly not for long: it has been looked away from
/// between any two of its steps while others get far.
struct Stalls {
    left: usize,
    random: Random,
    /// A thread goes on but for one time in so many.
    odds: u64,
    stalled: Option<(TaskId, u64)>,
}

impl Stalls {
    fn new(seed: u64, count: usize) -> Self {
        Stalls { left: count, random: Random(seed), odds: 1, stalled: None }
    }
}

impl Scheduler for Stalls {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.left = self.left.checked_sub(1)?;
        (self.odds, self.stalled) = (4 << (2 * self.random.below(4)), None);
        Some(Schedule::new(self.random.0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let stalled = self.stalled.filter(|(_, steps)| *steps > 0);
        self.stalled = stalled.map(|(task, steps)| (task, steps - 1));
        let mut ready: Vec<_> = runnable.iter().map(|task| task.id()).collect();
        if ready.len() > 1 {
            ready.retain(|task| stalled.is_none_or(|(stalled, _)| stalled != *task));
        }
        let stays = |task: &TaskId| !is_yielding && ready.contains(task);
        if let Some(task) = current.filter(stays).filter(|_| self.random.below(self.odds) > 0) {
            return Some(task);
        }
        if stalled.is_none() && self.random.below(2) == 0 {
            let most = 64 << self.random.below(10);
            self.stalled = current.map(|task| (task, self.random.below(most)));
            if ready.len() > 1 {
                ready.retain(|task| current != Some(*task));
            }
        }
        Some(ready[self.random.below(ready.len() as u64) as usize])
    }

    fn next_u64(&mut self) -> u64 {
        self.random.next()
    }
}

/// Tries `count` schedules of a model: a quarter of them by steps at random, a quarter with threads of which one goes
/// on as long as it can, but for three changes (PCT), and the others with stalls.
fn explore(what: &str, count: usize, model: impl Fn() + Send + Sync + 'static) {
    let count = count * if std::env::var_os("LIGHTNING_DB_LONG").is_some() { 20 } else { 1 };
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    config.max_steps = MaxSteps::FailAfter(20_000_000);
    // The seed of a schedule is enough to see it again.
    config.failure_persistence = FailurePersistence::None;
    let model = Arc::new(model);
    let again = || {
        let model = Arc::clone(&model);
        move || model()
    };
    let mut tried = Runner::new(Stalls::new(SEED, count / 2), config.clone()).run(again());
    tried += Runner::new(RandomScheduler::new_from_seed(SEED, count / 4), config.clone()).run(again());
    tried += Runner::new(PctScheduler::new_from_seed(SEED, 3, count / 4), config).run(again());
    println!("{what}: {tried} schedules, 0 bad; seed {SEED}");
}

fn number(value: Option<lightning_db::Value>) -> u64 {
    value.map_or(0, |value| u64::from_le_bytes(value[..].try_into().unwrap()))
}

const LEVELS: [ConsistencyLevel; 3] =
    [ConsistencyLevel::Strong, ConsistencyLevel::Quorum, ConsistencyLevel::Eventual];

/// The hand-over of the commit queue, the group's sync and the conflict check.
#[test]
fn commits_are_whole_and_none_is_lost() {
    explore("commits", 4_000, || {
        let db = open(&MemoryVfs::default()).unwrap();
        let writer = |nth: usize| {
            let db = db.clone();
            move || {
                let mut batch = WriteBatch::new();
                batch.put(b"a", [nth as u8]).unwrap();
                batch.put(b"b", [nth as u8]).unwrap();
                db.write_with(&batch, LEVELS[nth % 3]).unwrap();
                let count = |tx: &lightning_db::Transaction| {
                    let count = number(tx.get(b"count")?) + 1;
                    tx.put(b"count", count.to_le_bytes())
                };
                db.transact(count).unwrap();
            }
        };
        let reader = {
            let db = db.clone();
            move || {
                let mut last = 0;
                for _ in 0..3 {
                    let found = entries(&db);
                    let of =
                        |key: &[u8]| found.iter().find(|entry| entry.0 == key).map(|entry| entry.1.clone());
                    assert_eq!(of(b"a"), of(b"b"), "half of a batch");
                    let count = number(db.get(b"count").unwrap());
                    assert!(count >= last, "a commit that was seen is gone");
                    last = count;
                }
            }
        };
        let threads: Vec<_> = (0..3).map(|nth| spawn(writer(nth))).chain([spawn(reader)]).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(number(db.get(b"count").unwrap()), 3);
    });
}

/// The registration of a snapshot against the choice of what a flush and a compaction may leave out.
#[test]
fn a_snapshot_keeps_what_it_sees() {
    explore("snapshots", 2_400, || {
        let db = open(&MemoryVfs::default()).unwrap();
        db.put_with_consistency(b"k", 0u64.to_le_bytes(), ConsistencyLevel::Eventual).unwrap();
        let writer = {
            let db = db.clone();
            move || {
                // Both versions are in the memtable: the flush leaves one out, unless somebody holds it.
                db.put_with_consistency(b"k", 1u64.to_le_bytes(), ConsistencyLevel::Eventual).unwrap();
                db.flush().unwrap();
                db.put_with_consistency(b"k", 2u64.to_le_bytes(), ConsistencyLevel::Eventual).unwrap();
                db.compact_lsm().unwrap();
            }
        };
        let reader = {
            let db = db.clone();
            move || {
                let mut last = 0;
                for _ in 0..3 {
                    let snapshot = db.snapshot().unwrap();
                    let seen = snapshot.get(b"k").unwrap().expect("the key is there");
                    db.clear_cache().unwrap();
                    let again = snapshot.scan(None, None).unwrap().next().expect("the key is there").unwrap();
                    assert_eq!(again.1[..], seen[..], "a snapshot has changed");
                    assert!(number(Some(seen.clone())) >= last, "a snapshot of before");
                    last = number(Some(seen));
                    assert!(number(db.get(b"k").unwrap()) >= last);
                }
            }
        };
        let threads = [spawn(writer), spawn(reader.clone()), spawn(reader)];
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(number(db.get(b"k").unwrap()), 2);
    });
}

/// A reader that has found an old version does not put it into the rows behind a commit.
#[test]
fn no_row_is_older_than_what_a_reader_can_see() {
    explore("rows", 6_000, || {
        let db = open(&MemoryVfs::default()).unwrap();
        db.put_with_consistency(b"k", 0u64.to_le_bytes(), ConsistencyLevel::Eventual).unwrap();
        db.flush().unwrap();
        // The rows are turned on, and the key was looked for before.
        (0..2).for_each(|_| drop(db.get(b"other").unwrap()));
        db.get(b"k").unwrap();
        let writer = |values: [u64; 2]| {
            let db = db.clone();
            move || {
                for value in values {
                    let put = |tx: &lightning_db::Transaction| {
                        let newest = number(tx.get(b"k")?).max(value);
                        tx.put(b"k", newest.to_le_bytes())
                    };
                    db.transact(put).unwrap();
                }
            }
        };
        let reader = {
            let db = db.clone();
            move || {
                let mut last = 0;
                for round in 0..5 {
                    let seen = number(db.get(b"k").unwrap());
                    assert!(seen >= last, "{seen} behind {last}");
                    last = seen;
                    if round == 2 {
                        db.clear_cache().unwrap();
                    }
                }
            }
        };
        let flusher = {
            let db = db.clone();
            move || db.flush().unwrap()
        };
        let threads = [
            spawn(writer([1, 4])),
            spawn(writer([2, 3])),
            spawn(reader.clone()),
            spawn(reader),
            spawn(flusher),
        ];
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        (0..3).for_each(|_| assert_eq!(number(db.get(b"k").unwrap()), 4));
    });
}

/// Commits begin to note their keys when somebody begins a transaction beside them.
#[test]
fn serializable_transactions_keep_what_two_keys_owe_each_other() {
    explore("write skew", 4_000, || {
        let db = open(&MemoryVfs::default()).unwrap();
        for key in [b"x", b"y"] {
            db.put_with_consistency(key, 1u64.to_le_bytes(), ConsistencyLevel::Eventual).unwrap();
        }
        let taker = |key: &'static [u8]| {
            let db = db.clone();
            move || {
                let tx = db.transaction_with(Isolation::Serializable).unwrap();
                let sum = number(tx.get(b"x").unwrap()) + number(tx.get(b"y").unwrap());
                if sum > 1 {
                    tx.put(key, 0u64.to_le_bytes()).unwrap();
                }
                let outcome = tx.commit_with(ConsistencyLevel::Eventual);
                assert!(outcome.is_ok() || outcome.is_err_and(|error| error.kind() == ErrorKind::Conflict));
            }
        };
        let threads = [spawn(taker(b"x")), spawn(taker(b"y")), spawn(taker(b"x"))];
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(number(db.get(b"x").unwrap()) + number(db.get(b"y").unwrap()) >= 1, "write skew");
    });
}

/// A power cut while several commit: whatever was acknowledged at `Strong` is there, and what is there is a prefix.
#[test]
fn what_was_acknowledged_survives_a_cut() {
    explore("power cuts", 4_000, || {
        let disk = MemoryVfs::default();
        let db = open(&disk).unwrap();
        disk.cut_at(disk.calls() + thread_rng().gen_range(0..14));
        let writer = |nth: u8| {
            let db = db.clone();
            move || {
                let puts = (0..2u8).take_while(|count| {
                    let level = if nth == 2 { ConsistencyLevel::Quorum } else { ConsistencyLevel::Strong };
                    db.put_with_consistency([nth, *count], b"", level).is_ok() && nth != 2
                });
                puts.count() as u8
            }
        };
        let flusher = {
            let db = db.clone();
            move || drop(db.flush())
        };
        let (threads, flush) = ((0..3).map(|nth| spawn(writer(nth))).collect::<Vec<_>>(), spawn(flusher));
        let acknowledged: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        flush.join().unwrap();
        drop(db);
        let found: Vec<_> =
            entries(&open(&disk.crash(Keep::Durable)).unwrap()).into_iter().map(|(key, _)| key).collect();
        for nth in 0..2u8 {
            let of_it = found.iter().filter(|key| key[0] == nth).count() as u8;
            assert!(of_it >= acknowledged[nth as usize], "{acknowledged:?} acknowledged, {found:?} found");
            assert!(of_it < 2 || found.contains(&vec![nth, 0]), "no prefix: {found:?}");
        }
    });
}

/// Calls beside a close get through or are `Closed`; what was acknowledged is there.
#[test]
fn a_close_beside_calls_loses_nothing() {
    explore("close", 3_000, || {
        let disk = MemoryVfs::default();
        let db = open(&disk).unwrap();
        db.put_with_consistency(b"k", b"0", ConsistencyLevel::Quorum).unwrap();
        let closed = |error: &lightning_db::Error| assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
        let writer = {
            let db = db.clone();
            move || db.put(b"new", b"value").map_err(|error| closed(&error)).is_ok()
        };
        let reader = {
            let db = db.clone();
            move || match db.get(b"k") {
                Ok(value) => assert_eq!(value.unwrap(), b"0"),
                Err(error) => closed(&error),
            }
        };
        let closer = {
            let db = db.clone();
            move || db.close().unwrap()
        };
        let (writer, reader, closer) = (spawn(writer), spawn(reader), spawn(closer));
        let acknowledged = writer.join().unwrap();
        reader.join().unwrap();
        closer.join().unwrap();
        drop(db);
        let db = open(&disk.crash(Keep::Durable)).unwrap();
        assert!(db.get(b"new").unwrap().is_some() || !acknowledged);
        assert!(db.get(b"k").unwrap().is_some());
    });
}
