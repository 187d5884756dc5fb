//! What a scan is merged from: the kinds of cursor, told apart without virtual calls.

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::record::{Record, RecordKind};
use crate::btree::TableCursor;
use crate::iter::Cursor;
use crate::memtable::MemtableCursor;
use crate::version::level_cursor::LevelCursor;

/// A cursor of one source of a scan.
pub enum Source {
    /// Over a memtable.
    Memtable(MemtableCursor),
    /// Over a table of level 0.
    Table(Box<TableCursor>),
    /// Over a deeper level.
    Level(Box<LevelCursor>),
    /// Over anything else.
    Other(Box<dyn Cursor>),
}

macro_rules! of {
    ($source:expr, $cursor:ident => $call:expr) => {
        match $source {
            Source::Memtable($cursor) => $call,
            Source::Table($cursor) => $call,
            Source::Level($cursor) => $call,
            Source::Other($cursor) => $call,
        }
    };
}

impl Cursor for Source {
    fn seek_first(&mut self) -> Result<()> {
        of!(self, cursor => cursor.seek_first())
    }

    fn seek_last(&mut self) -> Result<()> {
        of!(self, cursor => cursor.seek_last())
    }

    fn seek(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        of!(self, cursor => cursor.seek(key, sequence))
    }

    fn seek_before(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        of!(self, cursor => cursor.seek_before(key, sequence))
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        of!(self, cursor => cursor.next())
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        of!(self, cursor => cursor.prev())
    }

    #[inline]
    fn valid(&self) -> bool {
        of!(self, cursor => cursor.valid())
    }

    #[inline]
    fn record(&self) -> Record<'_> {
        of!(self, cursor => cursor.record())
    }

    #[inline]
    fn key(&self) -> &[u8] {
        of!(self, cursor => cursor.key())
    }

    #[inline]
    fn version(&self) -> (RecordKind, SequenceNumber) {
        of!(self, cursor => cursor.version())
    }

    #[inline]
    fn next_key(&mut self) -> Result<()> {
        of!(self, cursor => cursor.next_key())
    }

    #[inline]
    fn is_newest(&self) -> bool {
        of!(self, cursor => cursor.is_newest())
    }

    fn run(&self, forward: bool, until: Option<&[u8]>) -> usize {
        of!(self, cursor => cursor.run(forward, until))
    }

    #[inline]
    fn walk(&mut self, forward: bool) -> (RecordKind, SequenceNumber) {
        of!(self, cursor => cursor.walk(forward))
    }

    fn run_of_puts(&self) -> Option<SequenceNumber> {
        of!(self, cursor => cursor.run_of_puts())
    }

    #[inline]
    fn walk_to_put(&mut self, forward: bool) -> (&[u8], &[u8]) {
        of!(self, cursor => cursor.walk_to_put(forward))
    }
}
