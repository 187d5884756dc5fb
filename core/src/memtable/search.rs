//! Where a record belongs.

use std::cmp::Ordering;

use crate::base::comparator::KeyOrder;
use crate::base::ids::SequenceNumber;
use crate::memtable::entries::head;
use crate::memtable::leaf::LeafView;
use crate::memtable::node::{Fence, InnerView};
use crate::memtable::stored::StoredRecord;

/// A place in the order of records: in front of a key's records that are not newer than `sequence`.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The order of keys.
    pub order: &'a KeyOrder,
    /// The key.
    pub key: &'a [u8],
    /// The sequence.
    pub sequence: SequenceNumber,
}

impl Target<'_> {
    /// The key's head in a node.
    #[inline]
    pub fn head(&self, prefix_len: usize) -> u64 {
        head(self.order, self.key, prefix_len)
    }

    /// Whether a record is in front of this place.
    #[inline]
    pub fn is_behind(&self, record: StoredRecord<'_>) -> bool {
        match self.order.compare(record.key(), self.key) {
            Ordering::Less => true,
            Ordering::Equal => record.sequence() > self.sequence,
            Ordering::Greater => false,
        }
    }

    /// Whether a node that starts at `fence` starts at or in front of this place.
    fn is_from(&self, fence: Fence<'_>) -> bool {
        match self.order.compare(fence.record.key(), self.key) {
            Ordering::Less => true,
            Ordering::Equal => !fence.exact || fence.record.sequence() >= self.sequence,
            Ordering::Greater => false,
        }
    }

    /// The first position of a leaf that is not in front of this place, or the leaf's length.
    #[inline]
    pub fn position_in(&self, leaf: LeafView<'_>) -> usize {
        let slots = leaf.slots();
        let head = self.head(slots.shape().prefix_len);
        let low = slots.count(|own| own < head);
        if low == leaf.len() || slots.head(low) != head {
            return low;
        }
        self.position_among_equals(leaf, low, head)
    }

    /// Apart, so that the common case stays small.
    #[inline(never)]
    fn position_among_equals(&self, leaf: LeafView<'_>, low: usize, head: u64) -> usize {
        let high = leaf.slots().count(|own| own <= head);
        partition(low, high, |position| self.is_behind(leaf.record(position)))
    }

    /// The position of the child that this place is in.
    #[inline]
    pub fn child_in(&self, inner: InnerView<'_>) -> usize {
        let slots = inner.slots();
        let head = self.head(slots.shape().prefix_len);
        let low = slots.count(|own| own < head).max(1);
        if low == inner.len() || slots.head(low) != head {
            return low - 1;
        }
        self.child_among_equals(inner, low, head)
    }

    #[inline(never)]
    fn child_among_equals(&self, inner: InnerView<'_>, low: usize, head: u64) -> usize {
        let high = inner.slots().count(|own| own <= head);
        partition(low, high, |position| self.is_from(inner.child(position).fence())) - 1
    }
}

/// The first of `low..high` that does not hold, where all that hold come first. Tries the last one at
/// once: there is seldom more than one, and sorted inserts go behind the last.
#[inline]
fn partition(mut low: usize, mut high: usize, holds: impl Fn(usize) -> bool) -> usize {
    debug_assert!(low < high);
    high -= 1;
    if holds(high) {
        return high + 1;
    }
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
