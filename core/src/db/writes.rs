//! Writes.

use crate::base::config::ConsistencyLevel;
use crate::base::error::Result;
use crate::batch::WriteBatch;
use crate::db::database::Database;

impl Database {
    /// Puts a value at the default level. Errors: `InvalidArgument` (key or value too long), `NoSpace`,
    /// `Halted`, `Closed`, `Io`. Blocks for the sync at `Strong`, and while flush is far behind.
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        self.put_with_consistency(key, value, self.engine().default_level)
    }

    /// Puts a value, acknowledged as `level` says. Errors: as [`Database::put`].
    pub fn put_with_consistency(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        level: ConsistencyLevel,
    ) -> Result<()> {
        let mut batch = WriteBatch::new();
        batch.put(key, value)?;
        self.write_with(&batch, level)
    }

    /// Deletes a key at the default level; an absent key is no error. Errors: as
    /// [`Database::put`].
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<()> {
        self.delete_with_consistency(key, self.engine().default_level)
    }

    /// Deletes a key, acknowledged as `level` says. Errors: as [`Database::put`].
    pub fn delete_with_consistency(&self, key: impl AsRef<[u8]>, level: ConsistencyLevel) -> Result<()> {
        let mut batch = WriteBatch::new();
        batch.delete(key)?;
        self.write_with(&batch, level)
    }

    /// Applies a batch at the default level: all of it or nothing. Errors: as
    /// [`Database::put`].
    pub fn write(&self, batch: &WriteBatch) -> Result<()> {
        self.write_with(batch, self.engine().default_level)
    }

    /// Applies a batch, acknowledged as `level` says. Errors: as [`Database::put`].
    pub fn write_with(&self, batch: &WriteBatch, level: ConsistencyLevel) -> Result<()> {
        self.engine().writer.commit(batch, level, None)
    }

    /// Puts several entries at the default level, all or none. Errors: as [`Database::put`].
    pub fn put_batch<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, entries: &[(K, V)]) -> Result<()> {
        let mut batch = WriteBatch::new();
        for (key, value) in entries {
            batch.put(key, value)?;
        }
        self.write(&batch)
    }

    /// Deletes several keys at the default level, all or none. Errors: as [`Database::put`].
    pub fn delete_batch<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<()> {
        let mut batch = WriteBatch::new();
        for key in keys {
            batch.delete(key)?;
        }
        self.write(&batch)
    }
}
