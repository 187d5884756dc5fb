//! Metrics and memory figures.

use crate::base::error::Result;
use crate::db::database::Database;
use crate::metrics::{MemoryStats, Metrics, Opening};

impl Database {
    /// Counts, rates and latencies since the database was opened. Cheap enough to be asked every second; what
    /// is counted costs reads and writes a few instructions. Errors: `Closed`.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// db.put(b"a", b"1")?;
    /// db.get(b"a")?;
    /// let metrics = db.get_metrics()?;
    /// println!("Read ops/sec: {}", metrics.read_ops_per_sec);
    /// println!("Write ops/sec: {}", metrics.write_ops_per_sec);
    /// println!("Average read latency: {} μs", metrics.avg_read_latency_us);
    /// assert_eq!((metrics.reads, metrics.writes), (1, 1));
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn get_metrics(&self) -> Result<Metrics> {
        let engine = self.engine();
        engine.health.check_read()?;
        let pages = engine.catalogue.tables().cache.figures();
        Ok(engine.health.meters.metrics(pages.page_hits, pages.page_misses, self.memory()))
    }

    /// What the database keeps in memory; `None` once it is closed.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// if let Some(stats) = db.memory_stats() {
    ///     println!("Cache usage: {} MB", stats.cache_bytes / 1024 / 1024);
    ///     println!("Index usage: {} MB", stats.index_bytes / 1024 / 1024);
    /// }
    /// db.close()?;
    /// assert_eq!(db.memory_stats(), None);
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn memory_stats(&self) -> Option<MemoryStats> {
        self.is_open().then(|| self.memory())
    }

    fn memory(&self) -> MemoryStats {
        let engine = self.engine();
        let cache = &engine.catalogue.tables().cache;
        let view = std::sync::Arc::clone(&engine.catalogue.view().load());
        let sealed: usize = view.sealed.iter().map(|set| set.memory_usage()).sum();
        let memtables = sealed + view.active.memory_usage();
        let figures = cache.figures();
        MemoryStats {
            total_bytes: (figures.bytes + memtables) as u64,
            cache_bytes: figures.bytes as u64,
            cache_limit_bytes: cache.capacity() as u64,
            page_bytes: figures.bytes.saturating_sub(figures.row_bytes) as u64,
            index_bytes: figures.inner_bytes as u64,
            row_bytes: figures.row_bytes as u64,
            memtable_bytes: memtables as u64,
            sealed_memtable_bytes: sealed as u64,
            mapped_bytes: engine.catalogue.tables().maps.mapped(),
        }
    }

    pub(super) fn tell_opened(&self) {
        let report = self.recovery_report();
        self.engine().health.meters.opened(Opening {
            clean: report.clean,
            replayed_records: report.replayed_records,
            dropped_log_bytes: report.dropped_log_bytes,
            dropped_manifest_bytes: report.dropped_manifest_bytes,
        });
    }
}
