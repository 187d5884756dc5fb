//! Point reads of a table: filter, inner pages, leaf, record.

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::lookup::{Lookup, Reach};
use crate::btree::format::{PageKind, PagePointer};
use crate::btree::page::Page;
use crate::btree::table::{PageRecord, Table};
use crate::cache::{Ahead, Found, Visit};
use crate::filter::{LINE, may_hold};

/// What a search in a page reads: heads and ends. An inner page has a few times the children that a leaf has records.
#[inline]
pub(super) fn ahead_in(kind: PageKind) -> Ahead {
    Ahead { skip: 0, lines: if kind == PageKind::Inner { 32 } else { 8 } }
}

impl Table {
    /// The newest version of exactly `key`, whose hash is `hash`, that is not newer than `sequence`.
    pub fn get(
        &self,
        key: &[u8],
        hash: u64,
        sequence: SequenceNumber,
        reach: Reach,
    ) -> Result<Lookup<PageRecord>> {
        let mut visit = self.visit();
        if !self.may_hold(&mut visit, hash, reach)? {
            return Ok(Lookup::Absent);
        }
        let found = self.with_leaf_of(&mut visit, key, sequence, reach, |leaf| {
            let index = self.index_in(&leaf, key, sequence);
            self.record_at(leaf, index, key)
        });
        Ok(found?.map_or(Lookup::NotCached, Lookup::from))
    }

    /// First step of a look-up: what the filter says of a key. `true` if there is none, or if it is out of reach.
    #[inline]
    pub(super) fn may_hold(&self, visit: &mut Visit<'_, Page>, hash: u64, reach: Reach) -> Result<bool> {
        let Some(span) = &self.filter else { return Ok(true) };
        let (pointer, line) = span.place_of(hash);
        let ahead = Ahead { skip: line * LINE, lines: 1 };
        let line_holds = |page: Found<'_, Page>| page.line(line).is_none_or(|line| may_hold(line, hash));
        let holds = self.with_page(visit, pointer, PageKind::Filter, ahead, reach, line_holds)?;
        Ok(holds.unwrap_or(true))
    }

    /// Second step: from the root to the one leaf that can have the key at `sequence`; `None` if it is out of reach.
    /// The separators see to it that the answer is nowhere else.
    #[inline]
    pub(super) fn with_leaf_of<R>(
        &self,
        visit: &mut Visit<'_, Page>,
        key: &[u8],
        sequence: SequenceNumber,
        reach: Reach,
        use_leaf: impl FnOnce(Found<'_, Page>) -> R,
    ) -> Result<Option<R>> {
        let mut pointer = self.root;
        for _ in 1..self.properties.height {
            let child_of =
                |page: Found<'_, Page>| page.inner_cell(page.child_index(&self.order, key, sequence)).child;
            let child =
                self.with_page(visit, pointer, PageKind::Inner, ahead_in(PageKind::Inner), reach, child_of)?;
            let Some(child) = child else { return Ok(None) };
            pointer = child;
        }
        self.with_page(visit, pointer, PageKind::Leaf, ahead_in(PageKind::Leaf), reach, use_leaf)
    }

    /// Uses a page on the way of a visit.
    #[inline]
    pub(super) fn use_page<R>(
        &self,
        visit: &mut Visit<'_, Page>,
        pointer: PagePointer,
        kind: PageKind,
        ahead: Ahead,
        use_page: impl FnOnce(Found<'_, Page>) -> R,
    ) -> Result<R> {
        if let Some(page) = visit.get(self.meta.number, pointer.offset, ahead) {
            return self.use_judged(page, pointer, kind, use_page);
        }
        visit.let_go();
        Ok(use_page(Found::Counted(self.load(pointer, kind)?)))
    }

    /// As [`Table::use_page`], of a page that was used a moment ago.
    #[inline]
    pub(super) fn use_page_again<R>(
        &self,
        visit: &mut Visit<'_, Page>,
        pointer: PagePointer,
        kind: PageKind,
        use_page: impl FnOnce(Found<'_, Page>) -> R,
    ) -> Result<R> {
        if let Some(page) = visit.get_again(self.meta.number, pointer.offset) {
            return self.use_judged(page, pointer, kind, use_page);
        }
        self.use_page(visit, pointer, kind, ahead_in(kind), use_page)
    }

    #[inline]
    fn use_judged<R>(
        &self,
        page: Found<'_, Page>,
        pointer: PagePointer,
        kind: PageKind,
        use_page: impl FnOnce(Found<'_, Page>) -> R,
    ) -> Result<R> {
        match page.is(pointer, kind) {
            true => Ok(use_page(page)),
            false => Err(self.file.damaged(pointer.offset, kind.name())),
        }
    }

    /// Uses a page on the way of a visit. `None`: it is out of reach.
    #[inline]
    fn with_page<R>(
        &self,
        visit: &mut Visit<'_, Page>,
        pointer: PagePointer,
        kind: PageKind,
        ahead: Ahead,
        reach: Reach,
        use_page: impl FnOnce(Found<'_, Page>) -> R,
    ) -> Result<Option<R>> {
        if reach == Reach::Disk {
            return self.use_page(visit, pointer, kind, ahead, use_page).map(Some);
        }
        let cached = visit.get(self.meta.number, pointer.offset, ahead);
        cached.map(|page| self.use_judged(page, pointer, kind, use_page)).transpose()
    }

    /// The record at an index of a leaf, if it is of `key`.
    #[inline]
    pub(super) fn record_at(&self, page: Found<'_, Page>, index: usize, key: &[u8]) -> Option<PageRecord> {
        if index == page.count() {
            return None;
        }
        let cell = page.leaf_cell(index);
        let kind = cell.kind.filter(|_| page.has_key(index, cell.suffix, key))?;
        let (sequence, value) = (self.counted(cell.sequence), cell.range_of_value());
        Some(PageRecord { page: page.counted(), sequence, kind, value })
    }

    /// Index in a leaf of the first record at or behind (key, sequence); the count if there is none.
    #[inline]
    pub(super) fn index_in(&self, page: &Page, key: &[u8], sequence: SequenceNumber) -> usize {
        match self.meta.committed_at {
            None => page.find(&self.order, key, sequence),
            Some(own) => page.find_counted(&self.order, key, own > sequence),
        }
    }
}
