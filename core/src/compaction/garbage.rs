//! How much of a keyspace's tables is dead: estimated from what the manifest says of them.
//!
//! A record hides at most one older version, the next one. So a table's records are taken to hide as many
//! of the records under them, each of average size: exact for overwrites and deletes, too much for keys
//! that are new. What lies behind a held snapshot counts as pinned, not as dead.

use crate::base::limits::LEVELS;
use crate::btree::TableMeta;
use crate::compaction::shape::LevelShape;
use crate::sync::Arc;

/// Bytes of tables, by what they are good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Of old versions and tombstones that a rewrite of the table alone drops.
    pub inside: u64,
    /// Of what the table hides in others, and of its tombstones: dropped once they are merged.
    pub hidden: u64,
    /// Of what only held snapshots need.
    pub pinned: u64,
}

/// Bytes of a keyspace's tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceUse {
    /// Of all tables.
    pub total: u64,
    /// That compaction can drop, at most.
    pub dead: u64,
    /// That it could but for held snapshots.
    pub pinned: u64,
}

impl SpaceUse {
    /// Bytes that a compaction of everything would leave, at least.
    pub fn live(&self) -> u64 {
        self.total.saturating_sub(self.dead).saturating_sub(self.pinned)
    }
}

/// Sums up tables: bytes, records, smallest sequence number.
struct Under {
    bytes: u64,
    entries: u64,
    oldest: u64,
}

impl LevelShape<'_> {
    /// What can be dropped on account of table `index` of a level.
    pub fn garbage(&self, level: usize, index: usize) -> Garbage {
        let meta = &self.levels[level][index];
        let under = self.under(level, index, meta);
        let share = |part: u64, of: u64, bytes: u64| {
            let bytes = u128::from(bytes) * u128::from(part.min(of)) / u128::from(of.max(1));
            u64::try_from(bytes).unwrap_or(u64::MAX)
        };
        let held = self.held_below(meta);
        let mut garbage = Garbage::default();
        let kept = meta.kept;
        let still = share(held, kept.snapshots, kept.bytes);
        garbage.inside = kept.bytes.saturating_sub(still);
        garbage.pinned = still;
        let tombstones = share(meta.tombstones, meta.entries, meta.size);
        let hidden = share(meta.entries - kept.records.min(meta.entries), under.entries, under.bytes);
        if under.entries == 0 {
            // Without older versions a tombstone says nothing, unless they are in the table itself.
            match held {
                0 => garbage.inside = (garbage.inside + tombstones).min(meta.size),
                _ => garbage.pinned = (garbage.pinned + tombstones).min(meta.size),
            }
        } else if self.held.iter().any(|held| (under.oldest..meta.smallest_sequence).contains(held)) {
            garbage.pinned += hidden + tombstones;
        } else {
            garbage.hidden = hidden + tombstones;
        }
        garbage
    }

    /// The tables that may hold older versions of the keys of a table.
    fn under(&self, level: usize, index: usize, meta: &Arc<TableMeta>) -> Under {
        let mut under = Under { bytes: 0, entries: 0, oldest: u64::MAX };
        let mut add = |other: &TableMeta| {
            under.bytes += other.size;
            under.entries += other.entries;
            under.oldest = under.oldest.min(other.smallest_sequence);
        };
        if level == 0 {
            let older = self.levels[0].iter().skip(index + 1);
            older.filter(|other| meta.meets(self.order, other)).for_each(|other| add(other));
        }
        for deeper in level + 1..LEVELS {
            self.beneath(deeper, meta).iter().for_each(|other| add(other));
        }
        under
    }

    /// Sums over all tables.
    pub fn space(&self) -> SpaceUse {
        let mut space = SpaceUse::default();
        for (level, tables) in self.levels.iter().enumerate() {
            for (index, meta) in tables.iter().enumerate() {
                let garbage = self.garbage(level, index);
                space.total += meta.size;
                space.dead += garbage.inside + garbage.hidden;
                space.pinned += garbage.pinned;
            }
        }
        space.dead = space.dead.min(space.total);
        space.pinned = space.pinned.min(space.total - space.dead);
        space
    }
}
