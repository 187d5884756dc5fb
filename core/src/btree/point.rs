//! Point reads of a table: filter, inner pages, leaf, record.

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::lookup::{Lookup, Reach};
use crate::btree::format::PageKind;
use crate::btree::page::Page;
use crate::btree::table::{FoundRecord, Table};
use crate::btree::way::{AHEAD, Way};
use crate::cache::{Ahead, Found, Lent, Pin, pin};
use crate::filter::{LINE, may_hold};

impl Table {
    /// Lends the newest version of exactly `key`, whose hash is `hash`, that is not newer than `sequence`. Who uses it is
    /// short, or takes a counted record: it keeps memory from being reclaimed.
    #[inline]
    pub fn get<R>(
        &self,
        key: &[u8],
        hash: u64,
        sequence: SequenceNumber,
        reach: Reach,
        use_record: &mut impl FnMut(FoundRecord<'_>) -> R,
    ) -> Result<Lookup<R>> {
        if let Some(pin) = pin()
            && let Some(found) = self.get_lent(key, hash, sequence, &pin)
        {
            return Ok(found.map_or(Lookup::Absent, |record| Lookup::Found(use_record(record))));
        }
        let found = self.get_counted(key, hash, sequence, reach)?;
        Ok(match found {
            Lookup::Found(record) => Lookup::Found(use_record(record)),
            Lookup::Absent => Lookup::Absent,
            Lookup::NotCached => Lookup::NotCached,
        })
    }

    /// As [`Table::get`], without a lock. `None`: a page on the way is not named.
    #[inline]
    fn get_lent<'p>(
        &'p self,
        key: &[u8],
        hash: u64,
        sequence: SequenceNumber,
        pin: &'p Pin,
    ) -> Option<Option<FoundRecord<'p>>> {
        // The line of the filter is on its way while the root is searched.
        self.ask_filter(hash);
        let (height, mut way, mut level) = (self.properties.height, Way::Root, 1);
        if height > 1 {
            (way, level) = (self.step_lent(way, AHEAD, key, sequence, pin)?, 2);
        }
        if !self.may_hold_lent(hash, pin)? {
            self.cache.note_hits(pin, level);
            return Some(None);
        }
        for _ in level..height {
            way = self.step_lent(way, AHEAD, key, sequence, pin)?;
        }
        let leaf = self.lent(way, AHEAD, pin)?;
        self.cache.note_hits(pin, height + u64::from(self.filter.is_some()));
        Some(self.record_of(Found::Lent(leaf), key, sequence))
    }

    /// As [`Table::get`], one counted page after the other.
    #[cold]
    fn get_counted(
        &self,
        key: &[u8],
        hash: u64,
        sequence: SequenceNumber,
        reach: Reach,
    ) -> Result<Lookup<FoundRecord<'static>>> {
        if !self.may_hold(hash, reach)? {
            return Ok(Lookup::Absent);
        }
        let kind = |level| if level == self.properties.height { PageKind::Leaf } else { PageKind::Inner };
        let Some(mut page) = self.page_in_reach(Way::Root, kind(1), reach)? else {
            return Ok(Lookup::NotCached);
        };
        for level in 2..=self.properties.height {
            let index = page.child_index(&self.order, key, sequence);
            let child = self.page_in_reach(Way::Child(&page, index), kind(level), reach)?;
            let Some(child) = child else { return Ok(Lookup::NotCached) };
            page = child;
        }
        Ok(self.record_of(Found::Counted(page), key, sequence).into())
    }

    /// What the filter says of a key. `true` if there is none, or if it is out of reach.
    pub(super) fn may_hold(&self, hash: u64, reach: Reach) -> Result<bool> {
        let Some(span) = &self.filter else { return Ok(true) };
        let (page, line) = span.place_of(hash);
        let page = self.page_in_reach(Way::Filter(page), PageKind::Filter, reach)?;
        Ok(page.is_none_or(|page| line_holds(&page, line, hash)))
    }

    /// As [`Table::may_hold`]. `None`: the page is not named.
    #[inline]
    pub(super) fn may_hold_lent(&self, hash: u64, pin: &Pin) -> Option<bool> {
        let Some(span) = &self.filter else { return Some(true) };
        let (page, line) = span.place_of(hash);
        let page: Lent<'_, Page> = self.lent(Way::Filter(page), Ahead { skip: 0, lines: 0 }, pin)?;
        Some(line_holds(page.get(), line, hash))
    }

    /// Asks the processor for the line of the filter, if that is named.
    #[inline]
    pub fn ask_filter(&self, hash: u64) {
        let Some(span) = &self.filter else { return };
        let (page, line) = span.place_of(hash);
        if let Some(place) = self.place(Way::Filter(page)) {
            place.slots.prefetch_value(place.index, Ahead { skip: line * LINE, lines: 1 });
        }
    }

    /// The newest version of `key` in a leaf that is not newer than `sequence`.
    #[inline]
    pub(super) fn record_of<'p>(
        &self,
        page: Found<'p, Page>,
        key: &[u8],
        sequence: SequenceNumber,
    ) -> Option<FoundRecord<'p>> {
        let alone = if self.order.is_bytewise() { page.find_alone(key) } else { Err(()) };
        let Ok(index) = alone else {
            let index = self.index_in(&page, key, sequence);
            return self.record_at(page, index, key);
        };
        let cell = page.leaf_cell(index?);
        let (own, kind, value) = (self.counted(cell.sequence), cell.kind?, cell.range_of_value());
        (own <= sequence).then_some(FoundRecord { page, sequence: own, kind, value })
    }

    /// The record at an index of a leaf, if it is of `key`.
    #[inline]
    pub(super) fn record_at<'p>(
        &self,
        page: Found<'p, Page>,
        index: usize,
        key: &[u8],
    ) -> Option<FoundRecord<'p>> {
        if index == page.count() {
            return None;
        }
        let cell = page.leaf_cell(index);
        let kind = cell.kind.filter(|_| page.has_key(index, cell.suffix, key))?;
        let (sequence, value) = (self.counted(cell.sequence), cell.range_of_value());
        Some(FoundRecord { page, sequence, kind, value })
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

#[inline]
fn line_holds(page: &Page, line: usize, hash: u64) -> bool {
    page.line(line).is_none_or(|line| may_hold(line, hash))
}
