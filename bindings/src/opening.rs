//! Opening, backing up and restoring with paths and options as the languages give them.

use std::path::Path;

use lightning_db::{BackupEngine, Database, Error, LightningDbConfig, OptionValue, Result};

/// How to open a database.
#[derive(Debug, Default)]
pub struct Opening {
    config: LightningDbConfig,
    must_exist: bool,
}

impl Opening {
    /// The defaults: mode "rwc".
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an option by its name. `mode` is one too: "rwc" (make the database if there is none) or "rw" (it
    /// must exist). Errors: `InvalidArgument`; ranges are judged by [`Opening::open`].
    pub fn set(&mut self, name: &str, value: OptionValue<'_>) -> Result<()> {
        if name != "mode" {
            return self.config.set(name, value);
        }
        self.must_exist = match value {
            OptionValue::Text("rwc") => false,
            OptionValue::Text("rw") => true,
            other => return Err(Error::invalid(format!("option mode takes rwc or rw, not {other}"))),
        };
        Ok(())
    }

    /// Opens the database in a folder. Errors: as [`Database::create`] and [`Database::open`].
    pub fn open(self, path: &Path) -> Result<Database> {
        match self.must_exist {
            true => Database::open(path, self.config),
            false => Database::create(path, self.config),
        }
    }
}

/// Backs up a database. Errors: as [`BackupEngine::create_backup`].
pub fn backup(db: &Database, target: &Path) -> Result<()> {
    BackupEngine::new(db).create_backup(target).map(drop)
}

/// Restores a backup to a folder that is absent or empty, and leaves it closed. Errors: as
/// [`Database::restore`].
pub fn restore(source: &Path, target: &Path) -> Result<()> {
    Database::restore(target, source)?.close()
}
