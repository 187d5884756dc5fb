//! Check and repair of databases that are closed. Their reports cross as dicts, whose names are the fields of the classes in
//! `lightning_db/_check.py`.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lightning_db_bindings::{CheckProgress, CheckReport, Finding, RepairReport, Result, check, repair};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::error::{Failure, Outcome, guarded};
use crate::options::opening;

/// Looks at every byte.
#[pyo3::pyfunction]
#[pyo3(signature = (path, progress: "Callable[[int, int], object] | None" = None, **options: "Any") -> "dict[str, Any]")]
pub fn _check<'py>(
    py: Python<'py>,
    path: OsString,
    progress: Option<Py<PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    guarded(|| {
        let opening = opening("rw", options)?;
        telling(py, progress, |tell| check(Path::new(&path), opening, tell))
    })
}

/// Looks at every byte, and mends.
#[pyo3::pyfunction]
#[pyo3(signature = (path, progress: "Callable[[int, int], object] | None" = None, **options: "Any") -> "dict[str, Any]")]
pub fn _repair<'py>(
    py: Python<'py>,
    path: OsString,
    progress: Option<Py<PyAny>>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    guarded(|| {
        let opening = opening("rw", options)?;
        telling(py, progress, |tell| repair(Path::new(&path), opening, tell))
    })
}

/// A callback is told no more often than this, but at the beginning and at the end.
const BETWEEN: Duration = Duration::from_millis(100);

/// What has become of a callback: when it was called last, and what it raised.
#[derive(Default)]
struct Told {
    last: Option<Instant>,
    raised: Option<PyErr>,
}

/// Does the work without the interpreter's lock. The callback cannot stop it; what it raises comes through behind it.
fn telling<'py>(
    py: Python<'py>,
    progress: Option<Py<PyAny>>,
    work: impl Send + FnOnce(Box<dyn Fn(CheckProgress) + Send + Sync>) -> Result<CheckReport>,
) -> Outcome<Bound<'py, PyDict>> {
    let Some(progress) = progress else { return reported(py, py.detach(|| work(Box::new(|_| {})))) };
    let told = Arc::new(Mutex::new(Told::default()));
    let shared = Arc::clone(&told);
    let tell = move |so_far: CheckProgress| {
        let mut told = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let early = told.last.is_some_and(|last| last.elapsed() < BETWEEN) && so_far.done < so_far.total;
        if early || told.raised.is_some() {
            return;
        }
        told.last = Some(Instant::now());
        told.raised = Python::attach(|py| progress.bind(py).call1((so_far.done, so_far.total)).err());
    };
    let report = py.detach(|| work(Box::new(tell)));
    let raised = told.lock().unwrap_or_else(PoisonError::into_inner).raised.take();
    match raised {
        Some(error) => Err(Failure::Python(error)),
        None => reported(py, report),
    }
}

fn reported(py: Python<'_>, report: Result<CheckReport>) -> Outcome<Bound<'_, PyDict>> {
    let report = report?;
    let made = PyDict::new(py);
    made.set_item("problems", findings(py, &report.problems)?)?;
    made.set_item("notes", findings(py, &report.notes)?)?;
    made.set_item("repair", report.repair.as_ref().map(|repair| repaired(py, repair)).transpose()?)?;
    made.set_item("files", report.files)?;
    made.set_item("pages", report.pages)?;
    made.set_item("records", report.records)?;
    made.set_item("bytes", report.bytes)?;
    Ok(made)
}

fn repaired<'py>(py: Python<'py>, report: &RepairReport) -> PyResult<Bound<'py, PyDict>> {
    let made = PyDict::new(py);
    made.set_item("salvaged_records", report.salvaged_records)?;
    made.set_item("lost", findings(py, &report.lost)?)?;
    made.set_item("set_aside", PyList::new(py, report.set_aside.iter().map(|path| path.as_os_str()))?)?;
    Ok(made)
}

fn findings<'py>(py: Python<'py>, findings: &[Finding]) -> PyResult<Bound<'py, PyList>> {
    let made = PyList::empty(py);
    for finding in findings {
        made.append(of_finding(py, finding)?)?;
    }
    Ok(made)
}

fn of_finding<'py>(py: Python<'py>, finding: &Finding) -> PyResult<Bound<'py, PyDict>> {
    let key = |key: &Option<Vec<u8>>| key.as_ref().map(|key| PyBytes::new(py, key));
    let made = PyDict::new(py);
    made.set_item("file", finding.file.as_os_str())?;
    made.set_item("offset", finding.offset)?;
    made.set_item("keyspace", finding.keyspace.as_deref())?;
    made.set_item("first_key", key(&finding.first_key))?;
    made.set_item("last_key", key(&finding.last_key))?;
    made.set_item("records", finding.records)?;
    made.set_item("what", &finding.what)?;
    Ok(made)
}
