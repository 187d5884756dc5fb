//! Compaction that tells how far it is, and figures by name.

use lightning_db_bindings::{self as engine, Figure};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::error::{Failure, Outcome};

/// Merges all tables, telling `progress`. An exception in it ends the compaction, and comes through.
pub fn compact(py: Python<'_>, db: &engine::Database, progress: Option<&Py<PyAny>>) -> Outcome<()> {
    let mut raised = None;
    let done = py.detach(|| {
        engine::compact(db, |so_far| {
            Python::attach(|py| tell(py, progress, so_far)).unwrap_or_else(|error| {
                raised = Some(error);
                false
            })
        })
    });
    match raised {
        Some(error) => Err(Failure::Python(error)),
        None => Ok(done?),
    }
}

/// Lets signals through, and asks the callback whether to go on: false, and nothing else, is no.
fn tell(py: Python<'_>, progress: Option<&Py<PyAny>>, so_far: engine::CompactionProgress) -> PyResult<bool> {
    py.check_signals()?;
    let Some(progress) = progress else { return Ok(true) };
    let answer = progress.bind(py).call1((so_far.bytes_done, so_far.bytes_in, so_far.tables))?;
    Ok(answer.cast::<PyBool>().map_or(true, |answer| answer.is_true()))
}

/// A dict of figures.
pub fn named<'py>(py: Python<'py>, figures: Vec<(&'static str, Figure)>) -> Outcome<Bound<'py, PyDict>> {
    let named = PyDict::new(py);
    for (name, figure) in figures {
        match figure {
            Figure::Count(count) => named.set_item(name, count)?,
            Figure::Ratio(ratio) => named.set_item(name, ratio)?,
            Figure::Counts(counts) => named.set_item(name, counts)?,
            Figure::Text(text) => named.set_item(name, text)?,
        }
    }
    Ok(named)
}
