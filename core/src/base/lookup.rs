//! Point reads that may, or may not, go to the disk.

use crate::base::ids::SequenceNumber;

/// A key that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'k> {
    /// All of it.
    pub key: &'k [u8],
    /// Its hash.
    pub hash: u64,
    /// The newest version that may be seen.
    pub sequence: SequenceNumber,
}

/// How far a point read may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Memtables, cache and disk.
    Disk,
    /// Memtables and cache: the read waits for nothing.
    Memory,
}

/// What a point read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<R> {
    /// The key is there.
    Found(R),
    /// The key is not there.
    Absent,
    /// The answer is not in memory. Only a read that must not go to the disk says so.
    NotCached,
}

impl<R> Lookup<R> {
    /// The outcome of a read that could go to the disk.
    pub(crate) fn on_disk(self) -> Option<R> {
        debug_assert!(!matches!(self, Lookup::NotCached), "a read with the disk in reach");
        match self {
            Lookup::Found(found) => Some(found),
            Lookup::Absent | Lookup::NotCached => None,
        }
    }
}

impl<R> From<Option<R>> for Lookup<R> {
    fn from(found: Option<R>) -> Self {
        found.map_or(Lookup::Absent, Lookup::Found)
    }
}
