//! Snapshots.

use std::sync::Arc;

use lightning_db_bindings::{self as engine, View};
use pyo3::prelude::*;

use crate::error::guarded;
use crate::keyspace::keyspace;
use crate::reader::{From, Reader};
use crate::store::Store;

/// The native half of `lightning_db.Snapshot`.
#[pyclass(extends = Reader, subclass, frozen, module = "lightning_db._native")]
pub struct Snapshot {
    view: Arc<View<engine::Snapshot>>,
}

impl Snapshot {
    fn with(reader: &Reader, view: View<engine::Snapshot>, owner: Py<PyAny>) -> PyClassInitializer<Self> {
        let view = Arc::new(view);
        let reader = Reader::of_handle(reader.whole(), From::Snapshot(Arc::clone(&view)), owner);
        PyClassInitializer::from(reader).add_subclass(Snapshot { view })
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
                Ok(Self::with(reader, View::of_snapshot(taken), store.clone().into_any().unbind()))
            }
            Some(of) => {
                let view = of.get().view.through(&keyspace(store)?)?;
                Ok(Self::with(of.as_super().get(), view, of.clone().into_any().unbind()))
            }
        })
    }

    /// Releases the snapshot, in all keyspaces; one made by `keyspace()` is closed alone. Later calls raise `ClosedError`;
    /// iterators that were made go on. Closing again does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| {
            py.detach(|| self.view.close());
            Ok(())
        })
    }
}
