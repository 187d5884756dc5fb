//! How every call ends: a status or a pointer for the caller, the reason for the thread's last error.

use std::ffi::c_int;
use std::ptr;

use lightning_db_bindings::{Result, guard};

use crate::error;
use crate::table::{Slot, Table};

/// A call that gives nothing but its status.
#[inline]
pub fn status(call: impl FnOnce() -> Result<()>) -> c_int {
    match guard(call) {
        Ok(()) => error::clear(),
        Err(error) => error::set(&error),
    }
}

/// A call that looks for a key: `false` is `NotFound`.
#[inline]
pub fn found(call: impl FnOnce() -> Result<bool>) -> c_int {
    match guard(call) {
        Ok(true) => error::clear(),
        Ok(false) => error::set_absent(),
        Err(error) => error::set(&error),
    }
}

/// A call that makes something; NULL is an error.
#[inline]
pub fn pointer<T>(call: impl FnOnce() -> Result<*mut T>) -> *mut T {
    optional(|| call().map(Some))
}

/// A call that may give nothing: NULL and no error.
#[inline]
pub fn optional<T>(call: impl FnOnce() -> Result<Option<*mut T>>) -> *mut T {
    match guard(call) {
        Ok(pointer) => {
            error::clear();
            pointer.unwrap_or(ptr::null_mut())
        }
        Err(error) => {
            error::set(&error);
            ptr::null_mut()
        }
    }
}

/// A call that cleans up: it leaves the last error alone unless it fails, so that the reason for the cleaning
/// can be told behind it. A handle that is NULL is none.
pub fn cleanup<H>(handle: *const H, call: impl FnOnce() -> Result<()>) -> c_int {
    match guard(|| if handle.is_null() { Ok(()) } else { call() }) {
        Ok(()) => 0,
        Err(error) => error::set(&error),
    }
}

/// Frees a handle.
pub fn free<H, S: Slot>(table: &Table<H, S>, handle: *const H) -> c_int {
    cleanup(handle, || table.remove(handle))
}
