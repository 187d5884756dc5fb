//! The simulated disks of a build for tests. Not in the header: who tests declares it.
#![allow(unsafe_code, reason = "an exported function that takes pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::faults;

use crate::arguments::{self, Out};
use crate::call;

/// Steers a disk, as [`faults::command`]; what was asked for is in `number`, which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_test_disk(
    name: *const c_char,
    command: *const c_char,
    number: *mut u64,
) -> c_int {
    call::status(|| {
        // SAFETY: two strings of C, and room for a number or NULL.
        let (name, command, number) = unsafe {
            (arguments::text(name, "name")?, arguments::text(command, "command")?, Out::optional(number))
        };
        number.set(faults::command(name, command)?);
        Ok(())
    })
}
