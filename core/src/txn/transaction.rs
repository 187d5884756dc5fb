//! A transaction: a snapshot, its own writes, and what it has read.

use crate::base::config::ConsistencyLevel;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::hash::hash_key;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::limits::check_key;
use crate::base::lookup::{Lookup, Reach};
use crate::base::record::RecordKind;
use crate::base::value::Value;
use crate::batch::{Operation, delete_of, put_of};
use crate::conflict::ReadSet;
use crate::engine::Engine;
use crate::metrics::Counter;
use crate::read::{KeepAlive, Scan, ScanOptions, ScanSource};
use crate::snapshots::SnapshotHold;
use crate::sync::{Arc, Mutex, MutexGuard};
use crate::txn::own::Writes;
use crate::txn::scan::{Note, TransactionScan};
use crate::write::Checked;

/// What is checked at the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Isolation {
    /// Keys and ranges read must be unchanged: the outcome is that of some serial order.
    #[default]
    Serializable,
    /// Only keys written must be unchanged; two transactions that each read what the other writes may
    /// both commit (write skew).
    Snapshot,
}

impl Isolation {
    /// Both, with their names in every language.
    pub const NAMES: &'static [(&'static str, Isolation)] =
        &[("serializable", Isolation::Serializable), ("snapshot", Isolation::Snapshot)];
}

/// A transaction. Reads see the database as it was at the beginning, and the transaction's own writes.
/// Nothing is visible to others before [`Transaction::commit`]; dropping it takes everything back.
///
/// May be used from several threads; its calls then take turns. Holds no lock: other writers go on.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
/// let tx = db.transaction()?;
/// tx.put(b"a", b"1")?;
/// assert_eq!(tx.get(b"a")?.as_deref(), Some(&b"1"[..]));
/// assert_eq!(db.get(b"a")?, None);
/// tx.commit()?;
/// assert!(db.get(b"a")?.is_some());
/// # Ok::<(), lightning_db::Error>(())
/// ```
#[must_use = "a transaction that is dropped is taken back"]
pub struct Transaction {
    engine: Arc<Engine>,
    sequence: SequenceNumber,
    isolation: Isolation,
    work: Arc<Mutex<Work>>,
    keep: KeepAlive,
}

/// What a transaction has done so far. Scans and whoever shares the transaction may keep it beyond the end.
pub(super) struct Work {
    writes: Writes,
    pub reads: ReadSet,
    /// `None` once it has ended.
    place: Option<Place>,
}

/// A place among the open transactions, and a snapshot. Both are given up when it is dropped.
struct Place {
    engine: Arc<Engine>,
    /// Calls that run share it: what they read must not be reclaimed when another thread ends the transaction.
    hold: Arc<SnapshotHold>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.engine.writer.end(self.hold.sequence());
    }
}

impl Transaction {
    pub(crate) fn begin(engine: Arc<Engine>, isolation: Isolation, keep: KeepAlive) -> Result<Self> {
        engine.health.check_begin()?;
        let view = engine.catalogue.view();
        let hold = engine.writer.begin(engine.max_transactions, || {
            let hold = engine.snapshots.hold(view);
            (hold.sequence(), hold)
        })?;
        engine.health.meters.add(Counter::TransactionsBegun, 1);
        let sequence = hold.sequence();
        let place = Some(Place { engine: Arc::clone(&engine), hold: Arc::new(hold) });
        let (writes, reads) = Default::default();
        let work = Arc::new(Mutex::new(Work { writes, reads, place }));
        Ok(Transaction { engine, sequence, isolation, work, keep })
    }

    /// The value of `key`, or `None`. Errors: `Closed`, `InvalidArgument` (key too long), `Corruption`, `Io`.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Value>> {
        let mut value = Ok(None);
        self.get_with(key, |lent| value = Value::copy(lent).map(Some))?;
        value
    }

    /// As [`Database::get_with`](crate::Database::get_with). `use_value` must not use the transaction.
    pub fn get_with<R>(
        &self,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        self.lookup(KeyspaceId::DEFAULT, key.as_ref(), Reach::Disk, use_value).map(Lookup::on_disk)
    }

    /// As [`Database::get_cached`](crate::Database::get_cached). `use_value` must not use the transaction.
    pub fn get_cached<R>(
        &self,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        self.lookup(KeyspaceId::DEFAULT, key.as_ref(), Reach::Memory, use_value)
    }

    pub(crate) fn lookup<R>(
        &self,
        keyspace: KeyspaceId,
        key: &[u8],
        reach: Reach,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        check_key(key)?;
        self.engine.health.check_read()?;
        let mut work = self.open_work()?;
        if let Some((kind, value)) = work.writes.get(keyspace, key, hash_key(key)) {
            return Ok((kind == RecordKind::Put).then(|| use_value(value)).into());
        }
        if self.isolation == Isolation::Serializable {
            work.reads.add_key(keyspace, key);
        }
        let _hold = work.place.as_ref().map(|place| Arc::clone(&place.hold));
        drop(work);
        self.engine.lookup(keyspace, Some(self.sequence), key, reach, use_value)
    }

    /// Puts a value. Errors: `InvalidArgument` (too long), `Closed`, `Halted`.
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        self.add(put_of(KeyspaceId::DEFAULT, key.as_ref(), value.as_ref()))
    }

    /// Deletes a key; an absent key is no error.
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<()> {
        self.add(delete_of(KeyspaceId::DEFAULT, key.as_ref()))
    }

    pub(crate) fn add(&self, operation: Operation<'_>) -> Result<()> {
        let Operation { keyspace, key, .. } = operation;
        self.engine.health.check_write()?;
        let mut work = self.open_work()?;
        let order_of = || Ok(self.engine.catalogue.space(keyspace)?.order.clone());
        work.writes.add(operation, hash_key(key), order_of)?;
        if self.isolation == Isolation::Snapshot {
            work.reads.add_key(keyspace, key);
        }
        Ok(())
    }

    /// The open database, for handles of keyspaces.
    pub(crate) fn instance(&self) -> u64 {
        self.engine.catalogue.instance()
    }

    /// Scans the keys from `start` (inclusive) to `end` (exclusive), own writes included as they are now.
    pub fn scan(&self, start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Result<TransactionScan> {
        self.scan_with(ScanOptions::half_open(start, end))
    }

    /// Scans the keys with a prefix.
    pub fn scan_prefix(&self, prefix: impl AsRef<[u8]>) -> Result<TransactionScan> {
        self.scan_with(ScanOptions::prefix(prefix))
    }

    /// Scans the keys from the last in front of `end` down to `start` (inclusive).
    pub fn scan_reverse(&self, start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Result<TransactionScan> {
        self.scan_with(ScanOptions::half_open(start, end).reverse())
    }

    /// Scans as the options say. The part that is walked counts as read.
    pub fn scan_with(&self, options: ScanOptions) -> Result<TransactionScan> {
        self.engine.health.check_read()?;
        let keyspace = self.engine.keyspace_of(&options)?;
        let mut work = self.open_work()?;
        let own = work.writes.scanned(keyspace)?;
        // From now on the view keeps what the scan reads, not the snapshot.
        let view = Arc::clone(&self.engine.catalogue.view().load());
        drop(work);
        let source = ScanSource {
            view,
            keyspace,
            sequence: self.sequence,
            health: Arc::clone(&self.engine.health),
            own,
            read_ahead: self.engine.read_ahead.clone(),
            keep: self.keep.clone(),
        };
        let health = &self.engine.health;
        let order = &self.engine.catalogue.space(keyspace)?.order;
        let note = (self.isolation == Isolation::Serializable).then(|| Note {
            work: Arc::clone(&self.work),
            keyspace,
            range: options.walked_range(order),
            reverse: options.reverse,
            index: None,
        });
        let scan = Scan::new(source, options).map_err(|error| health.closed_or(error))?;
        Ok(TransactionScan::new(scan, note))
    }

    /// Commits at the default level. Errors: `Conflict` if what was read has changed, else as a write.
    pub fn commit(self) -> Result<()> {
        self.finish(self.engine.default_level)
    }

    /// Commits at a level of its own.
    pub fn commit_with(self, level: ConsistencyLevel) -> Result<()> {
        self.finish(level)
    }

    /// Takes everything back; the same as dropping it.
    pub fn abort(self) {}

    /// As [`Transaction::commit_with`] (`None`: at the default level), for a transaction that is shared: every
    /// later call on it is `Closed`.
    pub fn commit_shared(&self, level: Option<ConsistencyLevel>) -> Result<()> {
        let outcome = self.finish(level.unwrap_or(self.engine.default_level));
        self.work.lock().forget();
        outcome
    }

    /// As [`Transaction::abort`], for a transaction that is shared: every later call on it is `Closed`.
    pub fn abort_shared(&self) -> Result<()> {
        let mut work = self.open_work()?;
        work.place = None;
        work.forget();
        self.count(Counter::TransactionsAborted);
        Ok(())
    }

    fn finish(&self, level: ConsistencyLevel) -> Result<()> {
        let mut work = self.open_work()?;
        // Taken first: a panic ends the transaction too.
        let place = work.place.take();
        let outcome = self.commit_work(&mut work, level);
        drop(place);
        self.count(match &outcome {
            Ok(()) => Counter::TransactionsCommitted,
            Err(error) if error.kind() == ErrorKind::Conflict => Counter::TransactionConflicts,
            Err(_) => Counter::TransactionsAborted,
        });
        outcome
    }

    fn count(&self, outcome: Counter) {
        self.engine.health.meters.add(outcome, 1);
    }

    fn commit_work(&self, work: &mut Work, level: ConsistencyLevel) -> Result<()> {
        let since = self.sequence;
        // Without writes the reads are those of one instant, which is a serial order already.
        if work.writes.is_empty() {
            return self.engine.health.check_read();
        }
        let check = Checked { reads: std::mem::take(&mut work.reads), since };
        self.engine.writer.commit_checked(work.writes.take(), level, check)
    }

    fn open_work(&self) -> Result<MutexGuard<'_, Work>> {
        let work = self.work.lock();
        if work.place.is_none() {
            return Err(Error::new(ErrorKind::Closed, "the transaction has ended"));
        }
        Ok(work)
    }
}

impl Work {
    /// Gives up the memory that only an open transaction needs.
    fn forget(&mut self) {
        if self.place.is_none() {
            (self.writes, self.reads) = Default::default();
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.work.lock().place.take().is_some() {
            self.count(Counter::TransactionsAborted);
        }
    }
}
