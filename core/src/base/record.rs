//! The kinds of record, and a record lent by a memtable or a page.

use crate::base::ids::SequenceNumber;

/// What a record says of its key. The bytes are part of the file formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordKind {
    /// The key has the value.
    Put = 1,
    /// The key is absent.
    Delete = 2,
}

impl RecordKind {
    /// The kind of a byte from a file; `None` for a kind that this version does not know.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(RecordKind::Put),
            2 => Some(RecordKind::Delete),
            _ => None,
        }
    }
}

/// A record lent by its owner until the owner moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The user's key.
    pub key: &'a [u8],
    /// When it was committed.
    pub sequence: SequenceNumber,
    /// What it says.
    pub kind: RecordKind,
    /// The value; empty for a tombstone.
    pub value: &'a [u8],
}
