//! redb.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use redb::{
    Database, Durability, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};

use crate::data::{Key, Value};
use crate::engine::{About, Change, Digest, Direction, Engine, Level, Session, Setup, View};
use crate::peers::LOAD_ENTRIES;

pub const ABOUT: About = About {
    name: "redb",
    title: "redb",
    version: "redb 4.6.0",
    settings: "`set_cache_size`; not synced: `Durability::None`, durable: `Immediate`; sorted load: in transactions of 10,000",
    lsm: false,
    weaker: Some(
        "commits of `Durability::None` stay in the memory of the process, and are lost when it dies",
    ),
};

const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("records");

struct Redb {
    db: Database,
    durability: Durability,
}

pub fn open(path: &Path, setup: &Setup) -> Result<Box<dyn Engine>> {
    std::fs::create_dir_all(path)?;
    let db = Database::builder().set_cache_size(setup.cache).create(path.join("records.redb"))?;
    let durability = match setup.level {
        Level::Process => Durability::None,
        Level::Power => Durability::Immediate,
    };
    let txn = db.begin_write()?;
    txn.open_table(TABLE)?;
    txn.commit()?;
    Ok(Box::new(Redb { db, durability }))
}

impl Redb {
    fn begin(&self) -> Result<WriteTransaction> {
        let mut txn = self.db.begin_write()?;
        txn.set_durability(self.durability)?;
        Ok(txn)
    }

    fn table(&self) -> Result<Records> {
        Ok(self.db.begin_read()?.open_table(TABLE)?)
    }
}

type Records = ReadOnlyTable<&'static [u8], &'static [u8]>;

impl Engine for Redb {
    fn session(&self, view: View) -> Result<Box<dyn Session + '_>> {
        let held = (view == View::Held).then(|| self.table()).transpose()?;
        Ok(Box::new(RedbSession { engine: self, held }))
    }

    fn settle(&self) -> Result<Duration> {
        let mut txn = self.db.begin_write()?;
        txn.set_durability(Durability::Immediate)?;
        txn.commit()?;
        Ok(Duration::ZERO)
    }

    fn ingest(&self, entries: &mut dyn Iterator<Item = (Key, Value)>) -> Result<()> {
        let mut entries = entries.peekable();
        while entries.peek().is_some() {
            let txn = self.begin()?;
            let mut table = txn.open_table(TABLE)?;
            for (key, value) in entries.by_ref().take(LOAD_ENTRIES) {
                table.insert(&key[..], &value[..])?;
            }
            drop(table);
            txn.commit()?;
        }
        self.settle().map(drop)
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.settle()?;
        Ok(self.db.close()?)
    }
}

struct RedbSession<'e> {
    engine: &'e Redb,
    held: Option<Records>,
}

impl RedbSession<'_> {
    fn read<R>(&self, read: impl FnOnce(&Records) -> Result<R>) -> Result<R> {
        match &self.held {
            Some(table) => read(table),
            None => read(&self.engine.table()?),
        }
    }
}

impl Session for RedbSession<'_> {
    fn get(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        self.read(|table| {
            digest.answer(black_box(table.get(&key[..])?.map(|value| value.value().to_vec())));
            Ok(())
        })
    }

    fn get_with(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        self.read(|table| {
            match table.get(&key[..])? {
                Some(value) => digest.value(value.value()),
                None => digest.miss(),
            }
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
        self.read(|table| {
            let range = match (from, direction) {
                (None, _) => table.range::<&[u8]>(..)?,
                (Some(key), Direction::Forward) => table.range::<&[u8]>(&key[..]..)?,
                (Some(key), Direction::Backward) => table.range::<&[u8]>(..=&key[..])?,
            };
            let mut walk = |entries: &mut dyn Iterator<Item = _>| -> Result<()> {
                for entry in entries.take(limit) {
                    let (key, value): (redb::AccessGuard<'_, &[u8]>, redb::AccessGuard<'_, &[u8]>) =
                        Result::<_, redb::StorageError>::from(entry)?;
                    digest.entry(key.value(), value.value());
                }
                Ok(())
            };
            match direction {
                Direction::Forward => walk(&mut range.into_iter()),
                Direction::Backward => walk(&mut range.rev()),
            }
        })
    }

    fn put(&mut self, key: &Key, value: &Value) -> Result<()> {
        let txn = self.engine.begin()?;
        txn.open_table(TABLE)?.insert(&key[..], &value[..])?;
        Ok(txn.commit()?)
    }

    fn write(&mut self, changes: &[Change]) -> Result<()> {
        let txn = self.engine.begin()?;
        let mut table = txn.open_table(TABLE)?;
        for (key, value) in changes {
            match value {
                Some(value) => drop(table.insert(&key[..], &value[..])?),
                None => drop(table.remove(&key[..])?),
            }
        }
        drop(table);
        Ok(txn.commit()?)
    }

    fn transaction(
        &mut self,
        reads: &[Key; 2],
        writes: &[(Key, Value); 2],
        digest: &mut Digest,
    ) -> Result<()> {
        let txn = self.engine.begin()?;
        let mut table = txn.open_table(TABLE)?;
        for key in reads {
            digest.answer(black_box(table.get(&key[..])?.map(|value| value.value().to_vec())));
        }
        for (key, value) in writes {
            table.insert(&key[..], &value[..])?;
        }
        drop(table);
        Ok(txn.commit()?)
    }
}
