//! Sizes, flags and pointers of the table format.

use crate::base::coding::Decoder;
use crate::base::header::FILE_HEADER_LEN;
use crate::base::key::head;
use crate::base::limits::MAX_VALUE_LEN;

/// Bytes in front of the stored bytes of a page.
pub(super) const PAGE_HEADER_LEN: usize = 16;
/// Bytes of the footer.
pub(super) const FOOTER_LEN: usize = 64;
/// Bytes of a page pointer.
pub(super) const POINTER_LEN: usize = 12;
/// Bytes of a leaf or inner page in front of its prefix: count, prefix length, flags.
pub(super) const NODE_HEADER_LEN: usize = 12;
/// Bytes of a key's suffix that stand apart, in front of the cells.
pub(super) const HEAD_LEN: usize = 8;
/// Bytes of one element of `ends`.
pub(super) const END_LEN: usize = 4;
/// Node flag: every sequence of the leaf is 0 and left out.
pub(super) const FLAG_ZERO_SEQUENCES: u32 = 1;
/// Node flag: keys are in bytewise order.
pub(super) const FLAG_BYTEWISE: u32 = 2;
/// Node flag of an inner page: the key of the first entry is empty, and the prefix is that of the others.
pub(super) const FLAG_FIRST_EMPTY: u32 = 4;
/// Node flag, in what was compressed only: lengths of cells in place of their ends.
pub(super) const FLAG_LENGTHS: u32 = 8;
/// Node flag of a leaf: all records are puts, with suffixes of one length and values of one length, which stand once.
pub(super) const FLAG_EQUAL: u32 = 16;
/// Bytes of the length of all suffixes.
pub(super) const SUFFIX_LEN: usize = 4;
/// Raw bytes that no page passes: the largest is a record alone, with its key and some bytes around it.
pub(super) const MAX_RAW_LEN: usize = MAX_VALUE_LEN + (1 << 20);
/// Levels that no table passes: an inner page but the last of its level has at least two children.
pub(super) const MAX_HEIGHT: u64 = 64;

/// What a page holds. The numbers are part of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum PageKind {
    Leaf = 1,
    Inner = 2,
    Properties = 3,
    Filter = 4,
}

impl PageKind {
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        [PageKind::Leaf, PageKind::Inner, PageKind::Properties, PageKind::Filter]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            PageKind::Leaf => "a leaf page",
            PageKind::Inner => "an inner page",
            PageKind::Properties => "a properties page",
            PageKind::Filter => "a filter page",
        }
    }
}

/// Where a page is: its length counts the page header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PagePointer {
    pub(super) offset: u64,
    pub(super) length: u32,
}

impl PagePointer {
    /// "No page".
    pub(super) const NONE: PagePointer = PagePointer { offset: 0, length: 0 };

    pub(super) fn encode(self) -> [u8; POINTER_LEN] {
        let mut bytes = [0; POINTER_LEN];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    pub(super) fn decode(decoder: &mut Decoder<'_>) -> Option<Self> {
        Some(PagePointer { offset: decoder.u64()?, length: decoder.u32()? })
    }

    /// Whether the page lies behind the file header and in front of `end`.
    pub(super) fn lies_before(self, end: u64) -> bool {
        self.offset >= FILE_HEADER_LEN as u64
            && self.length as usize > PAGE_HEADER_LEN
            && self.offset.checked_add(self.length.into()).is_some_and(|own_end| own_end <= end)
    }
}

/// The first bytes of a suffix, zero padded.
#[inline]
pub(super) fn head_of(suffix: &[u8]) -> [u8; HEAD_LEN] {
    head(suffix).to_be_bytes()
}

/// The part of a suffix behind its head.
#[inline]
pub(super) fn rest_of(suffix: &[u8]) -> &[u8] {
    suffix.get(HEAD_LEN..).unwrap_or(&[])
}

/// Whether two texts, mostly short ones, are the same.
#[inline]
pub(super) fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
        // The last words overlap those in front of them.
        (Some(last_a), Some(last_b)) => last_a == last_b && a.as_chunks::<8>().0 == b.as_chunks::<8>().0,
        _ => a.iter().zip(b).all(|(a, b)| a == b),
    }
}

/// Number of bytes at the front that two keys share.
pub(super) fn common_prefix_len(a: &[u8], b: &[u8]) -> usize {
    let (words_a, words_b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    for (index, (word_a, word_b)) in words_a.iter().zip(words_b).enumerate() {
        let differing = u64::from_le_bytes(*word_a) ^ u64::from_le_bytes(*word_b);
        if differing != 0 {
            return 8 * index + differing.trailing_zeros() as usize / 8;
        }
    }
    let whole = 8 * words_a.len().min(words_b.len());
    let rest = a.iter().zip(b).skip(whole);
    whole + rest.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_the_same_if_each_byte_is(
            a in proptest::collection::vec(0u8..2, 0..20),
            b in proptest::collection::vec(0u8..2, 0..20),
            at in 0usize..20,
        ) {
            prop_assert_eq!(is_same(&a, &b), a == b);
            let mut other = a.clone();
            prop_assert!(is_same(&a, &other));
            if let Some(byte) = other.get_mut(at) {
                *byte ^= 1;
                prop_assert!(!is_same(&a, &other));
            }
        }

        #[test]
        fn a_common_prefix_is_counted_to_the_byte(
            shared in proptest::collection::vec(any::<u8>(), 0..40),
            a in proptest::collection::vec(0u8..3, 0..12),
            b in proptest::collection::vec(0u8..3, 0..12),
        ) {
            let (a, b) = ([&shared[..], &a].concat(), [&shared[..], &b].concat());
            let by_byte = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(common_prefix_len(&a, &b), by_byte);
        }
    }
}
