//! Several writes from Python objects.

use lightning_db_bindings::WriteBatch;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::bytes::{self, owned};
use crate::error::Outcome;

/// Puts from a dict, another mapping, or an iterable of pairs.
pub fn puts(items: &Bound<'_, PyAny>) -> Outcome<WriteBatch> {
    if let Ok(dict) = items.cast_exact::<PyDict>() {
        return match of_dict(dict) {
            Some(batch) => batch,
            None => of_pairs(dict.items().as_any()),
        };
    }
    match items.hasattr("keys")? {
        true => of_mapping(items),
        false => of_pairs(items),
    }
}

/// `None` if there is something other than `bytes` in it: that could run code, which could change the dict.
fn of_dict(dict: &Bound<'_, PyDict>) -> Option<Outcome<WriteBatch>> {
    let mut batch = WriteBatch::new();
    for (key, value) in dict {
        let (Ok(key), Ok(value)) = (key.cast::<PyBytes>(), value.cast::<PyBytes>()) else { return None };
        if let Err(error) = batch.put(key.as_bytes(), value.as_bytes()) {
            return Some(Err(error.into()));
        }
    }
    Some(Ok(batch))
}

/// As `dict.update` reads it: its keys, then their values.
fn of_mapping(items: &Bound<'_, PyAny>) -> Outcome<WriteBatch> {
    let keys = items.call_method0("keys")?;
    let entry = |key: PyResult<Bound<'_, PyAny>>| {
        let key = key?;
        let value = items.get_item(&key)?;
        PyResult::Ok((key.unbind(), value.unbind()))
    };
    let entries = keys.try_iter()?.map(entry).collect::<PyResult<Vec<_>>>()?;
    let mut batch = WriteBatch::new();
    for (key, value) in entries {
        put(&mut batch, key.bind(items.py()), value.bind(items.py()))?;
    }
    Ok(batch)
}

fn of_pairs(items: &Bound<'_, PyAny>) -> Outcome<WriteBatch> {
    let mut batch = WriteBatch::new();
    for pair in items.try_iter()? {
        let pair = pair?;
        let pair = match pair.cast_into::<PyTuple>() {
            Ok(pair) => pair,
            Err(other) => PyTuple::new(items.py(), elements(&other.into_inner())?)?,
        };
        if pair.len() != 2 {
            let message = format!("an entry is a pair of key and value; this one has {} parts", pair.len());
            return Err(PyValueError::new_err(message).into());
        }
        put(&mut batch, &*pair.get_borrowed_item(0)?, &*pair.get_borrowed_item(1)?)?;
    }
    Ok(batch)
}

fn elements<'py>(pair: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let kind = pair.get_type();
    let iterator = pair.try_iter();
    iterator.map_err(|_| PyTypeError::new_err(format!("an entry is a pair, not {kind}")))?.collect()
}

#[inline]
fn put(batch: &mut WriteBatch, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> Outcome<()> {
    match (key.cast::<PyBytes>(), value.cast::<PyBytes>()) {
        (Ok(key), Ok(value)) => batch.put(key.as_bytes(), value.as_bytes())?,
        _ => batch.put(owned(key, "a key")?.as_bytes(), owned(value, "a value")?.as_bytes())?,
    }
    Ok(())
}

/// Deletes from an iterable of keys.
pub fn deletes(keys: &Bound<'_, PyAny>) -> Outcome<WriteBatch> {
    let mut batch = WriteBatch::new();
    for key in bytes::keys(keys)? {
        batch.delete(key?.as_bytes())?;
    }
    Ok(batch)
}
