//! Cache of rows: the values of keys that are read again and again, found without walking memtables and tables.
//!
//! A bucket is guarded by a stamp. A reader takes the stamp before it takes its view; what it then finds goes
//! into the bucket only if the stamp is unchanged. A commit locks the buckets of its keys, changes their rows, makes itself
//! visible, and only then unlocks: so no row is older than what any reader can see.

mod bucket;
#[cfg(test)]
mod tests;
mod words;

use crate::base::error::Result;
use crate::base::hash::hash_key;
use crate::base::ids::SequenceNumber;
use crate::prefetch::prefetch;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

use bucket::{Bucket, DATA_WORDS, HEAD_WORDS, MAX_UNITS, units_of};
use words::Words;

/// Bytes of a bucket's rows.
const DATA_BYTES: usize = DATA_WORDS * size_of::<u64>();
/// Bytes of a bucket's head.
const HEAD_BYTES: usize = HEAD_WORDS * size_of::<u64>();
/// Buckets of a page of memory, which is taken when the first of them is filled.
const GROUP: usize = 4;

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
    tag: u16,
    stamp: u64,
}

/// What a look into the cache gave.
pub enum Seen<R, F> {
    /// The row is there.
    Hit(R),
    /// It is not, and the use of the value is still to come. With a ticket it may be put there.
    Miss(F, Option<Ticket>),
}

/// The rows of a database.
pub struct RowCache {
    heads: Words,
    data: Words,
    buckets: usize,
    /// Off until the first read: a database that is only written pays nothing. Turned on in
    /// the commit section only.
    on: AtomicBool,
    /// A bit for each group of buckets that has memory.
    groups: Words,
}

impl RowCache {
    /// A cache that takes at most `bytes`. Errors: `OutOfMemory`.
    pub fn new(bytes: usize) -> Result<Self> {
        let buckets = bytes / (DATA_BYTES + HEAD_BYTES) / GROUP * GROUP;
        Ok(RowCache {
            heads: Words::zeroed(buckets * HEAD_WORDS)?,
            data: Words::zeroed(buckets * DATA_WORDS)?,
            buckets,
            on: AtomicBool::new(false),
            groups: Words::zeroed((buckets / GROUP).div_ceil(64))?,
        })
    }

    /// Bytes that it takes once it is on, without any row.
    pub fn bytes_of_heads(&self) -> usize {
        self.buckets * HEAD_BYTES
    }

    /// Bytes taken of the budget so far.
    pub fn memory_usage(&self) -> usize {
        if !self.is_on() {
            return 0;
        }
        let groups: u32 =
            self.groups.groups::<1>().iter().map(|[word]| word.load(Ordering::Relaxed).count_ones()).sum();
        self.bytes_of_heads() + groups as usize * GROUP * DATA_BYTES
    }

    /// Whether rows are kept.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    /// Starts to keep rows. To be called in the commit section: who sees it sees all commits that did not change rows.
    pub fn turn_on(&self) {
        self.on.store(true, Ordering::Release);
    }

    /// Lends the value of a key, if it is here and not newer than the row's sequence, to `use_value`.
    #[cfg(test)]
    pub fn get<R, F: FnOnce(&[u8]) -> R>(&self, row: Row<'_>, use_value: F) -> Seen<R, F> {
        self.get_hashed(hash_key(row.key), row, use_value)
    }

    /// As [`RowCache::get`], with the hash of the key.
    #[inline]
    pub fn get_hashed<R, F>(&self, key_hash: u64, row: Row<'_>, use_value: F) -> Seen<R, F>
    where
        F: FnOnce(&[u8]) -> R,
    {
        if !self.is_on() {
            return Seen::Miss(use_value, None);
        }
        let hash = in_keyspace(key_hash, row.keyspace);
        let (bucket, tag) = (self.bucket_of(hash), hash as u16);
        let Some(words) = self.bucket(bucket) else { return Seen::Miss(use_value, None) };
        let Some(stamp) = words.stamp() else { return Seen::Miss(use_value, None) };
        match words.read(stamp, tag, &row, use_value) {
            Ok(found) => Seen::Hit(found),
            Err(use_value) => Seen::Miss(use_value, Some(Ticket { bucket, tag, stamp })),
        }
    }

    /// Offers the newest version of a key, found by a reader that took `ticket` before its view. It is kept if
    /// the key was looked for before. `take_memory` is asked for bytes of the budget.
    pub fn offer(&self, ticket: Ticket, row: Row<'_>, value: &[u8], take_memory: impl FnOnce(usize) -> bool) {
        let Some(words) = self.bucket(ticket.bucket) else { return };
        if units_of(row.key, value) > MAX_UNITS || !words.is_wanted_again(ticket.tag) {
            return;
        }
        if !self.has_memory(ticket.bucket, take_memory) || !words.lock_at(ticket.stamp) {
            return;
        }
        // A reader of an older version may have left the row here.
        if let Some(way) = words.find(ticket.tag, &row) {
            words.remove(way);
        }
        words.insert(ticket.tag, &row, value);
        words.unlock();
    }

    fn has_memory(&self, bucket: usize, take_memory: impl FnOnce(usize) -> bool) -> bool {
        let group = bucket / GROUP;
        let Some([word]) = self.groups.groups::<1>().get(group / 64) else { return false };
        let bit = 1u64 << (group % 64);
        if word.load(Ordering::Relaxed) & bit != 0 {
            return true;
        }
        // Two readers may both pay for a group; the budget then is a page smaller than it might be.
        let taken = take_memory(GROUP * DATA_BYTES);
        if taken {
            word.fetch_or(bit, Ordering::Relaxed);
        }
        taken
    }

    /// In the commit section, before the commit is visible: locks the bucket of a key that it writes and
    /// changes its row; `None` takes it out. The caller remembers the bucket if the answer is one, for [`RowCache::release`].
    pub fn change(&self, row: Row<'_>, value: Option<&[u8]>) -> Option<usize> {
        let hash = hash(row.keyspace, row.key);
        let (bucket, tag) = (self.bucket_of(hash), hash as u16);
        let words = self.bucket(bucket)?;
        let locked = words.lock();
        if let Some(way) = words.find(tag, &row) {
            let replaced = value.is_some_and(|value| words.replace(way, &row, value));
            if !replaced {
                words.remove(way);
                if let Some(value) = value {
                    words.insert(tag, &row, value);
                }
            }
        }
        locked.then_some(bucket)
    }

    /// Asks the processor for the line that [`RowCache::change`] will want.
    pub fn prefetch(&self, keyspace: u32, key: &[u8]) {
        let head = self.heads.groups::<HEAD_WORDS>().get(self.bucket_of(hash(keyspace, key)));
        if let Some(head) = head {
            prefetch(head.as_ptr().cast(), 1);
        }
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
        let locked: Vec<usize> = (0..self.buckets)
            .filter(|bucket| self.bucket(*bucket).is_some_and(|words| words.lock()))
            .collect();
        locked.iter().filter_map(|bucket| self.bucket(*bucket)).for_each(|words| words.clear());
        publish();
        locked.into_iter().for_each(|bucket| self.release(bucket));
    }

    /// Takes every row out. Buckets that are in use are left alone.
    pub fn clear(&self) {
        for bucket in (0..self.buckets).filter_map(|bucket| self.bucket(bucket)) {
            if bucket.stamp().is_some_and(|stamp| bucket.lock_at(stamp)) {
                bucket.clear();
                bucket.unlock();
            }
        }
    }

    #[inline]
    fn bucket_of(&self, hash: u64) -> usize {
        (((hash >> 32) * self.buckets as u64) >> 32) as usize
    }

    #[inline]
    fn bucket(&self, index: usize) -> Option<Bucket<'_>> {
        let head: &[AtomicU64; HEAD_WORDS] = self.heads.groups().get(index)?;
        let data: &[AtomicU64; DATA_WORDS] = self.data.groups().get(index)?;
        Some(Bucket { head, data })
    }
}

#[inline]
fn hash(keyspace: u32, key: &[u8]) -> u64 {
    in_keyspace(hash_key(key), keyspace)
}

/// Parts the rows of a key that is in several keyspaces.
#[inline]
fn in_keyspace(key_hash: u64, keyspace: u32) -> u64 {
    key_hash ^ u64::from(keyspace).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
