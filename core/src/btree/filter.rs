//! The filter of a table in its file: lines in pages of equal size, one behind the other.

use crate::base::error::Result;
use crate::base::hash::hash_key;
use crate::btree::format::{PAGE_HEADER_LEN, PageKind, PagePointer};
use crate::btree::sink::Sink;
use crate::filter::{LINE, add, line_of, lines_for};

/// Lines of a page; the last page of a filter may have fewer. Small enough for a small cache, so that a filter is
/// brought in and evicted in parts; large enough that a few reads bring in all of it.
const LINES_PER_PAGE: u32 = 256;
/// Bytes of a full page.
const PAGE_LEN: u32 = PAGE_HEADER_LEN as u32 + LINES_PER_PAGE * LINE as u32;
/// A table of more keys has no filter: it is a table of tiny records, and its hashes would fill the memory of those
/// who build it (8 bytes each).
const MAX_KEYS: usize = 16 << 20;

/// Where the filter of a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FilterSpan {
    offset: u64,
    lines: u32,
}

impl FilterSpan {
    /// Of the pointer that spans all pages; `None` if no filter has that length.
    pub(super) fn of(pointer: PagePointer) -> Option<Self> {
        let (full, rest) = (pointer.length / PAGE_LEN, pointer.length % PAGE_LEN);
        let last = if rest == 0 { 0 } else { rest.checked_sub(PAGE_HEADER_LEN as u32)? };
        let is_whole = last.is_multiple_of(LINE as u32) && (last > 0) == (rest > 0);
        let lines = full * LINES_PER_PAGE + last / LINE as u32;
        (is_whole && lines > 0).then_some(FilterSpan { offset: pointer.offset, lines })
    }

    /// Lines of all pages.
    #[cfg(test)]
    pub(super) fn lines(&self) -> u32 {
        self.lines
    }

    /// Number of pages.
    pub(super) fn page_count(&self) -> u32 {
        self.lines.div_ceil(LINES_PER_PAGE)
    }

    /// All pages, in order.
    pub(super) fn pages(&self) -> impl Iterator<Item = PagePointer> {
        let span = *self;
        (0..self.page_count()).map(move |page| span.page(page))
    }

    /// The number of the page of a hash, and the line in that page.
    #[inline]
    pub(super) fn place_of(&self, hash: u64) -> (u32, usize) {
        let line = line_of(hash, self.lines);
        (line / LINES_PER_PAGE, (line % LINES_PER_PAGE) as usize)
    }

    /// A page.
    #[inline]
    pub(super) fn page(&self, index: u32) -> PagePointer {
        let lines = (self.lines - index * LINES_PER_PAGE).min(LINES_PER_PAGE);
        PagePointer {
            offset: self.offset + u64::from(index) * u64::from(PAGE_LEN),
            length: PAGE_HEADER_LEN as u32 + lines * LINE as u32,
        }
    }
}

/// Bytes of the filter of so many keys in a file.
fn len_for(keys: usize) -> usize {
    let lines = lines_for(keys);
    lines * LINE + lines.div_ceil(LINES_PER_PAGE as usize) * PAGE_HEADER_LEN
}

/// Gathers the hashes of the keys of a table.
#[derive(Debug, Default)]
pub(super) struct FilterBuilder {
    /// Of each key once.
    hashes: Vec<u64>,
    /// There are too many, or there was no memory: the table will have no filter.
    given_up: bool,
}

impl FilterBuilder {
    /// Adds a key that was not added yet.
    pub(super) fn add(&mut self, key: &[u8]) {
        if self.given_up {
            return;
        }
        if self.hashes.len() == MAX_KEYS || self.hashes.try_reserve(1).is_err() {
            *self = FilterBuilder { hashes: Vec::new(), given_up: true };
            return;
        }
        self.hashes.push(hash_key(key));
    }

    /// Bytes that it will take in the file.
    pub(super) fn len(&self) -> u64 {
        len_for(self.hashes.len()) as u64
    }

    /// Writes the pages, and says where they are.
    pub(super) fn write(self, sink: &mut Sink) -> Result<PagePointer> {
        let count = lines_for(self.hashes.len());
        let mut lines = Vec::new();
        if count == 0 || lines.try_reserve_exact(count).is_err() {
            return Ok(PagePointer::NONE);
        }
        lines.resize(count, [0; LINE]);
        for hash in self.hashes {
            if let Some(line) = lines.get_mut(line_of(hash, count as u32) as usize) {
                add(line, hash);
            }
        }
        let offset = sink.position();
        for lines in lines.chunks(LINES_PER_PAGE as usize) {
            sink.append_raw_page(PageKind::Filter, lines.as_flattened())?;
        }
        Ok(PagePointer { offset, length: (sink.position() - offset) as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_says_how_many_lines_there_are() {
        for lines in (1..2000u32).chain([256 * 1000, 256 * 1000 + 1, 60_000_000]) {
            let keys = lines as usize * 512 / 10;
            assert_eq!(lines_for(keys), lines as usize);
            let length = len_for(keys) as u32;
            let span = FilterSpan::of(PagePointer { offset: 64, length }).unwrap();
            assert_eq!(span.lines(), lines);
            if lines > 2000 {
                continue;
            }
            let mut end = 64;
            for page in span.pages() {
                assert_eq!(page.offset, end);
                end += u64::from(page.length);
            }
            assert_eq!(end, 64 + u64::from(length));
            for hash in [0, 1 << 40, 77 << 50, u64::MAX] {
                let (number, line) = span.place_of(hash);
                let page = span.page(number);
                assert!(span.pages().any(|own| own == page));
                assert!(PAGE_HEADER_LEN + (line + 1) * LINE <= page.length as usize);
            }
        }
    }

    #[test]
    fn other_lengths_are_no_filter() {
        let is_one = |length| FilterSpan::of(PagePointer { offset: 64, length }).is_some();
        for length in [0, 1, 16, 17, 79, 81, PAGE_LEN + 1, PAGE_LEN + 16, PAGE_LEN + 64] {
            assert!(!is_one(length), "{length}");
        }
        assert!(is_one(80) && is_one(PAGE_LEN) && is_one(PAGE_LEN + 80));
    }
}
