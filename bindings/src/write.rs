//! Writes at a level, or at the default one of the database, with or without a limit to the time that they wait for flush
//! and compaction. Errors and blocking: as [`Database::put`](lightning_db::Database::put) and
//! [`Database::write_within`](lightning_db::Database::write_within).

use std::time::Duration;

use lightning_db::{ConsistencyLevel, Error, Result, WriteBatch};

use crate::store::Store;

/// How a write is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// The level; `None` is the default one of the database.
    pub level: Option<ConsistencyLevel>,
    /// Longest wait for flush and compaction; `None` is for as long as it takes.
    pub patience: Option<Duration>,
}

impl How {
    /// A level by its name and a patience in seconds. Errors: `InvalidArgument`: an unknown level, seconds that are negative or no
    /// number.
    pub fn new(level: Option<&str>, seconds: Option<f64>) -> Result<Self> {
        Ok(How {
            level: level.map(crate::arguments::level).transpose()?,
            patience: seconds.map(patience).transpose()?,
        })
    }
}

impl From<Option<ConsistencyLevel>> for How {
    fn from(level: Option<ConsistencyLevel>) -> Self {
        How { level, patience: None }
    }
}

/// A patience of so many seconds; one that no clock reaches is the longest. Errors: `InvalidArgument`: negative, or no number.
pub fn patience(seconds: f64) -> Result<Duration> {
    match seconds >= 0.0 {
        true => Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)),
        false => Err(Error::invalid(format!("a timeout of {seconds} seconds"))),
    }
}

/// Puts a value.
#[inline]
pub fn put(store: &Store, key: &[u8], value: &[u8], how: impl Into<How>) -> Result<()> {
    let how = how.into();
    match (store.keyspace(), how) {
        (None, How { level: None, patience: None }) => store.database().put(key, value),
        (None, How { level: Some(level), patience: None }) => {
            store.database().put_with_consistency(key, value, level)
        }
        (Some(keyspace), How { level: None, patience: None }) => keyspace.put(key, value),
        (Some(keyspace), How { level: Some(level), patience: None }) => {
            keyspace.put_with_consistency(key, value, level)
        }
        _ => alone(store, how, |batch| add_put(batch, store, key, value)),
    }
}

/// Deletes a key; an absent one is no error.
pub fn delete(store: &Store, key: &[u8], how: impl Into<How>) -> Result<()> {
    let how = how.into();
    match (store.keyspace(), how) {
        (None, How { level: None, patience: None }) => store.database().delete(key),
        (None, How { level: Some(level), patience: None }) => {
            store.database().delete_with_consistency(key, level)
        }
        (Some(keyspace), How { level: None, patience: None }) => keyspace.delete(key),
        (Some(keyspace), How { level: Some(level), patience: None }) => {
            keyspace.delete_with_consistency(key, level)
        }
        _ => alone(store, how, |batch| add_delete(batch, store, key)),
    }
}

/// A write of one record with a limit to its patience.
#[cold]
fn alone(store: &Store, how: How, add: impl FnOnce(&mut WriteBatch) -> Result<()>) -> Result<()> {
    let mut batch = WriteBatch::new();
    add(&mut batch)?;
    write(store, &batch, how)
}

/// Adds a put in the keyspace of `store` to a batch.
pub fn add_put(batch: &mut WriteBatch, store: &Store, key: &[u8], value: &[u8]) -> Result<()> {
    match store.keyspace() {
        None => batch.put(key, value),
        Some(keyspace) => batch.put_in(keyspace, key, value),
    }
}

/// Adds a delete in the keyspace of `store` to a batch.
pub fn add_delete(batch: &mut WriteBatch, store: &Store, key: &[u8]) -> Result<()> {
    match store.keyspace() {
        None => batch.delete(key),
        Some(keyspace) => batch.delete_in(keyspace, key),
    }
}

/// Applies a batch, all or nothing.
pub fn write(store: &Store, batch: &WriteBatch, how: impl Into<How>) -> Result<()> {
    let (db, How { level, patience }) = (store.database(), how.into());
    match (level, patience) {
        (None, None) => db.write(batch),
        (Some(level), None) => db.write_with(batch, level),
        (level, Some(patience)) => {
            db.write_within(batch, level.unwrap_or_else(|| db.default_level()), patience)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Read;
    use lightning_db::{Database, ErrorKind};

    #[test]
    fn a_patience_is_a_number_of_seconds() {
        assert_eq!(patience(0.5).unwrap(), Duration::from_millis(500));
        assert_eq!(patience(f64::INFINITY).unwrap(), Duration::MAX);
        for wrong in [-1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(patience(wrong).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }

    #[test]
    fn writes_are_the_same_in_each_way() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::from(Database::create(folder.path(), Default::default()).unwrap());
        let second = first.create_keyspace("second", Default::default()).unwrap();
        for store in [first, second] {
            for level in [None, Some("quorum")] {
                for seconds in [None, Some(0.0), Some(f64::INFINITY)] {
                    let how = How::new(level, seconds).unwrap();
                    put(&store, b"a", b"1", how).unwrap();
                    assert!(store.contains(b"a").unwrap());
                    delete(&store, b"a", how).unwrap();
                    assert_eq!(store.get_copy(b"a").unwrap(), None);
                }
            }
        }
    }
}
