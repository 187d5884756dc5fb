//! Sizes, shapes, and what the builder refuses.

use super::*;
use crate::base::error::ErrorKind;
use crate::base::ids::MAX_SEQUENCE;
use crate::base::limits::MAX_KEY_LEN;
use crate::vfs::{Fault, Vfs};

fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    bytes.chunks(32).map(line).collect()
}

/// The records of both golden tables.
fn golden_records(bed: &Bed) -> Vec<Owned> {
    let mut records = vec![
        Owned::put("key/apple-pie", 9, "sweet"),
        Owned::put("key/apple-pie", 2, ""),
        Owned { kind: RecordKind::Delete, ..Owned::put("key/b", 300, "") },
        Owned::put("key/c", 1, [b'x'; 20]),
        Owned::put("key/cherry", 0, "red"),
    ];
    bed.sort(&mut records);
    records
}

#[test]
fn the_bytes_of_a_table_are_pinned() {
    let bed = Bed::new(KeyOrder::Bytewise, 56, Codec::Raw);
    let table = bed.build(&golden_records(&bed));
    table.verify(&mut |_| {}).unwrap();
    assert_eq!(hex(&bed.bytes()), include_str!("golden.hex"));
}

fn lz4_records() -> Vec<Owned> {
    (0..8).map(|i| Owned::put(format!("key/{i}"), 0, vec![b'x'; 20 + i % 2])).collect()
}

/// A leaf that is compressed has the lengths of its cells in place of their ends.
#[test]
fn the_bytes_of_a_compressed_table_are_pinned() {
    let bed = Bed::new(KeyOrder::Bytewise, 256, Codec::Lz4);
    let records = lz4_records();
    let table = bed.build(&records);
    table.verify(&mut |_| {}).unwrap();
    assert_eq!(scan(&table).unwrap(), records);
    assert_eq!(hex(&bed.bytes()), include_str!("golden_lz4.hex"));
}

/// Puts of one length each, and how they are left once there is another.
#[test]
fn the_bytes_of_equal_records_are_pinned() {
    let bed = Bed::new(KeyOrder::Bytewise, 160, Codec::Raw);
    let mut records: Vec<_> =
        (0..8).map(|i| Owned::put(format!("key/{i}/equal"), 0, [b'0' + i; 10])).collect();
    records.push(Owned::put("key/8/equa", 0, [b'8'; 10]));
    let table = bed.build(&records);
    table.verify(&mut |_| {}).unwrap();
    assert_eq!(scan(&table).unwrap(), records);
    for record in &records {
        assert_eq!(get(&table, &record.key, record.sequence).unwrap().as_ref(), Some(record));
    }
    assert_eq!(hex(&bed.bytes()), include_str!("golden_equal.hex"));
}

#[test]
fn equal_records_cost_nothing_beside_key_and_value() {
    let size = |other: u8| {
        let mut records: Vec<_> = (0..500u32).map(|i| Owned::put(i.to_be_bytes(), 0, [b'v'; 9])).collect();
        records[250].value.truncate(9 - usize::from(other));
        Bed::new(KeyOrder::Bytewise, 65536, Codec::Raw).build(&records).meta().size
    };
    // An end, the length of a suffix and a kind each, and the length of all suffixes once.
    assert_eq!(size(0) + 500 * 6 - 4 - 1, size(1));
}

/// Written before there were filters.
#[test]
fn a_table_without_a_filter_is_read() {
    let bed = Bed::new(KeyOrder::Bytewise, 56, Codec::Raw);
    let records = golden_records(&bed);
    let table = open_older(&bed, &records, include_str!("golden_without_filter.hex"));
    assert_eq!(table.filter, None);
    assert_eq!(get(&table, b"key/cake", 400).unwrap(), None);
}

/// Written when compressed pages had ends.
#[test]
fn a_compressed_table_of_ends_is_read() {
    let bed = Bed::new(KeyOrder::Bytewise, 256, Codec::Lz4);
    open_older(&bed, &lz4_records(), include_str!("golden_lz4_of_ends.hex"));
}

/// The table of these bytes has these records.
fn open_older(bed: &Bed, records: &[Owned], hex: &str) -> Arc<Table> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| *byte != b'\n').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    let size = bytes.len() as u64;
    let meta = TableMeta { size, ..bed.try_build(records).unwrap() };
    assert_ne!(bed.bytes(), bytes, "what is written today");
    bed.replace_bytes(&bytes);
    let table = bed.try_open(&meta).unwrap();
    table.verify(&mut |_| {}).unwrap();
    assert_eq!(scan(&table).unwrap(), records);
    for record in records {
        assert_eq!(get(&table, &record.key, record.sequence).unwrap().as_ref(), Some(record));
    }
    table
}

#[test]
fn giant_values_come_back() {
    for (codec, mapped) in [(Codec::Raw, false), (Codec::Lz4, true), (Codec::Raw, true)] {
        let bed = Bed { mapped, ..Bed::new(KeyOrder::Bytewise, 4096, codec) };
        let mut state = 1u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        let records: Vec<_> = (0..6u8)
            .map(|i| match i % 3 {
                0 => Owned::put([i], 5, vec![i; 3 << 20]),
                1 => Owned::put([i], 5, (0..3 << 20).map(|_| noise()).collect::<Vec<_>>()),
                _ => Owned::put([i], 5, b"small"),
            })
            .collect();
        let table = bed.build(&records);
        table.verify(&mut |_| {}).unwrap();
        assert!(scan(&table).unwrap() == records);
        for record in &records {
            assert!(get(&table, &record.key, 7).unwrap().as_ref() == Some(record));
        }
        assert_eq!(table.meta().size > 12 << 20, codec == Codec::Raw);
    }
}

/// Inner pages of keys that are longer than a page still have two children.
#[test]
fn keys_longer_than_a_page_make_a_tree() {
    for (count, len) in [(100, 3000), (9, MAX_KEY_LEN)] {
        for order in orders() {
            let bed = Bed::new(order, 512, Codec::Lz4);
            let mut records: Vec<_> = (0..count)
                .map(|i| Owned::put([&vec![b'k'; len - 1][..], &[i as u8]].concat(), 5, b"value"))
                .collect();
            bed.sort(&mut records);
            let table = bed.build(&records);
            assert!(table.properties.height > 3);
            table.verify(&mut |_| {}).unwrap();
            assert!(scan(&table).unwrap() == records);
            for record in &records {
                assert!(get(&table, &record.key, 5).unwrap().as_ref() == Some(record));
                assert!(get(&table, &record.key, 4).unwrap().is_none());
            }
        }
    }
}

#[test]
fn pages_are_full_and_separators_short() {
    let bed = Bed::new(KeyOrder::Bytewise, 4096, Codec::Raw);
    let records: Vec<_> = (0..2000u32)
        .map(|i| Owned::put(format!("a/long/common/path/{:08}/tail", i * 7919), 0, [1; 20]))
        .collect();
    let table = bed.build(&records);
    let data: u64 = table.properties.value_bytes + 2000 * 12;
    assert!(table.meta().size < data * 3 / 2, "{}", table.meta().size);
    let full = table.meta().size / table.properties.leaf_pages;
    assert!(full > 3900, "{full} bytes a page");
    assert_eq!(table.properties.inner_pages, 1);
}

/// The empty key in front of all separators does not cost them their prefix, nor the search their heads.
#[test]
fn separators_have_their_prefix_behind_the_empty_key() {
    let bed = Bed::new(KeyOrder::Bytewise, 512, Codec::Raw);
    let path = "a/path/that/is/much/longer/than/a/head/and/the/same/for/all/keys/";
    let records: Vec<_> = (0..3000u32).map(|i| Owned::put(format!("{path}{i:06}"), 0, [1; 30])).collect();
    let table = bed.build(&records);
    table.verify(&mut |_| {}).unwrap();
    assert_eq!(table.properties.height, 4, "with {} inner pages", table.properties.inner_pages);
    let mut pointer = table.root;
    for _ in 1..table.properties.height {
        let page = table.page(pointer, crate::btree::format::PageKind::Inner).unwrap();
        assert!(page.prefix().starts_with(path.as_bytes()), "{}", page.prefix().escape_ascii());
        let mut first = vec![7];
        page.copy_key(0, &mut first);
        assert_eq!(first, b"");
        let heads = &page.heads()[1..];
        assert!(heads.is_sorted() && heads.windows(2).all(|pair| pair[0] != pair[1]));
        pointer = page.inner_cell(0).child;
    }
}

#[test]
fn a_table_without_sequences_leaves_them_out() {
    let value = |i: u32| vec![b'v'; 1 + i as usize % 2];
    let zero: Vec<_> = (0..500u32).map(|i| Owned::put(i.to_be_bytes(), 0, value(i))).collect();
    let mut one = zero.clone();
    one.iter_mut().for_each(|record| record.sequence = 1);
    let sizes = [zero, one]
        .map(|records| Bed::new(KeyOrder::Bytewise, 65536, Codec::Raw).build(&records).meta().size);
    assert_eq!(sizes[0] + 500, sizes[1]);
}

#[test]
fn the_builder_refuses_what_is_no_table() {
    let bed = Bed::plain();
    let first = Owned::put("b", 5, "");
    let wrong = [
        Owned::put("b", 5, ""),
        Owned::put("b", 6, ""),
        Owned::put("a", 1, ""),
        Owned::put("c", MAX_SEQUENCE + 1, ""),
        Owned::put(vec![b'c'; MAX_KEY_LEN + 1], 1, ""),
        Owned { kind: RecordKind::Delete, ..Owned::put("c", 1, "value") },
    ];
    let mut builder = bed.builder().unwrap();
    builder.add(first.lend()).unwrap();
    for wrong in wrong {
        assert_eq!(builder.add(wrong.lend()).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    assert_eq!(builder.entries(), 1);
    let meta = builder.finish().unwrap();
    assert_eq!(scan(&bed.try_open(&meta).unwrap()).unwrap(), std::slice::from_ref(&first));

    assert!(bed.builder().is_err(), "the number is taken");
    assert_eq!(scan(&bed.try_open(&meta).unwrap()).unwrap(), [first]);
}

#[test]
fn an_unfinished_table_leaves_no_file() {
    let bed = Bed::plain();
    let mut builder = bed.builder().unwrap();
    builder.add(Owned::put("a", 1, "").lend()).unwrap();
    builder.abandon();
    assert_eq!(bed.vfs.file_type(&bed.path()).unwrap(), None);
    assert_eq!(bed.try_build(&[]).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(bed.vfs.file_type(&bed.path()).unwrap(), None);
}

#[test]
fn a_failed_call_is_an_error_and_leaves_no_file() {
    let records: Vec<_> = (0..300u32).map(|i| Owned::put(i.to_be_bytes(), 1, vec![i as u8; 3000])).collect();
    let bed = Bed::plain();
    let meta = bed.try_build(&records).unwrap();
    let calls = bed.vfs.calls();
    assert!((5..20).contains(&calls), "written in large pieces, not in {calls} calls");
    for call in 0..calls {
        let bed = Bed::plain();
        bed.vfs.fail_call(call, Fault::Os(28));
        assert_eq!(bed.try_build(&records).unwrap_err().kind(), ErrorKind::NoSpace, "call {call}");
        assert_eq!(bed.vfs.file_type(&bed.path()).unwrap(), None);
        assert_eq!(bed.try_build(&records).unwrap(), meta);
    }
}

/// Someone who goes on after an error must not get a table with a hole.
#[test]
fn a_builder_that_failed_does_not_finish() {
    let bed = Bed::plain();
    bed.vfs.fail_call(1, Fault::Os(5));
    let mut builder = bed.builder().unwrap();
    let results: Vec<_> =
        (0..300u32).map(|i| builder.add(Owned::put(i.to_be_bytes(), 1, [0; 3000]).lend()).is_ok()).collect();
    assert!(results[0] && !results[299]);
    assert!(builder.finish().is_err());
}

#[test]
fn size_and_entries_grow_with_the_records() {
    let bed = Bed::plain();
    let mut builder = bed.builder().unwrap();
    assert_eq!((builder.size(), builder.entries()), (64, 0));
    for record in sample(400) {
        builder.add(record.lend()).unwrap();
    }
    let (size, entries) = (builder.size(), builder.entries());
    let meta = builder.finish().unwrap();
    assert_eq!(entries, 400);
    assert!(size > 400 * 40 && size < meta.size);
}

/// Half of the values are noise: their pages stay raw under every codec, the others do not.
#[test]
fn a_page_is_raw_where_compression_does_not_pay() {
    let mut random = 1u64;
    let mut noise = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 56) as u8
    };
    let records: Vec<_> = (0..200u32)
        .map(|i| match i < 100 {
            true => Owned::put(i.to_be_bytes(), 5, (0..100).map(|_| noise()).collect::<Vec<_>>()),
            false => Owned::put(i.to_be_bytes(), 5, [i as u8; 100]),
        })
        .collect();
    for codec in [Codec::Zstd, Codec::Lz4, Codec::Snappy] {
        let bed = Bed::new(KeyOrder::Bytewise, 1024, codec);
        let table = bed.build(&records);
        let bytes = bed.bytes();
        let root = table.page(table.root, crate::btree::format::PageKind::Inner).unwrap();
        let codec_of = |index| bytes[root.inner_cell(index).child.offset as usize + 12];
        let codecs: Vec<u8> = (0..root.count()).map(codec_of).collect();
        assert_eq!((codecs[1], codecs[root.count() - 2]), (0, codec as u8), "{codecs:?}");
        assert!(codecs.is_sorted(), "{codecs:?}");
        assert_eq!(scan(&table).unwrap(), records);
    }
}

#[test]
fn threads_share_a_table_and_a_small_cache() {
    let bed = Bed { cache_size: 16 << 10, ..Bed::new(KeyOrder::Bytewise, 512, Codec::Lz4) };
    let records = sample(1000);
    let table = bed.build(&records);
    std::thread::scope(|scope| {
        for thread in 0..4usize {
            let (table, records) = (&table, &records);
            scope.spawn(move || {
                for i in 0..2000 {
                    let record = &records[(i * 7 + thread * 131) % records.len()];
                    assert_eq!(get(table, &record.key, record.sequence).unwrap().as_ref(), Some(record));
                }
                assert_eq!(&scan(table).unwrap(), records);
            });
        }
    });
    assert!(table.page(table.root, crate::btree::format::PageKind::Inner).is_ok());
}
