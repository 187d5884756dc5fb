//! The keys of recent commits: a queue, and a hash table that leads to the newest commit of a key.

use std::collections::VecDeque;

use crate::base::hash::hash_key;
use crate::base::ids::{KeyspaceId, SequenceNumber};

/// Estimated bytes of bookkeeping for one key.
pub const ENTRY_OVERHEAD: usize = 64;

/// Memory that is kept when nothing is remembered any more.
const KEPT_KEYS: usize = 1 << 12;
const KEPT_BYTES: usize = 1 << 18;

/// A key of a commit.
struct Noted {
    sequence: SequenceNumber,
    hash: u64,
    keyspace: KeyspaceId,
    key_len: u32,
    /// Where its key begins, of all bytes that there ever were.
    start: u64,
    /// The number of the entry that came before it in its bucket; below the first one's if that is gone.
    previous: u64,
}

/// Keys with sequence numbers that never fall from the oldest to the newest.
///
/// Entries have numbers that rise by one. A bucket knows the number of its newest entry, and an entry that of the one before it:
/// so a look walks from new to old, and stops at what is too old. What leaves at the old end is never unlinked.
pub struct RecentKeys {
    entries: VecDeque<Noted>,
    /// The number of the oldest entry, never 0.
    first: u64,
    /// By hash: the number of the newest entry. A power of two of them, or none.
    buckets: Vec<u64>,
    /// The keys, one behind the other; in front of them some that are gone.
    bytes: Vec<u8>,
    /// How many bytes there were in front of `bytes`.
    bytes_gone: u64,
}

impl Default for RecentKeys {
    fn default() -> Self {
        let (entries, buckets, bytes) = Default::default();
        RecentKeys { entries, first: 1, buckets, bytes, bytes_gone: 0 }
    }
}

fn hash_of(keyspace: KeyspaceId, key: &[u8]) -> u64 {
    hash_key(key) ^ u64::from(keyspace.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl RecentKeys {
    /// How many.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The sequence number of the oldest one.
    pub fn oldest(&self) -> Option<SequenceNumber> {
        self.entries.front().map(|noted| noted.sequence)
    }

    /// Adds the newest one; what it costs.
    pub fn push(&mut self, sequence: SequenceNumber, keyspace: KeyspaceId, key: &[u8]) -> usize {
        debug_assert!(self.entries.back().is_none_or(|newest| newest.sequence <= sequence));
        if self.entries.len() >= self.buckets.len() {
            self.spread();
        }
        let (hash, start) = (hash_of(keyspace, key), self.bytes_gone + self.bytes.len() as u64);
        self.bytes.extend_from_slice(key);
        let number = self.first + self.entries.len() as u64;
        let previous = std::mem::replace(self.bucket_mut(hash), number);
        let key_len = key.len() as u32;
        self.entries.push_back(Noted { sequence, hash, keyspace, key_len, start, previous });
        key.len() + ENTRY_OVERHEAD
    }

    /// Takes out the newest one, if it is newer than `to`; what it cost.
    pub fn pop_newer(&mut self, to: SequenceNumber) -> Option<usize> {
        let noted = self.entries.pop_back_if(|newest| newest.sequence > to)?;
        *self.bucket_mut(noted.hash) = noted.previous;
        self.bytes.truncate((noted.start - self.bytes_gone) as usize);
        Some(noted.key_len as usize + ENTRY_OVERHEAD)
    }

    /// Takes out the oldest one; what it cost.
    pub fn pop_oldest(&mut self) -> usize {
        let Some(noted) = self.entries.pop_front() else { return 0 };
        self.first += 1;
        let gone = (noted.start - self.bytes_gone) as usize + noted.key_len as usize;
        // Now and then, so that a byte is moved about once.
        if gone >= KEPT_KEYS && gone >= self.bytes.len() / 2 {
            self.bytes.drain(..gone);
            self.bytes_gone += gone as u64;
        }
        noted.key_len as usize + ENTRY_OVERHEAD
    }

    /// Takes out all.
    pub fn clear(&mut self) {
        self.first += self.entries.len() as u64;
        self.entries.clear();
        self.bytes_gone += self.bytes.len() as u64;
        self.bytes.clear();
        if self.buckets.len() > KEPT_KEYS || self.bytes.capacity() > KEPT_BYTES {
            *self = RecentKeys { first: self.first, ..Self::default() };
        }
    }

    /// Whether a key was committed behind `since`.
    pub fn is_newer(&self, keyspace: KeyspaceId, key: &[u8], since: SequenceNumber) -> bool {
        let hash = hash_of(keyspace, key);
        let newest = self.buckets.get(self.bucket_of(hash)).copied();
        let entry = |number: u64| self.entries.get(usize::try_from(number.checked_sub(self.first)?).ok()?);
        std::iter::successors(newest.and_then(entry), |noted| entry(noted.previous))
            .take_while(|noted| noted.sequence > since)
            .any(|noted| noted.hash == hash && noted.keyspace == keyspace && self.key(noted) == key)
    }

    /// The keys of a keyspace that were committed behind `since`, the newest first.
    pub fn newer(&self, keyspace: KeyspaceId, since: SequenceNumber) -> impl Iterator<Item = &[u8]> {
        let newest_first = self.entries.iter().rev().take_while(move |noted| noted.sequence > since);
        newest_first.filter(move |noted| noted.keyspace == keyspace).map(|noted| self.key(noted))
    }

    fn key(&self, noted: &Noted) -> &[u8] {
        let start = (noted.start - self.bytes_gone) as usize;
        self.bytes.get(start..start + noted.key_len as usize).unwrap_or_default()
    }

    fn bucket_of(&self, hash: u64) -> usize {
        hash as usize & self.buckets.len().wrapping_sub(1)
    }

    fn bucket_mut(&mut self, hash: u64) -> &mut u64 {
        let bucket = self.bucket_of(hash);
        &mut self.buckets[bucket]
    }

    /// Twice the buckets.
    fn spread(&mut self) {
        let buckets = (2 * self.buckets.len()).max(16);
        self.buckets.clear();
        self.buckets.resize(buckets, 0);
        for (number, noted) in (self.first..).zip(&mut self.entries) {
            let bucket = &mut self.buckets[noted.hash as usize & (buckets - 1)];
            noted.previous = std::mem::replace(bucket, number);
        }
    }
}
