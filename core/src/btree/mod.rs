//! Tables: read-only, bulk-loaded B+trees of checksummed pages, one file each.

mod beside;
mod builder;
mod children;
mod course;
mod cursor;
mod file;
mod filter;
mod footer;
mod format;
mod hinted;
mod lengths;
mod many;
mod maps;
mod node_builder;
mod packer;
mod page;
mod point;
mod properties;
mod readahead;
mod refill;
mod remains;
mod search;
mod sink;
mod table;
mod verify;
mod way;

#[cfg(test)]
mod tests;

use crate::base::comparator::KeyOrder;
use crate::base::ids::{FileNumber, KeyspaceId, SequenceNumber};

pub use builder::{TableBuilder, TableOptions};
pub use course::Course;
pub use cursor::TableCursor;
pub use hinted::{find_hinted, find_many_hinted};
pub use many::Group;
pub use maps::Maps;
pub use readahead::ReadAhead;
pub use remains::{LostPages, Remains};
pub use sink::TableSyncer;
pub use table::{FoundRecord, Table, TableContext};

/// What the manifest knows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableMeta {
    /// The file's number.
    pub number: FileNumber,
    /// The keyspace whose records it holds.
    pub keyspace: KeyspaceId,
    /// Bytes of the file.
    pub size: u64,
    /// Records, tombstones and old versions included.
    pub entries: u64,
    /// Tombstones among them.
    pub tombstones: u64,
    /// Smallest sequence number in it.
    pub smallest_sequence: SequenceNumber,
    /// Largest sequence number in it.
    pub largest_sequence: SequenceNumber,
    /// First key.
    pub smallest_key: Vec<u8>,
    /// Last key.
    pub largest_key: Vec<u8>,
    /// What it holds for snapshots alone.
    pub kept: Kept,
    /// Of an ingested table: the sequence number that all its records count as, which have 0 in the file.
    pub committed_at: Option<SequenceNumber>,
}

/// Versions of a table behind the newest one of their key. They were kept for snapshots, and can go with these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Such versions.
    pub records: u64,
    /// About how many bytes of the file they take.
    pub bytes: u64,
    /// Held snapshots older than the table's largest sequence number, when it was written.
    pub snapshots: u64,
}

impl TableMeta {
    /// Whether a key lies between the first and the last one.
    #[inline]
    pub fn spans(&self, order: &KeyOrder, key: &[u8]) -> bool {
        order.compare(&self.smallest_key, key).is_le() && order.compare(key, &self.largest_key).is_le()
    }

    /// Whether it and another table may have keys in common.
    pub fn meets(&self, order: &KeyOrder, other: &TableMeta) -> bool {
        order.compare(&self.smallest_key, &other.largest_key).is_le()
            && order.compare(&other.smallest_key, &self.largest_key).is_le()
    }

    /// The same table, its records counted as committed at `sequence`. `None` if they have numbers of their own.
    pub fn counted_as(self, sequence: SequenceNumber) -> Option<TableMeta> {
        let unnumbered = self.largest_sequence == 0 && sequence > 0;
        unnumbered.then_some(TableMeta {
            smallest_sequence: sequence,
            largest_sequence: sequence,
            committed_at: Some(sequence),
            ..self
        })
    }
}
