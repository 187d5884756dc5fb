//! Many keys at once give what single reads give.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{open, open_with, small_config};
use lightning_db::vfs::MemoryVfs;
use lightning_db::{Comparator, ConsistencyLevel, Database, ErrorKind, WriteBatch};
use proptest::prelude::*;

/// By length, then bytes.
struct ByLength;

impl Comparator for ByLength {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        a.len().cmp(&b.len())
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<(Vec<u8>, Option<usize>)>),
    Ingest(std::collections::BTreeSet<Vec<u8>>),
    Flush,
    Compact,
    ClearCache,
    Read(Vec<Vec<u8>>),
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (0u32..400).prop_map(|number| format!("some prefix {number:04}").into_bytes()),
        2 => proptest::collection::vec(prop_oneof![Just(0u8), Just(0xff), Just(b's')], 0..12),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let write = || (key(), proptest::option::weighted(0.8, prop_oneof![0usize..60, 1000usize..3000]));
    prop_oneof![
        8 => proptest::collection::vec(write(), 1..60).prop_map(Step::Write),
        2 => proptest::collection::btree_set(key(), 1..60).prop_map(Step::Ingest),
        2 => Just(Step::Flush),
        1 => Just(Step::Compact),
        1 => Just(Step::ClearCache),
        8 => proptest::collection::vec(key(), 0..120).prop_map(Step::Read),
    ]
}

fn check(db: &Database, keys: &[Vec<u8>]) {
    let batch = db.get_batch(keys).unwrap();
    assert_eq!(batch.len(), keys.len());
    for (key, value) in keys.iter().zip(batch) {
        assert_eq!(value.as_deref(), db.get(key).unwrap().as_deref(), "{}", key.escape_ascii());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_batch_is_what_single_reads_are(steps in proptest::collection::vec(step(), 1..40), by_length: bool, seed: u64) {
        let mut config = small_config();
        if by_length {
            config.comparator = Some(Box::new(ByLength));
        }
        let db = open_with(&MemoryVfs::with_seed(seed), config).unwrap();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Write(writes) => {
                    let mut batch = WriteBatch::new();
                    for (key, size) in writes {
                        match size {
                            Some(size) => batch.put(key, vec![number as u8; size]).unwrap(),
                            None => batch.delete(key).unwrap(),
                        };
                    }
                    db.write_with(&batch, ConsistencyLevel::Quorum).unwrap();
                }
                Step::Ingest(keys) => {
                    let mut keys: Vec<_> = keys.into_iter().collect();
                    if by_length {
                        keys.sort_by_key(|key| key.len());
                    }
                    db.ingest(keys.into_iter().map(|key| (key, [number as u8; 30]))).unwrap();
                }
                Step::Flush => db.flush().unwrap(),
                Step::Compact => db.compact_lsm().unwrap(),
                Step::ClearCache => db.clear_cache().unwrap(),
                Step::Read(keys) => check(&db, &keys),
            }
        }
        let all: Vec<_> = (0..400).rev().map(|number| format!("some prefix {number:04}").into_bytes()).collect();
        check(&db, &all);
    }
}

#[test]
fn order_duplicates_absent_keys_and_bad_ones() {
    let db = open(&MemoryVfs::with_seed(1)).unwrap();
    db.put_batch(&[("a", "1"), ("b", "2"), ("c", "3")]).unwrap();
    db.delete("b").unwrap();
    for _ in 0..2 {
        let found = db.get_batch(&["c", "x", "a", "c", "b", ""]).unwrap();
        let found: Vec<_> = found.iter().map(Option::as_deref).collect();
        assert_eq!(found, [Some(&b"3"[..]), None, Some(b"1"), Some(b"3"), None, None]);
        db.flush().unwrap();
    }
    assert_eq!(db.get_batch::<&str>(&[]).unwrap().len(), 0);
    let error = db.get_batch(&[vec![], vec![0; 70_000]]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    db.close().unwrap();
    assert_eq!(db.get_batch(&["a"]).unwrap_err().kind(), ErrorKind::Closed);
}

/// Keys that come again are found in memory once the pages are gone.
#[test]
fn rows_are_kept_as_for_single_reads() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    let keys: Vec<_> = (0..2000u32).map(|number| number.to_be_bytes()).collect();
    db.ingest(keys.iter().map(|key| (key, [1; 200]))).unwrap();
    let hot = &keys[..10];
    for _ in 0..3 {
        assert!(db.get_batch(hot).unwrap().iter().all(Option::is_some));
    }
    let cached = |key| db.get_cached(key, |value| value.len()).unwrap();
    assert_eq!(db.scan(None, None).unwrap().count(), 2000);
    assert_eq!(cached(&hot[3]), lightning_db::Lookup::Found(200));
}
