//! A small database with every kind of file in it, and all states that it went through.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lightning_db::vfs::{Keep, MemoryVfs};
use lightning_db::{
    BackupEngine, ConsistencyLevel, Database, KeyspaceOptions, LSMConfig, LightningDbConfig, Result,
    WriteBatch,
};

use crate::common::{FOLDER, Random, names, open_still, path_of, wait_until};

/// The keyspace besides the default one.
pub const OTHER: &str = "other";
/// Where the backup is.
pub const BACKUP: &str = "/backups/one";

/// Keyspace (whether it is [`OTHER`]) and key.
pub type Place = (bool, Vec<u8>);
pub type Model = BTreeMap<Place, Vec<u8>>;

/// How the database was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    Closed,
    Killed,
}

/// A database: a table on the deepest level, one above it that hides some of its records, one of another keyspace, and a
/// log of eight `Strong` commits and two `Quorum` ones behind them.
pub struct Sample {
    pub disk: MemoryVfs,
    pub compressed: bool,
    pub left: Left,
    /// Behind the last flush, and behind each commit of the log.
    pub states: Vec<Model>,
    /// What each place ever held.
    pub ever: BTreeMap<Place, BTreeSet<Vec<u8>>>,
    /// Places that the log writes.
    pub logged: BTreeSet<Place>,
}

/// Commits of the log that were synced.
pub const STRONG: usize = 8;
const COMMITS: usize = STRONG + 2;

pub fn config(compressed: bool) -> LightningDbConfig {
    let upper = if compressed { 2 } else { 0 };
    LightningDbConfig {
        page_size: 512,
        cache_size: 1 << 20,
        compression_enabled: compressed,
        lsm_config: LSMConfig {
            memtable_size: 64 << 10,
            upper_compression_type: upper,
            ..Default::default()
        },
        ..Default::default()
    }
}

impl Sample {
    pub fn new(compressed: bool, left: Left) -> Result<Sample> {
        let disk = MemoryVfs::with_seed(5);
        let db = open_still(&disk, config(compressed))?;
        let mut sample = Sample {
            disk: disk.clone(),
            compressed,
            left,
            states: vec![Model::new()],
            ever: BTreeMap::new(),
            logged: BTreeSet::new(),
        };
        let mut random = Random(17);
        db.create_keyspace(OTHER, KeyspaceOptions::default())?;
        sample.commit(&db, &mut random, 60, ConsistencyLevel::Quorum)?;
        db.compact_lsm()?;
        sample.commit(&db, &mut random, 20, ConsistencyLevel::Quorum)?;
        db.flush()?;
        sample.states.drain(..2);
        sample.logged.clear();
        wait_until("flushed logs are removed", || names(&disk, ".log").len() == 1);
        for nth in 0..COMMITS {
            let level = if nth < STRONG { ConsistencyLevel::Strong } else { ConsistencyLevel::Quorum };
            sample.commit(&db, &mut random, 3, level)?;
        }
        if left == Left::Closed {
            BackupEngine::new(&db).create_backup(BACKUP)?;
            // The backup has flushed the log.
            sample.states.drain(..COMMITS);
            sample.logged.clear();
            wait_until("flushed logs are removed", || names(&disk, ".log").len() == 1);
            for _ in 0..COMMITS {
                sample.commit(&db, &mut random, 3, ConsistencyLevel::Strong)?;
            }
            db.close()?;
        }
        sample.disk = disk.crash(Keep::All);
        Ok(sample)
    }

    /// One commit of `writes` puts and deletes in both keyspaces.
    fn commit(
        &mut self,
        db: &Database,
        random: &mut Random,
        writes: usize,
        level: ConsistencyLevel,
    ) -> Result<()> {
        let (mut batch, other) = (WriteBatch::new(), db.keyspace(OTHER)?);
        let mut state = self.states.last().cloned().unwrap_or_default();
        for nth in 0..writes {
            let in_other = nth % 5 == 4;
            let key = format!("key {:02}", random.below(80)).into_bytes();
            let place = (in_other, key.clone());
            let value = format!("{} {}", random.below(1000), "value ".repeat(5)).into_bytes();
            self.logged.insert(place.clone());
            self.ever.entry(place.clone()).or_default();
            if writes < 60 && random.below(5) == 0 {
                if in_other {
                    batch.delete_in(&other, &key)?
                } else {
                    batch.delete(&key)?
                }
                state.remove(&place);
                continue;
            }
            if in_other {
                batch.put_in(&other, &key, &value)?
            } else {
                batch.put(&key, &value)?
            }
            self.ever.entry(place.clone()).or_default().insert(value.clone());
            state.insert(place, value);
        }
        db.write_with(&batch, level)?;
        self.states.push(state);
        Ok(())
    }

    /// What was committed.
    pub fn newest(&self) -> &Model {
        &self.states[self.states.len() - 1]
    }

    /// A copy to be damaged.
    pub fn copy(&self) -> MemoryVfs {
        self.disk.crash(Keep::All)
    }

    /// The files that make up the database, by name.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let names = names(&self.disk, "").into_iter();
        names.filter_map(|name| Some((name.clone(), self.disk.read_file(path_of(&name)).ok()?))).collect()
    }

    /// The database's files, or those of its backup.
    pub fn files_in(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        if folder == FOLDER {
            return self.files();
        }
        use lightning_db::vfs::Vfs;
        let names = self.disk.list(Path::new(folder)).unwrap().into_iter().filter(|name| name != "LOCK");
        let read = |name: String| {
            let bytes = self.disk.read_file(Path::new(folder).join(&name)).unwrap();
            (name, bytes)
        };
        names.map(read).collect()
    }
}

/// A page of a table: where it begins, its bytes with the header, its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Page {
    pub start: usize,
    pub len: usize,
    pub kind: u8,
}

pub const LEAF: u8 = 1;

/// The pages of an undamaged table.
pub fn pages(table: &[u8]) -> Vec<Page> {
    let (mut start, mut pages) = (64, Vec::new());
    while start + 16 < table.len() - 64 {
        let stored = u32::from_le_bytes(table[start + 4..start + 8].try_into().unwrap()) as usize;
        let page = Page { start, len: 16 + stored, kind: table[start + 13] };
        start += page.len;
        pages.push(page);
    }
    assert_eq!(start, table.len() - 64, "pages up to the footer");
    pages
}
