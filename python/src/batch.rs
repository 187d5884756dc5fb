//! Batches: writes that are applied all or not at all.

use lightning_db_bindings::write::{How, add_delete, add_put, write};
use lightning_db_bindings::{Error, Exclusive, Result, Store, WriteBatch};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::bytes::{Key, Value};
use crate::error::{Outcome, guarded};
use crate::keyspace::{Keyspace, store_of};
use crate::options::{LevelName, how};

/// Writes that are applied all or not at all, in their order. Made by `batch()` of a database or a
/// keyspace; they go there, or to the keyspace that a write names.
///
/// `with` writes them at its end, or drops them if there was an exception, and closes the batch. They are held in
/// memory: at most 1 GiB. May be used from several threads.
#[pyclass(frozen, module = "lightning_db")]
pub struct Batch {
    store: Store,
    how: How,
    /// `None` while it is being written. The lock is held briefly, so that the interpreter's may be too.
    writes: Exclusive<Option<WriteBatch>>,
    owner: Py<PyAny>,
}

impl Batch {
    pub fn new(store: Store, owner: Py<PyAny>, how: How) -> Self {
        Batch { store, how, writes: Exclusive::new("batch", Some(WriteBatch::new())), owner }
    }

    #[inline]
    fn target<'a>(&'a self, keyspace: Option<&'a Bound<'_, Keyspace>>) -> Outcome<&'a Store> {
        keyspace.map_or(Ok(&self.store), |keyspace| Ok(store_of(keyspace)?))
    }

    fn with<T>(&self, call: impl FnOnce(&mut WriteBatch) -> Result<T>) -> Outcome<T> {
        Ok(self.writes.with(|writes| call(writes.as_mut().ok_or_else(busy)?))?)
    }

    /// Writes, and empties the batch; keeps it as it was if that fails.
    fn commit(&self, py: Python<'_>, how: How) -> Outcome<()> {
        let how = How { level: how.level.or(self.how.level), patience: how.patience.or(self.how.patience) };
        let mut writes = self.writes.with(|writes| writes.take().ok_or_else(busy))?;
        let written = py.detach(|| write(&self.store, &writes, how));
        if written.is_ok() {
            writes.clear();
        }
        // Closed in the meantime, it needs them no more.
        let _ = self.writes.with(|slot| Ok(slot.insert(writes).len()));
        Ok(written?)
    }
}

fn busy() -> Error {
    Error::invalid("another thread is writing this batch")
}

#[pymethods]
impl Batch {
    /// Adds a put, into `keyspace` if one is named. Errors: `InvalidArgumentError` if key, value or batch get too large,
    /// or the keyspace is of another database; `NotFoundError` if it has been dropped.
    #[pyo3(signature = (key, value, keyspace = None))]
    fn put(
        &self,
        key: Key<'_, '_>,
        value: Value<'_, '_>,
        keyspace: Option<&Bound<'_, Keyspace>>,
    ) -> PyResult<()> {
        guarded(|| {
            let store = self.target(keyspace)?;
            self.with(|writes| add_put(writes, store, &key, &value))
        })
    }

    /// Adds a delete, in `keyspace` if one is named; an absent key is no error. Fails as `put`.
    #[pyo3(signature = (key, keyspace = None))]
    fn delete(&self, key: Key<'_, '_>, keyspace: Option<&Bound<'_, Keyspace>>) -> PyResult<()> {
        guarded(|| {
            let store = self.target(keyspace)?;
            self.with(|writes| add_delete(writes, store, &key))
        })
    }

    fn __setitem__(&self, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        self.put(key, value, None)
    }

    fn __delitem__(&self, key: Key<'_, '_>) -> PyResult<()> {
        self.delete(key, None)
    }

    /// Number of writes.
    fn __len__(&self) -> PyResult<usize> {
        guarded(|| self.with(|writes| Ok(writes.len())))
    }

    /// Bytes of all keys and values.
    #[getter]
    fn size(&self) -> PyResult<usize> {
        guarded(|| self.with(|writes| Ok(writes.size())))
    }

    /// Forgets all writes.
    fn clear(&self) -> PyResult<()> {
        guarded(|| {
            self.with(|writes| {
                writes.clear();
                Ok(())
            })
        })
    }

    /// Writes all now. The batch is then empty and may be filled again; if it fails, it is as before.
    ///
    /// `consistency` and `timeout` come before those of `batch()`. Blocks as a write does. Errors: those of `Database.put`.
    #[pyo3(signature = (consistency = None, timeout = None))]
    fn write(
        &self,
        py: Python<'_>,
        consistency: Option<LevelName<'_>>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        guarded(|| self.commit(py, how(consistency, timeout)?))
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (kind: "object", error: "object", traceback: "object", /) -> "None")]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let _ = (error, traceback);
        guarded(|| {
            let written = if kind.is_none() && self.writes.is_open() {
                self.commit(py, How::default())
            } else {
                Ok(())
            };
            self.writes.take();
            written
        })
    }

    /// Drops what has not been written. Later calls raise `ClosedError`; closing again does nothing.
    fn close(&self) -> PyResult<()> {
        guarded(|| {
            self.writes.take();
            Ok(())
        })
    }

    /// Whether the batch, or its database, has been closed.
    #[getter]
    fn closed(&self) -> bool {
        !(self.writes.is_open() && self.store.database().is_open())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.owner)
    }
}
