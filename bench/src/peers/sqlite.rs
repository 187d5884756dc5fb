//! SQLite, through rusqlite.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, Rows, params};

use crate::data::{Key, Value};
use crate::engine::{About, Change, Digest, Direction, Engine, Level, Session, Setup, View};
use crate::peers::LOAD_ENTRIES;

pub const ABOUT: About = About {
    name: "sqlite",
    title: "SQLite",
    version: "rusqlite 0.42.0 (SQLite 3.54.1, bundled)",
    settings: "`WITHOUT ROWID`, `journal_mode = WAL`, `cache_size`, a connection for each thread, prepared statements; not synced: `synchronous = OFF`, durable: `FULL`; sorted load: in transactions of 10,000",
    lsm: false,
    weaker: None,
};

/// Longer than any row: nobody gives up waiting for the writer before it.
const BUSY: Duration = Duration::from_secs(600);

const CREATE: &str = "CREATE TABLE IF NOT EXISTS records (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID";
const GET: &str = "SELECT v FROM records WHERE k = ?1";
const PUT: &str = "INSERT INTO records (k, v) VALUES (?1, ?2) ON CONFLICT (k) DO UPDATE SET v = excluded.v";
const DELETE: &str = "DELETE FROM records WHERE k = ?1";
const SCAN: &str = "SELECT k, v FROM records ORDER BY k LIMIT ?1";
const SCAN_BACK: &str = "SELECT k, v FROM records ORDER BY k DESC LIMIT ?1";
const SEEK: &str = "SELECT k, v FROM records WHERE k >= ?2 ORDER BY k LIMIT ?1";
const SEEK_BACK: &str = "SELECT k, v FROM records WHERE k <= ?2 ORDER BY k DESC LIMIT ?1";

struct Sqlite {
    file: PathBuf,
    setup: Setup,
}

pub fn open(path: &Path, setup: &Setup) -> Result<Box<dyn Engine>> {
    std::fs::create_dir_all(path)?;
    let engine = Sqlite { file: path.join("records.sqlite"), setup: *setup };
    engine.connect()?.execute_batch(CREATE)?;
    Ok(Box::new(engine))
}

impl Sqlite {
    fn connect(&self) -> Result<Connection> {
        let db = Connection::open(&self.file)?;
        db.busy_timeout(BUSY)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "cache_size", -((self.setup.cache / 1024) as i64))?;
        let synchronous = match self.setup.level {
            Level::Process => "OFF",
            Level::Power => "FULL",
        };
        db.pragma_update(None, "synchronous", synchronous)?;
        Ok(db)
    }
}

impl Engine for Sqlite {
    fn session(&self, view: View) -> Result<Box<dyn Session + '_>> {
        let db = self.connect()?;
        if view == View::Held {
            db.execute_batch("BEGIN")?;
        }
        Ok(Box::new(SqliteSession { db }))
    }

    fn settle(&self) -> Result<Duration> {
        let db = self.connect()?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(Duration::ZERO)
    }

    fn ingest(&self, entries: &mut dyn Iterator<Item = (Key, Value)>) -> Result<()> {
        let db = self.connect()?;
        let mut entries = entries.peekable();
        while entries.peek().is_some() {
            db.execute_batch("BEGIN IMMEDIATE")?;
            let mut put = db.prepare_cached(PUT)?;
            for (key, value) in entries.by_ref().take(LOAD_ENTRIES) {
                put.execute(params![key, value])?;
            }
            db.execute_batch("COMMIT")?;
        }
        drop(db);
        self.settle().map(drop)
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.settle().map(drop)
    }
}

struct SqliteSession {
    db: Connection,
}

impl SqliteSession {
    fn in_transaction(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        work()?;
        self.db.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn put_one(&self, key: &Key, value: &Value) -> Result<()> {
        self.db.prepare_cached(PUT)?.execute(params![key, value])?;
        Ok(())
    }
}

fn walk(mut rows: Rows<'_>, digest: &mut Digest) -> Result<()> {
    while let Some(row) = rows.next()? {
        digest.entry(row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
    }
    Ok(())
}

impl Session for SqliteSession {
    fn get(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        let mut statement = self.db.prepare_cached(GET)?;
        let answer = statement.query_row([key], |row| row.get::<_, Vec<u8>>(0)).optional()?;
        digest.answer(answer);
        Ok(())
    }

    fn get_with(&mut self, key: &Key, digest: &mut Digest) -> Result<()> {
        let mut statement = self.db.prepare_cached(GET)?;
        let mut rows = statement.query([key])?;
        match rows.next()? {
            Some(row) => digest.value(row.get_ref(0)?.as_blob()?),
            None => digest.miss(),
        }
        Ok(())
    }

    fn scan(
        &mut self,
        from: Option<&Key>,
        direction: Direction,
        limit: usize,
        digest: &mut Digest,
    ) -> Result<()> {
        let limit = i64::try_from(limit).unwrap_or(-1);
        let query = match (from, direction) {
            (None, Direction::Forward) => SCAN,
            (None, Direction::Backward) => SCAN_BACK,
            (Some(_), Direction::Forward) => SEEK,
            (Some(_), Direction::Backward) => SEEK_BACK,
        };
        let mut statement = self.db.prepare_cached(query)?;
        match from {
            Some(key) => walk(statement.query(params![limit, key])?, digest),
            None => walk(statement.query([limit])?, digest),
        }
    }

    fn put(&mut self, key: &Key, value: &Value) -> Result<()> {
        self.put_one(key, value)
    }

    fn write(&mut self, changes: &[Change]) -> Result<()> {
        self.in_transaction(|| {
            let (mut put, mut delete) = (self.db.prepare_cached(PUT)?, self.db.prepare_cached(DELETE)?);
            for (key, value) in changes {
                match value {
                    Some(value) => put.execute(params![key, value])?,
                    None => delete.execute([key])?,
                };
            }
            Ok(())
        })
    }

    fn transaction(
        &mut self,
        reads: &[Key; 2],
        writes: &[(Key, Value); 2],
        digest: &mut Digest,
    ) -> Result<()> {
        self.in_transaction(|| {
            for key in reads {
                let mut statement = self.db.prepare_cached(GET)?;
                digest.answer(statement.query_row([key], |row| row.get::<_, Vec<u8>>(0)).optional()?);
            }
            writes.iter().try_for_each(|(key, value)| self.put_one(key, value))
        })
    }
}

#[test]
fn the_version_in_the_table_is_that_of_the_library() {
    assert!(ABOUT.version.contains(&format!("(SQLite {}, bundled)", rusqlite::version())));
}
