//! Writes.

use std::cell::Cell;
use std::time::Duration;

use crate::base::config::ConsistencyLevel;
use crate::base::error::Result;
use crate::base::ids::KeyspaceId;
use crate::batch::{Operation, WriteBatch, delete_of, put_of};
use crate::db::database::Database;
use crate::engine::Engine;

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
        write_one(self.engine(), put_of(KeyspaceId::DEFAULT, key.as_ref(), value.as_ref()), level)
    }

    /// Deletes a key at the default level; an absent key is no error. Errors: as
    /// [`Database::put`].
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<()> {
        self.delete_with_consistency(key, self.engine().default_level)
    }

    /// Deletes a key, acknowledged as `level` says. Errors: as [`Database::put`].
    pub fn delete_with_consistency(&self, key: impl AsRef<[u8]>, level: ConsistencyLevel) -> Result<()> {
        write_one(self.engine(), delete_of(KeyspaceId::DEFAULT, key.as_ref()), level)
    }

    /// The level of a write that names none.
    pub fn default_level(&self) -> ConsistencyLevel {
        self.engine().default_level
    }

    /// Applies a batch at the default level: all of it or nothing. Errors: as
    /// [`Database::put`].
    pub fn write(&self, batch: &WriteBatch) -> Result<()> {
        self.write_with(batch, self.engine().default_level)
    }

    /// Applies a batch, acknowledged as `level` says. Errors: as [`Database::put`].
    pub fn write_with(&self, batch: &WriteBatch, level: ConsistencyLevel) -> Result<()> {
        self.engine().writer.commit(batch, level)
    }

    /// As [`Database::write_with`], but waits at most `patience` while flush and compaction are behind:
    /// `TimedOut` then, and nothing is written. The sync of a `Strong` write is waited for all the same.
    pub fn write_within(
        &self,
        batch: &WriteBatch,
        level: ConsistencyLevel,
        patience: Duration,
    ) -> Result<()> {
        self.engine().writer.commit_within(batch, level, Some(patience))
    }

    /// Puts several entries at the default level, all or none. Errors: as [`Database::put`].
    pub fn put_batch<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, entries: &[(K, V)]) -> Result<()> {
        let id = KeyspaceId::DEFAULT;
        write_all(self.engine(), entries.iter().map(|(key, value)| put_of(id, key.as_ref(), value.as_ref())))
    }

    /// Deletes several keys at the default level, all or none. Errors: as [`Database::put`].
    pub fn delete_batch<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<()> {
        write_all(self.engine(), keys.iter().map(|key| delete_of(KeyspaceId::DEFAULT, key.as_ref())))
    }
}

thread_local! {
    /// The memory of the thread's last commit of one write.
    static SPARE: Cell<WriteBatch> = Cell::default();
}

/// A spare batch with more memory than this is not kept.
const KEPT_BYTES: usize = 4 << 10;

/// A commit of one write.
pub(super) fn write_one(engine: &Engine, operation: Operation<'_>, level: ConsistencyLevel) -> Result<()> {
    let mut batch = SPARE.try_with(Cell::take).unwrap_or_default();
    batch.clear();
    batch.add(operation)?;
    let outcome = engine.writer.commit(&batch, level);
    if batch.memory() <= KEPT_BYTES {
        let _ = SPARE.try_with(|spare| spare.set(batch));
    }
    outcome
}

/// A commit of several writes, at the default level.
pub(super) fn write_all<'a>(engine: &Engine, operations: impl Iterator<Item = Operation<'a>>) -> Result<()> {
    let mut batch = WriteBatch::new();
    for operation in operations {
        batch.add(operation)?;
    }
    engine.writer.commit(&batch, engine.default_level)
}
