//! The database that all threads share, and what one of them knows of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use lightning_db::{ConsistencyLevel, Database, LSMConfig, LightningDbConfig, Snapshot};
use lightning_db_examples::{Outcome, Random};

/// Keys between which all threads move amounts; their sum never changes.
pub const ACCOUNTS: usize = 16;
/// What each has at the beginning.
const BALANCE: u64 = 1000;
/// Keys of one thread.
const KEYS: usize = 3000;

/// Entries of one thread's part of the keys.
pub type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// The shared database.
pub struct World {
    path: PathBuf,
    /// `None` only between a close and an open that failed.
    db: RwLock<Option<Database>>,
    /// Rises when the database is opened again.
    generation: AtomicU64,
    failed: AtomicBool,
    /// Held by who makes a backup.
    pub backup: Mutex<()>,
}

impl World {
    pub fn new(folder: &Path, seed: u64) -> Outcome<Self> {
        let path = folder.join("db");
        let db = Database::create(&path, config(&mut Random::new(seed)))?;
        for account in 0..ACCOUNTS {
            db.put(account_key(account), BALANCE.to_be_bytes())?;
        }
        let (generation, failed, backup) = Default::default();
        Ok(World { path, db: RwLock::new(Some(db)), generation, failed, backup })
    }

    /// The database, which is not closed while the guard lives.
    pub fn open(&self) -> Opened<'_> {
        Opened(self.db.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until nobody uses the database, closes it and opens it with other options.
    pub fn reopen(&self, random: &mut Random) -> Outcome {
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(db) = db.take() {
            db.close()?;
        }
        *db = Some(Database::open(&self.path, config(random))?);
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    pub fn close(self) -> Outcome {
        let db = self.db.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(db.map_or(Ok(()), |db| db.close())?)
    }
}

/// A share of the open database.
pub struct Opened<'a>(RwLockReadGuard<'a, Option<Database>>);

impl Opened<'_> {
    pub fn get(&self) -> Outcome<&Database> {
        self.0.as_ref().ok_or_else(|| "the database could not be opened again".into())
    }
}

/// Small enough that a few thousand records go through every path; different at each open.
pub fn config(random: &mut Random) -> LightningDbConfig {
    let mut config = LightningDbConfig {
        page_size: 512 << random.below(5),
        cache_size: 1 << (20 + random.below(3)),
        compression_enabled: random.below(4) > 0,
        compression_type: 1 + random.below(3) as u8,
        use_optimized_transactions: random.below(4) > 0,
        mmap_size: (random.below(3) == 0).then_some(8 << 20),
        prefetch_enabled: random.below(3) > 0,
        lsm_config: LSMConfig {
            memtable_size: 64 << (10 + random.below(5)),
            level0_file_num_compaction_trigger: 1 + random.below(6),
            upper_compression_type: random.below(4) as u8,
            max_background_compactions: 1 + random.below(3),
        },
        ..Default::default()
    };
    config.consistency_config.default_level = level(random);
    config
}

/// A level; `Strong` seldom, for it waits for the disk.
pub fn level(random: &mut Random) -> ConsistencyLevel {
    match random.below(20) {
        0 => ConsistencyLevel::Strong,
        1..10 => ConsistencyLevel::Quorum,
        _ => ConsistencyLevel::Eventual,
    }
}

/// Behind the keys of all threads.
pub const ACCOUNT_PREFIX: [u8; 1] = [255];

pub fn account_key(account: usize) -> [u8; 2] {
    [ACCOUNT_PREFIX[0], account as u8]
}

/// The sum that all accounts have.
pub fn sum_of_all() -> u64 {
    ACCOUNTS as u64 * BALANCE
}

/// What happened.
#[derive(Default)]
pub struct Tally {
    pub operations: BTreeMap<&'static str, usize>,
    pub checks: usize,
    pub differences: usize,
}

impl Tally {
    pub fn of_a_panic() -> Self {
        Tally { differences: 1, ..Self::default() }
    }

    pub fn add(&mut self, other: Tally) {
        for (name, times) in other.operations {
            *self.operations.entry(name).or_default() += times;
        }
        self.checks += other.checks;
        self.differences += other.differences;
    }
}

/// A snapshot with what it must show.
pub struct Kept {
    pub snapshot: Snapshot,
    pub model: Model,
    pub generation: u64,
}

/// A thread.
pub struct Worker<'w> {
    pub world: &'w World,
    pub number: u8,
    pub random: Random,
    pub model: Model,
    /// Entries of the keyspace that is the thread's own.
    pub aside: Model,
    pub kept: Vec<Kept>,
    pub tally: Tally,
    written: u64,
}

impl<'w> Worker<'w> {
    pub fn new(world: &'w World, number: u8, seed: u64) -> Self {
        let random = Random::new(seed.wrapping_mul(0x9e37_79b9).wrapping_add(u64::from(number) + 1));
        let (model, aside, kept, tally) = Default::default();
        Worker { world, number, random, model, aside, kept, tally, written: 0 }
    }

    /// A key of this thread's own; mostly among few, so that versions pile up.
    pub fn key(&mut self) -> Vec<u8> {
        let limit = if self.random.below(3) == 0 { KEYS } else { KEYS / 20 };
        let key = self.random.below(limit) as u16;
        let mut bytes = vec![self.number];
        bytes.extend(key.to_be_bytes());
        bytes.resize(3 + usize::from(key % 40), b'k');
        bytes
    }

    /// A value that no other write has.
    pub fn value(&mut self) -> Vec<u8> {
        self.written += 1;
        let long = if self.random.below(200) == 0 { 20_000 } else { 200 };
        let mut value = format!("{}:{}:", self.number, self.written).into_bytes();
        value.resize(value.len() + self.random.below(long), b'v');
        value
    }

    /// Notes a check.
    pub fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        self.tally.checks += 1;
        if !holds {
            self.differs(&what());
        }
    }

    /// Says what is wrong, and lets all threads end.
    pub fn differs(&mut self, what: &str) {
        self.tally.differences += 1;
        self.world.failed.store(true, Ordering::Release);
        eprintln!("thread {}: {what}", self.number);
    }
}
