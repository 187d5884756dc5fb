//! The simulated disks of a build for tests. Not in the stub.

use lightning_db_bindings::faults;
use pyo3::prelude::*;

use crate::error::guarded;

/// Steers a disk, as [`faults::command`].
#[pyfunction]
pub fn _test_disk(name: &str, command: &str) -> PyResult<u64> {
    guarded(|| Ok(faults::command(name, command)?))
}
