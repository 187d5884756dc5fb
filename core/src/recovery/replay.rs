//! Replay: the records of one log go back into memtables.

use std::path::Path;

use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, Result};
use crate::base::filename::FileKind;
use crate::base::ids::{FileNumber, SequenceNumber};
use crate::base::per_keyspace::PerKeyspace;
use crate::batch::Operation;
use crate::manifest::Loaded;
use crate::memtable::Memtable;
use crate::recovery::commit::Commit;
use crate::vfs::Vfs;
use crate::view::MemSet;
use crate::wal::{LogReader, Tail};

/// An empty memtable for each keyspace.
pub(super) fn new_memset(logs: Vec<FileNumber>, orders: &PerKeyspace<KeyOrder>) -> MemSet {
    MemSet::new(logs, orders.iter().map(|(id, order)| (id, order.clone())))
}

/// A log that was replayed.
pub(super) struct Replayed {
    pub number: FileNumber,
    /// Its end, if that was recorded.
    pub known_end: Option<u64>,
    pub tail: Tail,
    pub records: u64,
    /// What it held.
    pub set: MemSet,
}

/// Replays the logs that a manifest names, oldest first, each into memtables of its own, and hands them to `each`.
/// The last sequence number.
pub(super) fn replay_all(
    vfs: &dyn Vfs,
    folder: &Path,
    loaded: &Loaded,
    orders: &PerKeyspace<KeyOrder>,
    each: &mut dyn FnMut(Replayed) -> Result<()>,
) -> Result<SequenceNumber> {
    let state = &loaded.state;
    let (mut next, mut previous) = (state.last_sequence + 1, 0);
    for (&number, &known_end) in &state.logs {
        let set = new_memset(vec![number], orders);
        let source = LogSource { vfs, folder, database_id: loaded.database_id, number, previous, known_end };
        previous = number;
        let before = next;
        let tail = replay(&source, &set, state.next_keyspace, &mut next)?;
        set.count_memory();
        each(Replayed { number, known_end, tail, records: next - before, set })?;
    }
    Ok(next - 1)
}

/// A log to be replayed.
struct LogSource<'a> {
    vfs: &'a dyn Vfs,
    folder: &'a Path,
    database_id: u64,
    number: FileNumber,
    /// The log that was replayed before it and must be its predecessor; 0 for none.
    previous: FileNumber,
    /// Its end, if it was sealed or recovered before: nothing in front may be missing.
    known_end: Option<u64>,
}

/// Fills `set` with the records of a log. `next` is the sequence number that must come first, and is
/// moved behind the last one. Keyspaces that are not in `set` but were once (below `keyspaces_used`)
/// have been dropped; their records are passed over.
fn replay(
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
        let commit = Commit::decode(&record, &path)?.map_err(damaged)?;
        if commit.first != *next {
            return Err(damaged(&format!("the commit that starts with record {next}")));
        }
        for (sequence, operation) in commit.operations() {
            match set.space(operation.keyspace) {
                Some(memtable) => insert(memtable, sequence, &operation)?,
                None if operation.keyspace.0 < keyspaces_used => {}
                None => return Err(damaged("a record of a known keyspace")),
            }
        }
        *next = commit.first + commit.count;
        set.set_last_sequence(*next - 1);
    }
    Ok(reader.tail())
}

/// Inserts an operation of a log.
pub(super) fn insert(memtable: &Memtable, sequence: SequenceNumber, operation: &Operation<'_>) -> Result<()> {
    let Operation { kind, key, value, .. } = *operation;
    let mut writer = memtable.writer();
    writer.reserve(1, key.len() + value.len())?;
    writer.insert(key, sequence, kind, value)
}
