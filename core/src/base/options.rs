//! Options by name: ranges, defaults and what they do. The faces derive theirs from this table.

use std::time::Duration;

use crate::base::comparator::Comparator;
use crate::base::config::{ConsistencyLevel, LightningDbConfig};
use crate::base::error::{Error, Result};
use crate::base::native_order::NativeOrder;

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
    /// The default, in words.
    pub default: &'static str,
    /// What it does, in words that also stand in the README's table.
    pub effect: &'static str,
    get: fn(&LightningDbConfig) -> Option<u64>,
    set: fn(&mut LightningDbConfig, OptionValue<'_>) -> Option<()>,
}

impl OptionSpec {
    /// What it does, takes and is if it is not set, in two sentences: what the references of the faces say of it.
    pub fn about(&self) -> String {
        let mut effect = self.effect.chars();
        let first = effect.next().map(|letter| letter.to_ascii_uppercase()).unwrap_or_default();
        let range = match self.max {
            u64::MAX => String::new(),
            max if max >= isize::MAX as u64 => format!(", {} or more", self.min),
            max => format!(", {} to {max}", self.min),
        };
        format!("{first}{}. Takes {}{range}; default: {}.", effect.as_str(), self.takes, self.default)
    }
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

/// Name, range or kind of value; default; effect; how it is read and set.
macro_rules! spec {
    ($name:literal: $min:expr, $max:expr; $default:literal; $effect:literal; int $($field:ident).+) => {
        OptionSpec {
            name: $name, min: $min, max: $max, takes: "a whole number", default: $default, effect: $effect,
            get: |c| Some(c.$($field).+ as u64),
            set: |c, v| { c.$($field).+ = integer(v)?.try_into().ok()?; Some(()) },
        }
    };
    ($name:literal: $takes:literal; $default:literal; $effect:literal; $convert:ident $($field:ident).+) => {
        OptionSpec {
            name: $name, min: 0, max: u64::MAX, takes: $takes, default: $default, effect: $effect,
            get: |_| None,
            set: |c, v| { c.$($field).+ = $convert(v)?; Some(()) },
        }
    };
}

/// Every option that can be given by name.
pub const OPTIONS: &[OptionSpec] = &[
    spec!(
        "page_size": 512, 65_536;
        "4096";
        "bytes at which a new page of a table is full, before compression";
        int page_size
    ),
    spec!(
        "cache_size": 1 << 20, isize::MAX as u64;
        "64 MiB";
        "bytes of table pages and of often read rows kept in memory; pages and rows share it as they earn";
        int cache_size
    ),
    OptionSpec {
        name: "mmap_size",
        min: 1 << 20,
        max: isize::MAX as u64,
        takes: "a whole number",
        default: "none",
        effect: "tables are read through read-only maps, the first ones in use, up to so many bytes of files; not part of `cache_size`",
        get: |c| c.mmap_size,
        set: |c, v| {
            c.mmap_size = Some(integer(v)?);
            Some(())
        },
    },
    spec!(
        "compression_enabled": "true or false";
        "true";
        "compress new pages where that saves an eighth or more";
        boolean compression_enabled
    ),
    spec!(
        "compression_type": 1, 3;
        "2";
        "codec of new pages of the deepest level: 1 Zstd, 2 LZ4, 3 Snappy; pages of every codec are always read";
        int compression_type
    ),
    spec!(
        "compression_level": 1, 19;
        "1";
        "how hard Zstd tries";
        int compression_level
    ),
    spec!(
        "max_active_transactions": 1, 1_000_000;
        "1000";
        "transactions open at once, of every kind";
        int max_active_transactions
    ),
    spec!(
        "use_optimized_transactions": "true or false";
        "true";
        "commits of transactions that meet share one log write and one sync; `false`: each has its own";
        boolean use_optimized_transactions
    ),
    spec!(
        "prefetch_enabled": "true or false";
        "true";
        "whether pages are read and decompressed ahead of a scan, on other threads";
        boolean prefetch_enabled
    ),
    spec!(
        "prefetch_distance": 1, 1024;
        "8";
        "pages that are read ahead of a scan";
        int prefetch_distance
    ),
    spec!(
        "prefetch_workers": 1, 64;
        "2";
        "threads that read ahead, started by the first scan that needs them";
        int prefetch_workers
    ),
    spec!(
        "default_level": "strong, quorum or eventual";
        "strong";
        "level of a write that names none";
        level consistency_config.default_level
    ),
    spec!(
        "sync_writes": "true or false";
        "true";
        "`false` turns a default level of `Strong` into `Quorum`; a level named at the call is kept";
        boolean consistency_config.sync_writes
    ),
    OptionSpec {
        name: "checkpoint_interval",
        min: 1,
        max: 10 * 365 * 86_400,
        takes: "a number of seconds",
        default: "60 s",
        effect: "oldest age of writes that are in the log only; bounds the replay at open",
        get: |c| Some(c.consistency_config.checkpoint_interval.as_secs()),
        set: |c, v| {
            c.consistency_config.checkpoint_interval = duration(v)?;
            Some(())
        },
    },
    spec!(
        "memtable_size": 64 << 10, 4 << 30;
        "64 MiB";
        "bytes of memtable before it is sealed and flushed; tables get half as large, 256 KiB to 32 MiB";
        int lsm_config.memtable_size
    ),
    spec!(
        "level0_file_num_compaction_trigger": 1, 64;
        "4";
        "tables in level 0 that start a compaction; above three times as many writes are slowed down, at five times they wait";
        int lsm_config.level0_file_num_compaction_trigger
    ),
    spec!(
        "max_background_compactions": 1, 64;
        "1";
        "compactions that may run at once, each in a thread of its own";
        int lsm_config.max_background_compactions
    ),
    spec!(
        "upper_compression_type": 0, 3;
        "2";
        "codec of new pages of the other levels: numbers of `compression_type`, and 0, which is none";
        int lsm_config.upper_compression_type
    ),
    spec!(
        "comparator": "bytewise, reverse-bytewise, unsigned, signed or decimal";
        "bytewise";
        "order of keys, checked by name at every open; one of these names need not be given again";
        comparator comparator
    ),
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
    fn the_default_in_words_is_the_one_in_force() {
        let usual = format!("{:?}", LightningDbConfig::default());
        for spec in OPTIONS.iter().filter(|spec| !["none", "bytewise"].contains(&spec.default)) {
            let mut words = spec.default.split(' ');
            let first = words.next().unwrap();
            let unit = words.next().map_or(1, |unit| if unit == "MiB" { 1 << 20 } else { 1 });
            let value = match first {
                "true" => OptionValue::Bool(true),
                number => {
                    number.parse().map_or(OptionValue::Text(number), |n: u64| OptionValue::Integer(n * unit))
                }
            };
            let mut config = LightningDbConfig::default();
            config.set(spec.name, value).unwrap();
            assert_eq!(format!("{config:?}"), usual, "{}", spec.name);
        }
    }

    #[test]
    fn an_option_is_told_in_sentences() {
        let about = |name| OPTIONS.iter().find(|spec| spec.name == name).unwrap().about();
        assert_eq!(
            about("compression_level"),
            "How hard Zstd tries. Takes a whole number, 1 to 19; default: 1."
        );
        assert!(about("cache_size").ends_with("Takes a whole number, 1048576 or more; default: 64 MiB."));
        assert!(about("sync_writes").ends_with("Takes true or false; default: true."));
    }

    #[test]
    fn levels_are_set_by_word() {
        let mut config = LightningDbConfig::default();
        config.set("default_level", OptionValue::Text("eventual")).unwrap();
        assert_eq!(config.consistency_config.default_level, ConsistencyLevel::Eventual);
    }
}
