//! Reads of a database, a snapshot or a transaction, which are the same calls.

use lightning_db::{Lookup, Result, ScanOptions, Value};

use crate::cursor::Cursor;

/// What can be read.
pub trait Read: Send + Sync {
    /// Lends the value of a key; `None` if it is absent. Errors: as [`Database::get`](lightning_db::Database::get).
    fn get_with<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Option<R>>;

    /// An own copy of the value of a key; `None` if it is absent. Errors: as [`Database::get`](lightning_db::Database::get), and `OutOfMemory`.
    fn get_copy(&self, key: &[u8]) -> Result<Option<Value>> {
        self.get_with(key, Value::copy)?.transpose()
    }

    /// As [`Read::get_with`] from memory alone. Errors: as [`Database::get`](lightning_db::Database::get).
    fn get_cached<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Lookup<R>>;

    /// A scan. Errors: as [`Database::scan`](lightning_db::Database::scan).
    fn cursor(&self, options: ScanOptions) -> Result<Cursor>;
}
