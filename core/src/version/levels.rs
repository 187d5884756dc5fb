//! The tables of one keyspace: level 0 newest first, deeper levels sorted and without overlap.

use std::ops::Bound;

use crate::base::comparator::KeyOrder;
use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::key::KeyRange;
use crate::base::limits::LEVELS;
use crate::base::lookup::{Lookup, Reach};
use crate::btree::PageRecord;
use crate::iter::Cursor;
use crate::sync::Arc;
use crate::version::level_cursor::LevelCursor;
use crate::version::table::TableHandle;

/// The tables of one keyspace.
pub struct Levels {
    order: KeyOrder,
    levels: [Arc<[Arc<TableHandle>]>; LEVELS],
}

impl Levels {
    /// Sorts the tables of each level as the reads need them.
    pub fn new(order: KeyOrder, mut levels: [Vec<Arc<TableHandle>>; LEVELS]) -> Self {
        levels[0]
            .sort_by_key(|handle| std::cmp::Reverse((handle.meta().largest_sequence, handle.meta().number)));
        for level in &mut levels[1..] {
            level.sort_by(|a, b| order.compare(&a.meta().smallest_key, &b.meta().smallest_key));
        }
        Levels { order, levels: levels.map(Into::into) }
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

    /// The newest record of exactly `key` at or below `sequence`.
    pub fn get(&self, key: &[u8], sequence: SequenceNumber, reach: Reach) -> Result<Lookup<PageRecord>> {
        for handle in self.levels[0].iter() {
            let meta = handle.meta();
            let outside = self.order.compare(key, &meta.smallest_key).is_lt()
                || self.order.compare(key, &meta.largest_key).is_gt();
            if outside || meta.smallest_sequence > sequence {
                continue;
            }
            match handle.get(key, sequence, reach)? {
                Lookup::Absent => {}
                found => {
                    debug_assert!(!matches!(&found, Lookup::Found(record) if record.sequence > sequence));
                    return Ok(found);
                }
            }
        }
        for level in &self.levels[1..] {
            let Some(handle) = self.table_for(level, key) else { continue };
            match handle.get(key, sequence, reach)? {
                Lookup::Absent => {}
                found => return Ok(found),
            }
        }
        Ok(Lookup::Absent)
    }

    /// The one table of a sorted level that may hold `key`.
    fn table_for<'a>(&self, level: &'a [Arc<TableHandle>], key: &[u8]) -> Option<&'a Arc<TableHandle>> {
        let at = level.partition_point(|handle| self.order.compare(&handle.meta().largest_key, key).is_lt());
        level.get(at).filter(|handle| self.order.compare(&handle.meta().smallest_key, key).is_le())
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

    /// Cursors that together stand for all tables, newest source first.
    pub fn cursors(&self) -> Result<Vec<Box<dyn Cursor>>> {
        let mut cursors: Vec<Box<dyn Cursor>> = Vec::new();
        for handle in self.levels[0].iter() {
            cursors.push(Box::new(handle.table()?.cursor()));
        }
        for level in self.levels[1..].iter().filter(|level| !level.is_empty()) {
            cursors.push(Box::new(LevelCursor::new(self.order.clone(), Arc::clone(level))));
        }
        Ok(cursors)
    }
}
