//! A cursor over a table: a stack of inner pages, a leaf, and the key put together.

use std::cmp::Ordering;
use std::ops::Range;

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::record::{Record, RecordKind};
use crate::btree::course::Course;
use crate::btree::format::{PageKind, PagePointer};
use crate::btree::page::Page;
use crate::btree::table::Table;
use crate::btree::way::Way;
use crate::iter::Cursor;
use crate::sync::Arc;

/// Moves over the records of a table. Holds the pages it stands on.
pub struct TableCursor {
    table: Arc<Table>,
    /// From the root down, with the index of the child taken.
    inner: Vec<(Arc<Page>, usize)>,
    /// `None` while invalid.
    leaf: Option<Arc<Page>>,
    index: usize,
    /// The leaf that comes next on the way, if it was in the cache when this one was entered.
    beside: Option<Beside>,
    /// The first `key_len` bytes; what stands behind is of no meaning.
    key: Vec<u8>,
    key_len: usize,
    prefix_len: usize,
    /// A key of the leaf left behind, on the way to another one.
    previous: Vec<u8>,
    sequence: SequenceNumber,
    kind: RecordKind,
    value: Range<usize>,
    course: Option<Box<Course>>,
    past_cache: bool,
}

/// A leaf next to the one that is walked.
struct Beside {
    pointer: PagePointer,
    page: Arc<Page>,
    /// Lines of it to ask for at each record of this leaf.
    lines: usize,
}

/// Which child to take on the way down.
#[derive(Clone, Copy)]
enum Target<'a> {
    First,
    Last,
    At(&'a [u8], SequenceNumber),
}

/// Where a cursor goes from leaf to leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

impl TableCursor {
    pub(super) fn new(table: Arc<Table>, course: Option<Course>) -> Self {
        TableCursor {
            table,
            inner: Vec::new(),
            leaf: None,
            index: 0,
            beside: None,
            key: Vec::new(),
            key_len: 0,
            prefix_len: 0,
            previous: Vec::new(),
            sequence: 0,
            kind: RecordKind::Put,
            value: 0..0,
            course: course.map(Box::new),
            past_cache: false,
        }
    }

    /// Leaves no trace in the cache: for who reads everything once.
    pub fn past_cache(mut self) -> Self {
        self.past_cache = true;
        self
    }

    /// The way taken so far, for a cursor of the neighbouring table.
    pub fn into_course(self) -> Option<Course> {
        self.course.map(|course| course.carry())
    }

    /// Back in front of the root, invalid.
    fn leave(&mut self) {
        (self.leaf, self.beside) = (None, None);
        self.inner.clear();
        if let Some(course) = &mut self.course {
            course.restart();
        }
    }

    /// Walks from the child taken last, or from the root, to a leaf.
    fn descend(&mut self, target: Target<'_>) -> Result<Arc<Page>> {
        for _ in self.inner.len() as u64 + 1..self.table.properties.height {
            let page = self.page(PageKind::Inner)?;
            let index = match target {
                Target::First => 0,
                Target::Last => page.count() - 1,
                Target::At(key, sequence) => page.child_index(&self.table.order, key, sequence),
            };
            self.inner.push((page, index));
        }
        self.page(PageKind::Leaf)
    }

    /// The page that comes next on the way down, through the cache or from who reads it ahead.
    fn page(&mut self, kind: PageKind) -> Result<Arc<Page>> {
        let way = self.inner.last().map_or(Way::Root, |(page, index)| Way::Child(page, *index));
        if self.past_cache {
            return self.table.page_past_cache(self.table.pointer(way), kind);
        }
        match self.beside.take() {
            Some(Beside { pointer, page, .. })
                if kind == PageKind::Leaf && pointer == self.table.pointer(way) =>
            {
                return Ok(page);
            }
            _ => {}
        }
        if let Some(page) = self.table.cached_on(way, kind)? {
            return Ok(page);
        }
        let pointer = self.table.pointer(way);
        let was_read = self.course.as_mut().is_some_and(|course| course.miss(&self.table, pointer, kind));
        match was_read {
            true => self.table.page(pointer, kind),
            false => self.table.load(pointer, kind),
        }
    }

    /// To the nearest record of the leaf beside this one.
    fn step_leaf(&mut self, direction: Direction) -> Result<()> {
        self.leaf = None;
        while let Some((page, index)) = self.inner.last_mut() {
            let beside = match direction {
                Direction::Forward => Some(*index + 1).filter(|next| *next < page.count()),
                Direction::Backward => index.checked_sub(1),
            };
            let Some(beside) = beside else {
                self.inner.pop();
                continue;
            };
            *index = beside;
            let above_leaf = self.inner.len() as u64 + 1 == self.table.properties.height;
            if let Some(course) = self.course.as_mut().filter(|_| above_leaf) {
                course.step(&self.table, &self.inner, direction)?;
            }
            match direction {
                Direction::Forward => self.enter_first(),
                Direction::Backward => self.enter_last(),
            }?;
            return self.look_beside(direction);
        }
        Ok(())
    }

    /// Takes the next leaf out of the cache, so that its lines can be asked for while the records of this one are walked.
    fn look_beside(&mut self, direction: Direction) -> Result<()> {
        let Some((parent, index)) = self.inner.last().filter(|_| !self.past_cache) else { return Ok(()) };
        let beside = match direction {
            Direction::Forward => Some(*index + 1).filter(|next| *next < parent.count()),
            Direction::Backward => index.checked_sub(1),
        };
        let Some(beside) = beside else { return Ok(()) };
        let pointer = parent.inner_cell(beside).child;
        let steps = self.leaf.as_ref().map_or(1, |leaf| leaf.count());
        let page = self.table.cached_on(Way::Child(parent, beside), PageKind::Leaf)?;
        self.beside = page.map(|page| Beside { pointer, lines: page.lines() / steps + 1, page });
        Ok(())
    }

    /// Asks for some lines of the next leaf; `passed` records of this one lie behind.
    #[inline]
    fn prefetch_beside(&self, passed: usize) {
        if let Some(Beside { page, lines, .. }) = &self.beside {
            page.prefetch_lines(passed * lines, *lines);
        }
    }

    /// From the record at the end of a leaf to its neighbour in the next one. The records entered
    /// with each leaf must lie in that direction: so no leaf comes twice, whatever the pages say.
    fn step_from_record(&mut self, direction: Direction) -> Result<()> {
        let Some(leaf) = &self.leaf else { return Ok(()) };
        let (entered, expected) = match direction {
            Direction::Forward => (0, Ordering::Less),
            Direction::Backward => (leaf.count() - 1, Ordering::Greater),
        };
        leaf.copy_key(entered, &mut self.previous);
        let sequence = self.table.counted(leaf.leaf_cell(entered).sequence);
        self.step_leaf(direction)?;
        let order = &self.table.order;
        if self.valid()
            && order.compare_records((&self.previous, sequence), (self.key(), self.sequence)) != expected
        {
            self.leaf = None;
            return Err(self.table.disorder());
        }
        Ok(())
    }

    #[cold]
    fn next_key_of_next_leaf(&mut self) -> Result<()> {
        let key = self.key().to_vec();
        self.step_from_record(Direction::Forward)?;
        while self.valid() && self.key() == key {
            self.next()?;
        }
        Ok(())
    }

    fn enter_first(&mut self) -> Result<()> {
        let leaf = self.descend(Target::First)?;
        self.enter(leaf, 0);
        Ok(())
    }

    fn enter_last(&mut self) -> Result<()> {
        let leaf = self.descend(Target::Last)?;
        let last = leaf.count() - 1;
        self.enter(leaf, last);
        Ok(())
    }

    /// Stands on a record of a leaf.
    fn enter(&mut self, leaf: Arc<Page>, index: usize) {
        self.key.clear();
        self.key.extend_from_slice(leaf.prefix());
        self.prefix_len = self.key.len();
        self.leaf = Some(leaf);
        self.stand(index);
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.key.get(..self.key_len).unwrap_or_default()
    }

    /// Stands on another record of the same leaf.
    #[inline]
    fn stand(&mut self, index: usize) {
        let Some(leaf) = &self.leaf else { return };
        let cell = leaf.leaf_cell(index);
        self.key_len = leaf.write_suffix(index, &cell, self.prefix_len, &mut self.key);
        self.value = cell.range_of_value();
        self.sequence = self.table.counted(cell.sequence);
        self.kind = cell.kind.unwrap_or(RecordKind::Put);
        self.index = index;
    }
}

impl Cursor for TableCursor {
    fn seek_first(&mut self) -> Result<()> {
        self.leave();
        self.enter_first()
    }

    fn seek_last(&mut self) -> Result<()> {
        self.leave();
        self.enter_last()
    }

    fn seek(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        self.leave();
        let leaf = self.descend(Target::At(key, sequence))?;
        let index = self.table.index_in(&leaf, key, sequence);
        if index == leaf.count() {
            return self.step_leaf(Direction::Forward);
        }
        self.enter(leaf, index);
        Ok(())
    }

    fn seek_before(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        self.leave();
        let leaf = self.descend(Target::At(key, sequence))?;
        match self.table.index_in(&leaf, key, sequence).checked_sub(1) {
            Some(index) => {
                self.enter(leaf, index);
                Ok(())
            }
            None => self.step_leaf(Direction::Backward),
        }
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        debug_assert!(self.valid());
        match &self.leaf {
            Some(leaf) if self.index + 1 < leaf.count() => {
                self.prefetch_beside(self.index);
                self.stand(self.index + 1);
                Ok(())
            }
            _ => self.step_from_record(Direction::Forward),
        }
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        debug_assert!(self.valid());
        match (&self.leaf, self.index.checked_sub(1)) {
            (Some(leaf), Some(before)) => {
                self.prefetch_beside(leaf.count() - 1 - self.index);
                self.stand(before);
                Ok(())
            }
            _ => self.step_from_record(Direction::Backward),
        }
    }

    #[inline]
    fn valid(&self) -> bool {
        self.leaf.is_some()
    }

    #[inline]
    fn record(&self) -> Record<'_> {
        debug_assert!(self.valid());
        let value = self.leaf.as_ref().map_or(&[][..], |leaf| leaf.bytes(self.value.clone()));
        Record { key: self.key(), sequence: self.sequence, kind: self.kind, value }
    }

    /// The last record of a leaf may have older versions in the next one.
    #[inline]
    fn next_key(&mut self) -> Result<()> {
        let Some(leaf) = &self.leaf else { return Ok(()) };
        if !leaf.has_one_version_a_key() {
            let mut next = self.index + 1;
            while next < leaf.count() && leaf.have_same_key(self.index, next) {
                next += 1;
            }
            self.index = next - 1;
            if next == leaf.count() {
                return self.next_key_of_next_leaf();
            }
        }
        self.next()
    }

    #[inline]
    fn is_newest(&self) -> bool {
        let (Some(leaf), Some(before)) = (&self.leaf, self.index.checked_sub(1)) else { return false };
        leaf.has_one_version_a_key() || !leaf.have_same_key(self.index, before)
    }

    /// Inside of a leaf, as far as the heads tell the keys apart. Backward not onto its first record: the leaf before may have
    /// newer versions of that.
    fn run(&self, forward: bool, until: Option<&[u8]>) -> usize {
        let Some(leaf) = self.leaf.as_ref().filter(|_| self.table.order.is_bytewise()) else { return 0 };
        let records = if forward { self.index + 1..leaf.count() } else { 1..self.index };
        let near = until.map_or(records.len(), |key| leaf.count_until(records, key, forward));
        match leaf.has_one_version_a_key() {
            true => near,
            false => leaf.count_apart(self.index, near, forward),
        }
    }

    #[inline]
    fn walk(&mut self, forward: bool) -> (RecordKind, SequenceNumber) {
        debug_assert!(self.run(forward, None) > 0);
        if let Some(leaf) = &self.leaf {
            let passed = if forward { self.index } else { leaf.count() - 1 - self.index };
            self.prefetch_beside(passed);
        }
        self.stand(if forward { self.index + 1 } else { self.index.saturating_sub(1) });
        (self.kind, self.sequence)
    }
}
