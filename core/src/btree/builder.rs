//! Building a table: records in rising order go in, a B+tree comes out, every page written once.

use std::cmp::Ordering;
use std::path::Path;

use crate::base::checksum::Checksum;
use crate::base::coding::Decoder;
use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::header::FileHeader;
use crate::base::ids::{FileNumber, KeyspaceId, MAX_SEQUENCE, SequenceNumber};
use crate::base::limits::check_record;
use crate::base::record::{Record, RecordKind};
use crate::btree::TableMeta;
use crate::btree::filter::FilterBuilder;
use crate::btree::footer::Footer;
use crate::btree::format::{PageKind, PagePointer, common_prefix_len};
use crate::btree::node_builder::{Entry, Middle, NodeBuilder};
use crate::btree::packer::{Batch, Packer};
use crate::btree::properties::Properties;
use crate::btree::sink::{Sink, TableSyncer, shrink};
use crate::codec::Compression;
use crate::sync::Arc;
use crate::vfs::{OpenMode, Vfs};

/// What a table is made with.
#[derive(Clone, Debug)]
pub struct TableOptions {
    /// The database that it belongs to.
    pub database_id: u64,
    /// Its number.
    pub number: FileNumber,
    /// The keyspace of its records.
    pub keyspace: KeyspaceId,
    /// The order of its records.
    pub order: KeyOrder,
    /// Raw bytes at which a page is full.
    pub page_size: usize,
    /// How pages are compressed for which it pays.
    pub compression: Compression,
}

/// Writes one table. After an error it can only be dropped. Dropped unfinished, it removes its file.
#[derive(Debug)]
pub struct TableBuilder {
    vfs: Arc<dyn Vfs>,
    options: TableOptions,
    sink: Sink,
    /// Leaves are compressed on another thread.
    packer: Option<Packer>,
    properties: Properties,
    /// Of the record added last.
    sequence: SequenceNumber,
    leaf: NodeBuilder,
    /// Where the leaf in the making begins: shortest key, and the bound behind older versions of it.
    separator: Vec<u8>,
    bound: Option<SequenceNumber>,
    /// Inner pages in the making, the parents of leaves first.
    levels: Vec<NodeBuilder>,
    raw: Vec<u8>,
    filter: FilterBuilder,
    /// A step failed half way: records may be missing.
    broken: bool,
    finished: bool,
}

impl TableBuilder {
    /// Makes the file, which must not exist.
    pub fn create(vfs: &Arc<dyn Vfs>, folder: &Path, options: TableOptions) -> Result<TableBuilder> {
        let path = folder.join(FileKind::Table.name(options.number));
        let file = vfs.open(&path, OpenMode::CreateNew).map_err(|error| Error::io("create", &path, error))?;
        let checksum = Checksum::new(options.database_id, options.number);
        let sink = Sink::new(path, checksum, file, options.compression);
        let header = FileHeader {
            kind: FileKind::Table,
            database_id: options.database_id,
            number: options.number,
            first_sequence: 0,
            previous_log: 0,
        };
        let mut builder = TableBuilder {
            vfs: Arc::clone(vfs),
            sink,
            packer: None,
            properties: Properties::new(options.keyspace, options.order.name()),
            sequence: 0,
            leaf: NodeBuilder::new(options.order.is_bytewise()),
            separator: Vec::new(),
            bound: None,
            levels: Vec::new(),
            raw: Vec::new(),
            filter: FilterBuilder::default(),
            broken: false,
            finished: false,
            options,
        };
        // If that fails, dropping the builder removes the file.
        builder.sink.append(&header.encode())?;
        Ok(builder)
    }

    /// Adds the next record, which must lie behind the one before it: `InvalidArgument` if not. Whether it is the
    /// first of its key.
    pub fn add(&mut self, record: Record<'_>) -> Result<bool> {
        let is_new_key = self.check(&record)?;
        self.check_whole()?;
        self.broken = true;
        let middle = Middle::of_record(record.kind, record.sequence);
        let entry = Entry { key: record.key, middle, tail: record.value };
        let mut plan = self.leaf.plan(&entry);
        if self.leaf.len() > 0 && plan.size() > self.options.page_size {
            self.close_leaf()?;
            plan = self.leaf.plan(&entry);
        }
        if self.leaf.len() == 0 {
            self.begin_leaf(&record);
        }
        if plan.size() > self.options.page_size {
            self.leaf.encode_alone(entry, &mut self.raw)?;
            self.write_leaf()?;
        } else {
            self.leaf.push(plan, &entry);
        }
        if is_new_key {
            self.filter.add(record.key);
        }
        self.properties.count(record, is_new_key);
        self.sequence = record.sequence;
        self.broken = false;
        Ok(is_new_key)
    }

    /// From now on leaves are compressed on another thread, if there is one to be had. What it has counts in
    /// [`TableBuilder::size`] when it is back.
    pub fn pack_elsewhere(&mut self) {
        if self.packer.is_none() {
            self.packer = Packer::start(&self.vfs, self.options.compression);
        }
    }

    /// Bytes of all finished pages, and of the filter.
    pub fn size(&self) -> u64 {
        self.sink.position() + self.filter.len()
    }

    /// Records so far.
    #[cfg(test)]
    pub fn entries(&self) -> u64 {
        self.properties.entries
    }

    /// The key added last; `None` if there is none.
    pub fn last_key(&self) -> Option<&[u8]> {
        (self.properties.entries > 0).then_some(&self.properties.largest_key[..])
    }

    /// Brings what is written so far to stable storage, on any thread.
    pub fn syncer(&self) -> TableSyncer {
        self.sink.syncer()
    }

    /// Writes what is left and syncs the file; the caller syncs the folder. `InvalidArgument` if there
    /// is no record.
    pub fn finish(mut self) -> Result<TableMeta> {
        self.write_rest()?;
        self.sink.syncer().sync()?;
        Ok(self.end())
    }

    /// As [`TableBuilder::finish`], but that the caller syncs the file too.
    pub fn finish_unsynced(mut self) -> Result<TableMeta> {
        self.write_rest()?;
        Ok(self.end())
    }

    fn end(&mut self) -> TableMeta {
        self.finished = true;
        self.properties.meta(self.options.number, self.sink.position())
    }

    fn write_rest(&mut self) -> Result<()> {
        self.check_whole()?;
        if self.properties.entries == 0 {
            return Err(Error::invalid("a table without records"));
        }
        if self.leaf.len() > 0 {
            self.close_leaf()?;
        }
        if let Some(mut packer) = self.packer.take() {
            while let Some(batch) = packer.rest()? {
                self.enter(&batch)?;
                packer.reuse(batch);
            }
        }
        let root = self.close_levels()?;
        let filter = std::mem::take(&mut self.filter).write(&mut self.sink)?;
        let properties = self.sink.append_page(PageKind::Properties, &mut self.properties.encode())?;
        let footer = Footer { root, properties, filter };
        self.sink.append(&footer.encode(&self.sink.checksum, self.sink.position()))?;
        self.sink.write_buffer()
    }

    /// Removes the file.
    pub fn abandon(self) {}

    /// Whether the key is another than that of the record before.
    #[inline]
    fn check(&self, record: &Record<'_>) -> Result<bool> {
        check_record(record.key, record.value)?;
        if record.sequence > MAX_SEQUENCE {
            return Err(Error::invalid(format!("sequence number {} is over the limit", record.sequence)));
        }
        if record.kind == RecordKind::Delete && !record.value.is_empty() {
            return Err(Error::invalid("a tombstone with a value"));
        }
        if self.properties.entries == 0 {
            return Ok(true);
        }
        // Keys are equal only if their bytes are.
        match self.options.order.compare(&self.properties.largest_key, record.key) {
            Ordering::Less => Ok(true),
            Ordering::Equal if record.sequence < self.sequence => Ok(false),
            _ => Err(self.out_of_order()),
        }
    }

    #[cold]
    fn out_of_order(&self) -> Error {
        Error::invalid(format!("{}: records out of order", self.sink.path.display()))
    }

    fn check_whole(&self) -> Result<()> {
        match self.broken {
            false => Ok(()),
            true => {
                let message = format!("{}: an earlier step of this table failed", self.sink.path.display());
                Err(Error::new(ErrorKind::Internal, message))
            }
        }
    }

    /// Parts the leaf that begins with `record` from the record before it. Nothing of the new leaf is
    /// in front of the separator, and every position in front of `record` from which it is the
    /// answer is behind it: so a lookup ends in one leaf.
    fn begin_leaf(&mut self, record: &Record<'_>) {
        self.separator.clear();
        self.bound = None;
        if self.properties.entries == 0 {
            return;
        }
        let last_key = &self.properties.largest_key;
        if last_key == record.key {
            self.separator.extend_from_slice(record.key);
            self.bound = self.sequence.checked_sub(1);
        } else if self.options.order.is_bytewise() {
            let len = common_prefix_len(last_key, record.key) + 1;
            self.separator.extend_from_slice(record.key.get(..len).unwrap_or(record.key));
        } else {
            self.separator.extend_from_slice(record.key);
        }
    }

    fn close_leaf(&mut self) -> Result<()> {
        self.leaf.encode(&mut self.raw)?;
        self.leaf.clear();
        self.write_leaf()
    }

    fn write_leaf(&mut self) -> Result<()> {
        self.properties.leaf_pages += 1;
        if let Some(packer) = &mut self.packer {
            if let Some(batch) = packer.add(&self.raw, &self.separator, self.bound)? {
                self.enter(&batch)?;
                if let Some(packer) = &mut self.packer {
                    packer.reuse(batch);
                }
            }
            shrink(&mut self.raw);
            return Ok(());
        }
        let pointer = self.sink.append_page(PageKind::Leaf, &mut self.raw)?;
        shrink(&mut self.raw);
        let separator = std::mem::take(&mut self.separator);
        self.add_child(0, &separator, Middle::of_child(self.bound), pointer)?;
        self.separator = separator;
        Ok(())
    }

    /// Appends leaves that were compressed on another thread.
    fn enter(&mut self, batch: &Batch) -> Result<()> {
        for leaf in batch.leaves() {
            let pointer = self.sink.append_stored(PageKind::Leaf, leaf.codec, leaf.stored, leaf.raw_len)?;
            self.add_child(0, leaf.separator, Middle::of_child(leaf.bound), pointer)?;
        }
        Ok(())
    }

    fn add_child(&mut self, level: usize, key: &[u8], bound: Middle, pointer: PagePointer) -> Result<()> {
        if level == self.levels.len() {
            self.levels.push(NodeBuilder::new(self.options.order.is_bytewise()));
        }
        let pointer = pointer.encode();
        let entry = Entry { key, middle: bound, tail: &pointer };
        let mut plan = self.levels[level].plan(&entry);
        // With two children at least, levels get smaller whatever the size of a key.
        if self.levels[level].len() >= 2 && plan.size() > self.options.page_size {
            self.close_inner(level)?;
            plan = self.levels[level].plan(&entry);
        }
        self.levels[level].push(plan, &entry);
        Ok(())
    }

    /// Writes the page of a level and enters it in the level above.
    fn close_inner(&mut self, level: usize) -> Result<()> {
        let node = &mut self.levels[level];
        node.encode(&mut self.raw)?;
        let Some((key, bound)) = node.first().map(|entry| (entry.key.to_vec(), entry.middle)) else {
            return Ok(());
        };
        node.clear();
        let pointer = self.sink.append_page(PageKind::Inner, &mut self.raw)?;
        self.properties.inner_pages += 1;
        self.add_child(level + 1, &key, bound, pointer)
    }

    /// Closes all levels up to the one that has a single page: the root.
    fn close_levels(&mut self) -> Result<PagePointer> {
        let mut level = 0;
        while level + 1 < self.levels.len() || self.levels[level].len() > 1 {
            self.close_inner(level)?;
            level += 1;
        }
        self.properties.height = level as u64 + 1;
        let only = self.levels[level].first();
        let pointer = only.and_then(|entry| PagePointer::decode(&mut Decoder::new(entry.tail)));
        pointer.ok_or_else(|| Error::new(ErrorKind::Internal, "a table without a root"))
    }
}

impl Drop for TableBuilder {
    fn drop(&mut self) {
        if !self.finished {
            // A file that stays is in no manifest, and is removed at the next open.
            let _ = self.vfs.remove(&self.sink.path);
        }
    }
}
