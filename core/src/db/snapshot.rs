//! Snapshots: the database as it was at one instant.

use crate::base::error::Result;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::lookup::{Lookup, Reach};
use crate::base::value::Value;
use crate::db::database::{Database, Owner};
use crate::read::{Scan, ScanOptions};
use crate::snapshots::SnapshotHold;
use crate::sync::Arc;

/// The database as it was when the snapshot was taken. Never changes, never blocks a writer; keeps old
/// versions from being reclaimed until dropped. May be shared between threads.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
/// db.put(b"a", b"old")?;
/// let snapshot = db.snapshot()?;
/// db.put(b"a", b"new")?;
/// assert_eq!(snapshot.get(b"a")?.as_deref(), Some(&b"old"[..]));
/// # Ok::<(), lightning_db::Error>(())
/// ```
pub struct Snapshot {
    pub(super) owner: Arc<Owner>,
    hold: SnapshotHold,
}

impl Database {
    /// Takes a snapshot of what is visible now. Errors: `Closed`.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let engine = self.engine();
        engine.health.check_read()?;
        let hold = engine.snapshots.hold(engine.catalogue.view());
        Ok(Snapshot { owner: Arc::clone(&self.owner), hold })
    }
}

impl Snapshot {
    /// Commits up to and with this one are seen.
    pub fn sequence(&self) -> SequenceNumber {
        self.hold.sequence()
    }

    /// The value of `key` then, or `None`. Errors: as [`Database::get`].
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Value>> {
        self.owner.engine.get_value(KeyspaceId::DEFAULT, Some(self.sequence()), key.as_ref())
    }

    /// As [`Database::get_with`].
    pub fn get_with<R>(
        &self,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        self.owner.engine.get(KeyspaceId::DEFAULT, Some(self.sequence()), key.as_ref(), use_value)
    }

    /// As [`Database::get_cached`].
    pub fn get_cached<R>(
        &self,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        self.owner.engine.lookup(
            KeyspaceId::DEFAULT,
            Some(self.sequence()),
            key.as_ref(),
            Reach::Memory,
            use_value,
        )
    }

    /// As [`Database::scan`].
    pub fn scan(&self, start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Result<Scan> {
        self.scan_with(ScanOptions::half_open(start, end))
    }

    /// As [`Database::scan_prefix`].
    pub fn scan_prefix(&self, prefix: impl AsRef<[u8]>) -> Result<Scan> {
        self.scan_with(ScanOptions::prefix(prefix))
    }

    /// As [`Database::scan_reverse`].
    pub fn scan_reverse(&self, start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Result<Scan> {
        self.scan_with(ScanOptions::half_open(start, end).reverse())
    }

    /// Refuses now what [`Snapshot::scan_with`] would refuse before it looks at a table, for a scan that is opened later.
    /// Errors: `Closed`, `NotFound` (the keyspace was dropped), `InvalidArgument` (it is one of another database).
    pub fn check_scan(&self, options: &ScanOptions) -> Result<()> {
        let engine = &self.owner.engine;
        engine.health.check_read()?;
        engine.keyspace_of(options).map(drop)
    }

    /// As [`Database::scan_with`].
    pub fn scan_with(&self, options: ScanOptions) -> Result<Scan> {
        self.owner.engine.scan(Some(self.sequence()), options, Some(Arc::clone(&self.owner) as _))
    }
}
