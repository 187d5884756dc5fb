//! What databases and keyspaces share beyond reading: writes, and figures about keys.

use std::time::Duration;

use lightning_db_bindings::write;
use lightning_db_bindings::{ErrorKind, WriteBatch, not_open};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::Batch;
use crate::bounds::keywords;
use crate::bytes::{Key, Value};
use crate::error::{Outcome, guarded};
use crate::ingest::ingest;
use crate::options::{LevelName, how};
use crate::reader::{Reader, missing};
use crate::writes::{deletes, puts};

/// What databases and keyspaces have in common.
#[pyclass(extends = Reader, subclass, frozen, module = "lightning_db._native")]
pub struct Store;

#[inline]
fn reader<'a>(slf: &'a Bound<'_, Store>) -> &'a Reader {
    slf.as_super().get()
}

#[inline]
fn put(
    slf: &Bound<'_, Store>,
    key: &[u8],
    value: &[u8],
    consistency: Option<LevelName<'_>>,
    timeout: Option<f64>,
) -> Outcome<()> {
    let (store, how) = (reader(slf).store()?, how(consistency, timeout)?);
    Ok(slf.py().detach(|| write::put(store, key, value, how))?)
}

fn delete(
    slf: &Bound<'_, Store>,
    key: &[u8],
    consistency: Option<LevelName<'_>>,
    timeout: Option<f64>,
) -> Outcome<()> {
    let (store, how) = (reader(slf).store()?, how(consistency, timeout)?);
    Ok(slf.py().detach(|| write::delete(store, key, how))?)
}

fn write_all(
    slf: &Bound<'_, Store>,
    batch: &WriteBatch,
    consistency: Option<LevelName<'_>>,
    timeout: Option<f64>,
) -> Outcome<()> {
    let (store, how) = (reader(slf).store()?, how(consistency, timeout)?);
    Ok(slf.py().detach(|| write::write(store, batch, how))?)
}

#[pymethods]
impl Store {
    /// Puts a value.
    ///
    /// `consistency` says how far the write has got when the call returns: "strong" (on stable storage), "quorum"
    /// (with the operating system), "eventual" (in memory); `None` is the default of the database. Key: up to 65,535
    /// bytes. Value: up to 1 GiB. Blocks for the disk at "strong" and while flush is far behind, with the
    /// interpreter's lock released. `timeout`: for so many seconds at most while flush is behind; the sync of a
    /// "strong" write is waited for all the same.
    ///
    /// Errors: `InvalidArgumentError` (too long), `TimedOutError` (nothing was written), `NoSpaceError`, `ReadOnlyError`,
    /// `HaltedError`, `ClosedError`, `IoError`; of a keyspace also `NotFoundError` once it has been dropped.
    #[pyo3(signature = (key, value, consistency = None, timeout = None))]
    fn put(
        slf: &Bound<'_, Self>,
        key: Key<'_, '_>,
        value: Value<'_, '_>,
        consistency: Option<LevelName<'_>>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        guarded(|| put(slf, &key, &value, consistency, timeout))
    }

    #[inline]
    fn __setitem__(slf: &Bound<'_, Self>, key: Key<'_, '_>, value: Value<'_, '_>) -> PyResult<()> {
        guarded(|| put(slf, &key, &value, None, None))
    }

    /// Deletes a key; an absent one is no error. Blocks and fails as `put`.
    #[pyo3(signature = (key, consistency = None, timeout = None))]
    fn delete(
        slf: &Bound<'_, Self>,
        key: Key<'_, '_>,
        consistency: Option<LevelName<'_>>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        guarded(|| delete(slf, &key, consistency, timeout))
    }

    fn __delitem__(slf: &Bound<'_, Self>, key: Key<'_, '_>) -> PyResult<()> {
        guarded(|| match reader(slf).contains(slf.py(), &key)? {
            true => delete(slf, &key, None, None),
            false => Err(missing(&key)),
        })
    }

    /// Puts all entries of a mapping or of an iterable of pairs, all or none. Blocks and fails as `put`.
    #[pyo3(signature = (
        items: "SupportsKeysAndGetItem[_K, Buffer] | Iterable[tuple[Buffer, Buffer]]",
        consistency = None,
        timeout = None,
    ) -> "None")]
    fn put_many(
        slf: &Bound<'_, Self>,
        items: &Bound<'_, PyAny>,
        consistency: Option<LevelName<'_>>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        guarded(|| write_all(slf, &puts(reader(slf).store()?, items)?, consistency, timeout))
    }

    /// Deletes several keys, all or none; absent ones are no error. Blocks and fails as `put`.
    #[pyo3(signature = (keys: "Iterable[Buffer]", consistency = None, timeout = None) -> "None")]
    fn delete_many(
        slf: &Bound<'_, Self>,
        keys: &Bound<'_, PyAny>,
        consistency: Option<LevelName<'_>>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        guarded(|| write_all(slf, &deletes(reader(slf).store()?, keys)?, consistency, timeout))
    }

    /// An empty batch, to be filled and then written as one.
    ///
    /// `consistency`, `timeout`: those with which it is written. It writes here, and where a write names a keyspace, there.
    #[pyo3(signature = (consistency = None, timeout = None))]
    fn batch(
        slf: &Bound<'_, Self>,
        consistency: Option<LevelName<'_>>,
        timeout: Option<f64>,
    ) -> PyResult<Batch> {
        guarded(|| {
            let how = how(consistency, timeout)?;
            let store = reader(slf).store()?;
            if !store.database().is_open() {
                return Err(not_open(store.database()).into());
            }
            Ok(Batch::new(store.clone(), slf.clone().into_any().unbind(), how))
        })
    }

    /// Loads entries whose keys rise strictly, in the order of this mapping, straight into tables: much cheaper than
    /// writing them. They come from a mapping or an iterable of pairs. How many there were.
    ///
    /// All of them become visible at once, on stable storage, when this returns. If the iterable raises, that comes through, and
    /// nothing is written. Blocks for the disk, with the interpreter's lock released; what was in memory is written to
    /// tables first. Transactions that have read a key between the first and the last one meet a `ConflictError`.
    ///
    /// Errors: `InvalidArgumentError` (keys that do not rise, too long), `NoSpaceError`, `ReadOnlyError`, `HaltedError`,
    /// `ClosedError`, `IoError`; of a keyspace also `NotFoundError`. Nothing is written then.
    #[pyo3(signature = (entries: "Mapping[_K, Buffer] | Iterable[tuple[Buffer, Buffer]]") -> "int")]
    fn ingest(slf: &Bound<'_, Self>, entries: &Bound<'_, PyAny>) -> PyResult<u64> {
        guarded(|| ingest(slf.py(), reader(slf).store()?, entries))
    }

    #[pyo3(signature = (start: "Buffer | None" = None, stop: "Buffer | None" = None, /, **bounds: "Any"))]
    fn _count(
        slf: &Bound<'_, Self>,
        start: Option<&Bound<'_, PyAny>>,
        stop: Option<&Bound<'_, PyAny>>,
        bounds: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<usize> {
        guarded(|| reader(slf).count(slf.py(), keywords(start, stop, bounds)?))
    }

    #[pyo3(signature = (start: "Buffer | None" = None, stop: "Buffer | None" = None, /, **bounds: "Any"))]
    fn _approximate_size(
        slf: &Bound<'_, Self>,
        start: Option<&Bound<'_, PyAny>>,
        stop: Option<&Bound<'_, PyAny>>,
        bounds: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<u64> {
        guarded(|| {
            let (store, options) = (reader(slf).store()?, keywords(start, stop, bounds)?);
            Ok(slf.py().detach(|| store.approximate_size(options))?)
        })
    }

    /// Seconds to wait before a transaction that lost is tried again; `None`: not at all.
    fn _pause_before_retry(slf: &Bound<'_, Self>, attempt: u32, code: u8) -> PyResult<Option<f64>> {
        guarded(|| {
            let kind = ErrorKind::from_code(code).unwrap_or(ErrorKind::Internal);
            let pause = reader(slf).db().pause_before_retry(attempt, kind);
            Ok(pause.as_ref().map(Duration::as_secs_f64))
        })
    }
}
