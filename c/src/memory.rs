//! Memory that the caller frees: of `malloc`, so that one pointer is enough to free it.
#![allow(unsafe_code, reason = "memory of C")]

use std::ffi::{c_char, c_void};
use std::ptr::{self, NonNull};

use lightning_db_bindings::{Error, ErrorKind, Result};

use crate::arguments::lightning_db_bytes_t;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(memory: *mut c_void);
}

/// Allocates. Errors: `OutOfMemory`.
fn allocate(size: usize) -> Result<NonNull<u8>> {
    // SAFETY: has no requirements.
    let memory = unsafe { malloc(size) };
    NonNull::new(memory.cast())
        .ok_or_else(|| Error::new(ErrorKind::OutOfMemory, format!("no memory for a result of {size} bytes")))
}

/// A copy of the bytes with a 0 behind them. Errors: `OutOfMemory`.
#[inline]
pub fn copy(bytes: &[u8]) -> Result<*mut c_char> {
    let memory = allocate(bytes.len() + 1)?;
    // SAFETY: the memory is new and has room for the bytes and the 0.
    unsafe {
        ptr::copy_nonoverlapping(bytes.as_ptr(), memory.as_ptr(), bytes.len());
        memory.add(bytes.len()).write(0);
    }
    Ok(memory.as_ptr().cast())
}

/// Copies into a buffer of the caller.
///
/// # Safety
/// `buffer` has room for the bytes.
#[inline]
pub unsafe fn copy_into(bytes: &[u8], buffer: *mut c_char) {
    if !bytes.is_empty() {
        // SAFETY: room as owed by the caller; bytes of ours do not overlap with memory of the caller.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), bytes.len()) }
    }
}

/// An array of values, and behind it their bytes, each with a 0, in one piece of memory. Errors:
/// `OutOfMemory`.
pub fn copy_all<V: AsRef<[u8]>>(values: &[Option<V>]) -> Result<*mut lightning_db_bytes_t> {
    let sizes = values.iter().flatten().map(|value| value.as_ref().len() + 1);
    let array = values.len() * size_of::<lightning_db_bytes_t>();
    let memory = allocate((array + sizes.sum::<usize>()).max(1))?;
    let entries = memory.cast::<lightning_db_bytes_t>();
    let mut end = array;
    for (index, value) in values.iter().enumerate() {
        let mut entry = lightning_db_bytes_t { data: ptr::null(), len: 0 };
        // SAFETY: `array` covers the entries and the rest every value with its 0, in the order in which they
        // are added up above. The memory of `malloc` is aligned for any entry.
        unsafe {
            if let Some(value) = value {
                let (bytes, place) = (value.as_ref(), memory.add(end));
                ptr::copy_nonoverlapping(bytes.as_ptr(), place.as_ptr(), bytes.len());
                place.add(bytes.len()).write(0);
                end += bytes.len() + 1;
                entry = lightning_db_bytes_t { data: place.as_ptr().cast(), len: bytes.len() };
            }
            entries.add(index).write(entry);
        }
    }
    Ok(entries.as_ptr())
}

/// Frees a value that a call returned, such as that of `lightning_db_get`. NULL is fine. It is memory of
/// `malloc`, so `free` of the same C library does too. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_free_value(value: *mut c_char) {
    // SAFETY: NULL, or from `allocate` and not freed yet, as owed by the caller.
    unsafe { free(value.cast()) }
}

/// Frees the values of `lightning_db_get_many`, all at once. NULL is fine. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_free_values(values: *mut lightning_db_bytes_t) {
    // SAFETY: as above.
    unsafe { free(values.cast()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_from_one_piece_of_memory() {
        let values = [Some(&b"one"[..]), None, Some(b""), Some(&[7; 100])];
        let entries = copy_all(&values).unwrap();
        for (index, value) in values.iter().enumerate() {
            // SAFETY: the array has as many entries as there are values.
            let entry = unsafe { *entries.add(index) };
            assert_eq!((entry.data.is_null(), entry.len), (value.is_none(), value.map_or(0, <[u8]>::len)));
            if let Some(value) = value {
                // SAFETY: the bytes and the 0 behind them were written above.
                let bytes = unsafe { std::slice::from_raw_parts(entry.data.cast::<u8>(), entry.len + 1) };
                assert_eq!(bytes, [*value, &[0]].concat());
            }
        }
        // SAFETY: made above, freed once.
        unsafe { lightning_db_free_values(entries) };
    }
}
