//! What C gives: bytes, texts, paths, numbers, and places for results.
#![allow(unsafe_code, reason = "reads and writes memory that pointers of C name")]

use std::ffi::{CStr, c_char, c_int};
use std::path::Path;
use std::ptr;
use std::time::Duration;

use lightning_db_bindings::{
    ConsistencyLevel, Error, ErrorKind, Isolation, MAX_KEY_LEN, MAX_VALUE_LEN, Result, write::How,
};

/// Bytes, which may be any, and their number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct lightning_db_bytes_t {
    /// The first byte.
    pub data: *const c_char,
    /// How many.
    pub len: usize,
}

/// The key of a call. Errors: `InvalidArgument`, also for a length that no memory could have.
///
/// # Safety
/// `data` is NULL, or has `len` readable bytes that nobody changes during the call.
#[inline]
pub unsafe fn key<'a>(data: *const c_char, len: usize) -> Result<&'a [u8]> {
    // SAFETY: as owed by the caller.
    unsafe { bytes(data, len, "key", MAX_KEY_LEN) }
}

/// A bound of a scan; `None` if there is none: NULL without a length. Errors: as [`key`].
///
/// # Safety
/// As [`key`].
pub unsafe fn bound<'a>(bytes_of: lightning_db_bytes_t, what: &str) -> Result<Option<&'a [u8]>> {
    if bytes_of.data.is_null() && bytes_of.len == 0 {
        return Ok(None);
    }
    // A bound may be longer than any key.
    // SAFETY: as owed by the caller.
    unsafe { bytes(bytes_of.data, bytes_of.len, what, MAX_VALUE_LEN) }.map(Some)
}

/// The value of a call; else as [`key`].
///
/// # Safety
/// As [`key`].
#[inline]
pub unsafe fn value<'a>(data: *const c_char, len: usize) -> Result<&'a [u8]> {
    // SAFETY: as owed by the caller.
    unsafe { bytes(data, len, "value", MAX_VALUE_LEN) }
}

#[inline]
unsafe fn bytes<'a>(data: *const c_char, len: usize, what: &str, max: usize) -> Result<&'a [u8]> {
    if len > max {
        return Err(Error::invalid(format!("{what} of {len} bytes: at most {max} are allowed")));
    }
    if data.is_null() {
        return match len {
            0 => Ok(&[]),
            _ => Err(Error::invalid(format!("the {what} is NULL and {len} bytes long"))),
        };
    }
    // SAFETY: not NULL, `len` readable bytes as owed by the caller, and `len` is below `isize::MAX`.
    Ok(unsafe { std::slice::from_raw_parts(data.cast(), len) })
}

/// Several keys. Errors: as [`key`], and `InvalidArgument` for an array that is NULL or larger than memory.
///
/// # Safety
/// `entries` is NULL or has `count` readable entries, each as [`key`] says.
pub unsafe fn keys<'a>(entries: *const lightning_db_bytes_t, count: usize) -> Result<Vec<&'a [u8]>> {
    if count > isize::MAX as usize / size_of::<lightning_db_bytes_t>() || (entries.is_null() && count > 0) {
        return Err(Error::invalid(format!("an array of {count} keys at {entries:p}")));
    }
    let mut keys = Vec::new();
    if keys.try_reserve_exact(count).is_err() {
        return Err(Error::new(ErrorKind::OutOfMemory, format!("no memory for {count} keys")));
    }
    for index in 0..count {
        // SAFETY: inside the array. Nothing says that it is aligned.
        let entry = unsafe { ptr::read_unaligned(entries.add(index)) };
        // SAFETY: as owed by the caller.
        keys.push(unsafe { key(entry.data, entry.len) }?);
    }
    Ok(keys)
}

/// A text that ends with a 0. Errors: `InvalidArgument` (NULL, not UTF-8).
///
/// # Safety
/// `text` is NULL, or its bytes up to a 0 are readable and nobody changes them during the call.
pub unsafe fn text<'a>(text: *const c_char, what: &str) -> Result<&'a str> {
    // SAFETY: as owed by the caller.
    let text = unsafe { c_text(text, what) }?;
    text.to_str().map_err(|_| Error::invalid(format!("the {what} is not UTF-8: {text:?}")))
}

/// A path that ends with a 0; on unix any bytes, elsewhere UTF-8. Errors: `InvalidArgument` (NULL, empty).
///
/// # Safety
/// As [`text`].
pub unsafe fn path<'a>(path: *const c_char, what: &str) -> Result<&'a Path> {
    // SAFETY: as owed by the caller.
    let text = unsafe { c_text(path, what) }?;
    if text.is_empty() {
        return Err(Error::invalid(format!("the {what} is empty")));
    }
    #[cfg(unix)]
    return Ok(Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(text.to_bytes())));
    #[cfg(not(unix))]
    text.to_str().map(Path::new).map_err(|_| Error::invalid(format!("the {what} is not UTF-8")))
}

unsafe fn c_text<'a>(text: *const c_char, what: &str) -> Result<&'a CStr> {
    if text.is_null() {
        return Err(Error::invalid(format!("the {what} is NULL")));
    }
    // SAFETY: not NULL, and a text that ends with a 0 as owed by the caller.
    Ok(unsafe { CStr::from_ptr(text) })
}

/// A level by its number, as the header has it; `None` is the default of the database. Errors:
/// `InvalidArgument`.
pub fn level(number: c_int) -> Result<Option<ConsistencyLevel>> {
    let unknown = || Error::invalid(format!("there is no consistency level {number}"));
    let index = usize::try_from(number).map_err(|_| unknown())?;
    let Some(index) = index.checked_sub(1) else { return Ok(None) };
    ConsistencyLevel::NAMES.get(index).map(|(_, level)| Some(*level)).ok_or_else(unknown)
}

/// A level, and how long a write may wait for flush and compaction. Errors: as [`level`].
pub fn how(number: c_int, timeout_ms: i64) -> Result<How> {
    let millis = u64::try_from(timeout_ms);
    let millis = millis.map_err(|_| Error::invalid(format!("a timeout of {timeout_ms} milliseconds")))?;
    Ok(How { level: level(number)?, patience: Some(Duration::from_millis(millis)) })
}

/// Isolation of a transaction: keys and ranges that it read must be unchanged at its commit, so the outcome
/// is that of some serial order. The default.
pub const LIGHTNING_DB_SERIALIZABLE: c_int = 0;
/// Isolation of a transaction: only keys that it wrote must be unchanged at its commit.
pub const LIGHTNING_DB_SNAPSHOT_ISOLATION: c_int = 1;

/// An isolation by its number. Errors: `InvalidArgument`.
pub fn isolation(number: c_int) -> Result<Isolation> {
    match number {
        LIGHTNING_DB_SERIALIZABLE => Ok(Isolation::Serializable),
        LIGHTNING_DB_SNAPSHOT_ISOLATION => Ok(Isolation::Snapshot),
        _ => Err(Error::invalid(format!("there is no isolation {number}"))),
    }
}

/// A place for a result, or none.
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    /// A place that must be there. Errors: `InvalidArgument`.
    ///
    /// # Safety
    /// `place` is NULL, or a `T` may be written there as long as this lives.
    #[inline]
    pub unsafe fn required(place: *mut T, what: &str) -> Result<Self> {
        if place.is_null() {
            return Err(Error::invalid(format!("the place for the {what} is NULL")));
        }
        Ok(Out(place))
    }

    /// A place that may be missing: NULL.
    ///
    /// # Safety
    /// As [`Out::required`].
    #[inline]
    pub unsafe fn optional(place: *mut T) -> Self {
        Out(place)
    }

    /// Writes the result.
    #[inline]
    pub fn set(&self, result: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL, and writable as owed by whoever made this. Nothing says that it is aligned.
            unsafe { ptr::write_unaligned(self.0, result) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_the_numbers_of_the_header() {
        assert_eq!(level(0).unwrap(), None);
        assert_eq!(level(1).unwrap(), Some(ConsistencyLevel::Strong));
        assert_eq!(level(3).unwrap(), Some(ConsistencyLevel::Eventual));
        assert!([-1, 4, c_int::MIN, c_int::MAX].into_iter().all(|number| level(number).is_err()));
    }
}
