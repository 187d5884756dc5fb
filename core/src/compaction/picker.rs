//! What to compact next: a pure decision over the shape of one keyspace's levels and what is running.
//!
//! The deepest level holds most data, and each level above it a tenth of the one under it: so the levels
//! above add a ninth. Their limits follow from the size of the largest level, whatever it is, as with the
//! dynamic level sizes of RocksDB; a small keyspace has two levels only.

use crate::base::limits::LEVELS;
use crate::btree::TableMeta;
use crate::compaction::shape::{BOTTOM, Claim, Hull, Job, LevelShape, Limits, total};
use crate::sync::Arc;

/// Each level may be this many times as large as the one above it.
const LEVEL_RATIO: u64 = 10;

/// A table of an upper level may lie over so many full tables of the next one, so that no job gets too large.
const MAX_OVERLAP: u64 = LEVEL_RATIO;

/// At rest a rewrite is due when the dead bytes are more than the live ones divided by this.
const LIVE_TO_DEAD: u64 = 5;

/// At rest a table is rewritten when so great a part of it (one divided by this) can be dropped.
const DEAD_PART: u64 = 8;

/// A table of less than a full one divided by this is small.
const SMALL_PART: u64 = 4;

/// So many full tables are rewritten together.
const REWRITE: u64 = 4;

/// A job and how urgent it is: 1 is just due.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// Of several keyspaces the most urgent one goes first.
    pub urgency: f64,
    /// What to do.
    pub job: Job,
}

/// The most urgent compaction that is possible beside the running ones, or `None` if every level is within
/// its limit. The level that is furthest over its limit goes first, so that a steady load cannot starve the
/// deeper ones.
pub fn pick(shape: &LevelShape<'_>) -> Option<Pick> {
    let allowed = shape.allowed();
    let mut due = vec![(shape.levels[0].len() as f64 / shape.limits.level0_trigger.max(1) as f64, 0)];
    for (level, &allowed) in allowed.iter().enumerate().take(BOTTOM).skip(1) {
        let bytes = shape.unclaimed_bytes(level);
        // A level that is just full is no reason yet; one that is not to be used is drained when there is time.
        if bytes > allowed {
            due.push((if allowed == 0 { 1.0 } else { bytes as f64 / allowed as f64 }, level));
        }
    }
    due.retain(|(fullness, _)| *fullness >= 1.0);
    due.sort_by(|a, b| b.0.total_cmp(&a.0));
    due.into_iter().find_map(|(urgency, level)| {
        let job = match level {
            0 => shape.level0_job(|keys| shape.level_for_level0(keys, &allowed)),
            _ => {
                let used = (level + 1..BOTTOM).find(|&level| allowed[level] > 0).unwrap_or(BOTTOM);
                shape.cheapest(level, |keys| shape.level_under(level, keys, used))
            }
        };
        job.map(|job| Pick { urgency, job })
    })
}

/// At rest, when nothing is urgent: the job that gives most space for its work, as long as dead bytes take
/// more than a fifth of the live ones, and tables that hold much that nobody needs any more; then level 0, each table
/// of which costs every look-up a filter and every scan a source.
pub fn pick_at_rest(shape: &LevelShape<'_>) -> Option<Pick> {
    let space = shape.space();
    let urgency = space.dead as f64 / space.total.max(1) as f64;
    let over = space.dead.saturating_mul(LIVE_TO_DEAD) > space.total - space.dead;
    let reclaim = || over.then(|| shape.reclaim()).flatten();
    let found = shape.rewrite(DEAD_PART).or_else(reclaim).or_else(|| shape.merge_level0_away());
    found.map(|job| Pick { urgency, job })
}

impl Limits {
    /// A table of an upper level may lie over so many bytes of the next one.
    pub fn max_overlap(&self) -> u64 {
        self.table_bytes.saturating_mul(MAX_OVERLAP)
    }

    /// Tables that are rewritten together, in bytes.
    pub(super) fn rewrite_bytes(&self) -> u64 {
        self.table_bytes.saturating_mul(REWRITE)
    }
}

impl LevelShape<'_> {
    /// Bytes that each level may hold. 0: it is not to be used.
    fn allowed(&self) -> [u64; LEVELS] {
        let mut allowed = [u64::MAX; LEVELS];
        let mut size = (1..LEVELS).map(|level| self.bytes(level)).max().unwrap_or(0);
        for level in (1..BOTTOM).rev() {
            size /= LEVEL_RATIO;
            allowed[level] = if size >= self.limits.smallest_level { size } else { 0 };
        }
        allowed
    }

    fn unclaimed_bytes(&self, level: usize) -> u64 {
        let claimed = |meta: &Arc<TableMeta>| !self.is_free(&claim_of(level, level, hull_of(meta)));
        match self.claims.is_empty() {
            true => self.bytes(level),
            false => total(self.levels[level].iter().filter(|meta| !claimed(meta))),
        }
    }

    /// The first level that may hold as much as level 0 has, unless data are in the way.
    fn level_for_level0(&self, keys: &Hull, allowed: &[u64; LEVELS]) -> usize {
        let bytes = self.bytes(0);
        let fitting = (1..BOTTOM).find(|&level| allowed[level] >= bytes).unwrap_or(BOTTOM);
        self.level_under(0, keys, fitting)
    }

    /// The first level under `level` that has tables of these keys, `deepest` at most.
    fn level_under(&self, level: usize, keys: &Hull, deepest: usize) -> usize {
        (level + 1..deepest).find(|&under| !self.overlapping(under, keys).is_empty()).unwrap_or(deepest)
    }

    /// The next level on the shortest way to the bottom that takes no job of everything.
    pub(super) fn level_downwards(&self, level: usize, keys: &Hull) -> usize {
        let too_much =
            level + 1 < BOTTOM && total(self.overlapping(BOTTOM, keys)) > self.limits.max_overlap();
        self.level_under(level, keys, if too_much { BOTTOM - 1 } else { BOTTOM })
    }

    /// All of level 0, as one job.
    pub(super) fn level0_job(&self, output: impl FnOnce(&Hull) -> usize) -> Option<Job> {
        let keys = self.hull(&self.levels[0])?;
        self.job(0, &self.levels[0], output(&keys))
    }

    /// The job that takes level 0 to the data under it, unless they are so many that no level above them should have
    /// been left out: then several tables of level 0 become one run above them.
    fn merge_level0_away(&self) -> Option<Job> {
        let keys = self.hull(&self.levels[0])?;
        let under = self.level_under(0, &keys, BOTTOM);
        let cost = total(self.overlapping(under, &keys));
        if cost == 0 && self.bytes(0) < self.limits.smallest_level {
            // Rising keys, a few at a time: each time a table of its own would come of it.
            return None;
        }
        if cost <= self.bytes(0).saturating_mul(LEVEL_RATIO) {
            return self.level0_job(|_| under);
        }
        let several = self.levels[0].len() > 1;
        several.then(|| self.level0_job(|keys| self.level_for_level0(keys, &self.allowed()))).flatten()
    }

    /// The job of the table of `level` that costs least for each byte that leaves the level.
    fn cheapest(&self, level: usize, output: impl Fn(&Hull) -> usize) -> Option<Job> {
        let cost = |meta: &Arc<TableMeta>, output: usize| {
            let under = total(self.beneath(output, meta));
            under.saturating_mul(1 << 10) / meta.size.max(1)
        };
        let mut costs: Vec<_> = self.levels[level]
            .iter()
            .map(|meta| {
                let output = output(&hull_of(meta));
                (cost(meta, output), output, meta)
            })
            .collect();
        costs.sort_by_key(|(cost, ..)| *cost);
        costs.into_iter().find_map(|(_, output, meta)| self.job(level, std::slice::from_ref(meta), output))
    }

    /// The job of some tables of a level and of those that they meet in the output level, unless a running
    /// job is in the way.
    pub(super) fn job(&self, level: usize, upper: &[Arc<TableMeta>], output_level: usize) -> Option<Job> {
        let keys = self.hull(upper)?;
        let lower = if output_level > level { self.overlapping(output_level, &keys) } else { &[] };
        let keys = self.hull(upper.iter().chain(lower))?;
        let claim = claim_of(level, output_level, keys);
        if !self.is_free(&claim) {
            return None;
        }
        let bottom =
            (output_level + 1..LEVELS).all(|deeper| self.overlapping(deeper, &claim.keys).is_empty());
        let moves = output_level > level && lower.is_empty() && self.may_move(level, upper, output_level);
        let upper = upper.iter().map(|meta| (level, meta.number));
        let inputs = upper.chain(lower.iter().map(|meta| (output_level, meta.number))).collect();
        Some(Job { inputs, output_level, bottom, moves, claim })
    }

    /// Whether tables that meet none in the output level can be there as they are: apart from each other,
    /// over not too much of the next level, and with nothing to drop or to make much smaller at the bottom.
    fn may_move(&self, level: usize, upper: &[Arc<TableMeta>], output_level: usize) -> bool {
        // Small tables would become many: they are merged before. Sequence numbers take a few bytes a record.
        let large = |meta: &TableMeta| meta.size >= self.limits.table_bytes / SMALL_PART;
        let whole = |meta: &TableMeta| meta.tombstones == 0 && meta.kept.records == 0;
        let settled =
            |meta: &TableMeta| whole(meta) && (meta.largest_sequence == 0 || (self.one_codec && large(meta)));
        let fits = |meta: &Arc<TableMeta>| {
            let at_bottom = (output_level + 1..LEVELS).all(|deeper| self.beneath(deeper, meta).is_empty());
            let next = (output_level + 1..LEVELS).map(|deeper| total(self.beneath(deeper, meta))).max();
            (!at_bottom || settled(meta)) && next.unwrap_or(0) <= self.limits.max_overlap()
        };
        let mut by_key: Vec<_> = upper.iter().collect();
        by_key.sort_by(|a, b| self.order.compare(&a.smallest_key, &b.smallest_key));
        let apart = by_key.windows(2).all(|pair| !pair[0].meets(self.order, pair[1]));
        (level > 0 || apart) && upper.iter().all(fits)
    }

    /// Neighbours of a level of which a great part can be dropped, rewritten where they are.
    fn rewrite(&self, part: u64) -> Option<Job> {
        let due = |level: usize, index: usize| {
            let inside = self.garbage(level, index).inside;
            inside > 0 && inside.saturating_mul(part) >= self.levels[level][index].size
        };
        if (0..self.levels[0].len()).any(|index| due(0, index))
            && let Some(job) = self.level0_job(|keys| self.level_downwards(0, keys))
        {
            return Some(job);
        }
        (1..LEVELS).find_map(|level| {
            let tables = &self.levels[level];
            let first = (0..tables.len()).find(|&index| {
                due(level, index) && self.job(level, &tables[index..=index], level).is_some()
            })?;
            let mut end = first + 1;
            while end < tables.len()
                && due(level, end)
                && total(&tables[first..=end]) <= self.limits.rewrite_bytes()
            {
                end += 1;
            }
            let wanted = self.job(level, &tables[first..end], level);
            wanted.or_else(|| self.job(level, &tables[first..=first], level))
        })
    }

    /// The job that drops most for each byte that it writes.
    fn reclaim(&self) -> Option<Job> {
        let mut found = Vec::new();
        let gain = |dead: u64, cost: u64| dead as f64 / cost.max(1) as f64;
        if let Some(keys) = self.hull(&self.levels[0]) {
            let dead = (0..self.levels[0].len()).map(|index| self.garbage(0, index));
            let dead: u64 = dead.map(|garbage| garbage.inside + garbage.hidden).sum();
            let output = self.level_downwards(0, &keys);
            let cost = self.bytes(0) + total(self.overlapping(output, &keys));
            found.push((gain(dead, cost), 0, 0, output));
        }
        for level in 1..LEVELS {
            for (index, meta) in self.levels[level].iter().enumerate() {
                let garbage = self.garbage(level, index);
                let stays = garbage.hidden == 0;
                let output = match stays {
                    true => level,
                    false => self.level_downwards(level, &hull_of(meta)),
                };
                let under = if stays { 0 } else { total(self.beneath(output, meta)) };
                found.push((gain(garbage.inside + garbage.hidden, meta.size + under), level, index, output));
            }
        }
        found.retain(|(gain, ..)| *gain > 0.0);
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().find_map(|(_, level, index, output)| match level {
            0 => self.job(0, &self.levels[0], output),
            _ => self.job(level, &self.levels[level][index..=index], output),
        })
    }
}

pub(super) fn hull_of(meta: &TableMeta) -> Hull {
    Hull { smallest: meta.smallest_key.clone(), largest: meta.largest_key.clone() }
}

fn claim_of(level: usize, output_level: usize, keys: Hull) -> Claim {
    Claim { levels: level..=output_level, keys }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
