//! What both kinds of node are made of: sorted slots of a key head and a pointer, behind one word.
//!
//! A slot is written before a permutation that names it is published, and never after. So a reader
//! takes a permutation once (a view) and has a consistent, sorted, unchanging node without any lock.

// Relies on permutations to name filled slots only.
#![allow(unsafe_code)]

use std::ptr::{NonNull, null_mut};

use crate::memtable::between_stores;
use crate::memtable::entries::{Entry, Pointee};
use crate::memtable::permutation::{Permutation, SLOTS};
use crate::sync::{AtomicPtr, AtomicU8, AtomicU64, Ordering};

/// What never changes about a node.
#[derive(Clone, Copy)]
pub struct Shape {
    /// 0 for a leaf.
    pub level: u8,
    /// Leading bytes that all keys of the node share; heads are taken behind them.
    pub prefix_len: usize,
    /// Whether the lower bound is a record, which cuts the versions of its key apart; else it is a key,
    /// and all its versions are in this node or behind.
    pub exact: bool,
    /// Leaf: whether older versions of its last key may be in the next leaf.
    pub straddles: bool,
}

/// The slots of a node. At least slot 0 is filled.
#[repr(C)]
pub struct Slots {
    permutation: AtomicU64,
    prefix_len: u16,
    level: u8,
    exact: bool,
    straddles: bool,
    /// Slots below this one do not count for [`SlotsView::age`]; only the writer looks at it.
    aged: AtomicU8,
    heads: [AtomicU64; SLOTS],
    pointers: [AtomicPtr<()>; SLOTS],
}

impl Slots {
    /// Slots with sorted entries; at least one.
    ///
    /// # Safety
    /// What the entries point to lives as long as the slots.
    pub unsafe fn new<P: Pointee>(shape: Shape, entries: &[Entry<P>]) -> Self {
        debug_assert!((1..=SLOTS).contains(&entries.len()));
        let slots = Slots {
            permutation: AtomicU64::new(Permutation::identity(entries.len()).bits()),
            prefix_len: shape.prefix_len as u16,
            level: shape.level,
            exact: shape.exact,
            straddles: shape.straddles,
            aged: AtomicU8::new(entries.len() as u8),
            heads: [const { AtomicU64::new(0) }; SLOTS],
            pointers: [const { AtomicPtr::new(null_mut()) }; SLOTS],
        };
        for (slot, entry) in entries.iter().enumerate() {
            // SAFETY: nobody else sees the slots; the caller vouches for the entries.
            unsafe { slots.fill(slot, *entry) };
        }
        slots
    }

    /// The slots of this moment.
    #[inline]
    pub fn view(&self) -> SlotsView<'_> {
        let permutation = Permutation::from_bits(self.permutation.load(Ordering::Acquire));
        SlotsView { slots: self, permutation }
    }

    /// See [`Shape::level`].
    #[inline]
    pub fn level(&self) -> u8 {
        self.level
    }

    /// See [`Shape::exact`].
    #[inline]
    pub fn exact(&self) -> bool {
        self.exact
    }

    /// The pointer that was the first when the node was made.
    #[inline]
    pub fn first_pointer(&self) -> NonNull<()> {
        self.pointer(0)
    }

    /// The head of [`first_pointer`](Self::first_pointer).
    pub fn first_head(&self) -> u64 {
        self.head(0)
    }

    /// Writes a slot.
    ///
    /// # Safety
    /// Only the writer calls it, for a slot that no permutation names yet; what the entry points to
    /// lives as long as the slots.
    pub unsafe fn fill<P: Pointee>(&self, slot: usize, entry: Entry<P>) {
        self.heads[slot].store(entry.head, Ordering::Relaxed);
        self.pointers[slot].store(entry.to.raw().as_ptr(), Ordering::Relaxed);
    }

    /// Makes a permutation visible.
    ///
    /// # Safety
    /// Only the writer calls it; all slots that the permutation names are filled.
    pub unsafe fn publish(&self, permutation: Permutation) {
        debug_assert!((0..permutation.len()).all(|position| {
            !self.pointers[permutation.slot(position)].load(Ordering::Relaxed).is_null()
        }));
        self.permutation.store(permutation.bits(), Ordering::Release);
        between_stores();
    }

    #[inline]
    fn head(&self, slot: usize) -> u64 {
        debug_assert!(slot < SLOTS);
        // SAFETY: no slot number of a permutation reaches SLOTS.
        unsafe { self.heads.get_unchecked(slot) }.load(Ordering::Relaxed)
    }

    #[inline]
    fn pointer(&self, slot: usize) -> NonNull<()> {
        debug_assert!(slot < SLOTS);
        // SAFETY: no slot number of a permutation reaches SLOTS.
        let pointer = unsafe { self.pointers.get_unchecked(slot) }.load(Ordering::Relaxed);
        debug_assert!(!pointer.is_null());
        // SAFETY: the slot is 0, filled at birth, or named by a permutation that was published after
        // the slot was filled.
        unsafe { NonNull::new_unchecked(pointer) }
    }
}

/// The slots of a node at one moment.
#[derive(Clone, Copy)]
pub struct SlotsView<'t> {
    slots: &'t Slots,
    permutation: Permutation,
}

impl SlotsView<'_> {
    /// Their order.
    #[inline]
    pub fn permutation(self) -> Permutation {
        self.permutation
    }

    /// Number of entries, never 0.
    #[inline]
    pub fn len(self) -> usize {
        self.permutation.len()
    }

    /// What never changes about the node.
    #[inline]
    pub fn shape(self) -> Shape {
        let &Slots { level, prefix_len, exact, straddles, .. } = self.slots;
        Shape { level, prefix_len: usize::from(prefix_len), exact, straddles }
    }

    /// The head at a position; that of slot 0 for one that is not live.
    #[inline]
    pub fn head(self, position: usize) -> u64 {
        self.slots.head(self.permutation.slot(position))
    }

    /// The pointer at a position; that of slot 0 for one that is not live.
    #[inline]
    pub fn pointer(self, position: usize) -> NonNull<()> {
        self.slots.pointer(self.permutation.slot(position))
    }

    /// Positions from the front whose head is `below`. Heads rise, so these are all such positions.
    #[inline]
    pub fn count(self, below: impl Fn(u64) -> bool) -> usize {
        let mut low = 0;
        for step in [8, 4, 2, 1] {
            let probe = low + step;
            if probe <= self.len() && below(self.head(probe - 1)) {
                low = probe;
            }
        }
        low
    }

    /// How many inserts ago, from 0, the entry at `position` came; `None` for one that was there when
    /// the node was made or when ages were forgotten, and behind the last.
    pub fn age(self, position: usize) -> Option<usize> {
        let slot = self.permutation.slot(position);
        let counts = position < self.len() && slot >= usize::from(self.slots.aged.load(Ordering::Relaxed));
        counts.then(|| SLOTS - self.permutation.free() - 1 - slot)
    }

    /// Makes [`age`](Self::age) forget the inserts so far. Only for the writer.
    pub fn forget_ages(self) {
        self.slots.aged.store(SLOTS as u8, Ordering::Relaxed);
    }
}
