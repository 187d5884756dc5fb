//! Figures about a database, by name.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{CString, c_char, c_int};
use std::ptr;
use std::sync::OnceLock;

use lightning_db_bindings::{Error, Figure, Result, Stats, figures};

use crate::arguments::{self, Out};
use crate::handles::{DATABASES, lightning_db_t};
use crate::{call, memory};

fn names() -> &'static [CString] {
    static NAMES: OnceLock<Vec<CString>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let names = figures(&Stats::default()).into_iter();
        names.map(|(name, _)| CString::new(name).unwrap_or_default()).collect()
    })
}

unsafe fn figure(db: *const lightning_db_t, name: *const c_char) -> Result<Figure> {
    // SAFETY: as the header says.
    let name = unsafe { arguments::text(name, "name of the figure") }?;
    let all = figures(&DATABASES.with(db, |store| store.database().stats())?);
    let known = || all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    match all.iter().find(|(known, _)| *known == name) {
        Some((_, figure)) => Ok(figure.clone()),
        None => Err(Error::invalid(format!("unknown figure {name:?}; known: {}", known()))),
    }
}

/// That a figure is asked for with the wrong call.
fn wrong_type(figure: &Figure) -> Error {
    let call = match figure {
        Figure::Count(_) => "_int",
        Figure::Ratio(_) => "_ratio",
        Figure::Counts(_) => "_list",
        Figure::Text(_) => "_text",
    };
    Error::invalid(format!("the figure has another type: ask lightning_db_stat{call} for it"))
}

/// Name of a figure by its number from 0; NULL behind the last one. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_stat_name(index: usize) -> *const c_char {
    names().get(index).map_or(ptr::null(), |name| name.as_ptr())
}

/// Sets `*value` to a count or number of bytes, such as `total_keys` (an estimate: a scan counts exactly) or
/// `total_size`; all figures stand on top of this file. On an error it is left alone: InvalidArgument (unknown name, another type), Closed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_stat_int(
    db: *mut lightning_db_t,
    name: *const c_char,
    value: *mut u64,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (value, figure) = unsafe { (Out::required(value, "figure")?, figure(db, name)?) };
        let Figure::Count(count) = figure else { return Err(wrong_type(&figure)) };
        value.set(count);
        Ok(())
    })
}

/// Sets `*value` to a number that is no count: `cache_hit_rate` (0 to 1), `write_stall_seconds`. Errors: as `lightning_db_stat_int`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_stat_ratio(
    db: *mut lightning_db_t,
    name: *const c_char,
    value: *mut f64,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (value, figure) = unsafe { (Out::required(value, "figure")?, figure(db, name)?) };
        let Figure::Ratio(ratio) = figure else { return Err(wrong_type(&figure)) };
        value.set(ratio);
        Ok(())
    })
}

/// Sets `*count` to how many counts there are, and the first of `values`, `capacity` at most, to them:
/// `tables_per_level`. `values` may be NULL if `capacity` is 0. Errors: as `lightning_db_stat_int`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_stat_list(
    db: *mut lightning_db_t,
    name: *const c_char,
    values: *mut u64,
    capacity: usize,
    count: *mut usize,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (count, figure) = unsafe { (Out::required(count, "number of counts")?, figure(db, name)?) };
        let Figure::Counts(counts) = figure else { return Err(wrong_type(&figure)) };
        if values.is_null() && capacity > 0 {
            return Err(Error::invalid("the place for the counts is NULL"));
        }
        for (index, &number) in counts.iter().take(capacity).enumerate() {
            // SAFETY: below `capacity`, for which there is room.
            unsafe { Out::optional(values.add(index)) }.set(number);
        }
        count.set(counts.len());
        Ok(())
    })
}

/// A figure of any type as a text, for `lightning_db_free_value`: "42", "0.97", "3 1 0", or a sentence
/// (`background_error`: what last went wrong in the background). NULL if it has none, and then
/// `lightning_db_last_error_code()` is 0; or on an error: as `lightning_db_stat_int`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_stat_text(db: *mut lightning_db_t, name: *const c_char) -> *mut c_char {
    call::optional(|| {
        // SAFETY: as the header says.
        let text = match unsafe { figure(db, name) }? {
            Figure::Count(count) => Some(count.to_string()),
            Figure::Ratio(ratio) => Some(ratio.to_string()),
            Figure::Counts(counts) => Some(counts.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")),
            Figure::Text(text) => text,
        };
        text.map(|text| memory::copy(text.as_bytes())).transpose()
    })
}
