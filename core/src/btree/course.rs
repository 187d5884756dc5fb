//! Where a cursor is heading: what is worth reading ahead of it.

use crate::base::error::Result;
use crate::base::key::KeyRange;
use crate::btree::cursor::Direction;
use crate::btree::format::{PageKind, PagePointer};
use crate::btree::page::Page;
use crate::btree::readahead::Lane;
use crate::btree::table::Table;
use crate::sync::Arc;

/// Leaves walked in order before any is read ahead.
const STEPS: usize = 3;
/// Leaves that the cursor had to read itself before any is read ahead.
const MISSES: usize = 2;
/// Looks ahead that find everything in the cache before the next one waits for misses again.
const WARM_LOOKS: usize = 2;

/// The way of a cursor over leaves, and what was asked for in front of it.
pub struct Course {
    lane: Lane,
    /// What the scan wants: nothing outside of it is read.
    range: Arc<KeyRange>,
    /// Entries after which the scan ends.
    limit: usize,
    direction: Direction,
    steps: usize,
    misses: usize,
    warm_looks: usize,
    /// Leaves in front of the cursor that were looked at already.
    asked: usize,
    /// The inner page asked for last.
    inner: Option<PagePointer>,
    /// The next seek goes on with the way: it leads to the neighbouring table.
    carried: bool,
}

/// An inner page, and the child taken.
type Turn = (Arc<Page>, usize);

impl Course {
    /// For a cursor of a scan of at most `limit` entries of `range`.
    pub fn new(lane: Lane, range: Arc<KeyRange>, limit: usize) -> Self {
        Course {
            lane,
            range,
            limit,
            direction: Direction::Forward,
            steps: 0,
            misses: 0,
            warm_looks: 0,
            asked: 0,
            inner: None,
            carried: false,
        }
    }

    /// The cursor goes on in a neighbouring table.
    pub fn carry(mut self) -> Self {
        self.carried = true;
        self
    }

    /// The cursor is positioned anew.
    pub(super) fn restart(&mut self) {
        self.lane.cancel();
        (self.asked, self.inner) = (0, None);
        if !std::mem::take(&mut self.carried) {
            (self.steps, self.misses, self.warm_looks) = (0, 0, 0);
        }
    }

    fn is_cold(&self) -> bool {
        self.steps >= STEPS && self.misses >= MISSES
    }

    /// The cursor has to read a page that is not in the cache. `true`: somebody else has just read it.
    pub(super) fn miss(&mut self, table: &Table, pointer: PagePointer, kind: PageKind) -> bool {
        if kind == PageKind::Leaf {
            self.misses += 1;
        }
        self.lane.claim(table, pointer)
    }

    /// How many leaves to be ahead: no more than the scan will come to, if the entries that it gives lie as close as the
    /// records of the table. If it has come further they do not.
    fn distance(&self, table: &Table) -> usize {
        let properties = &table.properties;
        let a_leaf = (properties.entries / properties.leaf_pages.max(1)).max(1) as usize;
        match self.limit.div_ceil(a_leaf).saturating_add(1).checked_sub(self.steps) {
            None | Some(0) => self.lane.distance(),
            Some(leaves) => self.lane.distance().min(leaves - 1),
        }
    }

    /// The cursor is about to step to the leaf under `turns`. Looks ahead when half of what was asked for is used up.
    pub(super) fn step(&mut self, table: &Arc<Table>, turns: &[Turn], direction: Direction) -> Result<()> {
        if self.direction != direction {
            self.carried = false;
            self.restart();
            self.direction = direction;
        }
        self.steps += 1;
        self.asked = self.asked.saturating_sub(1);
        if !self.is_cold() || self.asked > self.lane.distance() / 2 {
            return Ok(());
        }
        let (before, distance) = (self.asked, self.distance(table));
        let pages =
            if distance > self.asked { self.look_ahead(table, turns, distance)? } else { return Ok(()) };
        if pages.is_empty() {
            self.warm_looks += usize::from(self.asked > before);
            if self.warm_looks >= WARM_LOOKS {
                (self.misses, self.warm_looks) = (0, 0);
            }
            return Ok(());
        }
        self.warm_looks = 0;
        self.lane.request(table, &pages);
        Ok(())
    }

    /// The pages in front of the cursor, up to the distance, that nobody has asked for and that are not in the cache.
    fn look_ahead(
        &mut self,
        table: &Table,
        turns: &[Turn],
        distance: usize,
    ) -> Result<Vec<(PagePointer, PageKind)>> {
        let mut pages = Vec::new();
        let Some((parent, index)) = turns.last() else { return Ok(pages) };
        let ahead = children(parent, Some(*index), self.direction);
        let mut leaves = 0;
        let mut scratch = Vec::new();
        for child in ahead.chain(self.cousins(table, turns, &mut pages)?) {
            leaves += 1;
            if leaves <= self.asked {
                continue;
            }
            if leaves > distance || self.is_outside(table, &child, &mut scratch) {
                break;
            }
            self.asked = leaves;
            let pointer = child.0.inner_cell(child.1).child;
            if !table.is_cached(pointer) {
                pages.push((pointer, PageKind::Leaf));
            }
        }
        Ok(pages)
    }

    /// The leaves under the inner page next to the parent, if that is near and in the cache; if it is not, it is asked for.
    fn cousins(
        &mut self,
        table: &Table,
        turns: &[Turn],
        pages: &mut Vec<(PagePointer, PageKind)>,
    ) -> Result<impl Iterator<Item = Turn> + use<>> {
        let [.., (above, up), (parent, index)] = turns else { return Ok(None.into_iter().flatten()) };
        let left = match self.direction {
            Direction::Forward => parent.count().saturating_sub(*index + 1),
            Direction::Backward => *index,
        };
        if left >= self.lane.distance() {
            return Ok(None.into_iter().flatten());
        }
        let Some((above, up)) = children(above, Some(*up), self.direction).next() else {
            return Ok(None.into_iter().flatten());
        };
        let pointer = above.inner_cell(up).child;
        if table.is_cached(pointer) {
            let page = table.page(pointer, PageKind::Inner)?;
            return Ok(Some(children(&page, None, self.direction)).into_iter().flatten());
        }
        if self.inner != Some(pointer) {
            self.inner = Some(pointer);
            pages.push((pointer, PageKind::Inner));
        }
        Ok(None.into_iter().flatten())
    }

    /// Whether the scan ends in front of a leaf.
    fn is_outside(&self, table: &Table, (page, index): &Turn, scratch: &mut Vec<u8>) -> bool {
        match self.direction {
            Direction::Forward => {
                page.copy_key(*index, scratch);
                // The first separator of a level is empty, which says nothing in an order that is not bytewise.
                !scratch.is_empty() && self.range.is_after(&table.order, scratch)
            }
            Direction::Backward => {
                let next = *index + 1;
                if next < page.count() {
                    page.copy_key(next, scratch);
                }
                next < page.count() && self.range.is_before(&table.order, scratch)
            }
        }
    }
}

/// The children of an inner page behind `index`, or all, in a direction.
fn children(
    page: &Arc<Page>,
    index: Option<usize>,
    direction: Direction,
) -> impl Iterator<Item = Turn> + use<> {
    let page = Arc::clone(page);
    let (mut from, mut to) = (0, page.count());
    match (direction, index) {
        (Direction::Forward, Some(index)) => from = (index + 1).min(to),
        (Direction::Backward, Some(index)) => to = index.min(to),
        (_, None) => {}
    }
    let count = to - from;
    (0..count).map(move |step| match direction {
        Direction::Forward => (Arc::clone(&page), from + step),
        Direction::Backward => (Arc::clone(&page), to - 1 - step),
    })
}
