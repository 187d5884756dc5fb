//! One cursor over the tables of a sorted level, each opened when it is reached.

use crate::base::comparator::KeyOrder;
use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::record::{Record, RecordKind};
use crate::btree::{Course, TableCursor};
use crate::iter::{Cursor, NOWHERE};
use crate::sync::Arc;
use crate::version::table::TableHandle;

/// Concatenates sorted tables whose keys do not overlap.
pub struct LevelCursor {
    order: KeyOrder,
    tables: Arc<[Arc<TableHandle>]>,
    at: usize,
    cursor: Option<TableCursor>,
    /// For the first table that is entered; taken along from there.
    course: Option<Course>,
    past_cache: bool,
}

impl LevelCursor {
    /// Over tables sorted by key; no key is in two of them.
    pub fn new(order: KeyOrder, tables: Arc<[Arc<TableHandle>]>, course: Option<Course>) -> Self {
        LevelCursor { order, tables, at: 0, cursor: None, course, past_cache: false }
    }

    /// As [`TableCursor::past_cache`].
    pub fn past_cache(mut self) -> Self {
        self.past_cache = true;
        self
    }

    /// Makes table `index` the current one.
    fn enter(&mut self, index: usize) -> Result<Option<&mut TableCursor>> {
        let Some(handle) = self.tables.get(index).cloned() else {
            self.leave();
            return Ok(None);
        };
        if self.cursor.is_none() || self.at != index {
            self.leave();
            let table = handle.table()?;
            let cursor = table.cursor_on(self.course.take());
            self.cursor = Some(if self.past_cache { cursor.past_cache() } else { cursor });
            self.at = index;
        }
        Ok(self.cursor.as_mut())
    }

    fn leave(&mut self) {
        if let Some(cursor) = self.cursor.take() {
            self.course = cursor.into_course();
        }
    }

    #[inline]
    fn leave_if_done(&mut self, forward: bool) -> Result<()> {
        match self.valid() {
            true => Ok(()),
            false => self.go_to_neighbour(forward),
        }
    }

    #[cold]
    fn go_to_neighbour(&mut self, forward: bool) -> Result<()> {
        let next = if forward { Some(self.at + 1) } else { self.at.checked_sub(1) };
        let Some(next) = next else {
            self.leave();
            return Ok(());
        };
        match self.enter(next)? {
            Some(cursor) if forward => cursor.seek_first(),
            Some(cursor) => cursor.seek_last(),
            None => Ok(()),
        }
    }
}

impl Cursor for LevelCursor {
    fn seek_first(&mut self) -> Result<()> {
        match self.enter(0)? {
            Some(cursor) => cursor.seek_first(),
            None => Ok(()),
        }
    }

    fn seek_last(&mut self) -> Result<()> {
        match self.enter(self.tables.len().wrapping_sub(1))? {
            Some(cursor) => cursor.seek_last(),
            None => Ok(()),
        }
    }

    fn seek(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        let order = &self.order;
        let at = self.tables.partition_point(|handle| order.compare(&handle.meta().largest_key, key).is_lt());
        if let Some(cursor) = self.enter(at)? {
            cursor.seek(key, sequence)?;
            return self.leave_if_done(true);
        }
        Ok(())
    }

    fn seek_before(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        let order = &self.order;
        let behind =
            self.tables.partition_point(|handle| order.compare(&handle.meta().smallest_key, key).is_le());
        if let Some(cursor) = self.enter(behind.wrapping_sub(1))? {
            cursor.seek_before(key, sequence)?;
            return self.leave_if_done(false);
        }
        Ok(())
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        if let Some(cursor) = &mut self.cursor {
            cursor.next()?;
        }
        self.leave_if_done(true)
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        if let Some(cursor) = &mut self.cursor {
            cursor.prev()?;
        }
        self.leave_if_done(false)
    }

    #[inline]
    fn valid(&self) -> bool {
        self.cursor.as_ref().is_some_and(|cursor| cursor.valid())
    }

    #[inline]
    fn record(&self) -> Record<'_> {
        match &self.cursor {
            Some(cursor) => cursor.record(),
            None => unreachable!("record() of an invalid cursor"),
        }
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.cursor.as_ref().map_or(&[], |cursor| cursor.key())
    }

    #[inline]
    fn version(&self) -> (RecordKind, SequenceNumber) {
        self.cursor.as_ref().map_or(NOWHERE, |cursor| cursor.version())
    }

    #[inline]
    fn next_key(&mut self) -> Result<()> {
        if let Some(cursor) = &mut self.cursor {
            cursor.next_key()?;
        }
        self.leave_if_done(true)
    }

    #[inline]
    fn is_newest(&self) -> bool {
        self.cursor.as_ref().is_some_and(|cursor| cursor.is_newest())
    }

    fn run(&self, forward: bool, until: Option<&[u8]>) -> usize {
        self.cursor.as_ref().map_or(0, |cursor| cursor.run(forward, until))
    }

    #[inline]
    fn walk(&mut self, forward: bool) -> (RecordKind, SequenceNumber) {
        self.cursor.as_mut().map_or(NOWHERE, |cursor| cursor.walk(forward))
    }

    fn run_of_puts(&self) -> Option<SequenceNumber> {
        self.cursor.as_ref().and_then(|cursor| cursor.run_of_puts())
    }

    #[inline]
    fn walk_to_put(&mut self, forward: bool) -> (&[u8], &[u8]) {
        self.cursor.as_mut().map_or((&[], &[]), |cursor| cursor.walk_to_put(forward))
    }
}
