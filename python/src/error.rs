//! Errors of the engine as exceptions. Their classes stand in `lightning_db/_errors.py`.

use lightning_db_bindings::{Error, ErrorKind, guard, raised};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::bytes::Key;

/// What a call can fail with.
pub enum Failure {
    Engine(Error),
    Python(PyErr),
}

pub type Outcome<T> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Engine(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Failure::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Engine(error) => {
                Python::attach(|py| exception(py, &error).unwrap_or_else(|other| other))
            }
            Failure::Python(error) => error,
        }
    }
}

/// Every call from Python runs in this: a panic becomes `InternalError`.
#[inline]
pub fn guarded<T>(call: impl FnOnce() -> Outcome<T>) -> PyResult<T> {
    guard(|| Ok(call())).map_err(Failure::from).flatten().map_err(PyErr::from)
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    static KINDS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let kinds = KINDS.get_or_try_init(py, || {
        let module = py.import("lightning_db._errors")?;
        PyResult::Ok(module.getattr("KINDS")?.cast_into::<PyDict>()?.unbind())
    })?;
    let class = kinds.bind(py).as_any().get_item(error.code())?;
    let file = error.file().map(|file| file.as_os_str());
    let made = class.call1((message(error), file, error.offset(), error.os_code()))?;
    Ok(PyErr::from_value(made))
}

/// The sentence alone: the class says the kind.
fn message(error: &Error) -> String {
    let text = error.to_string();
    let sentence = text.strip_prefix(error.kind().name()).and_then(|rest| rest.strip_prefix(": "));
    sentence.map(str::to_owned).unwrap_or(text)
}

/// Number, name and whether the same call may succeed later, for each kind of error.
#[pyo3::pyfunction]
pub fn _error_kinds() -> Vec<(u8, &'static str, bool)> {
    ErrorKind::ALL.iter().map(|kind| (kind.code(), kind.name(), kind.is_retryable())).collect()
}

/// Raises the error with a number, as a failed call does. For tests.
#[pyo3::pyfunction]
pub fn _error(code: u8) -> PyResult<()> {
    guarded(|| Err(raised(code.into()).into()))
}

/// Does nothing with a key, as every call does it. For measuring.
#[pyo3::pyfunction]
#[pyo3(signature = (key, /))]
pub fn _nothing(key: Key<'_, '_>) -> PyResult<()> {
    guarded(|| {
        std::hint::black_box(&*key);
        Ok(())
    })
}
