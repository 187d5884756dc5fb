//! Tables that are mapped: what is read, what is counted, and when a map goes.

use super::*;
use crate::base::error::ErrorKind;
use crate::base::lookup::{Lookup, Reach};
use crate::btree::format::PageKind;
use crate::vfs::{Call, OsVfs, RecordingVfs, Vfs};

/// A folder of the operating system with tables, and what is asked of them.
struct Disk {
    folder: tempfile::TempDir,
    vfs: RecordingVfs,
    bed: Bed,
}

impl Disk {
    fn new(codec: Codec) -> Self {
        let bed = Bed::new(KeyOrder::Bytewise, 512, codec);
        Disk { folder: tempfile::tempdir().unwrap(), vfs: RecordingVfs::new(Arc::new(OsVfs)), bed }
    }

    fn context(&self, limit: u64) -> TableContext {
        TableContext {
            vfs: Arc::new(self.vfs.clone()),
            folder: self.folder.path().to_owned(),
            database_id: DATABASE,
            cache: Arc::new(PageCache::new(1 << 20)),
            meters: Arc::default(),
            maps: Arc::new(Maps::new(limit)),
        }
    }

    fn build(&self, number: FileNumber, records: &[Owned]) -> TableMeta {
        let vfs: Arc<dyn Vfs> = Arc::new(OsVfs);
        let options = TableOptions { number, ..self.bed.options.clone() };
        let mut builder = TableBuilder::create(&vfs, self.folder.path(), options).unwrap();
        for record in records {
            builder.add(record.lend()).unwrap();
        }
        builder.finish().unwrap()
    }

    fn open(&self, context: &TableContext, meta: &TableMeta) -> Arc<Table> {
        self.bed.try_open_in(context, meta).unwrap()
    }

    /// Maps, and positional reads, since the last time.
    fn calls(&self) -> (usize, usize) {
        let calls = self.vfs.take();
        let count = |kind: fn(&Call) -> bool| calls.iter().filter(|call| kind(call)).count();
        (count(|call| matches!(call, Call::Map { .. })), count(|call| matches!(call, Call::ReadAt { .. })))
    }
}

fn use_all(table: &Arc<Table>, records: &[Owned]) {
    for record in records {
        assert_eq!(get(table, &record.key, record.sequence).unwrap().as_ref(), Some(record));
        assert_eq!(get(table, &[&record.key[..], b"x"].concat(), 999).unwrap(), None);
    }
    assert_eq!(scan(table).unwrap(), records);
    assert_eq!(scan_back(table).unwrap(), records);
    table.verify(&mut |_| {}).unwrap();
}

#[test]
fn a_table_is_mapped_once_and_not_read_or_read_and_not_mapped() {
    for codec in [Codec::Raw, Codec::Lz4] {
        let disk = Disk::new(codec);
        let records = sample(400);
        let meta = disk.build(1, &records);
        for (limit, mapped) in [(u64::MAX, true), (meta.size, true), (meta.size - 1, false), (0, false)] {
            let context = disk.context(limit);
            let table = disk.open(&context, &meta);
            use_all(&table, &records);
            let (maps, reads) = disk.calls();
            assert_eq!((maps, reads == 0), if mapped { (1, true) } else { (0, false) }, "{codec:?} {limit}");
            assert_eq!(context.maps.mapped(), if mapped { meta.size } else { 0 });
        }
    }
}

/// Raw pages are parts of the map; what is decompressed, and the filter, is memory of the cache.
#[test]
fn raw_pages_of_a_map_take_no_memory_of_the_cache() {
    for (codec, borrows) in [(Codec::Raw, true), (Codec::Zstd, false)] {
        let disk = Disk::new(codec);
        let records = sample(400);
        let meta = disk.build(1, &records);
        let usage = [0, u64::MAX].map(|limit| {
            let context = disk.context(limit);
            scan(&disk.open(&context, &meta)).unwrap();
            context.cache.usage()
        });
        assert_eq!(usage[1] < usage[0] / 2, borrows, "{codec:?}: {usage:?} bytes read, mapped");
        let table = disk.open(&disk.context(u64::MAX), &meta);
        let map = table.file.map.as_ref().unwrap().as_ptr_range();
        let record = &records[0];
        let found = find(&table, &record.key, record.sequence, Reach::Disk).unwrap().on_disk().unwrap();
        assert_eq!(map.contains(&found.page.bytes(0..1).as_ptr()), borrows);
    }
}

#[test]
fn the_budget_is_kept_and_comes_back() {
    let disk = Disk::new(Codec::Raw);
    let records = sample(400);
    let metas: Vec<_> = (1..=3).map(|number| disk.build(number, &records)).collect();
    let size = metas[0].size;
    let context = disk.context(2 * size + size / 2);
    let mut tables: Vec<_> = metas.iter().map(|meta| disk.open(&context, meta)).collect();
    tables.iter().for_each(|table| use_all(table, &records));
    assert_eq!(disk.calls().0, 2);
    assert_eq!(context.maps.mapped(), 2 * size);
    assert!(tables[2].file.map.is_none());

    // Pages in the cache and records in a reader's hands hold the map that they are of.
    let (key, sequence) = (&records[9].key, records[9].sequence);
    let held = find(&tables[0], key, sequence, Reach::Disk).unwrap();
    tables.remove(0);
    context.cache.remove_file(1);
    assert_eq!(context.maps.mapped(), 2 * size);
    let Lookup::Found(held) = held else { panic!("a record that was put") };
    assert_eq!(held.value(), records[9].value);
    drop(held);
    // A reader of another test may be seen to be under way.
    let goes_down_to = |left: u64| {
        (0..100_000).any(|_| {
            std::thread::yield_now();
            context.cache.remove_file(1);
            context.maps.mapped() == left
        })
    };
    assert!(goes_down_to(size));

    let again = disk.open(&context, &metas[2]);
    assert!(again.file.map.is_some());
    assert_eq!(context.maps.mapped(), 2 * size);
    drop((tables, again));
    context.cache.clear();
    assert!(goes_down_to(0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_map_goes_with_its_table() {
    let disk = Disk::new(Codec::Raw);
    let records = sample(400);
    let meta = disk.build(1, &records);
    let path = disk.folder.path().join(crate::base::filename::FileKind::Table.name(1));
    let maps = || std::fs::read_to_string("/proc/self/maps").unwrap();
    let context = disk.context(u64::MAX);
    let table = disk.open(&context, &meta);
    assert!(maps().contains(path.to_str().unwrap()));
    // A removed file is read to the end.
    std::fs::remove_file(&path).unwrap();
    use_all(&table, &records);
    drop(table);
    // A reader of another test may be seen to be under way.
    let is_gone = || {
        std::thread::yield_now();
        context.cache.remove_file(1);
        !maps().contains(path.to_str().unwrap())
    };
    assert!((0..10_000).any(|_| is_gone()));
}

/// Each time that a page comes in, its checksum is looked at: the map may have changed since.
#[test]
#[cfg(unix)]
fn a_page_of_a_map_is_verified_whenever_it_is_brought_in() {
    use std::os::unix::fs::FileExt;
    let disk = Disk::new(Codec::Raw);
    let records = sample(400);
    let meta = disk.build(1, &records);
    let context = disk.context(u64::MAX);
    let table = disk.open(&context, &meta);
    use_all(&table, &records);
    let path = disk.folder.path().join(crate::base::filename::FileKind::Table.name(1));
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    let root = table.page(table.root, PageKind::Inner).unwrap();
    let below = root.inner_cell(0).child;
    // The first byte of a stored page: unlike any length of this table.
    file.write_all_at(&[0xff], below.offset + 4).unwrap();
    context.cache.clear();
    let error = get(&table, &records[0].key, 999).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corruption, Some(below.offset)));
    assert!(get(&table, &records[399].key, 999).unwrap().is_some());
}

/// A system without maps, or without room for one more.
#[test]
fn a_map_that_fails_is_a_table_that_is_read() {
    let bed = Bed { mapped: true, ..Bed::plain() };
    let records = sample(100);
    let meta = bed.try_build(&records).unwrap();
    #[derive(Debug)]
    struct Refuses;
    impl crate::vfs::VfsFile for Refuses {
        fn read_at(&self, _: &mut [u8], _: u64) -> std::io::Result<()> {
            Ok(())
        }
        fn write_at(&self, _: &[u8], _: u64) -> std::io::Result<()> {
            Ok(())
        }
        fn len(&self) -> std::io::Result<u64> {
            Ok(1000)
        }
        fn set_len(&self, _: u64) -> std::io::Result<()> {
            Ok(())
        }
        fn preallocate(&self, _: u64) -> std::io::Result<()> {
            Ok(())
        }
        fn sync_data(&self) -> std::io::Result<()> {
            Ok(())
        }
        fn sync_all(&self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let maps = Arc::new(Maps::new(1 << 20));
    assert!(maps.map(&Refuses, 1000).is_none());
    assert_eq!(maps.mapped(), 0, "and takes nothing of the budget");
    let context = TableContext { maps: Arc::default(), ..bed.context(Arc::new(bed.vfs.clone())) };
    use_all(&bed.try_open_in(&context, &meta).unwrap(), &records);
}
