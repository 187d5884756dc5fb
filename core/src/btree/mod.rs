//! Tables: read-only, bulk-loaded B+trees of checksummed pages, one file each.

mod builder;
mod cursor;
mod file;
mod footer;
mod format;
mod node_builder;
mod page;
mod properties;
mod search;
mod sink;
mod table;
mod verify;

#[cfg(test)]
mod tests;

use crate::base::ids::{FileNumber, KeyspaceId, SequenceNumber};

pub use builder::{TableBuilder, TableOptions};
pub use cursor::TableCursor;
pub use table::{PageRecord, Table, TableContext};

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
}
