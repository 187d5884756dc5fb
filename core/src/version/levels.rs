//! The tables of one keyspace: level 0 newest first, deeper levels sorted and without overlap.

use std::ops::Bound;

use crate::base::comparator::KeyOrder;
use crate::base::error::Result;
use crate::base::key::{KeyRange, head};
use crate::base::limits::LEVELS;
use crate::base::lookup::{Lookup, Reach, Wanted};
use crate::btree::{Course, FoundRecord, Group, ReadAhead};
use crate::cache::{Pin, pin};
use crate::sync::Arc;
use crate::version::level_cursor::LevelCursor;
use crate::version::source::Source;
use crate::version::space::Space;
use crate::version::spans::Spans;
use crate::version::table::TableHandle;

/// The tables of one keyspace.
pub struct Levels {
    space: Arc<Space>,
    order: KeyOrder,
    levels: [Arc<[Arc<TableHandle>]>; LEVELS],
    spans: [Spans; LEVELS],
    /// The sorted levels that have tables.
    sorted: Box<[usize]>,
}

impl Levels {
    /// Sorts the tables of each level as the reads need them.
    pub fn new(space: Arc<Space>, mut levels: [Vec<Arc<TableHandle>>; LEVELS]) -> Self {
        let order = space.order.clone();
        levels[0]
            .sort_by_key(|handle| std::cmp::Reverse((handle.meta().largest_sequence, handle.meta().number)));
        for level in &mut levels[1..] {
            level.sort_by(|a, b| order.compare(&a.meta().smallest_key, &b.meta().smallest_key));
        }
        let spans =
            std::array::from_fn(|level| Spans::of(levels[level].iter().map(|handle| &**handle.meta())));
        let sorted = (1..LEVELS).filter(|level| !levels[*level].is_empty()).collect();
        Levels { space, order, levels: levels.map(Into::into), spans, sorted }
    }

    /// Whose tables they are.
    pub fn space(&self) -> &Arc<Space> {
        &self.space
    }

    /// The order of the keyspace.
    pub fn order(&self) -> &KeyOrder {
        &self.order
    }

    /// The tables of a level.
    pub fn level(&self, level: usize) -> &Arc<[Arc<TableHandle>]> {
        &self.levels[level]
    }

    /// All tables.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<TableHandle>> {
        self.levels.iter().flat_map(|level| level.iter())
    }

    /// Asks the processor for what [`Levels::get`] reads first of tables that lie over each other.
    #[inline]
    pub fn ask_filters(&self, hash: u64) {
        self.levels[0].iter().filter_map(|handle| handle.opened()).for_each(|table| table.ask_filter(hash));
    }

    /// Whether filters that are in memory say that no table has a record of a key. `false` says nothing.
    #[inline]
    pub fn surely_lack(&self, key: &[u8], hash: u64, pin: &Pin) -> bool {
        let lacks = |handle: &TableHandle| handle.opened().is_some_and(|table| table.surely_lacks(hash, pin));
        self.levels[0].iter().all(|handle| lacks(handle))
            && self.sorted.iter().all(|&level| {
                let handle = self.spans[level].table_for(&self.levels[level], &self.order, key);
                handle.is_none_or(|handle| lacks(handle))
            })
    }

    /// Whether a table of level 0 can have the wanted key, as far as that is known without its pages.
    #[inline]
    fn can_have(&self, index: usize, handle: &TableHandle, wanted: &Wanted<'_>) -> bool {
        let meta = handle.meta();
        (!self.order.is_bytewise() || self.spans[0].may_hold(index, head(wanted.key)))
            && meta.smallest_sequence <= wanted.sequence
            && meta.spans(&self.order, wanted.key)
    }

    /// Lends the newest record of the wanted key that may be seen. Who uses it is short, or takes a counted record.
    pub fn get<R>(
        &self,
        wanted: &Wanted<'_>,
        reach: Reach,
        use_record: &mut impl FnMut(FoundRecord<'_>) -> R,
    ) -> Result<Lookup<R>> {
        for (index, handle) in self.levels[0].iter().enumerate() {
            if !self.can_have(index, handle, wanted) {
                continue;
            }
            match handle.get(wanted, reach, use_record)? {
                Lookup::Absent => {}
                found => return Ok(found),
            }
        }
        for &level in &self.sorted {
            let (spans, tables) = (&self.spans[level], &self.levels[level]);
            let Some(handle) = spans.table_for(tables, &self.order, wanted.key) else { continue };
            match handle.get(wanted, reach, use_record)? {
                Lookup::Absent => {}
                found => return Ok(found),
            }
        }
        Ok(Lookup::Absent)
    }

    /// As [`Levels::get`] for each of `keys`. `found` is told the index of a key and its record, in any order.
    pub fn get_many(
        &self,
        keys: &[Wanted<'_>],
        found: &mut dyn FnMut(usize, FoundRecord<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut left = Vec::new();
        for (nth, group) in keys.chunks(Group::MOST).enumerate() {
            let first = nth * Group::MOST;
            let unnamed = match pin() {
                Some(pin) => self.get_group(group, &pin, &mut |at, record| found(first + at, record))?,
                None => u32::MAX,
            };
            if unnamed != 0 {
                let is_left = |(at, _): &(usize, _)| unnamed >> (at - first) & 1 == 1;
                left.extend((first..).zip(group).filter(is_left));
            }
        }
        // Keys that lie side by side often share a page that is to be read.
        left.sort_by(|(_, a), (_, b)| self.order.compare(a.key, b.key));
        for (index, wanted) in left {
            let found = &mut |record: FoundRecord<'_>| found(index, record);
            self.get(wanted, Reach::Disk, found)?.on_disk().transpose()?;
        }
        Ok(())
    }

    /// As [`Levels::get_many`], without a lock. The bits of the keys for which that is not enough.
    fn get_group(
        &self,
        keys: &[Wanted<'_>],
        pin: &Pin,
        found: &mut dyn FnMut(usize, FoundRecord<'_>) -> Result<()>,
    ) -> Result<u32> {
        let mut group = Group::new(keys, pin);
        for (nth, handle) in self.levels[0].iter().enumerate() {
            for (index, wanted) in group.open().filter(|(_, wanted)| self.can_have(nth, handle, wanted)) {
                group.add(index, wanted, handle.opened());
            }
            group.look(found)?;
        }
        for &level in &self.sorted {
            for (index, wanted) in group.open() {
                let handle = self.spans[level].table_for(&self.levels[level], &self.order, wanted.key);
                handle.into_iter().for_each(|handle| group.add(index, wanted, handle.opened()));
            }
            group.look(found)?;
        }
        Ok(group.unnamed())
    }

    /// About how many bytes of the tables lie in a range.
    pub fn approximate_size(&self, range: &KeyRange) -> Result<u64> {
        if range.is_empty(&self.order) {
            return Ok(0);
        }
        let mut bytes = 0;
        for handle in self.tables() {
            let meta = handle.meta();
            let inside = |key: &[u8]| range.contains(&self.order, key);
            let outside = range.is_after(&self.order, &meta.smallest_key)
                || range.is_before(&self.order, &meta.largest_key);
            if outside {
                continue;
            }
            if inside(&meta.smallest_key) && inside(&meta.largest_key) {
                bytes += meta.size;
                continue;
            }
            let table = handle.table()?;
            let at = |bound: &Bound<Vec<u8>>, open: u64| match bound {
                Bound::Included(key) | Bound::Excluded(key) => table.approximate_offset(key),
                Bound::Unbounded => Ok(open),
            };
            bytes += at(&range.end, meta.size)?.saturating_sub(at(&range.start, 0)?);
        }
        Ok(bytes)
    }

    /// Adds cursors that together stand for all tables, newest source first. Each has the pages of a range, for at most so
    /// many entries, read ahead, if a reader for that is given.
    pub fn add_cursors(
        &self,
        ahead: Option<(&Arc<ReadAhead>, &Arc<KeyRange>, usize)>,
        sources: &mut Vec<Source>,
    ) -> Result<()> {
        let course =
            || ahead.map(|(reader, range, limit)| Course::new(reader.lane(), Arc::clone(range), limit));
        for handle in self.levels[0].iter() {
            sources.push(Source::Table(Box::new(handle.table()?.cursor_on(course()))));
        }
        for level in self.levels[1..].iter().filter(|level| !level.is_empty()) {
            let cursor = LevelCursor::new(self.order.clone(), Arc::clone(level), course());
            sources.push(Source::Level(Box::new(cursor)));
        }
        Ok(())
    }
}
