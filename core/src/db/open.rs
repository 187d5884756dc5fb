//! Creating, opening and restoring.

use std::path::{Path, PathBuf};

use crate::backup;
use crate::base::comparator::{GivenOrders, KeyOrder};
use crate::base::config::{ConsistencyLevel, LightningDbConfig};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::LOCK;
use crate::base::limits::{SMALLEST_TARGET_BYTES, TARGET_TABLE_BYTES};
use crate::btree::ReadAhead;
use crate::cache::rows::RowCache;
use crate::compaction::Limits;
use crate::db::background::Background;
use crate::db::database::{Database, Owner};
use crate::db::handles::Handles;
use crate::engine::Engine;
use crate::health::Health;
use crate::manifest::State;
use crate::metrics::Meters;
use crate::recovery::{self, Found, Opened, RecoveryReport};
use crate::sync::{Arc, Mutex};
use crate::vfs::{OsVfs, Vfs, VfsLock, sync_folder};
use crate::write::{Writer, WriterOptions};

/// Pages read ahead of a scan may take the cache divided by this.
const AHEAD_SHARE: usize = 8;

/// A level between the first and the deepest one is used once it may hold a memtable divided by this.
const SMALLEST_LEVEL: usize = 16;

/// Level 0 may hold this many times its compaction trigger before writes are slowed down.
const LEVEL0_SLOW: usize = 3;

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
        let given = config.take_orders();
        if let Some(parent) = target.parent() {
            create_folders(&*vfs, parent)?;
        }
        backup::restore(&vfs, target, source, &given)?;
        let database = open_folder(vfs, target, config, &given, false)?;
        database.engine().health.meters.restored(source);
        Ok(database)
    }

    /// Opens the database at `path` to be read only: what is committed, that is in its log file, at this
    /// moment. What is written later is not seen; open again for that. Another process, or this one, may have it open to
    /// write, and is not disturbed: nothing is written and no lock is taken. Every write is `ReadOnly`.
    ///
    /// The records of the logs are kept in memory, as in the memtables of the writer. Nothing is mended: a
    /// database that needs it, because its creation was cut, must be opened to write first.
    ///
    /// Errors: `NotFound`, `NotADatabase`, `Mismatch`, `Corruption`, `UnsupportedVersion`, `PermissionDenied`,
    /// `Io`; `TimedOut` if the writer changed the files again and again.
    ///
    /// ```
    /// use lightning_db::{Database, ErrorKind};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("mydb");
    /// let writer = Database::create(&path, Default::default())?;
    /// writer.put(b"key", b"value")?;
    /// let reader = Database::open_read_only(&path, Default::default())?;
    /// assert!(reader.get(b"key")?.is_some());
    /// assert_eq!(reader.put(b"key", b"other").unwrap_err().kind(), ErrorKind::ReadOnly);
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn open_read_only(path: impl AsRef<Path>, config: LightningDbConfig) -> Result<Database> {
        Self::open_read_only_on(Arc::new(OsVfs), path.as_ref(), config)
    }

    /// As [`Database::open_read_only`], on another file system.
    #[doc(hidden)]
    pub fn open_read_only_on(
        vfs: Arc<dyn Vfs>,
        path: &Path,
        mut config: LightningDbConfig,
    ) -> Result<Database> {
        config.validate()?;
        check_path(path)?;
        let given = config.take_orders();
        match recovery::inspect(&*vfs, path)? {
            Found::Database => {}
            Found::Nothing | Found::EmptyFolder => return Err(not_found(path, "there is no database")),
            Found::CutCreation => {
                let why = "the creation of a database was cut; open it to write, which finishes that";
                return Err(not_found(path, why));
            }
        }
        let folder = vfs.canonicalize(path).map_err(|error| Error::io("resolve", path, error))?;
        let health = Arc::new(Health::read_only(meters(&vfs, &folder)));
        let opened = recovery::follow(&vfs, &folder, &config, &given, &health)?;
        let (engine, report) = assemble(opened, health, &config)?;
        let database = own(engine, report, None, None);
        database.tell_opened();
        Ok(database)
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
        let given = config.take_orders();
        open_folder(vfs, path, config, &given, create)
    }
}

fn open_folder(
    vfs: Arc<dyn Vfs>,
    path: &Path,
    config: LightningDbConfig,
    given: &GivenOrders,
    create: bool,
) -> Result<Database> {
    check_path(path)?;
    let found = recovery::inspect(&*vfs, path)?;
    let missing = matches!(found, Found::Nothing | Found::EmptyFolder);
    if missing && !create {
        let why = "there is no database, and this call makes none: create it";
        return Err(not_found(path, why));
    }
    if found == Found::Nothing {
        create_folders(&*vfs, path)?;
    }
    let folder = vfs.canonicalize(path).map_err(|error| Error::io("resolve", path, error))?;
    let lock = take_lock(&*vfs, &folder)?;
    if recovery::inspect(&*vfs, &folder)? != Found::Database {
        let state = State::new(
            given.default.as_ref().unwrap_or(&KeyOrder::Bytewise).name(),
            config.page_size as u32,
            config.compression_type,
        );
        recovery::create(&vfs, &folder, state)?;
    }
    let health = Arc::new(Health::new(meters(&vfs, &folder)));
    let opened = recovery::open(&vfs, &folder, &config, given, &health)?;
    let (engine, report) = assemble(opened, health, &config)?;
    let background = Background::start(&engine, config.lsm_config.max_background_compactions)?;
    let database = own(engine, report, Some(background), Some(lock));
    database.tell_opened();
    Ok(database)
}

fn meters(vfs: &Arc<dyn Vfs>, folder: &Path) -> Arc<Meters> {
    Arc::new(Meters::new(Arc::clone(vfs), folder))
}

fn not_found(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{}: {why}", path.display())).with_file(path)
}

/// An empty path is a mistake of the caller, and no system's error says so.
pub(super) fn check_path(path: &Path) -> Result<()> {
    match path.as_os_str().is_empty() {
        true => Err(Error::invalid("the path is empty")),
        false => Ok(()),
    }
}

pub(super) fn take_lock(vfs: &dyn Vfs, folder: &Path) -> Result<Box<dyn VfsLock>> {
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

/// Makes a folder and its missing parents, each durable in its parent: also the one that is there already, for a call that
/// failed or was killed may have made it.
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
    if let Some(parent) = parent_of(at) {
        match vfs.sync_dir(parent) {
            // It is another user's.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
            synced => synced.map_err(|error| Error::io("sync folder", parent, error))?,
        }
    }
    for folder in missing.iter().rev() {
        match vfs.create_dir(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("create folder", folder, error)),
        }
        if let Some(parent) = parent_of(folder) {
            sync_folder(vfs, parent)?;
        }
    }
    Ok(())
}

/// The folder that a path lies in; none of the root, and none of the empty path.
fn parent_of(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

fn assemble(
    opened: Opened,
    health: Arc<Health>,
    config: &LightningDbConfig,
) -> Result<(Arc<Engine>, RecoveryReport)> {
    let Opened { catalogue, log, last_sequence, report } = opened;
    let lsm = &config.lsm_config;
    let trigger = lsm.level0_file_num_compaction_trigger;
    let options = WriterOptions {
        memtable_size: lsm.memtable_size,
        checkpoint_interval: config.consistency_config.checkpoint_interval,
        level0_slow: trigger * LEVEL0_SLOW,
        level0_stop: trigger * LEVEL0_STOP,
        group_transactions: config.use_optimized_transactions,
    };
    let rows = Arc::new(RowCache::new(config.cache_size)?);
    catalogue.tables().cache.share_with(&rows);
    let writer = Writer::new(
        Arc::clone(&catalogue),
        Arc::clone(&rows),
        Arc::clone(&health),
        options,
        log,
        last_sequence,
    );
    let read_ahead = read_ahead(config, &catalogue.tables().vfs);
    let engine = Arc::new(Engine {
        read_ahead,
        health,
        catalogue,
        rows,
        writer,
        snapshots: Default::default(),
        default_level: default_level(config),
        max_transactions: config.max_active_transactions,
        limits: Limits {
            level0_trigger: trigger,
            smallest_level: (lsm.memtable_size / SMALLEST_LEVEL) as u64,
            table_bytes: (lsm.memtable_size as u64 / 2).clamp(SMALLEST_TARGET_BYTES, TARGET_TABLE_BYTES),
        },
        compact: Default::default(),
        stop: Default::default(),
        flushing: Default::default(),
        schedule: Default::default(),
        flushes: Default::default(),
        fresh: Default::default(),
    });
    Ok((engine, report))
}

fn own(
    engine: Arc<Engine>,
    report: RecoveryReport,
    background: Option<Background>,
    lock: Option<Box<dyn VfsLock>>,
) -> Database {
    let (background, lock) = (Mutex::new(background), Mutex::new(lock));
    Database {
        owner: Arc::new(Owner {
            engine,
            handles: Handles::default(),
            ingests: Default::default(),
            report,
            background,
            lock,
        }),
    }
}

fn read_ahead(config: &LightningDbConfig, vfs: &Arc<dyn Vfs>) -> Option<Arc<ReadAhead>> {
    let distance = config.prefetch_distance.min((config.cache_size / AHEAD_SHARE / config.page_size).max(1));
    config.prefetch_enabled.then(|| ReadAhead::new(Arc::clone(vfs), distance, config.prefetch_workers))
}

fn default_level(config: &LightningDbConfig) -> ConsistencyLevel {
    let consistency = &config.consistency_config;
    match consistency.default_level {
        ConsistencyLevel::Strong if !consistency.sync_writes => ConsistencyLevel::Quorum,
        level => level,
    }
}
