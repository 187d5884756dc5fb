//! Cells of leaf and inner pages.

use std::ops::Range;

use crate::base::coding::Decoder;
use crate::base::ids::SequenceNumber;
use crate::base::record::RecordKind;
use crate::btree::format::{HEAD_LEN, PagePointer};

/// A record of a leaf. The default stands for "no such record".
#[derive(Clone, Copy, Default)]
pub(in crate::btree) struct LeafCell<'a> {
    pub(in crate::btree) suffix: Suffix<'a>,
    pub(in crate::btree) kind: Option<RecordKind>,
    pub(in crate::btree) sequence: SequenceNumber,
    pub(in crate::btree) value: &'a [u8],
    /// Where the value ends in the page.
    pub(super) end: usize,
}

impl LeafCell<'_> {
    /// Where the value stands in the page, for [`Page::bytes`].
    #[inline]
    pub(in crate::btree) fn range_of_value(&self) -> Range<usize> {
        self.end.saturating_sub(self.value.len())..self.end
    }
}

/// A child of an inner page: all its records are at or behind (key, bound).
#[derive(Clone, Copy)]
pub(in crate::btree) struct InnerCell<'a> {
    pub(in crate::btree) suffix: Suffix<'a>,
    /// Over every sequence number if it is not given.
    pub(in crate::btree) bound: SequenceNumber,
    pub(in crate::btree) child: PagePointer,
}

/// A key without the page's prefix and without its head.
#[derive(Clone, Copy, Default)]
pub(in crate::btree) struct Suffix<'a> {
    /// Bytes, those in the head included.
    pub(in crate::btree) len: usize,
    /// What does not fit the head.
    pub(in crate::btree) rest: &'a [u8],
}

#[inline]
pub(super) fn parse_leaf_cell(
    bytes: &[u8],
    cell: Range<usize>,
    zero_sequences: bool,
) -> Option<LeafCell<'_>> {
    let end = cell.end;
    let cell = bytes.get(cell)?;
    if let [len @ 0..0x80, kind, tail @ ..] = cell
        && let Some((sequence, tail)) = if zero_sequences { Some((0, tail)) } else { short_varint(tail) }
    {
        let len = usize::from(*len);
        let (rest, value) = tail.split_at_checked(len.saturating_sub(HEAD_LEN))?;
        let kind = RecordKind::from_byte(*kind);
        return Some(LeafCell { suffix: Suffix { len, rest }, kind, sequence, value, end });
    }
    let mut decoder = Decoder::new(cell);
    let len = decoder.varint32()? as usize;
    let kind = RecordKind::from_byte(decoder.u8()?);
    let sequence = if zero_sequences { 0 } else { decoder.varint()? };
    let rest = decoder.take(len.saturating_sub(HEAD_LEN))?;
    Some(LeafCell { suffix: Suffix { len, rest }, kind, sequence, value: decoder.rest(), end })
}

/// A record of a leaf of equal ones.
#[inline]
pub(super) fn parse_equal_cell(bytes: &[u8], cell: Range<usize>, len: usize) -> Option<LeafCell<'_>> {
    let end = cell.end;
    let (rest, value) = bytes.get(cell)?.split_at_checked(len.saturating_sub(HEAD_LEN))?;
    Some(LeafCell { suffix: Suffix { len, rest }, kind: Some(RecordKind::Put), sequence: 0, value, end })
}

/// A varint of at most four bytes with four behind it, and what follows it; `None` says nothing.
#[inline]
fn short_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    let len = (!word & 0x8080_8080).trailing_zeros() / 8 + 1;
    if len > 4 {
        return None;
    }
    let word = word & (u64::MAX >> (64 - 8 * len));
    let value = word & 0x7f | word >> 1 & 0x3f80 | word >> 2 & 0x1f_c000 | word >> 3 & 0xfe0_0000;
    Some((value, bytes.get(len as usize..)?))
}

#[inline]
pub(super) fn parse_inner_cell(bytes: &[u8], cell: Range<usize>) -> Option<InnerCell<'_>> {
    let mut decoder = Decoder::new(bytes.get(cell)?);
    let len = decoder.varint32()? as usize;
    let bound = match decoder.u8()? {
        0 => SequenceNumber::MAX,
        1 => decoder.u64()?,
        _ => return None,
    };
    let rest = decoder.take(len.saturating_sub(HEAD_LEN))?;
    let child = PagePointer::decode(&mut decoder)?;
    decoder.is_empty().then_some(InnerCell { suffix: Suffix { len, rest }, bound, child })
}
