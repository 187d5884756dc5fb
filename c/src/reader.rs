//! What database, snapshot and transaction have in common: point reads and scans.
#![allow(unsafe_code, reason = "passes on pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::{Error, Read};

use crate::arguments::{self, Out};
use crate::cursor::{lightning_db_scan_options_t, scan_options};
use crate::handles::{SCANS, lightning_db_scan_t};
use crate::table::{Shared, Table};
use crate::{call, memory};

/// A copy of the value in memory of its own.
///
/// # Safety
/// `key` as [`arguments::key`] says; `value_len` is NULL or a place for a number.
#[inline]
pub unsafe fn get<H, T: Read>(
    table: &Table<H, Shared<T>>,
    handle: *const H,
    key: *const c_char,
    key_len: usize,
    value_len: *mut usize,
) -> *mut c_char {
    // SAFETY: as owed by the caller.
    let value_len = unsafe { Out::optional(value_len) };
    value_len.set(0);
    call::optional(|| {
        // SAFETY: as owed by the caller.
        let key = unsafe { arguments::key(key, key_len) }?;
        table.with(handle, |reader| {
            let copied = reader.get_with(key, |value| {
                let copied = memory::copy(value)?;
                value_len.set(value.len());
                Ok(copied)
            });
            copied?.transpose()
        })
    })
}

/// The value in a buffer of the caller.
///
/// # Safety
/// As [`get`]; `buffer` is NULL or has room for `capacity` bytes.
#[inline]
pub unsafe fn get_into<H, T: Read>(
    table: &Table<H, Shared<T>>,
    handle: *const H,
    key: *const c_char,
    key_len: usize,
    (buffer, capacity): (*mut c_char, usize),
    value_len: *mut usize,
) -> c_int {
    call::found(|| {
        // SAFETY: as owed by the caller.
        let value_len = unsafe { Out::required(value_len, "length of the value") }?;
        value_len.set(0);
        // SAFETY: as owed by the caller.
        let key = unsafe { arguments::key(key, key_len) }?;
        if buffer.is_null() && capacity != 0 {
            return Err(Error::invalid(format!("the buffer is NULL and has room for {capacity} bytes")));
        }
        let copied = table.with(handle, |reader| {
            reader.get_with(key, |value| {
                value_len.set(value.len());
                if value.len() <= capacity {
                    // SAFETY: the buffer has room for `capacity` bytes.
                    unsafe { memory::copy_into(value, buffer) };
                    return Ok(());
                }
                Err(Error::invalid(format!("value of {} bytes: the buffer has {capacity}", value.len())))
            })
        });
        Ok(copied?.transpose()?.is_some())
    })
}

/// A handle of a new scan.
///
/// # Safety
/// `options` as [`scan_options`] says.
pub unsafe fn scan<H, T: Read>(
    table: &Table<H, Shared<T>>,
    handle: *const H,
    options: *const lightning_db_scan_options_t,
) -> *mut lightning_db_scan_t {
    call::pointer(|| {
        // SAFETY: as owed by the caller.
        let options = unsafe { scan_options(options) }?;
        SCANS.insert(table.with(handle, |reader| reader.cursor(options))?)
    })
}
