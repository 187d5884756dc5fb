//! Metrics and memory, by name: all figures of one instant in one object.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::sync::OnceLock;

use lightning_db_bindings::{
    Error, Figure, MemoryStats, Metrics, Result, memory as memory_figures, memory_stats, metrics,
};

use crate::arguments::{self, Out};
use crate::handles::{DATABASES, FIGURES, lightning_db_figures_t, lightning_db_t};
use crate::{call, memory};

/// Figures and their names.
pub type Figures = Vec<(&'static str, Figure)>;

/// The static text of a figure's name.
fn text_of(name: &str) -> Option<&'static CStr> {
    static NAMES: OnceLock<Vec<CString>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let all = metrics(&Metrics::default()).into_iter().chain(memory_figures(&MemoryStats::default()));
        all.map(|(name, _)| CString::new(name).unwrap_or_default()).collect()
    });
    names.iter().map(CString::as_c_str).find(|known| known.to_bytes() == name.as_bytes())
}

unsafe fn figure(figures: *const lightning_db_figures_t, name: *const c_char) -> Result<Figure> {
    // SAFETY: as the header says.
    let name = unsafe { arguments::text(name, "name of the figure") }?;
    FIGURES.with(figures, |all| match all.iter().find(|(known, _)| *known == name) {
        Some((_, figure)) => Ok(figure.clone()),
        None => {
            let known: Vec<_> = all.iter().map(|(name, _)| *name).collect();
            Err(Error::invalid(format!("unknown figure {name:?}; known: {}", known.join(", "))))
        }
    })
}

/// Counts, rates and latencies of the database since it was opened, all of one instant, for
/// `lightning_db_figures_free`: `reads`, `writes`, `read_ops_per_sec`, `avg_read_latency_us` and so on, which stand on
/// top of this file; `lightning_db_figures_name` tells them all. Cheap enough to be asked every second. NULL on an error: Closed.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_metrics(db: *mut lightning_db_t) -> *mut lightning_db_figures_t {
    call::pointer(|| FIGURES.insert(metrics(&DATABASES.with(db, |store| store.database().get_metrics())?)))
}

/// What the database keeps in memory, in bytes: `total_bytes`, `cache_bytes`, `index_bytes`, `memtable_bytes` and
/// so on. Else as `lightning_db_metrics`.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_memory_stats(db: *mut lightning_db_t) -> *mut lightning_db_figures_t {
    call::pointer(|| {
        let stats = DATABASES.with(db, |store| memory_stats(store.database()))?;
        FIGURES.insert(memory_figures(&stats))
    })
}

/// Name of a figure by its number from 0; NULL behind the last one, and then `lightning_db_last_error_code()` is 0;
/// or on an error: Closed. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_figures_name(
    figures: *mut lightning_db_figures_t,
    index: usize,
) -> *const c_char {
    let name = call::optional(|| {
        let name = FIGURES.with(figures, |all| Ok(all.get(index).map(|(name, _)| *name)))?;
        Ok(name.and_then(text_of).map(|name| name.as_ptr().cast_mut()))
    });
    if name.is_null() { ptr::null() } else { name.cast_const() }
}

/// Sets `*value` to a count or number of bytes. On an error it is left alone: InvalidArgument (unknown name, a
/// figure that is no count), Closed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_figures_int(
    figures: *mut lightning_db_figures_t,
    name: *const c_char,
    value: *mut u64,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (value, figure) = unsafe { (Out::required(value, "figure")?, figure(figures, name)?) };
        let Figure::Count(count) = figure else {
            let message = "the figure is no whole number: ask lightning_db_figures_number for it";
            return Err(Error::invalid(message));
        };
        value.set(count);
        Ok(())
    })
}

/// Sets `*value` to a figure of any kind: a count, a rate, a share, a time. On an error it is left alone:
/// InvalidArgument (unknown name), Closed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_figures_number(
    figures: *mut lightning_db_figures_t,
    name: *const c_char,
    value: *mut f64,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (value, figure) = unsafe { (Out::required(value, "figure")?, figure(figures, name)?) };
        value.set(match figure {
            Figure::Count(count) => count as f64,
            Figure::Ratio(number) => number,
            Figure::Counts(_) | Figure::Text(_) => return Err(Error::invalid("the figure is no number")),
        });
        Ok(())
    })
}

/// Frees the figures. NULL is fine. Errors: Closed if they were freed before.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_figures_free(figures: *mut lightning_db_figures_t) -> c_int {
    call::free(&FIGURES, figures)
}

/// All metrics as a text that Prometheus reads, for `lightning_db_free_value`. NULL on an error: Closed,
/// OutOfMemory.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_prometheus(db: *mut lightning_db_t) -> *mut c_char {
    call::pointer(|| {
        let metrics = DATABASES.with(db, |store| store.database().get_metrics())?;
        memory::copy(metrics.prometheus().as_bytes())
    })
}
