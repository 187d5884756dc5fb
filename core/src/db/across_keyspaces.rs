//! What batches, snapshots, transactions and scans do in keyspaces.

use crate::base::error::Result;
use crate::base::lookup::{Lookup, Reach};
use crate::base::value::Value;
use crate::batch::{WriteBatch, delete_of, put_of};
use crate::db::keyspace::Keyspace;
use crate::db::snapshot::Snapshot;
use crate::read::ScanOptions;
use crate::sync::Arc;
use crate::txn::Transaction;

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
}
