//! Tables against a sorted vector.

use proptest::prelude::*;

use super::*;
use crate::base::ids::MAX_SEQUENCE;

fn key() -> impl Strategy<Value = Vec<u8>> {
    let letters = || proptest::sample::select(vec![0u8, 1, b'a', b'b', 0xff]);
    let short = proptest::collection::vec(letters(), 0..5);
    let long = proptest::collection::vec(letters(), 6..12);
    let deep = (0..20usize, proptest::collection::vec(letters(), 0..3))
        .prop_map(|(len, tail)| [&vec![b'a'; len][..], &tail].concat());
    prop_oneof![4 => short, 2 => long, 2 => deep]
}

fn record() -> impl Strategy<Value = Owned> {
    let sequence = prop_oneof![6 => 0..12u64, 1 => Just(MAX_SEQUENCE), 1 => 120..140u64];
    let value = prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..40),
        2 => (any::<u8>(), 0..300usize).prop_map(|(byte, len)| vec![byte; len]),
        1 => (any::<u8>(), 500..3000usize).prop_map(|(byte, len)| vec![byte; len]),
    ];
    (key(), sequence, value, 0..5u8).prop_map(|(key, sequence, value, kind)| match kind {
        0 => Owned { key, sequence, kind: RecordKind::Delete, value: vec![] },
        _ => Owned { key, sequence, kind: RecordKind::Put, value },
    })
}

/// Records of one kind of table: free ones, and a run of versions of one key.
fn records() -> impl Strategy<Value = Vec<Owned>> {
    let run = (key(), 0..120u64, 0..30usize)
        .prop_map(|(key, count, len)| (0..count).map(|i| Owned::put(&key, i, vec![7; len])).collect());
    let zeroed = proptest::collection::vec(record(), 1..200).prop_map(|mut records: Vec<Owned>| {
        records.iter_mut().for_each(|record| record.sequence = 0);
        records
    });
    let letters = proptest::sample::select(vec![0u8, 1, b'a', 0xff]);
    let equal = (0..14usize, 0..40usize).prop_flat_map(move |(key_len, value_len)| {
        let key = proptest::collection::vec(letters.clone(), key_len);
        let put = (key, any::<u8>()).prop_map(move |(key, byte)| Owned::put(key, 0, vec![byte; value_len]));
        proptest::collection::vec(put, 1..200)
    });
    let free = proptest::collection::vec(record(), 1..300);
    prop_oneof![
        4 => (free, run).prop_map(|(free, run): (Vec<Owned>, Vec<Owned>)| [free, run].concat()),
        1 => zeroed,
        1 => equal,
    ]
}

fn bed() -> impl Strategy<Value = Bed> {
    let sizes = proptest::sample::select(vec![512, 512, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]);
    let codecs = proptest::sample::select(vec![Codec::Raw, Codec::Zstd, Codec::Lz4, Codec::Snappy]);
    let caches = proptest::sample::select(vec![0usize, 20 << 10, 1 << 20]);
    let beds = (0..orders().len(), sizes, codecs, caches, any::<bool>());
    beds.prop_map(|(order, page_size, codec, cache_size, mapped)| Bed {
        cache_size,
        mapped,
        ..Bed::new(orders()[order].clone(), page_size, codec)
    })
}

fn model_get(records: &[Owned], key: &[u8], sequence: SequenceNumber) -> Option<Owned> {
    let versions = records.iter().filter(|record| record.key == key && record.sequence <= sequence);
    versions.max_by_key(|record| record.sequence).cloned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_table_is_a_sorted_vector(bed in bed(), mut records in records(), others in proptest::collection::vec(key(), 20)) {
        bed.sort(&mut records);
        let table = bed.build(&records);
        let mut bytes = 0;
        table.verify(&mut |page| bytes += page).unwrap();
        prop_assert!(bytes < table.meta().size);
        prop_assert_eq!(table.meta().entries, records.len() as u64);
        prop_assert_eq!(&table.meta().smallest_key, &records[0].key);
        prop_assert_eq!(&table.meta().largest_key, &records.last().unwrap().key);
        let sequences = records.iter().map(|record| record.sequence);
        prop_assert_eq!(table.meta().smallest_sequence, sequences.clone().min().unwrap());
        prop_assert_eq!(table.meta().largest_sequence, sequences.max().unwrap());
        let tombstones = records.iter().filter(|record| record.kind == RecordKind::Delete).count();
        prop_assert_eq!(table.meta().tombstones, tombstones as u64);

        prop_assert_eq!(&scan(&table).unwrap(), &records);
        prop_assert_eq!(&scan_back(&table).unwrap(), &records);

        let mut cursor = table.cursor();
        let order = &bed.options.order;
        for key in records.iter().map(|record| &record.key).chain(&others) {
            for sequence in (0..14).chain([50, 119, 130, 200, MAX_SEQUENCE - 1, MAX_SEQUENCE]) {
                prop_assert_eq!(get(&table, key, sequence).unwrap(), model_get(&records, key, sequence));
            }
        }
        let places = records.iter().flat_map(|record| {
            [record.sequence.saturating_sub(1), record.sequence, record.sequence + 1].map(|s| (&record.key, s))
        });
        for (key, sequence) in places.chain(others.iter().map(|key| (key, 5))).chain(others.iter().map(|key| (key, u64::MAX))) {
            let at = records.partition_point(|own| order.compare_records((&own.key, own.sequence), (key, sequence)).is_lt());
            cursor.seek(key, sequence).unwrap();
            check_around(&mut cursor, &records, at)?;
            cursor.seek_before(key, sequence).unwrap();
            check_around(&mut cursor, &records, at.wrapping_sub(1))?;
        }
    }

    #[test]
    fn a_cursor_turns_around_anywhere(bed in bed(), mut records in records(), moves in proptest::collection::vec(any::<(bool, u8)>(), 1..60)) {
        bed.sort(&mut records);
        let table = bed.build(&records);
        let mut cursor = table.cursor();
        prop_assert!(!cursor.valid());
        cursor.seek_first().unwrap();
        let mut at = 0;
        for (forward, count) in moves {
            for _ in 0..count {
                if forward { cursor.next().unwrap() } else { cursor.prev().unwrap() }
                at = if forward { at + 1 } else { at - 1 };
                if at < 0 || at as usize == records.len() {
                    prop_assert!(!cursor.valid());
                    if forward { cursor.seek_last().unwrap() } else { cursor.seek_first().unwrap() }
                    at = if forward { at - 1 } else { 0 };
                }
                prop_assert_eq!(cursor.record(), records[at as usize].lend());
            }
        }
    }
}

/// The cursor stands on record `at`; so do its neighbours when it moves. Comes back to the same place.
fn check_around(cursor: &mut TableCursor, records: &[Owned], at: usize) -> Result<(), TestCaseError> {
    let Some(here) = records.get(at) else {
        prop_assert!(!cursor.valid());
        return Ok(());
    };
    prop_assert!(cursor.valid());
    prop_assert_eq!(cursor.record(), here.lend());
    if at > 0 {
        cursor.prev().unwrap();
        prop_assert_eq!(cursor.record(), records[at - 1].lend());
        cursor.next().unwrap();
    }
    if at + 1 < records.len() {
        cursor.next().unwrap();
        prop_assert_eq!(cursor.record(), records[at + 1].lend());
    }
    Ok(())
}
