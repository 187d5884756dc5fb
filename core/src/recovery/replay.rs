//! Replay: the records of one log go back into memtables.

use std::path::Path;

use crate::base::coding::Decoder;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::ids::{FileNumber, MAX_SEQUENCE, SequenceNumber};
use crate::batch::{Operation, Undecodable, decode_operation};
use crate::vfs::Vfs;
use crate::view::MemSet;
use crate::wal::{LogReader, Tail};

/// A log to be replayed.
pub struct LogSource<'a> {
    /// Where it is.
    pub vfs: &'a dyn Vfs,
    /// Its folder.
    pub folder: &'a Path,
    /// The database it must belong to.
    pub database_id: u64,
    /// Its number.
    pub number: FileNumber,
    /// The log that was replayed before it and must be its predecessor; 0 for none.
    pub previous: FileNumber,
    /// Its end, if it was sealed or recovered before: nothing in front may be missing.
    pub known_end: Option<u64>,
}

/// Fills `set` with the records of a log. `next` is the sequence number that must come first, and is
/// moved behind the last one. Keyspaces that are not in `set` but were once (below `keyspaces_used`)
/// have been dropped; their records are passed over.
pub fn replay(
    source: &LogSource<'_>,
    set: &MemSet,
    keyspaces_used: u32,
    next: &mut SequenceNumber,
) -> Result<Tail> {
    let mut reader = LogReader::open(
        source.vfs,
        source.folder,
        FileKind::Log,
        Some(source.database_id),
        source.number,
        source.known_end,
    )?;
    let path = source.folder.join(FileKind::Log.name(source.number));
    if reader.header().first_sequence != *next {
        let expected = format!("a log that starts with record {next}");
        return Err(Error::corruption(&path, 32, expected));
    }
    if source.previous != 0 && reader.header().previous_log != source.previous {
        let expected = format!("a log that follows log {}", source.previous);
        return Err(Error::corruption(&path, 40, expected));
    }
    let mut record = Vec::new();
    while let Some(offset) = reader.next(&mut record)? {
        let damaged = |what: &str| Error::corruption(&path, offset, what);
        let mut decoder = Decoder::new(&record);
        let first = decoder.varint().ok_or_else(|| damaged("a sequence number in a commit record"))?;
        let count = decoder.varint().ok_or_else(|| damaged("a count in a commit record"))?;
        if first != *next || count == 0 || count > MAX_SEQUENCE - first {
            return Err(damaged(&format!("the commit that starts with record {next}")));
        }
        for sequence in first..first + count {
            let operation = decode_operation(&mut decoder).map_err(|problem| match problem {
                Undecodable::Damaged(what) => damaged(what),
                Undecodable::UnknownKind(kind) => {
                    let message = format!("{}: a record of kind {kind} of a newer version", path.display());
                    Error::new(ErrorKind::UnsupportedVersion, message).with_file(&path)
                }
            })?;
            insert(set, sequence, &operation, keyspaces_used).map_err(|what| match what {
                Refused::Damaged(what) => damaged(what),
                Refused::Failed(error) => error,
            })?;
        }
        if !decoder.is_empty() {
            return Err(damaged("a commit record that ends with its operations"));
        }
        *next = first + count;
        set.set_last_sequence(*next - 1);
    }
    Ok(reader.tail())
}

enum Refused {
    Damaged(&'static str),
    Failed(Error),
}

fn insert(
    set: &MemSet,
    sequence: SequenceNumber,
    operation: &Operation<'_>,
    keyspaces_used: u32,
) -> Result<(), Refused> {
    let Some(memtable) = set.space(operation.keyspace) else {
        let dropped = operation.keyspace.0 < keyspaces_used;
        return if dropped { Ok(()) } else { Err(Refused::Damaged("a record of a known keyspace")) };
    };
    let mut writer = memtable.writer();
    writer
        .reserve(1, operation.key.len() + operation.value.len())
        .and_then(|()| writer.insert(operation.key, sequence, operation.kind, operation.value))
        .map_err(Refused::Failed)
}
