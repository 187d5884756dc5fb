//! Reads of a database, a snapshot or a transaction, which are the same calls.

use lightning_db::{Database, Lookup, Result, ScanOptions, Snapshot, Transaction, Value};

use crate::cursor::Cursor;

/// What can be read.
pub trait Read: Send + Sync {
    /// Lends the value of a key; `None` if it is absent. Errors: as [`Database::get`].
    fn get_with<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Option<R>>;

    /// An own copy of the value of a key; `None` if it is absent. Errors: as [`Database::get`], and `OutOfMemory`.
    fn get_copy(&self, key: &[u8]) -> Result<Option<Value>> {
        self.get_with(key, Value::copy)?.transpose()
    }

    /// As [`Read::get_with`] from memory alone. Errors: as [`Database::get`].
    fn get_cached<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Lookup<R>>;

    /// A scan. Errors: as [`Database::scan`].
    fn cursor(&self, options: ScanOptions) -> Result<Cursor>;
}

macro_rules! read {
    ($($name:ident)*) => {$(
        impl Read for $name {
            #[inline]
            fn get_with<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
                $name::get_with(self, key, use_value)
            }

            #[inline]
            fn get_cached<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Lookup<R>> {
                $name::get_cached(self, key, use_value)
            }

            fn cursor(&self, options: ScanOptions) -> Result<Cursor> {
                Ok(self.scan_with(options)?.into())
            }
        }
    )*};
}

read!(Database Snapshot Transaction);
