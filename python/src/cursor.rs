//! Iterators. They read a page of entries at a time, with the interpreter's lock released.

use lightning_db_bindings::{Cursor, Database, Exclusive, Page, Result, not_open};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::bytes::new;
use crate::error::{Failure, Outcome, guarded};

/// Entries that were read and not yet given.
#[derive(Default)]
struct Ready {
    page: Page,
    next: usize,
    end: bool,
}

enum Step<T> {
    Entry(PyResult<T>),
    End,
    Empty,
}

/// A scan behind an iterator of any kind.
///
/// Two locks: who reads holds that of `cursor`, always without the interpreter's; that of `ready` is held
/// briefly and runs no Python code, so that the interpreter's may be held there.
pub struct Entries {
    db: Database,
    ready: Exclusive<Ready>,
    cursor: Exclusive<Option<Cursor>>,
    /// Keeps the Python database from being collected, and so closed, before its iterators.
    owner: Py<PyAny>,
}

impl Entries {
    pub fn new(db: Database, owner: Py<PyAny>, cursor: Cursor) -> Self {
        let ready = Exclusive::new("iterator", Ready::default());
        Entries { db, ready, cursor: Exclusive::new("iterator", Some(cursor)), owner }
    }

    /// The next entry, made by `make`, which must not run Python code; `None` at the end.
    fn next<'py, T>(
        &self,
        py: Python<'py>,
        make: impl Fn(Python<'py>, &[u8], &[u8]) -> PyResult<T>,
    ) -> Outcome<Option<T>> {
        loop {
            // What was read before the close is not given after it.
            if !self.db.is_open() {
                return Err(not_open(&self.db).into());
            }
            let step = self.ready.with(|ready| Ok(ready.step(|key, value| make(py, key, value))))?;
            match step {
                Step::Entry(entry) => return Ok(Some(entry?)),
                Step::End => return Ok(None),
                Step::Empty => py.detach(|| self.fill())?,
            }
        }
    }

    /// Reads the next page. An error is told again at every later step, so that it cannot be taken for an end.
    fn fill(&self) -> Result<()> {
        self.cursor.with(|slot| {
            // Another thread may have read it, or closed the iterator, in the meantime.
            let Some(cursor) = slot else { return Ok(()) };
            let Some(mut page) = self.ready.with(|ready| Ok(ready.spent_page()))? else { return Ok(()) };
            cursor.fill(&mut page, true)?;
            if page.is_empty() {
                *slot = None;
            }
            self.ready.with(|ready| {
                *ready = Ready { end: page.is_empty(), page, next: 0 };
                Ok(())
            })
        })
    }

    fn close(&self) {
        self.ready.take();
        self.cursor.take();
    }
}

impl Ready {
    #[inline]
    fn step<T>(&mut self, make: impl Fn(&[u8], &[u8]) -> PyResult<T>) -> Step<T> {
        match self.page.entry(self.next) {
            Some((key, value)) => {
                self.next += 1;
                Step::Entry(make(key, value))
            }
            None if self.end => Step::End,
            None => Step::Empty,
        }
    }

    /// The page, to be filled again, once all its entries have been given.
    fn spent_page(&mut self) -> Option<Page> {
        (!self.end && self.next >= self.page.len()).then(|| std::mem::take(&mut self.page))
    }
}

/// An iterator class; they differ in what they give.
macro_rules! iterator {
    ($(#[$doc:meta])* $name:ident gives $item:ty: $make:expr) => {
        $(#[$doc])*
        ///
        /// Closes itself at its end; `with` and `close()` do so before. May be used from several threads, which
        /// then take turns. An error is raised, never an early end, and again at every later step.
        #[pyclass(frozen, module = "lightning_db")]
        pub struct $name(Entries);

        impl $name {
            pub fn new(db: Database, owner: Py<PyAny>, cursor: Cursor) -> Self {
                $name(Entries::new(db, owner, cursor))
            }
        }

        #[pymethods]
        impl $name {
            fn __iter__(slf: Py<Self>) -> Py<Self> {
                slf
            }

            #[inline]
            fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<$item>> {
                guarded(|| self.0.next(py, $make))
            }

            fn __enter__(slf: Py<Self>) -> Py<Self> {
                slf
            }

            #[pyo3(signature = (*_error: "object") -> "None")]
            fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyTuple>) -> PyResult<()> {
                self.close(py)
            }

            /// Releases what the iterator holds. Later steps raise `ClosedError`; closing again does nothing.
            fn close(&self, py: Python<'_>) -> PyResult<()> {
                guarded(|| {
                    py.detach(|| self.0.close());
                    Ok(())
                })
            }

            /// Whether the iterator, or its database, has been closed.
            #[getter]
            fn closed(&self) -> bool {
                !(self.0.ready.is_open() && self.0.db.is_open())
            }

            fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
                visit.call(&self.0.owner)
            }
        }
    };
}

iterator! {
    /// Keys and values of a scan, in key order.
    ItemsIterator gives (Bound<'py, PyBytes>, Bound<'py, PyBytes>):
    |py, key, value| Ok((new(py, key)?, new(py, value)?))
}

iterator! {
    /// Keys of a scan, in order.
    KeysIterator gives Bound<'py, PyBytes>:
    |py, key, _| new(py, key)
}

iterator! {
    /// Values of a scan, in key order.
    ValuesIterator gives Bound<'py, PyBytes>:
    |py, _, value| new(py, value)
}

/// Number of entries. Lets signals through.
pub fn count(py: Python<'_>, mut cursor: Cursor) -> Outcome<usize> {
    const STRETCH: usize = 1 << 16;
    let mut total = 0;
    loop {
        let counted = py.detach(|| -> Result<usize> {
            let mut counted = 0;
            while counted < STRETCH && cursor.next_entry()?.is_some() {
                counted += 1;
            }
            Ok(counted)
        })?;
        total += counted;
        if counted < STRETCH {
            py.detach(|| drop(cursor));
            return Ok(total);
        }
        py.check_signals().map_err(Failure::from)?;
    }
}
