//! A database as seen through one of its keyspaces, and snapshots and transactions likewise: a handle bound to a keyspace has
//! the type of one that is not, so each call of a face serves both.

use std::sync::Arc;

use lightning_db::{
    Database, Ingest, Isolation, Keyspace, KeyspaceOptions, Lookup, Result, ScanOptions, Snapshot,
    Transaction, Value,
};

use crate::cursor::Cursor;
use crate::read::Read;

/// A database, through its default keyspace or another one.
#[derive(Clone, Debug)]
pub struct Store {
    db: Database,
    /// `None` is the default keyspace, whose calls have nothing to check.
    keyspace: Option<Keyspace>,
}

impl From<Database> for Store {
    fn from(db: Database) -> Self {
        Store { db, keyspace: None }
    }
}

impl Store {
    /// The database: for what concerns all keyspaces.
    #[inline]
    pub fn database(&self) -> &Database {
        &self.db
    }

    /// The keyspace, unless it is the default one.
    #[inline]
    pub fn keyspace(&self) -> Option<&Keyspace> {
        self.keyspace.as_ref()
    }

    /// The same database through a keyspace of its own.
    pub fn within(&self, keyspace: Keyspace) -> Store {
        Store { db: self.db.clone(), keyspace: Some(keyspace) }
    }

    /// Makes a keyspace. Errors: as [`Database::create_keyspace`].
    pub fn create_keyspace(&self, name: &str, options: KeyspaceOptions) -> Result<Store> {
        Ok(self.within(self.db.create_keyspace(name, options)?))
    }

    /// The same database through the keyspace of a name. Errors: as [`Database::keyspace`].
    pub fn keyspace_named(&self, name: &str) -> Result<Store> {
        Ok(self.within(self.db.keyspace(name)?))
    }

    /// The name of the keyspace.
    pub fn name(&self) -> &str {
        self.keyspace.as_ref().map_or("default", Keyspace::name)
    }

    /// As [`Database::contains`].
    pub fn contains(&self, key: &[u8]) -> Result<bool> {
        Ok(self.get_with(key, |_| ())?.is_some())
    }

    /// As [`Database::get_batch`].
    pub fn get_batch<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Vec<Option<Value>>> {
        match &self.keyspace {
            None => self.db.get_batch(keys),
            Some(keyspace) => keyspace.get_batch(keys),
        }
    }

    /// As [`Database::count`].
    pub fn count(&self, options: ScanOptions) -> Result<u64> {
        self.db.count(within(options, self.keyspace.as_ref()))
    }

    /// As [`Database::approximate_size`].
    pub fn approximate_size(&self, options: ScanOptions) -> Result<u64> {
        self.db.approximate_size(&within(options, self.keyspace.as_ref()))
    }

    /// Begins to load sorted entries into the keyspace; dropped before its end it leaves no trace. Errors: as
    /// [`Database::begin_ingest`].
    pub fn ingest(&self) -> Result<Ingest> {
        match &self.keyspace {
            None => self.db.begin_ingest(),
            Some(keyspace) => keyspace.begin_ingest(),
        }
    }

    /// A snapshot of the whole database, seen through this keyspace. Errors: as [`Database::snapshot`].
    pub fn snapshot(&self) -> Result<Within<Snapshot>> {
        Ok(Within { of: Arc::new(self.db.snapshot()?), keyspace: self.keyspace.clone() })
    }

    /// A transaction of the whole database, seen through this keyspace. Errors: as [`Database::transaction_with`].
    pub fn transaction(&self, isolation: Isolation) -> Result<Within<Transaction>> {
        Ok(Within { of: Arc::new(self.db.transaction_with(isolation)?), keyspace: self.keyspace.clone() })
    }
}

impl Read for Store {
    #[inline]
    fn get_with<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        match &self.keyspace {
            None => self.db.get_with(key, use_value),
            Some(keyspace) => keyspace.get_with(key, use_value),
        }
    }

    #[inline]
    fn get_cached<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Lookup<R>> {
        match &self.keyspace {
            None => self.db.get_cached(key, use_value),
            Some(keyspace) => keyspace.get_cached(key, use_value),
        }
    }

    fn cursor(&self, options: ScanOptions) -> Result<Cursor> {
        Ok(self.db.scan_with(within(options, self.keyspace.as_ref()))?.into())
    }
}

fn within(options: ScanOptions, keyspace: Option<&Keyspace>) -> ScanOptions {
    match keyspace {
        None => options,
        Some(keyspace) => options.in_keyspace(keyspace),
    }
}

/// A snapshot or a transaction for the time of a call, through the default keyspace or another one: it lives at least as long.
pub struct Within<T> {
    of: Arc<T>,
    keyspace: Option<Keyspace>,
}

impl<T> Clone for Within<T> {
    fn clone(&self) -> Self {
        Within { of: Arc::clone(&self.of), keyspace: self.keyspace.clone() }
    }
}

impl<T> Within<T> {
    pub(crate) fn new(of: Arc<T>, keyspace: Option<Keyspace>) -> Self {
        Within { of, keyspace }
    }

    pub(crate) fn into_parts(self) -> (Arc<T>, Option<Keyspace>) {
        (self.of, self.keyspace)
    }
}

macro_rules! read_within {
    ($($name:ident)*) => {$(
        impl Read for Within<$name> {
            #[inline]
            fn get_with<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
                match &self.keyspace {
                    None => self.of.get_with(key, use_value),
                    Some(keyspace) => self.of.get_with_in(keyspace, key, use_value),
                }
            }

            #[inline]
            fn get_cached<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Lookup<R>> {
                match &self.keyspace {
                    None => self.of.get_cached(key, use_value),
                    Some(keyspace) => self.of.get_cached_in(keyspace, key, use_value),
                }
            }

            fn cursor(&self, options: ScanOptions) -> Result<Cursor> {
                Ok(self.of.scan_with(within(options, self.keyspace.as_ref()))?.into())
            }
        }
    )*};
}

read_within!(Snapshot Transaction);

impl Within<Snapshot> {
    /// Refuses now what a scan would refuse before it looks at a table. Errors: as [`Snapshot::check_scan`].
    pub fn check_scan(&self) -> Result<()> {
        self.of.check_scan(&within(ScanOptions::all(), self.keyspace.as_ref()))
    }
}

impl Within<Transaction> {
    /// As [`Transaction::put`].
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        match &self.keyspace {
            None => self.of.put(key, value),
            Some(keyspace) => self.of.put_in(keyspace, key, value),
        }
    }

    /// As [`Transaction::delete`].
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        match &self.keyspace {
            None => self.of.delete(key),
            Some(keyspace) => self.of.delete_in(keyspace, key),
        }
    }
}
