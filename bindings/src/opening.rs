//! Opening, backing up and restoring with paths and options as the languages give them.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use lightning_db::vfs::{OsVfs, Vfs};
use lightning_db::{
    BackupEngine, CheckProgress, CheckReport, CompactionProgress, Comparator, ConsistencyManager, Database,
    Error, LightningDbConfig, OptionValue, Result,
};

/// How to open a database.
#[derive(Debug, Default)]
pub struct Opening {
    config: LightningDbConfig,
    mode: Mode,
    /// `None`: that of the operating system.
    #[cfg(feature = "faults")]
    disk: Option<lightning_db::vfs::MemoryVfs>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Mode {
    #[default]
    Create,
    Write,
    Read,
}

impl Opening {
    /// The defaults: mode "rwc".
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an option by its name. `mode` is one too: "rwc" (make the database if there is none), "rw" (it
    /// must exist) or "r" (it must exist, and is only read). Errors: `InvalidArgument`; ranges are judged by
    /// [`Opening::open`].
    pub fn set(&mut self, name: &str, value: OptionValue<'_>) -> Result<()> {
        #[cfg(feature = "faults")]
        if name == crate::faults::OPTION {
            self.disk = Some(crate::faults::disk_of(value)?);
            return Ok(());
        }
        if name != "mode" {
            return self.config.set(name, value);
        }
        self.mode = match value {
            OptionValue::Text("rwc") => Mode::Create,
            OptionValue::Text("rw") => Mode::Write,
            OptionValue::Text("r") => Mode::Read,
            other => return Err(Error::invalid(format!("option mode takes rwc, rw or r, not {other}"))),
        };
        Ok(())
    }

    /// Sets the order of keys of the default keyspace.
    pub fn comparator(&mut self, comparator: Box<dyn Comparator>) {
        self.config.comparator = Some(comparator);
    }

    /// Adds an order of keys for keyspaces that were made with it.
    pub fn add_comparator(&mut self, comparator: Box<dyn Comparator>) {
        self.config.comparators.push(comparator);
    }

    /// Opens the database in a folder. Errors: as [`Database::create`], [`Database::open`] and
    /// [`Database::open_read_only`].
    pub fn open(self, path: &Path) -> Result<Database> {
        let vfs = self.vfs();
        match self.mode {
            Mode::Create => Database::open_on(vfs, path, self.config, true),
            Mode::Write => Database::open_on(vfs, path, self.config, false),
            Mode::Read => Database::open_read_only_on(vfs, path, self.config),
        }
    }

    fn vfs(&self) -> Arc<dyn Vfs> {
        #[cfg(feature = "faults")]
        if let Some(disk) = &self.disk {
            return Arc::new(disk.clone());
        }
        Arc::new(OsVfs)
    }
}

/// Checks the database in a folder, which nobody has open. The mode is not looked at. `progress` is called often.
/// Errors: as [`ConsistencyManager::check`].
pub fn check(
    path: &Path,
    opening: Opening,
    progress: impl Fn(CheckProgress) + Send + Sync + 'static,
) -> Result<CheckReport> {
    let vfs = opening.vfs();
    ConsistencyManager::with_config(opening.config).on_progress(progress).check_on(vfs, path)
}

/// Checks the database in a folder, which nobody has open, and mends what is wrong. The mode is not looked at.
/// `progress` is called often. Errors: as [`ConsistencyManager::repair`].
pub fn repair(
    path: &Path,
    opening: Opening,
    progress: impl Fn(CheckProgress) + Send + Sync + 'static,
) -> Result<CheckReport> {
    let vfs = opening.vfs();
    ConsistencyManager::with_config(opening.config).on_progress(progress).repair_on(vfs, path)
}

/// Merges all tables, unless `progress` answers false: `Cancelled` then. Errors and blocking: as
/// [`Database::compact_with`].
pub fn compact(db: &Database, mut progress: impl FnMut(CompactionProgress) -> bool) -> Result<()> {
    db.compact_with(|done| match progress(done) {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    })
}

/// Backs up a database. Errors: as [`BackupEngine::create_backup`].
pub fn backup(db: &Database, target: &Path) -> Result<()> {
    BackupEngine::new(db).create_backup(target).map(drop)
}

/// Restores a backup to a folder that is absent or empty, and leaves it closed. Errors: as
/// [`Database::restore`].
pub fn restore(source: &Path, target: &Path) -> Result<()> {
    restore_with(source, target, Opening::new())
}

/// As [`restore`], with the comparators of your own that the database was made with. The mode is not looked at.
pub fn restore_with(source: &Path, target: &Path, opening: Opening) -> Result<()> {
    Database::restore_on(opening.vfs(), target, source, opening.config)?.close()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Read;
    use crate::store::Store;
    use lightning_db::{ErrorKind, KeyspaceOptions};

    struct ByLength(&'static str);

    impl Comparator for ByLength {
        fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
            a.len().cmp(&b.len())
        }

        fn name(&self) -> &str {
            self.0
        }
    }

    fn with_orders() -> Opening {
        let mut opening = Opening::new();
        opening.comparator(Box::new(ByLength("first")));
        opening.add_comparator(Box::new(ByLength("second")));
        opening
    }

    #[test]
    fn orders_of_ones_own_go_wherever_a_database_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let store = Store::from(with_orders().open(&path("db")).unwrap());
        let order: Box<dyn Comparator> = Box::new(ByLength("second"));
        let options = KeyspaceOptions { comparator: Some(order), ..Default::default() };
        let other = store.create_keyspace("other", options).unwrap();
        for store in [&store, &other] {
            let mut ingest = store.ingest().unwrap();
            ["b", "aa"].iter().for_each(|key| ingest.add(key, "").unwrap());
            assert_eq!(ingest.finish().unwrap().entries, 2);
            let mut cursor = store.cursor(Default::default()).unwrap();
            assert_eq!(cursor.next_entry().unwrap().unwrap().0, b"b");
        }
        backup(store.database(), &path("backup")).unwrap();
        store.database().close().unwrap();
        let mismatch = |error: Option<Error>| assert_eq!(error.unwrap().kind(), ErrorKind::Mismatch);
        mismatch(Opening::new().open(&path("db")).err());
        mismatch(check(&path("db"), Opening::new(), |_| {}).err());
        assert!(check(&path("db"), with_orders(), |_| {}).unwrap().is_ok());
        mismatch(restore(&path("backup"), &path("restored")).err());
        restore_with(&path("backup"), &path("restored"), with_orders()).unwrap();
        let mut reading = with_orders();
        reading.set("mode", OptionValue::Text("r")).unwrap();
        let store = Store::from(reading.open(&path("restored")).unwrap());
        assert!(store.keyspace_named("other").unwrap().contains(b"aa").unwrap());
    }
}
