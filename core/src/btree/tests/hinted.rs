//! Reads by hints that others left under the same hash.

use super::*;
use crate::cache::{Found, pin};

const HASH: u64 = 0x5eed_0123_4567_89ab;

/// What is found for a key by the hint that all have in common, one by one and side by side.
fn found(
    context: &TableContext,
    keyspace: KeyspaceId,
    key: &[u8],
    sequence: SequenceNumber,
) -> Option<Owned> {
    let (pin, wanted) = (pin().unwrap(), Wanted { key, hash: hash_key(key), sequence });
    let owned = |found: FoundRecord<'_>| Owned::put(key, found.sequence, found.value());
    let one = find_hinted(context, keyspace, &wanted, HASH, &pin).map(owned);
    let mut many = Vec::new();
    let keys = [(wanted, HASH); 3].into_iter();
    find_many_hinted::<4>(context, keyspace, keys, &pin, &mut |at, record| many.push((at, owned(record))));
    let same: Vec<_> = one.iter().flat_map(|one| (0..3).map(move |at| (at, one.clone()))).collect();
    assert_eq!(many, same);
    one
}

/// A hint is no more than a place to look at: key, keyspace, version and kind are for the reader to see.
#[test]
fn a_hint_to_another_record_leads_nowhere() {
    // Of a cache with two hints in a word, and of one with one.
    for cache_size in [1 << 20, 2 << 30] {
        let bed = Bed { cache_size, ..Bed::plain() };
        let context = bed.context(Arc::new(bed.vfs.clone()));
        let put = |key: &str, sequence, len| Owned::put(key, sequence, vec![sequence as u8; len]);
        let deleted = Owned { kind: RecordKind::Delete, value: Vec::new(), ..put("c", 4, 0) };
        let mut records = vec![put("a", 9, 40), put("a", 3, 40), put("b", 5, 41), deleted];
        records.extend((0..60).map(|number| put(&format!("d{number:02}"), 10 + number, 100)));
        let table = bed.try_open_in(&context, &bed.try_build(&records).unwrap()).unwrap();
        context.cache.turn_hints_on();
        for record in &records {
            assert_eq!(get(&table, &record.key, record.sequence).unwrap().as_ref(), Some(record));
            let wanted = Wanted { key: &record.key, hash: hash_key(&record.key), sequence: record.sequence };
            let mut leave = |found: FoundRecord<'_>| {
                assert!(matches!(found.page, Found::Lent(_)));
                found.leave_hint(context.cache.hints(), HASH);
            };
            table.get(&wanted, Reach::Disk, &mut leave).unwrap();
            let (own, is_put) = (bed.options.keyspace, record.kind == RecordKind::Put);
            let seen = |keyspace, key, sequence| found(&context, keyspace, key, sequence);
            assert_eq!(
                seen(own, &record.key, record.sequence),
                is_put.then(|| record.clone()),
                "{cache_size}"
            );
            assert_eq!(seen(own, &record.key, SequenceNumber::MAX), is_put.then(|| record.clone()));
            assert_eq!(seen(own, &record.key, record.sequence - 1), None, "not yet written");
            assert_eq!(seen(own, b"d", SequenceNumber::MAX), None);
            assert_eq!(seen(KeyspaceId(4), &record.key, SequenceNumber::MAX), None, "of another keyspace");
        }
        context.cache.remove_file(NUMBER);
        assert_eq!(found(&context, bed.options.keyspace, b"d59", SequenceNumber::MAX), None, "it has left");
    }
}
