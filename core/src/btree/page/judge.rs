//! The content of a page is judged when it is brought in.

use std::ops::Range;

use bytes::Bytes;

use crate::base::coding::Decoder;
use crate::base::ids::MAX_SEQUENCE;
use crate::base::limits::{MAX_KEY_LEN, MAX_VALUE_LEN};
use crate::base::record::RecordKind;
use crate::btree::children::Children;
use crate::btree::file::RawPage;
use crate::btree::format::{
    END_LEN, FLAG_BYTEWISE, FLAG_EQUAL, FLAG_FIRST_EMPTY, FLAG_ZERO_SEQUENCES, HEAD_LEN, NODE_HEADER_LEN,
    PageKind, PagePointer, SUFFIX_LEN,
};
use crate::btree::page::cell::{Suffix, parse_inner_cell, parse_leaf_cell};
use crate::btree::page::{Origin, Page};
use crate::cache::Mark;
use crate::filter::LINE;
use crate::sync::Arc;

/// What is wrong with the content of a page.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    Damaged(&'static str),
    Unknown(&'static str),
}

impl Page {
    pub(super) fn parse(
        raw: RawPage,
        origin: &Arc<Origin>,
        pointer: PagePointer,
        kind: PageKind,
        bytewise: bool,
    ) -> Result<Page, Fault> {
        let RawPage { content: bytes, mapped } = raw;
        let length = pointer.length;
        if kind == PageKind::Filter {
            return match bytes.len().is_multiple_of(LINE) {
                true => Ok(Page { mapped, ..Page::empty(origin, kind, bytes, length) }),
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
        let zero_sequences = flags & FLAG_ZERO_SEQUENCES != 0;
        let equal = flags & FLAG_EQUAL != 0 && kind == PageKind::Leaf && zero_sequences;
        let known = FLAG_ZERO_SEQUENCES
            | FLAG_BYTEWISE
            | if first_empty { FLAG_FIRST_EMPTY } else { 0 }
            | if equal { FLAG_EQUAL } else { 0 };
        if flags & !known != 0 {
            return Err(Fault::Unknown("a flag of a page"));
        }
        if (flags & FLAG_BYTEWISE != 0) != bytewise {
            return Err(Fault::Damaged("a page in the order of its table"));
        }
        let layout = || {
            let heads = (NODE_HEADER_LEN as u32).checked_add(prefix_len)?;
            let (each, once) = if equal { (HEAD_LEN, SUFFIX_LEN) } else { (HEAD_LEN + END_LEN, 0) };
            let cells = heads.checked_add(count.checked_mul(each as u32)?)?.checked_add(once as u32)?;
            Some((heads, bytes.len().checked_sub(cells as usize)?))
        };
        let (heads, cells_len) = layout().ok_or_else(lengths)?;
        if count == 0 || prefix_len as usize > MAX_KEY_LEN {
            return Err(lengths());
        }
        let page = Page::empty(origin, kind, bytes, length);
        let mut page = Page { count, heads, zero_sequences, equal, first_empty, mapped, ..page };
        match equal {
            true => page.judge_equal(cells_len)?,
            false => page.judge_cells(pointer)?,
        }
        page.children = (kind == PageKind::Inner).then(|| Children::of(page.heads()));
        Ok(page)
    }

    /// Of no records.
    fn empty(origin: &Arc<Origin>, kind: PageKind, bytes: Bytes, length: u32) -> Page {
        Page {
            mark: Mark::default(),
            origin: Arc::clone(origin),
            children: None,
            bytes,
            length,
            count: 0,
            heads: 0,
            cell_len: 0,
            suffix_len: 0,
            kind,
            zero_sequences: false,
            equal: false,
            first_empty: false,
            mapped: false,
        }
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

    /// Notes the lengths of equal records, whose cells take `cells_len` bytes.
    fn judge_equal(&mut self, cells_len: usize) -> Result<(), Fault> {
        let fitting = || Fault::Damaged("page content that fits its length");
        let longest = MAX_KEY_LEN - self.prefix().len();
        let suffix_len = Decoder::new(self.bytes(self.ends()..self.bytes.len())).u32().ok_or_else(fitting)?;
        let suffix_len = u16::try_from(suffix_len).ok().filter(|len| usize::from(*len) <= longest);
        self.suffix_len = suffix_len.ok_or(Fault::Damaged("keys within the limit"))?;
        if !cells_len.is_multiple_of(self.count()) {
            return Err(fitting());
        }
        let cell_len = cells_len / self.count();
        let value_len = cell_len.checked_sub(usize::from(self.suffix_len).saturating_sub(HEAD_LEN));
        if value_len.is_none_or(|len| len > MAX_VALUE_LEN) {
            return Err(Fault::Damaged("values and sequence numbers within the limits"));
        }
        self.cell_len = u32::try_from(cell_len).map_err(|_| fitting())?;
        Ok(())
    }
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
