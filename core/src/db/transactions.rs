//! Transactions: as objects, as a closure that is retried, and by number.

use std::time::Duration;

use crate::base::error::{ErrorKind, Result};
use crate::base::value::Value;
use crate::db::database::Database;
use crate::sync::Arc;
use crate::txn::{Isolation, Transaction};

/// A transaction that keeps losing gives up after this many attempts.
const MAX_ATTEMPTS: u32 = 1000;

/// Longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_millis(10);

impl Database {
    /// Begins a serializable transaction. Errors: `TooMany`, `Closed`, `Halted`.
    pub fn transaction(&self) -> Result<Transaction> {
        self.transaction_with(Isolation::Serializable)
    }

    /// Begins a transaction with a level of isolation. Errors: as [`Database::transaction`].
    pub fn transaction_with(&self, isolation: Isolation) -> Result<Transaction> {
        Transaction::begin(Arc::clone(self.engine()), isolation, self.keep_alive())
    }

    /// Runs `work` in a serializable transaction and commits it; begins again, after a short pause, when
    /// it meets a `Conflict`. `work` may therefore run several times. Its error takes the transaction back and
    /// is returned; for a reason of your own use [`Error::invalid`](crate::Error::invalid).
    ///
    /// Errors: that of `work`; `Conflict` after 1000 attempts; `TooMany`; as [`Database::put`].
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// db.put(b"visits", b"1")?;
    /// let visits = db.transact(|tx| {
    ///     let visits = tx.get(b"visits")?.map_or(0, |v| v[0] - b'0') + 1;
    ///     tx.put(b"visits", [visits + b'0'])?;
    ///     Ok(visits)
    /// })?;
    /// assert_eq!(visits, 2);
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn transact<T>(&self, mut work: impl FnMut(&Transaction) -> Result<T>) -> Result<T> {
        let mut attempt = 1;
        loop {
            let tx = self.transaction()?;
            let outcome = work(&tx).and_then(|value| tx.commit().map(|()| value));
            let Err(error) = &outcome else { return outcome };
            let Some(pause) = self.pause_before_retry(attempt, error.kind()) else { return outcome };
            self.engine().catalogue.tables().vfs.sleep(pause);
            attempt += 1;
        }
    }

    /// How long to wait before a transaction that ended with `error` is run again; `None`: not at all. The
    /// pause is random and grows with the attempts, the first of which is 1. For loops like that of
    /// [`Database::transact`] in another language.
    pub fn pause_before_retry(&self, attempt: u32, error: ErrorKind) -> Option<Duration> {
        if error != ErrorKind::Conflict || attempt >= MAX_ATTEMPTS {
            return None;
        }
        let mut byte = [0];
        if attempt <= 2 || self.engine().catalogue.tables().vfs.random(&mut byte).is_err() {
            return Some(Duration::ZERO);
        }
        let limit = Duration::from_micros(20).saturating_mul(attempt).min(MAX_PAUSE);
        Some(limit.mul_f64(f64::from(byte[0]) / 255.0))
    }

    /// Begins a serializable transaction known by a number, for [`Database::get_tx`] and its like. It
    /// counts against `max_active_transactions` until committed or aborted. Errors: as
    /// [`Database::transaction`].
    pub fn begin_transaction(&self) -> Result<u64> {
        // The table must not keep its own owner alive.
        let transaction = Transaction::begin(Arc::clone(self.engine()), Isolation::Serializable, None)?;
        Ok(self.owner.handles.add(transaction))
    }

    /// As [`Transaction::get`]. Errors: also `Closed` for a number that is not open.
    pub fn get_tx(&self, id: u64, key: impl AsRef<[u8]>) -> Result<Option<Value>> {
        self.owner.handles.get(id)?.get(key)
    }

    /// As [`Transaction::put`].
    pub fn put_tx(&self, id: u64, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        self.owner.handles.get(id)?.put(key, value)
    }

    /// As [`Transaction::delete`].
    pub fn delete_tx(&self, id: u64, key: impl AsRef<[u8]>) -> Result<()> {
        self.owner.handles.get(id)?.delete(key)
    }

    /// As [`Transaction::commit`]. The number is closed, whatever the outcome.
    pub fn commit_transaction(&self, id: u64) -> Result<()> {
        self.owner.handles.take(id)?.commit_shared(None)
    }

    /// As [`Transaction::abort`].
    pub fn abort_transaction(&self, id: u64) -> Result<()> {
        self.owner.handles.take(id).map(drop)
    }
}
