//! What batches, snapshots, transactions and scans do in keyspaces.

use crate::base::error::Result;
use crate::base::lookup::{Lookup, Reach};
use crate::base::value::Value;
use crate::batch::{WriteBatch, delete_of, put_of};
use crate::db::keyspace::Keyspace;
use crate::db::snapshot::Snapshot;
use crate::read::{Scan, ScanOptions};
use crate::sync::Arc;
use crate::txn::{Transaction, TransactionScan};

impl WriteBatch {
    /// As [`WriteBatch::put`], into a keyspace. Errors: also `InvalidArgument` if the batch names keyspaces of another
    /// database, `NotFound` if the keyspace was dropped. The write of a batch with a keyspace that was dropped
    /// meanwhile is `NotFound` too, and changes nothing.
    pub fn put_in(
        &mut self,
        keyspace: &Keyspace,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Result<()> {
        let instance = keyspace.space.instance();
        self.add_in(instance, put_of(keyspace.id()?, key.as_ref(), value.as_ref()))
    }

    /// As [`WriteBatch::delete`], in a keyspace. Errors: as [`WriteBatch::put_in`].
    pub fn delete_in(&mut self, keyspace: &Keyspace, key: impl AsRef<[u8]>) -> Result<()> {
        let instance = keyspace.space.instance();
        self.add_in(instance, delete_of(keyspace.id()?, key.as_ref()))
    }
}

impl ScanOptions {
    /// In a keyspace. What is done with the options then is `InvalidArgument` on another database, `NotFound` once the
    /// keyspace was dropped.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// use lightning_db::ScanOptions;
    /// let users = db.create_keyspace("users", Default::default())?;
    /// users.put("ann", "1")?;
    /// let snapshot = db.snapshot()?;
    /// users.delete("ann")?;
    /// assert_eq!(snapshot.scan_with(ScanOptions::all().in_keyspace(&users))?.count(), 1);
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn in_keyspace(mut self, keyspace: &Keyspace) -> Self {
        self.keyspace = Some(Arc::clone(&keyspace.space));
        self
    }
}

impl Snapshot {
    /// As [`Snapshot::get`], in a keyspace. Errors: also `NotFound` (the keyspace was dropped), `InvalidArgument` (it is one
    /// of another database).
    pub fn get_in(&self, keyspace: &Keyspace, key: impl AsRef<[u8]>) -> Result<Option<Value>> {
        let engine = &self.owner.engine;
        engine.get_value(keyspace.id_for(engine.catalogue.instance())?, Some(self.sequence()), key.as_ref())
    }

    /// As [`Snapshot::get_with`], in a keyspace. Errors: as [`Snapshot::get_in`].
    pub fn get_with_in<R>(
        &self,
        keyspace: &Keyspace,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        let engine = &self.owner.engine;
        let id = keyspace.id_for(engine.catalogue.instance())?;
        engine.get(id, Some(self.sequence()), key.as_ref(), use_value)
    }

    /// As [`Snapshot::get_cached`], in a keyspace. Errors: as [`Snapshot::get_in`].
    pub fn get_cached_in<R>(
        &self,
        keyspace: &Keyspace,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        let engine = &self.owner.engine;
        let id = keyspace.id_for(engine.catalogue.instance())?;
        engine.lookup(id, Some(self.sequence()), key.as_ref(), Reach::Memory, use_value)
    }

    /// As [`Snapshot::scan`], in a keyspace; other scans go by [`ScanOptions::in_keyspace`]. Errors: as
    /// [`Snapshot::get_in`].
    pub fn scan_in(&self, keyspace: &Keyspace, start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Result<Scan> {
        self.scan_with(ScanOptions::half_open(start, end).in_keyspace(keyspace))
    }
}

impl Transaction {
    /// As [`Transaction::get`], in a keyspace. Errors: also `NotFound` (the keyspace was dropped), `InvalidArgument` (it is
    /// one of another database). That a keyspace was dropped is a `Conflict` for a transaction that has read in it.
    pub fn get_in(&self, keyspace: &Keyspace, key: impl AsRef<[u8]>) -> Result<Option<Value>> {
        let mut value = Ok(None);
        self.get_with_in(keyspace, key, |lent| value = Value::copy(lent).map(Some))?;
        value
    }

    /// As [`Transaction::get_with`], in a keyspace. Errors: as [`Transaction::get_in`].
    pub fn get_with_in<R>(
        &self,
        keyspace: &Keyspace,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        let id = keyspace.id_for(self.instance())?;
        self.lookup(id, key.as_ref(), Reach::Disk, use_value).map(Lookup::on_disk)
    }

    /// As [`Transaction::get_cached`], in a keyspace. Errors: as [`Transaction::get_in`].
    pub fn get_cached_in<R>(
        &self,
        keyspace: &Keyspace,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        self.lookup(keyspace.id_for(self.instance())?, key.as_ref(), Reach::Memory, use_value)
    }

    /// As [`Transaction::put`], into a keyspace. Errors: as [`Transaction::get_in`]. The commit is `NotFound` if the keyspace was
    /// dropped meanwhile.
    pub fn put_in(&self, keyspace: &Keyspace, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        self.add(put_of(keyspace.id_for(self.instance())?, key.as_ref(), value.as_ref()))
    }

    /// As [`Transaction::delete`], in a keyspace. Errors: as [`Transaction::put_in`].
    pub fn delete_in(&self, keyspace: &Keyspace, key: impl AsRef<[u8]>) -> Result<()> {
        self.add(delete_of(keyspace.id_for(self.instance())?, key.as_ref()))
    }

    /// As [`Transaction::scan`], in a keyspace; other scans go by [`ScanOptions::in_keyspace`]. The scans of the
    /// [`Keyspace`] itself know nothing of the transaction. Errors: as [`Transaction::get_in`].
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// use lightning_db::ScanOptions;
    /// let users = db.create_keyspace("users", Default::default())?;
    /// db.transact(|tx| {
    ///     tx.put_in(&users, "ann", "1")?;
    ///     assert_eq!(tx.scan_in(&users, None, None)?.count(), 1);
    ///     assert_eq!(tx.scan_with(ScanOptions::prefix("b").in_keyspace(&users))?.count(), 0);
    ///     assert_eq!(users.scan(None, None)?.count(), 0);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn scan_in(
        &self,
        keyspace: &Keyspace,
        start: Option<Vec<u8>>,
        end: Option<Vec<u8>>,
    ) -> Result<TransactionScan> {
        self.scan_with(ScanOptions::half_open(start, end).in_keyspace(keyspace))
    }
}
