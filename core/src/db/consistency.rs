//! Check and repair of a database that is not open.

use std::fmt;
use std::path::Path;

use crate::base::comparator::GivenOrders;
use crate::base::config::LightningDbConfig;
use crate::base::error::{Error, Result};
use crate::db::open::{check_path, take_lock};
use crate::metrics::Meters;
use crate::recovery::{self, CheckProgress, CheckReport, Examination};
use crate::sync::Arc;
use crate::vfs::{OsVfs, Vfs};

/// Checks and repairs databases that nobody has open.
///
/// ```
/// use lightning_db::{ConsistencyManager, Database};
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("mydb");
/// # Database::create(&path, Default::default())?.close()?;
/// let consistency_manager = ConsistencyManager::new();
/// let report = consistency_manager.check_and_repair(&path)?;
/// assert!(report.is_ok(), "{report}");
/// # Ok::<(), lightning_db::Error>(())
/// ```
pub struct ConsistencyManager {
    config: LightningDbConfig,
    given: GivenOrders,
    progress: Box<dyn Fn(CheckProgress) + Send + Sync>,
}

impl Default for ConsistencyManager {
    fn default() -> Self {
        Self::new()
    }
}

impl ConsistencyManager {
    /// With the default configuration.
    pub fn new() -> Self {
        Self::with_config(LightningDbConfig::default())
    }

    /// With a configuration: a comparator of your own must be given; page sizes and codecs count for what a
    /// repair writes.
    pub fn with_config(mut config: LightningDbConfig) -> Self {
        let given = config.take_orders();
        ConsistencyManager { config, given, progress: Box::new(|_| {}) }
    }

    /// Calls `progress` with the bytes looked at so far and in all, often.
    pub fn on_progress(mut self, progress: impl Fn(CheckProgress) + Send + Sync + 'static) -> Self {
        self.progress = Box::new(progress);
        self
    }

    /// Reads every byte of the database at `path` and reports what is wrong. Changes nothing. Blocks; takes as long as
    /// reading all files.
    ///
    /// Errors: `Locked` if it is open, `NotFound`, `NotADatabase`, `InvalidArgument` (options), `Mismatch` (comparator), `UnsupportedVersion`,
    /// `PermissionDenied`, `Io`. Damage is no error, unless nothing says which database this is (`Corruption`).
    pub fn check(&self, path: impl AsRef<Path>) -> Result<CheckReport> {
        self.check_on(Arc::new(OsVfs), path.as_ref())
    }

    /// Mends the database at `path`, also one that does not open. Every record is kept whose page or commit is whole;
    /// the report says what is lost. Files that were replaced are moved to the folder `lost` in the database.
    /// If nothing is wrong nothing is changed. A repair that was cut, or failed, must be run again before the database can be
    /// opened. Needs room for a second copy of what is written anew.
    ///
    /// Where newer records of a key are lost, an older value, or a deleted one, may show again. Records behind a
    /// gap of the log are kept: what is left is then no prefix of the commits.
    ///
    /// Errors: as [`ConsistencyManager::check`], and `NoSpace`.
    pub fn repair(&self, path: impl AsRef<Path>) -> Result<CheckReport> {
        self.repair_on(Arc::new(OsVfs), path.as_ref())
    }

    /// Checks, and repairs if something is wrong: as [`ConsistencyManager::repair`], which checks first.
    pub fn check_and_repair(&self, path: impl AsRef<Path>) -> Result<CheckReport> {
        self.repair(path)
    }

    /// As [`ConsistencyManager::check`], on another file system.
    #[doc(hidden)]
    pub fn check_on(&self, vfs: Arc<dyn Vfs>, path: &Path) -> Result<CheckReport> {
        self.examine(vfs, path, recovery::check)
    }

    /// As [`ConsistencyManager::repair`], on another file system.
    #[doc(hidden)]
    pub fn repair_on(&self, vfs: Arc<dyn Vfs>, path: &Path) -> Result<CheckReport> {
        self.examine(vfs, path, recovery::repair)
    }

    fn examine(
        &self,
        vfs: Arc<dyn Vfs>,
        path: &Path,
        work: impl FnOnce(&Examination<'_>) -> Result<CheckReport>,
    ) -> Result<CheckReport> {
        self.config.validate()?;
        check_path(path)?;
        recovery::check_is_ours(&*vfs, path)?;
        let folder = vfs.canonicalize(path).map_err(|error| Error::io("resolve", path, error))?;
        let _lock = take_lock(&*vfs, &folder)?;
        work(&Examination {
            vfs: &vfs,
            folder: &folder,
            config: &self.config,
            given: &self.given,
            meters: &Arc::new(Meters::new(Arc::clone(&vfs), &folder)),
            progress: &*self.progress,
        })
    }
}

impl fmt::Debug for ConsistencyManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsistencyManager").field("config", &self.config).finish_non_exhaustive()
    }
}
