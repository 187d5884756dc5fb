//! More buckets and fewer, one at a time, while others read and write: linear hashing (Litwin, VLDB 1980).
//!
//! The buckets in use are always the first ones, so that their memory is dense and that of the others can be
//! given back. A bucket that is added takes its rows from the one that had them, a bucket that is given up gives them there.
//! Both are locked meanwhile, and both get a new stamp: whoever has a ticket for one of them comes too
//! late. A reader that still counts the old number looks into the wrong bucket, and misses.

use crate::base::hash::hash_key;
use crate::cache::rows::bucket::{BUCKET_WORDS, Bucket};
use crate::cache::rows::{BUCKET_BYTES, Lender, RowCache, in_keyspace};
use crate::cache::words::Words;
use crate::sync::Ordering;

/// Buckets whose memory is lent and given back together.
pub(super) const EXTENT: usize = 32;

/// Stamps that a bucket may get behind its end: from a committer that still counts it, locks it and sees that it is gone.
const MARGIN: u64 = 1 << 12;

/// The bucket of a hash, if there are `buckets`: the lowest bits that name one that exists.
#[inline]
pub(super) fn bucket_of(hash: u64, buckets: usize) -> usize {
    let mask = buckets.next_power_of_two() - 1;
    let bucket = (hash >> 32) as usize & mask;
    if bucket < buckets { bucket } else { bucket & mask >> 1 }
}

/// Where the rows of the last of `buckets` are if there is one less.
fn partner(buckets: usize) -> usize {
    let last = buckets - 1;
    last - (last + 1).next_power_of_two() / 2
}

impl RowCache {
    /// Adds a bucket, if there is room for one.
    pub(super) fn grow(&self, lender: &impl Lender) {
        let Some(floor) = self.resizing.try_lock() else { return };
        let now = self.buckets();
        let full = now >= self.most;
        if full || now.is_multiple_of(EXTENT) && !lender.lend(EXTENT * BUCKET_BYTES) {
            return;
        }
        let then = now + 1;
        let added = self.lock_pair(then, |full, new| {
            new.clear();
            full.move_rows(new, |keyspace, key| bucket_of(in_keyspace(hash_key(key), keyspace), then) == now);
            self.buckets.store(then, Ordering::Release);
            new.unlock_behind(*floor);
        });
        if !added && now.is_multiple_of(EXTENT) {
            lender.take_back(EXTENT * BUCKET_BYTES);
        }
    }

    /// Gives up buckets until the memory of some is free. The bytes of that, 0 if it cannot be now.
    pub fn shrink(&self) -> usize {
        let Some(mut floor) = self.resizing.try_lock().filter(|_| Words::GIVES_BACK) else { return 0 };
        let now = self.buckets();
        let least = (now.saturating_sub(1) / EXTENT * EXTENT).max(self.least);
        if now <= least {
            return 0;
        }
        for buckets in (least + 1..=now).rev() {
            let given_up = self.lock_pair(buckets, |left, gone| {
                let before = left.used_units() + gone.used_units();
                gone.move_rows(left, |_, _| true);
                self.note_units(before, left.used_units());
                gone.clear();
                self.buckets.store(buckets - 1, Ordering::Release);
                *floor = (*floor).max(gone.unlock_behind(0) + MARGIN);
            });
            if !given_up {
                return 0;
            }
        }
        debug_assert!(self.is_on(), "hints rely on rows that stay on");
        let freed = self.words.give_back(least * BUCKET_WORDS..(least + EXTENT) * BUCKET_WORDS);
        if freed { EXTENT * BUCKET_BYTES } else { 0 }
    }

    /// Locks the last of `buckets` and its partner for `change`, which unlocks the last. `false`: somebody else
    /// has one of them.
    fn lock_pair(&self, buckets: usize, change: impl FnOnce(&Bucket<'_>, &Bucket<'_>)) -> bool {
        let lock = |bucket| {
            let words = self.bucket(bucket)?;
            words.lock_at(words.stamp()?).then_some(words)
        };
        let Some(partner) = lock(partner(buckets)) else { return false };
        let last = lock(buckets - 1);
        if let Some(last) = &last {
            change(&partner, last);
        }
        partner.unlock();
        last.is_some()
    }
}

#[test]
fn buckets_are_found_and_split_as_they_are_merged() {
    for buckets in 1..200 {
        for hash in (0..5000u64).map(|i| i << 32 | 77) {
            let (now, then) = (bucket_of(hash, buckets), bucket_of(hash, buckets + 1));
            assert!(now < buckets && (now == then || then == buckets && now == partner(buckets + 1)));
        }
    }
}
