//! Handles that one thread may close while others use them.

use std::sync::Arc;

use lightning_db::{Database, Error, ErrorKind, Result};
use parking_lot::{Mutex, RwLock};

/// A handle to something that calls may share, such as a snapshot.
pub struct Handle<T> {
    what: &'static str,
    slot: RwLock<Option<Arc<T>>>,
}

impl<T> Handle<T> {
    /// `what` is the handle's word in messages: "snapshot".
    pub fn new(what: &'static str, value: T) -> Self {
        Handle::of(what, Arc::new(value))
    }

    pub(crate) fn of(what: &'static str, value: Arc<T>) -> Self {
        Handle { what, slot: RwLock::new(Some(value)) }
    }

    pub(crate) fn what(&self) -> &'static str {
        self.what
    }

    /// The value, which lives at least as long as the answer. Errors: `Closed`.
    pub fn get(&self) -> Result<Arc<T>> {
        self.slot.read().clone().ok_or_else(|| closed(self.what))
    }

    /// Takes the value out: every later call is `Closed`. `None` if it was closed already.
    pub fn take(&self) -> Option<Arc<T>> {
        self.slot.write().take()
    }

    /// Whether it has not been closed.
    pub fn is_open(&self) -> bool {
        self.slot.read().is_some()
    }
}

/// A handle to something that one call at a time may use, such as a scan. Others wait, so nothing that
/// they may hold (an interpreter's lock) may be asked for inside.
pub struct Exclusive<T> {
    what: &'static str,
    slot: Mutex<Option<T>>,
}

impl<T> Exclusive<T> {
    /// `what` is the handle's word in messages: "scan".
    pub fn new(what: &'static str, value: T) -> Self {
        Exclusive { what, slot: Mutex::new(Some(value)) }
    }

    /// Runs a call on the value. Errors: `Closed`, and those of the call.
    pub fn with<R>(&self, call: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        call(self.slot.lock().as_mut().ok_or_else(|| closed(self.what))?)
    }

    /// Takes the value out: every later call is `Closed`. `None` if it was closed already.
    pub fn take(&self) -> Option<T> {
        self.slot.lock().take()
    }

    /// Whether it has not been closed.
    pub fn is_open(&self) -> bool {
        self.slot.lock().is_some()
    }
}

/// The error of a call on something that is closed: "database", "scan".
pub fn closed(what: &str) -> Error {
    Error::new(ErrorKind::Closed, format!("the {what} is closed"))
}

/// The error of a database that is not open (any more, or in this process): `Closed`, `Forked`.
#[cold]
pub fn not_open(db: &Database) -> Error {
    db.get_metrics().err().unwrap_or_else(|| closed("database"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_handle_says_so_and_its_last_user_goes_on() {
        let handle = Handle::new("snapshot", 7);
        let used = handle.get().unwrap();
        assert!(handle.take().is_some() && handle.take().is_none());
        assert_eq!(*used, 7);
        let error = handle.get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(error.to_string().contains("snapshot"));
    }

    #[test]
    fn an_exclusive_handle_closes_too() {
        let handle = Exclusive::new("scan", vec![1]);
        handle
            .with(|list| {
                list.push(2);
                Ok(())
            })
            .unwrap();
        assert_eq!(handle.take(), Some(vec![1, 2]));
        assert!(!handle.is_open());
        assert_eq!(handle.with(|_| Ok(())).unwrap_err().kind(), ErrorKind::Closed);
    }
}
