//! The last error of a thread, and the table of error numbers.
#![allow(unsafe_code, reason = "exported functions; one writes through a pointer of C")]

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::sync::OnceLock;

use lightning_db_bindings::{Error, ErrorKind, raised};

use crate::arguments::Out;
use crate::call;

/// What is known of an error beside its number.
struct Details {
    /// Borrowed in one case: a key that is absent.
    message: Cow<'static, CStr>,
    file: Option<CString>,
    offset: Option<u64>,
    os_code: c_int,
}

thread_local! {
    // Apart from the details, so that a call that succeeds touches a plain number only.
    static CODE: Cell<c_int> = const { Cell::new(0) };
    static DETAILS: RefCell<Option<Details>> = const { RefCell::new(None) };
}

/// Notes that a call succeeded. The text of an earlier error stays where it is.
#[inline]
pub fn clear() -> c_int {
    CODE.set(0);
    0
}

/// Notes an error; its number.
#[cold]
pub fn set(error: &Error) -> c_int {
    note(
        error.code().into(),
        Details {
            message: Cow::Owned(text(error.to_string().into_bytes())),
            file: error.file().map(|file| text(file.as_os_str().as_encoded_bytes().to_vec())),
            offset: error.offset(),
            os_code: error.os_code().unwrap_or(0),
        },
    )
}

/// Notes that a key is absent.
pub fn set_absent() -> c_int {
    let message = Cow::Borrowed(c"NotFound: the key is absent");
    note(ErrorKind::NotFound.code().into(), Details { message, file: None, offset: None, os_code: 0 })
}

/// Notes what a callback of the caller returned, unless that is the error that it got from us.
pub fn set_returned(code: c_int) -> c_int {
    if code == CODE.get() {
        return code;
    }
    let message = Cow::Owned(text(format!("the callback returned {code}").into_bytes()));
    note(code, Details { message, file: None, offset: None, os_code: 0 })
}

fn note(code: c_int, details: Details) -> c_int {
    CODE.set(code);
    // At the end of a thread there may be no place left for the text.
    let _ = DETAILS.try_with(|place| place.replace(Some(details)));
    code
}

fn text(mut bytes: Vec<u8>) -> CString {
    bytes.retain(|&byte| byte != 0);
    CString::new(bytes).unwrap_or_default()
}

/// Something of the last error; `None` if there is none.
fn last<R>(read: impl FnOnce(&Details) -> Option<R>) -> Option<R> {
    if CODE.get() == 0 {
        return None;
    }
    DETAILS.try_with(|place| place.borrow().as_ref().and_then(read)).ok().flatten()
}

/// Names of the error numbers, 0 first.
fn names() -> &'static [CString] {
    static NAMES: OnceLock<Vec<CString>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let names = ErrorKind::ALL.iter().map(|kind| text(kind.name().into()));
        std::iter::once(c"Ok".to_owned()).chain(names).collect()
    })
}

/// Number of the error of this thread's last call, as that call returned it; 0 if it succeeded. Behind a call
/// that returns a pointer, 0 and NULL together mean that the key is absent. Calls that free something
/// (`..._free`, `lightning_db_destroy`) leave it alone when they succeed, so the reason can be told behind
/// the cleaning; calls that ask for constants or for this error never change it.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_last_error_code() -> c_int {
    CODE.get()
}

/// The error of this thread's last call as a sentence that names the thing and says what to do; "" if it
/// succeeded, never NULL. The text is ours and is valid until the next call of this thread that fails, or
/// the thread's end. UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_last_error() -> *const c_char {
    last(|details| Some(details.message.as_ptr())).unwrap_or(c"".as_ptr())
}

/// The file that the last error of this thread is about, or NULL. As `lightning_db_last_error`, but the bytes
/// of the path as they are.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_last_error_file() -> *const c_char {
    last(|details| details.file.as_ref().map(|file| file.as_ptr())).unwrap_or(ptr::null())
}

/// Whether the last error of this thread is about a place in `lightning_db_last_error_file()`; then
/// `*offset`, if `offset` is not NULL, is set to it, in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_last_error_offset(offset: *mut u64) -> bool {
    let found = last(|details| details.offset);
    if let Some(found) = found {
        // SAFETY: the caller gives NULL or a place for a number.
        unsafe { Out::optional(offset) }.set(found);
    }
    found.is_some()
}

/// Whether the last error of this thread is that a key is absent. Tells that NotFound of `lightning_db_get_into` from
/// the one of a keyspace that was dropped.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_last_error_is_absent_key() -> bool {
    last(|details| matches!(details.message, Cow::Borrowed(_)).then_some(())).is_some()
}

/// The operating system's number (`errno`) of the last error of this thread; 0 if it did not come from there.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_last_error_os_code() -> c_int {
    last(|details| Some(details.os_code)).unwrap_or(0)
}

/// Name of an error number, the same in every language: "Conflict". "Ok" for 0, "Unknown" for a number that
/// is not ours. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_error_name(code: c_int) -> *const c_char {
    let name = usize::try_from(code).ok().and_then(|code| names().get(code));
    name.map_or(c"Unknown".as_ptr(), |name| name.as_ptr())
}

/// Whether the call that failed with this number may succeed later without anything being mended.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_error_is_retryable(code: c_int) -> bool {
    u8::try_from(code).ok().and_then(ErrorKind::from_code).is_some_and(ErrorKind::is_retryable)
}

/// Fails with the error of a number, for testing how a program treats it. Returns the number;
/// `LIGHTNING_DB_INVALID_ARGUMENT` for one that is not an error of ours.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_error_raise(code: c_int) -> c_int {
    call::status(|| Err(raised(u64::try_from(code).unwrap_or(u64::MAX))))
}

/// Version of the library that is running, "MAJOR.MINOR.PATCH". The text is static. `LIGHTNING_DB_VERSION` is
/// that of the header.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_at_their_numbers() {
        for kind in ErrorKind::ALL {
            assert_eq!(names()[usize::from(kind.code())].to_str().unwrap(), kind.name());
        }
    }
}
