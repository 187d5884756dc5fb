//! The database: opening, writes and upkeep.

use std::ffi::OsString;
use std::path::Path;

use lightning_db_bindings::{self as engine, ErrorKind, Figure, WriteBatch, closed, figures, write};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::Batch;
use crate::bounds::keywords;
use crate::bytes::{Key, Value};
use crate::error::{Outcome, guarded};
use crate::options::{consistency, opening};
use crate::reader::{Reader, missing};
use crate::writes::{deletes, puts};

/// The native half of `lightning_db.Database`.
#[pyclass(extends = Reader, subclass, frozen, module = "lightning_db._native")]
pub struct Database {
    pub db: engine::Database,
}

impl Database {
    fn write(&self, py: Python<'_>, batch: &WriteBatch, level: Option<&str>) -> Outcome<()> {
        let level = consistency(level)?;
        Ok(py.detach(|| write::write(&self.db, batch, level))?)
    }

    #[inline]
    fn put_with(&self, py: Python<'_>, key: &[u8], value: &[u8], level: Option<&str>) -> Outcome<()> {
        let level = consistency(level)?;
        Ok(py.detach(|| write::put(&self.db, key, value, level))?)
    }

    fn delete_with(&self, py: Python<'_>, key: &[u8], level: Option<&str>) -> Outcome<()> {
        let level = consistency(level)?;
        Ok(py.detach(|| write::delete(&self.db, key, level))?)
    }
}

#[pymethods]
impl Database {
    #[new]
    #[pyo3(signature = (path, mode = "rwc", **options: "Any"))]
    fn new(
        py: Python<'_>,
        path: OsString,
        mode: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        guarded(|| {
            let opening = opening(mode, options)?;
            let db = py.detach(|| opening.open(Path::new(&path)))?;
            let reader = Reader::of_database(db.clone());
            Ok(PyClassInitializer::from(reader).add_subclass(Database { db }))
        })
    }

    /// Puts a value.
    ///
    /// `consistency` says how far the write has got when the call returns: "strong" (on stable storage), "quorum"
    /// (with the operating system), "eventual" (in memory); `None` is the default of the database. Key: up to 65,535
    /// bytes. Value: up to 1 GiB. Blocks for the disk at "strong" and while flush is far behind, with the
    /// interpreter's lock released.
    ///
    /// Errors: `InvalidArgumentError` (too long), `NoSpaceError`, `HaltedError`, `ClosedError`, `IoError`.
    #[pyo3(signature = (key, value, consistency = None))]
    fn put(
        &self,
        py: Python<'_>,
        key: Key<'_, '_>,
        value: Value<'_, '_>,
        consistency: Option<&str>,
    ) -> PyResult<()> {
        guarded(|| self.put_with(py, &key, &value, consistency))
    }

    #[inline]
    fn __setitem__(&self, py: Python<'_>, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        guarded(|| self.put_with(py, &key, &value, None))
    }

    /// Deletes a key; an absent one is no error. Blocks and fails as `put`.
    #[pyo3(signature = (key, consistency = None))]
    fn delete(&self, py: Python<'_>, key: Key<'_, '_>, consistency: Option<&str>) -> PyResult<()> {
        guarded(|| self.delete_with(py, &key, consistency))
    }

    fn __delitem__(slf: &Bound<'_, Self>, key: Key<'_, '_>) -> PyResult<()> {
        guarded(|| match slf.as_super().get().contains(slf.py(), &key)? {
            true => slf.get().delete_with(slf.py(), &key, None),
            false => Err(missing(&key)),
        })
    }

    /// Puts all entries of a mapping or of an iterable of pairs, all or none. Blocks and fails as `put`.
    #[pyo3(signature = (
        items: "SupportsKeysAndGetItem[_K, Buffer] | Iterable[tuple[Buffer, Buffer]]",
        consistency = None,
    ) -> "None")]
    fn put_many(&self, py: Python<'_>, items: &Bound<'_, PyAny>, consistency: Option<&str>) -> PyResult<()> {
        guarded(|| self.write(py, &puts(items)?, consistency))
    }

    /// Deletes several keys, all or none; absent ones are no error. Blocks and fails as `put`.
    #[pyo3(signature = (keys: "Iterable[Buffer]", consistency = None) -> "None")]
    fn delete_many(
        &self,
        py: Python<'_>,
        keys: &Bound<'_, PyAny>,
        consistency: Option<&str>,
    ) -> PyResult<()> {
        guarded(|| self.write(py, &deletes(keys)?, consistency))
    }

    #[pyo3(signature = (start: "Buffer | None" = None, stop: "Buffer | None" = None, /, **bounds: "Any"))]
    fn _count(
        slf: &Bound<'_, Self>,
        start: Option<&Bound<'_, PyAny>>,
        stop: Option<&Bound<'_, PyAny>>,
        bounds: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<usize> {
        guarded(|| slf.as_super().get().count(slf.py(), keywords(start, stop, bounds)?))
    }

    /// An empty batch, to be filled and then written as one.
    ///
    /// `consistency`: the level at which it is written.
    #[pyo3(signature = (consistency = None))]
    fn batch(slf: &Bound<'_, Self>, consistency: Option<&str>) -> PyResult<Batch> {
        guarded(|| {
            let level = self::consistency(consistency)?;
            if !slf.get().db.is_open() {
                return Err(closed("database").into());
            }
            Ok(Batch::new(slf.get().db.clone(), slf.clone().into_any().unbind(), level))
        })
    }

    /// Writes all that is in memory to tables. Blocks until done, with the interpreter's lock released.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| Ok(py.detach(|| self.db.flush())?))
    }

    /// Merges all tables into one level, without what nobody can see any more. Blocks until done, with the
    /// interpreter's lock released; others read and write on. Needs room for a second copy of the data.
    fn compact(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| Ok(py.detach(|| self.db.compact_lsm())?))
    }

    /// Empties the cache of pages and rows.
    fn clear_cache(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| Ok(py.detach(|| self.db.clear_cache())?))
    }

    /// Figures by name.
    #[pyo3(signature = () -> "Stats")]
    fn _stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| {
            let stats = py.detach(|| self.db.stats())?;
            let named = PyDict::new(py);
            for (name, figure) in figures(&stats) {
                match figure {
                    Figure::Count(count) => named.set_item(name, count)?,
                    Figure::Ratio(ratio) => named.set_item(name, ratio)?,
                    Figure::Counts(counts) => named.set_item(name, counts)?,
                    Figure::Text(text) => named.set_item(name, text)?,
                }
            }
            Ok(named)
        })
    }

    /// Copies all that is committed into a folder that is absent or empty.
    fn _backup(&self, py: Python<'_>, target: OsString) -> PyResult<()> {
        guarded(|| Ok(py.detach(|| engine::backup(&self.db, Path::new(&target)))?))
    }

    /// Closes the database for all its handles: later calls on them raise `ClosedError`.
    ///
    /// Waits for running commits and background work, writes what is in memory and releases the folder, with the
    /// interpreter's lock released. Closing again does nothing. Errors: the failure that halted the database, or one
    /// of the last writes; the folder is released all the same.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| Ok(py.detach(|| self.db.close())?))
    }

    /// Never closes the database when the last handle goes: in a child process it is the parent's.
    fn _abandon(&self) {
        std::mem::forget(self.db.clone());
    }

    /// Seconds to wait before a transaction that lost is tried again; `None`: not at all.
    fn _pause_before_retry(&self, attempt: u32, code: u8) -> PyResult<Option<f64>> {
        guarded(|| {
            let kind = ErrorKind::from_code(code).unwrap_or(ErrorKind::Internal);
            let pause = self.db.pause_before_retry(attempt, kind);
            Ok(pause.map(|pause| pause.as_secs_f64()))
        })
    }
}

/// Restores a backup to a folder that is absent or empty.
#[pyo3::pyfunction]
pub fn restore(py: Python<'_>, source: OsString, target: OsString) -> PyResult<()> {
    guarded(|| Ok(py.detach(|| engine::restore(Path::new(&source), Path::new(&target)))?))
}
