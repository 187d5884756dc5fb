//! The live counts of a database: what the engine calls.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::error::{Error, ErrorKind};
use crate::base::ids::{FileNumber, KeyspaceId};
use crate::metrics::counters::{Counters, Place};
use crate::metrics::histogram::{Histogram, Timed};
use crate::metrics::window::{Totals, Window};
use crate::metrics::{Counter, MemoryStats, Metrics, events};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};
use crate::vfs::{OsVfs, Vfs};

/// Numbers of error kinds are below this.
const KINDS: usize = ErrorKind::ALL.len() + 1;

/// The counts and latencies of one open database.
pub struct Meters {
    counters: Counters,
    latencies: [Histogram; Timed::COUNT],
    errors: [AtomicU64; KINDS],
    window: Mutex<Window>,
    vfs: Arc<dyn Vfs>,
    folder: PathBuf,
    opened: Duration,
}

/// What opening found.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// The database is new, or was closed.
    pub clean: bool,
    /// Records read back from logs.
    pub replayed_records: u64,
    /// Bytes of a log that were dropped.
    pub dropped_log_bytes: u64,
    /// Bytes of the manifest that were dropped.
    pub dropped_manifest_bytes: u64,
}

/// A call that is counted when it ends, and perhaps timed. One that is dropped is not counted.
#[must_use]
pub struct Timer<'a> {
    meters: &'a Meters,
    place: Place<'a>,
    what: Timed,
    began: Option<Duration>,
}

impl Default for Meters {
    /// Of nothing in particular, with the time of the operating system.
    fn default() -> Self {
        Meters::new(Arc::new(OsVfs), Path::new(""))
    }
}

impl Meters {
    /// Of the database in `folder`, which is being opened.
    pub fn new(vfs: Arc<dyn Vfs>, folder: &Path) -> Self {
        let opened = vfs.monotonic();
        Meters {
            counters: Counters::default(),
            latencies: Default::default(),
            errors: [const { AtomicU64::new(0) }; KINDS],
            window: Mutex::new(Window::new(opened)),
            vfs,
            folder: folder.to_owned(),
            opened,
        }
    }

    /// Counts.
    #[inline]
    pub fn add(&self, counter: Counter, count: u64) {
        self.counters.place().add(counter, count);
    }

    /// What a counter has come to.
    pub fn total(&self, counter: Counter) -> u64 {
        self.counters.total(counter)
    }

    /// A call begins that [`Timer::end`] will count. One in 256 is timed.
    #[inline]
    pub fn begin(&self, what: Timed) -> Timer<'_> {
        let place = self.counters.place();
        let began = if place.is_sampled(what) { Some(self.start()) } else { None };
        Timer { meters: self, place, what, began }
    }

    #[cold]
    #[inline(never)]
    fn start(&self) -> Duration {
        self.now()
    }

    /// Does `work` and times it, always.
    pub fn time<T>(&self, what: Timed, work: impl FnOnce() -> T) -> T {
        let began = self.now();
        let done = work();
        self.record(what, began);
        done
    }

    #[cold]
    #[inline(never)]
    fn record(&self, what: Timed, began: Duration) {
        self.latencies[what as usize].record(self.now().saturating_sub(began));
    }

    pub(super) fn now(&self) -> Duration {
        self.vfs.monotonic()
    }

    /// The database's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database is open.
    pub fn opened(&self, opening: Opening) {
        events::opened(self, opening);
    }

    /// The database was closed.
    pub fn closed(&self, error: Option<&Error>) {
        events::closed(self, error);
    }

    /// The database takes no more writes.
    pub fn halted(&self, cause: &Error) {
        events::halted(self, cause);
    }

    /// Work in the background could not go on.
    pub fn background_error(&self, job: &'static str, error: &Error) {
        if let Some(count) = self.errors.get(usize::from(error.kind().code())) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        events::background_error(self, job, error);
    }

    /// A page of so many bytes was read from a table.
    pub fn page_read(&self, bytes: usize) {
        let place = self.counters.place();
        place.add(Counter::PageReads, 1);
        place.add(Counter::PageReadBytes, bytes as u64);
    }

    /// A table was written.
    pub fn table_written(&self, keyspace: KeyspaceId, number: FileNumber, bytes: u64) {
        events::table_written(self, keyspace.0, number, bytes);
    }

    /// So many obsolete files were removed.
    pub fn files_removed(&self, files: usize) {
        if files > 0 {
            self.add(Counter::FilesRemoved, files as u64);
            events::files_removed(self, files as u64);
        }
    }

    /// Does `work`, a backup into `target`; it gives the bytes of the backup.
    pub fn backup<T, E>(
        &self,
        target: &Path,
        bytes: impl FnOnce(&T) -> u64,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let began = self.now();
        work().inspect(|done| {
            events::backup_ended(self, target, bytes(done), self.now().saturating_sub(began));
        })
    }

    /// The database was restored from a backup.
    pub fn restored(&self, source: &Path) {
        events::restored(self, source);
    }

    /// All figures now; those that others keep are given.
    pub fn metrics(&self, cache_hits: u64, cache_misses: u64, memory: MemoryStats) -> Metrics {
        let total = |counter| self.total(counter);
        let mut metrics = Metrics { cache_hits, cache_misses, memory, ..Metrics::default() };
        metrics.set_counted(total);
        metrics.reads = metrics.row_hits + metrics.row_misses;
        metrics.writes = metrics.writes_strong + metrics.writes_quorum + metrics.writes_eventual;
        for &kind in ErrorKind::ALL {
            let count =
                self.errors.get(usize::from(kind.code())).map_or(0, |count| count.load(Ordering::Relaxed));
            if count > 0 {
                metrics.background_errors_by_kind.push((kind, count));
                metrics.background_errors += count;
            }
        }
        self.set_recent(&mut metrics);
        metrics
    }

    /// What is about a stretch of time.
    fn set_recent(&self, metrics: &mut Metrics) {
        let totals = Totals {
            at: self.now(),
            read_ops: metrics.reads + metrics.scans,
            write_ops: metrics.write_records,
            latencies: std::array::from_fn(|kind| self.latencies[kind].distribution()),
        };
        let recent = self.window.lock().ask(&totals);
        metrics.uptime_seconds = totals.at.saturating_sub(self.opened).as_secs_f64();
        metrics.read_ops_per_sec = recent.read_ops_per_sec;
        metrics.write_ops_per_sec = recent.write_ops_per_sec;
        let [read, write, log_write, log_sync] = &recent.latencies;
        metrics.avg_read_latency_us = read.mean_microseconds();
        metrics.p50_read_latency_us = read.quantile_microseconds(0.5);
        metrics.p99_read_latency_us = read.quantile_microseconds(0.99);
        metrics.p999_read_latency_us = read.quantile_microseconds(0.999);
        metrics.avg_write_latency_us = write.mean_microseconds();
        metrics.p50_write_latency_us = write.quantile_microseconds(0.5);
        metrics.p99_write_latency_us = write.quantile_microseconds(0.99);
        metrics.p999_write_latency_us = write.quantile_microseconds(0.999);
        metrics.avg_log_write_latency_us = log_write.mean_microseconds();
        metrics.avg_log_sync_latency_us = log_sync.mean_microseconds();
        metrics.p99_log_sync_latency_us = log_sync.quantile_microseconds(0.99);
        metrics.latencies = totals.latencies;
    }
}

impl Timer<'_> {
    /// The call has ended, as one of those that [`Timed::ends_as`] names.
    #[inline]
    pub fn end(self, counter: Counter) {
        debug_assert!(self.what.ends_as().contains(&counter));
        self.place.add(counter, 1);
        if let Some(began) = self.began {
            self.meters.record(self.what, began);
        }
    }
}
