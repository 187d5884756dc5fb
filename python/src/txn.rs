//! Transactions.

use std::sync::Arc;

use lightning_db_bindings::{self as engine, Handle, closed, isolation};
use pyo3::prelude::*;

use crate::bytes::{Key, Value};
use crate::db::Database;
use crate::error::{Outcome, guarded};
use crate::options::consistency;
use crate::reader::{From, Reader, missing};

/// The native half of `lightning_db.Transaction`.
#[pyclass(extends = Reader, subclass, frozen, module = "lightning_db._native")]
pub struct Transaction {
    handle: Arc<Handle<engine::Transaction>>,
}

impl Transaction {
    /// Takes the transaction out, so that no other call can meet it while it ends: a commit holds its lock
    /// until the disk has answered.
    fn end(&self) -> Outcome<Arc<engine::Transaction>> {
        Ok(self.handle.take().ok_or_else(|| closed("transaction"))?)
    }
}

#[pymethods]
impl Transaction {
    #[new]
    #[pyo3(signature = (db, isolation = "serializable"))]
    fn new(py: Python<'_>, db: &Bound<'_, Database>, isolation: &str) -> PyResult<PyClassInitializer<Self>> {
        guarded(|| {
            let level = self::isolation(isolation)?;
            let engine = &db.get().db;
            let transaction = py.detach(|| engine.transaction_with(level))?;
            let handle = Arc::new(Handle::new("transaction", transaction));
            let owner = db.clone().into_any().unbind();
            let reader = Reader::of_handle(engine.clone(), From::Transaction(Arc::clone(&handle)), owner);
            Ok(PyClassInitializer::from(reader).add_subclass(Transaction { handle }))
        })
    }

    /// Puts a value, for this transaction to see at once and for all others when it commits.
    fn put(&self, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        guarded(|| Ok(self.handle.get()?.put(&*key, &*value)?))
    }

    /// Deletes a key; an absent one is no error.
    fn delete(&self, key: Key<'_, '_>) -> PyResult<()> {
        guarded(|| Ok(self.handle.get()?.delete(&*key)?))
    }

    fn __setitem__(&self, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        self.put(key, value)
    }

    fn __delitem__(slf: &Bound<'_, Self>, key: Key<'_, '_>) -> PyResult<()> {
        guarded(|| match slf.as_super().get().contains(slf.py(), &key)? {
            true => Ok(slf.get().handle.get()?.delete(&*key)?),
            false => Err(missing(&key)),
        })
    }

    /// Commits. The transaction has then ended, whatever the outcome.
    ///
    /// `consistency`: "strong", "quorum" or "eventual"; `None` is the default of the database. Blocks as a write
    /// does, with the interpreter's lock released. Errors: `ConflictError` if what was read has changed.
    #[pyo3(signature = (consistency = None))]
    fn commit(&self, py: Python<'_>, consistency: Option<&str>) -> PyResult<()> {
        guarded(|| {
            let level = self::consistency(consistency)?;
            let transaction = self.end()?;
            Ok(py.detach(move || transaction.commit_shared(level))?)
        })
    }

    /// Takes everything back. Errors: `ClosedError` if it has ended.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| {
            let transaction = self.end()?;
            Ok(py.detach(move || transaction.abort_shared())?)
        })
    }

    /// Whether it has been committed or taken back; one whose database was closed under it has not.
    #[getter]
    fn _ended(&self) -> bool {
        !self.handle.is_open()
    }

    /// As `abort`; does nothing if the transaction has ended.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| match self.handle.take() {
            Some(transaction) => {
                // It may have ended with its database.
                let _ = py.detach(move || transaction.abort_shared());
                Ok(())
            }
            None => Ok(()),
        })
    }
}
