//! The database: what concerns the whole of it.

use std::ffi::OsString;
use std::path::Path;

use lightning_db_bindings::{self as engine, figures, memory, memory_stats, metrics};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::guarded;
use crate::options::opening;
use crate::reader::Reader;
use crate::store::Store;
use crate::upkeep::{compact, named};

/// The native half of `lightning_db.Database`.
#[pyclass(extends = Store, subclass, frozen, module = "lightning_db._native")]
pub struct Database {
    pub db: engine::Database,
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
            let reader = Reader::of_database(db.clone().into());
            Ok(PyClassInitializer::from(reader).add_subclass(Store).add_subclass(Database { db }))
        })
    }

    /// The names of all keyspaces, sorted; "default" is among them: its keys are those of the database. Errors:
    /// `ClosedError`.
    fn list_keyspaces(&self) -> PyResult<Vec<String>> {
        guarded(|| Ok(self.db.list_keyspaces()?))
    }

    /// Drops a keyspace with all that is in it, for all its handles: later calls on them raise `NotFoundError`, an
    /// iterator that runs goes on. What was committed before is durable then. Blocks for the disk, with the interpreter's lock
    /// released.
    ///
    /// Errors: `NotFoundError`, `InvalidArgumentError` for "default", `NoSpaceError`, `ReadOnlyError`, `HaltedError`,
    /// `ClosedError`, `IoError`.
    fn drop_keyspace(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        guarded(|| Ok(py.detach(|| self.db.drop_keyspace(name))?))
    }

    /// Writes all that is in memory to tables. Blocks until done, with the interpreter's lock released.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| Ok(py.detach(|| self.db.flush())?))
    }

    /// Merges all tables; `progress` is called with the fields of `CompactionProgress`.
    #[pyo3(signature = (progress: "Callable[[int, int, int], object] | None" = None))]
    fn _compact(&self, py: Python<'_>, progress: Option<Py<PyAny>>) -> PyResult<()> {
        guarded(|| compact(py, &self.db, progress.as_ref()))
    }

    /// Empties the cache of pages and rows.
    fn clear_cache(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| Ok(py.detach(|| self.db.clear_cache())?))
    }

    /// Figures by name.
    #[pyo3(signature = () -> "Stats")]
    fn _stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| named(py, figures(&py.detach(|| self.db.stats())?)))
    }

    /// Figures by name.
    #[pyo3(signature = () -> "Metrics")]
    fn _metrics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| named(py, metrics(&py.detach(|| self.db.get_metrics())?)))
    }

    /// Figures by name.
    #[pyo3(signature = () -> "MemoryStats")]
    fn _memory_stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        guarded(|| {
            let stats = py.detach(|| memory_stats(&self.db))?;
            named(py, memory(&stats))
        })
    }

    /// Metrics as text, with labels.
    fn _prometheus(&self, py: Python<'_>, labels: Vec<(String, String)>) -> PyResult<String> {
        guarded(|| {
            let labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            Ok(py.detach(|| Ok::<_, engine::Error>(self.db.get_metrics()?.prometheus_with(&labels)))?)
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
}

/// Restores a backup to a folder that is absent or empty.
#[pyo3::pyfunction]
pub fn restore(py: Python<'_>, source: OsString, target: OsString) -> PyResult<()> {
    guarded(|| Ok(py.detach(|| engine::restore(Path::new(&source), Path::new(&target)))?))
}
