//! Our engine.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use lightning_db::{ConsistencyLevel, Database, LightningDbConfig, ScanOptions, WriteBatch};

use crate::data::{Key, Value};
use crate::engine::{About, Change, Digest, Direction, Engine, Level, Session, Setup, View};
use crate::meter::wait_until_quiet;

pub const ABOUT: About = About {
    name: "lightning",
    title: "Lightning DB",
    version: concat!("lightning_db ", env!("CARGO_PKG_VERSION"), ", this commit"),
    settings: "defaults and `cache_size`; not synced: `Quorum`, durable: `Strong`, given with each write",
    lsm: true,
    weaker: None,
};

struct Lightning {
    db: Database,
    level: ConsistencyLevel,
}

pub fn open(path: &Path, setup: &Setup) -> Result<Box<dyn Engine>> {
    let config = LightningDbConfig { cache_size: setup.cache, ..Default::default() };
    let level = match setup.level {
        Level::Process => ConsistencyLevel::Quorum,
        Level::Power => ConsistencyLevel::Strong,
    };
    Ok(Box::new(Lightning { db: Database::create(path, config)?, level }))
}

impl Engine for Lightning {
    fn session(&self, _view: View) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(LightningSession { db: &self.db, level: self.level }))
    }

    fn settle(&self) -> Result<Duration> {
        self.db.flush()?;
        Ok(wait_until_quiet())
    }

    fn ingest(&self, entries: &mut dyn Iterator<Item = (Key, Value)>) -> Result<()> {
        self.db.ingest(entries)?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.db.close()?)
    }
}

struct LightningSession<'e> {
    db: &'e Database,
    level: ConsistencyLevel,
}

impl Session for LightningSession<'_> {
    fn get(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        digest.answer(black_box(self.db.get(key)?));
        Ok(())
    }

    fn get_with(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        if self.db.get_with(key, |value| digest.value(value))?.is_none() {
            digest.miss();
        }
        Ok(())
    }

    fn get_many(&mut self, keys: &[Key], digest: &mut Digest) -> Result<()> {
        black_box(self.db.get_batch(keys)?).into_iter().for_each(|answer| digest.answer(answer));
        Ok(())
    }

    fn scan(
        &mut self,
        from: Option<&Key>,
        direction: Direction,
        limit: usize,
        digest: &mut Digest,
    ) -> Result<()> {
        let options = match (from, direction) {
            (None, _) => ScanOptions::all(),
            (Some(key), Direction::Forward) => ScanOptions::range(&key[..]..),
            (Some(key), Direction::Backward) => ScanOptions::range(..=&key[..]),
        };
        let options = if direction == Direction::Backward { options.reverse() } else { options };
        let mut scan = self.db.scan_with(options.limit(limit))?;
        while let Some((key, value)) = scan.next_entry()? {
            digest.entry(key, value);
        }
        Ok(())
    }

    fn put(&mut self, key: &Key, value: &Value) -> Result<()> {
        Ok(self.db.put_with_consistency(key, value, self.level)?)
    }

    fn write(&mut self, changes: &[Change]) -> Result<()> {
        let mut batch = WriteBatch::new();
        for (key, value) in changes {
            match value {
                Some(value) => batch.put(key, value)?,
                None => batch.delete(key)?,
            }
        }
        Ok(self.db.write_with(&batch, self.level)?)
    }

    fn transaction(
        &mut self,
        reads: &[Key; 2],
        writes: &[(Key, Value); 2],
        digest: &mut Digest,
    ) -> Result<()> {
        let tx = self.db.transaction()?;
        for key in reads {
            digest.answer(tx.get(key)?);
        }
        for (key, value) in writes {
            tx.put(key, value)?;
        }
        Ok(tx.commit_with(self.level)?)
    }
}
