//! Closing: threads joined, log ended, lock released.

use crate::base::error::Result;
use crate::db::compact::check_not_within;
use crate::db::database::{Database, Owner};

impl Database {
    /// Closes the database for all its handles: every later call on them is `Closed`. Waits for running
    /// commits and background work, writes what is in memory, releases the folder and gives back tables and memory,
    /// but those of a scan that has not been dropped. Calling it again does nothing.
    ///
    /// Errors: the failure that halted the database, or one of the last writes. The folder is released
    /// all the same, and what was acknowledged is found by the next open. With nothing done: `InvalidArgument` in the `progress` of
    /// [`Database::compact_with`], which would wait for itself; `Forked` in a child of the
    /// process that opened it.
    pub fn close(&self) -> Result<()> {
        self.owner.close()
    }
}

impl Owner {
    pub(super) fn close(&self) -> Result<()> {
        self.engine.health.check_process()?;
        check_not_within(&self.engine)?;
        // Held to the end, so that a second caller returns when the folder is free.
        let mut lock = self.lock.lock();
        if !self.engine.health.close() {
            return Ok(());
        }
        if let Some(mut background) = self.background.lock().take() {
            background.stop();
        }
        if let Some(read_ahead) = &self.engine.read_ahead {
            read_ahead.close();
        }
        self.handles.clear();
        self.ingests.abort_all();
        let result = self.engine.finish();
        self.engine.let_go();
        *lock = None;
        self.engine.health.meters.closed(result.as_ref().err());
        result
    }
}
