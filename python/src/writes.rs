//! Several writes to a store from Python objects.

use lightning_db_bindings::write::{add_delete, add_put};
use lightning_db_bindings::{Store, WriteBatch};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::bytes::{self, owned};
use crate::error::Outcome;

/// Puts from a dict, another mapping, or an iterable of pairs.
pub fn puts(store: &Store, items: &Bound<'_, PyAny>) -> Outcome<WriteBatch> {
    if let Ok(dict) = items.cast_exact::<PyDict>() {
        return match of_dict(store, dict) {
            Some(batch) => batch,
            None => of_pairs(store, dict.items().as_any()),
        };
    }
    match items.hasattr("keys")? {
        true => of_mapping(store, items),
        false => of_pairs(store, items),
    }
}

/// `None` if there is something other than `bytes` in it: that could run code, which could change the dict.
fn of_dict(store: &Store, dict: &Bound<'_, PyDict>) -> Option<Outcome<WriteBatch>> {
    let mut batch = WriteBatch::new();
    for (key, value) in dict {
        let (Ok(key), Ok(value)) = (key.cast::<PyBytes>(), value.cast::<PyBytes>()) else { return None };
        if let Err(error) = add_put(&mut batch, store, key.as_bytes(), value.as_bytes()) {
            return Some(Err(error.into()));
        }
    }
    Some(Ok(batch))
}

/// As `dict.update` reads it: its keys, then their values.
fn of_mapping(store: &Store, items: &Bound<'_, PyAny>) -> Outcome<WriteBatch> {
    let keys = items.call_method0("keys")?;
    let entry = |key: PyResult<Bound<'_, PyAny>>| {
        let key = key?;
        let value = items.get_item(&key)?;
        PyResult::Ok((key.unbind(), value.unbind()))
    };
    let entries = keys.try_iter()?.map(entry).collect::<PyResult<Vec<_>>>()?;
    let mut batch = WriteBatch::new();
    for (key, value) in entries {
        put(&mut batch, store, key.bind(items.py()), value.bind(items.py()))?;
    }
    Ok(batch)
}

fn of_pairs(store: &Store, items: &Bound<'_, PyAny>) -> Outcome<WriteBatch> {
    let mut batch = WriteBatch::new();
    for pair in items.try_iter()? {
        let pair = parts(pair?)?;
        put(&mut batch, store, &*pair.get_borrowed_item(0)?, &*pair.get_borrowed_item(1)?)?;
    }
    Ok(batch)
}

/// An entry as a tuple of two.
#[inline]
fn parts(pair: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyTuple>> {
    let pair = match pair.cast_into::<PyTuple>() {
        Ok(pair) => pair,
        Err(other) => {
            let other = other.into_inner();
            PyTuple::new(other.py(), elements(&other)?)?
        }
    };
    match pair.len() {
        2 => Ok(pair),
        len => {
            let message = format!("an entry is a pair of key and value; this one has {len} parts");
            Err(PyValueError::new_err(message))
        }
    }
}

/// An entry as bytes that stay as they are.
pub fn entry<'py>(pair: Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let pair = parts(pair)?;
    Ok((owned(&pair.get_item(0)?, "a key")?, owned(&pair.get_item(1)?, "a value")?))
}

fn elements<'py>(pair: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let kind = pair.get_type();
    let iterator = pair.try_iter();
    iterator.map_err(|_| PyTypeError::new_err(format!("an entry is a pair, not {kind}")))?.collect()
}

#[inline]
fn put(
    batch: &mut WriteBatch,
    store: &Store,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> Outcome<()> {
    match (key.cast::<PyBytes>(), value.cast::<PyBytes>()) {
        (Ok(key), Ok(value)) => add_put(batch, store, key.as_bytes(), value.as_bytes())?,
        _ => {
            let (key, value) = (owned(key, "a key")?, owned(value, "a value")?);
            add_put(batch, store, key.as_bytes(), value.as_bytes())?;
        }
    }
    Ok(())
}

/// Deletes from an iterable of keys.
pub fn deletes(store: &Store, keys: &Bound<'_, PyAny>) -> Outcome<WriteBatch> {
    let mut batch = WriteBatch::new();
    for key in bytes::keys(keys)? {
        add_delete(&mut batch, store, key?.as_bytes())?;
    }
    Ok(batch)
}
