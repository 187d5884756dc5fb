//! Tables against a sorted vector, against damage, and against pinned bytes.

mod ahead;
mod damage;
mod filter;
mod hinted;
mod maps;
mod model;
mod packer;
mod shape;

use std::cmp::Ordering;
use std::path::PathBuf;

use super::*;
use crate::base::comparator::{Comparator, KeyOrder};
use crate::base::error::Result;
use crate::base::hash::hash_key;
use crate::base::lookup::{Lookup, Reach, Wanted};
use crate::base::record::{Record, RecordKind};
use crate::btree::table::FoundRecord;
use crate::cache::PageCache;
use crate::codec::{Codec, Compression};
use crate::iter::Cursor;
use crate::sync::Arc;
use crate::vfs::MemoryVfs;

const DATABASE: u64 = 0xfeed_0001;
const NUMBER: FileNumber = 7;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    key: Vec<u8>,
    sequence: SequenceNumber,
    kind: RecordKind,
    value: Vec<u8>,
}

impl Owned {
    fn put(key: impl AsRef<[u8]>, sequence: SequenceNumber, value: impl AsRef<[u8]>) -> Self {
        let (key, value) = (key.as_ref().to_vec(), value.as_ref().to_vec());
        Owned { key, sequence, kind: RecordKind::Put, value }
    }

    fn lend(&self) -> Record<'_> {
        Record { key: &self.key, sequence: self.sequence, kind: self.kind, value: &self.value }
    }
}

impl From<Record<'_>> for Owned {
    fn from(record: Record<'_>) -> Self {
        let (key, value) = (record.key.to_vec(), record.value.to_vec());
        Owned { key, sequence: record.sequence, kind: record.kind, value }
    }
}

struct Reversed;

impl Comparator for Reversed {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        b.cmp(a)
    }
}

/// Calls many keys equal, so that their bytes decide.
struct ByLength;

impl Comparator for ByLength {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.len().cmp(&b.len())
    }
}

fn orders() -> [KeyOrder; 3] {
    [KeyOrder::Bytewise, KeyOrder::Custom(Arc::new(Reversed)), KeyOrder::Custom(Arc::new(ByLength))]
}

/// A disk with tables of one kind.
#[derive(Clone, Debug)]
struct Bed {
    vfs: MemoryVfs,
    options: TableOptions,
    cache_size: usize,
    mapped: bool,
}

impl Bed {
    fn new(order: KeyOrder, page_size: usize, codec: Codec) -> Self {
        let keyspace = KeyspaceId(3);
        let options = TableOptions {
            database_id: DATABASE,
            number: NUMBER,
            keyspace,
            order,
            page_size,
            compression: Compression { codec, level: 1 },
        };
        Bed { vfs: MemoryVfs::default(), options, cache_size: 1 << 20, mapped: false }
    }

    fn plain() -> Self {
        Self::new(KeyOrder::Bytewise, 512, Codec::Raw)
    }

    fn path(&self) -> PathBuf {
        PathBuf::from("/").join(crate::base::filename::FileKind::Table.name(self.options.number))
    }

    fn builder(&self) -> Result<TableBuilder> {
        let vfs: Arc<dyn crate::vfs::Vfs> = Arc::new(self.vfs.clone());
        TableBuilder::create(&vfs, "/".as_ref(), self.options.clone())
    }

    fn try_build(&self, records: &[Owned]) -> Result<TableMeta> {
        let mut builder = self.builder()?;
        for record in records {
            builder.add(record.lend())?;
        }
        builder.finish()
    }

    /// With a cache of its own.
    fn try_open(&self, meta: &TableMeta) -> Result<Arc<Table>> {
        self.try_open_in(&self.context(Arc::new(self.vfs.clone())), meta)
    }

    fn try_open_in(&self, context: &TableContext, meta: &TableMeta) -> Result<Arc<Table>> {
        Ok(Arc::new(Table::open(context, meta, self.options.order.clone())?))
    }

    fn context(&self, vfs: Arc<dyn crate::vfs::Vfs>) -> TableContext {
        TableContext {
            vfs,
            folder: "/".into(),
            database_id: self.options.database_id,
            cache: Arc::new(PageCache::new(self.cache_size)),
            meters: Arc::default(),
            maps: Arc::new(Maps::new(if self.mapped { u64::MAX } else { 0 })),
        }
    }

    fn build(&self, records: &[Owned]) -> Arc<Table> {
        let meta = self.try_build(records).unwrap();
        self.try_open(&meta).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        self.vfs.read_file(self.path()).unwrap()
    }

    fn replace_bytes(&self, bytes: &[u8]) {
        self.vfs.write_file(self.path(), bytes).unwrap();
    }

    /// Sorts and drops records with the same place.
    fn sort(&self, records: &mut Vec<Owned>) {
        let order = &self.options.order;
        records.sort_by(|a, b| order.compare_records((&a.key, a.sequence), (&b.key, b.sequence)));
        records.dedup_by(|a, b| a.key == b.key && a.sequence == b.sequence);
    }
}

/// As the engine finds it: counted, and then lent, once the pages on the way are named.
fn get(table: &Table, key: &[u8], sequence: SequenceNumber) -> Result<Option<Owned>> {
    let owned = |found: Lookup<FoundRecord<'static>>| {
        found.on_disk().map(|found| Owned {
            key: key.to_vec(),
            sequence: found.sequence,
            kind: found.kind,
            value: found.value().to_vec(),
        })
    };
    let found = find(table, key, sequence, Reach::Disk).map(owned)?;
    assert_eq!(find(table, key, sequence, Reach::Disk).map(owned)?, found);
    Ok(found)
}

fn find(
    table: &Table,
    key: &[u8],
    sequence: SequenceNumber,
    reach: Reach,
) -> Result<Lookup<FoundRecord<'static>>> {
    let mut counted = |record: FoundRecord<'_>| record.counted();
    table.get(&Wanted { key, hash: hash_key(key), sequence }, reach, &mut counted)
}

fn scan(table: &Arc<Table>) -> Result<Vec<Owned>> {
    let mut cursor = table.cursor();
    let mut seen = Vec::new();
    cursor.seek_first()?;
    while cursor.valid() {
        seen.push(cursor.record().into());
        cursor.next()?;
    }
    Ok(seen)
}

fn scan_back(table: &Arc<Table>) -> Result<Vec<Owned>> {
    let mut cursor = table.cursor();
    let mut seen = Vec::new();
    cursor.seek_last()?;
    while cursor.valid() {
        seen.push(cursor.record().into());
        cursor.prev()?;
    }
    seen.reverse();
    Ok(seen)
}

/// A few hundred records with keys that share and do not share beginnings, versions and tombstones.
fn sample(count: u64) -> Vec<Owned> {
    let mut records: Vec<Owned> = (0..count)
        .map(|i| {
            Owned::put(format!("{}/{:05}", ["user", "item"][(i % 2) as usize], i / 4), i + 1, [i as u8; 40])
        })
        .collect();
    for record in records.iter_mut().step_by(11) {
        record.kind = RecordKind::Delete;
        record.value.clear();
    }
    Bed::plain().sort(&mut records);
    records
}
