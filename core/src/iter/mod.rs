//! Cursors over sorted records, and their merge.

mod merge;

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::record::Record;

pub use merge::MergeCursor;

/// Moves over records sorted by [`KeyOrder::compare_records`](crate::base::comparator::KeyOrder::compare_records):
/// by key, newest sequence first. A new cursor is invalid until positioned. After an error the cursor
/// is invalid. `next` and `prev` may be called only while valid.
pub trait Cursor: Send {
    /// To the first record.
    fn seek_first(&mut self) -> Result<()>;
    /// To the last record.
    fn seek_last(&mut self) -> Result<()>;
    /// To the first record at or behind `(key, sequence)`; invalid if there is none.
    fn seek(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()>;
    /// To the last record in front of `(key, sequence)`; invalid if there is none.
    fn seek_before(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()>;
    /// One forward.
    fn next(&mut self) -> Result<()>;
    /// One backward.
    fn prev(&mut self) -> Result<()>;
    /// Whether the cursor stands on a record.
    fn valid(&self) -> bool;
    /// The record; call only while valid.
    fn record(&self) -> Record<'_>;
}
