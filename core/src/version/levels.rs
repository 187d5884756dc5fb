//! The tables of one keyspace: level 0 newest first, deeper levels sorted and without overlap.

use std::ops::Bound;

use crate::base::comparator::KeyOrder;
use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::key::{KeyRange, head};
use crate::base::limits::LEVELS;
use crate::base::lookup::{Lookup, Reach};
use crate::btree::{Course, FoundRecord, ReadAhead};
use crate::sync::Arc;
use crate::version::level_cursor::LevelCursor;
use crate::version::source::Source;
use crate::version::space::Space;
use crate::version::spans::Spans;
use crate::version::table::TableHandle;

/// A key that is looked for, and no table so far has had.
struct Open<'k> {
    index: usize,
    key: &'k [u8],
    hash: u64,
}

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

    /// Asks the processor for what [`Levels::get_hashed`] reads first of tables that lie over each other.
    #[inline]
    pub fn ask_filters(&self, hash: u64) {
        self.levels[0].iter().filter_map(|handle| handle.opened()).for_each(|table| table.ask_filter(hash));
    }

    /// Lends the newest record of exactly `key`, whose hash is `hash`, at or below `sequence`. Who uses it is short, or
    /// takes a counted record.
    pub fn get_hashed<R>(
        &self,
        key: &[u8],
        hash: u64,
        sequence: SequenceNumber,
        reach: Reach,
        use_record: &mut impl FnMut(FoundRecord<'_>) -> R,
    ) -> Result<Lookup<R>> {
        let (bytewise, head) = (self.order.is_bytewise(), head(key));
        for (index, handle) in self.levels[0].iter().enumerate() {
            if bytewise && !self.spans[0].may_hold(index, head) {
                continue;
            }
            let meta = handle.meta();
            if meta.smallest_sequence > sequence || !meta.spans(&self.order, key) {
                continue;
            }
            match handle.get(key, hash, sequence, reach, use_record)? {
                Lookup::Absent => {}
                found => return Ok(found),
            }
        }
        for &level in &self.sorted {
            let (spans, tables) = (&self.spans[level], &self.levels[level]);
            let Some(handle) = spans.table_for(tables, &self.order, key) else { continue };
            match handle.get(key, hash, sequence, reach, use_record)? {
                Lookup::Absent => {}
                found => return Ok(found),
            }
        }
        Ok(Lookup::Absent)
    }

    /// As [`Levels::get_hashed`] for each of `keys`, which are sorted and come with their hashes. `found` is told the index of a key and its record.
    pub fn get_many(
        &self,
        keys: &[(&[u8], u64)],
        sequence: SequenceNumber,
        found: &mut dyn FnMut(usize, FoundRecord<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut open: Vec<_> =
            keys.iter().enumerate().map(|(index, &(key, hash))| Open { index, key, hash }).collect();
        for handle in self.levels[0].iter().filter(|handle| handle.meta().smallest_sequence <= sequence) {
            self.look_in(handle, &mut open, sequence, found)?;
        }
        for level in &self.levels[1..] {
            let mut at = 0;
            // Tables and keys are both sorted: on to the table of the next key.
            while let Some(Open { key, .. }) = open.get(at) {
                let from = level
                    .partition_point(|handle| self.order.compare(&handle.meta().largest_key, key).is_lt());
                let Some(handle) = level.get(from) else { break };
                at = self.look_in(handle, &mut open, sequence, found)?;
            }
        }
        Ok(())
    }

    /// Looks for the keys in the range of one table and takes out those that it has. Returns where those behind it begin.
    fn look_in(
        &self,
        handle: &TableHandle,
        open: &mut Vec<Open<'_>>,
        sequence: SequenceNumber,
        found: &mut dyn FnMut(usize, FoundRecord<'_>) -> Result<()>,
    ) -> Result<usize> {
        let (meta, order) = (handle.meta(), &self.order);
        let start = open.partition_point(|open| order.compare(open.key, &meta.smallest_key).is_lt());
        let end = open.partition_point(|open| order.compare(open.key, &meta.largest_key).is_le());
        if start >= end {
            return Ok(end);
        }
        let table = handle.table()?;
        let wanted = open.get(start..end).unwrap_or_default();
        let mut holds = Vec::with_capacity(wanted.len());
        table.may_hold_many(wanted.iter().map(|wanted| wanted.hash), &mut holds)?;
        let held = wanted.iter().enumerate().zip(holds).filter(|(_, holds)| *holds);
        let (places, keys): (Vec<_>, Vec<_>) = held.map(|((at, wanted), _)| (start + at, wanted.key)).unzip();
        let mut gone = Vec::with_capacity(keys.len());
        table.get_many(&keys, sequence, &mut |at, record| {
            let Some(&place) = places.get(at) else { return Ok(()) };
            gone.push(place);
            open.get(place).map_or(Ok(()), |wanted| found(wanted.index, record))
        })?;
        gone.sort_unstable();
        let mut gone = gone.into_iter().peekable();
        let (mut at, mut kept) = (0, 0);
        open.retain(|_| {
            let is_gone = gone.next_if_eq(&at).is_some();
            at += 1;
            kept += usize::from(!is_gone && at <= end);
            !is_gone
        });
        Ok(kept)
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
