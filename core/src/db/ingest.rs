//! Loading sorted entries straight into tables.

use std::sync::Weak;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::KeyspaceId;
use crate::db::database::{Database, Owner};
use crate::db::keyspace::Keyspace;
use crate::engine::Engine;
use crate::sync::{Arc, Mutex};
use crate::version::Space;
use crate::write::IngestedTables;

/// What an ingest has added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// Entries.
    pub entries: u64,
    /// Tables that they went to.
    pub tables: usize,
    /// Bytes of these tables.
    pub bytes: u64,
}

/// Sorted entries on their way into tables, past log and memtables. Nothing of them is visible before
/// [`Ingest::finish`], which shows all at once; dropped before that, or after an error, they leave no trace.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
/// let mut ingest = db.begin_ingest()?;
/// for number in 0..1000u32 {
///     ingest.add(number.to_be_bytes(), b"value")?;
/// }
/// assert!(db.get(7u32.to_be_bytes())?.is_none());
/// assert_eq!(ingest.finish()?.entries, 1000);
/// assert!(db.get(7u32.to_be_bytes())?.is_some());
/// # Ok::<(), lightning_db::Error>(())
/// ```
#[must_use = "an ingest that is not finished is taken back"]
pub struct Ingest {
    owner: Arc<Owner>,
    load: Arc<Mutex<Load>>,
}

/// What the ingest shares with a close of the database, which ends it.
struct Load {
    tables: Option<IngestedTables>,
    entries: u64,
}

/// The ingests that are under way.
#[derive(Default)]
pub(super) struct Ingests {
    open: Mutex<Vec<Weak<Mutex<Load>>>>,
}

impl Ingests {
    fn begin(&self, engine: &Engine, space: Arc<Space>) -> Arc<Mutex<Load>> {
        let tables = IngestedTables::new(&engine.catalogue, space);
        let load = Arc::new(Mutex::new(Load { tables: Some(tables), entries: 0 }));
        let mut open = self.open.lock();
        open.retain(|other| other.strong_count() > 0);
        open.push(Arc::downgrade(&load));
        load
    }

    /// Ends all, and removes their files. Waits for running calls; new ones must be refused already.
    pub fn abort_all(&self) {
        let open = std::mem::take(&mut *self.open.lock());
        for load in open.iter().filter_map(Weak::upgrade) {
            load.lock().end();
        }
    }
}

impl Database {
    /// Loads entries whose keys rise strictly, in the order of the database, straight into tables: much cheaper than
    /// writing them. All of them become visible at once, newer than every commit before; they are on stable storage
    /// when this returns. A key that was there has the new value then. Transactions that have read a key between
    /// the first and the last one meet a `Conflict`. What was written before is flushed first; writes wait for a moment if there
    /// is any. For entries that come piece by piece, or with errors, there is [`Database::begin_ingest`].
    ///
    /// Errors, which leave everything as it was: `InvalidArgument` (keys that do not rise, too long), `NoSpace`, `Halted`,
    /// `Closed`, `Io`.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// let report = db.ingest((0..1000u32).map(|number| (number.to_be_bytes(), "value")))?;
    /// assert_eq!((report.entries, report.tables), (1000, 1));
    /// assert!(db.ingest([("b", ""), ("a", "")]).is_err());
    /// assert_eq!(db.get("b")?, None);
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn ingest<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Result<IngestReport> {
        self.begin_ingest()?.all(entries)
    }

    /// Begins an [`Ingest`]. Errors: `Halted`, `Closed`.
    pub fn begin_ingest(&self) -> Result<Ingest> {
        begin(&self.owner, self.engine().catalogue.space(KeyspaceId::DEFAULT)?)
    }
}

impl Keyspace {
    /// As [`Database::ingest`], into this keyspace.
    pub fn ingest<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Result<IngestReport> {
        self.begin_ingest()?.all(entries)
    }

    /// As [`Database::begin_ingest`], into this keyspace.
    pub fn begin_ingest(&self) -> Result<Ingest> {
        begin(&self.owner, Arc::clone(&self.space))
    }
}

fn begin(owner: &Arc<Owner>, space: Arc<Space>) -> Result<Ingest> {
    owner.engine.health.check_write()?;
    space.id_for(owner.engine.catalogue.instance())?;
    let load = owner.ingests.begin(&owner.engine, space);
    Ok(Ingest { owner: Arc::clone(owner), load })
}

impl Ingest {
    /// Adds an entry, whose key must lie behind that of the one before. Errors, which end the ingest: as
    /// [`Database::ingest`].
    pub fn add(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let mut load = self.load.lock();
        let added = load.add(&self.owner.engine, key.as_ref(), value.as_ref());
        added.inspect_err(|_| load.end())
    }

    fn all<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        mut self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Result<IngestReport> {
        for (key, value) in entries {
            self.add(key, value)?;
        }
        self.finish()
    }

    /// Makes all entries visible and durable. Errors: as [`Database::ingest`].
    pub fn finish(self) -> Result<IngestReport> {
        // Held to the end: a close waits for it, so that no file is made or removed behind the close.
        let mut load = self.load.lock();
        let finished = load.finish(&self.owner.engine);
        load.end();
        drop(load);
        finished
    }

    /// Takes everything back; the same as dropping it.
    pub fn abort(self) {}
}

impl Load {
    fn add(&mut self, engine: &Engine, key: &[u8], value: &[u8]) -> Result<()> {
        engine.health.check_write()?;
        self.tables.as_mut().ok_or_else(ended)?.add(key, value)?;
        self.entries += 1;
        Ok(())
    }

    fn finish(&mut self, engine: &Engine) -> Result<IngestReport> {
        engine.health.check_process()?;
        let tables = self.tables.as_mut().ok_or_else(ended)?;
        if self.entries == 0 {
            return Ok(IngestReport::default());
        }
        tables.seal()?;
        let bytes = tables.finished().iter().map(|meta| meta.size).sum();
        let report = IngestReport { entries: self.entries, tables: tables.finished().len(), bytes };
        engine.publish_ingest(tables)?;
        Ok(report)
    }

    /// Removes the files of what was not published.
    fn end(&mut self) {
        if let Some(tables) = self.tables.take() {
            if tables.catalogue().health().is_forked() {
                // The files are the parent's.
                return std::mem::forget(tables);
            }
            let catalogue = Arc::clone(tables.catalogue());
            drop(tables);
            catalogue.remove_obsolete();
        }
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.load.lock().end();
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Closed, "the ingest has ended")
}
