//! One lock's part of the cache: a hash index over slots that the hand of a clock walks.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::mem::size_of;

use crate::base::ids::FileNumber;
use crate::cache::Priority;
use crate::sync::Arc;

/// What an entry is found by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) file: FileNumber,
    pub(super) offset: u64,
}

impl Key {
    /// Bits to choose a shard by; the index inside the shard uses others of the same hash.
    pub(super) fn spread(&self) -> usize {
        let mut hasher = Mix::default();
        self.hash(&mut hasher);
        (hasher.finish() >> 48) as usize
    }
}

/// Folded multiplication: keys are numbers of ours, so no seed is needed.
#[derive(Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

struct Entry<V> {
    key: Key,
    value: Arc<V>,
    weight: usize,
    priority: Priority,
    /// Rounds of the clock that the entry will survive.
    lives: u8,
}

pub(super) struct Shard<V> {
    index: HashMap<Key, usize, BuildHasherDefault<Mix>>,
    slots: Vec<Option<Entry<V>>>,
    free: Vec<usize>,
    hand: usize,
    pub(super) hits: u64,
    pub(super) misses: u64,
}

impl<V> Default for Shard<V> {
    fn default() -> Self {
        Shard { index: HashMap::default(), slots: Vec::new(), free: Vec::new(), hand: 0, hits: 0, misses: 0 }
    }
}

impl<V> Shard<V> {
    /// Bytes of slot, free list and index for one entry, doubled for the room in which they grow, and
    /// the two counts of the `Arc`.
    pub(super) const BOOKKEEPING: usize = 2
        * (size_of::<Option<Entry<V>>>() + size_of::<usize>() + size_of::<(Key, usize)>() + 1)
        + 2 * size_of::<usize>();

    pub(super) fn get(&mut self, key: &Key) -> Option<Arc<V>> {
        let found = self.index.get(key).and_then(|&slot| self.slots.get_mut(slot)?.as_mut());
        match found {
            Some(entry) => {
                entry.lives = match entry.priority {
                    Priority::Normal => 1,
                    Priority::High => 2,
                };
                self.hits += 1;
                Some(Arc::clone(&entry.value))
            }
            None => {
                self.misses += 1;
                None
            }
        }
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.index.contains_key(key)
    }

    /// Gives back what was replaced, for the caller to drop without the lock.
    pub(super) fn insert(
        &mut self,
        key: Key,
        value: Arc<V>,
        weight: usize,
        priority: Priority,
    ) -> Option<(Arc<V>, usize)> {
        let lives = match priority {
            Priority::Normal => 0,
            Priority::High => 1,
        };
        let entry = Some(Entry { key, value, weight, priority, lives });
        if let Some(slot) = self.index.get(&key).and_then(|&slot| self.slots.get_mut(slot)) {
            return std::mem::replace(slot, entry).map(|old| (old.value, old.weight));
        }
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = entry;
                slot
            }
            None => {
                self.slots.push(entry);
                self.slots.len() - 1
            }
        };
        self.index.insert(key, slot);
        None
    }

    /// Moves the hand on to the first entry without a life and takes that out; each entry passed
    /// loses one, so that at most three rounds are walked. `None` if there is no entry.
    pub(super) fn evict(&mut self) -> Option<(Arc<V>, usize)> {
        if self.index.is_empty() {
            return None;
        }
        loop {
            let slot = self.hand;
            self.hand = (slot + 1) % self.slots.len();
            match &mut self.slots[slot] {
                Some(entry) if entry.lives > 0 => entry.lives -= 1,
                Some(_) => return self.take(slot),
                None => {}
            }
        }
    }

    pub(super) fn remove_file(&mut self, file: FileNumber) -> Vec<(Arc<V>, usize)> {
        let of_file = |slot: &usize| matches!(&self.slots[*slot], Some(entry) if entry.key.file == file);
        let slots: Vec<usize> = (0..self.slots.len()).filter(of_file).collect();
        slots.into_iter().filter_map(|slot| self.take(slot)).collect()
    }

    /// The weight of the entries with a priority.
    pub(super) fn usage_of(&self, priority: Priority) -> usize {
        let entries = self.slots.iter().flatten().filter(|entry| entry.priority == priority);
        entries.map(|entry| entry.weight).sum()
    }

    /// The weight of what was dropped.
    pub(super) fn clear(&mut self) -> usize {
        let weight = self.slots.iter().flatten().map(|entry| entry.weight).sum();
        *self = Shard { hits: self.hits, misses: self.misses, ..Shard::default() };
        weight
    }

    fn take(&mut self, slot: usize) -> Option<(Arc<V>, usize)> {
        let entry = self.slots.get_mut(slot)?.take()?;
        self.index.remove(&entry.key);
        self.free.push(slot);
        Some((entry.value, entry.weight))
    }
}
