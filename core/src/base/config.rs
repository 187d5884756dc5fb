//! Every option: its field, default, range and name. Nothing else in the project repeats them.

use std::time::Duration;

use crate::base::comparator::{Comparator, GivenOrders, KeyOrder};
use crate::base::error::{Error, Result};
use crate::base::native_order::NativeOrder;

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
    /// [`NativeOrder`]. A comparator of your own must be given at every open.
    pub comparator: Option<Box<dyn Comparator>>,
    /// Comparators of your own that keyspaces were made with, found by name. Default: empty; [`NativeOrder`]s need not
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

/// The value of an option set by name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionValue<'a> {
    /// A truth value.
    Bool(bool),
    /// A count, or bytes.
    Integer(u64),
    /// Seconds.
    Seconds(f64),
    /// A word, such as a level's name.
    Text(&'a str),
}

impl std::fmt::Display for OptionValue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OptionValue::Bool(value) => write!(f, "{value}"),
            OptionValue::Integer(value) => write!(f, "{value}"),
            OptionValue::Seconds(value) => write!(f, "{value}"),
            OptionValue::Text(value) => write!(f, "{value:?}"),
        }
    }
}

/// One option as C, Python and Node see it.
pub struct OptionSpec {
    /// Name: the last part of the field's path.
    pub name: &'static str,
    /// Smallest allowed integer (seconds for a duration).
    pub min: u64,
    /// Largest allowed integer.
    pub max: u64,
    /// What kind of value it takes, in words.
    pub takes: &'static str,
    get: fn(&LightningDbConfig) -> Option<u64>,
    set: fn(&mut LightningDbConfig, OptionValue<'_>) -> Option<()>,
}

fn integer(value: OptionValue<'_>) -> Option<u64> {
    match value {
        OptionValue::Integer(value) => Some(value),
        _ => None,
    }
}

fn boolean(value: OptionValue<'_>) -> Option<bool> {
    match value {
        OptionValue::Bool(value) => Some(value),
        _ => None,
    }
}

fn duration(value: OptionValue<'_>) -> Option<Duration> {
    match value {
        OptionValue::Seconds(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        OptionValue::Integer(seconds) => Some(Duration::from_secs(seconds)),
        _ => None,
    }
}

fn level(value: OptionValue<'_>) -> Option<ConsistencyLevel> {
    let OptionValue::Text(text) = value else { return None };
    ConsistencyLevel::NAMES.iter().find(|(name, _)| *name == text).map(|(_, level)| *level)
}

fn comparator(value: OptionValue<'_>) -> Option<Option<Box<dyn Comparator>>> {
    let OptionValue::Text(name) = value else { return None };
    NativeOrder::named(name).map(|order| Some(Box::new(order) as _))
}

macro_rules! spec {
    ($name:literal, $min:expr, $max:expr, int $($field:ident).+) => {
        OptionSpec {
            name: $name, min: $min, max: $max, takes: "a whole number",
            get: |c| Some(c.$($field).+ as u64),
            set: |c, v| { c.$($field).+ = integer(v)?.try_into().ok()?; Some(()) },
        }
    };
    ($name:literal, $takes:literal, $convert:ident $($field:ident).+) => {
        OptionSpec {
            name: $name, min: 0, max: u64::MAX, takes: $takes,
            get: |_| None,
            set: |c, v| { c.$($field).+ = $convert(v)?; Some(()) },
        }
    };
}

/// Every option that can be given by name.
pub const OPTIONS: &[OptionSpec] = &[
    spec!("page_size", 512, 65_536, int page_size),
    spec!("cache_size", 1 << 20, isize::MAX as u64, int cache_size),
    OptionSpec {
        name: "mmap_size",
        min: 1 << 20,
        max: isize::MAX as u64,
        takes: "a whole number",
        get: |c| c.mmap_size,
        set: |c, v| {
            c.mmap_size = Some(integer(v)?);
            Some(())
        },
    },
    spec!("compression_enabled", "true or false", boolean compression_enabled),
    spec!("compression_type", 1, 3, int compression_type),
    spec!("compression_level", 1, 19, int compression_level),
    spec!("max_active_transactions", 1, 1_000_000, int max_active_transactions),
    spec!("use_optimized_transactions", "true or false", boolean use_optimized_transactions),
    spec!("prefetch_enabled", "true or false", boolean prefetch_enabled),
    spec!("prefetch_distance", 1, 1024, int prefetch_distance),
    spec!("prefetch_workers", 1, 64, int prefetch_workers),
    spec!("default_level", "strong, quorum or eventual", level consistency_config.default_level),
    spec!("sync_writes", "true or false", boolean consistency_config.sync_writes),
    OptionSpec {
        name: "checkpoint_interval",
        min: 1,
        max: 10 * 365 * 86_400,
        takes: "a number of seconds",
        get: |c| Some(c.consistency_config.checkpoint_interval.as_secs()),
        set: |c, v| {
            c.consistency_config.checkpoint_interval = duration(v)?;
            Some(())
        },
    },
    spec!("memtable_size", 64 << 10, 4 << 30, int lsm_config.memtable_size),
    spec!("level0_file_num_compaction_trigger", 1, 64, int lsm_config.level0_file_num_compaction_trigger),
    spec!("max_background_compactions", 1, 64, int lsm_config.max_background_compactions),
    spec!("upper_compression_type", 0, 3, int lsm_config.upper_compression_type),
    spec!("comparator", "bytewise, reverse-bytewise, unsigned, signed or decimal", comparator comparator),
];

impl LightningDbConfig {
    /// Sets an option by name. Errors: `InvalidArgument` for an unknown name or a wrong type; ranges
    /// are judged when the database is opened.
    ///
    /// ```
    /// use lightning_db::{LightningDbConfig, OptionValue};
    /// let mut config = LightningDbConfig::default();
    /// config.set("page_size", OptionValue::Integer(8192)).unwrap();
    /// assert!(config.set("page_sise", OptionValue::Integer(8192)).is_err());
    /// ```
    pub fn set(&mut self, name: &str, value: OptionValue<'_>) -> Result<()> {
        let Some(spec) = OPTIONS.iter().find(|spec| spec.name == name) else {
            let names: Vec<_> = OPTIONS.iter().map(|spec| spec.name).collect();
            return Err(Error::invalid(format!("unknown option {name:?}; known: {}", names.join(", "))));
        };
        (spec.set)(self, value)
            .ok_or_else(|| Error::invalid(format!("option {name} takes {}, not {value}", spec.takes)))
    }

    /// Refuses values out of range, naming the option.
    pub fn validate(&self) -> Result<()> {
        for spec in OPTIONS {
            let Some(value) = (spec.get)(self) else { continue };
            if value < spec.min || value > spec.max {
                let (name, min, max) = (spec.name, spec.min, spec.max);
                let allowed = if min == max { min.to_string() } else { format!("{min} to {max}") };
                return Err(Error::invalid(format!("option {name} is {value}: allowed is {allowed}")));
            }
        }
        if !self.page_size.is_power_of_two() {
            return Err(Error::invalid(format!(
                "option page_size is {}: not a power of two",
                self.page_size
            )));
        }
        Ok(())
    }

    /// Takes the orders of keys out of the configuration.
    pub(crate) fn take_orders(&mut self) -> GivenOrders {
        GivenOrders {
            default: self.comparator.take().map(KeyOrder::from),
            named: self.comparators.drain(..).map(KeyOrder::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_in_range() {
        LightningDbConfig::default().validate().unwrap();
    }

    #[test]
    fn every_integer_is_judged_by_its_range() {
        for spec in OPTIONS.iter().filter(|spec| spec.min > 0) {
            let mut config = LightningDbConfig::default();
            config.set(spec.name, OptionValue::Integer(spec.min - 1)).unwrap();
            let error = config.validate().unwrap_err();
            assert!(error.to_string().contains(spec.name), "{error}");
            config.set(spec.name, OptionValue::Integer(spec.min)).unwrap();
            config.validate().unwrap();
        }
    }

    #[test]
    fn wrong_types_name_the_option() {
        let mut config = LightningDbConfig::default();
        for spec in OPTIONS {
            let error = config.set(spec.name, OptionValue::Text("no such word")).unwrap_err();
            assert!(error.to_string().contains(spec.name), "{error}");
        }
    }

    #[test]
    fn the_comparator_option_takes_every_native_order() {
        let spec = OPTIONS.iter().find(|spec| spec.name == "comparator").unwrap();
        for order in NativeOrder::ALL {
            assert!(spec.takes.contains(order.name()));
            let mut config = LightningDbConfig::default();
            config.set("comparator", OptionValue::Text(order.name())).unwrap();
            assert_eq!(config.take_orders().default.unwrap().name(), order.name());
        }
    }

    #[test]
    fn levels_are_set_by_word() {
        let mut config = LightningDbConfig::default();
        config.set("default_level", OptionValue::Text("eventual")).unwrap();
        assert_eq!(config.consistency_config.default_level, ConsistencyLevel::Eventual);
    }
}
