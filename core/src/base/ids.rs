//! Numbers with a meaning.

/// Position of a record in the commit order. The first record has 1; 0 in a table means
/// "older than every snapshot".
pub type SequenceNumber = u64;

/// Number in a file's name. One counter serves all kinds of files; a number is never used twice.
pub type FileNumber = u64;

/// The largest file number: room is left so that counting on never wraps.
pub const MAX_FILE_NUMBER: FileNumber = 1 << 56;

/// The largest sequence number of a commit; one that would pass it is refused. Larger ones, up to
/// 56 bits, number the writes of an open transaction in its own memory.
pub const MAX_SEQUENCE: SequenceNumber = (1 << 55) - 1;

/// Identifies a keyspace (column family). Never reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyspaceId(pub u32);

impl KeyspaceId {
    /// The keyspace that every database has.
    pub const DEFAULT: KeyspaceId = KeyspaceId(0);
    /// Its name.
    pub const DEFAULT_NAME: &'static str = "default";
}
