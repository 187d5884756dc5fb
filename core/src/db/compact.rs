//! Compaction that a caller asks for, and waits for.

use std::cell::RefCell;
use std::ops::ControlFlow;

use crate::base::error::{Error, Result};
use crate::db::database::Database;
use crate::engine::{CompactionProgress, Engine};

thread_local! {
    /// The engines, by address, that this thread compacts: `progress` may compact another one.
    static COMPACTING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// This thread compacts an engine, until this is dropped.
struct Compacting;

impl Compacting {
    fn begin(engine: &Engine) -> Self {
        COMPACTING.with_borrow_mut(|engines| engines.push(std::ptr::from_ref(engine).addr()));
        Compacting
    }
}

impl Drop for Compacting {
    fn drop(&mut self) {
        COMPACTING.with_borrow_mut(Vec::pop);
    }
}

/// Errors: `InvalidArgument` if this thread compacts the engine: a close would wait for that, and that for the close.
pub(super) fn check_not_within(engine: &Engine) -> Result<()> {
    let address = std::ptr::from_ref(engine).addr();
    match COMPACTING.try_with(|engines| engines.borrow().contains(&address)) {
        Ok(true) => Err(Error::invalid(
            "close: this thread compacts the database, whose progress called it; end the compaction first",
        )),
        // A thread that ends has nothing of its own any more.
        Ok(false) | Err(_) => Ok(()),
    }
}

impl Database {
    /// Flushes, then merges all tables into one level, without old versions that nobody can see. Reads and
    /// writes go on. Blocks until done. Goes piece by piece: needs room for a second copy of some hundred MiB,
    /// not of all data.
    ///
    /// Errors: `NoSpace`, `Corruption` (a damaged table), `Halted`, `Closed`, `Io`; `Cancelled` when another
    /// thread closes the database.
    pub fn compact_lsm(&self) -> Result<()> {
        self.compact_with(|_| ControlFlow::Continue(()))
    }

    /// As [`Database::compact_lsm`]. `progress` is called now and then, at the begin and at the end; with
    /// [`ControlFlow::Break`] it ends the compaction: `Cancelled`, the piece in work is taken back. It may use the database, but
    /// not close it.
    pub fn compact_with(
        &self,
        mut progress: impl FnMut(CompactionProgress) -> ControlFlow<()>,
    ) -> Result<()> {
        let _compacting = Compacting::begin(self.engine());
        self.engine().compact_all(&mut progress)
    }
}
