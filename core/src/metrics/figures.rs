//! Every figure: its name, what it means, and where it comes from. Nothing else in the project repeats them.

use crate::base::error::ErrorKind;
use crate::metrics::histogram::{Distribution, Timed};

/// A figure's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// A count, or bytes.
    Count(u64),
    /// A share, a rate or a time.
    Number(f64),
}

impl From<u64> for Figure {
    fn from(count: u64) -> Self {
        Figure::Count(count)
    }
}

impl From<f64> for Figure {
    fn from(number: f64) -> Self {
        Figure::Number(number)
    }
}

/// What is known of a figure beside its value.
pub(super) struct Description {
    pub(super) name: &'static str,
    /// The field's documentation, on one line.
    pub(super) help: &'static str,
    pub(super) series: Series,
}

/// How a figure stands in Prometheus text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Series {
    /// Not at all: it follows from others.
    None,
    /// Never falls.
    Counter,
    /// One counter of a family: its name and help, the label and the label's value.
    Labelled(&'static str, &'static str, &'static str, &'static str),
    /// Rises and falls.
    Gauge,
}

macro_rules! series {
    () => {
        Series::Counter
    };
    ($family:literal, $help:literal, $label:literal, $value:literal) => {
        Series::Labelled($family, $help, $label, $value)
    };
}

/// The lists below, each `/// help` and `name`: derived from others; sums of others; read from elsewhere;
/// `name: Counter`, and where it is one of a family its (name, help, label, value); seconds, counted in ns.
macro_rules! metrics {
    (
        $(#[$outer:meta])*
        derived { $($(#[doc = $derived_doc:literal])+ $derived:ident,)* }
        sums { $($(#[doc = $sum_doc:literal])+ $sum:ident,)* }
        given { $($(#[doc = $given_doc:literal])+ $given:ident,)* }
        counted { $($(#[doc = $doc:literal])+ $name:ident: $counter:ident $(($($family:literal),+))?,)* }
        seconds { $($(#[doc = $time_doc:literal])+ $time:ident: $time_counter:ident,)* }
    ) => {
        /// What the engine counts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Counter {
            $($(#[doc = $doc])+ $counter,)*
            $($(#[doc = $time_doc])+ $time_counter,)*
        }

        impl Counter {
            /// All of them, by number.
            pub const ALL: &'static [Counter] = &[$(Counter::$counter,)* $(Counter::$time_counter,)*];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();
        }

        $(#[$outer])*
        #[derive(Clone, Debug, Default)]
        #[non_exhaustive]
        pub struct Metrics {
            $($(#[doc = $derived_doc])+ pub $derived: f64,)*
            $($(#[doc = $sum_doc])+ pub $sum: u64,)*
            $($(#[doc = $given_doc])+ pub $given: u64,)*
            $($(#[doc = $doc])+ pub $name: u64,)*
            $($(#[doc = $time_doc])+ pub $time: f64,)*
            /// `background_errors` by kind; those kinds that there were.
            pub background_errors_by_kind: Vec<(ErrorKind, u64)>,
            /// Memory in use.
            pub memory: MemoryStats,
            /// Since the database was opened.
            pub(super) latencies: [Distribution; Timed::COUNT],
        }

        impl Metrics {
            pub(super) const TABLE: &'static [Description] = &[
                $(Description { name: stringify!($derived), help: concat!($($derived_doc),+), series: Series::None },)*
                $(Description { name: stringify!($sum), help: concat!($($sum_doc),+), series: Series::None },)*
                $(Description { name: stringify!($given), help: concat!($($given_doc),+), series: Series::Counter },)*
                $(Description { name: stringify!($name), help: concat!($($doc),+), series: series!($($($family),+)?) },)*
                $(Description { name: stringify!($time), help: concat!($($time_doc),+), series: Series::Counter },)*
            ];

            /// What each of [`Metrics::figures`] says: its name and a sentence.
            pub fn meanings() -> impl Iterator<Item = (&'static str, &'static str)> {
                Self::TABLE.iter().map(|figure| (figure.name, figure.help.trim()))
            }

            /// All figures but those of the memory, by the names of the fields.
            pub fn figures(&self) -> impl Iterator<Item = (&'static str, Figure)> {
                [
                    $((stringify!($derived), Figure::from(self.$derived)),)*
                    $((stringify!($sum), self.$sum.into()),)*
                    $((stringify!($given), self.$given.into()),)*
                    $((stringify!($name), self.$name.into()),)*
                    $((stringify!($time), self.$time.into()),)*
                ]
                .into_iter()
            }

            /// Takes over what was counted.
            pub(super) fn set_counted(&mut self, total: impl Fn(Counter) -> u64) {
                $(self.$name = total(Counter::$counter);)*
                $(self.$time = total(Counter::$time_counter) as f64 / 1e9;)*
            }
        }
    };
}

metrics! {
    /// Figures about the work of a database since it was opened, each taken at its own instant.
    ///
    /// Rates, averages and quantiles are about a stretch of time: since the last call of
    /// [`Database::get_metrics`](crate::Database::get_metrics) that lies at least 10 seconds back, or since the database was opened.
    /// So the first call is about everything so far, a call every minute about that minute, and calls
    /// every second about the last 10 to 20 seconds. Latencies are those of one call in 256 (of each sync of the log); if none was timed
    /// in the stretch, they are about all time. Rates and latencies are 0 where there was nothing at all.
    derived {
        /// Seconds since the database was opened.
        uptime_seconds,
        /// Keys looked up and scans opened, a second.
        read_ops_per_sec,
        /// Records written, a second.
        write_ops_per_sec,
        /// Mean time of a read of one key, in microseconds.
        avg_read_latency_us,
        /// Median time of a read of one key, in microseconds.
        p50_read_latency_us,
        /// 99 of 100 reads of one key took no longer, in microseconds.
        p99_read_latency_us,
        /// 999 of 1000 reads of one key took no longer, in microseconds.
        p999_read_latency_us,
        /// Mean time of a write call, until it is acknowledged, in microseconds.
        avg_write_latency_us,
        /// Median time of a write call, in microseconds.
        p50_write_latency_us,
        /// 99 of 100 write calls took no longer, in microseconds.
        p99_write_latency_us,
        /// 999 of 1000 write calls took no longer, in microseconds.
        p999_write_latency_us,
        /// Mean time in which the operating system took bytes for the log, in microseconds.
        avg_log_write_latency_us,
        /// Mean time of a sync of the log, in microseconds.
        avg_log_sync_latency_us,
        /// 99 of 100 syncs of the log took no longer, in microseconds.
        p99_log_sync_latency_us,
    }
    sums {
        /// Keys looked up, one by one and in batches: `row_hits` and `row_misses`.
        reads,
        /// Batches and single writes that were acknowledged, of every level.
        writes,
        /// Failures of work in the background.
        background_errors,
    }
    given {
        /// Look-ups of pages that found them in the cache.
        cache_hits,
        /// Look-ups of pages that did not find them in the cache.
        cache_misses,
    }
    counted {
        /// Keys answered by a cached row.
        row_hits: RowHits ("reads", "Keys looked up, by whether a cached row answered.", "row", "hit"),
        /// Keys looked for in memtables and tables, found or not.
        row_misses: RowMisses ("reads", "Keys looked up, by whether a cached row answered.", "row", "miss"),
        /// Calls that read several keys.
        batch_reads: BatchReads,
        /// Keys that these calls asked for.
        batch_read_keys: BatchReadKeys,
        /// Scans opened.
        scans: Scans,
        /// Entries that scans gave; those of a running one are counted every 256.
        scan_entries: ScanEntries,
        /// Writes and commits at `Strong`.
        writes_strong: WritesStrong ("writes", "Writes acknowledged, by consistency level.", "level", "strong"),
        /// Writes and commits at `Quorum`.
        writes_quorum: WritesQuorum ("writes", "Writes acknowledged, by consistency level.", "level", "quorum"),
        /// Writes and commits at `Eventual`.
        writes_eventual: WritesEventual ("writes", "Writes acknowledged, by consistency level.", "level", "eventual"),
        /// Records in the writes: puts and deletes.
        write_records: WriteRecords,
        /// Bytes of the keys and values in the writes.
        write_bytes: WriteBytes,
        /// Times that bytes were handed to the operating system for the log.
        log_writes: LogWrites,
        /// Bytes of these.
        log_bytes: LogBytes,
        /// Times that the log was brought to stable storage.
        log_syncs: LogSyncs,
        /// Sets of memtables written to tables.
        flushes: Flushes,
        /// Bytes of memory of these memtables.
        flush_input_bytes: FlushInputBytes,
        /// Bytes of the tables that flushes made.
        flush_output_bytes: FlushOutputBytes,
        /// Compactions finished.
        compactions: Compactions,
        /// Bytes of the tables that went into compactions.
        compaction_input_bytes: CompactionInputBytes,
        /// Bytes of the tables that compactions made.
        compaction_output_bytes: CompactionOutputBytes,
        /// Transactions begun.
        transactions_begun: TransactionsBegun,
        /// Transactions committed, those that only read included.
        transactions_committed: TransactionsCommitted,
        /// Transactions taken back by the caller, or failed for another reason than a conflict.
        transactions_aborted: TransactionsAborted,
        /// Transactions that lost against a commit.
        transaction_conflicts: TransactionConflicts,
        /// Writes that had to wait for flush or compaction.
        write_stalls: WriteStalls,
        /// Pages read from tables.
        page_reads: PageReads,
        /// Bytes of these, as they are stored.
        page_read_bytes: PageReadBytes,
        /// Files removed because nobody needed them any more.
        files_removed: FilesRemoved,
    }
    seconds {
        /// Seconds of flushes.
        flush_seconds: FlushTime,
        /// Seconds of compactions.
        compaction_seconds: CompactionTime,
        /// Seconds that writes waited for flush or compaction, of all threads together.
        write_stall_seconds: WriteStallTime,
    }
}

macro_rules! memory {
    ($(#[$outer:meta])* figures: $($(#[doc = $doc:literal])+ $name:ident,)*) => {
        $(#[$outer])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct MemoryStats {
            $($(#[doc = $doc])+ pub $name: u64,)*
        }

        impl MemoryStats {
            pub(super) const TABLE: &'static [Description] = &[
                $(Description { name: stringify!($name), help: concat!($($doc),+), series: Series::Gauge },)*
            ];

            /// What each of [`MemoryStats::figures`] says: its name and a sentence.
            pub fn meanings() -> impl Iterator<Item = (&'static str, &'static str)> {
                Self::TABLE.iter().map(|figure| (figure.name, figure.help.trim()))
            }

            /// All figures, by the names of the fields.
            pub fn figures(&self) -> impl Iterator<Item = (&'static str, Figure)> {
                [$((stringify!($name), Figure::from(self.$name)),)*].into_iter()
            }
        }
    };
}

memory! {
    /// Memory that a database uses, in bytes, each figure taken at its own instant.
    ///
    /// Only `total_bytes` is a sum: of `cache_bytes` and `memtable_bytes`. `page_bytes` and `row_bytes` are parts of
    /// `cache_bytes`, `index_bytes` of `page_bytes`, and `sealed_memtable_bytes` of `memtable_bytes`.
    /// Transactions, batches and scans that are open come on top.
    figures:
    /// Bytes of cache and memtables.
    total_bytes,
    /// Bytes of the cache in use, by pages and rows.
    cache_bytes,
    /// Bytes that the cache may use: the option `cache_size`.
    cache_limit_bytes,
    /// Bytes of cached pages, and of what is remembered of evicted ones.
    page_bytes,
    /// Bytes of cached pages that lead to records: inner pages and filters.
    index_bytes,
    /// Bytes of cached rows, and of hints to where others are.
    row_bytes,
    /// Bytes of memtables.
    memtable_bytes,
    /// Bytes of memtables that wait for their flush.
    sealed_memtable_bytes,
    /// Bytes of tables that are mapped; the operating system decides which of them are in memory.
    mapped_bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field names of a flat struct as `Debug` prints them.
    fn fields(debug: &str) -> Vec<&str> {
        debug
            .split(['{', ','])
            .skip(1)
            .filter_map(|field| field.split_once(':'))
            .map(|(name, _)| name.trim())
            .collect()
    }

    #[test]
    fn every_field_is_a_figure_with_a_help_text() {
        let metrics = Metrics::default();
        let names: Vec<_> = metrics.figures().map(|(name, _)| name).collect();
        let described: Vec<_> = Metrics::TABLE.iter().map(|description| description.name).collect();
        assert_eq!(names, described);
        let debug = format!("{metrics:?}");
        let (flat, _) = debug.split_once(", background_errors_by_kind").unwrap();
        assert_eq!(fields(flat), names);
        let memory = MemoryStats::default();
        let names: Vec<_> = memory.figures().map(|(name, _)| name).collect();
        assert_eq!(fields(&format!("{memory:?}")), names);
        for description in Metrics::TABLE.iter().chain(MemoryStats::TABLE) {
            assert!(description.help.ends_with('.'), "{}: {}", description.name, description.help);
        }
    }

    #[test]
    fn each_counter_has_a_field_of_its_own() {
        for counter in Counter::ALL {
            let mut metrics = Metrics::default();
            metrics.set_counted(|asked| u64::from(asked == *counter));
            let moved = metrics
                .figures()
                .filter(|(_, figure)| !matches!(figure, Figure::Count(0) | Figure::Number(0.0)));
            assert_eq!(moved.count(), 1, "{counter:?}");
        }
    }
}
