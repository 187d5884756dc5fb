//! The database handle and what it owns.

use std::fmt;

use crate::db::background::Background;
use crate::db::handles::Handles;
use crate::db::ingest::Ingests;
use crate::engine::Engine;
use crate::read::KeepAlive;
use crate::recovery::RecoveryReport;
use crate::sync::{Arc, Mutex};
use crate::vfs::VfsLock;

/// An open database. Clones share it; it may be used from any number of threads at once.
///
/// Closed by [`Database::close`], or when the last clone, snapshot, scan or transaction is dropped.
///
/// ```
/// use lightning_db::{Database, LightningDbConfig};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("mydb");
/// let db = Database::create(&path, LightningDbConfig::default())?;
/// db.put(b"hello", b"world")?;
/// assert_eq!(db.get(b"hello")?.as_deref(), Some(&b"world"[..]));
/// db.delete(b"hello")?;
/// assert!(db.get(b"hello")?.is_none());
/// # Ok::<(), lightning_db::Error>(())
/// ```
#[derive(Clone)]
pub struct Database {
    pub(super) owner: Arc<Owner>,
}

/// Closes the database when the last handle is dropped.
pub(super) struct Owner {
    pub engine: Arc<Engine>,
    pub handles: Handles,
    pub ingests: Ingests,
    pub report: RecoveryReport,
    pub background: Mutex<Option<Background>>,
    pub lock: Mutex<Option<Box<dyn VfsLock>>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Nobody is left to tell; what was acknowledged is in the log.
        let _ = self.close();
        if self.engine.health.is_forked() {
            // Threads that are not here could not be joined, nor what they were at be ended: it goes with the process.
            std::mem::forget((
                Arc::clone(&self.engine),
                self.background.try_lock().map(|mut own| own.take()),
            ));
        }
    }
}

impl Database {
    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.owner.engine
    }

    /// What keeps the database open for a scan or transaction.
    pub(super) fn keep_alive(&self) -> KeepAlive {
        Some(Arc::clone(&self.owner) as _)
    }

    /// What opening found to mend.
    pub fn recovery_report(&self) -> &RecoveryReport {
        &self.owner.report
    }

    /// Whether the database has not been closed. What is open now may be closed when this returns.
    pub fn is_open(&self) -> bool {
        self.engine().health.check_read().is_ok()
    }

    /// The folder, absolute.
    pub fn path(&self) -> &std::path::Path {
        &self.engine().catalogue.tables().folder
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("path", &self.path()).finish_non_exhaustive()
    }
}
