//! Inserts.

// Creates records, and publishes them as the one writer.
#![allow(unsafe_code)]

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::limits::check_record;
use crate::base::record::{Record, RecordKind};
use crate::memtable::Memtable;
use crate::memtable::arena::Arena;
use crate::memtable::budget::{NodesNeeded, nodes_needed};
use crate::memtable::entries::Entry;
use crate::memtable::leaf::Leaf;
use crate::memtable::node::{NODE_SIZE, Node};
use crate::memtable::search::Target;
use crate::memtable::slots::Shape;
use crate::memtable::split::split_and_insert;
use crate::memtable::stored::{RECORD_OVERHEAD, StoredRecord};
use crate::sync::{AtomicUsize, MutexGuard, Ordering};

/// Levels that a tree can have: far more than memory has room for.
pub const MAX_LEVELS: usize = 20;

/// What the writer alone uses. Belongs to one table for life: nodes and records come from here.
pub struct Store {
    /// Inner nodes, by themselves, so that they lie close together.
    pub inner_nodes: Arena,
    /// Leaves.
    pub leaves: Arena,
    /// Records.
    pub records: Arena,
    /// Nodes in force, by level.
    pub nodes_of_level: [usize; MAX_LEVELS],
}

impl Store {
    pub fn new() -> Self {
        Store {
            inner_nodes: Arena::new(),
            leaves: Arena::new(),
            records: Arena::new(),
            nodes_of_level: [0; MAX_LEVELS],
        }
    }

    /// Bytes taken from the allocator.
    fn taken(&self) -> usize {
        self.inner_nodes.taken() + self.leaves.taken() + self.records.taken()
    }
}

/// The right to insert into a [`Memtable`].
pub struct MemtableWriter<'t> {
    table: &'t Memtable,
    store: MutexGuard<'t, Store>,
}

impl<'t> MemtableWriter<'t> {
    pub(super) fn new(table: &'t Memtable) -> Self {
        MemtableWriter { table, store: table.store.lock() }
    }

    /// Sees to it that inserts of `records` records, whose keys and values have `bytes` bytes in all,
    /// cannot fail. Errors: `OutOfMemory`.
    pub fn reserve(&mut self, records: usize, bytes: usize) -> Result<()> {
        let store = &mut *self.store;
        let bytes = records.saturating_mul(RECORD_OVERHEAD).saturating_add(bytes);
        let NodesNeeded { leaves, inner_nodes } = nodes_needed(&store.nodes_of_level, records);
        let reserved = grow_by_missing(&mut store.leaves, leaves)
            .and_then(|()| grow_by_missing(&mut store.inner_nodes, inner_nodes))
            .and_then(|()| match store.records.connected_room() < bytes {
                true => store.records.grow(bytes),
                false => Ok(()),
            });
        self.count_memory();
        reserved
    }

    /// Inserts a record; there is none of this key and sequence yet. Errors: `OutOfMemory`,
    /// `InvalidArgument` for a key or value over the limit; nothing is inserted then.
    pub fn insert(
        &mut self,
        key: &[u8],
        sequence: SequenceNumber,
        kind: RecordKind,
        value: &[u8],
    ) -> Result<()> {
        check_record(key, value)?;
        let inserted = self.insert_record(Record { key, sequence, kind, value });
        self.count_memory();
        if inserted.is_ok() {
            // Only the writer changes the counters.
            let counters = &self.table.counters;
            let count =
                |counter: &AtomicUsize| counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            count(&counters.records);
            if kind == RecordKind::Delete {
                count(&counters.tombstones);
            }
        }
        inserted
    }

    fn insert_record(&mut self, record: Record<'_>) -> Result<()> {
        let order = &self.table.order;
        let target = Target { order, key: record.key, sequence: record.sequence };
        // SAFETY: the store is the table's own and lives as long; only records come from this arena,
        // whose sizes are multiples of 8.
        let record: StoredRecord<'t> = unsafe { StoredRecord::create(&mut self.store.records, record)? };
        let Some(leaf) = self.table.tree.descend(|inner| target.child_in(inner)) else {
            return self.plant(&target, record);
        };
        if !leaf.has_room() {
            return split_and_insert(self.table, &mut self.store, &target, record);
        }
        let entry = Entry { head: target.head(leaf.slots().shape().prefix_len), to: record };
        // SAFETY: this is the writer, the leaf has room, and record and leaf live as long as the table.
        unsafe { leaf.insert(target.position_in(leaf), entry) };
        Ok(())
    }

    /// Makes the first leaf.
    fn plant(&mut self, target: &Target<'_>, record: StoredRecord<'t>) -> Result<()> {
        let shape = Shape { level: 0, prefix_len: 0, exact: false, straddles: false };
        let entry = Entry { head: target.head(0), to: record };
        // SAFETY: the store is the table's own and lives as long; only nodes come from this arena.
        let leaf: &'t Leaf = unsafe { Leaf::create(&mut self.store.leaves, shape, &[entry])? };
        self.store.nodes_of_level[0] = 1;
        // SAFETY: this is the writer; the leaf lives as long as the table.
        unsafe { self.table.tree.set_root(Node::Leaf(leaf)) };
        Ok(())
    }

    fn count_memory(&self) {
        self.table.counters.memory.store(self.store.taken(), Ordering::Relaxed);
    }
}

fn grow_by_missing(arena: &mut Arena, nodes: usize) -> Result<()> {
    match nodes.saturating_mul(NODE_SIZE).saturating_sub(arena.room()) {
        0 => Ok(()),
        missing => arena.grow(missing),
    }
}
