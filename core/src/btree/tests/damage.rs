//! Damaged tables: an error that names the place, never a panic or a wrong answer.

use super::*;
use crate::base::checksum::Checksum;
use crate::base::error::{Error, ErrorKind};
use crate::base::filename::FileKind;
use crate::base::header::FileHeader;
use crate::btree::footer::Footer;
use crate::btree::format::{PageKind, PagePointer};
use crate::btree::node_builder::{Entry, Middle, NodeBuilder};
use crate::btree::properties::Properties;
use crate::btree::sink::Sink;
use crate::vfs::{OpenMode, Vfs};

fn is_honest(error: &Error) -> bool {
    let kinds = [ErrorKind::Corruption, ErrorKind::UnsupportedVersion, ErrorKind::Mismatch];
    kinds.contains(&error.kind()) && error.file().is_some()
}

/// Every answer is the right one, or an error that names the file.
fn answers_honestly(bed: &Bed, meta: &TableMeta, records: &[Owned]) -> bool {
    let mut errors = 0;
    let mut judge = |right: Result<bool>| match right {
        Ok(right) => assert!(right),
        Err(error) => {
            assert!(is_honest(&error), "{error}");
            errors += 1;
        }
    };
    match bed.try_open(meta) {
        Err(error) => judge(Err(error)),
        Ok(table) => {
            for record in records {
                judge(get(&table, &record.key, record.sequence).map(|found| found.as_ref() == Some(record)));
            }
            judge(scan(&table).map(|seen| seen == records));
            judge(scan_back(&table).map(|seen| seen == records));
            let before = errors;
            if let Err(error) = table.verify(&mut |_| {}) {
                assert!(is_honest(&error), "{error}");
                errors += 1;
            }
            assert!(before == 0 || errors > before, "verify must see what a reader sees");
        }
    }
    errors == 0
}

#[test]
fn every_flipped_byte_is_found() {
    let ways = [Codec::Raw, Codec::Zstd, Codec::Lz4, Codec::Snappy].map(|codec| (codec, false));
    for (codec, mapped) in ways.into_iter().chain([(Codec::Raw, true), (Codec::Lz4, true)]) {
        let bed = Bed { mapped, ..Bed::new(KeyOrder::Bytewise, 512, codec) };
        let records = sample(60);
        let meta = bed.try_build(&records).unwrap();
        let bytes = bed.bytes();
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                bed.vfs.corrupt(bed.path(), at as u64, |byte| *byte ^= flip).unwrap();
                assert!(!answers_honestly(&bed, &meta, &records), "byte {at} of {}", bytes.len());
                bed.vfs.corrupt(bed.path(), at as u64, |byte| *byte ^= flip).unwrap();
            }
        }
        assert!(answers_honestly(&bed, &meta, &records));
    }
}

#[test]
fn a_file_cut_at_any_length_is_damaged() {
    let bed = Bed::plain();
    let records = sample(60);
    let meta = bed.try_build(&records).unwrap();
    let bytes = bed.bytes();
    for len in 0..bytes.len() {
        bed.replace_bytes(&bytes[..len]);
        assert_eq!(bed.try_open(&meta).unwrap_err().kind(), ErrorKind::Corruption);
        let short = TableMeta { size: len as u64, ..meta.clone() };
        assert_eq!(bed.try_open(&short).unwrap_err().kind(), ErrorKind::Corruption);
    }
    bed.replace_bytes(&[&bytes[..], &[0]].concat());
    assert_eq!(bed.try_open(&meta).unwrap_err().kind(), ErrorKind::Corruption);
    bed.vfs.remove(&bed.path()).unwrap();
    let error = bed.try_open(&meta).unwrap_err();
    assert_eq!((error.kind(), error.file()), (ErrorKind::Corruption, Some(&*bed.path())));
}

#[test]
fn a_file_cut_while_open_is_damaged() {
    let bed = Bed { cache_size: 0, ..Bed::plain() };
    let records = sample(60);
    let table = bed.build(&records);
    bed.vfs.open(&bed.path(), OpenMode::ReadWrite).unwrap().set_len(700).unwrap();
    for result in [scan(&table), scan_back(&table)] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Corruption);
    }
    assert_eq!(table.verify(&mut |_| {}).unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn a_cursor_is_invalid_after_an_error() {
    let bed = Bed { cache_size: 0, ..Bed::plain() };
    let records = sample(60);
    let table = bed.build(&records);
    let mut cursor = table.cursor();
    cursor.seek_first().unwrap();
    bed.replace_bytes(b"");
    let error = loop {
        if let Err(error) = cursor.next() {
            break error;
        }
    };
    assert!(is_honest(&error) && !cursor.valid());
    assert!(cursor.seek_last().is_err() && !cursor.valid());
}

/// All pages of the file, in order of place.
fn pages(bytes: &[u8]) -> Vec<PagePointer> {
    let mut pages = Vec::new();
    let mut offset = 64;
    while offset < bytes.len() - 64 {
        let stored = u32::from_le_bytes(bytes[offset + 4..offset + 8].try_into().unwrap());
        pages.push(PagePointer { offset: offset as u64, length: stored + 16 });
        offset += stored as usize + 16;
    }
    pages
}

fn page_range(page: &PagePointer) -> std::ops::Range<usize> {
    page.offset as usize..page.offset as usize + page.length as usize
}

#[test]
fn swapped_pages_are_found() {
    let bed = Bed::plain();
    let records: Vec<_> = (0..100u32).map(|i| Owned::put(i.to_be_bytes(), 5, [i as u8; 50])).collect();
    let meta = bed.try_build(&records).unwrap();
    let bytes = bed.bytes();
    let pages = pages(&bytes);
    let mut swaps = 0;
    for (i, a) in pages.iter().enumerate() {
        for b in pages[i + 1..].iter().filter(|b| b.length == a.length) {
            let mut swapped = bytes.clone();
            swapped[page_range(a)].copy_from_slice(&bytes[page_range(b)]);
            swapped[page_range(b)].copy_from_slice(&bytes[page_range(a)]);
            bed.replace_bytes(&swapped);
            assert!(!answers_honestly(&bed, &meta, &records));
            swaps += 1;
        }
    }
    assert!(swaps > 10);
}

#[test]
fn another_table_under_this_name_is_found() {
    let records = sample(60);
    let bed = Bed::plain();
    let meta = bed.try_build(&records).unwrap();
    let others = [
        TableOptions { number: NUMBER + 1, ..bed.options.clone() },
        TableOptions { database_id: DATABASE + 1, ..bed.options.clone() },
    ];
    for options in others {
        let other = Bed { vfs: MemoryVfs::default(), options, ..bed.clone() };
        other.try_build(&records).unwrap();
        bed.replace_bytes(&other.bytes());
        assert_eq!(bed.try_open(&meta).unwrap_err().kind(), ErrorKind::Corruption);
    }
}

#[test]
fn another_order_is_a_mismatch_and_another_meta_damage() {
    let bed = Bed::plain();
    let meta = bed.try_build(&sample(60)).unwrap();
    for order in &orders()[1..] {
        let mut other = bed.clone();
        other.options.order = order.clone();
        let error = other.try_open(&meta).unwrap_err();
        assert_eq!((error.kind(), error.file()), (ErrorKind::Mismatch, Some(&*bed.path())));
    }
    let metas = [
        TableMeta { keyspace: KeyspaceId(4), ..meta.clone() },
        TableMeta { entries: 59, ..meta.clone() },
        TableMeta { tombstones: 0, ..meta.clone() },
        TableMeta { smallest_sequence: 0, ..meta.clone() },
        TableMeta { largest_sequence: 99, ..meta.clone() },
        TableMeta { smallest_key: vec![], ..meta.clone() },
        TableMeta { largest_key: vec![255], ..meta.clone() },
    ];
    for meta in metas {
        assert_eq!(bed.try_open(&meta).unwrap_err().kind(), ErrorKind::Corruption);
    }
}

/// Makes the checksum of a block right again.
fn reseal(bytes: &mut [u8], offset: u64, range: std::ops::Range<usize>) {
    let crc = Checksum::new(DATABASE, NUMBER).of(offset, &[&bytes[range.start + 4..range.end]]);
    bytes[range.start..range.start + 4].copy_from_slice(&crc.to_le_bytes());
}

/// A file made by an enemy: wrong answers cannot be helped, panics and endless loops can.
#[test]
fn wrong_bytes_under_right_checksums_do_no_harm() {
    let ways = [(Codec::Raw, true), (Codec::Lz4, false), (Codec::Raw, false)];
    for (order, (codec, mapped)) in orders().into_iter().zip(ways) {
        let bed = Bed { mapped, ..Bed::new(order, 512, codec) };
        let mut records = sample(60);
        bed.sort(&mut records);
        let meta = bed.try_build(&records).unwrap();
        let bytes = bed.bytes();
        let footer = PagePointer { offset: bytes.len() as u64 - 64, length: 64 };
        for block in pages(&bytes).into_iter().chain([footer]) {
            for at in page_range(&block).skip(4) {
                for change in [1, 0x10, 0x80, 0xff] {
                    let mut forged = bytes.clone();
                    forged[at] = forged[at].wrapping_add(change);
                    reseal(&mut forged, block.offset, page_range(&block));
                    bed.replace_bytes(&forged);
                    use_all(&bed, &meta, &records);
                }
            }
        }
    }
}

fn use_all(bed: &Bed, meta: &TableMeta, records: &[Owned]) {
    let honest = |error: Error| assert!(is_honest(&error), "{error}");
    let Ok(table) = bed.try_open(meta).map_err(honest) else { return };
    for record in records.iter().step_by(3) {
        let _ = get(&table, &record.key, record.sequence).map_err(honest);
        let mut cursor = table.cursor();
        let _ = cursor.seek(&record.key, record.sequence).map_err(honest);
        let _ = cursor.seek_before(&record.key, record.sequence).map_err(honest);
    }
    let _ = scan(&table).map_err(honest);
    let _ = scan_back(&table).map_err(honest);
    let _ = table.verify(&mut |_| {}).map_err(honest);
}

/// Swaps, under right checksums, what the tree rests on: verify must see each.
#[test]
fn verify_sees_a_tree_that_is_put_together_wrongly() {
    let bed = Bed::plain();
    let records: Vec<_> = (0..100u32).map(|i| Owned::put(i.to_be_bytes(), 5, [i as u8; 50])).collect();
    let meta = bed.try_build(&records).unwrap();
    let bytes = bed.bytes();
    let table = bed.try_open(&meta).unwrap();
    assert_eq!(table.properties.height, 2);
    let root = page_range(&table.root);
    let find = |needle: &[u8]| {
        root.start + bytes[root.clone()].windows(needle.len()).position(|w| w == needle).unwrap()
    };
    let child = |index: usize| {
        let page = table.page(table.root, PageKind::Inner).unwrap();
        page.inner_cell(index).child.encode()
    };
    let fails = |forged: &mut Vec<u8>| {
        reseal(forged, table.root.offset, root.clone());
        bed.replace_bytes(forged);
        let error = bed.try_open(&meta).unwrap().verify(&mut |_| {}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption);
    };

    let mut twice = bytes.clone();
    twice[find(&child(2))..][..12].copy_from_slice(&child(1));
    fails(&mut twice);

    let mut swapped = bytes.clone();
    swapped[find(&child(2))..][..12].copy_from_slice(&child(1));
    swapped[find(&child(1))..][..12].copy_from_slice(&child(2));
    fails(&mut swapped);

    // The head of a separator, too high and too low by one: still in order, but no longer between its children.
    let heads = root.start + 16 + 12;
    let prefix = u32::from_le_bytes(bytes[root.start + 20..root.start + 24].try_into().unwrap()) as usize;
    assert_eq!(prefix, 3, "which leaves one byte to a separator");
    let suffix_end = heads + prefix + 3 * 8;
    for change in [1, 0xff] {
        let mut moved = bytes.clone();
        moved[suffix_end] = moved[suffix_end].wrapping_add(change);
        fails(&mut moved);
    }
    let mut padded = bytes.clone();
    padded[heads + prefix + 3 * 8 + 7] = 1;
    fails(&mut padded);
}

#[test]
fn verify_sees_bytes_of_no_page() {
    let bed = Bed::plain();
    let meta = bed.try_build(&sample(60)).unwrap();
    let mut bytes = bed.bytes();
    let end = bytes.len() - 64;
    bytes.splice(end..end, [0; 20]);
    reseal(&mut bytes, end as u64 + 20, end + 20..end + 84);
    bed.replace_bytes(&bytes);
    let table = bed.try_open(&TableMeta { size: meta.size + 20, ..meta }).unwrap();
    assert_eq!(scan(&table).unwrap(), sample(60));
    let error = table.verify(&mut |_| {}).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corruption, Some(end as u64)));
}

#[test]
fn a_child_behind_its_parent_is_damage() {
    let bed = Bed::plain();
    let meta = bed.try_build(&sample(60)).unwrap();
    let bytes = bed.bytes();
    let root = bed.try_open(&meta).unwrap().root;
    let first_child = pages(&bytes)[0].encode();
    let at = bytes[page_range(&root)].windows(12).position(|window| window == first_child).unwrap();
    for wrong in [root, pages(&bytes).last().copied().unwrap(), PagePointer { offset: 0, length: 64 }] {
        let mut forged = bytes.clone();
        forged[page_range(&root)][at..at + 12].copy_from_slice(&wrong.encode());
        reseal(&mut forged, root.offset, page_range(&root));
        bed.replace_bytes(&forged);
        let error = scan(&bed.try_open(&meta).unwrap()).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Corruption, Some(root.offset)));
    }
}

/// Each inner page has twice the same child: a walk over this table of 41 pages would take 2^40 leaves.
#[test]
fn a_tree_that_shares_its_pages_is_not_walked_forever() {
    let bed = Bed::plain();
    let file = bed.vfs.open(&bed.path(), OpenMode::CreateNew).unwrap();
    let mut sink = Sink::new(bed.path(), Checksum::new(DATABASE, NUMBER), file, Compression::NONE);
    let header = FileHeader {
        kind: FileKind::Table,
        database_id: DATABASE,
        number: NUMBER,
        first_sequence: 0,
        previous_log: 0,
    };
    sink.append(&header.encode()).unwrap();
    let mut append = |kind, entries: [(&[u8], Middle, &[u8]); 2]| {
        let mut node = NodeBuilder::new(true);
        for (key, middle, tail) in entries {
            let entry = Entry { key, middle, tail };
            node.push(node.plan(&entry), &entry);
        }
        let mut raw = Vec::new();
        node.encode(&mut raw).unwrap();
        sink.append_page(kind, &mut raw).unwrap()
    };
    // Falling, so that the last record of the leaf is in front of its first one.
    let put = Middle::of_record(RecordKind::Put, 1);
    let mut root = append(PageKind::Leaf, [(b"b", put, b""), (b"a", put, b"")]);
    for _ in 0..40 {
        let (child, bound) = (root.encode(), Middle::of_child(None));
        root = append(PageKind::Inner, [(b"", bound, &child), (b"aa", bound, &child)]);
    }
    let mut properties = Properties::new(bed.options.keyspace, "bytewise");
    properties.count(Owned::put("a", 1, "").lend(), true);
    properties.height = 41;
    let pointer = sink.append_page(PageKind::Properties, &mut properties.encode()).unwrap();
    let footer = Footer { root, properties: pointer, filter: PagePointer::NONE };
    sink.append(&footer.encode(&sink.checksum, sink.position())).unwrap();
    sink.write_buffer().unwrap();

    let table = bed.try_open(&properties.meta(NUMBER, sink.position())).unwrap();
    for result in [scan(&table), scan_back(&table)] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Corruption);
    }
    assert_eq!(table.verify(&mut |_| {}).unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn a_comparator_that_changed_its_mind_is_a_mismatch() {
    let bed = Bed::plain();
    let meta = bed.try_build(&sample(60)).unwrap();
    struct Liar;
    impl Comparator for Liar {
        fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
            b.cmp(a)
        }
        fn name(&self) -> &str {
            "bytewise"
        }
    }
    let mut other = bed.clone();
    other.options.order = KeyOrder::Custom(Arc::new(Liar));
    assert_eq!(other.try_open(&meta).unwrap_err().kind(), ErrorKind::Mismatch);
}
