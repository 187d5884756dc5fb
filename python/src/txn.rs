//! Transactions.

use std::sync::Arc;

use lightning_db_bindings::{self as engine, Handle, Within, closed, isolation};
use pyo3::prelude::*;

use crate::bytes::{Key, Value};
use crate::error::{Outcome, guarded};
use crate::keyspace::keyspace;
use crate::options::{LevelName, consistency};
use crate::reader::{From, Reader, missing};
use crate::store::Store;

type Whole = Handle<Within<engine::Transaction>>;

/// A transaction as seen through one keyspace. All parts of it end together.
pub struct Part {
    whole: Arc<Whole>,
    /// `None` in the one that it began with.
    through: Option<Whole>,
}

impl Part {
    #[inline]
    pub fn get(&self) -> engine::Result<Arc<Within<engine::Transaction>>> {
        let whole = self.whole.get()?;
        match &self.through {
            None => Ok(whole),
            Some(through) => through.get(),
        }
    }

    pub fn is_open(&self) -> bool {
        self.whole.is_open() && self.through.as_ref().is_none_or(Handle::is_open)
    }
}

/// The native half of `lightning_db.Transaction`.
#[pyclass(extends = Reader, subclass, frozen, module = "lightning_db._native")]
pub struct Transaction {
    part: Arc<Part>,
}

impl Transaction {
    fn with(reader: &Reader, part: Part, owner: Py<PyAny>) -> PyClassInitializer<Self> {
        let part = Arc::new(part);
        let reader = Reader::of_handle(reader.whole(), From::Transaction(Arc::clone(&part)), owner);
        PyClassInitializer::from(reader).add_subclass(Transaction { part })
    }

    /// Takes the transaction out, so that no other call can meet it while it ends: a commit holds its lock
    /// until the disk has answered.
    fn end(&self) -> Outcome<Arc<Within<engine::Transaction>>> {
        let part = &self.part;
        if part.through.as_ref().is_some_and(|through| !through.is_open()) {
            return Err(closed("transaction").into());
        }
        Ok(part.whole.take().ok_or_else(|| closed("transaction"))?)
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
                let begun = py.detach(|| engine.database().transaction_with(level))?;
                let whole = Handle::new("transaction", Within::new(begun, engine));
                let part = Part { whole: Arc::new(whole), through: None };
                Ok(Self::with(reader, part, store.clone().into_any().unbind()))
            }
            Some(of) => {
                let part = &of.get().part;
                let through = Handle::new("transaction", part.get()?.through(&keyspace(store)?));
                let part = Part { whole: Arc::clone(&part.whole), through: Some(through) };
                Ok(Self::with(of.as_super().get(), part, of.clone().into_any().unbind()))
            }
        })
    }

    /// Puts a value, for this transaction to see at once and for all others when it commits.
    fn put(&self, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        guarded(|| Ok(self.part.get()?.put(&key, &value)?))
    }

    /// Deletes a key; an absent one is no error.
    fn delete(&self, key: Key<'_, '_>) -> PyResult<()> {
        guarded(|| Ok(self.part.get()?.delete(&key)?))
    }

    fn __setitem__(&self, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        self.put(key, value)
    }

    fn __delitem__(slf: &Bound<'_, Self>, key: Key<'_, '_>) -> PyResult<()> {
        guarded(|| match slf.as_super().get().contains(slf.py(), &key)? {
            true => Ok(slf.get().part.get()?.delete(&key)?),
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
            let transaction = self.end()?;
            Ok(py.detach(move || transaction.whole().commit_shared(level))?)
        })
    }

    /// Takes everything back, in all keyspaces. Errors: `ClosedError` if it has ended.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| {
            let transaction = self.end()?;
            Ok(py.detach(move || transaction.whole().abort_shared())?)
        })
    }

    /// Whether it has been committed or taken back; one whose database was closed under it has not.
    #[getter]
    fn _ended(&self) -> bool {
        !self.part.whole.is_open()
    }

    /// Whether it is another one seen through a keyspace.
    #[getter]
    fn _is_part(&self) -> bool {
        self.part.through.is_some()
    }

    /// As `abort`; does nothing if the transaction has ended. One made by `keyspace()` is closed alone: the transaction
    /// goes on.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| {
            let taken = match &self.part.through {
                None => self.part.whole.take(),
                Some(through) => {
                    through.take();
                    None
                }
            };
            // It may have ended with its database.
            py.detach(move || taken.map(|transaction| transaction.whole().abort_shared()));
            Ok(())
        })
    }
}
