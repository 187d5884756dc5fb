//! A cursor over a table: a stack of inner pages, a leaf, and the key put together.

use std::cmp::Ordering;
use std::ops::Range;

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::record::{Record, RecordKind};
use crate::btree::beside::Beside;
use crate::btree::course::Course;
use crate::btree::format::PageKind;
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
    beside: Beside,
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
            beside: Beside::Nothing,
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
        (self.leaf, self.beside) = (None, Beside::Nothing);
        self.inner.clear();
        if let Some(course) = &mut self.course {
            course.restart();
        }
    }

    /// The leaf that a target belongs to, from where the cursor goes on in a direction.
    fn find_leaf(&mut self, target: Target<'_>, direction: Direction) -> Result<Arc<Page>> {
        self.leave();
        let leaf = self.descend(target)?;
        self.look_on(direction);
        Ok(leaf)
    }

    /// The next leaf in a direction is wanted soon.
    fn look_on(&mut self, direction: Direction) {
        if !self.past_cache {
            self.beside = Beside::ask(&self.table, &self.inner, direction);
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
        if let Some(page) = self.beside.take(|| self.table.pointer(way), kind) {
            return Ok(page);
        }
        if let Some(page) = self.table.cached_on(way, kind)? {
            return Ok(page);
        }
        let pointer = self.table.pointer(way);
        let was_read = self.course.as_mut().is_some_and(|course| course.miss(&self.table, pointer, kind));
        match was_read {
            true => self.table.page(pointer, kind),
            false => self.table.load(pointer, kind, self.table.place(way)),
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
            let target = if direction == Direction::Forward { Target::First } else { Target::Last };
            let leaf = self.descend(target)?;
            let index = if direction == Direction::Forward { 0 } else { leaf.count() - 1 };
            self.enter(leaf, index);
            self.look_on(direction);
            return Ok(());
        }
        Ok(())
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

    /// Stands on a record of a leaf.
    fn enter(&mut self, leaf: Arc<Page>, index: usize) {
        self.key.clear();
        self.key.extend_from_slice(leaf.prefix());
        self.prefix_len = self.key.len();
        self.leaf = Some(leaf);
        self.stand(index);
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
        let leaf = self.find_leaf(Target::First, Direction::Forward)?;
        self.enter(leaf, 0);
        Ok(())
    }

    fn seek_last(&mut self) -> Result<()> {
        let leaf = self.find_leaf(Target::Last, Direction::Backward)?;
        let last = leaf.count() - 1;
        self.enter(leaf, last);
        Ok(())
    }

    fn seek(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        let leaf = self.find_leaf(Target::At(key, sequence), Direction::Forward)?;
        let index = self.table.index_in(&leaf, key, sequence);
        if index == leaf.count() {
            return self.step_leaf(Direction::Forward);
        }
        self.enter(leaf, index);
        Ok(())
    }

    fn seek_before(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        let leaf = self.find_leaf(Target::At(key, sequence), Direction::Backward)?;
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
                self.beside.step(&self.table, &self.inner);
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
            (Some(_), Some(before)) => {
                self.beside.step(&self.table, &self.inner);
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

    #[inline]
    fn key(&self) -> &[u8] {
        self.key.get(..self.key_len).unwrap_or_default()
    }

    #[inline]
    fn version(&self) -> (RecordKind, SequenceNumber) {
        (self.kind, self.sequence)
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
        self.beside.step(&self.table, &self.inner);
        self.stand(if forward { self.index + 1 } else { self.index.saturating_sub(1) });
        (self.kind, self.sequence)
    }

    fn run_of_puts(&self) -> Option<SequenceNumber> {
        self.leaf.as_ref().filter(|leaf| leaf.is_equal()).map(|_| self.table.counted(0))
    }

    /// All but index, suffix and value is as at the record before.
    #[inline]
    fn walk_to_put(&mut self, forward: bool) -> (&[u8], &[u8]) {
        debug_assert!(self.run(forward, None) > 0 && self.run_of_puts().is_some());
        let Some(leaf) = &self.leaf else { return (&[], &[]) };
        self.beside.step(&self.table, &self.inner);
        self.index = if forward { self.index + 1 } else { self.index.saturating_sub(1) };
        self.value = leaf.write_equal_suffix(self.index, self.prefix_len, &mut self.key);
        (self.key.get(..self.key_len).unwrap_or_default(), leaf.bytes(self.value.clone()))
    }
}
