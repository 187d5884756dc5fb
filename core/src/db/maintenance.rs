//! Flush, the cache and figures.

use std::time::Duration;

use crate::base::error::{Error, Result};
use crate::base::ids::KeyspaceId;
use crate::base::limits::LEVELS;
use crate::cache::CacheFigures;
use crate::db::database::Database;
use crate::metrics::Counter;
use crate::version::Levels;
use crate::view::View;

/// A struct of figures, and what its documentation says of each.
macro_rules! figures {
    ($(#[$outer:meta])* pub struct $name:ident { $($(#[doc = $doc:literal])+ pub $field:ident: $kind:ty,)* }) => {
        $(#[$outer])*
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $kind,)*
        }

        impl $name {
            /// What each field says: its name and some sentences.
            pub fn meanings() -> impl Iterator<Item = (&'static str, &'static str)> {
                [$((stringify!($field), concat!($($doc),+).trim())),*].into_iter()
            }
        }
    };
}

figures! {
    /// Figures about a database, each taken at its own instant.
    #[derive(Clone, Debug, Default)]
    #[non_exhaustive]
    pub struct Stats {
        /// Puts less deletes in memtables and tables: an estimate of the keys. A put of a key that was there and
        /// a delete of one that was not make it wrong until they are compacted away. A scan counts exactly.
        pub total_keys: u64,
        /// Bytes of tables and log on disk.
        pub total_size: u64,
        /// Bytes of tables that a compaction of everything would leave, at least: those of tables that are
        /// neither dead nor pinned.
        pub live_bytes: u64,
        /// Bytes of tables that compaction can drop, at most: old versions, deleted records, tombstones.
        /// Estimated from the counts and ranges of tables: each record is taken to hide an older one under it,
        /// which is true of overwrites and not of new keys. At rest at most about a fifth of the live ones.
        pub dead_bytes: u64,
        /// Bytes that only held snapshots (estimated as dead ones) and running scans and backups keep.
        pub pinned_bytes: u64,
        /// Share of look-ups that the cache answered, by a row or by a page, 0 to 1. A row that is not there is no
        /// miss of its own: pages are looked up then.
        pub cache_hit_rate: f64,
        /// Bytes of the cache in use, by pages and rows.
        pub cache_bytes: usize,
        /// Bytes of tables that are mapped; not part of `cache_bytes`.
        pub mapped_bytes: u64,
        /// Bytes of memtables.
        pub memtable_bytes: usize,
        /// Sets of memtables that wait for their flush.
        pub sealed_memtables: usize,
        /// Writes that wait now because flush or compaction are behind.
        pub stalled_writes: usize,
        /// Writes that were slowed down or stopped so far.
        pub write_stalls: u64,
        /// Seconds that they have waited, in all.
        pub write_stall_seconds: f64,
        /// Tables in each level.
        pub tables_per_level: Vec<usize>,
        /// Open transactions, those by number included.
        pub active_transactions: usize,
        /// Held snapshots, those of transactions included.
        pub snapshots: usize,
        /// What last went wrong in the background.
        pub background_error: Option<Error>,
    }
}

fn hit_rate(row_hits: u64, pages: &CacheFigures) -> f64 {
    let hits = row_hits + pages.page_hits;
    if hits == 0 { 0.0 } else { hits as f64 / (hits + pages.page_misses) as f64 }
}

/// The keys of a keyspace, from the oldest records to the newest: each tombstone ends a key of those in front of
/// it. A flush and a compaction have left out what their own tombstones end.
fn estimate_keys(view: &View, id: KeyspaceId, levels: &Levels) -> u64 {
    let mut keys = 0u64;
    for level in (0..LEVELS).rev() {
        for handle in levels.level(level).iter().rev() {
            let meta = handle.meta();
            keys = keys.saturating_sub(meta.tombstones) + (meta.entries - meta.tombstones.min(meta.entries));
        }
    }
    for set in view.sealed.iter().rev().chain([&view.active]) {
        let Some(memtable) = set.space(id) else { continue };
        let tombstones = memtable.tombstones() as u64;
        keys = (keys + memtable.len() as u64).saturating_sub(tombstones).saturating_sub(tombstones);
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
        let figures = cache.figures();
        let sets = || std::iter::once(&view.active).chain(&view.sealed);
        let mut tables_per_level = vec![0; LEVELS];
        for (_, levels) in view.version.spaces() {
            for (level, count) in tables_per_level.iter_mut().enumerate() {
                *count += levels.level(level).len();
            }
        }
        let (space, meters) = (engine.space(), &engine.health.meters);
        // One that was closed meanwhile has no tables.
        engine.health.check_read()?;
        Ok(Stats {
            live_bytes: space.live(),
            dead_bytes: space.dead,
            pinned_bytes: space.pinned + engine.catalogue.context().obsolete.held_bytes(),
            stalled_writes: engine.writer.stalled(),
            write_stalls: meters.total(Counter::WriteStalls),
            write_stall_seconds: Duration::from_nanos(meters.total(Counter::WriteStallTime)).as_secs_f64(),
            total_keys: view.version.spaces().map(|(id, levels)| estimate_keys(&view, id, levels)).sum(),
            total_size: view.version.tables().map(|handle| handle.meta().size).sum::<u64>()
                + engine.writer.log_bytes(),
            cache_hit_rate: hit_rate(meters.total(Counter::RowHits), &figures),
            cache_bytes: figures.bytes,
            mapped_bytes: engine.catalogue.tables().maps.mapped(),
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

    /// Empties the cache of pages and rows. Errors: `Closed`.
    pub fn clear_cache(&self) -> Result<()> {
        self.engine().health.check_read()?;
        self.engine().catalogue.tables().cache.clear();
        self.engine().rows.clear();
        Ok(())
    }
}
