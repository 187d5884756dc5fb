//! Nodes that hold nodes, and nodes of either kind.

// Typed access to memory in the arena.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use crate::base::comparator::KeyOrder;
use crate::base::error::Result;
use crate::memtable::arena::Arena;
use crate::memtable::entries::{Entries, Entry, Pointee, head};
use crate::memtable::leaf::Leaf;
use crate::memtable::permutation::Permutation;
use crate::memtable::slots::{Shape, Slots, SlotsView};
use crate::memtable::stored::StoredRecord;
use crate::prefetch::prefetch;

/// Bytes of a node.
pub const NODE_SIZE: usize = size_of::<Leaf>();
const _: () = assert!(size_of::<Inner>() == NODE_SIZE && NODE_SIZE <= 256);

/// A node of either kind.
#[derive(Clone, Copy)]
pub enum Node<'t> {
    /// Level 0.
    Leaf(&'t Leaf),
    /// Level 1 and up.
    Inner(&'t Inner),
}

/// Where a node starts: at the record if `exact`, else at the record's key.
#[derive(Clone, Copy)]
pub struct Fence<'t> {
    /// A record of the fence's key.
    pub record: StoredRecord<'t>,
    /// See [`Shape::exact`].
    pub exact: bool,
}

impl<'t> Node<'t> {
    /// The node whose [`raw`](Pointee::raw) this is.
    ///
    /// # Safety
    /// It comes from `raw`, and the node and all it leads to outlive `'t`.
    #[inline]
    pub unsafe fn from_raw(raw: NonNull<()>) -> Self {
        // SAFETY: both kinds of node start with their slots.
        let level = unsafe { raw.cast::<Slots>().as_ref() }.level();
        // SAFETY: as promised by the caller.
        unsafe { Self::of_level(raw, level) }
    }

    /// # Safety
    /// As [`from_raw`](Self::from_raw), and the node is of this level.
    #[inline]
    unsafe fn of_level(raw: NonNull<()>, level: u8) -> Self {
        match level {
            // SAFETY: a node of level 0 is a leaf.
            0 => Node::Leaf(unsafe { raw.cast().as_ref() }),
            // SAFETY: the others are inner nodes.
            _ => Node::Inner(unsafe { raw.cast().as_ref() }),
        }
    }

    /// Height above the leaves.
    pub fn level(self) -> u8 {
        self.slots().level()
    }

    /// Where the node starts; of no use for the first node of a level, which has no lower bound.
    #[inline]
    pub fn fence(self) -> Fence<'t> {
        match self {
            Node::Leaf(leaf) => Fence { record: leaf.first_copied(), exact: leaf.slots().exact() },
            Node::Inner(inner) => Fence { record: inner.fence, exact: inner.slots.exact() },
        }
    }

    /// The head of the fence's key behind `prefix_len` bytes. Reads the key only if it must: it may be
    /// far from the cache.
    pub fn fence_head(self, order: &KeyOrder, prefix_len: usize) -> u64 {
        let slots = self.slots();
        if slots.view().shape().prefix_len == prefix_len {
            slots.first_head()
        } else {
            head(order, self.fence().record.key(), prefix_len)
        }
    }

    /// Asks for the whole node.
    #[inline]
    pub fn prefetch(self) {
        prefetch(self.raw().as_ptr().cast(), NODE_SIZE / 64);
    }

    fn slots(self) -> &'t Slots {
        match self {
            Node::Leaf(leaf) => leaf.slots(),
            Node::Inner(inner) => &inner.slots,
        }
    }
}

impl Pointee for Node<'_> {
    #[inline]
    fn raw(self) -> NonNull<()> {
        match self {
            Node::Leaf(leaf) => NonNull::from(leaf).cast(),
            Node::Inner(inner) => NonNull::from(inner).cast(),
        }
    }

    fn key(&self) -> &[u8] {
        self.fence().record.key()
    }
}

/// A node that holds nodes of the level below, which live as long as it does. A child's range starts at
/// its fence and ends at the next one's; the first child's starts where the node's own does.
#[repr(C, align(64))]
pub struct Inner {
    slots: Slots,
    /// Lives as long as the node.
    fence: StoredRecord<'static>,
}

impl Inner {
    /// An inner node with sorted children, at least one. The fence of a node without a lower bound may
    /// be any record.
    ///
    /// # Safety
    /// As [`Leaf::create`]; the entries are nodes of the level below.
    pub unsafe fn create<'t>(
        arena: &mut Arena,
        shape: Shape,
        fence: StoredRecord<'t>,
        entries: &[Entry<Node<'t>>],
    ) -> Result<&'t Inner> {
        debug_assert!(entries.iter().all(|entry| entry.to.level() + 1 == shape.level));
        let place = arena.allocate(NODE_SIZE)?.cast::<Inner>();
        debug_assert!(place.is_aligned());
        // SAFETY: record and entries outlive 't and are lent for no longer; a fresh aligned place of this
        // size, which nobody frees while 't lasts.
        Ok(unsafe {
            let slots = Slots::new(shape, entries);
            place.write(Inner { slots, fence: StoredRecord::from_raw(fence.raw()) });
            place.as_ref()
        })
    }

    /// The node with its children of this moment.
    #[inline]
    pub fn view(&self) -> InnerView<'_> {
        InnerView { inner: self, slots: self.slots.view() }
    }

    /// Makes a permutation visible.
    ///
    /// # Safety
    /// Only the writer calls it, with what [`InnerView::prepare`] returned last.
    pub unsafe fn publish(&self, permutation: Permutation) {
        // SAFETY: as promised by the caller.
        unsafe { self.slots.publish(permutation) };
    }
}

/// An inner node at one moment.
#[derive(Clone, Copy)]
pub struct InnerView<'t> {
    inner: &'t Inner,
    slots: SlotsView<'t>,
}

impl<'t> InnerView<'t> {
    /// The node itself, which may have got other children.
    pub fn inner(self) -> &'t Inner {
        self.inner
    }

    /// Its slots.
    #[inline]
    pub fn slots(self) -> SlotsView<'t> {
        self.slots
    }

    /// Number of children, never 0.
    #[inline]
    pub fn len(self) -> usize {
        self.slots.len()
    }

    /// The child at a position.
    #[inline]
    pub fn child(self, position: usize) -> Node<'t> {
        debug_assert!(position < self.len());
        // SAFETY: the pointers are nodes of the level below, which live as long as this one.
        unsafe { Node::of_level(self.slots.pointer(position), self.inner.slots.level() - 1) }
    }

    /// All children with their heads.
    pub fn entries(self) -> Entries<Node<'t>> {
        Entries::collect(self.len(), |position| Entry {
            head: self.slots.head(position),
            to: self.child(position),
        })
    }

    /// Fills free slots for a change at `position` and returns the permutation that makes it visible:
    /// another node in the place of the child there, and a child behind it.
    ///
    /// # Safety
    /// Only the writer calls it, on a view of the present; there are free slots for both; the nodes
    /// are of the level below and live as long as this one.
    pub unsafe fn prepare(
        self,
        position: usize,
        replacement: Option<Node<'_>>,
        added: Option<Entry<Node<'_>>>,
    ) -> Permutation {
        let put = |permutation: Permutation, position, entry| {
            let (permutation, slot) = permutation.insert(position);
            // SAFETY: as promised by the caller; the slot is free.
            unsafe { self.inner.slots.fill(slot, entry) };
            permutation
        };
        let mut permutation = self.slots.permutation();
        if let Some(to) = replacement {
            let entry = Entry { head: self.slots.head(position), to };
            permutation = put(permutation.remove(position), position, entry);
        }
        if let Some(entry) = added {
            permutation = put(permutation, position + 1, entry);
        }
        permutation
    }
}
