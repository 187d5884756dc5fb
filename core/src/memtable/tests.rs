//! The memtable against a sorted map, under every order of keys.

mod concurrent;
mod interleaved;

pub use interleaved::look_between_stores;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::prelude::*;

use super::*;
use crate::base::comparator::Comparator;
use crate::base::error::{ErrorKind, Result};
use crate::base::hash::hash_key;
use crate::base::ids::MAX_SEQUENCE;
use crate::base::limits::{MAX_KEY_LEN, MAX_VALUE_LEN};
use crate::base::record::RecordKind;
use crate::iter::Cursor;
use crate::memtable::budget::nodes_needed;
use crate::memtable::node::NODE_SIZE;
use crate::sync::Arc;

/// A user's order: from the last byte, without its lowest bit, so that keys tie.
struct Backwards;

impl Comparator for Backwards {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        let rank = |key: &[u8]| key.iter().map(|byte| byte >> 1).collect::<Vec<_>>();
        rank(b).cmp(&rank(a))
    }
}

/// Pseudo-random numbers (splitmix64): as many as wanted from one seed.
fn random(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A key that sorts as `KeyOrder` says.
#[derive(Clone, Debug)]
struct Ordered(KeyOrder, Vec<u8>);

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Ordered {}
impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.compare(&self.1, &other.1)
    }
}

type ModelKey = (Ordered, Reverse<SequenceNumber>);
type Row = (Vec<u8>, SequenceNumber, RecordKind, Vec<u8>);

/// The slow twin.
struct Model {
    order: KeyOrder,
    map: BTreeMap<ModelKey, (RecordKind, Vec<u8>)>,
}

impl Model {
    fn place(&self, key: &[u8], sequence: SequenceNumber) -> ModelKey {
        (Ordered(self.order.clone(), key.to_vec()), Reverse(sequence))
    }

    fn rows(&self) -> impl DoubleEndedIterator<Item = Row> {
        self.map.iter().map(Self::row)
    }

    fn from(&self, key: &[u8], sequence: SequenceNumber) -> impl Iterator<Item = Row> {
        self.map.range(self.place(key, sequence)..).map(Self::row)
    }

    fn before(&self, key: &[u8], sequence: SequenceNumber) -> impl Iterator<Item = Row> {
        let end = Bound::Excluded(self.place(key, sequence));
        self.map.range((Bound::Unbounded, end)).rev().map(Self::row)
    }

    fn row((place, record): (&ModelKey, &(RecordKind, Vec<u8>))) -> Row {
        (place.0.1.clone(), place.1.0, record.0, record.1.clone())
    }
}

fn row(record: Record<'_>) -> Row {
    (record.key.to_vec(), record.sequence, record.kind, record.value.to_vec())
}

/// What is at the cursor and, at most `limit` in all, where `step` leads from there.
fn walk(
    cursor: &mut MemtableCursor,
    step: impl Fn(&mut MemtableCursor) -> Result<()>,
    limit: usize,
) -> Vec<Row> {
    let mut rows = Vec::new();
    while cursor.valid() && rows.len() < limit {
        rows.push(row(cursor.record()));
        step(cursor).unwrap();
    }
    rows
}

fn check_all(table: &Arc<Memtable>, model: &Model) {
    let mut cursor = table.cursor();
    cursor.seek_first().unwrap();
    assert_eq!(walk(&mut cursor, Cursor::next, usize::MAX), model.rows().collect::<Vec<_>>());
    cursor.seek_last().unwrap();
    assert_eq!(walk(&mut cursor, Cursor::prev, usize::MAX), model.rows().rev().collect::<Vec<_>>());
    assert_eq!(table.len(), model.map.len());
}

fn check_at(table: &Arc<Memtable>, model: &Model, key: &[u8], sequence: SequenceNumber) {
    let found = model.from(key, sequence).next().filter(|row| row.0 == key);
    assert_eq!(table.get(key, sequence).map(row), found);
    assert_eq!(table.get_hashed(key, hash_key(key), sequence).map(row), found);
    let mut cursor = table.cursor();
    for limit in [4, 40] {
        cursor.seek(key, sequence).unwrap();
        assert_eq!(
            walk(&mut cursor, Cursor::next, limit),
            model.from(key, sequence).take(limit).collect::<Vec<_>>()
        );
        cursor.seek_before(key, sequence).unwrap();
        assert_eq!(
            walk(&mut cursor, Cursor::prev, limit),
            model.before(key, sequence).take(limit).collect::<Vec<_>>()
        );
    }
}

/// Keys that tie in their heads, are prefixes of each other, are empty, or differ by padding only.
fn tricky_key() -> impl Strategy<Value = Vec<u8>> {
    let prefix = prop_oneof![
        3 => Just(&b""[..]),
        1 => Just(&b"user:0000"[..]),
        1 => Just(&b"user:00000000000"[..]),
        1 => Just(&[0xff; 9][..]),
        1 => Just(&[0; 8][..]),
    ];
    let byte = prop_oneof![Just(0u8), Just(1), Just(b'a'), Just(b'b'), Just(0xff)];
    (prefix, prop::collection::vec(byte, 0..5)).prop_map(|(prefix, rest)| [prefix, &rest].concat())
}

/// Keys one after the other: single ones, repeated ones, rising and falling ones.
fn tricky_keys() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let counted = |key: Vec<u8>, count: u16| [&key[..], &count.to_be_bytes()].concat();
    let group = (tricky_key(), 0..5u8, 1..40u16, any::<u8>()).prop_map(move |(key, way, len, start)| {
        let start = u16::from(start);
        match way {
            0 | 1 => vec![key],
            2 => vec![key; usize::from(len)],
            3 => (start..start + len).map(|count| counted(key.clone(), count)).collect::<Vec<_>>(),
            _ => (start..start + len).rev().map(|count| counted(key.clone(), count)).collect(),
        }
    });
    prop::collection::vec(group, 0..80).prop_map(|groups| groups.concat())
}

/// A record of the model's load.
fn written(index: usize) -> (SequenceNumber, RecordKind, Vec<u8>) {
    match index % 5 {
        0 => (index as u64 + 1, RecordKind::Delete, vec![]),
        _ => (index as u64 + 1, RecordKind::Put, vec![index as u8; index % 40]),
    }
}

/// The same inserts by writers that approach some of the places, and make runs of inserts.
fn approached(order: &KeyOrder, keys: &[Vec<u8>]) -> Arc<Memtable> {
    let table = Arc::new(Memtable::new(order.clone()));
    let mut inserted = 0;
    while inserted < keys.len() {
        let mut writer = table.writer();
        for _ in 0..random(inserted as u64) % 5 {
            let rest = &keys[inserted..];
            let group = &rest[..rest.len().min(1 + random(inserted as u64 + 7) as usize % ABREAST)];
            if !random(inserted as u64 + 3).is_multiple_of(4) {
                let group: Vec<_> = group.iter().map(Vec::as_slice).collect();
                writer.approach(inserted as u64 + 1, &group);
            }
            for key in group {
                let (sequence, kind, value) = written(inserted);
                writer.reserve(1, key.len() + value.len()).unwrap();
                writer.insert(key, sequence, kind, &value).unwrap();
                inserted += 1;
            }
        }
        if random(inserted as u64).is_multiple_of(5) && inserted < keys.len() {
            let (sequence, kind, value) = written(inserted);
            writer.insert(&keys[inserted], sequence, kind, &value).unwrap();
            inserted += 1;
        }
    }
    table
}

fn check_against_model(order: KeyOrder, keys: &[Vec<u8>], probes: &[(Vec<u8>, u64)]) {
    let table = Arc::new(Memtable::new(order.clone()));
    let mut model = Model { order, map: BTreeMap::new() };
    for (index, key) in keys.iter().enumerate() {
        let (sequence, kind, value) = written(index);
        table.writer().insert(key, sequence, kind, &value).unwrap();
        model.map.insert(model.place(key, sequence), (kind, value));
        if index % 97 == 0 {
            check_all(&table, &model);
        }
    }
    check_all(&table, &model);
    check_all(&approached(&model.order, keys), &model);
    for (key, sequence) in probes {
        check_at(&table, &model, key, sequence % (keys.len() as u64 + 2));
        check_at(&table, &model, key, u64::MAX);
    }
    for (index, key) in keys.iter().enumerate().step_by(1 + keys.len() / 50) {
        for sequence in [0, index as u64, index as u64 + 1, index as u64 + 2, MAX_SEQUENCE] {
            check_at(&table, &model, key, sequence);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_a_map(keys in tricky_keys(), probes in prop::collection::vec((tricky_key(), any::<u64>()), 0..30)) {
        check_against_model(KeyOrder::Bytewise, &keys, &probes);
    }

    #[test]
    fn behaves_like_a_map_in_a_users_order(keys in tricky_keys(),
                                           probes in prop::collection::vec((tricky_key(), any::<u64>()), 0..30)) {
        check_against_model(KeyOrder::Custom(Arc::new(Backwards)), &keys, &probes);
    }

    #[test]
    fn the_budget_is_kept(keys in prop::collection::vec((any::<u16>(), 0..4u8, 1..24u64), 1..400)) {
        let table = Memtable::new(KeyOrder::Bytewise);
        // Runs at random places of a small range, and then back to where they were: the worst for splits.
        let inserts: Vec<u64> = keys
            .iter()
            .flat_map(|&(place, way, len)| {
                let place = u64::from(place) << 32;
                (0..len).map(move |i| match way {
                    0 => place + i,
                    1 => place - (i << 8).min(place),
                    2 => place + random(i) % (len << 16),
                    _ => place ^ (i % 3) << 31,
                })
            })
            .collect();
        for batch_len in [1, 3, 17, 200] {
            check_budget(&table, &inserts, batch_len);
        }
    }
}

proptest! {
    #[test]
    fn no_single_insert_needs_more_than_is_kept_ready(nodes in prop::collection::vec(any::<u32>(), 0..=writer::MAX_LEVELS)) {
        let mut nodes_of_level = [0; writer::MAX_LEVELS];
        nodes_of_level.iter_mut().zip(nodes).for_each(|(level, nodes)| *level = nodes as usize);
        let needed = nodes_needed(&nodes_of_level, 1);
        prop_assert!(needed.leaves <= writer::NEEDED_BY_ONE.leaves);
        prop_assert!(needed.inner_nodes <= writer::NEEDED_BY_ONE.inner_nodes);
    }
}

/// Counts the nodes that inserts make; also that memory that was reserved is enough.
fn check_budget(table: &Memtable, places: &[u64], batch_len: usize) {
    let mut sequence = table.len() as u64;
    for batch in places.chunks(batch_len) {
        let used = |store: &writer::Store| {
            let leaves = (store.leaves.taken() - store.leaves.room()) / NODE_SIZE;
            (leaves, (store.inner_nodes.taken() - store.inner_nodes.room()) / NODE_SIZE)
        };
        let (before, needed) = {
            let store = table.store.lock();
            (used(&store), nodes_needed(&store.nodes_of_level, batch.len()))
        };
        let mut writer = table.writer();
        writer.reserve(batch.len(), 13 * batch.len()).unwrap();
        let memory = table.memory_usage();
        for place in batch {
            sequence += 1;
            writer.insert(&place.to_be_bytes(), sequence, RecordKind::Put, b"value").unwrap();
        }
        drop(writer);
        assert_eq!(table.memory_usage(), memory);
        let after = used(&table.store.lock());
        assert!(after.0 - before.0 <= needed.leaves, "{before:?} {after:?} {}", needed.leaves);
        assert!(after.1 - before.1 <= needed.inner_nodes, "{before:?} {after:?} {}", needed.inner_nodes);
    }
}

#[test]
fn loads_keep_the_budget_and_their_order() {
    let count = 30_000u64;
    type Place = fn(u64) -> u64;
    let loads: [(&str, Place, u64); 7] = [
        ("rising", |i| i, 13),
        ("falling", |i| u64::MAX - i, 13),
        ("random", random, 8),
        ("interleaved runs", |i| (i % 7) << 60 | i, 12),
        ("many versions", |i| i % 3, 10),
        ("falling behind a run", |i| if i < 14 { i } else { u64::MAX - i }, 6),
        ("rising, then one again and again", |i| if i < 15_000 { i } else { 7_000 }, 7),
    ];
    for (name, place, least_fill) in loads {
        let table = Arc::new(Memtable::new(KeyOrder::Bytewise));
        let places: Vec<u64> = (0..count).map(place).collect();
        check_budget(&table, &places, 1000);
        let mut expected: Vec<_> = places.iter().zip(1u64..).map(|(p, s)| (*p, Reverse(s))).collect();
        expected.sort_unstable();
        let mut cursor = table.cursor();
        cursor.seek_first().unwrap();
        for (place, Reverse(sequence)) in expected {
            let record = cursor.record();
            assert_eq!((record.key, record.sequence), (&place.to_be_bytes()[..], sequence), "{name}");
            cursor.next().unwrap();
        }
        assert!(!cursor.valid());
        let leaves = table.store.lock().nodes_of_level[0] as u64;
        assert!(count / leaves >= least_fill, "{name}: {leaves} leaves");
    }
}

#[test]
fn an_empty_table_answers_and_costs_nothing() {
    let table = Arc::new(Memtable::new(KeyOrder::Bytewise));
    assert!(table.is_empty() && table.get(b"", u64::MAX).is_none());
    assert_eq!(table.memory_usage(), 0);
    let mut cursor = table.cursor();
    assert!(!cursor.valid());
    cursor.seek_first().unwrap();
    assert!(!cursor.valid());
    cursor.seek_last().unwrap();
    assert!(!cursor.valid());
    cursor.seek(b"", 1).unwrap();
    assert!(!cursor.valid());
    cursor.seek_before(b"a", 1).unwrap();
    assert!(!cursor.valid());
    table.writer().insert(b"", 1, RecordKind::Put, b"").unwrap();
    assert!(table.memory_usage() < 64 << 10 && !table.is_empty());
}

#[test]
fn large_and_small_records_live_side_by_side() {
    let table = Memtable::new(KeyOrder::Bytewise);
    let large_key = vec![7; MAX_KEY_LEN];
    let sizes = [0, 1, 5 << 20, 100, 2047, 2049, 300 << 10, 1 << 20, 9];
    for (i, &size) in sizes.iter().enumerate() {
        let mut writer = table.writer();
        if i % 2 == 0 {
            writer.reserve(1, size + large_key.len()).unwrap();
        }
        writer.insert(&large_key, i as u64 + 1, RecordKind::Put, &vec![i as u8; size]).unwrap();
    }
    for (i, &size) in sizes.iter().enumerate() {
        let record = table.get(&large_key, i as u64 + 1).unwrap();
        assert_eq!(record.value, &vec![i as u8; size][..]);
    }
    let bytes: usize = sizes.iter().sum();
    assert!((bytes..bytes + (6 << 20)).contains(&table.memory_usage()));
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let table = Memtable::new(KeyOrder::Bytewise);
    let mut writer = table.writer();
    writer.insert(b"k", 1, RecordKind::Put, b"v").unwrap();
    for (records, bytes) in [(1, usize::MAX), (usize::MAX, 0), (1, isize::MAX as usize)] {
        assert_eq!(writer.reserve(records, bytes).unwrap_err().kind(), ErrorKind::OutOfMemory);
    }
    let too_long = vec![0; MAX_KEY_LEN + 1];
    let refused = writer.insert(&too_long, 2, RecordKind::Put, b"").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    assert!(MAX_VALUE_LEN <= u32::MAX as usize);
    drop(writer);
    assert_eq!(table.len(), 1);
    assert_eq!(table.get(b"k", 1).unwrap().value, b"v");
}

#[test]
fn a_cursor_keeps_its_table_and_may_change_threads() {
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    let table = shared(Arc::new(Memtable::new(KeyOrder::Bytewise)));
    for i in 0..1000u64 {
        table.writer().insert(&i.to_be_bytes(), i + 1, RecordKind::Put, b"").unwrap();
    }
    let mut cursor = table.cursor();
    cursor.seek_first().unwrap();
    drop(table);
    let rest = std::thread::spawn(move || walk(&mut cursor, Cursor::next, usize::MAX).len());
    assert_eq!(rest.join().unwrap(), 1000);
}
