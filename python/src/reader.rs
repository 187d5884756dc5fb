//! Reads, the same for databases, keyspaces, snapshots and transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lightning_db_bindings::{
    Cursor, Database, Lookup, Read, Result, ScanOptions, Snapshot, Store, Transaction, View, closed,
};
use pyo3::Borrowed;
use pyo3::exceptions::PyKeyError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
#[cfg(feature = "stubs")]
use pyo3::type_hint_union;
use pyo3::types::{PyBytes, PyDict, PyList, PySlice};

use crate::bytes::{Key, new};
use crate::cursor::{ItemsIterator, KeysIterator, ValuesIterator, count};
use crate::error::{Failure, Outcome, guarded};
use crate::{bounds, bytes, error};

/// Keys of `get_many` that are looked up before other threads get their turn.
const CHUNK: usize = 1024;

/// Which of the four, with what can be closed alone.
pub enum From {
    Database,
    Keyspace { open: AtomicBool },
    Snapshot(Arc<View<Snapshot>>),
    Transaction(Arc<View<Transaction>>),
}

/// What databases, keyspaces, snapshots and transactions have in common.
#[pyclass(subclass, frozen, module = "lightning_db._native")]
pub struct Reader {
    store: Store,
    from: From,
    /// The Python database, which collected would be closed; `None` in itself.
    owner: Option<Py<PyAny>>,
}

/// Runs an expression on the source of a reader.
macro_rules! on_source {
    ($reader:expr, $source:ident => $call:expr) => {
        match &$reader.from {
            From::Database => {
                let $source = &$reader.store;
                $call
            }
            From::Keyspace { .. } => {
                let $source = $reader.store()?;
                $call
            }
            From::Snapshot(view) => {
                let $source = &view.get()?;
                $call
            }
            From::Transaction(view) => {
                let $source = &view.get()?;
                $call
            }
        }
    };
}

/// Looks a key up in memory with the interpreter's lock held, and on the disk without.
#[inline]
fn get<'py>(py: Python<'py>, source: &impl Read, key: &[u8]) -> Outcome<Option<Bound<'py, PyBytes>>> {
    match source.get_cached(key, |value| new(py, value))? {
        Lookup::Found(value) => Ok(Some(value?)),
        Lookup::Absent => Ok(None),
        Lookup::NotCached => {
            let value = py.detach(|| source.get_copy(key))?;
            Ok(value.map(|value| new(py, &value)).transpose()?)
        }
    }
}

fn contains(py: Python<'_>, source: &impl Read, key: &[u8]) -> Outcome<bool> {
    Ok(match source.get_cached(key, |_| ())? {
        Lookup::Found(()) => true,
        Lookup::Absent => false,
        Lookup::NotCached => py.detach(|| source.get_with(key, |_| ()))?.is_some(),
    })
}

fn get_many<'py>(
    py: Python<'py>,
    source: &impl Read,
    keys: &[Bound<'py, PyBytes>],
) -> Outcome<Vec<Option<Bound<'py, PyBytes>>>> {
    let mut values = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(CHUNK) {
        let mut missed = Vec::new();
        for key in chunk {
            values.push(match source.get_cached(key.as_bytes(), |value| new(py, value))? {
                Lookup::Found(value) => Some(value?),
                Lookup::Absent => None,
                Lookup::NotCached => {
                    missed.push((values.len(), key.as_bytes()));
                    None
                }
            });
        }
        let found: Result<Vec<_>> =
            py.detach(|| missed.iter().map(|(_, key)| source.get_copy(key)).collect());
        for ((at, _), value) in missed.into_iter().zip(found?) {
            let value = value.map(|value| new(py, &value)).transpose()?;
            values.get_mut(at).into_iter().for_each(|slot| slot.clone_from(&value));
        }
        py.check_signals()?;
    }
    Ok(values)
}

impl Reader {
    /// Of a database.
    pub fn of_database(store: Store) -> Self {
        Reader { store, from: From::Database, owner: None }
    }

    /// Of something that is reached through the Python object `owner`, a database or another reader.
    pub fn of_handle(store: Store, from: From, owner: Py<PyAny>) -> Self {
        Reader { store, from, owner: Some(owner) }
    }

    /// The store of a database or a keyspace. Errors: `Closed` if the keyspace's handle was closed.
    #[inline]
    pub fn store(&self) -> Result<&Store> {
        match &self.from {
            From::Keyspace { open } if !open.load(Ordering::Acquire) => Err(closed("keyspace")),
            _ => Ok(&self.store),
        }
    }

    /// The database, also where the handle itself was closed.
    #[inline]
    pub fn db(&self) -> &Database {
        self.store.database()
    }

    /// The database as a store, for handles that have their source elsewhere.
    pub fn whole(&self) -> Store {
        Store::from(self.db().clone())
    }

    pub fn name_of_keyspace(&self) -> &str {
        self.store.name()
    }

    /// Closes the handle of a keyspace alone.
    pub fn close_keyspace(&self) {
        if let From::Keyspace { open } = &self.from {
            open.store(false, Ordering::Release);
        }
    }

    #[inline]
    pub fn contains(&self, py: Python<'_>, key: &[u8]) -> Outcome<bool> {
        on_source!(self, source => contains(py, source, key))
    }

    /// How many entries a scan gives.
    pub fn count(&self, py: Python<'_>, options: ScanOptions) -> Outcome<usize> {
        count(py, self.cursor(py, options.keys_only())?)
    }

    fn cursor(&self, py: Python<'_>, options: ScanOptions) -> Outcome<Cursor> {
        Ok(py.detach(|| on_source!(self, source => source.cursor(options)))?)
    }
}

/// What a new iterator is made of.
fn parts(slf: &Bound<'_, Reader>, options: ScanOptions) -> Outcome<(Database, Py<PyAny>, Cursor)> {
    let reader = slf.get();
    let cursor = reader.cursor(slf.py(), options)?;
    let owner = reader.owner.as_ref().map(|owner| owner.clone_ref(slf.py()));
    Ok((reader.db().clone(), owner.unwrap_or_else(|| slf.clone().into_any().unbind()), cursor))
}

fn items(slf: &Bound<'_, Reader>, options: ScanOptions) -> Outcome<ItemsIterator> {
    let (db, owner, cursor) = parts(slf, options)?;
    Ok(ItemsIterator::new(db, owner, cursor))
}

fn keys(slf: &Bound<'_, Reader>, options: ScanOptions) -> Outcome<KeysIterator> {
    let (db, owner, cursor) = parts(slf, options.keys_only())?;
    Ok(KeysIterator::new(db, owner, cursor))
}

#[pymethods]
impl Reader {
    #[inline]
    fn __getitem__<'py>(slf: &Bound<'py, Self>, key: KeyOrSlice<'_, 'py>) -> PyResult<BytesOrItems<'py>> {
        let py = slf.py();
        guarded(|| {
            let key = match key {
                KeyOrSlice::Key(key) => key,
                KeyOrSlice::Slice(slice) => {
                    let items = items(slf, bounds::slice(&slice)?)?;
                    return Ok(BytesOrItems::Items(Bound::new(py, items)?));
                }
            };
            let value = on_source!(slf.get(), source => get(py, source, &key))?;
            value.map(BytesOrItems::Bytes).ok_or_else(|| missing(&key))
        })
    }

    /// The value of a key, or `default` if it is absent.
    ///
    /// Looks in memory first and releases the interpreter's lock only to read from the disk.
    #[pyo3(signature = (key, default: "object" = None, /) -> "object")]
    #[inline]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: Key<'_, 'py>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        guarded(|| {
            let value = on_source!(self, source => get(py, source, &key))?;
            Ok(value.map_or(default, |value| Some(value.into_any())))
        })
    }

    #[inline]
    fn __contains__(&self, py: Python<'_>, key: Key<'_, '_>) -> PyResult<bool> {
        guarded(|| self.contains(py, &key))
    }

    /// Counts the keys by walking over all of them.
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        guarded(|| self.count(py, ScanOptions::all()))
    }

    fn __bool__(&self, py: Python<'_>) -> PyResult<bool> {
        guarded(|| Ok(self.count(py, ScanOptions::all().limit(1))? > 0))
    }

    fn __iter__(slf: &Bound<'_, Self>) -> PyResult<KeysIterator> {
        guarded(|| keys(slf, ScanOptions::all()))
    }

    fn __reversed__(slf: &Bound<'_, Self>) -> PyResult<KeysIterator> {
        guarded(|| keys(slf, ScanOptions::all().reverse()))
    }

    /// The values of several keys, all as of one instant, in the order of the keys; `None` for an absent key.
    ///
    /// What is in memory is read with the interpreter's lock held, in stretches of 1024 keys, the rest without.
    #[pyo3(signature = (keys: "Iterable[Buffer]") -> "list[bytes | None]")]
    fn get_many<'py>(&self, py: Python<'py>, keys: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        guarded(|| {
            let keys = bytes::keys(keys)?.collect::<PyResult<Vec<_>>>()?;
            let values = match &self.from {
                // Reads one by one would be of several instants.
                From::Database | From::Keyspace { .. } => {
                    get_many(py, &py.detach(|| self.store()?.snapshot())?, &keys)?
                }
                From::Snapshot(view) => get_many(py, &view.get()?, &keys)?,
                From::Transaction(view) => get_many(py, &view.get()?, &keys)?,
            };
            Ok(PyList::new(py, values)?)
        })
    }

    /// Entries between bounds; see `items`.
    #[pyo3(signature = (start: "Buffer | None" = None, stop: "Buffer | None" = None, /, **bounds: "Any"))]
    fn _items<'py>(
        slf: &Bound<'py, Self>,
        start: Option<&Bound<'py, PyAny>>,
        stop: Option<&Bound<'py, PyAny>>,
        bounds: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<ItemsIterator> {
        guarded(|| items(slf, bounds::keywords(start, stop, bounds)?))
    }

    /// Keys between bounds; see `keys`.
    #[pyo3(signature = (start: "Buffer | None" = None, stop: "Buffer | None" = None, /, **bounds: "Any"))]
    fn _keys<'py>(
        slf: &Bound<'py, Self>,
        start: Option<&Bound<'py, PyAny>>,
        stop: Option<&Bound<'py, PyAny>>,
        bounds: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<KeysIterator> {
        guarded(|| keys(slf, bounds::keywords(start, stop, bounds)?))
    }

    /// Values between bounds; see `values`.
    #[pyo3(signature = (start: "Buffer | None" = None, stop: "Buffer | None" = None, /, **bounds: "Any"))]
    fn _values<'py>(
        slf: &Bound<'py, Self>,
        start: Option<&Bound<'py, PyAny>>,
        stop: Option<&Bound<'py, PyAny>>,
        bounds: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<ValuesIterator> {
        guarded(|| {
            let (db, owner, cursor) = parts(slf, bounds::keywords(start, stop, bounds)?)?;
            Ok(ValuesIterator::new(db, owner, cursor))
        })
    }

    /// Whether it, or its database, has been closed.
    #[getter]
    fn closed(&self) -> bool {
        let open = match &self.from {
            From::Database => true,
            From::Keyspace { open } => open.load(Ordering::Acquire),
            From::Snapshot(view) => view.is_open(),
            From::Transaction(view) => view.is_open(),
        };
        !(open && self.db().is_open())
    }

    /// The folder of the database, absolute.
    #[getter]
    fn path(&self) -> std::ffi::OsString {
        self.db().path().as_os_str().to_owned()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.owner)
    }
}

/// What may stand in the brackets of `db[...]`.
enum KeyOrSlice<'a, 'py> {
    Key(Key<'a, 'py>),
    Slice(Bound<'py, PySlice>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for KeyOrSlice<'a, 'py> {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr =
        type_hint_union!(Key::INPUT_TYPE, Bound::<'py, PySlice>::INPUT_TYPE);

    #[inline]
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        object.extract().map(KeyOrSlice::Key).or_else(|error| match object.cast::<PySlice>() {
            Ok(slice) => Ok(KeyOrSlice::Slice(slice.to_owned())),
            Err(_) => Err(error),
        })
    }
}

/// What `db[...]` gives.
#[derive(IntoPyObject)]
enum BytesOrItems<'py> {
    Bytes(Bound<'py, PyBytes>),
    Items(Bound<'py, ItemsIterator>),
}

/// A plain `KeyError` with the key.
#[cold]
pub fn missing(key: &Key<'_, '_>) -> error::Failure {
    Failure::Python(PyKeyError::new_err(key.object().unbind()))
}
