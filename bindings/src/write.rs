//! Writes at a level, or at the default one of the database. Errors and blocking: as [`Database::put`].

use lightning_db::{ConsistencyLevel, Database, Result, WriteBatch};

/// Puts a value.
#[inline]
pub fn put(db: &Database, key: &[u8], value: &[u8], level: Option<ConsistencyLevel>) -> Result<()> {
    match level {
        Some(level) => db.put_with_consistency(key, value, level),
        None => db.put(key, value),
    }
}

/// Deletes a key; an absent one is no error.
pub fn delete(db: &Database, key: &[u8], level: Option<ConsistencyLevel>) -> Result<()> {
    match level {
        Some(level) => db.delete_with_consistency(key, level),
        None => db.delete(key),
    }
}

/// Applies a batch, all or nothing.
pub fn write(db: &Database, batch: &WriteBatch, level: Option<ConsistencyLevel>) -> Result<()> {
    match level {
        Some(level) => db.write_with(batch, level),
        None => db.write(batch),
    }
}
