//! A reader on its way through cached pages.

use std::cell::Cell;
use std::ops::Deref;

use crate::base::ids::FileNumber;
use crate::cache::directory::{Ahead, Cached, Lent};
use crate::cache::epoch::{self, Pin};
use crate::cache::pages::{Hits, PageCache};
use crate::cache::shard::Key;
use crate::sync::{Arc, Ordering};

/// Looks up values that it lends, one after the other. It keeps memory from being reused: nobody waits, reads or calls
/// strangers while he has one, or he lets go before.
pub struct Visit<'c, V: Cached> {
    cache: &'c PageCache<V>,
    /// `None` before the first look-up, when it was let go, and for a thread without a cell.
    pin: Option<Pin>,
    hits: Cell<u64>,
}

/// A value on loan, or one that the directory did not have.
pub enum Found<'v, V> {
    /// On loan.
    Lent(Lent<'v, V>),
    /// Counted.
    Counted(Arc<V>),
}

impl<V> Deref for Found<'_, V> {
    type Target = V;

    #[inline]
    fn deref(&self) -> &V {
        match self {
            Found::Lent(lent) => lent.get(),
            Found::Counted(value) => value,
        }
    }
}

impl<V> Found<'_, V> {
    /// A counted reference, which outlives the visit.
    #[inline]
    pub fn counted(self) -> Arc<V> {
        match self {
            Found::Lent(lent) => lent.counted(),
            Found::Counted(value) => value,
        }
    }
}

impl<'c, V: Cached> Visit<'c, V> {
    #[inline]
    pub(super) fn new(cache: &'c PageCache<V>) -> Self {
        Visit { cache, pin: None, hits: Cell::new(0) }
    }

    /// The value of `(file, offset)`, which counts as used by this. What is wanted first of its content is on its way.
    #[inline]
    pub fn get(&mut self, file: FileNumber, offset: u64, ahead: Ahead) -> Option<Found<'_, V>> {
        let key = Key { file, offset };
        let hash = key.hash();
        self.pin();
        let found = self.lent(hash, &key, ahead);
        if let Some(lent) = found {
            lent.get().mark().set_used();
            self.hits.set(self.hits.get() + 1);
            return Some(Found::Lent(lent));
        }
        self.cache.get_locked(hash, &key).map(Found::Counted)
    }

    /// As [`Visit::get`], of a value that this visit has just used.
    #[inline]
    pub fn get_again(&mut self, file: FileNumber, offset: u64) -> Option<Found<'_, V>> {
        let key = Key { file, offset };
        self.pin();
        self.lent(key.hash(), &key, Ahead { skip: 0, lines: 0 }).map(Found::Lent)
    }

    /// As [`Visit::get`], counted.
    #[cfg(test)]
    pub fn get_counted(&mut self, file: FileNumber, offset: u64) -> Option<Arc<V>> {
        self.get(file, offset, Ahead { skip: 0, lines: 1 }).map(Found::counted)
    }

    /// Asks the processor for what [`Visit::ask`] reads.
    #[inline]
    pub fn announce(&self, file: FileNumber, offset: u64) {
        self.cache.directory.prefetch(Key { file, offset }.hash());
    }

    /// Asks the processor for what [`Visit::get`] reads.
    #[inline]
    pub fn ask(&self, file: FileNumber, offset: u64, ahead: Ahead) {
        self.cache.directory.prefetch_value(Key { file, offset }.hash(), ahead);
    }

    #[inline]
    fn pin(&mut self) {
        if self.pin.is_none() {
            self.pin = epoch::pin();
        }
    }

    #[inline]
    fn lent(&self, hash: u64, key: &Key, ahead: Ahead) -> Option<Lent<'_, V>> {
        self.cache.directory.find(hash, key, ahead, self.pin.as_ref()?)
    }

    /// Gives back what was lent: the visit goes on with the next look-up.
    pub fn let_go(&mut self) {
        if let Some(pin) = self.pin.take() {
            let Hits(hits) = &self.cache.hits[pin.cell()];
            let sum = hits.load(Ordering::Relaxed).wrapping_add(self.hits.take());
            hits.store(sum, Ordering::Relaxed);
        }
    }
}

impl<V: Cached> Drop for Visit<'_, V> {
    #[inline]
    fn drop(&mut self) {
        self.let_go();
    }
}
