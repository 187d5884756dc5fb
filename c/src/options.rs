//! Options by name, kept until a database is opened with them.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::{Comparator, Error, KeyspaceOptions, Opening, OptionValue, Result};

use crate::comparator::Order;
use crate::handles::{OPTIONS, lightning_db_options_t};
use crate::{arguments, call};

/// The settings, in the order in which they were made. A database takes its configuration away with it, these
/// stay.
#[derive(Default)]
pub struct Settings {
    pub named: Vec<(String, Setting)>,
    /// Orders of keys for keyspaces.
    pub orders: Vec<Order>,
}

impl Settings {
    /// The last value of an option counts. Gives what it replaces: an order must not be dropped under a lock.
    #[must_use]
    pub fn set(&mut self, name: &str, setting: Setting) -> Vec<(String, Setting)> {
        let before = self.named.extract_if(.., |(known, _)| known == name).collect();
        self.named.push((name.to_owned(), setting));
        before
    }
}

/// A value of its own.
pub enum Setting {
    Bool(bool),
    Integer(u64),
    Seconds(f64),
    Text(String),
    /// The option `comparator`, if it is the caller's own.
    Order(Order),
}

impl Setting {
    /// The engine's form; an order goes by its name, though the engine has none of it.
    fn value(&self) -> OptionValue<'_> {
        match self {
            Setting::Bool(value) => OptionValue::Bool(*value),
            Setting::Integer(value) => OptionValue::Integer(*value),
            Setting::Seconds(value) => OptionValue::Seconds(*value),
            Setting::Text(value) => OptionValue::Text(value),
            Setting::Order(order) => OptionValue::Text(order.name()),
        }
    }
}

/// How to open a database with these options; NULL are the defaults.
pub fn opening(options: *const lightning_db_options_t) -> Result<Opening> {
    let mut opening = Opening::new();
    if options.is_null() {
        return Ok(opening);
    }
    OPTIONS.with(options, |settings| {
        for (name, setting) in &settings.named {
            match setting {
                Setting::Order(order) => opening.comparator(Box::new(order.clone())),
                _ => opening.set(name, setting.value())?,
            }
        }
        settings.orders.iter().for_each(|order| opening.add_comparator(Box::new(order.clone())));
        Ok(opening)
    })
}

/// How to make a keyspace with these options; NULL are the defaults. Errors: `InvalidArgument`.
pub fn keyspace_options(options: *const lightning_db_options_t) -> Result<KeyspaceOptions> {
    let mut keyspace = KeyspaceOptions::default();
    if options.is_null() {
        return Ok(keyspace);
    }
    OPTIONS.with(options, |settings| {
        if let Some(order) = settings.orders.first() {
            let name = order.name();
            return Err(Error::invalid(format!(
                "comparator {name:?} was added for the keyspaces of a database: set it"
            )));
        }
        for (name, setting) in &settings.named {
            match setting {
                Setting::Order(order) => keyspace.comparator = Some(Box::new(order.clone())),
                _ => keyspace.set(name, setting.value())?,
            }
        }
        Ok(keyspace)
    })
}

unsafe fn set(
    options: *mut lightning_db_options_t,
    name: *const c_char,
    setting: impl FnOnce() -> Result<Setting>,
) -> c_int {
    let mut before = Vec::new();
    call::status(|| {
        // SAFETY: as the header says.
        let name = unsafe { arguments::text(name, "name of the option") }?;
        let setting = setting()?;
        Opening::new().set(name, setting.value())?;
        OPTIONS.with(options, |settings| {
            before = settings.set(name, setting);
            Ok(())
        })
    })
}

/// Options with their defaults, for `lightning_db_create`, `lightning_db_open` and the like, which only read them:
/// one object may open many databases. Freed by `lightning_db_options_free`. NULL on an error.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_options_new() -> *mut lightning_db_options_t {
    call::pointer(|| OPTIONS.insert(Settings::default()))
}

/// Sets an option that takes a whole number (all options stand on top of this file), such as `cache_size`.
/// Errors: InvalidArgument (unknown name, wrong type, negative number); ranges are judged when a database is
/// opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_options_set_int(
    options: *mut lightning_db_options_t,
    name: *const c_char,
    value: i64,
) -> c_int {
    let setting = || match u64::try_from(value) {
        Ok(value) => Ok(Setting::Integer(value)),
        Err(_) => Err(Error::invalid(format!("{value}: no option takes a negative number"))),
    };
    // SAFETY: as the header says.
    unsafe { set(options, name, setting) }
}

/// Sets an option that takes true or false, such as `compression_enabled`. Errors: as `lightning_db_options_set_int`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_options_set_bool(
    options: *mut lightning_db_options_t,
    name: *const c_char,
    value: bool,
) -> c_int {
    // SAFETY: as the header says.
    unsafe { set(options, name, || Ok(Setting::Bool(value))) }
}

/// Sets an option that takes seconds, such as `checkpoint_interval`. Errors: as `lightning_db_options_set_int`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_options_set_seconds(
    options: *mut lightning_db_options_t,
    name: *const c_char,
    value: f64,
) -> c_int {
    // SAFETY: as the header says.
    unsafe { set(options, name, || Ok(Setting::Seconds(value))) }
}

/// Sets an option that takes a word, such as `default_level`; or `mode`: "rwc" (make the database if there is
/// none), "rw" (it must exist) or "r" (for reads alone). Errors: as `lightning_db_options_set_int`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_options_set_text(
    options: *mut lightning_db_options_t,
    name: *const c_char,
    value: *const c_char,
) -> c_int {
    // SAFETY: as the header says.
    let setting = || unsafe { arguments::text(value, "value of the option") };
    // SAFETY: as the header says.
    unsafe { set(options, name, || Ok(Setting::Text(setting()?.to_owned()))) }
}

/// Frees the options. NULL is fine. Errors: Closed if they were freed before.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_options_free(options: *mut lightning_db_options_t) -> c_int {
    call::free(&OPTIONS, options)
}
