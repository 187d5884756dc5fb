//! What a keyspace is made with.

use crate::base::comparator::Comparator;
use crate::base::config::LightningDbConfig;
use crate::base::error::{Error, Result};
use crate::base::options::OptionValue;

/// Most bytes of a keyspace's name.
const MAX_NAME_LEN: usize = 255;

/// Options of a keyspace. They are stored in the database when it is made, and hold for its life.
///
/// ```
/// use lightning_db::{KeyspaceOptions, NativeOrder};
/// let options = KeyspaceOptions { page_size: Some(512), ..Default::default() };
/// assert!(options.comparator.is_none());
/// ```
#[derive(Default)]
pub struct KeyspaceOptions {
    /// Order of keys. Default: bytewise. One of your own must be given at every open, among
    /// [`LightningDbConfig::comparators`].
    pub comparator: Option<Box<dyn Comparator>>,
    /// As [`LightningDbConfig::page_size`]. Default: what the database is configured with when the keyspace is made.
    pub page_size: Option<usize>,
    /// As [`LightningDbConfig::compression_type`], or 0 for raw pages on all levels. Default: what the database is
    /// configured with when the keyspace is made. Levels above the deepest one follow `upper_compression_type`.
    pub compression_type: Option<u8>,
    /// As [`LightningDbConfig::compression_level`]. Default: what the database is configured with when the keyspace is
    /// made.
    pub compression_level: Option<i32>,
}

impl KeyspaceOptions {
    /// Sets an option by name, as [`LightningDbConfig::set`] does. Errors: `InvalidArgument` for one that a keyspace
    /// does not have, or a wrong type.
    pub fn set(&mut self, name: &str, value: OptionValue<'_>) -> Result<()> {
        let mut config = LightningDbConfig::default();
        config.set(name, value)?;
        match name {
            "comparator" => self.comparator = config.comparator,
            "page_size" => self.page_size = Some(config.page_size),
            "compression_type" => self.compression_type = Some(config.compression_type),
            "compression_level" => self.compression_level = Some(config.compression_level),
            _ => {
                return Err(Error::invalid(format!("option {name} is one of databases, not of keyspaces")));
            }
        }
        Ok(())
    }

    /// Refuses values out of range, naming the option: the ranges are those of the database's options.
    pub(crate) fn validate(&self) -> Result<()> {
        let mut config = LightningDbConfig::default();
        config.page_size = self.page_size.unwrap_or(config.page_size);
        config.compression_level = self.compression_level.unwrap_or(config.compression_level);
        if let Some(codec) = self.compression_type.filter(|codec| *codec != 0) {
            config.compression_type = codec;
        }
        config.validate()
    }
}

impl std::fmt::Debug for KeyspaceOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let order = self.comparator.as_ref().map(|comparator| comparator.name());
        f.debug_struct("KeyspaceOptions")
            .field("comparator", &order)
            .field("page_size", &self.page_size)
            .field("compression_type", &self.compression_type)
            .field("compression_level", &self.compression_level)
            .finish()
    }
}

/// Refuses a name that a new keyspace cannot have.
pub fn check_name(name: &str) -> Result<()> {
    match name.len() {
        1..=MAX_NAME_LEN => Ok(()),
        len => {
            Err(Error::invalid(format!("a keyspace's name of {len} bytes: 1 to {MAX_NAME_LEN} are allowed")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_set_by_name_and_judged_by_range() {
        let mut options = KeyspaceOptions::default();
        options.set("comparator", OptionValue::Text("decimal")).unwrap();
        assert_eq!(options.comparator.as_ref().unwrap().name(), "decimal");
        for (name, good, bad) in
            [("page_size", 512, 513), ("compression_type", 0, 4), ("compression_level", 19, 20)]
        {
            options.set(name, OptionValue::Integer(bad)).unwrap();
            assert!(options.validate().unwrap_err().to_string().contains(name));
            options.set(name, OptionValue::Integer(good)).unwrap();
            options.validate().unwrap();
        }
        let error = options.set("cache_size", OptionValue::Integer(1 << 20)).unwrap_err();
        assert!(error.to_string().contains("cache_size"), "{error}");
    }

    #[test]
    fn names_have_1_to_255_bytes() {
        for (len, fits) in [(0, false), (1, true), (255, true), (256, false)] {
            assert_eq!(check_name(&"x".repeat(len)).is_ok(), fits, "{len}");
        }
    }
}
