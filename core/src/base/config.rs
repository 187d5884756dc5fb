//! Every option: its field and default. The table of their names is in `options`.

use std::time::Duration;

use crate::base::comparator::{Comparator, GivenOrders, KeyOrder};

/// How far a write has got when it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ConsistencyLevel {
    /// On stable storage: survives a power cut.
    #[default]
    Strong,
    /// In the operating system's log file: survives the death of the process, not of the machine.
    Quorum,
    /// In memory, in commit order; written to the log within about 1 ms or 64 KiB. A killed process
    /// may lose the tail, never the order.
    Eventual,
}

impl ConsistencyLevel {
    /// All levels with their names in every language.
    pub const NAMES: &'static [(&'static str, ConsistencyLevel)] = &[
        ("strong", ConsistencyLevel::Strong),
        ("quorum", ConsistencyLevel::Quorum),
        ("eventual", ConsistencyLevel::Eventual),
    ];
}

/// Consistency options.
#[derive(Clone, Debug)]
pub struct ConsistencyConfig {
    /// Level of a write that names none. Default: `Strong`.
    pub default_level: ConsistencyLevel,
    /// `false` lets a default level of `Strong` fall back to `Quorum`; a level named at the call is
    /// kept. Default: `true`.
    pub sync_writes: bool,
    /// Longest time that a write stays in the log alone, and so the replay at open. Default: 60 s; at
    /// least 1 s.
    pub checkpoint_interval: Duration,
}

impl Default for ConsistencyConfig {
    fn default() -> Self {
        ConsistencyConfig {
            default_level: ConsistencyLevel::Strong,
            sync_writes: true,
            checkpoint_interval: Duration::from_secs(60),
        }
    }
}

/// Options of the write side.
#[derive(Clone, Debug)]
pub struct LSMConfig {
    /// Bytes of the memtable before it is sealed and flushed. Default: 64 MiB; 64 KiB to 4 GiB.
    pub memtable_size: usize,
    /// Tables in level 0 that start a compaction. Default: 4; 1 to 64.
    pub level0_file_num_compaction_trigger: usize,
    /// Compactions that may run at once, each in a thread of its own. Default: 1; 1 to 64.
    pub max_background_compactions: usize,
    /// Codec of new pages of the levels above the deepest one, which are rewritten soon: as
    /// [`LightningDbConfig::compression_type`], or 0 for none. Default: 2.
    pub upper_compression_type: u8,
}

impl Default for LSMConfig {
    fn default() -> Self {
        LSMConfig {
            memtable_size: 64 << 20,
            level0_file_num_compaction_trigger: 4,
            max_background_compactions: 1,
            upper_compression_type: 2,
        }
    }
}

/// Configuration of a database.
///
/// ```
/// use lightning_db::LightningDbConfig;
/// let config = LightningDbConfig { cache_size: 100 * 1024 * 1024, ..Default::default() };
/// assert!(config.compression_enabled);
/// ```
pub struct LightningDbConfig {
    /// Target size of a page in bytes. Default: 4096; a power of two from 512 to 65,536.
    pub page_size: usize,
    /// Bytes of pages, and of rows that are read often, kept in memory. Default: 64 MiB; at least 1 MiB.
    pub cache_size: usize,
    /// Bytes of tables that are read through read-only maps, the first ones in use; the others are read into the cache's own
    /// memory. Maps are not part of `cache_size`. A disk that fails, or a table that something else cuts, under a map ends the process
    /// with a signal, where a read would be an error. Default: `None`, no maps; at least 1 MiB.
    pub mmap_size: Option<u64>,
    /// Whether new pages are compressed. Default: `true`.
    pub compression_enabled: bool,
    /// Codec of new pages of the deepest level, where most data rest: 1 = Zstd, 2 = LZ4, 3 = Snappy. Pages of every
    /// codec are read, whatever is set. Default: 2.
    pub compression_type: u8,
    /// How hard Zstd tries: 1 is fast, 19 small and slow. The other codecs have one level. Default: 1;
    /// 1 to 19.
    pub compression_level: i32,
    /// Transactions of all kinds that may be open at once; one more is `TooMany`.
    /// Default: 1000; 1 to 1,000,000.
    pub max_active_transactions: usize,
    /// Group commit of transactions: those that reach their commit while another commits are committed
    /// together, with one log write and one sync. `false`: each makes a log write, and at `Strong` a sync, of its own.
    /// Writes without a transaction are always grouped. Default: `true`.
    pub use_optimized_transactions: bool,
    /// Whether the pages that a scan will come to are read and decompressed ahead of it, on other threads. Default: `true`.
    pub prefetch_enabled: bool,
    /// How many pages ahead of a scan are read, of each table that it walks; less if they would take more than an eighth
    /// of the cache. Default: 8; 1 to 1024.
    pub prefetch_distance: usize,
    /// Threads that read ahead, started when the first scan needs them. Default: 2; 1 to 64.
    pub prefetch_workers: usize,
    /// Consistency options.
    pub consistency_config: ConsistencyConfig,
    /// Options of the write side.
    pub lsm_config: LSMConfig,
    /// Order of keys. Default: `None`, bytewise for a new database and what it was made with for any other, if that is a
    /// [`NativeOrder`](crate::NativeOrder). A comparator of your own must be given at every open.
    pub comparator: Option<Box<dyn Comparator>>,
    /// Comparators of your own that keyspaces were made with, found by name. Default: empty; [`NativeOrder`](crate::NativeOrder)s need not
    /// be given.
    pub comparators: Vec<Box<dyn Comparator>>,
}

impl std::fmt::Debug for LightningDbConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let order = self.comparator.as_ref().map(|comparator| comparator.name());
        let orders: Vec<_> = self.comparators.iter().map(|comparator| comparator.name()).collect();
        f.debug_struct("LightningDbConfig")
            .field("page_size", &self.page_size)
            .field("cache_size", &self.cache_size)
            .field("mmap_size", &self.mmap_size)
            .field("compression_enabled", &self.compression_enabled)
            .field("compression_type", &self.compression_type)
            .field("compression_level", &self.compression_level)
            .field("max_active_transactions", &self.max_active_transactions)
            .field("use_optimized_transactions", &self.use_optimized_transactions)
            .field("prefetch_enabled", &self.prefetch_enabled)
            .field("prefetch_distance", &self.prefetch_distance)
            .field("prefetch_workers", &self.prefetch_workers)
            .field("consistency_config", &self.consistency_config)
            .field("lsm_config", &self.lsm_config)
            .field("comparator", &order)
            .field("comparators", &orders)
            .finish()
    }
}

impl Default for LightningDbConfig {
    fn default() -> Self {
        LightningDbConfig {
            page_size: 4096,
            cache_size: 64 << 20,
            mmap_size: None,
            compression_enabled: true,
            compression_type: 2,
            compression_level: 1,
            max_active_transactions: 1000,
            use_optimized_transactions: true,
            prefetch_enabled: true,
            prefetch_distance: 8,
            prefetch_workers: 2,
            consistency_config: ConsistencyConfig::default(),
            lsm_config: LSMConfig::default(),
            comparator: None,
            comparators: Vec::new(),
        }
    }
}

impl LightningDbConfig {
    /// Takes the orders of keys out of the configuration.
    pub(crate) fn take_orders(&mut self) -> GivenOrders {
        GivenOrders {
            default: self.comparator.take().map(KeyOrder::from),
            named: self.comparators.drain(..).map(KeyOrder::from).collect(),
        }
    }
}
