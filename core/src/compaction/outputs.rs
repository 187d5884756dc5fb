//! The tables that a compaction writes.

use crate::base::error::Result;
use crate::base::ids::{FileNumber, SequenceNumber};
use crate::base::record::Record;
use crate::btree::{Kept, TableBuilder, TableMeta};
use crate::catalogue::Catalogue;
use crate::compaction::shape::Limits;
use crate::sync::Arc;
use crate::version::{Space, TableHandle};

/// Bytes that a record takes in a table beside its key and value, about.
const RECORD_BYTES: u64 = 8;

/// Counts the versions behind the newest one of their key in a table that is being written.
#[derive(Debug, Default)]
pub struct KeptCount {
    kept: u64,
    kept_bytes: u64,
    bytes: u64,
}

impl KeptCount {
    /// Counts a record that is written; `is_new_key`: the one before it in its table has another key.
    pub fn count(&mut self, record: &Record<'_>, is_new_key: bool) {
        let bytes = RECORD_BYTES + (record.key.len() + record.value.len()) as u64;
        self.bytes += bytes;
        if !is_new_key {
            self.kept += 1;
            self.kept_bytes += bytes;
        }
    }

    /// Completes what the builder says of the table, and begins anew. `boundaries`: those of its retention.
    pub fn finish(&mut self, mut meta: TableMeta, boundaries: &[SequenceNumber]) -> TableMeta {
        if self.kept > 0 {
            let held = boundaries.split_last().map_or(&[][..], |(_, held)| held);
            let share = u128::from(meta.size) * u128::from(self.kept_bytes) / u128::from(self.bytes.max(1));
            meta.kept = Kept {
                records: self.kept,
                bytes: u64::try_from(share).map_or(meta.size, |bytes| bytes.min(meta.size)),
                snapshots: held.partition_point(|&sequence| sequence < meta.largest_sequence) as u64,
            };
        }
        *self = KeptCount::default();
        meta
    }
}

/// What new tables of a compaction depend on.
pub struct OutputOptions<'a> {
    /// Where they go.
    pub catalogue: &'a Catalogue,
    /// The keyspace of the records.
    pub space: &'a Space,
    /// Whether they are the deepest ones of their keys.
    pub bottom: bool,
    /// The tables of the next level, by key.
    pub under: &'a [Arc<TableHandle>],
    /// How large they get.
    pub limits: Limits,
    /// Those of the retention.
    pub boundaries: &'a [SequenceNumber],
}

/// The tables that a compaction writes. All versions of a key go to the same table; no table is much larger
/// than the target, or lies over much more of the next level than the limit.
pub struct Outputs<'a> {
    options: OutputOptions<'a>,
    builder: Option<TableBuilder>,
    count: KeptCount,
    /// The first table of the next level that does not lie in front of the last key.
    under: usize,
    /// Bytes of those in front of it, since the open table was begun.
    passed: u64,
    finished: Vec<TableMeta>,
}

impl<'a> Outputs<'a> {
    /// None yet.
    pub fn new(options: OutputOptions<'a>) -> Self {
        Outputs {
            options,
            builder: None,
            count: KeptCount::default(),
            under: 0,
            passed: 0,
            finished: Vec::new(),
        }
    }

    /// Writes a record, which lies behind the one before it.
    pub fn add(&mut self, record: Record<'_>) -> Result<()> {
        let last_key = self.builder.as_ref().and_then(|builder| builder.last_key());
        if last_key != Some(record.key) {
            self.pass(record.key);
            let full = self
                .builder
                .as_ref()
                .is_some_and(|builder| builder.size() >= self.options.limits.table_bytes);
            if full || self.passed > self.options.limits.max_overlap() {
                self.seal()?;
            }
        }
        let builder = match &mut self.builder {
            Some(open) => open,
            None => {
                let OutputOptions { catalogue, space, bottom, .. } = self.options;
                self.builder.insert(catalogue.new_table(space, bottom)?)
            }
        };
        let is_new_key = builder.add(record)?;
        self.count.count(&record, is_new_key);
        Ok(())
    }

    fn pass(&mut self, key: &[u8]) {
        while let Some(handle) = self.options.under.get(self.under)
            && handle.order().compare(&handle.meta().largest_key, key).is_lt()
        {
            self.passed += handle.meta().size;
            self.under += 1;
        }
    }

    /// Ends the open table.
    pub fn seal(&mut self) -> Result<()> {
        self.passed = 0;
        if let Some(builder) = self.builder.take() {
            let meta = builder.finish()?;
            let OutputOptions { catalogue, space, .. } = self.options;
            catalogue.tables().meters.table_written(space.id(), meta.number, meta.size);
            self.finished.push(self.count.finish(meta, self.options.boundaries));
        }
        Ok(())
    }

    /// The finished tables.
    pub fn take(&mut self) -> Vec<TableMeta> {
        std::mem::take(&mut self.finished)
    }

    /// Nothing of what was written is wanted.
    pub fn abandon(&mut self) {
        if let Some(builder) = self.builder.take() {
            builder.abandon();
        }
        let numbers: Vec<FileNumber> = self.finished.drain(..).map(|meta| meta.number).collect();
        self.options.catalogue.discard(numbers);
    }
}
