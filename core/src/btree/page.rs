//! A leaf, inner or filter page in memory. Its content is judged once, when it is brought in; the accessors
//! rest on that, and still stay inside their slices.

mod walk;

use std::ops::Range;

use bytes::Bytes;

use crate::base::coding::Decoder;
use crate::base::error::Result;
use crate::base::ids::{MAX_SEQUENCE, SequenceNumber};
use crate::base::limits::{MAX_KEY_LEN, MAX_VALUE_LEN};
use crate::base::record::RecordKind;
use crate::btree::children::Children;
use crate::btree::file::{RawPage, TableFile};
use crate::btree::format::{
    END_LEN, FLAG_BYTEWISE, FLAG_FIRST_EMPTY, FLAG_ZERO_SEQUENCES, HEAD_LEN, NODE_HEADER_LEN, PageKind,
    PagePointer,
};
use crate::cache::frames::Frames;
use crate::cache::{Cached, Mark};
use crate::filter::LINE;
use crate::prefetch::prefetch;

/// A leaf, inner or filter page.
pub struct Page {
    mark: Mark<Page>,
    /// Of an inner page.
    children: Option<Children>,
    /// Memory of its own, or a part of a map.
    bytes: Bytes,
    /// Bytes in the file, to be compared with a pointer's.
    length: u32,
    /// Records or children.
    count: u32,
    /// Where the heads begin in `bytes`.
    heads: u32,
    kind: PageKind,
    zero_sequences: bool,
    first_empty: bool,
    mapped: bool,
}

/// A record of a leaf. The default stands for "no such record".
#[derive(Clone, Copy, Default)]
pub(super) struct LeafCell<'a> {
    pub(super) suffix: Suffix<'a>,
    pub(super) kind: Option<RecordKind>,
    pub(super) sequence: SequenceNumber,
    pub(super) value: &'a [u8],
    /// Where the value ends in the page.
    end: usize,
}

impl LeafCell<'_> {
    /// Where the value stands in the page, for [`Page::bytes`].
    #[inline]
    pub(super) fn range_of_value(&self) -> Range<usize> {
        self.end.saturating_sub(self.value.len())..self.end
    }
}

/// A child of an inner page: all its records are at or behind (key, bound).
#[derive(Clone, Copy)]
pub(super) struct InnerCell<'a> {
    pub(super) suffix: Suffix<'a>,
    /// Over every sequence number if it is not given.
    pub(super) bound: SequenceNumber,
    pub(super) child: PagePointer,
}

/// A key without the page's prefix and without its head.
#[derive(Clone, Copy, Default)]
pub(super) struct Suffix<'a> {
    /// Bytes, those in the head included.
    pub(super) len: usize,
    /// What does not fit the head.
    pub(super) rest: &'a [u8],
}

impl Cached for Page {
    fn mark(&self) -> &Mark<Page> {
        &self.mark
    }

    fn content(&self) -> *const u8 {
        self.children.as_ref().map_or(self.bytes.as_ptr(), Children::content)
    }
}

impl Page {
    /// Reads and judges a page.
    pub(super) fn load(
        file: &TableFile,
        pointer: PagePointer,
        kind: PageKind,
        bytewise: bool,
    ) -> Result<Page> {
        Self::judge(file, file.read_page(pointer, kind)?, pointer, kind, bytewise)
    }

    /// Judges the content of a page that was read from `file`.
    pub(super) fn judge(
        file: &TableFile,
        raw: RawPage,
        pointer: PagePointer,
        kind: PageKind,
        bytewise: bool,
    ) -> Result<Page> {
        Self::parse(raw, pointer, kind, bytewise).map_err(|fault| match fault {
            Fault::Damaged(expected) => file.damaged(pointer.offset, expected),
            Fault::Unknown(what) => file.unsupported(what),
        })
    }

    fn parse(raw: RawPage, pointer: PagePointer, kind: PageKind, bytewise: bool) -> Result<Page, Fault> {
        let RawPage { content: bytes, mapped } = raw;
        let length = pointer.length;
        if kind == PageKind::Filter {
            return match bytes.len().is_multiple_of(LINE) {
                true => Ok(Page {
                    mark: Mark::default(),
                    children: None,
                    bytes,
                    length,
                    count: 0,
                    heads: 0,
                    kind,
                    zero_sequences: false,
                    first_empty: false,
                    mapped,
                }),
                false => Err(Fault::Damaged("whole lines of a filter")),
            };
        }
        let lengths = || Fault::Damaged("page content that fits its length");
        let mut header = Decoder::new(&bytes);
        let mut field = || header.u32();
        let (Some(count), Some(prefix_len), Some(flags)) = (field(), field(), field()) else {
            return Err(lengths());
        };
        let first_empty = flags & FLAG_FIRST_EMPTY != 0 && kind == PageKind::Inner;
        let known = FLAG_ZERO_SEQUENCES | FLAG_BYTEWISE | if first_empty { FLAG_FIRST_EMPTY } else { 0 };
        if flags & !known != 0 {
            return Err(Fault::Unknown("a flag of a page"));
        }
        if (flags & FLAG_BYTEWISE != 0) != bytewise {
            return Err(Fault::Damaged("a page in the order of its table"));
        }
        let layout = || {
            let heads = (NODE_HEADER_LEN as u32).checked_add(prefix_len)?;
            let cells = heads.checked_add(count.checked_mul((HEAD_LEN + END_LEN) as u32)?)?;
            Some(heads).filter(|_| cells as usize <= bytes.len())
        };
        let heads = layout().ok_or_else(lengths)?;
        if count == 0 || prefix_len as usize > MAX_KEY_LEN {
            return Err(lengths());
        }
        let zero_sequences = flags & FLAG_ZERO_SEQUENCES != 0;
        let mut page = Page {
            mark: Mark::default(),
            children: None,
            bytes,
            length,
            count,
            heads,
            kind,
            zero_sequences,
            first_empty,
            mapped,
        };
        page.judge_cells(pointer)?;
        page.children = (kind == PageKind::Inner).then(|| Children::of(page.heads()));
        Ok(page)
    }

    fn judge_cells(&self, pointer: PagePointer) -> Result<(), Fault> {
        let longest_suffix = MAX_KEY_LEN - self.prefix().len();
        for index in 0..self.count() {
            let cell = self.cell_range(index);
            let suffix = match self.kind {
                PageKind::Leaf => judge_leaf_cell(&self.bytes, cell, self.zero_sequences)?,
                _ => judge_inner_cell(&self.bytes, cell, pointer.offset)?,
            };
            if index == 0 && self.first_empty && suffix.len > 0 {
                return Err(Fault::Damaged("an empty first key"));
            }
            if suffix.len > longest_suffix {
                return Err(Fault::Damaged("keys within the limit"));
            }
        }
        match self.cell_range(self.count() - 1).end == self.bytes.len() {
            true => Ok(()),
            false => Err(Fault::Damaged("page content that fits its length")),
        }
    }

    pub(super) fn is(&self, pointer: PagePointer, kind: PageKind) -> bool {
        self.length == pointer.length && self.kind == kind
    }

    /// Bytes of memory. A map is counted apart.
    pub(super) fn weight(&self) -> usize {
        let own = match (self.mapped, self.kind) {
            (true, _) => 0,
            (false, PageKind::Filter) => self.bytes.len() + LINE,
            (false, _) => Frames::size_for(self.bytes.len()),
        };
        own + size_of::<Page>() + self.children.as_ref().map_or(0, |children| children.weight(self.count()))
    }

    /// Of an inner page.
    #[inline]
    pub(super) fn children(&self) -> Option<&Children> {
        self.children.as_ref()
    }

    /// A line of a filter page.
    #[inline]
    pub(super) fn line(&self, index: usize) -> Option<&[u8; LINE]> {
        self.bytes.as_chunks().0.get(index)
    }

    /// Number of records or children, never 0.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    #[inline]
    pub(super) fn prefix(&self) -> &[u8] {
        self.bytes(NODE_HEADER_LEN..self.heads as usize)
    }

    /// The first bytes of all suffixes.
    #[inline]
    pub(super) fn heads(&self) -> &[[u8; HEAD_LEN]] {
        self.bytes(self.heads as usize..self.ends()).as_chunks().0
    }

    #[inline]
    pub(super) fn leaf_cell(&self, index: usize) -> LeafCell<'_> {
        let cell = parse_leaf_cell(&self.bytes, self.cell_range(index), self.zero_sequences);
        debug_assert!(cell.is_some_and(|cell| cell.kind.is_some()), "judged when it was brought in");
        cell.unwrap_or_default()
    }

    #[inline]
    pub(super) fn inner_cell(&self, index: usize) -> InnerCell<'_> {
        let cell = parse_inner_cell(&self.bytes, self.cell_range(index));
        debug_assert!(cell.is_some(), "judged when it was brought in");
        cell.unwrap_or(InnerCell { suffix: Suffix::default(), bound: 0, child: PagePointer::NONE })
    }

    /// Suffix, and sequence or bound.
    #[inline]
    pub(super) fn position(&self, index: usize) -> (Suffix<'_>, SequenceNumber) {
        match self.kind {
            PageKind::Leaf => {
                let cell = self.leaf_cell(index);
                (cell.suffix, cell.sequence)
            }
            _ => {
                let cell = self.inner_cell(index);
                (cell.suffix, cell.bound)
            }
        }
    }

    /// Appends a suffix to a buffer that ends with the prefix.
    #[inline]
    pub(super) fn push_suffix(&self, index: usize, suffix: Suffix<'_>, key: &mut Vec<u8>) {
        let Some(head) = self.heads().get(index) else { return };
        key.extend_from_slice(head);
        match suffix.len.checked_sub(HEAD_LEN) {
            Some(0) => {}
            Some(_) => key.extend_from_slice(suffix.rest),
            None => key.truncate(key.len() - (HEAD_LEN - suffix.len)),
        }
    }

    /// Replaces `key` by the whole key of an entry.
    pub(super) fn copy_key(&self, index: usize, key: &mut Vec<u8>) {
        key.clear();
        if index == 0 && self.first_empty {
            return;
        }
        key.extend_from_slice(self.prefix());
        self.push_suffix(index, self.position(index).0, key);
    }

    /// The bytes at a range that this page gave.
    #[inline]
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Where the ends begin; the layout was found to fit the page.
    #[inline]
    fn ends(&self) -> usize {
        self.heads as usize + self.count as usize * HEAD_LEN
    }

    /// Asks the processor for an entry.
    #[inline]
    pub(super) fn prefetch_cell(&self, index: usize) {
        let cell = self.cell_range(index);
        prefetch(self.bytes.as_ptr().wrapping_add(cell.start), cell.len().div_ceil(64).min(4) + 1);
    }

    #[inline]
    fn cell_range(&self, index: usize) -> Range<usize> {
        let cells = self.ends() + self.count as usize * END_LEN;
        let ends = self.bytes(self.ends()..cells).as_chunks().0;
        let end = |index| ends.get(index).map_or(0, |end| u32::from_le_bytes(*end) as usize);
        let start = index.checked_sub(1).map_or(0, end);
        cells.saturating_add(start)..cells.saturating_add(end(index))
    }
}

/// What is wrong with the content of a page.
#[derive(Clone, Copy)]
enum Fault {
    Damaged(&'static str),
    Unknown(&'static str),
}

#[inline]
fn parse_leaf_cell(bytes: &[u8], cell: Range<usize>, zero_sequences: bool) -> Option<LeafCell<'_>> {
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
fn parse_inner_cell(bytes: &[u8], cell: Range<usize>) -> Option<InnerCell<'_>> {
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

fn judge_leaf_cell(bytes: &[u8], cell: Range<usize>, zero_sequences: bool) -> Result<Suffix<'_>, Fault> {
    let cell =
        parse_leaf_cell(bytes, cell, zero_sequences).ok_or(Fault::Damaged("records of a leaf page"))?;
    let Some(kind) = cell.kind else { return Err(Fault::Unknown("a kind of record")) };
    let has_fitting_value = match kind {
        RecordKind::Put => cell.value.len() <= MAX_VALUE_LEN,
        RecordKind::Delete => cell.value.is_empty(),
    };
    match has_fitting_value && cell.sequence <= MAX_SEQUENCE {
        true => Ok(cell.suffix),
        false => Err(Fault::Damaged("values and sequence numbers within the limits")),
    }
}

/// A child was written before its parent, at `offset`: so there can be no cycle.
fn judge_inner_cell(bytes: &[u8], cell: Range<usize>, offset: u64) -> Result<Suffix<'_>, Fault> {
    let cell = parse_inner_cell(bytes, cell).ok_or(Fault::Damaged("children of an inner page"))?;
    match cell.child.lies_before(offset) {
        true => Ok(cell.suffix),
        false => Err(Fault::Damaged("children in front of their parent")),
    }
}
