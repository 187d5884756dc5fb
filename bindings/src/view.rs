//! Handles of one snapshot or transaction through several keyspaces. What ends it ends all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lightning_db::{ConsistencyLevel, Keyspace, Lookup, Result, ScanOptions, Snapshot, Transaction};

use crate::cursor::Cursor;
use crate::handle::{Handle, closed};
use crate::read::Read;
use crate::store::{Store, Within};

/// A handle of a snapshot or a transaction through the default keyspace or another one.
pub struct View<T> {
    whole: Arc<Handle<T>>,
    keyspace: Option<Keyspace>,
    /// Whether it is open, of one made by [`View::through`]; `None` in the one that began it.
    part: Option<AtomicBool>,
}

impl<T> View<T> {
    fn new(what: &'static str, begun: Within<T>) -> Self {
        let (of, keyspace) = begun.into_parts();
        View { whole: Arc::new(Handle::of(what, of)), keyspace, part: None }
    }

    /// What a call uses: it lives at least as long as the answer. Errors: `Closed`.
    #[inline]
    pub fn get(&self) -> Result<Within<T>> {
        Ok(Within::new(self.whole()?, self.keyspace.clone()))
    }

    /// The same snapshot or transaction through the keyspace of `store`; closed, it ends alone. One of another database
    /// is refused by each call. Errors: `Closed`.
    pub fn through(&self, store: &Store) -> Result<Self> {
        self.whole()?;
        let (whole, keyspace) = (Arc::clone(&self.whole), store.keyspace().cloned());
        Ok(View { whole, keyspace, part: Some(AtomicBool::new(true)) })
    }

    /// Whether calls on it are not `Closed`.
    pub fn is_open(&self) -> bool {
        self.is_open_itself() && self.whole.is_open()
    }

    /// Whether the snapshot or transaction has ended, for all its handles.
    pub fn has_ended(&self) -> bool {
        !self.whole.is_open()
    }

    /// Whether it was made by [`View::through`].
    pub fn is_part(&self) -> bool {
        self.part.is_some()
    }

    fn is_open_itself(&self) -> bool {
        self.part.as_ref().is_none_or(|open| open.load(Ordering::Acquire))
    }

    #[inline]
    fn whole(&self) -> Result<Arc<T>> {
        match self.is_open_itself() {
            true => self.whole.get(),
            false => Err(closed(self.whole.what())),
        }
    }

    /// Closes it; the whole, if it has to end with this handle and has not ended.
    fn take(&self) -> Option<Arc<T>> {
        match &self.part {
            None => self.whole.take(),
            Some(open) => {
                open.store(false, Ordering::Release);
                None
            }
        }
    }
}

impl View<Snapshot> {
    /// The first handle of a snapshot.
    pub fn of_snapshot(taken: Within<Snapshot>) -> Self {
        View::new("snapshot", taken)
    }

    /// Closes it. The one that was made first releases the snapshot, as soon as no call that has begun needs it.
    pub fn close(&self) {
        drop(self.take());
    }
}

impl View<Transaction> {
    /// The first handle of a transaction.
    pub fn of_transaction(begun: Within<Transaction>) -> Self {
        View::new("transaction", begun)
    }

    /// Takes the transaction out, so that no other call meets it while it ends: a commit holds its lock until the disk has
    /// answered. Dropped, it is taken back. Errors: `Closed`.
    pub fn end(&self) -> Result<Ending> {
        self.whole()?;
        Ok(Ending(self.whole.take().ok_or_else(|| closed(self.whole.what()))?))
    }

    /// Closes it. The one that was made first takes the transaction back, if it has not ended.
    pub fn close(&self) {
        drop(self.take().map(Ending));
    }
}

/// A transaction that no handle has any more. Calls that have begun may: it ends for them too.
pub struct Ending(Arc<Transaction>);

impl Ending {
    /// As [`Transaction::commit_shared`].
    pub fn commit(self, level: Option<ConsistencyLevel>) -> Result<()> {
        self.0.commit_shared(level)
    }

    /// As [`Transaction::abort_shared`].
    pub fn abort(self) -> Result<()> {
        self.0.abort_shared()
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // It has been committed, or has ended with its database.
        let _ = self.0.abort_shared();
    }
}

impl<T: Send + Sync> Read for View<T>
where
    Within<T>: Read,
{
    #[inline]
    fn get_with<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
        self.get()?.get_with(key, use_value)
    }

    #[inline]
    fn get_cached<R>(&self, key: &[u8], use_value: impl FnOnce(&[u8]) -> R) -> Result<Lookup<R>> {
        self.get()?.get_cached(key, use_value)
    }

    fn cursor(&self, options: ScanOptions) -> Result<Cursor> {
        self.get()?.cursor(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightning_db::{Database, ErrorKind, Isolation};

    fn stores(folder: &tempfile::TempDir) -> [Store; 2] {
        let store = Store::from(Database::create(folder.path(), Default::default()).unwrap());
        let second = store.create_keyspace("second", Default::default()).unwrap();
        [store, second]
    }

    fn assert_closed<T: Send + Sync>(view: &View<T>)
    where
        Within<T>: Read,
    {
        assert!(!view.is_open());
        let error = view.get_copy(b"a").err().unwrap();
        assert_eq!((error.kind(), error.to_string().contains("closed")), (ErrorKind::Closed, true));
    }

    #[test]
    fn a_closed_snapshot_is_released_whoever_has_a_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let [store, second] = stores(&folder);
        let whole = View::of_snapshot(store.snapshot().unwrap());
        let [kept, shut] = [(); 2].map(|()| whole.through(&second).unwrap());
        let nested = kept.through(&store).unwrap();
        shut.close();
        assert_closed(&shut);
        assert!(shut.through(&second).is_err());
        assert!([&whole, &kept, &nested].iter().all(|view| view.get_copy(b"a").unwrap().is_none()));
        let running = kept.get().unwrap();
        whole.close();
        [&whole, &kept, &nested].into_iter().for_each(assert_closed);
        assert!(running.get_copy(b"a").unwrap().is_none());
        drop(running);
        assert_eq!(store.database().stats().unwrap().snapshots, 0);
    }

    #[test]
    fn a_transaction_ends_through_any_of_its_handles() {
        let folder = tempfile::tempdir().unwrap();
        let [store, second] = stores(&folder);
        for close in [false, true] {
            let whole = View::of_transaction(store.transaction(Isolation::default()).unwrap());
            let [kept, shut] = [(); 2].map(|()| whole.through(&second).unwrap());
            shut.close();
            assert_eq!(shut.end().err().unwrap().kind(), ErrorKind::Closed);
            let running = kept.get().unwrap();
            running.put(b"a", b"1").unwrap();
            match close {
                true => whole.close(),
                false => kept.end().unwrap().commit(None).unwrap(),
            }
            [&whole, &kept].into_iter().for_each(assert_closed);
            assert!(kept.has_ended() && kept.end().is_err());
            assert_eq!(running.put(b"a", b"2").unwrap_err().kind(), ErrorKind::Closed);
            let stats = store.database().stats().unwrap();
            assert_eq!((stats.active_transactions, stats.snapshots), (0, 0));
        }
        assert_eq!(second.get_copy(b"a").unwrap().as_deref(), Some(&b"1"[..]));
    }
}
