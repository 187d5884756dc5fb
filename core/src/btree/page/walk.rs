//! What a walk over the records of a leaf asks of it.

use std::ops::Range;

use crate::base::key::head;
use crate::btree::format::HEAD_LEN;
use crate::btree::page::{LeafCell, Page, Suffix};
use crate::prefetch::prefetch;

/// Cache lines that are asked for at once.
pub(in crate::btree) const PIECE: usize = 4;

/// Bytes of a key behind its head that are copied in one piece.
const SHORT_REST: usize = 16;

impl Page {
    /// Whether no two records have the same key.
    #[inline]
    pub(in crate::btree) fn has_one_version_a_key(&self) -> bool {
        self.zero_sequences
    }

    /// Leaf: whether two records have the same key.
    #[inline]
    pub(in crate::btree) fn have_same_key(&self, a: usize, b: usize) -> bool {
        let heads = self.heads();
        heads.get(a) == heads.get(b) && {
            let (a, b) = (self.leaf_cell(a).suffix, self.leaf_cell(b).suffix);
            a.len == b.len && a.rest == b.rest
        }
    }

    /// Writes the suffix of a record of this leaf into a buffer, which is made as long as it takes and stays longer, behind the
    /// first `at` bytes. Returns where it ends.
    #[inline]
    pub(in crate::btree) fn write_suffix(
        &self,
        index: usize,
        cell: &LeafCell<'_>,
        at: usize,
        key: &mut Vec<u8>,
    ) -> usize {
        let Suffix { len, rest } = cell.suffix;
        let needed = at + len + HEAD_LEN + SHORT_REST;
        if key.len() < needed {
            key.resize(needed, 0);
        }
        let (Some(head), Some(place)) = (self.heads().get(index), key.get_mut(at..)) else { return at };
        let Some((to_head, place)) = place.split_first_chunk_mut() else { return at };
        *to_head = *head;
        let start = cell.end.saturating_sub(cell.value.len() + rest.len());
        copy_rest(self.bytes.get(start..).unwrap_or_default(), rest.len(), place);
        at + len
    }

    /// Whether it is a leaf of puts without sequences whose keys have one length, and whose values have one length.
    #[inline]
    pub(in crate::btree) fn is_equal(&self) -> bool {
        self.equal
    }

    /// As [`Page::write_suffix`] in a leaf of equal records, over the suffix of another one, which is as long. Returns where the
    /// value stands.
    #[inline]
    pub(in crate::btree) fn write_equal_suffix(
        &self,
        index: usize,
        at: usize,
        key: &mut [u8],
    ) -> Range<usize> {
        let cell = self.equal_cell_range(index);
        let rest_len = usize::from(self.suffix_len).saturating_sub(HEAD_LEN);
        let head =
            self.bytes.get(self.heads as usize + index * HEAD_LEN..).and_then(|bytes| bytes.first_chunk());
        let rest = self.bytes.get(cell.start..).unwrap_or_default();
        if let (Some(head), Some(place)) = (head, key.get_mut(at..))
            && let Some((to_head, place)) = place.split_first_chunk_mut::<HEAD_LEN>()
        {
            *to_head = *head;
            copy_rest(rest, rest_len, place);
        }
        cell.start.wrapping_add(rest_len)..cell.end
    }

    /// Cache lines that the page takes.
    pub(in crate::btree) fn lines(&self) -> usize {
        self.bytes.len() / 64 + 1
    }

    /// Asks the processor for [`PIECE`] lines of the page.
    #[inline]
    pub(in crate::btree) fn prefetch_piece(&self, from: usize) {
        let start = self.bytes.as_ptr().wrapping_add(from * 64);
        (0..PIECE).for_each(|line| prefetch(start.wrapping_add(line * 64), 1));
    }

    /// Of some records in bytewise order: how many, in a direction, are known by their heads to come before `key`.
    pub(in crate::btree) fn count_until(&self, records: Range<usize>, key: &[u8], forward: bool) -> usize {
        let prefix = self.prefix();
        let heads = self.heads().get(records).unwrap_or_default();
        let Some(suffix) = key.strip_prefix(prefix) else {
            return if (key > prefix) == forward { heads.len() } else { 0 };
        };
        let head = head(suffix);
        let number = |own: &[u8; HEAD_LEN]| u64::from_be_bytes(*own);
        match forward {
            true => heads.partition_point(|own| number(own) < head),
            false => heads.len() - heads.partition_point(|own| number(own) <= head),
        }
    }

    /// Leaf: how many of `most` steps from a record lead to another head each, backward also away from another head.
    pub(in crate::btree) fn count_apart(&self, from: usize, most: usize, forward: bool) -> usize {
        let apart = |pair: &&[[u8; HEAD_LEN]]| pair[0] != pair[1];
        let heads = self.heads();
        match forward {
            true => heads.get(from..from + most + 1).unwrap_or_default().windows(2).take_while(apart).count(),
            // A step to `at` looks at `at - 1` and `at`.
            false => {
                let passed = heads.get((from - most).saturating_sub(1)..from).unwrap_or_default();
                passed.windows(2).rev().take_while(apart).count()
            }
        }
    }
}

/// Copies the first `len` bytes. Whatever stands behind a short rest is copied along: so the length of the copy is fixed.
#[inline]
fn copy_rest(from: &[u8], len: usize, to: &mut [u8]) {
    match (from.first_chunk::<SHORT_REST>(), to.first_chunk_mut()) {
        (Some(from), Some(to)) if len <= SHORT_REST => *to = *from,
        _ => to.iter_mut().zip(from).take(len).for_each(|(to, from)| *to = *from),
    }
}
