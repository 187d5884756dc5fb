//! Nodes that hold records, in a chain.

// Typed access to memory in the arena.
#![allow(unsafe_code)]

use std::ptr::{from_ref, null_mut};

use crate::base::error::Result;
use crate::memtable::arena::Arena;
use crate::memtable::between_stores;
use crate::memtable::entries::{Entries, Entry};
use crate::memtable::node::NODE_SIZE;
use crate::memtable::slots::{Shape, Slots, SlotsView};
use crate::memtable::stored::StoredRecord;
use crate::prefetch::prefetch;
use crate::sync::{AtomicPtr, Ordering};

/// A node that holds records. Its pointers are records that live as long as it does.
#[repr(C, align(64))]
pub struct Leaf {
    slots: Slots,
    next: AtomicPtr<Leaf>,
    prev: AtomicPtr<Leaf>,
}

impl Leaf {
    /// A leaf that is not linked yet, with sorted records, at least one.
    ///
    /// # Safety
    /// All sizes asked of `arena` are `NODE_SIZE`; it and the arena of the records outlive `'t`.
    pub unsafe fn create<'t>(
        arena: &mut Arena,
        shape: Shape,
        entries: &[Entry<StoredRecord<'t>>],
    ) -> Result<&'t Leaf> {
        debug_assert!(shape.level == 0);
        let place = arena.allocate(NODE_SIZE)?.cast::<Leaf>();
        debug_assert!(place.is_aligned());
        // SAFETY: the records outlive 't; a fresh aligned place of this size, which nobody frees while 't
        // lasts.
        Ok(unsafe {
            let slots = Slots::new(shape, entries);
            place.write(Leaf { slots, next: AtomicPtr::new(null_mut()), prev: AtomicPtr::new(null_mut()) });
            place.as_ref()
        })
    }

    /// The leaf with all its records of this moment.
    #[inline]
    pub fn view(&self) -> LeafView<'_> {
        LeafView { leaf: self, slots: self.slots.view() }
    }

    /// The leaf behind.
    #[inline]
    pub fn next(&self) -> Option<&Leaf> {
        // SAFETY: `splice` stored it.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }

    /// The leaf in front.
    #[inline]
    pub fn prev(&self) -> Option<&Leaf> {
        // SAFETY: `splice` stored it.
        unsafe { self.prev.load(Ordering::Acquire).as_ref() }
    }

    /// Puts new leaves between two neighbours, or at an end of the chain.
    ///
    /// # Safety
    /// Only the writer calls it, with leaves that live equally long.
    pub unsafe fn splice(prev: Option<&Leaf>, new: &[&Leaf], next: Option<&Leaf>) {
        // The neighbours come last: who comes over from them must be able to go on.
        for (i, leaf) in new.iter().enumerate() {
            let before = i.checked_sub(1).map_or(prev, |i| Some(new[i]));
            let behind = new.get(i + 1).copied().or(next);
            leaf.prev.store(Self::link_to(before), Ordering::Release);
            leaf.next.store(Self::link_to(behind), Ordering::Release);
        }
        between_stores();
        if let Some(prev) = prev {
            prev.next.store(Self::link_to(new.first().copied()), Ordering::Release);
            between_stores();
        }
        if let Some(next) = next {
            next.prev.store(Self::link_to(new.last().copied()), Ordering::Release);
            between_stores();
        }
    }

    fn link_to(leaf: Option<&Leaf>) -> *mut Leaf {
        leaf.map_or(null_mut(), |leaf| from_ref(leaf).cast_mut())
    }

    /// What the leaf is made of.
    #[inline]
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The record that was the first when the leaf was made. Later ones in front of it can only be newer
    /// ones of its key, unless the leaf is the first of all.
    #[inline]
    pub fn first_copied(&self) -> StoredRecord<'_> {
        // SAFETY: a leaf's pointers are records, which live as long as it does.
        unsafe { StoredRecord::from_raw(self.slots.first_pointer()) }
    }

    #[inline]
    fn prefetch(&self) {
        prefetch((&raw const *self).cast(), NODE_SIZE / 64);
    }
}

/// A leaf at one moment.
#[derive(Clone, Copy)]
pub struct LeafView<'t> {
    leaf: &'t Leaf,
    slots: SlotsView<'t>,
}

impl<'t> LeafView<'t> {
    /// The leaf itself, which may have got more records.
    #[inline]
    pub fn leaf(self) -> &'t Leaf {
        self.leaf
    }

    /// Its slots.
    #[inline]
    pub fn slots(self) -> SlotsView<'t> {
        self.slots
    }

    /// Number of records, never 0.
    #[inline]
    pub fn len(self) -> usize {
        self.slots.len()
    }

    /// Whether another record fits.
    #[inline]
    pub fn has_room(self) -> bool {
        self.slots.permutation().free() > 0
    }

    /// The record at a position.
    #[inline]
    pub fn record(self, position: usize) -> StoredRecord<'t> {
        debug_assert!(position < self.len());
        // SAFETY: a leaf's pointers are records, which live as long as it does.
        unsafe { StoredRecord::from_raw(self.slots.pointer(position)) }
    }

    /// All records with their heads.
    pub fn entries(self) -> Entries<StoredRecord<'t>> {
        Entries::collect(self.len(), |position| Entry {
            head: self.slots.head(position),
            to: self.record(position),
        })
    }

    /// Asks for all records and for the next leaf.
    #[inline]
    pub fn prefetch_forward(self) {
        self.prefetch_records();
        self.leaf.next().inspect(|leaf| leaf.prefetch());
    }

    /// Asks for all records and for the previous leaf.
    #[inline]
    pub fn prefetch_backward(self) {
        self.prefetch_records();
        self.leaf.prev().inspect(|leaf| leaf.prefetch());
    }

    #[inline]
    fn prefetch_records(self) {
        for position in 0..self.len() {
            self.record(position).prefetch();
        }
    }

    /// Adds a record at a position.
    ///
    /// # Safety
    /// Only the writer calls it, on a view of the present; the leaf has room; the record lives as long
    /// as the leaf.
    #[inline]
    pub unsafe fn insert(self, position: usize, entry: Entry<StoredRecord<'_>>) {
        let (permutation, slot) = self.slots.permutation().insert(position);
        // SAFETY: as promised by the caller; the slot is free, and then filled.
        unsafe {
            self.leaf.slots.fill(slot, entry);
            self.leaf.slots.publish(permutation);
        }
    }
}
