//! Cache of rows: the values of keys that are read again and again, found without walking memtables and tables.
//!
//! A bucket is guarded by a stamp. A reader takes the stamp before it takes its view; what it then finds goes
//! into the bucket only if the stamp is unchanged. A commit locks the buckets of its keys, changes their rows, makes itself
//! visible, and only then unlocks: so no row is older than what any reader can see.
//!
//! The pages are the first level of a row: it comes in when its key is looked for again. Inside a bucket rows go by CLOCK, and
//! leave a tag behind as their ghost. How many buckets there are changes with the budget: see `resize.rs`.

mod bucket;
mod resize;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use crate::base::error::Result;
#[cfg(test)]
use crate::base::hash::hash_key;
use crate::base::ids::SequenceNumber;
use crate::cache::words::Words;
use crate::prefetch::prefetch;
use crate::sync::{AtomicUsize, Mutex, Ordering};

use bucket::{BUCKET_WORDS, Bucket, MAX_UNITS, UNITS, units_of};
use resize::{EXTENT, bucket_of};

/// Of so many reads that hints answer one offers its row.
const HINTED: u8 = 4;

thread_local! {
    static TURN: Cell<u8> = const { Cell::new(0) };
}

/// Bytes of a bucket.
const BUCKET_BYTES: usize = BUCKET_WORDS * size_of::<u64>();

/// A version of a key.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// Whose.
    pub keyspace: u32,
    /// The key.
    pub key: &'a [u8],
    /// When it was committed; in a look-up, the newest that may be seen.
    pub sequence: SequenceNumber,
}

/// Allows a reader to put what it finds into a bucket.
#[derive(Clone, Copy)]
pub struct Ticket {
    bucket: usize,
    hash: u64,
    stamp: u64,
}

/// What a look into the cache gave.
pub enum Seen<R, F> {
    /// The row is there.
    Hit(R),
    /// It is not, and the use of the value is still to come. With a ticket it may be put there.
    Miss(F, Option<Ticket>),
}

/// Who keeps the budget.
pub trait Lender {
    /// Asked for bytes; `false`: they are not to be had.
    fn lend(&self, bytes: usize) -> bool;
    /// Given bytes back that were lent and are not used after all.
    fn take_back(&self, bytes: usize);
    /// Told that a row was looked for that had been here, or lately been looked for; and whether the look had to go to the disk.
    fn found_ghost(&self, from_disk: bool);
}

/// The rows of a database.
pub struct RowCache {
    words: Words,
    /// Buckets that it may have.
    most: usize,
    /// Buckets that it has when it is on, at least.
    least: usize,
    /// Buckets that it has. None until the first read: a database that is only written pays nothing.
    buckets: AtomicUsize,
    /// Units that rows take.
    used_units: AtomicUsize,
    /// Held while the number of buckets changes; a stamp behind those of all buckets that were given up.
    resizing: Mutex<u64>,
}

impl RowCache {
    /// The rows of a cache of `budget` bytes, of which they take what they are lent. Errors: `OutOfMemory`.
    pub fn new(budget: usize) -> Result<Self> {
        let extents = |bytes: usize| bytes.div_ceil(EXTENT * BUCKET_BYTES) * EXTENT;
        let most = extents(budget / 8 * 7);
        Ok(RowCache {
            words: Words::zeroed(most * BUCKET_WORDS)?,
            most,
            least: extents(budget / 64),
            buckets: AtomicUsize::new(0),
            used_units: AtomicUsize::new(0),
            resizing: Mutex::new(0),
        })
    }

    /// Most bytes that it may be lent.
    pub fn max_bytes(&self) -> usize {
        self.most * BUCKET_BYTES
    }

    /// Whether rows are kept.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.buckets() > 0
    }

    /// Starts to keep rows, if there are bytes for them. To be called in the commit section: who sees it sees all commits
    /// that did not change rows.
    pub fn turn_on(&self, lender: &impl Lender) {
        let _resizing = self.resizing.lock();
        if !self.is_on() && self.least > 0 && lender.lend(self.least * BUCKET_BYTES) {
            self.buckets.store(self.least, Ordering::Release);
        }
    }

    /// Lends the value of a key, if it is here and not newer than the row's sequence, to `use_value`.
    #[cfg(test)]
    pub fn get<R, F: FnOnce(&[u8]) -> R>(&self, row: Row<'_>, use_value: F) -> Seen<R, F> {
        self.get_hashed(in_keyspace(hash_key(row.key), row.keyspace), row, use_value)
    }

    /// As [`RowCache::get`], with the hash of the row.
    #[inline]
    pub fn get_hashed<R, F>(&self, hash: u64, row: Row<'_>, use_value: F) -> Seen<R, F>
    where
        F: FnOnce(&[u8]) -> R,
    {
        let buckets = self.buckets();
        if buckets == 0 {
            return Seen::Miss(use_value, None);
        }
        let bucket = bucket_of(hash, buckets);
        let Some(words) = self.bucket(bucket) else { return Seen::Miss(use_value, None) };
        let Some(stamp) = words.stamp() else { return Seen::Miss(use_value, None) };
        match words.read(stamp, tag(hash), &row, use_value) {
            Ok(found) => Seen::Hit(found),
            Err(use_value) => {
                words.prefetch_ghosts();
                Seen::Miss(use_value, Some(Ticket { bucket, hash, stamp }))
            }
        }
    }

    /// Offers the newest version of a key, found by a reader that took `ticket` before its view, and whether it
    /// found it on the disk. It is kept if the key was looked for before: whether it is.
    pub fn offer(
        &self,
        ticket: Ticket,
        row: Row<'_>,
        value: &[u8],
        from_disk: bool,
        lender: &impl Lender,
    ) -> bool {
        let Some(words) = self.current(ticket) else { return false };
        let tag = tag(ticket.hash);
        if units_of(row.key, value) > MAX_UNITS || !words.is_wanted_again(tag) {
            return false;
        }
        lender.found_ghost(from_disk);
        if !self.lock_current(words, ticket) {
            return false;
        }
        let before = words.used_units();
        // A reader of an older version may have left the row here.
        if let Some((way, _)) = words.find(tag, &row) {
            words.remove(way);
        }
        let evicted = words.insert(tag, &row, value);
        self.note_units(before, words.used_units());
        words.unlock();
        // Rows meet in a bucket also when there is much room elsewhere.
        if evicted > 0 && self.used_units.load(Ordering::Relaxed) > self.buckets() * UNITS / 2 {
            self.grow(lender);
        }
        true
    }

    /// As [`RowCache::offer`] for a record of a cached leaf that a hint led to, which is found almost as fast again: one of
    /// [`HINTED`] is offered.
    pub fn offer_hinted(&self, ticket: Ticket, row: Row<'_>, value: &[u8], lender: &impl Lender) {
        let turn = TURN.get();
        TURN.set(turn.wrapping_add(1));
        if turn.is_multiple_of(HINTED) {
            self.offer(ticket, row, value, false, lender);
        }
    }

    /// Calls `leave` with the hash of the row, unless the key may have been written since `ticket` was taken; it is not written
    /// meanwhile.
    pub fn unwritten(&self, ticket: Ticket, leave: impl FnOnce(u64)) {
        let Some(words) = self.current(ticket) else { return };
        if self.lock_current(words, ticket) {
            leave(ticket.hash);
            words.unlock_at(ticket.stamp);
        }
    }

    /// The bucket of a ticket; it may have been given up, or split, before the reader took its stamp.
    fn current(&self, ticket: Ticket) -> Option<Bucket<'_>> {
        let is_current = bucket_of(ticket.hash, self.buckets()) == ticket.bucket;
        self.bucket(ticket.bucket).filter(|_| is_current)
    }

    fn lock_current(&self, words: Bucket<'_>, ticket: Ticket) -> bool {
        let locked = words.lock_at(ticket.stamp);
        let is_current = bucket_of(ticket.hash, self.buckets()) == ticket.bucket;
        if locked && !is_current {
            words.unlock();
        }
        locked && is_current
    }

    /// In the commit section, before the commit is visible: locks the bucket of a key that it writes and
    /// changes its row; `None` takes it out. The caller remembers the bucket if the answer is one, for [`RowCache::release`].
    /// `hash` is that of [`RowCache::prefetch`].
    pub fn change(&self, hash: u64, row: Row<'_>, value: Option<&[u8]>) -> Option<usize> {
        let tag = tag(hash);
        let (bucket, words, locked) = self.lock_bucket_of(hash)?;
        if let Some((way, _)) = words.find(tag, &row) {
            let replaced = value.is_some_and(|value| words.replace(way, &row, value));
            if !replaced {
                let before = words.used_units();
                words.remove(way);
                if let Some(value) = value {
                    words.insert(tag, &row, value);
                }
                self.note_units(before, words.used_units());
            }
        }
        locked.then_some(bucket)
    }

    /// Locks a bucket for the one committer; whether it did not have it before.
    fn lock_bucket_of(&self, hash: u64) -> Option<(usize, Bucket<'_>, bool)> {
        loop {
            let bucket = bucket_of(hash, self.buckets());
            let words = self.bucket(bucket)?;
            let locked = words.lock();
            // A bucket does not change its keys while it is locked.
            if bucket_of(hash, self.buckets()) == bucket {
                return Some((bucket, words, locked));
            }
            if locked {
                words.unlock();
            }
        }
    }

    /// Asks the processor for the line that a look or [`RowCache::change`] will want first. The hash of the row.
    #[inline]
    pub fn prefetch(&self, keyspace: u32, key_hash: u64) -> u64 {
        let hash = in_keyspace(key_hash, keyspace);
        if let Some(words) = self.words.groups::<BUCKET_WORDS>().get(bucket_of(hash, self.buckets())) {
            prefetch(words.as_ptr().cast(), 1);
        }
        hash
    }

    /// Once the commit is visible: unlocks a bucket.
    pub fn release(&self, bucket: usize) {
        if let Some(words) = self.bucket(bucket) {
            words.unlock();
        }
    }

    /// In the commit section: takes every row out for a change of unknown keys, which `publish` makes visible. No row
    /// comes in meanwhile, and none that was found before comes in later.
    pub fn clear_and(&self, publish: impl FnOnce()) {
        let _resizing = self.resizing.lock();
        let buckets = (0..self.buckets()).filter_map(|bucket| self.bucket(bucket));
        let locked: Vec<Bucket<'_>> = buckets.filter(|bucket| bucket.lock()).collect();
        locked.iter().for_each(|bucket| self.empty(bucket));
        publish();
        locked.iter().for_each(|bucket| bucket.unlock());
    }

    /// Takes every row out. Buckets that are in use are left alone.
    pub fn clear(&self) {
        let _resizing = self.resizing.lock();
        for bucket in (0..self.buckets()).filter_map(|bucket| self.bucket(bucket)) {
            if bucket.stamp().is_some_and(|stamp| bucket.lock_at(stamp)) {
                self.empty(&bucket);
                bucket.unlock();
            }
        }
    }

    /// Under the lock.
    fn empty(&self, bucket: &Bucket<'_>) {
        self.note_units(bucket.used_units(), 0);
        bucket.clear();
    }

    fn note_units(&self, before: usize, after: usize) {
        if before != after {
            self.used_units.fetch_add(after.wrapping_sub(before), Ordering::Relaxed);
        }
    }

    #[inline]
    fn buckets(&self) -> usize {
        self.buckets.load(Ordering::Acquire)
    }

    #[inline]
    fn bucket(&self, index: usize) -> Option<Bucket<'_>> {
        Bucket::of(self.words.groups().get(index)?)
    }
}

/// What a bucket knows its keys by, never 0.
#[inline]
fn tag(hash: u64) -> u16 {
    (hash as u16).max(1)
}

/// The hash of a row: parts those of a key that is in several keyspaces.
#[inline]
pub fn in_keyspace(key_hash: u64, keyspace: u32) -> u64 {
    key_hash ^ u64::from(keyspace).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
