//! Inserts.

// Creates records, and publishes them as the one writer.
#![allow(unsafe_code)]

use std::ptr;

use crate::base::error::Result;
use crate::base::hash::hash_key;
use crate::base::ids::SequenceNumber;
use crate::base::limits::check_record;
use crate::base::record::{Record, RecordKind};
use crate::memtable::Memtable;
use crate::memtable::arena::Arena;
use crate::memtable::budget::{NodesNeeded, SPARE, nodes_needed};
use crate::memtable::chunks::Chunks;
use crate::memtable::entries::Entry;
use crate::memtable::leaf::{Leaf, LeafView};
use crate::memtable::node::{NODE_SIZE, Node};
use crate::memtable::search::Target;
use crate::memtable::slots::Shape;
use crate::memtable::split::split_and_insert;
use crate::memtable::stored::{RECORD_OVERHEAD, StoredRecord};
use crate::memtable::tree::ABREAST;
use crate::sync::{Arc, AtomicUsize, MutexGuard, Ordering};

/// Levels that a tree can have: far more than memory has room for.
pub const MAX_LEVELS: usize = 20;

/// Nodes that one insert can make at most, in whatever tree.
pub const NEEDED_BY_ONE: NodesNeeded = NodesNeeded { leaves: 2, inner_nodes: 2 * MAX_LEVELS + SPARE };

/// For so many records it is enough to ask whether there is room for the most that they can need in whatever tree.
const FEW: usize = 8;

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
    pub fn new(chunks: &Arc<Chunks>) -> Self {
        Store {
            inner_nodes: Arena::new(chunks),
            leaves: Arena::new(chunks),
            records: Arena::new(chunks),
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
    approached: Approached<'t>,
    /// The last leaf, if the last insert went to its end.
    end: Option<&'t Leaf>,
}

/// Leaves that are on their way into the cache, for inserts of rising sequence numbers.
///
/// They may be used as long as they have room. Only a full leaf is ever split, and it stays full: so one with room is in
/// force, and its range is the same as when it was found.
struct Approached<'t> {
    first: SequenceNumber,
    leaves: [Option<&'t Leaf>; ABREAST],
}

impl<'t> Approached<'t> {
    fn leaf(&self, sequence: SequenceNumber) -> Option<&'t Leaf> {
        let nth = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        *self.leaves.get(nth)?
    }
}

impl<'t> MemtableWriter<'t> {
    pub(super) fn new(table: &'t Memtable) -> Self {
        let approached = Approached { first: 0, leaves: [None; ABREAST] };
        MemtableWriter { table, store: table.store.lock(), approached, end: None }
    }

    /// Asks the processor for what the filter changes when a key with this hash is inserted behind so many others.
    #[inline]
    pub fn ask_filter(&self, behind: usize, hash: u64) {
        self.table.filter.ask_to_add(self.table.len() + behind, hash);
    }

    /// Starts towards the places of at most [`ABREAST`] keys, that of each sequence number from `first` on, which are inserted
    /// soon: what the inserts will need comes into the cache meanwhile. Forgets the keys of the call before.
    pub fn approach(&mut self, first: SequenceNumber, keys: &[&[u8]]) {
        debug_assert!(keys.len() <= ABREAST);
        let order = &self.table.order;
        let target = |nth: usize| {
            let key = keys.get(nth).copied().unwrap_or_default();
            Target { order, key, sequence: first + nth as u64 }
        };
        let targets: [Target<'_>; ABREAST] = std::array::from_fn(target);
        let targets = targets.get(..keys.len()).unwrap_or(&targets);
        let mut leaves = self.table.tree.descend_abreast(targets);
        leaves.iter_mut().skip(keys.len()).for_each(|leaf| *leaf = None);
        self.approached = Approached { first, leaves };
    }

    /// Whether the insert of a sequence number needs no [`MemtableWriter::approach`]: it was approached, or the insert before it
    /// went to the end, where the next one of a sorted batch goes too.
    pub fn is_near(&self, sequence: SequenceNumber) -> bool {
        self.end.is_some() || self.approached.leaf(sequence).is_some()
    }

    /// Sees to it that inserts of `records` records, whose keys and values have `bytes` bytes in all,
    /// cannot fail. Errors: `OutOfMemory`.
    pub fn reserve(&mut self, records: usize, bytes: usize) -> Result<()> {
        if self.table.filter.reserve(self.table.len(), records) {
            self.count_memory();
        }
        let store = &mut *self.store;
        let bytes = records.saturating_mul(RECORD_OVERHEAD).saturating_add(bytes);
        let has_room = |arena: &Arena, nodes: usize| arena.room() >= nodes * NODE_SIZE;
        if records <= FEW
            && has_room(&store.leaves, records * NEEDED_BY_ONE.leaves)
            && has_room(&store.inner_nodes, records * NEEDED_BY_ONE.inner_nodes)
            && store.records.connected_room() >= bytes
        {
            return Ok(());
        }
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
        self.table.filter.add(self.table.len(), hash_key(key));
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
        let Some(leaf) = self.leaf_of(&target) else {
            return self.plant(&target, record);
        };
        let position = target.position_in(leaf);
        let is_at_end = position == leaf.len() && leaf.leaf().next().is_none();
        if leaf.has_room() {
            let entry = Entry { head: target.head(leaf.slots().shape().prefix_len), to: record };
            // SAFETY: this is the writer, the leaf has room, and record and leaf live as long as the table.
            unsafe { leaf.insert(position, entry) };
        } else {
            split_and_insert(self.table, &mut self.store, &target, record)?;
        }
        self.end = if is_at_end { self.table.tree.last_leaf() } else { None };
        Ok(())
    }

    /// Where a record belongs: the last leaf, if the insert before went to its end; or one that was approached; or one that
    /// is searched for.
    #[inline]
    fn leaf_of(&self, target: &Target<'_>) -> Option<LeafView<'t>> {
        let search = || self.table.tree.descend(|inner| target.child_in(inner));
        let at_end = |leaf: &LeafView<'t>| {
            leaf.leaf().next().is_none() && target.is_behind(leaf.record(leaf.len() - 1))
        };
        let end = self.end.map(Leaf::view).filter(at_end);
        let near = end.or_else(|| self.approached.leaf(target.sequence).map(Leaf::view));
        let near = near.filter(|leaf| leaf.has_room());
        debug_assert!(near.is_none_or(|near| search().is_some_and(|leaf| ptr::eq(leaf.leaf(), near.leaf()))));
        near.or_else(search)
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
        self.table.counters.memory.store(self.store.taken() + self.table.filter.memory(), Ordering::Relaxed);
    }
}

fn grow_by_missing(arena: &mut Arena, nodes: usize) -> Result<()> {
    match nodes.saturating_mul(NODE_SIZE).saturating_sub(arena.room()) {
        0 => Ok(()),
        missing => arena.grow(missing),
    }
}
