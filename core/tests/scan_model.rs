//! Scans over several runs, versions and tombstones against a map: all bounds, both directions, as of several instants.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ops::Bound;

use lightning_db::{Database, LightningDbConfig, NativeOrder, Scan, ScanOptions};
use proptest::prelude::*;

type Key = Vec<u8>;
type Map = BTreeMap<Key, Vec<u8>>;

/// Keys that differ in their first eight bytes, behind them, or in length alone.
fn keys() -> impl Strategy<Value = Key> {
    let tail = proptest::collection::vec(0u8..3, 0..4);
    (0usize..4, tail).prop_map(|(shape, tail)| {
        let front: &[u8] = [&b""[..], b"k", b"prefix-a", b"prefix-of-many"][shape];
        [front, &tail].concat()
    })
}

#[derive(Clone, Debug)]
enum Step {
    Put(Key, u8),
    Delete(Key),
    PutMany(u8),
    Flush,
    Compact,
    Snapshot,
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (keys(), any::<u8>()).prop_map(|(key, byte)| Step::Put(key, byte)),
        8 => keys().prop_map(Step::Delete),
        2 => any::<u8>().prop_map(Step::PutMany),
        3 => Just(Step::Flush),
        1 => Just(Step::Compact),
        2 => Just(Step::Snapshot),
    ]
}

fn bounds() -> impl Strategy<Value = Bound<Key>> {
    prop_oneof![
        Just(Bound::Unbounded),
        keys().prop_map(Bound::Included),
        keys().prop_map(Bound::Excluded),
        (0u16..300).prop_map(|nth| Bound::Included(many(nth))),
    ]
}

#[derive(Clone, Debug)]
struct Query {
    range: (Bound<Key>, Bound<Key>),
    prefix: Option<Key>,
    reverse: bool,
    keys_only: bool,
    limit: Option<usize>,
}

fn queries() -> impl Strategy<Value = Query> {
    let limit = prop_oneof![Just(None), (0usize..60).prop_map(Some)];
    let prefix = prop_oneof![3 => Just(None), 1 => keys().prop_map(Some)];
    ((bounds(), bounds()), prefix, any::<bool>(), any::<bool>(), limit).prop_map(
        |(range, prefix, reverse, keys_only, limit)| Query { range, prefix, reverse, keys_only, limit },
    )
}

/// Enough of these fill some leaves.
fn many(nth: u16) -> Key {
    format!("many-{:04}", u32::from(nth) * 7919 % 10_007).into_bytes()
}

fn expected(map: &Map, query: &Query, order: NativeOrder) -> Vec<(Key, Vec<u8>)> {
    use lightning_db::Comparator;
    let compare = |a: &[u8], b: &[u8]| order.compare(a, b).then_with(|| a.cmp(b));
    let inside = |key: &Key| {
        let from = match &query.range.0 {
            Bound::Included(start) => compare(key, start).is_ge(),
            Bound::Excluded(start) => compare(key, start).is_gt(),
            Bound::Unbounded => true,
        };
        let to = match &query.range.1 {
            Bound::Included(end) => compare(key, end).is_le(),
            Bound::Excluded(end) => compare(key, end).is_lt(),
            Bound::Unbounded => true,
        };
        from && to && query.prefix.as_ref().is_none_or(|prefix| key.starts_with(prefix))
    };
    let mut entries: Vec<_> = map.iter().filter(|(key, _)| inside(key)).collect();
    entries.sort_by(|a, b| compare(a.0, b.0));
    if query.reverse {
        entries.reverse();
    }
    entries.truncate(query.limit.unwrap_or(usize::MAX));
    let value = |value: &Vec<u8>| if query.keys_only { Vec::new() } else { value.clone() };
    entries.into_iter().map(|(key, own)| (key.clone(), value(own))).collect()
}

fn options(query: &Query) -> ScanOptions {
    let mut options = ScanOptions::range(query.range.clone());
    if let Some(prefix) = &query.prefix {
        options = options.with_prefix(prefix);
    }
    if query.reverse {
        options = options.reverse();
    }
    if query.keys_only {
        options = options.keys_only();
    }
    match query.limit {
        Some(limit) => options.limit(limit),
        None => options,
    }
}

fn walked(mut scan: Scan) -> Vec<(Key, Vec<u8>)> {
    let mut entries = Vec::new();
    while let Some((key, value)) = scan.next_entry().unwrap() {
        entries.push((key.to_vec(), value.to_vec()));
    }
    assert!(scan.next_entry().unwrap().is_none());
    entries
}

fn check(order: NativeOrder, steps: Vec<Step>, queries: Vec<Query>) {
    let folder = tempfile::tempdir().unwrap();
    let comparator = Some(Box::new(order) as Box<dyn lightning_db::Comparator>);
    let config = LightningDbConfig { page_size: 4096, comparator, ..Default::default() };
    let db = Database::create(folder.path(), config).unwrap();
    let (mut map, mut held) = (Map::new(), Vec::new());
    for step in steps {
        match step {
            Step::Put(key, byte) => {
                let value = vec![byte; usize::from(byte)];
                db.put(&key, &value).unwrap();
                map.insert(key, value);
            }
            Step::Delete(key) => {
                db.delete(&key).unwrap();
                map.remove(&key);
            }
            Step::PutMany(byte) => {
                let entries: Vec<_> = (0..120).map(|nth| (many(nth + u16::from(byte)), [byte; 60])).collect();
                db.put_batch(&entries).unwrap();
                map.extend(entries.into_iter().map(|(key, value)| (key, value.to_vec())));
            }
            Step::Flush => db.flush().unwrap(),
            Step::Compact => db.compact_lsm().unwrap(),
            Step::Snapshot => held.push((db.snapshot().unwrap(), map.clone())),
        }
    }
    for query in &queries {
        assert_eq!(walked(db.scan_with(options(query)).unwrap()), expected(&map, query, order), "{query:?}");
        for (snapshot, map) in &held {
            let entries = walked(snapshot.scan_with(options(query)).unwrap());
            assert_eq!(entries, expected(map, query, order), "{query:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..Default::default() })]

    #[test]
    fn scans_are_those_of_a_map(
        steps in proptest::collection::vec(steps(), 1..60),
        queries in proptest::collection::vec(queries(), 30),
    ) {
        check(NativeOrder::Bytewise, steps, queries);
    }

    #[test]
    fn scans_in_another_order_are_those_of_a_map(
        steps in proptest::collection::vec(steps(), 1..40),
        queries in proptest::collection::vec(queries(), 10),
    ) {
        check(NativeOrder::ReverseBytewise, steps, queries);
    }
}

/// Leaves of records alike, which are walked by a way of their own.
#[test]
fn a_scan_of_equal_records_is_counted_limited_and_ends_with_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), LightningDbConfig::default()).unwrap();
    let key = |number: u32| [&b"a key of "[..], &number.to_be_bytes()].concat();
    let all: Map = (0..2000).map(|number| (key(number), vec![number as u8; 30])).collect();
    all.iter().for_each(|(key, value)| db.put(key, value).unwrap());
    db.compact_lsm().unwrap();
    let entries = || db.get_metrics().unwrap().scan_entries;
    for reverse in [false, true] {
        let (options, before) = (ScanOptions::range(&key(100)[..]..=&key(1500)[..]).limit(1000), entries());
        let scan = db.scan_with(if reverse { options.reverse() } else { options }).unwrap();
        let found: Vec<_> = scan.map(Result::unwrap).collect();
        let expected = all.range(key(100)..=key(1500)).map(|(key, value)| (key.clone(), value.clone()));
        match reverse {
            false => assert!(found.into_iter().eq(expected.take(1000))),
            true => assert!(found.into_iter().eq(expected.rev().take(1000))),
        }
        assert_eq!(entries() - before, 1000);
        let mut keys = db.scan_with(ScanOptions::all().keys_only()).unwrap();
        (0..2000).for_each(|_| assert_eq!(keys.next_entry().unwrap().unwrap().1, b""));
    }
    let mut scans = [ScanOptions::all(), ScanOptions::all().reverse()].map(|all| db.scan_with(all).unwrap());
    scans.iter_mut().for_each(|scan| (0..3).for_each(|_| assert!(scan.next_entry().unwrap().is_some())));
    db.close().unwrap();
    for scan in &mut scans {
        assert_eq!(scan.next_entry().unwrap_err().kind(), lightning_db::ErrorKind::Closed);
        assert_eq!(scan.next_entry().unwrap(), None);
    }
}
