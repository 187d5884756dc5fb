//! fjall.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use fjall::{
    Keyspace, KeyspaceCreateOptions, OptimisticTxDatabase, OptimisticTxKeyspace, PersistMode, Readable,
};

use crate::data::{Key, Value};
use crate::engine::{About, Change, Digest, Direction, Engine, Level, Session, Setup, View};
use crate::meter::wait_until_quiet;

pub const ABOUT: About = About {
    name: "fjall",
    title: "fjall",
    version: "fjall 3.1.13",
    settings: "`cache_size`, else the defaults (Bloom filters, LZ4 below level 1), optimistic transactions; not synced: `PersistMode::Buffer`, durable: `SyncData`; sorted load: `start_ingestion`",
    lsm: true,
    weaker: None,
};

struct Fjall {
    db: OptimisticTxDatabase,
    records: OptimisticTxKeyspace,
    mode: PersistMode,
}

pub fn open(path: &Path, setup: &Setup) -> Result<Box<dyn Engine>> {
    let db = OptimisticTxDatabase::builder(path).cache_size(setup.cache as u64).open()?;
    let records = db.keyspace("records", KeyspaceCreateOptions::default)?;
    let mode = match setup.level {
        Level::Process => PersistMode::Buffer,
        Level::Power => PersistMode::SyncData,
    };
    Ok(Box::new(Fjall { db, records, mode }))
}

impl Engine for Fjall {
    fn session(&self, _view: View) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(FjallSession { engine: self, records: self.records.inner() }))
    }

    fn settle(&self) -> Result<Duration> {
        self.records.inner().rotate_memtable_and_wait()?;
        self.db.persist(PersistMode::SyncData)?;
        let quiet = wait_until_quiet();
        while self.db.inner().active_compactions() > 0 || self.db.inner().outstanding_flushes() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(quiet)
    }

    fn ingest(&self, entries: &mut dyn Iterator<Item = (Key, Value)>) -> Result<()> {
        let mut ingestion = self.records.inner().start_ingestion()?;
        for (key, value) in entries {
            ingestion.write(key, value)?;
        }
        Ok(ingestion.finish()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.db.persist(PersistMode::SyncData)?)
    }
}

struct FjallSession<'e> {
    engine: &'e Fjall,
    records: &'e Keyspace,
}

impl Session for FjallSession<'_> {
    fn get(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        digest.answer(black_box(self.records.get(key)?));
        Ok(())
    }

    fn get_with(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        self.get(key, digest)
    }

    fn scan(
        &mut self,
        from: Option<&Key>,
        direction: Direction,
        limit: usize,
        digest: &mut Digest,
    ) -> Result<()> {
        let range = match (from, direction) {
            (None, _) => self.records.iter(),
            (Some(key), Direction::Forward) => self.records.range(&key[..]..),
            (Some(key), Direction::Backward) => self.records.range(..=&key[..]),
        };
        match direction {
            Direction::Forward => {
                for guard in range.take(limit) {
                    let (key, value) = guard.into_inner()?;
                    digest.entry(&key, &value);
                }
            }
            Direction::Backward => {
                for guard in range.rev().take(limit) {
                    let (key, value) = guard.into_inner()?;
                    digest.entry(&key, &value);
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, key: &Key, value: &Value) -> Result<()> {
        self.records.insert(key, value)?;
        if self.engine.mode == PersistMode::SyncData {
            self.engine.db.persist(PersistMode::SyncData)?;
        }
        Ok(())
    }

    fn write(&mut self, changes: &[Change]) -> Result<()> {
        let mut batch = self.engine.db.inner().batch().durability(Some(self.engine.mode));
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(self.records, &key[..], &value[..]),
                None => batch.remove(self.records, &key[..]),
            }
        }
        Ok(batch.commit()?)
    }

    fn transaction(
        &mut self,
        reads: &[Key; 2],
        writes: &[(Key, Value); 2],
        digest: &mut Digest,
    ) -> Result<()> {
        let mut tx = self.engine.db.write_tx()?.durability(Some(self.engine.mode));
        for key in reads {
            digest.answer(black_box(tx.get(&self.engine.records, key)?));
        }
        for (key, value) in writes {
            tx.insert(&self.engine.records, &key[..], &value[..]);
        }
        tx.commit()?.map_err(|_| anyhow!("a transaction on its own met a conflict"))
    }
}
