//! What a walk over the records of a leaf asks of it.

use std::ops::Range;

use crate::base::key::head;
use crate::btree::format::HEAD_LEN;
use crate::btree::page::{LeafCell, Page, Suffix};
use crate::prefetch::prefetch;

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
        // Whatever stands behind a short rest is copied along: so the length of the copy is fixed.
        let start = cell.end.saturating_sub(cell.value.len() + rest.len());
        let longer = self.bytes.get(start..).and_then(|bytes| bytes.first_chunk::<SHORT_REST>());
        match (longer, place.first_chunk_mut()) {
            (Some(longer), Some(place)) if rest.len() <= SHORT_REST => *place = *longer,
            _ => place.iter_mut().zip(rest).for_each(|(to, from)| *to = *from),
        }
        at + len
    }

    /// Cache lines that the page takes.
    pub(in crate::btree) fn lines(&self) -> usize {
        self.bytes.len() / 64 + 1
    }

    /// Asks the processor for lines of the page.
    #[inline]
    pub(in crate::btree) fn prefetch_lines(&self, from: usize, count: usize) {
        if from * 64 <= self.bytes.len() {
            prefetch(self.bytes.as_ptr().wrapping_add(from * 64), count);
        }
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
