//! Loading sorted entries.

use lightning_db_bindings::{Ingest, Store};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMapping};

use crate::error::Outcome;
use crate::writes::entry;

/// Entries, and about how many bytes, that are handed over at a time, without the interpreter's lock.
const CHUNK: usize = 1024;
const CHUNK_BYTES: usize = 1 << 20;

/// Loads all entries of an iterable or a mapping; if it or the load fails, none of them. Their number.
pub fn ingest(py: Python<'_>, store: &Store, entries: &Bound<'_, PyAny>) -> Outcome<u64> {
    let entries = match entries.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.try_iter()?,
        Err(_) => entries.try_iter()?,
    };
    let mut ingest = py.detach(|| store.ingest())?;
    match add_all(py, &mut ingest, entries) {
        Ok(()) => Ok(py.detach(|| ingest.finish())?.entries),
        Err(error) => {
            py.detach(|| drop(ingest));
            Err(error)
        }
    }
}

fn add_all<'py>(
    py: Python<'py>,
    ingest: &mut Ingest,
    entries: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>,
) -> Outcome<()> {
    let (mut chunk, mut bytes) = (Vec::with_capacity(CHUNK), 0);
    for pair in entries {
        let (key, value) = entry(pair?)?;
        bytes += key.as_bytes().len() + value.as_bytes().len();
        chunk.push((key, value));
        if chunk.len() == CHUNK || bytes >= CHUNK_BYTES {
            add(py, ingest, &chunk)?;
            chunk.clear();
            bytes = 0;
        }
    }
    add(py, ingest, &chunk)
}

fn add<'py>(
    py: Python<'py>,
    ingest: &mut Ingest,
    chunk: &[(Bound<'py, PyBytes>, Bound<'py, PyBytes>)],
) -> Outcome<()> {
    let entries: Vec<_> = chunk.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())).collect();
    py.detach(|| entries.iter().try_for_each(|(key, value)| ingest.add(key, value)))?;
    Ok(py.check_signals()?)
}
