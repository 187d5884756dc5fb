//! Bytes from and to Python.

#![allow(unsafe_code, reason = "the safe constructor of bytes panics where memory is short")]

use std::ops::Deref;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};
use pyo3::{Borrowed, ffi};

/// A key or value: `bytes` as they stand, any other bytes-like object copied, because others may change it.
pub struct Bytes<'a, 'py, const VALUE: bool> {
    object: Borrowed<'a, 'py, PyAny>,
    content: Content<'a, 'py>,
}

pub type Key<'a, 'py> = Bytes<'a, 'py, false>;
pub type Value<'a, 'py> = Bytes<'a, 'py, true>;

enum Content<'a, 'py> {
    Lent(&'a [u8]),
    Copied(Bound<'py, PyBytes>),
}

impl<'py, const VALUE: bool> Bytes<'_, 'py, VALUE> {
    /// What was given.
    pub fn object(&self) -> Bound<'py, PyAny> {
        self.object.to_owned()
    }
}

impl<'a, 'py, const VALUE: bool> FromPyObject<'a, 'py> for Bytes<'a, 'py, VALUE> {
    type Error = PyErr;

    #[cfg(feature = "stubs")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr =
        pyo3::type_hint_identifier!("typing_extensions", "Buffer");

    #[inline]
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let content = match object.extract::<&'a [u8]>() {
            Ok(bytes) => Content::Lent(bytes),
            Err(_) => Content::Copied(copied(&object, if VALUE { "a value" } else { "a key" })?),
        };
        Ok(Bytes { object, content })
    }
}

impl<const VALUE: bool> Deref for Bytes<'_, '_, VALUE> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.content {
            Content::Lent(bytes) => bytes,
            Content::Copied(bytes) => bytes.as_bytes(),
        }
    }
}

/// The bytes of any bytes-like object. `what` it is, for the message: "a key".
pub fn owned<'py>(object: &Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyBytes>> {
    match object.cast::<PyBytes>() {
        Ok(bytes) => Ok(bytes.clone()),
        Err(_) => copied(object, what),
    }
}

#[cold]
fn copied<'py>(object: &Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyBytes>> {
    let view = PyMemoryView::from(object).map_err(|error| {
        match error.is_instance_of::<PyTypeError>(object.py()) {
            true => wrong_type(object, what),
            false => error,
        }
    })?;
    Ok(view.call_method0("tobytes")?.cast_into()?)
}

fn wrong_type(object: &Bound<'_, PyAny>, what: &str) -> PyErr {
    let advice = if object.is_instance_of::<PyString>() { ": encode it" } else { "" };
    match object.get_type().qualname() {
        Ok(kind) => PyTypeError::new_err(format!("{what} is bytes-like, not {kind}{advice}")),
        Err(error) => error,
    }
}

/// The keys that several are asked for by. One alone is an iterable too, of numbers or of letters.
pub fn keys<'py>(keys: &Bound<'py, PyAny>) -> PyResult<impl Iterator<Item = PyResult<Bound<'py, PyBytes>>>> {
    let one = keys.is_instance_of::<PyBytes>()
        || keys.is_instance_of::<PyByteArray>()
        || keys.is_instance_of::<PyMemoryView>()
        || keys.is_instance_of::<PyString>();
    if one {
        let message = format!(
            "keys are an iterable of keys, not {}: put one key in a list",
            keys.get_type().qualname()?
        );
        return Err(PyTypeError::new_err(message));
    }
    Ok(keys.try_iter()?.map(|key| owned(&key?, "a key")))
}

/// A new `bytes`. Errors: `MemoryError`. Runs no Python code.
#[inline]
pub fn new<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    // SAFETY: `bytes` are valid for their length, which is at most isize::MAX; the interpreter copies them.
    // What it returns is NULL with an exception set, or a new reference to a `bytes`.
    unsafe {
        let made = ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t);
        Ok(Bound::from_owned_ptr_or_err(py, made)?.cast_into_unchecked())
    }
}
