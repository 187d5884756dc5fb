//! Options by name, kept until a database is opened with them.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::{Error, Opening, OptionValue, Result};

use crate::handles::{OPTIONS, lightning_db_options_t};
use crate::{arguments, call};

/// The settings, in the order in which they were made. A database takes its configuration away with it, these
/// stay.
pub type Settings = Vec<(String, Setting)>;

/// A value of its own.
pub enum Setting {
    Bool(bool),
    Integer(u64),
    Seconds(f64),
    Text(String),
}

impl Setting {
    fn value(&self) -> OptionValue<'_> {
        match self {
            Setting::Bool(value) => OptionValue::Bool(*value),
            Setting::Integer(value) => OptionValue::Integer(*value),
            Setting::Seconds(value) => OptionValue::Seconds(*value),
            Setting::Text(value) => OptionValue::Text(value),
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
        settings.iter().try_for_each(|(name, setting)| opening.set(name, setting.value()))
    })?;
    Ok(opening)
}

unsafe fn set(
    options: *mut lightning_db_options_t,
    name: *const c_char,
    setting: impl FnOnce() -> Result<Setting>,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let name = unsafe { arguments::text(name, "name of the option") }?;
        let setting = setting()?;
        Opening::new().set(name, setting.value())?;
        OPTIONS.with(options, |settings| {
            settings.retain(|(known, _)| known != name);
            settings.push((name.to_owned(), setting));
            Ok(())
        })
    })
}

/// Options with their defaults, for `lightning_db_create` and `lightning_db_open`, which only read them: one
/// object may open many databases. Freed by `lightning_db_options_free`. NULL on an error.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_options_new() -> *mut lightning_db_options_t {
    call::pointer(|| OPTIONS.insert(Settings::new()))
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
/// none) or "rw" (it must exist). Errors: as `lightning_db_options_set_int`.
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
