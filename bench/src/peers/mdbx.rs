//! libmdbx.

use std::borrow::Cow;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use libmdbx::{
    Database, DatabaseOptions, Mode, NoWriteMap, RO, ReadWriteOptions, SyncMode, TableFlags, Transaction,
    TransactionKind, WriteFlags,
};

use crate::data::{Key, Value};
use crate::engine::{About, Change, Digest, Direction, Engine, Level, Session, Setup, View};
use crate::peers::{LOAD_ENTRIES, MAP_BYTES, READERS};

pub const ABOUT: About = About {
    name: "mdbx",
    title: "libmdbx",
    version: "libmdbx 0.9.0 (libmdbx 0.14.4)",
    settings: "map of up to 64 GiB, so all memory is its cache; not synced: `UtterlyNoSync`, durable: the default; sorted load: `MDBX_APPEND`",
    lsm: false,
    weaker: None,
};

type Db = Database<NoWriteMap>;
type Txn<'e, K> = Transaction<'e, K, NoWriteMap>;

struct Mdbx {
    db: Db,
}

pub fn open(path: &Path, setup: &Setup) -> Result<Box<dyn Engine>> {
    std::fs::create_dir_all(path)?;
    let sync_mode = match setup.level {
        Level::Process => SyncMode::UtterlyNoSync,
        Level::Power => SyncMode::Durable,
    };
    let mode = Mode::ReadWrite(ReadWriteOptions {
        sync_mode,
        max_size: Some(MAP_BYTES as isize),
        ..Default::default()
    });
    let options = DatabaseOptions { max_readers: Some(READERS), mode, ..Default::default() };
    let db = Db::open_with_options(path, options)?;
    let txn = db.begin_rw_txn()?;
    txn.create_table(None, TableFlags::default())?;
    txn.commit()?;
    Ok(Box::new(Mdbx { db }))
}

impl Engine for Mdbx {
    fn session(&self, view: View) -> Result<Box<dyn Session + '_>> {
        let held = (view == View::Held).then(|| self.db.begin_ro_txn()).transpose()?;
        Ok(Box::new(MdbxSession { db: &self.db, held }))
    }

    fn settle(&self) -> Result<Duration> {
        self.db.sync(true)?;
        Ok(Duration::ZERO)
    }

    fn ingest(&self, entries: &mut dyn Iterator<Item = (Key, Value)>) -> Result<()> {
        let mut entries = entries.peekable();
        while entries.peek().is_some() {
            let txn = self.db.begin_rw_txn()?;
            let table = txn.open_table(None)?;
            let mut cursor = txn.cursor(&table)?;
            for (key, value) in entries.by_ref().take(LOAD_ENTRIES) {
                cursor.put(&key, &value, WriteFlags::APPEND)?;
            }
            drop(cursor);
            txn.commit()?;
        }
        self.settle().map(drop)
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.settle().map(drop)
    }
}

struct MdbxSession<'e> {
    db: &'e Db,
    held: Option<Txn<'e, RO>>,
}

impl MdbxSession<'_> {
    fn read<R>(&self, read: impl FnOnce(&Txn<'_, RO>) -> Result<R>) -> Result<R> {
        match &self.held {
            Some(txn) => read(txn),
            None => read(&self.db.begin_ro_txn()?),
        }
    }
}

fn get<'t, K: TransactionKind>(txn: &'t Txn<'_, K>, key: &Key) -> Result<Option<Cow<'t, [u8]>>> {
    Ok(txn.get(&txn.open_table(None)?, key)?)
}

impl Session for MdbxSession<'_> {
    fn get(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        self.read(|txn| {
            digest.answer(black_box(get(txn, key)?.map(Cow::into_owned)));
            Ok(())
        })
    }

    fn get_with(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        self.read(|txn| {
            digest.answer(get(txn, key)?);
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
        self.read(|txn| {
            let cursor = txn.cursor(&txn.open_table(None)?)?;
            let entries = match (from, direction) {
                (None, Direction::Forward) => cursor.into_iter_start::<Cow<'_, [u8]>, Cow<'_, [u8]>>(),
                (Some(key), Direction::Forward) => cursor.into_iter_from(key),
                (None, Direction::Backward) => cursor.into_iter_back_start(),
                (Some(key), Direction::Backward) => cursor.into_iter_back_from(key),
            };
            for entry in entries.take(limit) {
                let (key, value) = entry?;
                digest.entry(&key, &value);
            }
            Ok(())
        })
    }

    fn put(&mut self, key: &Key, value: &Value) -> Result<()> {
        let txn = self.db.begin_rw_txn()?;
        txn.put(&txn.open_table(None)?, key, value, WriteFlags::UPSERT)?;
        txn.commit()?;
        Ok(())
    }

    fn write(&mut self, changes: &[Change]) -> Result<()> {
        let txn = self.db.begin_rw_txn()?;
        let table = txn.open_table(None)?;
        for (key, value) in changes {
            match value {
                Some(value) => txn.put(&table, key, value, WriteFlags::UPSERT)?,
                None => drop(txn.del(&table, key, None)?),
            }
        }
        txn.commit()?;
        Ok(())
    }

    fn transaction(
        &mut self,
        reads: &[Key; 2],
        writes: &[(Key, Value); 2],
        digest: &mut Digest,
    ) -> Result<()> {
        let txn = self.db.begin_rw_txn()?;
        for key in reads {
            digest.answer(black_box(get(&txn, key)?.map(Cow::into_owned)));
        }
        let table = txn.open_table(None)?;
        for (key, value) in writes {
            txn.put(&table, key, value, WriteFlags::UPSERT)?;
        }
        txn.commit()?;
        Ok(())
    }
}
