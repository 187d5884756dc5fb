//! The tables of one keyspace as the picker sees them, and what running jobs have taken.

use std::ops::RangeInclusive;

use crate::base::comparator::KeyOrder;
use crate::base::ids::{FileNumber, SequenceNumber};
use crate::base::limits::LEVELS;
use crate::btree::TableMeta;
use crate::sync::Arc;

/// The deepest level.
pub const BOTTOM: usize = LEVELS - 1;

/// Smallest and largest key of some tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hull {
    /// No key is smaller.
    pub smallest: Vec<u8>,
    /// No key is larger.
    pub largest: Vec<u8>,
}

/// What a running job may read and write: no other job touches keys of the hull in these levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// From the level of the upper inputs to that of the outputs.
    pub levels: RangeInclusive<usize>,
    /// All keys of the inputs.
    pub keys: Hull,
}

/// The tables of a keyspace: level 0 newest first, deeper levels by key.
pub struct LevelShape<'a> {
    /// Order of keys.
    pub order: &'a KeyOrder,
    /// Tables by level.
    pub levels: Vec<Vec<Arc<TableMeta>>>,
    /// Held sequence numbers below what is visible now, rising.
    pub held: &'a [SequenceNumber],
    /// What running jobs of this keyspace have taken.
    pub claims: Vec<Claim>,
    /// Settings.
    pub limits: Limits,
    /// Whether the pages of the deepest level are compressed as those of the others.
    pub one_codec: bool,
}

/// Settings of the picker.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tables in level 0 that start a compaction.
    pub level0_trigger: usize,
    /// A level between the first and the deepest one is used if it may hold so many bytes.
    pub smallest_level: u64,
    /// Bytes at which a new table is full.
    pub table_bytes: u64,
}

/// A compaction: merge `inputs` into `output_level`, in which they are the tables of the claimed keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Level and number of each table that goes in.
    pub inputs: Vec<(usize, FileNumber)>,
    /// Where the result goes.
    pub output_level: usize,
    /// No table outside of the inputs holds older versions of these keys.
    pub bottom: bool,
    /// The inputs need no merge: an edit of the manifest moves them.
    pub moves: bool,
    /// What it takes.
    pub claim: Claim,
}

impl LevelShape<'_> {
    /// Smallest and largest key of `metas`; `None` if there are none.
    pub fn hull<'b>(&self, metas: impl IntoIterator<Item = &'b Arc<TableMeta>>) -> Option<Hull> {
        let mut metas = metas.into_iter();
        let first = metas.next()?;
        let (mut smallest, mut largest) = (&first.smallest_key, &first.largest_key);
        for meta in metas {
            if self.order.compare(&meta.smallest_key, smallest).is_lt() {
                smallest = &meta.smallest_key;
            }
            if self.order.compare(&meta.largest_key, largest).is_gt() {
                largest = &meta.largest_key;
            }
        }
        Some(Hull { smallest: smallest.clone(), largest: largest.clone() })
    }

    /// Tables of a level below level 0 that share keys with the hull: neighbours.
    pub fn overlapping(&self, level: usize, keys: &Hull) -> &[Arc<TableMeta>] {
        self.between(level, &keys.smallest, &keys.largest)
    }

    /// As [`LevelShape::overlapping`], of one table.
    pub fn beneath(&self, level: usize, meta: &TableMeta) -> &[Arc<TableMeta>] {
        self.between(level, &meta.smallest_key, &meta.largest_key)
    }

    fn between(&self, level: usize, smallest: &[u8], largest: &[u8]) -> &[Arc<TableMeta>] {
        debug_assert!(level > 0);
        let tables = &self.levels[level];
        let from = tables.partition_point(|meta| self.order.compare(&meta.largest_key, smallest).is_lt());
        let to = tables.partition_point(|meta| self.order.compare(&meta.smallest_key, largest).is_le());
        tables.get(from..to).unwrap_or_default()
    }

    /// Whether no running job has anything to do with these keys in these levels.
    pub fn is_free(&self, claim: &Claim) -> bool {
        let apart = |other: &Claim| {
            self.order.compare(&claim.keys.largest, &other.keys.smallest).is_lt()
                || self.order.compare(&claim.keys.smallest, &other.keys.largest).is_gt()
        };
        !self.claims.iter().any(|other| {
            let shared = claim.levels.start().max(other.levels.start());
            let both_of_level0 = *claim.levels.start() == 0 && *other.levels.start() == 0;
            let levels_meet = shared <= claim.levels.end().min(other.levels.end());
            levels_meet && (both_of_level0 || !apart(other))
        })
    }

    /// Bytes of the tables of a level.
    pub fn bytes(&self, level: usize) -> u64 {
        total(&self.levels[level])
    }

    /// Held sequence numbers that may see what lies behind newer records of `meta`.
    pub fn held_below(&self, meta: &TableMeta) -> u64 {
        self.held.partition_point(|&held| held < meta.largest_sequence) as u64
    }
}

/// Bytes of tables.
pub fn total<'a>(metas: impl IntoIterator<Item = &'a Arc<TableMeta>>) -> u64 {
    metas.into_iter().map(|meta| meta.size).sum()
}
