//! Search in a page.

use std::cmp::Ordering;

use crate::base::comparator::KeyOrder;
use crate::base::ids::SequenceNumber;
use crate::btree::format::{HEAD_LEN, head_of, rest_of};
use crate::btree::page::{Page, Suffix};

impl Page {
    /// Leaf: index of the first record at or behind (key, sequence); the count if there is none.
    #[inline]
    pub(super) fn find(&self, order: &KeyOrder, key: &[u8], sequence: SequenceNumber) -> usize {
        self.partition_point(0, order, key, |own| own > sequence)
    }

    /// As [`Page::find`], where all records have the same sequence number: one that is newer than what is
    /// looked for, or one that is not.
    #[inline]
    pub(super) fn find_counted(&self, order: &KeyOrder, key: &[u8], newer: bool) -> usize {
        self.partition_point(0, order, key, |_| newer)
    }

    /// Inner page: index of the child that (key, sequence) belongs to.
    #[inline]
    pub(super) fn child_index(&self, order: &KeyOrder, key: &[u8], sequence: SequenceNumber) -> usize {
        // The first child takes all that the parent sent here: its key is no key of the order in the
        // leftmost page of a level.
        self.partition_point(1, order, key, |bound| bound >= sequence) - 1
    }

    /// Whether an entry has exactly this key.
    #[inline]
    pub(super) fn has_key(&self, index: usize, own: Suffix<'_>, key: &[u8]) -> bool {
        let Some(suffix) = key.strip_prefix(self.prefix()) else { return false };
        own.len == suffix.len()
            && self.heads().get(index) == Some(&head_of(suffix))
            && own.rest == rest_of(suffix)
    }

    /// Number of entries in front of a key, the first `from` ones unseen; among those with the same
    /// key, `is_before` decides by sequence or bound.
    #[inline]
    fn partition_point(
        &self,
        from: usize,
        order: &KeyOrder,
        key: &[u8],
        is_before: impl Fn(SequenceNumber) -> bool,
    ) -> usize {
        if !order.is_bytewise() {
            return self.partition_point_by_whole_keys(from, order, key, is_before);
        }
        let prefix = self.prefix();
        let Some(suffix) = key.strip_prefix(prefix) else {
            return if key < prefix { from } else { self.count() };
        };
        let head = u64::from_be_bytes(head_of(suffix));
        let heads = self.heads().get(from..).unwrap_or_default();
        let first = heads.partition_point(|own| u64::from_be_bytes(*own) < head);
        let behind = heads.get(first..).unwrap_or_default();
        let is_tie = |own: &[u8; HEAD_LEN]| u64::from_be_bytes(*own) == head;
        let ties = match behind {
            [one, two, ..] if is_tie(one) && is_tie(two) => behind.partition_point(is_tie),
            [one, ..] if is_tie(one) => 1,
            _ => 0,
        };
        let start = from + first;
        start
            + partition(ties, |tie| {
                let (own, sequence) = self.position(start + tie);
                compare_behind_equal_heads(own, suffix).then_with(|| order_of(is_before(sequence))).is_lt()
            })
    }

    #[cold]
    fn partition_point_by_whole_keys(
        &self,
        from: usize,
        order: &KeyOrder,
        key: &[u8],
        is_before: impl Fn(SequenceNumber) -> bool,
    ) -> usize {
        let mut own = Vec::new();
        from + partition(self.count() - from, |index| {
            self.copy_key(from + index, &mut own);
            let sequence = self.position(from + index).1;
            order.compare(&own, key).then_with(|| order_of(is_before(sequence))).is_lt()
        })
    }
}

fn order_of(is_before: bool) -> Ordering {
    if is_before { Ordering::Less } else { Ordering::Greater }
}

/// Number of indexes below `len` for which `is_before` holds; it holds for none behind one for which
/// it does not.
fn partition(len: usize, mut is_before: impl FnMut(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

/// Orders two suffixes with the same head. If one of them ends in its head, then all that the other
/// has more is zeros, or lies behind the head: the shorter one is a prefix of the longer one.
fn compare_behind_equal_heads(own: Suffix<'_>, suffix: &[u8]) -> Ordering {
    match own.len.min(suffix.len()) <= HEAD_LEN {
        true => own.len.cmp(&suffix.len()),
        false => own.rest.cmp(rest_of(suffix)),
    }
}
