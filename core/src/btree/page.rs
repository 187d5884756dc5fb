//! A leaf, inner or filter page in memory. Its content is judged once, when it is brought in; the accessors
//! rest on that, and still stay inside their slices.

mod cell;
mod judge;
mod walk;

use std::ops::Range;

use bytes::Bytes;

use crate::base::error::Result;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::btree::children::Children;
use crate::btree::file::{RawPage, TableFile};
use crate::btree::format::{END_LEN, HEAD_LEN, NODE_HEADER_LEN, PageKind, PagePointer, SUFFIX_LEN};
use crate::cache::frames::Frames;
use crate::cache::{Cached, Mark};
use crate::filter::LINE;
use crate::prefetch::prefetch;
use crate::sync::Arc;

pub(super) use cell::{InnerCell, LeafCell, Suffix};
use cell::{parse_equal_cell, parse_inner_cell, parse_leaf_cell};
use judge::Fault;
pub(super) use walk::PIECE;

/// A leaf, inner or filter page.
pub struct Page {
    mark: Mark<Page>,
    /// The table that it is of.
    origin: Arc<Origin>,
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
    /// Of a leaf of equal records: bytes of a cell.
    cell_len: u32,
    /// Of a leaf of equal records: bytes of a suffix.
    suffix_len: u16,
    kind: PageKind,
    zero_sequences: bool,
    /// A leaf of puts whose suffixes have one length and whose values have one length.
    equal: bool,
    first_empty: bool,
    mapped: bool,
}

/// What a record does not say of itself: the same for all of a table.
#[derive(Debug, Default)]
pub(super) struct Origin {
    pub(super) keyspace: KeyspaceId,
    /// As in the table's meta.
    pub(super) committed_at: Option<SequenceNumber>,
}

impl Cached for Page {
    fn is_leaf(&self) -> bool {
        self.kind == PageKind::Leaf
    }

    fn stride(&self) -> u32 {
        let start = u16::try_from(self.ends() + SUFFIX_LEN);
        match (start, u16::try_from(self.cell_len)) {
            (Ok(start), Ok(len)) if self.equal => u32::from(start) | u32::from(len) << 16,
            _ => 0,
        }
    }

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
        Self::parse(raw, &file.origin, pointer, kind, bytewise).map_err(|fault| match fault {
            Fault::Damaged(expected) => file.damaged(pointer.offset, expected),
            Fault::Unknown(what) => file.unsupported(what),
        })
    }

    #[inline]
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
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
        let range = self.cell_range(index);
        let cell = match self.equal {
            true => parse_equal_cell(&self.bytes, range, self.suffix_len.into()),
            false => parse_leaf_cell(&self.bytes, range, self.zero_sequences),
        };
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

    /// Asks the processor for what leads to a record, of a page whose stride does not.
    #[inline]
    pub(super) fn prefetch_way_to(&self, index: usize) {
        if !self.equal {
            let content = self.bytes.as_ptr();
            prefetch(content, 1);
            prefetch(content.wrapping_add(self.heads as usize + index * HEAD_LEN), 1);
            prefetch(content.wrapping_add(self.ends() + index * END_LEN), 1);
        }
    }

    /// Asks the processor for an entry.
    #[inline]
    pub(super) fn prefetch_cell(&self, index: usize) {
        let cell = self.cell_range(index);
        prefetch(self.bytes.as_ptr().wrapping_add(cell.start), cell.len().div_ceil(64).min(4) + 1);
    }

    /// Of a leaf of equal records. Beyond the last one it may be anything.
    #[inline]
    fn equal_cell_range(&self, index: usize) -> Range<usize> {
        let len = self.cell_len as usize;
        let start = (self.ends() + SUFFIX_LEN).wrapping_add(index.wrapping_mul(len));
        start..start.wrapping_add(len)
    }

    #[inline]
    fn cell_range(&self, index: usize) -> Range<usize> {
        if self.equal {
            return self.equal_cell_range(index);
        }
        let cells = self.ends() + self.count as usize * END_LEN;
        let ends = self.bytes(self.ends()..cells).as_chunks().0;
        let end = |index| ends.get(index).map_or(0, |end| u32::from_le_bytes(*end) as usize);
        let start = index.checked_sub(1).map_or(0, end);
        cells.saturating_add(start)..cells.saturating_add(end(index))
    }
}
