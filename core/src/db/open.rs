//! Creating, opening and restoring.

use std::path::{Path, PathBuf};

use crate::backup;
use crate::base::comparator::KeyOrder;
use crate::base::config::{ConsistencyLevel, LightningDbConfig};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::LOCK;
use crate::cache::rows::RowCache;
use crate::compaction::Limits;
use crate::db::background::Background;
use crate::db::database::{Database, Owner};
use crate::db::handles::Handles;
use crate::engine::Engine;
use crate::health::Health;
use crate::manifest::State;
use crate::recovery::{self, Found, Opened};
use crate::sync::{Arc, Mutex};
use crate::vfs::{OsVfs, Vfs, VfsLock, sync_folder};
use crate::write::{Writer, WriterOptions};

/// The rows may take the cache divided by this.
const ROWS_SHARE: usize = 4;

/// Level 1 may hold this many memtables' worth of bytes.
const LEVEL1_MEMTABLES: u64 = 4;

/// Level 0 may hold this many times its compaction trigger before writes wait.
const LEVEL0_STOP: usize = 5;

impl Database {
    /// Opens the database at `path`, making it (and missing parent folders) if there is none. A creation
    /// that was cut is done again. Blocks for some syncs, and for the replay of the log.
    ///
    /// Errors: `InvalidArgument` (options), `NotADatabase`, `Locked`, `Mismatch` (comparator),
    /// `Corruption`, `UnsupportedVersion`, `PermissionDenied`, `NoSpace`, `Io`.
    pub fn create(path: impl AsRef<Path>, config: LightningDbConfig) -> Result<Database> {
        Self::open_on(Arc::new(OsVfs), path.as_ref(), config, true)
    }

    /// Opens the database at `path`, which must exist. Errors: as [`Database::create`], and `NotFound`.
    pub fn open(path: impl AsRef<Path>, config: LightningDbConfig) -> Result<Database> {
        Self::open_on(Arc::new(OsVfs), path.as_ref(), config, false)
    }

    /// Restores the backup in `source` to `target`, a folder that is absent or empty, and opens it.
    /// Every byte is verified. A restore that was cut can be run again.
    ///
    /// Errors: `NotFound` (no finished backup there), `AlreadyExists` (target), `Corruption`, and as
    /// [`Database::create`].
    pub fn restore(target: impl AsRef<Path>, source: impl AsRef<Path>) -> Result<Database> {
        Self::restore_on(Arc::new(OsVfs), target.as_ref(), source.as_ref(), LightningDbConfig::default())
    }

    /// As [`Database::restore`], opened with a configuration (needed for a custom comparator).
    pub fn restore_with(
        target: impl AsRef<Path>,
        source: impl AsRef<Path>,
        config: LightningDbConfig,
    ) -> Result<Database> {
        Self::restore_on(Arc::new(OsVfs), target.as_ref(), source.as_ref(), config)
    }

    /// As [`Database::restore_with`], on another file system.
    #[doc(hidden)]
    pub fn restore_on(
        vfs: Arc<dyn Vfs>,
        target: &Path,
        source: &Path,
        mut config: LightningDbConfig,
    ) -> Result<Database> {
        config.validate()?;
        check_path(target)?;
        check_path(source)?;
        let order = config.take_order();
        if let Some(parent) = target.parent() {
            create_folders(&*vfs, parent)?;
        }
        backup::restore(&vfs, target, source, order.as_ref())?;
        open_folder(vfs, target, config, order, false)
    }

    /// As [`Database::create`] or [`Database::open`], on another file system.
    #[doc(hidden)]
    pub fn open_on(
        vfs: Arc<dyn Vfs>,
        path: &Path,
        mut config: LightningDbConfig,
        create: bool,
    ) -> Result<Database> {
        config.validate()?;
        let order = config.take_order();
        open_folder(vfs, path, config, order, create)
    }
}

fn open_folder(
    vfs: Arc<dyn Vfs>,
    path: &Path,
    config: LightningDbConfig,
    order: Option<KeyOrder>,
    create: bool,
) -> Result<Database> {
    check_path(path)?;
    let found = recovery::inspect(&*vfs, path)?;
    let missing = matches!(found, Found::Nothing | Found::EmptyFolder);
    if missing && !create {
        let message = format!(
            "{}: there is no database; opened to be created (mode rwc) it would be made",
            path.display()
        );
        return Err(Error::new(ErrorKind::NotFound, message).with_file(path));
    }
    if found == Found::Nothing {
        create_folders(&*vfs, path)?;
    }
    let folder = vfs.canonicalize(path).map_err(|error| Error::io("resolve", path, error))?;
    let lock = take_lock(&*vfs, &folder)?;
    if recovery::inspect(&*vfs, &folder)? != Found::Database {
        let state = State::new(
            order.as_ref().unwrap_or(&KeyOrder::Bytewise).name(),
            config.page_size as u32,
            config.compression_type,
        );
        recovery::create(&vfs, &folder, state)?;
    }
    let health = Arc::new(Health::default());
    let opened = recovery::open(&vfs, &folder, &config, order, &health)?;
    start(opened, health, &config, lock)
}

/// An empty path is a mistake of the caller, and no system's error says so.
pub(super) fn check_path(path: &Path) -> Result<()> {
    match path.as_os_str().is_empty() {
        true => Err(Error::invalid("the path is empty")),
        false => Ok(()),
    }
}

fn take_lock(vfs: &dyn Vfs, folder: &Path) -> Result<Box<dyn VfsLock>> {
    vfs.lock(&folder.join(LOCK)).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => {
            let message = format!(
                "{}: is open in another process or handle: close it there, or share that handle",
                folder.display()
            );
            Error::new(ErrorKind::Locked, message).with_file(folder)
        }
        _ => Error::io("lock", &folder.join(LOCK), error),
    })
}

/// Makes a folder and its missing parents, each durable in its parent.
pub(super) fn create_folders(vfs: &dyn Vfs, path: &Path) -> Result<()> {
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut at = path;
    while !at.as_os_str().is_empty() {
        let found = vfs.file_type(at).map_err(|error| Error::io("look at", at, error))?;
        if found.is_some() {
            break;
        }
        missing.push(at.to_owned());
        let Some(parent) = at.parent() else { break };
        at = parent;
    }
    for folder in missing.iter().rev() {
        match vfs.create_dir(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create folder", folder, error)),
        }
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        sync_folder(vfs, parent)?;
    }
    Ok(())
}

fn start(
    opened: Opened,
    health: Arc<Health>,
    config: &LightningDbConfig,
    lock: Box<dyn VfsLock>,
) -> Result<Database> {
    let Opened { catalogue, log, last_sequence, report } = opened;
    let lsm = &config.lsm_config;
    let trigger = lsm.level0_file_num_compaction_trigger;
    let options = WriterOptions {
        memtable_size: lsm.memtable_size,
        checkpoint_interval: config.consistency_config.checkpoint_interval,
        level0_stop: trigger * LEVEL0_STOP,
    };
    let rows = Arc::new(RowCache::new(config.cache_size / ROWS_SHARE)?);
    let writer = Writer::new(
        Arc::clone(&catalogue),
        Arc::clone(&rows),
        Arc::clone(&health),
        options,
        log,
        last_sequence,
    );
    let engine = Arc::new(Engine {
        health,
        catalogue,
        rows,
        writer,
        snapshots: Default::default(),
        default_level: default_level(config),
        max_transactions: config.max_active_transactions,
        limits: Limits { level0_trigger: trigger, level1_bytes: LEVEL1_MEMTABLES * lsm.memtable_size as u64 },
        compact: Default::default(),
        stop: Default::default(),
        flushing: Default::default(),
        compacting: Default::default(),
    });
    let background = Background::start(&engine)?;
    let owner = Owner {
        engine,
        handles: Handles::default(),
        report,
        background: Mutex::new(Some(background)),
        lock: Mutex::new(Some(lock)),
    };
    Ok(Database { owner: Arc::new(owner) })
}

fn default_level(config: &LightningDbConfig) -> ConsistencyLevel {
    let consistency = &config.consistency_config;
    match consistency.default_level {
        ConsistencyLevel::Strong if !consistency.sync_writes => ConsistencyLevel::Quorum,
        level => level,
    }
}
