//! The database against a `BTreeMap`: random operations, snapshots, transactions, flushes, compactions,
//! clean and unclean reopening.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::ops::Bound;

use common::{Random, entries, open, open_with, small_config};
use lightning_db::vfs::{Keep, MemoryVfs};
use lightning_db::{
    Comparator, ConsistencyLevel, Database, LightningDbConfig, ScanOptions, Snapshot, WriteBatch,
};
use proptest::prelude::*;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Put(Vec<u8>, usize),
    Delete(Vec<u8>),
    Batch(Vec<(Vec<u8>, Option<usize>)>),
    Transaction { reads: Vec<Vec<u8>>, writes: Vec<(Vec<u8>, Option<usize>)>, commit: bool },
    Scan { start: Bound<Vec<u8>>, end: Bound<Vec<u8>>, reverse: bool, limit: Option<usize> },
    Prefix(Vec<u8>, bool),
    TakeSnapshot,
    CheckSnapshot,
    DropSnapshot,
    Flush,
    Compact,
    Reopen,
    Kill,
    PowerCut,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(b'a'), Just(0xff)], 0..4),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0usize..40, 2 => 200usize..2_000, 1 => 10_000usize..20_000]
}

fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![key().prop_map(Bound::Included), key().prop_map(Bound::Excluded), Just(Bound::Unbounded)]
}

fn step() -> impl Strategy<Value = Step> {
    let write = || (key(), proptest::option::weighted(0.8, size()));
    prop_oneof![
        20 => (key(), size()).prop_map(|(k, s)| Step::Put(k, s)),
        8 => key().prop_map(Step::Delete),
        6 => proptest::collection::vec(write(), 0..8).prop_map(Step::Batch),
        6 => (proptest::collection::vec(key(), 0..4), proptest::collection::vec(write(), 0..6), any::<bool>())
            .prop_map(|(reads, writes, commit)| Step::Transaction { reads, writes, commit }),
        8 => (bound(), bound(), any::<bool>(), proptest::option::of(0usize..5))
            .prop_map(|(start, end, reverse, limit)| Step::Scan { start, end, reverse, limit }),
        3 => (key(), any::<bool>()).prop_map(|(p, r)| Step::Prefix(p, r)),
        3 => Just(Step::TakeSnapshot),
        4 => Just(Step::CheckSnapshot),
        2 => Just(Step::DropSnapshot),
        3 => Just(Step::Flush),
        2 => Just(Step::Compact),
        1 => Just(Step::Reopen),
        1 => Just(Step::Kill),
        1 => Just(Step::PowerCut),
    ]
}

/// Keys in descending order of bytes.
struct Descending;

impl Comparator for Descending {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        b.cmp(a)
    }
}

struct Run {
    disk: MemoryVfs,
    db: Option<Database>,
    model: Model,
    snapshots: Vec<(Snapshot, Model)>,
    descending: bool,
    written: u64,
}

impl Run {
    fn new(seed: u64, descending: bool) -> Self {
        let disk = MemoryVfs::with_seed(seed);
        let mut run =
            Run { disk, db: None, model: Model::new(), snapshots: Vec::new(), descending, written: 0 };
        run.reopen();
        run
    }

    fn config(&self) -> LightningDbConfig {
        let mut config = small_config();
        if self.descending {
            config.comparator = Some(Box::new(Descending));
        }
        config
    }

    fn reopen(&mut self) {
        self.snapshots.clear();
        self.db = Some(open_with(&self.disk, self.config()).unwrap());
        self.check_all();
    }

    fn db(&self) -> &Database {
        self.db.as_ref().unwrap()
    }

    /// A value that says when it was written.
    fn value(&mut self, size: usize) -> Vec<u8> {
        self.written += 1;
        let stamp = self.written.to_le_bytes();
        stamp.iter().copied().cycle().take(size).collect()
    }

    /// Strong and Quorum in turn: both survive the death of the process.
    fn level(&self) -> ConsistencyLevel {
        if self.written.is_multiple_of(3) { ConsistencyLevel::Quorum } else { ConsistencyLevel::Strong }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Put(key, size) => {
                let value = self.value(size);
                self.db().put_with_consistency(&key, &value, self.level()).unwrap();
                self.model.insert(key, value);
            }
            Step::Delete(key) => {
                self.db().delete(&key).unwrap();
                self.model.remove(&key);
            }
            Step::Batch(writes) => {
                let mut batch = WriteBatch::new();
                for (key, size) in writes {
                    match size.map(|size| self.value(size)) {
                        Some(value) => {
                            batch.put(&key, &value).unwrap();
                            self.model.insert(key, value);
                        }
                        None => {
                            batch.delete(&key).unwrap();
                            self.model.remove(&key);
                        }
                    }
                }
                self.db().write_with(&batch, ConsistencyLevel::Eventual).unwrap();
            }
            Step::Transaction { reads, writes, commit } => self.transaction(reads, writes, commit),
            Step::Scan { start, end, reverse, limit } => self.scan((start, end), reverse, limit),
            Step::Prefix(prefix, reverse) => self.prefix(&prefix, reverse),
            Step::TakeSnapshot => {
                let snapshot = self.db().snapshot().unwrap();
                self.snapshots.push((snapshot, self.model.clone()));
            }
            Step::CheckSnapshot => self.check_snapshot(),
            Step::DropSnapshot if !self.snapshots.is_empty() => drop(self.snapshots.remove(0)),
            Step::DropSnapshot => {}
            Step::Flush => self.db().flush().unwrap(),
            Step::Compact => {
                self.db().compact_lsm().unwrap();
                self.check_all();
            }
            Step::Reopen => {
                self.db().close().unwrap();
                self.reopen();
            }
            Step::Kill => self.crash(Keep::All),
            Step::PowerCut => self.crash(Keep::Durable),
        }
    }

    /// One `Strong` write in front makes all before it durable, at every level.
    fn crash(&mut self, keep: Keep) {
        self.step(Step::Put(b"last".to_vec(), 1));
        self.db().put(b"synced", b"").unwrap();
        self.model.insert(b"synced".to_vec(), Vec::new());
        self.disk = self.disk.crash(keep);
        self.reopen();
    }

    fn transaction(&mut self, reads: Vec<Vec<u8>>, writes: Vec<(Vec<u8>, Option<usize>)>, commit: bool) {
        let tx = self.db().transaction().unwrap();
        let mut inner = self.model.clone();
        for (key, size) in writes {
            match size.map(|size| self.value(size)) {
                Some(value) => {
                    tx.put(&key, &value).unwrap();
                    inner.insert(key, value);
                }
                None => {
                    tx.delete(&key).unwrap();
                    inner.remove(&key);
                }
            }
        }
        for key in reads {
            assert_eq!(tx.get(&key).unwrap().as_deref(), inner.get(&key).map(|v| &v[..]));
        }
        let seen: Vec<_> = tx.scan(None, None).unwrap().map(Result::unwrap).collect();
        assert_eq!(seen, self.sorted(&inner));
        let seen: Vec<_> = tx.scan_reverse(None, None).unwrap().map(Result::unwrap).collect();
        assert!(seen.iter().eq(self.sorted(&inner).iter().rev()));
        if commit {
            tx.commit().unwrap();
            self.model = inner;
        }
    }

    fn sorted(&self, model: &Model) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all: Vec<_> = model.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        if self.descending {
            all.reverse();
        }
        all
    }

    fn in_order(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        if self.descending { b.cmp(a) } else { a.cmp(b) }
    }

    fn scan(&self, range: (Bound<Vec<u8>>, Bound<Vec<u8>>), reverse: bool, limit: Option<usize>) {
        let inside = |key: &[u8]| {
            let after_start = match &range.0 {
                Bound::Included(start) => self.in_order(key, start).is_ge(),
                Bound::Excluded(start) => self.in_order(key, start).is_gt(),
                Bound::Unbounded => true,
            };
            let before_end = match &range.1 {
                Bound::Included(end) => self.in_order(key, end).is_le(),
                Bound::Excluded(end) => self.in_order(key, end).is_lt(),
                Bound::Unbounded => true,
            };
            after_start && before_end
        };
        let mut expected = self.sorted(&self.model);
        expected.retain(|(key, _)| inside(key));
        let mut options = ScanOptions::range(range.clone());
        if reverse {
            expected.reverse();
            options = options.reverse();
        }
        if let Some(limit) = limit {
            expected.truncate(limit);
            options = options.limit(limit);
        }
        let seen: Vec<_> = self.db().scan_with(options).unwrap().map(Result::unwrap).collect();
        assert_eq!(seen, expected, "{range:?} reverse {reverse} limit {limit:?}");
    }

    fn prefix(&self, prefix: &[u8], reverse: bool) {
        let mut expected = self.sorted(&self.model);
        expected.retain(|(key, _)| key.starts_with(prefix));
        let mut options = ScanOptions::prefix(prefix);
        if reverse {
            expected.reverse();
            options = options.reverse();
        }
        let seen: Vec<_> = self.db().scan_with(options).unwrap().map(Result::unwrap).collect();
        assert_eq!(seen, expected);
    }

    fn check_snapshot(&self) {
        for (snapshot, model) in &self.snapshots {
            let seen: Vec<_> = snapshot.scan(None, None).unwrap().map(Result::unwrap).collect();
            assert_eq!(seen, self.sorted(model));
            for (key, value) in model.iter().take(5) {
                assert_eq!(snapshot.get(key).unwrap().unwrap(), *value);
            }
        }
    }

    fn check_all(&self) {
        assert_eq!(entries(self.db()), self.sorted(&self.model));
        for (key, value) in &self.model {
            assert_eq!(self.db().get(key).unwrap().unwrap(), *value);
        }
        assert_eq!(self.db().get(b"never written").unwrap(), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_steps_match_the_model(steps in proptest::collection::vec(step(), 1..120), descending: bool, seed: u64) {
        let mut run = Run::new(seed, descending);
        for step in steps {
            run.step(step);
        }
        run.check_snapshot();
        run.check_all();
        run.db().close().unwrap();
    }
}

/// Long enough for several levels; the seed is printed when it fails.
#[test]
fn a_long_run_matches_the_model() {
    for seed in 1..=3 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let mut run = Run::new(seed, false);
        for _ in 0..6_000 {
            let key = format!("key{:05}", random.below(2_000)).into_bytes();
            let size = random.below(300) as usize;
            let step = match random.below(1000) {
                0..=2 => Step::Flush,
                3 => Step::Compact,
                4 => Step::Reopen,
                5 => Step::Kill,
                6 => Step::PowerCut,
                7..=12 => Step::TakeSnapshot,
                13..=16 => Step::CheckSnapshot,
                17..=22 => Step::DropSnapshot,
                23..=30 => Step::Prefix(key[..6].to_vec(), size.is_multiple_of(2)),
                31..=300 => Step::Delete(key),
                301..=340 => Step::Batch((0..20).map(|i| (vec![b'k', i], Some(size))).collect()),
                _ => Step::Put(key, size),
            };
            run.step(step);
        }
        run.check_snapshot();
        run.check_all();
    }
}

#[test]
fn a_database_opened_on_a_fresh_disk_is_empty() {
    let disk = MemoryVfs::default();
    assert!(entries(&open(&disk).unwrap()).is_empty());
}
