//! Cursors over sorted records, and their merge.

mod merge;

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::record::{Record, RecordKind};

pub use merge::MergeCursor;

/// What [`Cursor::walk`] gives where there is no run: a record that hides nothing.
pub const NOWHERE: (RecordKind, SequenceNumber) = (RecordKind::Delete, SequenceNumber::MAX);

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

    /// Its key alone.
    fn key(&self) -> &[u8] {
        self.record().key
    }

    /// Its kind and sequence number alone.
    fn version(&self) -> (RecordKind, SequenceNumber) {
        let Record { kind, sequence, .. } = self.record();
        (kind, sequence)
    }

    /// Forward to the first record of another key.
    fn next_key(&mut self) -> Result<()> {
        let key = self.key().to_vec();
        self.next()?;
        while self.valid() && self.key() == key {
            self.next()?;
        }
        Ok(())
    }

    /// Whether the record in front of this one is known to have another key, so that `prev` leads to the oldest version of
    /// the key before. `false` says nothing. Call only while valid, on the way backward.
    fn is_newest(&self) -> bool {
        false
    }

    /// A number of steps that [`Cursor::walk`] can take. Each leads to another key on the near side of the key `until`: forward
    /// to its newest version, backward to its only one. 0 says nothing. Call only while valid, with the direction of the way
    /// so far, and backward on the newest version of a key.
    fn run(&self, _forward: bool, _until: Option<&[u8]>) -> usize {
        0
    }

    /// One step of a [`Cursor::run`]; kind and sequence number of the record.
    fn walk(&mut self, _forward: bool) -> (RecordKind, SequenceNumber) {
        debug_assert!(false, "there is no run");
        NOWHERE
    }

    /// The sequence number of all records of a [`Cursor::run`], if they are puts of one: [`Cursor::walk_to_put`] may take its
    /// steps then.
    fn run_of_puts(&self) -> Option<SequenceNumber> {
        None
    }

    /// As [`Cursor::walk`], of a run of puts: key and value of the record.
    fn walk_to_put(&mut self, _forward: bool) -> (&[u8], &[u8]) {
        debug_assert!(false, "there is no run of puts");
        (&[], &[])
    }
}

impl<C: Cursor + ?Sized> Cursor for Box<C> {
    fn seek_first(&mut self) -> Result<()> {
        (**self).seek_first()
    }

    fn seek_last(&mut self) -> Result<()> {
        (**self).seek_last()
    }

    fn seek(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        (**self).seek(key, sequence)
    }

    fn seek_before(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        (**self).seek_before(key, sequence)
    }

    fn next(&mut self) -> Result<()> {
        (**self).next()
    }

    fn prev(&mut self) -> Result<()> {
        (**self).prev()
    }

    fn valid(&self) -> bool {
        (**self).valid()
    }

    fn record(&self) -> Record<'_> {
        (**self).record()
    }

    fn key(&self) -> &[u8] {
        (**self).key()
    }

    fn version(&self) -> (RecordKind, SequenceNumber) {
        (**self).version()
    }

    fn next_key(&mut self) -> Result<()> {
        (**self).next_key()
    }

    fn is_newest(&self) -> bool {
        (**self).is_newest()
    }

    fn run(&self, forward: bool, until: Option<&[u8]>) -> usize {
        (**self).run(forward, until)
    }

    #[inline]
    fn walk(&mut self, forward: bool) -> (RecordKind, SequenceNumber) {
        (**self).walk(forward)
    }

    fn run_of_puts(&self) -> Option<SequenceNumber> {
        (**self).run_of_puts()
    }

    #[inline]
    fn walk_to_put(&mut self, forward: bool) -> (&[u8], &[u8]) {
        (**self).walk_to_put(forward)
    }
}
