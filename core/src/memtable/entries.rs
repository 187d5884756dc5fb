//! The content of a node on its way into new nodes.

use std::ptr::NonNull;

use crate::base::comparator::KeyOrder;
use crate::memtable::permutation::SLOTS;
use crate::memtable::stored::StoredRecord;

/// What a slot can point to.
pub trait Pointee: Copy {
    /// The address.
    fn raw(self) -> NonNull<()>;
    /// The key that the slot's head is taken from.
    fn key(&self) -> &[u8];
}

impl Pointee for StoredRecord<'_> {
    fn raw(self) -> NonNull<()> {
        StoredRecord::raw(self)
    }

    fn key(&self) -> &[u8] {
        StoredRecord::key(*self)
    }
}

/// The content of a slot.
#[derive(Clone, Copy)]
pub struct Entry<P> {
    /// The first bytes of the key behind the node's prefix; see [`head`].
    pub head: u64,
    /// Record or child.
    pub to: P,
}

/// Eight bytes of `key` behind `prefix_len`, padded with zeros, as a number that sorts like them; 0 in
/// an order that is not bytewise. Equal heads do not mean equal keys.
#[inline]
pub fn head(order: &KeyOrder, key: &[u8], prefix_len: usize) -> u64 {
    if !order.is_bytewise() {
        return 0;
    }
    let rest = key.get(prefix_len..).unwrap_or_default();
    match rest.first_chunk() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => rest.iter().rev().fold(0, |head, byte| head >> 8 | u64::from(*byte) << 56),
    }
}

/// The sorted content of one node and one more.
pub struct Entries<P> {
    entries: [Entry<P>; SLOTS + 1],
    len: usize,
}

impl<P: Copy> Entries<P> {
    /// The first `len` of what `entry` gives; at least one, at most `SLOTS`.
    pub fn collect(len: usize, entry: impl Fn(usize) -> Entry<P>) -> Self {
        debug_assert!((1..=SLOTS).contains(&len));
        let entries = std::array::from_fn(|position| entry(if position < len { position } else { 0 }));
        Entries { entries, len }
    }

    /// Adds one; there is always room for the first that is added.
    pub fn insert(&mut self, position: usize, entry: Entry<P>) {
        debug_assert!(position <= self.len && self.len <= SLOTS);
        self.entries.copy_within(position..self.len, position + 1);
        self.entries[position] = entry;
        self.len += 1;
    }

    /// What is there.
    pub fn as_mut_slice(&mut self) -> &mut [Entry<P>] {
        &mut self.entries[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn heads_sort_like_keys(a in proptest::collection::vec(0u8..3, 0..12), b in proptest::collection::vec(0u8..3, 0..12),
                                prefix in proptest::collection::vec(any::<u8>(), 0..3)) {
            let key = |rest: &[u8]| [&prefix[..], rest].concat();
            let (x, y) = (head(&KeyOrder::Bytewise, &key(&a), prefix.len()), head(&KeyOrder::Bytewise, &key(&b), prefix.len()));
            if x != y {
                prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            }
            let mut padded = a.clone();
            padded.resize(8.max(a.len()), 0);
            prop_assert_eq!(&x.to_be_bytes()[..], &padded[..8]);
        }
    }
}
