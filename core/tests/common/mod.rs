//! What the integration tests share.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod alone;
pub mod child;
pub mod forward;
pub mod gate;
pub mod held_log;
pub mod spaces;
pub mod still;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lightning_db::vfs::{MemoryVfs, Vfs};
use lightning_db::{Database, LSMConfig, LightningDbConfig, Result};
use still::Still;

/// Where databases in memory are.
pub const FOLDER: &str = "/db";

/// Nothing that a test waits for takes so long, on whatever machine: only what has failed does.
const PATIENCE: Duration = Duration::from_secs(120);

/// Small memtables and pages, so that little data goes through every path.
pub fn small_config() -> LightningDbConfig {
    LightningDbConfig {
        page_size: 512,
        cache_size: 1 << 20,
        lsm_config: LSMConfig {
            memtable_size: 64 << 10,
            level0_file_num_compaction_trigger: 2,
            ..Default::default()
        },
        ..Default::default()
    }
}

/// Opens (or makes) the database of a disk in memory.
pub fn open(disk: &MemoryVfs) -> Result<Database> {
    open_with(disk, small_config())
}

/// As [`open`], with a configuration.
pub fn open_with(disk: &MemoryVfs, config: LightningDbConfig) -> Result<Database> {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    Database::open_on(vfs, Path::new(FOLDER), config, true)
}

/// As [`open_with`], but nothing is compacted unless the test asks for it, and no write waits for that.
pub fn open_still(disk: &MemoryVfs, mut config: LightningDbConfig) -> Result<Database> {
    config.lsm_config.level0_file_num_compaction_trigger = 64;
    Database::open_on(Still::over(disk.clone()), Path::new(FOLDER), config, true)
}

/// Waits for what a thread of the database does, and fails if it never comes.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// All entries, in rising order.
pub fn entries(db: &Database) -> Vec<(Vec<u8>, Vec<u8>)> {
    db.scan(None, None).unwrap().map(Result::unwrap).collect()
}

/// The names of a database's files that end so, sorted; without that of its lock.
pub fn names(disk: &dyn Vfs, ending: &str) -> Vec<String> {
    let names = disk.list(Path::new(FOLDER)).unwrap();
    names.into_iter().filter(|name| name.ends_with(ending) && name != "LOCK").collect()
}

/// Where the file of a name is.
pub fn path_of(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

/// A small generator of random numbers (splitmix64), the same on every machine.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
