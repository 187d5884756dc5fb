//! The structures that every read and write goes through, one by one.
//!
//! `make speed-structures`, or `cargo bench -p lightning_db --features internals` with a name behind `--` to pick some.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use lightning_db::internals::*;
use lightning_db::vfs::{MemoryVfs, Vfs};

const RECORDS: u64 = 100_000;
const VALUE: [u8; 100] = [7; 100];

/// Keys of 16 bytes without order, and one for each number.
fn key(number: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    key
}

fn record<'a>(key: &'a [u8], sequence: u64) -> Record<'a> {
    Record { key, sequence, kind: RecordKind::Put, value: &VALUE }
}

/// The records `first`, `first + step` and so on.
fn memtable(first: u64, step: usize) -> Arc<Memtable> {
    let memtable = Arc::new(Memtable::new(KeyOrder::Bytewise));
    let mut writer = memtable.writer();
    for number in (first..RECORDS).step_by(step) {
        writer.insert(&key(number), number + 1, RecordKind::Put, &VALUE).unwrap();
    }
    drop(writer);
    memtable
}

fn memtables(c: &mut Criterion) {
    let mut group = c.benchmark_group("memtable");
    group.throughput(Throughput::Elements(RECORDS)).sample_size(20);
    group.bench_function("insert", |b| b.iter_with_large_drop(|| memtable(0, 1)));
    let full = memtable(0, 1);
    let mut number = 0;
    group.throughput(Throughput::Elements(1));
    group.bench_function("get", |b| {
        b.iter(|| {
            number = (number + 7919) % RECORDS;
            black_box(full.get(&key(number), u64::MAX >> 8))
        });
    });
    group.finish();
}

fn merge(c: &mut Criterion) {
    let mut group = c.benchmark_group("merge");
    group.throughput(Throughput::Elements(RECORDS)).sample_size(20);
    for sources in [1u64, 2, 8] {
        let tables: Vec<_> = (0..sources).map(|first| memtable(first, sources as usize)).collect();
        let cursors = || tables.iter().map(|table| Box::new(table.cursor()) as Box<dyn Cursor>).collect();
        group.bench_function(format!("{sources} memtables"), |b| {
            b.iter(|| {
                let mut merged = MergeCursor::new(KeyOrder::Bytewise, cursors());
                merged.seek_first().unwrap();
                while merged.valid() {
                    black_box(merged.record());
                    merged.next().unwrap();
                }
            });
        });
    }
    group.finish();
}

/// A table of all records in memory, and a cache that holds it.
fn table() -> Arc<Table> {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    let options = TableOptions {
        database_id: 1,
        number: 1,
        keyspace: KeyspaceId::DEFAULT,
        order: KeyOrder::Bytewise,
        page_size: 4096,
        compression: Compression { codec: Codec::Lz4, level: 0 },
    };
    let mut builder = TableBuilder::create(&vfs, Path::new("/"), options).unwrap();
    let mut keys: Vec<_> = (0..RECORDS).map(key).collect();
    keys.sort_unstable();
    for key in &keys {
        builder.add(record(key, 0)).unwrap();
    }
    let meta = builder.finish().unwrap();
    let context = TableContext {
        cache: Arc::new(PageCache::new(64 << 20)),
        ..TableContext::uncached(&vfs, Path::new("/"), 1, &Arc::default())
    };
    Arc::new(Table::open(&context, &meta, KeyOrder::Bytewise).unwrap())
}

fn pages(c: &mut Criterion) {
    let mut group = c.benchmark_group("pages");
    let table = table();
    let get = |key: &[u8]| {
        let wanted = Wanted { key, hash: hash_key(key), sequence: u64::MAX >> 8 };
        let found = table.get(&wanted, Reach::Disk, &mut |found: FoundRecord<'_>| found.value().len());
        matches!(found.unwrap(), Lookup::Found(len) if len == VALUE.len())
    };
    // The first look brings a page in.
    assert!((0..RECORDS).all(|number| get(&key(number))));
    let mut number = 0;
    group.throughput(Throughput::Elements(1));
    group.bench_function("search", |b| {
        b.iter(|| {
            number = (number + 7919) % RECORDS;
            black_box(get(&key(number)))
        });
    });
    group.bench_function("absent", |b| {
        b.iter(|| {
            number += 1;
            black_box(get(&key(RECORDS + number)))
        });
    });
    group.throughput(Throughput::Elements(RECORDS)).sample_size(20);
    group.bench_function("walk", |b| {
        b.iter(|| {
            let mut cursor = table.cursor();
            cursor.seek_first().unwrap();
            while cursor.valid() {
                black_box(cursor.record());
                cursor.next().unwrap();
            }
        });
    });
    group.finish();
}

fn cache(c: &mut Criterion) {
    const PAGE: usize = 4096;
    let cache = PageCache::<Marked<()>>::new(64 << 20);
    let insert = |page: u64| cache.insert_named(1, page, Marked::new(()), PAGE, Priority::Normal, None);
    let mut group = c.benchmark_group("cache");
    group.throughput(Throughput::Elements(1));
    let mut page = 0;
    group.bench_function("insert and evict", |b| {
        b.iter(|| {
            page += 1;
            insert(page);
        });
    });
    (0..1000).for_each(insert);
    let mut page = 0;
    group.bench_function("get through the lock", |b| {
        b.iter(|| {
            page = (page + 7) % 1000;
            black_box(cache.get(1, page))
        });
    });
    group.finish();
}

fn log(c: &mut Criterion) {
    let vfs = MemoryVfs::default();
    let create = || {
        let kind = FileKind::Log;
        let _ = vfs.remove(&Path::new("/").join(kind.name(1)));
        let header = FileHeader { kind, database_id: 1, number: 1, first_sequence: 1, previous_log: 0 };
        LogWriter::create(&vfs, Path::new("/"), header).unwrap()
    };
    let mut group = c.benchmark_group("log");
    for (name, records) in [("append 1", 1), ("append 1000", 1000)] {
        group.throughput(Throughput::Elements(records));
        group.bench_function(name, |b| {
            b.iter_batched_ref(
                create,
                |log| {
                    for number in 0..records {
                        log.append(&[&key(number), &VALUE]).unwrap();
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(structures, memtables, merge, pages, cache, log);
criterion_main!(structures);
