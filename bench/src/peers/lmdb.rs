//! LMDB, through heed.
#![allow(unsafe_code, reason = "opening a map is unsafe: nothing else must change the file")]

use std::hint::black_box;
use std::ops::Bound;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvFlags, EnvOpenOptions, PutFlags, RoTxn, WithTls};

use crate::data::{Key, Value};
use crate::engine::{About, Change, Digest, Direction, Engine, Level, Session, Setup, View};
use crate::peers::{LOAD_ENTRIES, MAP_BYTES, READERS};

pub const ABOUT: About = About {
    name: "lmdb",
    title: "LMDB",
    version: "heed 0.23.1 (LMDB 0.9.70)",
    settings: "map of 64 GiB, so all memory is its cache; not synced: `MDB_NOSYNC`, durable: the default; sorted load: `MDB_APPEND`",
    lsm: false,
    weaker: None,
};

struct Lmdb {
    env: Env<WithTls>,
}

type Table<'e> = Database<'e, Bytes, Bytes>;

pub fn open(path: &Path, setup: &Setup) -> Result<Box<dyn Engine>> {
    std::fs::create_dir_all(path)?;
    let mut options = EnvOpenOptions::new();
    options.map_size(MAP_BYTES).max_readers(READERS);
    if setup.level == Level::Process {
        // SAFETY: a run that ends without power cut keeps what the operating system has.
        unsafe { options.flags(EnvFlags::NO_SYNC) };
    }
    // SAFETY: the folder is this run's own.
    let env = unsafe { options.open(path)? };
    Ok(Box::new(Lmdb { env }))
}

impl Lmdb {
    fn table(&self) -> Result<Table<'_>> {
        let opened = self.env.open_databases_and_commit(self.env.read_txn()?, |opener, txn| {
            let table = opener.open_database::<Bytes, Bytes>(txn, None)?;
            Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(table))
        })?;
        opened.commit().flatten().context("the unnamed table always exists")
    }
}

impl Engine for Lmdb {
    fn session(&self, view: View) -> Result<Box<dyn Session + '_>> {
        let table = self.table()?;
        let held = (view == View::Held).then(|| self.env.read_txn()).transpose()?;
        Ok(Box::new(LmdbSession { env: &self.env, table, held }))
    }

    fn settle(&self) -> Result<Duration> {
        self.env.force_sync()?;
        Ok(Duration::ZERO)
    }

    fn ingest(&self, entries: &mut dyn Iterator<Item = (Key, Value)>) -> Result<()> {
        let table = self.table()?;
        let mut entries = entries.peekable();
        while entries.peek().is_some() {
            let mut txn = self.env.write_txn()?;
            for (key, value) in entries.by_ref().take(LOAD_ENTRIES) {
                table.put_with_flags(&mut txn, PutFlags::APPEND, &key, &value)?;
            }
            txn.commit()?;
        }
        Ok(self.env.force_sync()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.env.force_sync()?;
        let closing = self.env.prepare_for_closing();
        closing.wait();
        Ok(())
    }
}

struct LmdbSession<'e> {
    env: &'e Env<WithTls>,
    table: Table<'e>,
    held: Option<RoTxn<'e, WithTls>>,
}

impl LmdbSession<'_> {
    fn read<R>(&self, read: impl FnOnce(&RoTxn<'_>) -> Result<R>) -> Result<R> {
        match &self.held {
            Some(txn) => read(txn),
            None => {
                let txn = self.env.read_txn()?;
                read(&txn)
            }
        }
    }
}

impl Session for LmdbSession<'_> {
    fn get(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        self.read(|txn| {
            digest.answer(black_box(self.table.get(txn, key)?.map(<[u8]>::to_vec)));
            Ok(())
        })
    }

    fn get_with(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        self.read(|txn| {
            digest.answer(self.table.get(txn, key)?);
            Ok(())
        })
    }

    fn scan(
        &mut self,
        from: Option<&Key>,
        direction: Direction,
        limit: usize,
        digest: &mut Digest,
    ) -> Result<()> {
        let table = self.table;
        self.read(|txn| {
            let from = from.map_or(Bound::Unbounded, |key| Bound::Included(&key[..]));
            match direction {
                Direction::Forward => {
                    for entry in table.range(txn, &(from, Bound::Unbounded))?.take(limit) {
                        let (key, value) = entry?;
                        digest.entry(key, value);
                    }
                }
                Direction::Backward => {
                    for entry in table.rev_range(txn, &(Bound::Unbounded, from))?.take(limit) {
                        let (key, value) = entry?;
                        digest.entry(key, value);
                    }
                }
            }
            Ok(())
        })
    }

    fn put(&mut self, key: &Key, value: &Value) -> Result<()> {
        let mut txn = self.env.write_txn()?;
        self.table.put(&mut txn, key, value)?;
        Ok(txn.commit()?)
    }

    fn write(&mut self, changes: &[Change]) -> Result<()> {
        let mut txn = self.env.write_txn()?;
        for (key, value) in changes {
            match value {
                Some(value) => self.table.put(&mut txn, key, value)?,
                None => drop(self.table.delete(&mut txn, key)?),
            }
        }
        Ok(txn.commit()?)
    }

    fn transaction(
        &mut self,
        reads: &[Key; 2],
        writes: &[(Key, Value); 2],
        digest: &mut Digest,
    ) -> Result<()> {
        let mut txn = self.env.write_txn()?;
        for key in reads {
            digest.answer(black_box(self.table.get(&txn, key)?.map(<[u8]>::to_vec)));
        }
        for (key, value) in writes {
            self.table.put(&mut txn, key, value)?;
        }
        Ok(txn.commit()?)
    }
}

#[test]
fn the_version_in_the_table_is_that_of_the_library() {
    let heed::LmdbVersion { major, minor, patch, .. } = heed::lmdb_version();
    assert!(ABOUT.version.contains(&format!("(LMDB {major}.{minor}.{patch})")));
}
