//! What a filter spares, what it costs, and that a damaged one is never a wrong answer.

use super::*;
use crate::base::checksum::Checksum;
use crate::base::error::ErrorKind;
use crate::base::lookup::Lookup;
use crate::btree::format::{PAGE_HEADER_LEN, PageKind};
use crate::btree::page::Page;
use crate::filter::{LINE, lines_for};
use crate::vfs::{Call, RecordingVfs};

/// Where the header of a page names its kind.
const KIND: usize = 13;
/// Where the footer has the pointer to the filter.
const FILTER_POINTER: usize = 32;

fn keys(range: std::ops::Range<u32>) -> Vec<Owned> {
    range.map(|i| Owned::put(format!("key {:08}", 2 * i), 5, b"value")).collect()
}

/// Between those of [`keys`].
fn absent(i: u32) -> Vec<u8> {
    format!("key {:08}", 2 * i + 1).into_bytes()
}

/// A table whose reads are written down.
fn recorded(bed: &Bed, meta: &TableMeta) -> (RecordingVfs, Arc<Table>) {
    let vfs = RecordingVfs::new(Arc::new(bed.vfs.clone()));
    let table = bed.try_open_in(&bed.context(Arc::new(vfs.clone())), meta).unwrap();
    vfs.take();
    (vfs, table)
}

/// Pages of a kind among the reads since the last time.
fn reads(vfs: &RecordingVfs, bytes: &[u8]) -> impl Fn(PageKind) -> usize + use<> {
    let offset = |call: &Call| match call {
        Call::ReadAt { offset, .. } => bytes[*offset as usize + KIND],
        other => panic!("{other:?}"),
    };
    let kinds: Vec<u8> = vfs.take().iter().map(offset).collect();
    move |kind| kinds.iter().filter(|own| **own == kind as u8).count()
}

#[test]
fn absent_keys_touch_no_page_but_one_of_the_filter() {
    for order in orders() {
        let bed = Bed { cache_size: 0, ..Bed::new(order, 512, Codec::Lz4) };
        let mut records = keys(0..2000);
        bed.sort(&mut records);
        let meta = bed.try_build(&records).unwrap();
        let (vfs, table) = recorded(&bed, &meta);
        for i in 0..2000 {
            assert!(matches!(find(&table, &absent(i), 9, Reach::Disk), Ok(Lookup::Absent)));
        }
        let reads = reads(&vfs, &bed.bytes());
        assert_eq!(reads(PageKind::Filter), 2000, "one for each get: nothing is cached");
        assert!(reads(PageKind::Leaf) < 40, "{} of 2000", reads(PageKind::Leaf));
        assert!(reads(PageKind::Inner) < 160);
    }
}

#[test]
fn a_filter_counts_a_key_once_however_many_versions_it_has() {
    let bed = Bed::plain();
    let mut records: Vec<_> = keys(0..200)
        .into_iter()
        .flat_map(|record| (1..20).map(move |sequence| Owned { sequence, ..record.clone() }))
        .collect();
    bed.sort(&mut records);
    let table = bed.build(&records);
    assert_eq!(table.filter.unwrap().lines() as usize, lines_for(200));
}

#[test]
fn lines_of_a_filter_are_cache_lines() {
    for mapped in [false, true] {
        let bed = Bed { mapped, ..Bed::plain() };
        let table = bed.build(&keys(0..30_000));
        let pages: Vec<_> = table.filter.unwrap().pages().collect();
        assert_eq!(pages.len(), 3);
        for pointer in pages {
            let page = table.page(pointer, PageKind::Filter).unwrap();
            assert_eq!(page.line(0).unwrap().as_ptr() as usize % LINE, 0);
            assert!(page.line((pointer.length as usize - PAGE_HEADER_LEN) / LINE - 1).is_some());
        }
    }
}

#[test]
fn a_damaged_page_of_a_filter_is_an_error_and_the_others_answer() {
    for mapped in [false, true] {
        let bed = Bed { mapped, cache_size: 8 << 20, ..Bed::plain() };
        let records = keys(0..30_000);
        let meta = bed.try_build(&records).unwrap();
        let span = bed.try_open(&meta).unwrap().filter.unwrap();
        let damaged = span.pages().nth(1).unwrap();
        bed.vfs.corrupt(bed.path(), damaged.offset + 5000, |byte| *byte = !*byte).unwrap();
        let table = bed.try_open(&meta).unwrap();
        let mut errors = 0;
        let absent = (0..3000).map(|i| (absent(i), None));
        let present = records.iter().step_by(7).map(|record| (record.key.clone(), Some(record)));
        for (key, expected) in absent.chain(present) {
            match get(&table, &key, 9) {
                Ok(found) => {
                    assert_eq!(found.as_ref(), expected);
                    assert_ne!(span.page(span.place_of(hash_key(&key)).0), damaged);
                }
                Err(error) => {
                    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corruption, Some(damaged.offset)));
                    errors += 1;
                }
            }
        }
        assert!(errors > 1000);
        assert_eq!(scan(&table).unwrap(), records, "a scan needs no filter");
        assert_eq!(table.verify(&mut |_| {}).unwrap_err().offset(), Some(damaged.offset));
    }
}

/// Makes the checksum of a block right again.
fn reseal(bytes: &mut [u8], start: usize, len: usize) {
    let crc = Checksum::new(DATABASE, NUMBER).of(start as u64, &[&bytes[start + 4..start + len]]);
    bytes[start..start + 4].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn verify_sees_a_filter_that_keeps_a_key_back() {
    let bed = Bed::plain();
    let meta = bed.try_build(&keys(0..500)).unwrap();
    let page = bed.try_open(&meta).unwrap().filter.unwrap().pages().next().unwrap();
    let (start, len) = (page.offset as usize, page.length as usize);
    let mut bytes = bed.bytes();
    let set = (start + PAGE_HEADER_LEN..start + len).find(|at| bytes[*at] != 0).unwrap();
    bytes[set] = 0;
    reseal(&mut bytes, start, len);
    bed.replace_bytes(&bytes);
    let error = bed.try_open(&meta).unwrap().verify(&mut |_| {}).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corruption, Some(page.offset)));
}

#[test]
fn a_pointer_to_no_filter_is_damage() {
    let bed = Bed::plain();
    let meta = bed.try_build(&keys(0..500)).unwrap();
    let bytes = bed.bytes();
    let footer = bytes.len() - 64;
    let pointer = bed.try_open(&meta).unwrap().filter.unwrap().pages().next().unwrap();
    for (offset, length) in [
        (pointer.offset, pointer.length + 1),
        (pointer.offset, pointer.length - 1),
        (pointer.offset, 16),
        (pointer.offset, 0),
        (pointer.offset, u32::MAX),
        (0, pointer.length),
        (u64::MAX, pointer.length),
    ] {
        let mut forged = bytes.clone();
        forged[footer + FILTER_POINTER..][..8].copy_from_slice(&offset.to_le_bytes());
        forged[footer + FILTER_POINTER + 8..][..4].copy_from_slice(&length.to_le_bytes());
        reseal(&mut forged, footer, 64);
        bed.replace_bytes(&forged);
        let error = bed.try_open(&meta).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{offset} {length}");
    }
}

#[test]
fn a_read_from_memory_alone_asks_the_filter_if_it_is_there() {
    let bed = Bed::plain();
    let records = keys(0..2000);
    let table = bed.build(&records);
    let look = |key: &[u8]| {
        let found = find(&table, key, 9, Reach::Memory).unwrap();
        match found {
            Lookup::Found(_) => "found",
            Lookup::Absent => "absent",
            Lookup::NotCached => "not cached",
        }
    };
    assert_eq!((look(&records[7].key), look(&absent(7))), ("not cached", "not cached"));
    // Brings in the filter, which is one page, and no leaf.
    assert_eq!(get(&table, &absent(1), 9).unwrap(), None);
    assert_eq!((look(&records[7].key), look(&absent(7))), ("not cached", "absent"));
    assert!(get(&table, &records[7].key, 9).unwrap().is_some());
    assert_eq!(look(&records[7].key), "found");
    assert_eq!(look(&records[1999].key), "not cached");
    // Without its filter in memory, a look-up goes by the pages that are.
    let other = bed.try_open(table.meta()).unwrap();
    scan(&other).unwrap();
    assert!(matches!(find(&other, &absent(7), 9, Reach::Memory), Ok(Lookup::Absent)));
    assert!(matches!(find(&other, &records[7].key, 9, Reach::Memory), Ok(Lookup::Found(_))));
}

/// Leaves that flow through do not take inner pages and filters with them; nothing passes the budget.
#[test]
fn inner_pages_and_filters_outlast_leaves_in_a_small_cache() {
    let bed = Bed { cache_size: 256 << 10, ..Bed::plain() };
    let records = keys(0..30_000);
    let meta = bed.try_build(&records).unwrap();
    let context = bed.context(Arc::new(bed.vfs.clone()));
    let table = bed.try_open_in(&context, &meta).unwrap();
    for i in 0..20_000usize {
        let record = &records[i * 7919 % records.len()];
        assert_eq!(get(&table, &record.key, 9).unwrap().as_ref(), Some(record));
        assert!(context.cache.usage() <= bed.cache_size);
    }
    let (mut kept, mut all) = ([0usize; 3], [0usize; 3]);
    let mut count = |pointer, kind: PageKind, index: usize| {
        all[index] += 1;
        kept[index] += usize::from(table.cached(pointer, kind).unwrap().is_some());
    };
    table.filter.unwrap().pages().for_each(|page| count(page, PageKind::Filter, 0));
    let mut level = vec![table.root];
    for _ in 1..table.properties.height {
        let mut below = Vec::new();
        for pointer in level {
            count(pointer, PageKind::Inner, 1);
            let page = Page::load(&table.file, pointer, PageKind::Inner, true).unwrap();
            below.extend((0..page.count()).map(|index| page.inner_cell(index).child));
        }
        level = below;
    }
    level.into_iter().for_each(|leaf| count(leaf, PageKind::Leaf, 2));
    let [filter, inner, leaves] = [0, 1, 2].map(|index| kept[index] as f64 / all[index] as f64);
    assert!(leaves < 0.5, "{kept:?} of {all:?}");
    assert!(filter == 1.0 && inner > 1.5 * leaves, "{kept:?} of {all:?}");
}
