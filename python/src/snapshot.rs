//! Snapshots.

use std::sync::Arc;

use lightning_db_bindings::{self as engine, Handle, Within};
use pyo3::prelude::*;

use crate::error::guarded;
use crate::keyspace::keyspace;
use crate::reader::{From, Reader};
use crate::store::Store;

/// The native half of `lightning_db.Snapshot`.
#[pyclass(extends = Reader, subclass, frozen, module = "lightning_db._native")]
pub struct Snapshot {
    handle: Arc<Handle<Within<engine::Snapshot>>>,
}

impl Snapshot {
    fn with(reader: &Reader, within: Within<engine::Snapshot>, owner: Py<PyAny>) -> PyClassInitializer<Self> {
        let handle = Arc::new(Handle::new("snapshot", within));
        let reader = Reader::of_handle(reader.whole(), From::Snapshot(Arc::clone(&handle)), owner);
        PyClassInitializer::from(reader).add_subclass(Snapshot { handle })
    }
}

#[pymethods]
impl Snapshot {
    /// A new one of `store`, or the one of `part_of` through the keyspace `store`.
    #[new]
    #[pyo3(signature = (store, part_of = None))]
    fn new(
        py: Python<'_>,
        store: &Bound<'_, Store>,
        part_of: Option<&Bound<'_, Snapshot>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        guarded(|| match part_of {
            None => {
                let reader = store.as_super().get();
                let taken = py.detach(|| reader.store()?.snapshot())?;
                Ok(Self::with(reader, taken, store.clone().into_any().unbind()))
            }
            Some(of) => {
                let within = of.get().handle.get()?.through(&keyspace(store)?);
                Ok(Self::with(of.as_super().get(), within, of.clone().into_any().unbind()))
            }
        })
    }

    /// Releases the snapshot; parts of it through keyspaces that were made before go on. Later calls raise
    /// `ClosedError`; closing again does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| {
            py.detach(|| drop(self.handle.take()));
            Ok(())
        })
    }
}
