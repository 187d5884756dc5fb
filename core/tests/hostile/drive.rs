//! A small database in which one file is another's work: opened, read, written, checked, repaired and restored.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lightning_db::vfs::{Keep, MemoryVfs, Vfs};
use lightning_db::{
    BackupEngine, ConsistencyLevel, ConsistencyManager, Database, Error, ErrorKind, KeyspaceOptions,
    LSMConfig, LightningDbConfig, Result, ScanOptions, WriteBatch,
};

use crate::common::FOLDER;
use crate::common::alone::Alone;
use crate::seal::{Kind, seal};

const BACKUP: &str = "/backup";

/// A database with a file that will be replaced.
pub struct Target {
    disk: MemoryVfs,
    codec: u8,
    pub kind: Kind,
    path: PathBuf,
    id: u64,
    number: u64,
    /// What the file was.
    pub bytes: Vec<u8>,
}

fn config(codec: u8) -> LightningDbConfig {
    LightningDbConfig {
        page_size: 512,
        cache_size: 1 << 20,
        compression_enabled: codec != 0,
        compression_type: codec.max(1),
        lsm_config: LSMConfig {
            memtable_size: 64 << 10,
            upper_compression_type: codec,
            ..Default::default()
        },
        ..Default::default()
    }
}

/// A table on each of two levels, two keyspaces, a log and a backup.
fn database(codec: u8) -> Result<MemoryVfs> {
    let disk = MemoryVfs::with_seed(9);
    let db = Database::open_on(Alone::over(&disk), Path::new(FOLDER), config(codec), true)?;
    let other = db.create_keyspace("other", KeyspaceOptions::default())?;
    for round in 0..3u32 {
        let mut batch = WriteBatch::new();
        for nth in 0..40 - 10 * round {
            let key = format!("key {:03}", nth * (round + 1));
            batch.put(&key, format!("value {round} ").repeat(4))?;
            batch.put_in(&other, &key, "other ".repeat(3))?;
        }
        batch.delete(format!("key {:03}", round * 7))?;
        db.write_with(&batch, ConsistencyLevel::Strong)?;
        match round {
            0 => db.compact_lsm()?,
            1 => db.flush()?,
            _ => {}
        }
        if round == 1 {
            BackupEngine::new(&db).create_backup(BACKUP)?;
        }
    }
    db.close()?;
    Ok(disk.crash(Keep::All))
}

/// Every file that is worth forging: of databases with each codec, tables; of one, the others.
pub fn targets() -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for codec in 0..4u8 {
        let disk = database(codec)?;
        let list =
            |folder: &str| disk.list(Path::new(folder)).map_err(|error| Error::invalid(error.to_string()));
        let of_database = list(FOLDER)?.into_iter().map(|name| Path::new(FOLDER).join(name));
        let of_backup = list(BACKUP)?.into_iter().map(|name| Path::new(BACKUP).join(name));
        for path in of_database.chain(of_backup.filter(|path| path.ends_with("BACKUP"))) {
            let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
            let kind = match name.rsplit('.').next() {
                Some("CURRENT") => Kind::Current,
                Some("manifest" | "log") => Kind::Chunks,
                Some("table") => Kind::Table,
                Some("BACKUP") => Kind::Backup,
                _ => continue,
            };
            if codec != 0 && kind != Kind::Table {
                continue;
            }
            let Ok(bytes) = disk.read_file(&path) else { continue };
            let number = name.split('.').next().and_then(|digits| digits.parse().ok()).unwrap_or(0);
            let id = bytes.get(16..24).and_then(|id| id.try_into().ok()).map_or(0, u64::from_le_bytes);
            targets.push(Target { disk: disk.clone(), codec, kind, path, id, number, bytes });
        }
    }
    Ok(targets)
}

impl Target {
    /// The name of the file, and its codec.
    pub fn name(&self) -> String {
        format!("{} of codec {}", self.path.display(), self.codec)
    }

    /// Makes the checksums right.
    pub fn seal(&self, bytes: &mut [u8]) {
        seal(self.kind, self.id, self.number, bytes);
    }

    /// Replaces the file by these bytes with right checksums, reads and checks what is then there, and does everything else
    /// with it if that is wanted `thoroughly`.
    pub fn drive(&self, bytes: &[u8], thoroughly: bool) {
        let mut bytes = bytes.to_vec();
        self.seal(&mut bytes);
        let disk = self.disk.crash(Keep::All);
        if disk.write_file(&self.path, &bytes).is_err() {
            return;
        }
        let config = || config(self.codec);
        if self.kind == Kind::Backup {
            judge(
                Database::restore_on(Alone::over(&disk), Path::new("/new"), Path::new(BACKUP), config())
                    .map(drop),
            );
            return;
        }
        let manager = ConsistencyManager::with_config(config());
        judge(
            Database::open_read_only_on(Alone::over(&disk), Path::new(FOLDER), config()).map(|db| read(&db)),
        );
        judge(manager.check_on(Alone::over(&disk), Path::new(FOLDER)).map(drop));
        if !thoroughly {
            return;
        }
        judge(use_it(&disk.crash(Keep::All), config()));
        judge(manager.repair_on(Alone::over(&disk), Path::new(FOLDER)).map(drop));
        judge(use_it(&disk, config()));
    }
}

/// An error is an answer, but for a bug that says so itself.
fn judge(outcome: Result<()>) {
    if let Err(error) = outcome {
        assert!(error.kind() != ErrorKind::Internal, "{error}");
    }
}

fn read(db: &Database) {
    for name in db.list_keyspaces().unwrap_or_default() {
        let Ok(keyspace) = db.keyspace(&name) else { continue };
        for options in [ScanOptions::all(), ScanOptions::all().reverse(), ScanOptions::prefix("key 0")] {
            let Ok(scan) = keyspace.scan_with(options) else { continue };
            // A scan ends behind its error.
            let _ = scan.filter_map(Result::ok).count();
        }
        let keys: Vec<_> = (0..40).map(|nth| format!("key {nth:03}")).collect();
        for key in &keys {
            let _ = keyspace.get(key);
        }
        let _ = keyspace.get_batch(&keys);
        let _ = keyspace.count(ScanOptions::all());
        let _ = keyspace.approximate_size(&ScanOptions::all());
    }
}

fn use_it(disk: &MemoryVfs, config: LightningDbConfig) -> Result<()> {
    let db = Database::open_on(Alone::over(disk), Path::new(FOLDER), config, false)?;
    read(&db);
    let steps = [db.put("key 001", "new"), db.flush(), db.compact_lsm()];
    steps.into_iter().for_each(judge);
    read(&db);
    let backup = BackupEngine::new(&db).create_backup("/another").map(drop);
    judge(backup);
    judge(db.close());
    Ok(())
}

/// For those who keep a target for many runs.
#[allow(dead_code, reason = "the tests run each target once")]
pub fn shared() -> Arc<Vec<Target>> {
    static TARGETS: std::sync::OnceLock<Arc<Vec<Target>>> = std::sync::OnceLock::new();
    Arc::clone(TARGETS.get_or_init(|| Arc::new(targets().unwrap_or_default())))
}
