//! Snapshots.

use std::sync::Arc;

use lightning_db_bindings::{self as engine, Handle};
use pyo3::prelude::*;

use crate::db::Database;
use crate::error::guarded;
use crate::reader::{From, Reader};

/// The native half of `lightning_db.Snapshot`.
#[pyclass(extends = Reader, subclass, frozen, module = "lightning_db._native")]
pub struct Snapshot {
    handle: Arc<Handle<engine::Snapshot>>,
}

#[pymethods]
impl Snapshot {
    #[new]
    fn new(py: Python<'_>, db: &Bound<'_, Database>) -> PyResult<PyClassInitializer<Self>> {
        guarded(|| {
            let engine = &db.get().db;
            let handle = Arc::new(Handle::new("snapshot", py.detach(|| engine.snapshot())?));
            let owner = db.clone().into_any().unbind();
            let reader = Reader::of_handle(engine.clone(), From::Snapshot(Arc::clone(&handle)), owner);
            Ok(PyClassInitializer::from(reader).add_subclass(Snapshot { handle }))
        })
    }

    /// Releases the snapshot. Later calls raise `ClosedError`; closing again does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| {
            py.detach(|| drop(self.handle.take()));
            Ok(())
        })
    }
}
