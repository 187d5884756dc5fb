//! Ways to the pages of a table through the cache: each page that is not the root or of the filter has a parent that knows it.

use crate::base::error::Result;
use crate::base::lookup::{Reach, Wanted};
use crate::btree::filter::FilterSpan;
use crate::btree::format::{PageKind, PagePointer};
use crate::btree::page::Page;
use crate::btree::table::Table;
use crate::cache::{Ahead, Lent, Pin, Place, Slots, pin};
use crate::sync::Arc;

/// The slot of the root in those of a table; the pages of the filter follow.
const ROOT: usize = 0;

/// What leads to a page.
#[derive(Clone, Copy)]
pub(super) enum Way<'p> {
    Root,
    /// The page of the filter of this number.
    Filter(u32),
    /// The child of this index of an inner page.
    Child(&'p Page, usize),
}

/// Slots for what has no parent.
pub(super) fn top_slots(filter: Option<&FilterSpan>) -> Arc<Slots<Page>> {
    Slots::new(ROOT + 1 + filter.map_or(0, FilterSpan::page_count) as usize)
}

/// What a search in a page reads first: of a leaf heads and ends, of an inner page the sample of its heads.
pub(super) const AHEAD: Ahead = Ahead { skip: 0, lines: 8 };

impl Table {
    #[inline]
    pub(super) fn place<'p>(&'p self, way: Way<'p>) -> Option<Place<'p, Page>> {
        let (slots, index) = match way {
            Way::Root => (&self.top, ROOT),
            Way::Filter(page) => (&self.top, ROOT + 1 + page as usize),
            Way::Child(parent, index) => (&parent.children()?.slots, index),
        };
        Some(Place { slots, index })
    }

    pub(super) fn pointer(&self, way: Way<'_>) -> PagePointer {
        match way {
            Way::Root => self.root,
            Way::Filter(page) => self.filter.map_or(PagePointer::NONE, |span| span.page(page)),
            Way::Child(parent, index) => parent.inner_cell(index).child,
        }
    }

    /// The page at the end of a way, if it is named there.
    #[inline]
    pub(super) fn lent<'p>(&'p self, way: Way<'p>, ahead: Ahead, pin: &'p Pin) -> Option<Lent<'p, Page>> {
        let Place { slots, index } = self.place(way)?;
        self.cache.find(slots, index, ahead, pin)
    }

    /// From an inner page to the child that can have the key. `None`: the page is not named.
    #[inline]
    pub(super) fn step_lent<'p>(
        &'p self,
        way: Way<'p>,
        ahead: Ahead,
        wanted: &Wanted<'_>,
        pin: &'p Pin,
    ) -> Option<Way<'p>> {
        let page = self.lent(way, ahead, pin)?.get();
        Some(Way::Child(page, page.child_index(&self.order, wanted.key, wanted.sequence)))
    }

    /// The page at the end of a way, if it is cached.
    pub(super) fn cached_on(&self, way: Way<'_>, kind: PageKind) -> Result<Option<Arc<Page>>> {
        if let Some(pin) = pin()
            && let Some(page) = self.lent(way, AHEAD, &pin)
        {
            self.cache.note_hits(&pin, 1);
            return Ok(Some(page.counted()));
        }
        let pointer = self.pointer(way);
        let fits = |page: &Page| page.is(pointer, kind);
        let cached = self.cache.get_named(self.number(), pointer.offset, self.place(way), fits);
        self.judged(pointer, kind, cached)
    }

    /// The page at the end of a way.
    pub(super) fn page_on(&self, way: Way<'_>, kind: PageKind) -> Result<Arc<Page>> {
        match self.cached_on(way, kind)? {
            Some(page) => Ok(page),
            None => self.load(self.pointer(way), kind, self.place(way)),
        }
    }

    /// The page at the end of a way, if it is within reach.
    pub(super) fn page_in_reach(
        &self,
        way: Way<'_>,
        kind: PageKind,
        reach: Reach,
    ) -> Result<Option<Arc<Page>>> {
        match reach {
            Reach::Memory => self.cached_on(way, kind),
            Reach::Disk => self.page_on(way, kind).map(Some),
        }
    }
}
