//! Flush, compaction and figures.

use crate::base::error::{Error, Result};
use crate::base::limits::LEVELS;
use crate::db::database::Database;
use crate::view::View;

/// Figures about a database, each taken at its own instant.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Puts less deletes in memtables and tables: an estimate of the keys. A put of a key that was there and
    /// a delete of one that was not make it wrong until they are compacted away. A scan counts exactly.
    pub total_keys: u64,
    /// Bytes of tables and log on disk.
    pub total_size: u64,
    /// Share of page look-ups that found the page in the cache, 0 to 1.
    pub cache_hit_rate: f64,
    /// Bytes of the cache in use, by pages and rows.
    pub cache_bytes: usize,
    /// Bytes of memtables.
    pub memtable_bytes: usize,
    /// Sets of memtables that wait for their flush.
    pub sealed_memtables: usize,
    /// Tables in each level.
    pub tables_per_level: Vec<usize>,
    /// Open transactions, those by number included.
    pub active_transactions: usize,
    /// Held snapshots, those of transactions included.
    pub snapshots: usize,
    /// What last went wrong in the background.
    pub background_error: Option<Error>,
}

/// From the oldest records to the newest: each tombstone ends a key of those in front of it. A flush and a
/// compaction have left out what their own tombstones end.
fn estimate_keys(view: &View) -> u64 {
    let mut keys = 0u64;
    for (_, levels) in view.version.spaces() {
        for level in (0..LEVELS).rev() {
            for handle in levels.level(level).iter().rev() {
                let meta = handle.meta();
                keys =
                    keys.saturating_sub(meta.tombstones) + (meta.entries - meta.tombstones.min(meta.entries));
            }
        }
    }
    for set in view.sealed.iter().rev().chain([&view.active]) {
        let records: usize = set.spaces().iter().map(|(_, memtable)| memtable.len()).sum();
        let tombstones = set.tombstones();
        keys = (keys + records as u64).saturating_sub(tombstones).saturating_sub(tombstones);
    }
    keys
}

impl Database {
    /// Figures about the database. Errors: `Closed`.
    pub fn stats(&self) -> Result<Stats> {
        let engine = self.engine();
        engine.health.check_read()?;
        let view = std::sync::Arc::clone(&engine.catalogue.view().load());
        let cache = &engine.catalogue.tables().cache;
        let (hits, misses) = (cache.hits(), cache.misses());
        let sets = || std::iter::once(&view.active).chain(&view.sealed);
        let mut tables_per_level = vec![0; LEVELS];
        for (_, levels) in view.version.spaces() {
            for (level, count) in tables_per_level.iter_mut().enumerate() {
                *count += levels.level(level).len();
            }
        }
        Ok(Stats {
            total_keys: estimate_keys(&view),
            total_size: view.version.tables().map(|handle| handle.meta().size).sum::<u64>()
                + engine.writer.log_bytes(),
            cache_hit_rate: if hits + misses == 0 { 0.0 } else { hits as f64 / (hits + misses) as f64 },
            cache_bytes: cache.usage(),
            memtable_bytes: sets().map(|set| set.memory_usage()).sum(),
            sealed_memtables: view.sealed.len(),
            tables_per_level,
            active_transactions: engine.writer.open_transactions(),
            snapshots: engine.snapshots.len(),
            background_error: engine.health.trouble(),
        })
    }

    /// Writes all memtables to tables. Blocks until done. Errors: `NoSpace`, `Halted`, `Closed`, `Io`.
    pub fn flush(&self) -> Result<()> {
        self.engine().flush()
    }

    /// Flushes, then merges all tables into one level, without old versions that nobody can see. Reads and
    /// writes go on. Blocks until done; needs room for a second copy of the data.
    ///
    /// Errors: `NoSpace`, `Corruption` (a damaged table), `Halted`, `Closed`, `Io`; `Cancelled` when another
    /// thread closes the database.
    pub fn compact_lsm(&self) -> Result<()> {
        self.engine().compact_all()
    }

    /// Empties the cache of pages and rows. Errors: `Closed`.
    pub fn clear_cache(&self) -> Result<()> {
        self.engine().health.check_read()?;
        self.engine().catalogue.tables().cache.clear();
        self.engine().rows.clear();
        Ok(())
    }
}
