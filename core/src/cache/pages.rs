//! Cache of pages. It keeps the byte budget, of which the rows take their part.

use crate::base::ids::FileNumber;
use crate::cache::shard::{Key, Shard};
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering};

/// Enough that a few dozen threads rarely meet in one.
const SHARDS: usize = 16;

/// How long an entry that is not used stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Until the hand of the clock comes by.
    Normal,
    /// One round of the clock longer.
    High,
}

/// Values by file and offset, evicted by CLOCK. The weights of all entries, bookkeeping included,
/// never pass the capacity. Values are counted: an evicted one lives on while somebody holds it.
pub struct PageCache<V> {
    shards: [Lane<V>; SHARDS],
    capacity: usize,
    /// Bytes reserved: of entries in the shards, and of those on the way in or out.
    usage: AtomicUsize,
    /// Number of eviction steps so far; they go round the shards.
    steps: AtomicUsize,
}

/// A shard on cache lines of its own.
#[repr(align(128))]
struct Lane<V>(Mutex<Shard<V>>);

impl<V> PageCache<V> {
    /// A cache of at most `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        PageCache {
            shards: std::array::from_fn(|_| Lane(Mutex::new(Shard::default()))),
            capacity,
            usage: AtomicUsize::new(0),
            steps: AtomicUsize::new(0),
        }
    }

    /// The value of `(file, offset)`, which counts as used by this.
    pub fn get(&self, file: FileNumber, offset: u64) -> Option<Arc<V>> {
        let key = Key { file, offset };
        self.shard(&key).lock().get(&key)
    }

    /// Whether there is a value, which does not count as used by this.
    pub fn contains(&self, file: FileNumber, offset: u64) -> bool {
        let key = Key { file, offset };
        self.shard(&key).lock().contains(&key)
    }

    /// Puts or replaces a value of `weight` bytes. One that would take more than an eighth of the
    /// budget is not kept.
    pub fn insert(&self, file: FileNumber, offset: u64, value: Arc<V>, weight: usize, priority: Priority) {
        let weight = weight.saturating_add(Shard::<V>::BOOKKEEPING);
        if weight > self.capacity / 8 || !self.reserve(weight) {
            return;
        }
        let key = Key { file, offset };
        let replaced = self.shard(&key).lock().insert(key, value, weight, priority);
        if let Some((_, weight)) = replaced {
            self.release(weight);
        }
    }

    /// Takes bytes of the budget for something else, for good. `false`: they are not to be had.
    pub fn take_budget(&self, bytes: usize) -> bool {
        bytes <= self.capacity / 8 && self.reserve(bytes)
    }

    /// Drops all entries of a file.
    pub fn remove_file(&self, file: FileNumber) {
        for Lane(shard) in &self.shards {
            let removed = shard.lock().remove_file(file);
            self.release(removed.iter().map(|(_, weight)| weight).sum());
        }
    }

    /// Drops all entries.
    pub fn clear(&self) {
        for Lane(shard) in &self.shards {
            let removed = shard.lock().clear();
            self.release(removed);
        }
    }

    /// Bytes in use, those taken for something else included; at most the capacity.
    pub fn usage(&self) -> usize {
        self.usage.load(Ordering::Relaxed)
    }

    /// Bytes that may be in use.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes of the entries with a priority. Looks at each entry.
    pub fn usage_of(&self, priority: Priority) -> usize {
        self.shards.iter().map(|Lane(shard)| shard.lock().usage_of(priority)).sum()
    }

    /// How often [`PageCache::get`] found its value.
    pub fn hits(&self) -> u64 {
        self.shards.iter().map(|Lane(shard)| shard.lock().hits).sum()
    }

    /// How often [`PageCache::get`] found nothing.
    pub fn misses(&self) -> u64 {
        self.shards.iter().map(|Lane(shard)| shard.lock().misses).sum()
    }

    fn shard(&self, key: &Key) -> &Mutex<Shard<V>> {
        &self.shards[key.spread() % SHARDS].0
    }

    /// Takes `weight` bytes of the budget, evicting until they are there. `false` if all entries are
    /// gone and they still are not: others have reserved the rest. At most one shard is locked at a time.
    fn reserve(&self, weight: usize) -> bool {
        let mut empty = 0;
        while empty < SHARDS {
            let fits = |usage: usize| usage.checked_add(weight).filter(|sum| *sum <= self.capacity);
            if self.usage.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok() {
                return true;
            }
            let step = self.steps.fetch_add(1, Ordering::Relaxed);
            let evicted = self.shards[step % SHARDS].0.lock().evict();
            match evicted {
                Some((value, weight)) => {
                    drop(value);
                    self.release(weight);
                    empty = 0;
                }
                None => empty += 1,
            }
        }
        false
    }

    fn release(&self, weight: usize) {
        self.usage.fetch_sub(weight, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
