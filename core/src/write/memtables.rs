//! The memtables that a commit writes to.

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::hash::hash_key;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::batch::{Operation, WriteBatch};
use crate::memtable::{ABREAST, Memtable, MemtableWriter};
use crate::view::MemSet;

/// The memtables of a group's keyspaces, with room for all of its batches. Counts the memory when it is dropped.
pub struct Memtables<'a> {
    set: &'a MemSet,
    /// The keyspace that came first: of most groups the only one.
    first: Option<Share<'a>>,
    others: Vec<Share<'a>>,
}

/// Records and bytes of keys and values.
#[derive(Clone, Copy, Default)]
struct Room {
    records: usize,
    bytes: usize,
}

impl Room {
    fn and(self, other: Room) -> Room {
        Room { records: self.records + other.records, bytes: self.bytes + other.bytes }
    }
}

/// What goes to one keyspace.
struct Share<'a> {
    keyspace: KeyspaceId,
    /// Of the batches that were reserved for.
    room: Room,
    /// Of the batch that is being reserved for.
    added: Room,
    memtable: &'a Memtable,
    writer: MemtableWriter<'a>,
    /// Memory taken before.
    memory: usize,
}

/// Operations that come one behind the other, and are inserted side by side.
struct Group<'b> {
    operations: [Operation<'b>; ABREAST],
    len: usize,
}

impl<'b> Group<'b> {
    /// The next ones; `None` at the end.
    fn next(rest: &mut impl Iterator<Item = Operation<'b>>) -> Option<Self> {
        let mut group = Group { operations: [rest.next()?; ABREAST], len: 1 };
        for (place, operation) in group.operations[1..].iter_mut().zip(rest) {
            *place = operation;
            group.len += 1;
        }
        Some(group)
    }

    fn operations(&self) -> &[Operation<'b>] {
        self.operations.get(..self.len).unwrap_or(&self.operations)
    }

    /// The keyspace, if it is the same for all.
    fn keyspace(&self) -> Option<KeyspaceId> {
        let keyspace = self.operations[0].keyspace;
        self.operations().iter().all(|operation| operation.keyspace == keyspace).then_some(keyspace)
    }

    /// Asks for what the inserts of a group behind another one will change first.
    fn ask_filter(&self, writer: &MemtableWriter<'_>) {
        for (nth, operation) in self.operations().iter().enumerate() {
            writer.ask_filter(ABREAST + nth, hash_key(operation.key));
        }
    }

    /// Asks for what the inserts will need.
    fn approach(&self, writer: &mut MemtableWriter<'_>, first: SequenceNumber) {
        let keys = self.operations.map(|operation| operation.key);
        writer.approach(first, keys.get(..self.len).unwrap_or(&keys));
    }
}

impl<'a> Memtables<'a> {
    /// None yet.
    pub fn new(set: &'a MemSet) -> Self {
        Memtables { set, first: None, others: Vec::new() }
    }

    /// Makes sure that the inserts cannot fail once the log has the batch, those before it counted. What fails counts no
    /// more. Errors: `OutOfMemory`; `NotFound` for a keyspace that was dropped.
    pub fn reserve(&mut self, batch: &WriteBatch) -> Result<()> {
        let reserved = self.count(batch).and_then(|()| {
            self.shares().try_for_each(|share| {
                let Room { records, bytes } = share.room.and(share.added);
                share.writer.reserve(records, bytes)
            })
        });
        for share in self.shares() {
            let added = std::mem::take(&mut share.added);
            if reserved.is_ok() {
                share.room = share.room.and(added);
            }
        }
        reserved
    }

    /// Asks the processor for what the insert of a key with this hash will change first, behind so many others.
    pub fn ask_filter(&mut self, keyspace: KeyspaceId, behind: usize, hash: u64) {
        if let Some(share) = self.shares().find(|share| share.keyspace == keyspace) {
            share.writer.ask_filter(behind, hash);
        }
    }

    fn count(&mut self, batch: &WriteBatch) -> Result<()> {
        if let Some(keyspace) = batch.only_keyspace() {
            self.share(keyspace)?.added = Room { records: batch.len(), bytes: batch.size() };
            return Ok(());
        }
        for operation in batch.operations() {
            let bytes = operation.key.len() + operation.value.len();
            let added = &mut self.share(operation.keyspace)?.added;
            *added = added.and(Room { records: 1, bytes });
        }
        Ok(())
    }

    fn shares(&mut self) -> impl Iterator<Item = &mut Share<'a>> {
        self.first.iter_mut().chain(&mut self.others)
    }

    /// The share of a keyspace, begun when it is asked for first.
    fn share(&mut self, keyspace: KeyspaceId) -> Result<&mut Share<'a>> {
        let Memtables { set, first, others } = self;
        let first = match first {
            Some(first) => first,
            None => return Ok(first.insert(Share::begin(set, keyspace)?)),
        };
        if first.keyspace == keyspace {
            return Ok(first);
        }
        let at = match others.iter().position(|share| share.keyspace == keyspace) {
            Some(at) => at,
            None => {
                others.push(Share::begin(set, keyspace)?);
                others.len() - 1
            }
        };
        Ok(&mut others[at])
    }

    /// Inserts a batch for which there is room.
    pub fn insert(&mut self, batch: &WriteBatch, first: SequenceNumber) -> Result<()> {
        let mut operations = batch.operations();
        if batch.len() == 1 {
            // Nothing to be searched for side by side.
            return operations.next().map_or(Ok(()), |operation| self.insert_one(operation, first));
        }
        let (mut first, mut next) = (first, Group::next(&mut operations));
        while let Some(group) = next {
            next = Group::next(&mut operations);
            if let Some((behind, keyspace)) = next.as_ref().and_then(|next| Some((next, next.keyspace()?))) {
                behind.ask_filter(&self.share(keyspace)?.writer);
            }
            if let Some(keyspace) = group.keyspace() {
                let writer = &mut self.share(keyspace)?.writer;
                if !writer.is_near(first) {
                    group.approach(writer, first);
                }
            }
            for (sequence, operation) in (first..).zip(group.operations()) {
                self.insert_one(*operation, sequence)?;
            }
            first += group.len as u64;
        }
        Ok(())
    }

    fn insert_one(&mut self, operation: Operation<'_>, sequence: SequenceNumber) -> Result<()> {
        let Operation { kind, keyspace, key, value } = operation;
        self.share(keyspace)?.writer.insert(key, sequence, kind, value)
    }
}

impl<'a> Share<'a> {
    fn begin(set: &'a MemSet, keyspace: KeyspaceId) -> Result<Self> {
        let Some(memtable) = set.space(keyspace) else {
            let message = "a keyspace of the batch or transaction was dropped";
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let (writer, memory) = (memtable.writer(), memtable.memory_usage());
        let (room, added) = Default::default();
        Ok(Share { keyspace, room, added, memtable, writer, memory })
    }
}

impl Drop for Memtables<'_> {
    fn drop(&mut self) {
        let taken = |share: &mut Share<'_>| share.memtable.memory_usage().saturating_sub(share.memory);
        match self.shares().map(taken).sum() {
            0 => {}
            bytes => self.set.add_memory(bytes),
        }
    }
}
