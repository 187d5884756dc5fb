//! A compaction of everything, in pieces: each a job of bounded size that is picked when its turn comes.

use crate::base::ids::FileNumber;
use crate::btree::TableMeta;
use crate::compaction::picker::hull_of;
use crate::compaction::shape::{BOTTOM, Job, LevelShape, total};
use crate::sync::Arc;

/// How far the compaction of a keyspace has got: it goes through the levels from above, once.
#[derive(Clone, Debug)]
pub struct Sweep {
    level: usize,
    /// Tables from this number on are later than the turn of this level, and stay.
    before: FileNumber,
}

/// What comes next.
#[derive(Debug, PartialEq)]
pub enum Piece {
    /// This job.
    Run(Job),
    /// The job of a table that a running compaction is in the way of.
    Wait,
    /// All is merged.
    Done,
}

impl Sweep {
    /// Of all tables below this number.
    pub fn new(before: FileNumber) -> Self {
        Sweep { level: 0, before }
    }

    /// The next piece. `number` gives the next file number.
    pub fn next(&mut self, shape: &LevelShape<'_>, number: impl Fn() -> FileNumber) -> Piece {
        while self.level <= BOTTOM {
            let tables = &shape.levels[self.level];
            let Some(first) = tables.iter().position(|meta| self.is_due(meta)) else {
                self.level += 1;
                self.before = number();
                continue;
            };
            let rest = first..tables.len();
            let piece = match self.level {
                0 => shape.level0_job(|keys| shape.level_downwards(0, keys)),
                BOTTOM => self.rewrite(shape, first),
                level => rest.filter(|&index| self.is_due(&tables[index])).find_map(|index| {
                    let output = shape.level_downwards(level, &hull_of(&tables[index]));
                    shape.job(level, &tables[index..=index], output)
                }),
            };
            return piece.map_or(Piece::Wait, Piece::Run);
        }
        Piece::Done
    }

    /// Neighbours at the bottom, written again.
    fn rewrite(&self, shape: &LevelShape<'_>, first: usize) -> Option<Job> {
        let tables = &shape.levels[BOTTOM];
        let mut end = first + 1;
        while end < tables.len()
            && self.is_due(&tables[end])
            && total(&tables[first..=end]) <= shape.limits.rewrite_bytes()
        {
            end += 1;
        }
        shape.job(BOTTOM, &tables[first..end], BOTTOM)
    }

    /// Bytes of the tables that are still to be read, about.
    pub fn bytes_left(&self, shape: &LevelShape<'_>) -> u64 {
        let upper = (self.level..BOTTOM).flat_map(|level| &shape.levels[level]);
        let upper = total(upper.filter(|meta| meta.number < self.before));
        let lower = shape.levels[BOTTOM].iter();
        upper
            + total(lower.filter(|meta| upper > 0 || (meta.number < self.before && self.is_unsettled(meta))))
    }

    fn is_due(&self, meta: &Arc<TableMeta>) -> bool {
        meta.number < self.before && (self.level < BOTTOM || self.is_unsettled(meta))
    }

    /// At the bottom: with versions or tombstones that may go, or sequence numbers that nobody needs.
    fn is_unsettled(&self, meta: &TableMeta) -> bool {
        meta.largest_sequence > 0
    }
}
