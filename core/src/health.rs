//! Whether the database still takes writes: open, halted after a failure, or closed.

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::planted::{Plant, planted};
use crate::metrics::Meters;
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering};
use crate::vfs::{forks, watched_forks};

const OPEN: u64 = 0;
const HALTED: u64 = 1;
const CLOSED: u64 = 2;
const READ_ONLY: u64 = 3;

/// The state of a database's write side. `Halted` and `Closed` are final.
#[derive(Default)]
pub struct Health {
    /// What the database has done.
    pub meters: Arc<Meters>,
    state: AtomicU64,
    halted: AtomicBool,
    reason: Mutex<Option<Error>>,
    trouble: Mutex<[Option<Error>; 3]>,
    failures: AtomicU64,
    read_only: bool,
    /// [`forks`] when the database was opened.
    opened_at: u64,
}

/// Background work that may be kept from going on without the database being halted.
#[derive(Clone, Copy, Debug)]
pub enum BackgroundJob {
    /// Writing what `Eventual` commits left in memory.
    Log,
    /// Writing memtables to tables.
    Flush,
    /// Merging tables.
    Compaction,
}

impl BackgroundJob {
    /// The name, for events.
    pub fn name(self) -> &'static str {
        match self {
            BackgroundJob::Log => "log",
            BackgroundJob::Flush => "flush",
            BackgroundJob::Compaction => "compaction",
        }
    }
}

impl Health {
    /// Of a database that is being opened.
    pub fn new(meters: Arc<Meters>) -> Self {
        Health { meters, opened_at: watched_forks(), ..Health::default() }
    }

    /// Of a database that is open read-only.
    pub fn read_only(meters: Arc<Meters>) -> Self {
        Health { state: AtomicU64::new(READ_ONLY), read_only: true, ..Health::new(meters) }
    }

    /// Whether the database was opened read-only, also after the close.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether this is a process that was made by `fork` from the one that opened the database. Its threads are not here,
    /// a lock may be held for ever, and the files are not this process's to write.
    #[inline]
    pub fn is_forked(&self) -> bool {
        forks() != self.opened_at
    }

    /// Errors unless writes may go on: `Forked`, `Closed`, `ReadOnly`, or `Halted` with the first failure.
    #[inline]
    pub fn check_write(&self) -> Result<()> {
        match self.state.load(Ordering::Acquire) {
            _ if self.is_forked() => Err(forked()),
            OPEN => Ok(()),
            HALTED => Err(self.halted()),
            READ_ONLY => Err(read_only()),
            _ => Err(closed()),
        }
    }

    /// Errors unless a transaction may begin. On a read-only handle it may: its first write is refused.
    pub fn check_begin(&self) -> Result<()> {
        let is_read_only = self.state.load(Ordering::Acquire) == READ_ONLY && !self.is_forked();
        if is_read_only { Ok(()) } else { self.check_write() }
    }

    /// Errors only when closed, or in a child of the process that opened it: reads go on in a halted database.
    #[inline]
    pub fn check_read(&self) -> Result<()> {
        if self.may_read() { Ok(()) } else { Err(self.unreadable()) }
    }

    /// Whether [`Health::check_read`] has nothing to say.
    #[inline]
    pub fn may_read(&self) -> bool {
        self.state.load(Ordering::Acquire) != CLOSED && !self.is_forked()
    }

    #[cold]
    fn unreadable(&self) -> Error {
        if self.is_forked() { forked() } else { closed() }
    }

    /// Errors in a child of the process that opened the database.
    pub fn check_process(&self) -> Result<()> {
        if self.is_forked() { Err(forked()) } else { Ok(()) }
    }

    /// The error to report for a failed read: once closed, the files may be another opener's, and what is
    /// missing or different there is no damage.
    pub fn closed_or(&self, error: Error) -> Error {
        self.check_read().err().unwrap_or(error)
    }

    /// Takes no more writes until the database is reopened. The first reason stays.
    pub fn halt(&self, error: &Error) {
        if planted(Plant::HaltForgotten) {
            return;
        }
        let mut first = false;
        self.reason.lock().get_or_insert_with(|| {
            first = true;
            error.clone()
        });
        self.halted.store(true, Ordering::Release);
        let _ = self.state.compare_exchange(OPEN, HALTED, Ordering::AcqRel, Ordering::Acquire);
        if first {
            self.meters.halted(error);
        }
    }

    /// Halts unless the error leaves everything as it was: a failed read, `NoSpace`, `OutOfMemory`, a
    /// cancelled job.
    pub fn halt_unless_undone(&self, error: &Error) {
        let undone = error.is_of_reading()
            || matches!(
                error.kind(),
                ErrorKind::NoSpace | ErrorKind::OutOfMemory | ErrorKind::Cancelled | ErrorKind::Closed
            );
        if !undone {
            self.halt(error);
        }
    }

    /// Notes what keeps a job from going on; `None`: it goes on.
    pub fn note(&self, job: BackgroundJob, trouble: Option<Error>) {
        if let Some(error) = &trouble {
            self.meters.background_error(job.name(), error);
            self.failures.fetch_add(1, Ordering::AcqRel);
        }
        self.trouble.lock()[job as usize] = trouble;
    }

    /// Rises with each job that could not go on.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }

    /// What keeps a job from going on.
    pub fn trouble_of(&self, job: BackgroundJob) -> Option<Error> {
        self.trouble.lock()[job as usize].clone()
    }

    /// What keeps some job from going on.
    pub fn trouble(&self) -> Option<Error> {
        self.trouble.lock().iter().flatten().next().cloned()
    }

    /// Refuses everything from now on. True for the first caller only.
    pub fn close(&self) -> bool {
        self.state.swap(CLOSED, Ordering::AcqRel) != CLOSED
    }

    /// Whether a failure has stopped writes, also after the close.
    pub fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Acquire)
    }

    /// The error for a write in a halted database.
    pub fn halted(&self) -> Error {
        let reason = self.reason.lock().as_ref().map_or_else(String::new, |error| format!(": {error}"));
        Error::new(
            ErrorKind::Halted,
            format!("an earlier write or sync failed; close and reopen the database{reason}"),
        )
    }
}

/// Halts when it is dropped: a step that must be done whole was left half-way, by an error or a panic (of
/// a comparator). [`Unfinished::done`] disarms it.
pub struct Unfinished<'a> {
    health: &'a Health,
    what: &'static str,
}

impl<'a> Unfinished<'a> {
    /// Watches a step; `what` says what is wrong when it is left.
    pub fn new(health: &'a Health, what: &'static str) -> Self {
        Unfinished { health, what }
    }

    /// The step is done.
    pub fn done(self) {
        std::mem::forget(self);
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.health.halt(&Error::new(ErrorKind::Internal, self.what));
    }
}

fn read_only() -> Error {
    Error::new(ErrorKind::ReadOnly, "the database is open read-only: write through a handle that is not")
}

#[cold]
fn forked() -> Error {
    let what = "the database was opened before this process was forked: open it here again, or use it in the parent alone";
    Error::new(ErrorKind::Forked, what)
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the database is closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halted_database_reads_and_a_closed_one_does_not() {
        let health = Health::default();
        health.halt_unless_undone(&Error::new(ErrorKind::NoSpace, "full"));
        assert!(health.check_write().is_ok());
        health.halt(&Error::new(ErrorKind::Io, "first"));
        health.halt(&Error::new(ErrorKind::Io, "second"));
        let error = health.check_write().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Halted);
        assert!(error.to_string().contains("first"));
        assert!(health.check_read().is_ok());
        assert!(health.close());
        assert!(!health.close());
        assert_eq!(health.check_read().unwrap_err().kind(), ErrorKind::Closed);
    }
}
