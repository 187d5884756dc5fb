//! Search in a page.

use std::cmp::Ordering;

use crate::base::comparator::KeyOrder;
use crate::base::ids::SequenceNumber;
use crate::base::key::head;
use crate::btree::format::{HEAD_LEN, head_of, is_same, rest_of};
use crate::btree::page::{Page, Suffix};

/// Where the records of a key may be in a leaf.
#[derive(Clone, Copy)]
pub(super) enum Spot {
    /// There is none.
    Nowhere,
    /// One at most, at this index.
    Alone(usize),
    /// The heads do not tell.
    Several,
}

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
        let Some(suffix) = self.suffix_of(key) else { return false };
        self.heads().get(index) == Some(&head_of(suffix)) && is_rest_of(own, suffix)
    }

    /// Leaf: what the heads say of a key.
    #[inline]
    pub(super) fn spot(&self, order: &KeyOrder, key: &[u8]) -> Spot {
        if !order.is_bytewise() {
            return Spot::Several;
        }
        let Some(suffix) = self.suffix_of(key) else { return Spot::Nowhere };
        let head = head(suffix);
        let heads = self.heads();
        let index = heads.partition_point(|own| u64::from_be_bytes(*own) < head);
        let is_tie = |index: usize| heads.get(index).is_some_and(|own| u64::from_be_bytes(*own) == head);
        match (is_tie(index), is_tie(index + 1)) {
            (false, _) => Spot::Nowhere,
            (true, true) => Spot::Several,
            (true, false) => Spot::Alone(index),
        }
    }

    /// Whether a key that has the prefix goes on as a suffix with the same head does.
    #[inline]
    pub(super) fn ends_as(&self, own: Suffix<'_>, key: &[u8]) -> bool {
        is_rest_of(own, key.get(self.prefix().len()..).unwrap_or_default())
    }

    /// What is behind the prefix in a key that has it.
    #[inline]
    fn suffix_of<'k>(&self, key: &'k [u8]) -> Option<&'k [u8]> {
        let prefix = self.prefix();
        let (front, suffix) = key.split_at_checked(prefix.len())?;
        is_same(front, prefix).then_some(suffix)
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
        let Some(suffix) = self.suffix_of(key) else {
            return if key < self.prefix() { from } else { self.count() };
        };
        let head = head(suffix);
        let heads = self.heads();
        let near = self.children().map_or(from..heads.len(), |children| children.narrow(heads, head));
        let near = near.start.max(from)..near.end.max(from);
        let count = |near: &[[u8; HEAD_LEN]]| near.partition_point(|own| u64::from_be_bytes(*own) < head);
        let start = near.start + heads.get(near).map_or(0, count);
        let behind = heads.get(start..).unwrap_or_default();
        let is_tie = |own: &[u8; HEAD_LEN]| u64::from_be_bytes(*own) == head;
        let ties = match behind {
            [one, two, ..] if is_tie(one) && is_tie(two) => behind.partition_point(is_tie),
            [one, ..] if is_tie(one) => 1,
            _ => 0,
        };
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

/// Whether an entry's key goes on behind its head as a suffix with the same head does.
#[inline]
fn is_rest_of(own: Suffix<'_>, suffix: &[u8]) -> bool {
    own.len == suffix.len() && is_same(own.rest, rest_of(suffix))
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
