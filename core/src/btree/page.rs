//! A leaf or inner page in memory. Its content is judged once, when it is brought in; the accessors
//! rest on that, and still stay inside their slices.

use std::ops::Range;

use crate::base::coding::Decoder;
use crate::base::error::Result;
use crate::base::ids::{MAX_SEQUENCE, SequenceNumber};
use crate::base::limits::{MAX_KEY_LEN, MAX_VALUE_LEN};
use crate::base::record::RecordKind;
use crate::btree::file::{RawPage, TableFile};
use crate::btree::format::{
    END_LEN, FLAG_BYTEWISE, FLAG_ZERO_SEQUENCES, HEAD_LEN, NODE_HEADER_LEN, PageKind, PagePointer,
};

/// A leaf or inner page. Small, so that it shares a cache line with its reference counts.
pub struct Page {
    bytes: Box<[u8]>,
    /// Bytes in the file, to be compared with a pointer's.
    length: u32,
    count: u32,
    /// Where the parts begin in `bytes`.
    prefix: u32,
    heads: u32,
    ends: u32,
    cells: u32,
    kind: PageKind,
    zero_sequences: bool,
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

impl Page {
    /// Reads and judges a page.
    pub(super) fn load(
        file: &TableFile,
        pointer: PagePointer,
        kind: PageKind,
        bytewise: bool,
    ) -> Result<Page> {
        let raw = file.read_page(pointer, kind)?;
        Self::parse(raw, pointer, kind, bytewise).map_err(|fault| match fault {
            Fault::Damaged(expected) => file.damaged(pointer.offset, expected),
            Fault::Unknown(what) => file.unsupported(what),
        })
    }

    fn parse(raw: RawPage, pointer: PagePointer, kind: PageKind, bytewise: bool) -> Result<Page, Fault> {
        let lengths = || Fault::Damaged("page content that fits its length");
        let mut header = Decoder::new(raw.content());
        let mut field = || header.u32();
        let (Some(count), Some(prefix_len), Some(flags)) = (field(), field(), field()) else {
            return Err(lengths());
        };
        if flags & !(FLAG_ZERO_SEQUENCES | FLAG_BYTEWISE) != 0 {
            return Err(Fault::Unknown("a flag of a page"));
        }
        if (flags & FLAG_BYTEWISE != 0) != bytewise {
            return Err(Fault::Damaged("a page in the order of its table"));
        }
        let prefix = (raw.start + NODE_HEADER_LEN) as u32;
        let layout = || {
            let heads = prefix.checked_add(prefix_len)?;
            let ends = heads.checked_add(count.checked_mul(HEAD_LEN as u32)?)?;
            let cells = ends.checked_add(count.checked_mul(END_LEN as u32)?)?;
            Some((heads, ends, cells)).filter(|_| cells as usize <= raw.bytes.len())
        };
        let (heads, ends, cells) = layout().ok_or_else(lengths)?;
        if count == 0 || prefix_len as usize > MAX_KEY_LEN {
            return Err(lengths());
        }
        let zero_sequences = flags & FLAG_ZERO_SEQUENCES != 0;
        let (bytes, length) = (raw.bytes.into_boxed_slice(), pointer.length);
        let page = Page { bytes, length, count, prefix, heads, ends, cells, kind, zero_sequences };
        page.judge_cells(pointer)?;
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

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        self.bytes.len() + size_of::<Page>()
    }

    /// Number of records or children, never 0.
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    pub(super) fn prefix(&self) -> &[u8] {
        self.bytes(self.prefix as usize..self.heads as usize)
    }

    /// The first bytes of all suffixes.
    pub(super) fn heads(&self) -> &[[u8; HEAD_LEN]] {
        self.bytes(self.heads as usize..self.ends as usize).as_chunks().0
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
        key.extend_from_slice(self.prefix());
        self.push_suffix(index, self.position(index).0, key);
    }

    /// The bytes at a range that this page gave.
    #[inline]
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    #[inline]
    fn cell_range(&self, index: usize) -> Range<usize> {
        let ends = self.bytes(self.ends as usize..self.cells as usize).as_chunks().0;
        let end = |index| ends.get(index).map_or(0, |end| u32::from_le_bytes(*end) as usize);
        let start = index.checked_sub(1).map_or(0, end);
        let cells = self.cells as usize;
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
    let mut decoder = Decoder::new(bytes.get(cell)?);
    let len = decoder.varint32()? as usize;
    let kind = RecordKind::from_byte(decoder.u8()?);
    let sequence = if zero_sequences { 0 } else { decoder.varint()? };
    let rest = decoder.take(len.saturating_sub(HEAD_LEN))?;
    Some(LeafCell { suffix: Suffix { len, rest }, kind, sequence, value: decoder.rest(), end })
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
