//! Point reads of a table: filter, inner pages, leaf, record.

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::lookup::{Lookup, Reach, Wanted};
use crate::btree::format::PageKind;
use crate::btree::page::Page;
use crate::btree::search::Spot;
use crate::btree::table::{FoundRecord, Table};
use crate::btree::way::{AHEAD, Way};
use crate::cache::{Ahead, Found, Lent, Pin, pin};
use crate::filter::{LINE, may_hold};

impl Table {
    /// Lends the newest version of exactly the wanted key that may be seen. Who uses it is short, or takes a counted record: it
    /// keeps memory from being reclaimed.
    #[inline]
    pub fn get<R>(
        &self,
        wanted: &Wanted<'_>,
        reach: Reach,
        use_record: &mut impl FnMut(FoundRecord<'_>) -> R,
    ) -> Result<Lookup<R>> {
        if let Some(pin) = pin()
            && let Some(found) = self.get_lent(wanted, &pin)
        {
            return Ok(found.map_or(Lookup::Absent, |record| Lookup::Found(use_record(record))));
        }
        Ok(match self.get_counted(wanted, reach)? {
            Lookup::Found(record) => Lookup::Found(use_record(record)),
            Lookup::Absent => Lookup::Absent,
            Lookup::NotCached => Lookup::NotCached,
        })
    }

    /// As [`Table::get`], without a lock. `None`: a page on the way is not named.
    #[inline]
    fn get_lent<'p>(&'p self, wanted: &Wanted<'_>, pin: &'p Pin) -> Option<Option<FoundRecord<'p>>> {
        // The line of the filter is on its way while the root is searched.
        self.ask_filter(wanted.hash);
        let (height, mut way, mut level) = (self.properties.height, Way::Root, 1);
        if height > 1 {
            (way, level) = (self.step_lent(way, AHEAD, wanted, pin)?, 2);
        }
        if !self.may_hold_lent(wanted.hash, pin)? {
            self.cache.note_hits(pin, level);
            return Some(None);
        }
        for _ in level..height {
            way = self.step_lent(way, AHEAD, wanted, pin)?;
        }
        let leaf = self.lent(way, AHEAD, pin)?;
        self.cache.note_hits(pin, height + u64::from(self.filter.is_some()));
        let spot = leaf.get().spot(&self.order, wanted.key);
        Some(self.record_on(Found::Lent(leaf), spot, wanted))
    }

    /// As [`Table::get`], one counted page after the other.
    #[cold]
    fn get_counted(&self, wanted: &Wanted<'_>, reach: Reach) -> Result<Lookup<FoundRecord<'static>>> {
        if !self.may_hold(wanted.hash, reach)? {
            return Ok(Lookup::Absent);
        }
        let kind = |level| if level == self.properties.height { PageKind::Leaf } else { PageKind::Inner };
        let Some(mut page) = self.page_in_reach(Way::Root, kind(1), reach)? else {
            return Ok(Lookup::NotCached);
        };
        for level in 2..=self.properties.height {
            let index = page.child_index(&self.order, wanted.key, wanted.sequence);
            let child = self.page_in_reach(Way::Child(&page, index), kind(level), reach)?;
            let Some(child) = child else { return Ok(Lookup::NotCached) };
            page = child;
        }
        let spot = page.spot(&self.order, wanted.key);
        Ok(self.record_on(Found::Counted(page), spot, wanted).into())
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

    /// Whether the filter is in memory and says that there is no record of a key with this hash.
    #[inline]
    pub fn surely_lacks(&self, hash: u64, pin: &Pin) -> bool {
        let lacks = self.may_hold_lent(hash, pin) == Some(false);
        self.cache.note_hits(pin, u64::from(lacks));
        lacks
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

    /// The newest version of the wanted key in a leaf that may be seen, at the spot that the leaf has for the key.
    #[inline]
    pub(super) fn record_on<'p>(
        &self,
        page: Found<'p, Page>,
        spot: Spot,
        wanted: &Wanted<'_>,
    ) -> Option<FoundRecord<'p>> {
        let index = match spot {
            Spot::Nowhere => return None,
            Spot::Alone(index) => index,
            Spot::Several => return self.record_among(page, wanted),
        };
        let cell = page.leaf_cell(index);
        let sequence = self.counted(cell.sequence);
        let kind =
            cell.kind.filter(|_| sequence <= wanted.sequence && page.ends_as(cell.suffix, wanted.key))?;
        let value = cell.range_of_value();
        Some(FoundRecord { page, sequence, kind, index, value })
    }

    /// As [`Table::record_on`], by a search with whole keys.
    #[cold]
    fn record_among<'p>(&self, page: Found<'p, Page>, wanted: &Wanted<'_>) -> Option<FoundRecord<'p>> {
        let index = self.index_in(&page, wanted.key, wanted.sequence);
        if index == page.count() {
            return None;
        }
        let cell = page.leaf_cell(index);
        let kind = cell.kind.filter(|_| page.has_key(index, cell.suffix, wanted.key))?;
        let (sequence, value) = (self.counted(cell.sequence), cell.range_of_value());
        Some(FoundRecord { page, sequence, kind, index, value })
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
