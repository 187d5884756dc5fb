//! Backups of an open database.

use std::path::Path;

use crate::backup::{self, BackupInfo};
use crate::base::error::{Error, Result};
use crate::db::database::Database;

/// Makes and lists backups.
///
/// ```
/// use lightning_db::{BackupEngine, Database};
/// # let folder = tempfile::tempdir().unwrap();
/// # let db = Database::create(folder.path().join("db"), Default::default())?;
/// let backup_engine = BackupEngine::new(&db);
/// backup_engine.create_backup(folder.path().join("backups/monday"))?;
/// for backup in backup_engine.list_backups(folder.path().join("backups"))? {
///     println!("Backup: {} at {}", backup.id, backup.timestamp);
/// }
/// let restored = Database::restore(folder.path().join("restored"), folder.path().join("backups/monday"))?;
/// # Ok::<(), lightning_db::Error>(())
/// ```
pub struct BackupEngine {
    db: Database,
}

impl BackupEngine {
    /// For a database; holds a handle to it, which keeps it open until it is closed.
    pub fn new(db: &Database) -> Self {
        BackupEngine { db: db.clone() }
    }

    /// Copies all that is committed into `target`, a folder that is absent or empty (missing parents are
    /// made). Writers go on. Blocks until the copy is on stable storage and verified. A backup that was
    /// cut is not one, and can be made again in the same place.
    ///
    /// Errors: `AlreadyExists`, `InvalidArgument` (inside the database), `Locked`, `NoSpace`, `Corruption` (of the source, or of
    /// the copy), `Halted`, `Closed`, `Io`; `ReadOnly` (it begins with a flush, so it is made by the writer).
    pub fn create_backup(&self, target: impl AsRef<Path>) -> Result<BackupInfo> {
        let target = target.as_ref();
        super::open::check_path(target)?;
        let engine = self.db.engine();
        // It begins with a flush.
        engine.health.check_write()?;
        self.check_outside(target)?;
        if let Some(parent) = target.parent() {
            super::open::create_folders(&*engine.catalogue.tables().vfs, parent)?;
        }
        let backup = || backup::create_backup(engine, target);
        let backup = engine.health.meters.backup(target, |made: &BackupInfo| made.size, backup);
        backup.map_err(|error| engine.health.closed_or(error))
    }

    /// Who deletes a database should not delete its backup with it.
    fn check_outside(&self, target: &Path) -> Result<()> {
        let tables = self.db.engine().catalogue.tables();
        let inside = target
            .ancestors()
            .any(|folder| tables.vfs.canonicalize(folder).is_ok_and(|real| real == tables.folder));
        if inside {
            let message = format!("{}: lies inside the database that it is to back up", target.display());
            return Err(Error::invalid(message));
        }
        Ok(())
    }

    /// The finished backups in a folder, oldest first. Unfinished and damaged ones are left out.
    pub fn list_backups(&self, parent: impl AsRef<Path>) -> Result<Vec<BackupInfo>> {
        backup::list_backups(&*self.db.engine().catalogue.tables().vfs, parent.as_ref())
    }
}
