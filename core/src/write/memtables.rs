//! The memtables that a commit writes to.

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::batch::WriteBatch;
use crate::memtable::{Memtable, MemtableWriter};
use crate::view::MemSet;

/// The memtables of a group's keyspaces, with room for all of its batches. Counts the memory when it is dropped.
pub struct Memtables<'a> {
    set: &'a MemSet,
    shares: Vec<Share<'a>>,
}

/// Records and bytes of keys and values.
#[derive(Clone, Copy, Default)]
struct Room {
    records: usize,
    bytes: usize,
}

/// What goes to one keyspace.
struct Share<'a> {
    keyspace: KeyspaceId,
    room: Room,
    memtable: &'a Memtable,
    writer: MemtableWriter<'a>,
    /// Memory taken before.
    memory: usize,
}

impl<'a> Memtables<'a> {
    /// None yet.
    pub fn new(set: &'a MemSet) -> Self {
        Memtables { set, shares: Vec::with_capacity(1) }
    }

    /// Makes sure that the inserts cannot fail once the log has the batch, those before it counted. What fails counts no
    /// more. Errors: `OutOfMemory`; `NotFound` for a keyspace that was dropped.
    pub fn reserve(&mut self, batch: &WriteBatch) -> Result<()> {
        let before: Vec<Room> = self.shares.iter().map(|share| share.room).collect();
        let reserved = self.count(batch).and_then(|()| {
            let mut shares = self.shares.iter_mut();
            shares.try_for_each(|share| share.writer.reserve(share.room.records, share.room.bytes))
        });
        if reserved.is_err() {
            let room = |at: usize| before.get(at).copied().unwrap_or_default();
            self.shares.iter_mut().enumerate().for_each(|(at, share)| share.room = room(at));
        }
        reserved
    }

    fn count(&mut self, batch: &WriteBatch) -> Result<()> {
        for operation in batch.operations() {
            let room = &mut self.share(operation.keyspace)?.room;
            room.records += 1;
            room.bytes += operation.key.len() + operation.value.len();
        }
        Ok(())
    }

    /// The share of a keyspace, begun when it is asked for first.
    fn share(&mut self, keyspace: KeyspaceId) -> Result<&mut Share<'a>> {
        let found = self.shares.iter().position(|share| share.keyspace == keyspace);
        let at = match found {
            Some(at) => at,
            None => {
                let Some(memtable) = self.set.space(keyspace) else {
                    let message = "a keyspace of the batch or transaction was dropped";
                    return Err(Error::new(ErrorKind::NotFound, message));
                };
                let (writer, memory) = (memtable.writer(), memtable.memory_usage());
                self.shares.push(Share { keyspace, room: Room::default(), memtable, writer, memory });
                self.shares.len() - 1
            }
        };
        Ok(&mut self.shares[at])
    }

    /// Inserts a batch for which there is room.
    pub fn insert(&mut self, batch: &WriteBatch, first: SequenceNumber) -> Result<()> {
        for (sequence, operation) in (first..).zip(batch.operations()) {
            let writer = &mut self.share(operation.keyspace)?.writer;
            writer.insert(operation.key, sequence, operation.kind, operation.value)?;
        }
        Ok(())
    }
}

impl Drop for Memtables<'_> {
    fn drop(&mut self) {
        let taken = |share: &Share<'_>| share.memtable.memory_usage().saturating_sub(share.memory);
        match self.shares.iter().map(taken).sum() {
            0 => {}
            bytes => self.set.add_memory(bytes),
        }
    }
}
