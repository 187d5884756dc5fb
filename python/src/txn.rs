//! Transactions.

use std::sync::Arc;

use lightning_db_bindings::{self as engine, View, isolation};
use pyo3::prelude::*;

use crate::bytes::{Key, Value};
use crate::error::guarded;
use crate::keyspace::keyspace;
use crate::options::{LevelName, consistency};
use crate::reader::{From, Reader, missing};
use crate::store::Store;

/// The native half of `lightning_db.Transaction`.
#[pyclass(extends = Reader, subclass, frozen, module = "lightning_db._native")]
pub struct Transaction {
    view: Arc<View<engine::Transaction>>,
}

impl Transaction {
    fn with(reader: &Reader, view: View<engine::Transaction>, owner: Py<PyAny>) -> PyClassInitializer<Self> {
        let view = Arc::new(view);
        let reader = Reader::of_handle(reader.whole(), From::Transaction(Arc::clone(&view)), owner);
        PyClassInitializer::from(reader).add_subclass(Transaction { view })
    }
}

#[pymethods]
impl Transaction {
    /// A new one of `store`, or the one of `part_of` through the keyspace `store`.
    #[new]
    #[pyo3(signature = (store, isolation = "serializable", part_of = None))]
    fn new(
        py: Python<'_>,
        store: &Bound<'_, Store>,
        isolation: &str,
        part_of: Option<&Bound<'_, Transaction>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        guarded(|| match part_of {
            None => {
                let level = self::isolation(isolation)?;
                let reader = store.as_super().get();
                let engine = reader.store()?;
                let begun = py.detach(|| engine.transaction(level))?;
                let view = View::of_transaction(begun);
                Ok(Self::with(reader, view, store.clone().into_any().unbind()))
            }
            Some(of) => {
                let view = of.get().view.through(&keyspace(store)?)?;
                Ok(Self::with(of.as_super().get(), view, of.clone().into_any().unbind()))
            }
        })
    }

    /// Puts a value, for this transaction to see at once and for all others when it commits.
    fn put(&self, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        guarded(|| Ok(self.view.get()?.put(&key, &value)?))
    }

    /// Deletes a key; an absent one is no error.
    fn delete(&self, key: Key<'_, '_>) -> PyResult<()> {
        guarded(|| Ok(self.view.get()?.delete(&key)?))
    }

    fn __setitem__(&self, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        self.put(key, value)
    }

    fn __delitem__(slf: &Bound<'_, Self>, key: Key<'_, '_>) -> PyResult<()> {
        guarded(|| match slf.as_super().get().contains(slf.py(), &key)? {
            true => Ok(slf.get().view.get()?.delete(&key)?),
            false => Err(missing(&key)),
        })
    }

    /// Commits the writes in all keyspaces. The transaction has then ended, whatever the outcome.
    ///
    /// `consistency`: "strong", "quorum" or "eventual"; `None` is the default of the database. Blocks as a write
    /// does, with the interpreter's lock released. Errors: `ConflictError` if what was read has changed.
    #[pyo3(signature = (consistency = None))]
    fn commit(&self, py: Python<'_>, consistency: Option<LevelName<'_>>) -> PyResult<()> {
        guarded(|| {
            let level = self::consistency(consistency)?;
            Ok(py.detach(|| self.view.end()?.commit(level))?)
        })
    }

    /// Takes everything back, in all keyspaces. Errors: `ClosedError` if it has ended.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| Ok(py.detach(|| self.view.end()?.abort())?))
    }

    /// Whether it has been committed or taken back; one whose database was closed under it has not.
    #[getter]
    fn _ended(&self) -> bool {
        self.view.has_ended()
    }

    /// Whether it is another one seen through a keyspace.
    #[getter]
    fn _is_part(&self) -> bool {
        self.view.is_part()
    }

    /// As `abort`; does nothing if the transaction has ended. One made by `keyspace()` is closed alone: the transaction
    /// goes on.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| {
            py.detach(|| self.view.close());
            Ok(())
        })
    }
}
