//! Panics end here: none crosses into another language.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lightning_db::{Error, ErrorKind, Result};

/// Runs a call; a panic in it becomes `Internal`. What it worked on may be half-way, but is never unsound:
/// the engine halts a database whose writing was left unfinished.
pub fn guard<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(internal(&*panic)))
}

/// The error with a number, for tests of how a language shows errors. `InvalidArgument` if there is none.
pub fn raised(number: u64) -> Error {
    match u8::try_from(number).ok().and_then(ErrorKind::from_code) {
        Some(kind) => Error::new(kind, "raised by a test"),
        None => Error::invalid(format!("no kind of error has the number {number}")),
    }
}

fn internal(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    Error::new(ErrorKind::Internal, format!("a bug in Lightning DB, please report it: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::panic, reason = "it is what is caught")]
    fn a_panic_is_internal_with_its_message() {
        let error = guard::<()>(|| panic!("number {}", 7)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(error.to_string().contains("number 7"), "{error}");
        assert_eq!(guard(|| Ok(1)).unwrap(), 1);
    }
}
