//! Which entries an iterator gives, as keyword arguments or as a slice.

use lightning_db_bindings::{Bounds, Error, ScanOptions};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PySlice, PyString};

use crate::bytes::owned;
use crate::error::{Failure, Outcome};

#[derive(Default)]
struct Given<'py> {
    gt: Option<Bound<'py, PyBytes>>,
    gte: Option<Bound<'py, PyBytes>>,
    lt: Option<Bound<'py, PyBytes>>,
    lte: Option<Bound<'py, PyBytes>>,
    prefix: Option<Bound<'py, PyBytes>>,
    reverse: bool,
    limit: Option<usize>,
    /// Whether `gte` and `lt` were given as `start` and `stop`.
    start: bool,
    stop: bool,
}

impl<'py> Given<'py> {
    fn half_open(start: Option<&Bound<'py, PyAny>>, stop: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        let (gte, lt) = (named("start", start)?, named("stop", stop)?);
        let (start, stop) = (gte.is_some(), lt.is_some());
        Ok(Given { gte, lt, start, stop, ..Given::default() })
    }

    fn set(&mut self, name: &str, value: &Bound<'py, PyAny>) -> Outcome<()> {
        let slot = match name {
            "gt" | "gte" if self.start => return Err(both("start", name)),
            "lt" | "lte" if self.stop => return Err(both("stop", name)),
            "gt" => &mut self.gt,
            "gte" => &mut self.gte,
            "lt" => &mut self.lt,
            "lte" => &mut self.lte,
            "prefix" => &mut self.prefix,
            "reverse" => {
                self.reverse = value.is_truthy()?;
                return Ok(());
            }
            "limit" => {
                self.limit = Some(limit(value)?);
                return Ok(());
            }
            _ => return Err(PyTypeError::new_err(format!("unexpected keyword argument '{name}'")).into()),
        };
        *slot = Some(owned(value, name)?);
        Ok(())
    }

    fn options(&self) -> Outcome<ScanOptions> {
        let bounds = Bounds {
            gt: self.gt.as_ref().map(|key| key.as_bytes()),
            gte: self.gte.as_ref().map(|key| key.as_bytes()),
            lt: self.lt.as_ref().map(|key| key.as_bytes()),
            lte: self.lte.as_ref().map(|key| key.as_bytes()),
            prefix: self.prefix.as_ref().map(|key| key.as_bytes()),
            reverse: self.reverse,
            limit: self.limit,
        };
        Ok(bounds.options()?)
    }
}

fn both(position: &str, name: &str) -> Failure {
    Error::invalid(format!("{position} and {name}: give one of them")).into()
}

fn named<'py>(name: &str, key: Option<&Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    key.map(|key| owned(key, name)).transpose()
}

/// A count; one above all that there can be is all.
fn limit(value: &Bound<'_, PyAny>) -> Outcome<usize> {
    match value.extract() {
        Ok(limit) => Ok(limit),
        Err(error) if !error.is_instance_of::<PyOverflowError>(value.py()) => Err(error.into()),
        Err(_) if value.lt(0)? => {
            Err(Error::invalid(format!("limit is {value}: a count is not negative")).into())
        }
        Err(_) => Ok(usize::MAX),
    }
}

/// The bounds of `items(start, stop, **bounds)`. Those that are `None` are left out.
pub fn keywords<'py>(
    start: Option<&Bound<'py, PyAny>>,
    stop: Option<&Bound<'py, PyAny>>,
    bounds: Option<&Bound<'py, PyDict>>,
) -> Outcome<ScanOptions> {
    let mut given = Given::half_open(start, stop)?;
    for (name, value) in bounds.into_iter().flatten().filter(|(_, value)| !value.is_none()) {
        given.set(name.cast::<PyString>().map_err(PyErr::from)?.to_str()?, &value)?;
    }
    given.options()
}

/// The bounds of `db[start:stop]`.
pub fn slice(slice: &Bound<'_, PySlice>) -> Outcome<ScanOptions> {
    let part = |name: &str| slice.getattr(name).map(|value| Some(value).filter(|value| !value.is_none()));
    if part("step")?.is_some() {
        return Err(Error::invalid("a slice of keys has no step").into());
    }
    Given::half_open(part("start")?.as_ref(), part("stop")?.as_ref())?.options()
}
