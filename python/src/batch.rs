//! Batches: writes that are applied all or not at all.

use lightning_db_bindings::write::write;
use lightning_db_bindings::{ConsistencyLevel, Database, Error, Exclusive, Result, WriteBatch};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::bytes::{Key, Value};
use crate::error::{Outcome, guarded};
use crate::options::consistency;

/// Writes that are applied all or not at all, in their order. Made by `Database.batch()`.
///
/// `with` writes them at its end, or drops them if there was an exception, and closes the batch. They are held in
/// memory: at most 1 GiB. May be used from several threads.
#[pyclass(frozen, module = "lightning_db")]
pub struct Batch {
    db: Database,
    level: Option<ConsistencyLevel>,
    /// `None` while it is being written. The lock is held briefly, so that the interpreter's may be too.
    writes: Exclusive<Option<WriteBatch>>,
    owner: Py<PyAny>,
}

impl Batch {
    pub fn new(db: Database, owner: Py<PyAny>, level: Option<ConsistencyLevel>) -> Self {
        Batch { db, level, writes: Exclusive::new("batch", Some(WriteBatch::new())), owner }
    }

    fn with<T>(&self, call: impl FnOnce(&mut WriteBatch) -> Result<T>) -> Outcome<T> {
        Ok(self.writes.with(|writes| call(writes.as_mut().ok_or_else(busy)?))?)
    }

    /// Writes, and empties the batch; keeps it as it was if that fails.
    fn commit(&self, py: Python<'_>, level: Option<ConsistencyLevel>) -> Outcome<()> {
        let mut writes = self.writes.with(|writes| writes.take().ok_or_else(busy))?;
        let written = py.detach(|| write(&self.db, &writes, level.or(self.level)));
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
    /// Adds a put. Errors: `InvalidArgumentError` if key, value or batch get too large.
    fn put(&self, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        guarded(|| self.with(|writes| writes.put(&*key, &*value)))
    }

    /// Adds a delete; an absent key is no error.
    fn delete(&self, key: Key<'_, '_>) -> PyResult<()> {
        guarded(|| self.with(|writes| writes.delete(&*key)))
    }

    fn __setitem__(&self, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        self.put(key, value)
    }

    fn __delitem__(&self, key: Key<'_, '_>) -> PyResult<()> {
        self.delete(key)
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
    /// `consistency` comes before that of `batch()`. Blocks as a write does. Errors: those of `Database.put`.
    #[pyo3(signature = (consistency = None))]
    fn write(&self, py: Python<'_>, consistency: Option<&str>) -> PyResult<()> {
        guarded(|| self.commit(py, self::consistency(consistency)?))
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
            let written =
                if kind.is_none() && self.writes.is_open() { self.commit(py, None) } else { Ok(()) };
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
        !(self.writes.is_open() && self.db.is_open())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.owner)
    }
}
