//! Handles of keyspaces.

use std::sync::atomic::AtomicBool;

use lightning_db_bindings as engine;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::db::Database;
use crate::error::{Outcome, guarded};
use crate::options::of_keyspace;
use crate::reader::{From, Reader};
use crate::store::Store;

/// The native half of `lightning_db.Keyspace`.
#[pyclass(extends = Store, subclass, frozen, module = "lightning_db._native")]
pub struct Keyspace;

/// The store of what must be a keyspace: a database has the default one of its own, which a batch or a transaction of
/// another database would take for theirs. Errors: `TypeError`, `Closed`.
pub fn keyspace(store: &Bound<'_, Store>) -> Outcome<engine::Store> {
    Ok(store_of(store.cast::<Keyspace>().map_err(PyErr::from)?)?.clone())
}

/// The store of a keyspace. Errors: `Closed`.
pub fn store_of<'a>(keyspace: &'a Bound<'_, Keyspace>) -> engine::Result<&'a engine::Store> {
    keyspace.as_super().as_super().get().store()
}

#[pymethods]
impl Keyspace {
    /// The keyspace of a name; `make`: a new one, with options.
    #[new]
    #[pyo3(signature = (db, name, make = false, /, **options: "Any"))]
    fn new(
        py: Python<'_>,
        db: &Bound<'_, Database>,
        name: &str,
        make: bool,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        guarded(|| {
            let whole = engine::Store::from(db.get().db.clone());
            let store = match make {
                true => {
                    let options = of_keyspace(options)?;
                    py.detach(|| whole.create_keyspace(name, options))?
                }
                false => whole.keyspace_named(name)?,
            };
            let from = From::Keyspace { open: AtomicBool::new(true) };
            let reader = Reader::of_handle(store, from, db.clone().into_any().unbind());
            Ok(PyClassInitializer::from(reader).add_subclass(Store).add_subclass(Keyspace))
        })
    }

    /// Its name.
    #[getter]
    fn name<'a>(slf: &'a Bound<'_, Self>) -> &'a str {
        slf.as_super().as_super().get().name_of_keyspace()
    }

    /// Closes this handle alone: later calls on it raise `ClosedError`, and what was made from it goes on. Closing again
    /// does nothing.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        guarded(|| {
            slf.as_super().as_super().get().close_keyspace();
            Ok(())
        })
    }
}
