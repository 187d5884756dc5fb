//! One lock's part of the pages, as in CAR (Bansal and Modha, FAST 2004).
//!
//! `Recent` (T1) and `Frequent` (T2) are clocks: a hit only sets a mark, and what the hand meets marked goes on.
//! What it meets unmarked leaves, and a ghost stays (B1, B2). Which clock's hand moves, and how many ghosts
//! there may be, is decided for all shards together: see `balance.rs`.

use std::mem::size_of;

use crate::base::ids::FileNumber;
use crate::cache::ghosts::Ghosts;
use crate::cache::index::Index;
use crate::cache::slots::{Cached, Place, Slots};
use crate::cache::{Entry, Priority};
use crate::sync::Arc;

/// What an entry is found by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) file: FileNumber,
    pub(super) offset: u64,
}

impl Key {
    /// The bits of a hash from here on choose a shard.
    pub(super) const SHARD_SHIFT: u32 = 40;

    /// The finalizer of SplitMix64: keys are numbers of ours, so no seed is needed. All bits are as good as any.
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        let mixed =
            (self.file.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.offset).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 29)
    }
}

/// A clock, and the ghosts of what left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Used once, since it came in.
    Recent,
    /// Used again.
    Frequent,
}

impl List {
    pub(super) fn other(self) -> List {
        match self {
            List::Recent => List::Frequent,
            List::Frequent => List::Recent,
        }
    }
}

const LISTS: usize = 2;
/// No node.
const NONE: u32 = u32::MAX;

struct Node<V> {
    key: Key,
    /// `None`: free.
    value: Option<Arc<V>>,
    weight: u32,
    newer: u32,
    older: u32,
    list: List,
    priority: Priority,
    /// Rounds of the hand that it survives unused.
    rounds: bool,
}

#[derive(Clone, Copy)]
struct Ends {
    oldest: u32,
    newest: u32,
}

/// Sums by clock.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) bytes: [usize; LISTS],
    /// Bytes that the entries of ghosts would take.
    pub(super) lost: [usize; LISTS],
    /// Bytes of memory of ghosts.
    pub(super) ghosts: usize,
    /// Bytes of entries of `Priority::High`.
    pub(super) high: usize,
}

impl Totals {
    /// Bytes of memory.
    pub(super) fn memory(&self) -> usize {
        self.bytes.iter().sum::<usize>() + self.ghosts
    }
}

/// What a step of a hand came to.
pub(super) enum Step<V> {
    /// There is nothing in the list.
    Empty,
    /// An entry was used, and is `Frequent` now.
    Promoted,
    /// An entry left; for the caller to drop without the lock.
    Evicted(Option<Arc<V>>),
}

pub(super) struct Shard<V> {
    index: Index,
    nodes: Vec<Node<V>>,
    free: Vec<u32>,
    lists: [Ends; LISTS],
    ghosts: [Ghosts; LISTS],
    bytes: [usize; LISTS],
    high: usize,
    pub(super) hits: u64,
    pub(super) misses: u64,
}

impl<V> Default for Shard<V> {
    fn default() -> Self {
        Shard {
            index: Index::default(),
            nodes: Vec::new(),
            free: Vec::new(),
            lists: [Ends { oldest: NONE, newest: NONE }; LISTS],
            ghosts: Default::default(),
            bytes: [0; LISTS],
            high: 0,
            hits: 0,
            misses: 0,
        }
    }
}

impl<V: Cached> Shard<V> {
    /// Bytes of node, free list and index for one entry with the room in which they grow, of the two counts of its `Arc`
    /// with what the allocator adds to that, and of the slot that hints find it by.
    pub(super) const ENTRY: usize =
        (size_of::<Node<V>>() + size_of::<u32>()) * 9 / 8 + 12 + 4 * size_of::<usize>() + Slots::<V>::SIZE;

    pub(super) fn totals(&self) -> Totals {
        Totals {
            bytes: self.bytes,
            lost: [self.ghosts[0].bytes(), self.ghosts[1].bytes()],
            ghosts: self.ghosts[0].memory() + self.ghosts[1].memory(),
            high: self.high,
        }
    }

    /// The value of a key, which counts as used by this, and is named by a slot from now on if it fits there.
    pub(super) fn get(
        &mut self,
        hash: u64,
        key: &Key,
        place: Option<Place<'_, V>>,
        fits: impl FnOnce(&V) -> bool,
    ) -> Option<Arc<V>> {
        let Some(value) = self.peek(hash, key) else {
            self.misses += 1;
            return None;
        };
        self.hits += 1;
        value.mark().set_used();
        if let Some(place) = place.filter(|_| fits(&value)) {
            place.name(&value);
        }
        Some(value)
    }

    /// The value of a key, without a trace.
    pub(super) fn peek(&self, hash: u64, key: &Key) -> Option<Arc<V>> {
        let slot = self.find(hash, key)?;
        self.nodes.get(slot as usize)?.value.clone()
    }

    /// Puts or replaces a value of `weight` bytes, its `ENTRY` among them. Gives back what was replaced, for the
    /// caller to drop without the lock, and the list whose ghost was found.
    pub(super) fn insert(
        &mut self,
        hash: u64,
        key: Key,
        value: Arc<V>,
        weight: u32,
        priority: Priority,
    ) -> (Option<Arc<V>>, Option<List>) {
        let Some(slot) = self.find(hash, &key) else {
            let lists = [List::Recent, List::Frequent];
            let ghost = lists.into_iter().find(|list| self.ghosts[*list as usize].take(hash));
            let list = if ghost.is_some() { List::Frequent } else { List::Recent };
            let rounds = priority == Priority::High;
            let (newer, older, value) = (NONE, NONE, Some(value));
            self.add(hash, Node { key, value, weight, newer, older, list, priority, rounds });
            return (None, ghost);
        };
        let list = self.nodes[slot as usize].list;
        self.unlink(slot);
        let node = &mut self.nodes[slot as usize];
        (node.weight, node.priority) = (weight, priority);
        let old = node.value.replace(value);
        old.iter().for_each(|old| old.mark().unname());
        self.link(slot, list);
        (old, None)
    }

    fn add(&mut self, hash: u64, node: Node<V>) {
        let list = node.list;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.nodes[slot as usize] = node;
                slot
            }
            None => {
                if self.nodes.len() == self.nodes.capacity() {
                    self.nodes.reserve_exact((self.nodes.len() / 8).max(8));
                }
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        };
        let nodes = &self.nodes;
        self.index.insert(hash, slot, |slot| nodes[slot as usize].key.hash());
        self.link(slot, list);
    }

    /// Moves the hand of `Recent` or `Frequent` on to an entry that leaves, or that changes its list.
    pub(super) fn step(&mut self, list: List) -> Step<V> {
        loop {
            let slot = self.lists[list as usize].oldest;
            let Some(node) = self.nodes.get_mut(slot as usize) else { return Step::Empty };
            if node.value.as_ref().is_some_and(|value| value.mark().take_used()) {
                node.rounds = node.priority == Priority::High;
                self.relink(slot, List::Frequent);
                if list == List::Recent {
                    return Step::Promoted;
                }
                continue;
            }
            if node.rounds {
                node.rounds = false;
                self.relink(slot, list);
                continue;
            }
            let (hash, weight) = (node.key.hash(), node.weight);
            self.ghosts[list as usize].push(hash, weight);
            return Step::Evicted(self.take(slot));
        }
    }

    /// Drops the oldest ghost of a list; `false` if there is none.
    pub(super) fn forget(&mut self, list: List) -> bool {
        self.ghosts[list as usize].forget()
    }

    /// The entries of `files`, which are sorted; without a trace.
    pub(super) fn of_files(&self, files: &[FileNumber]) -> impl Iterator<Item = Entry> {
        let nodes = self.nodes.iter().filter(|node| files.binary_search(&node.key.file).is_ok());
        nodes.filter_map(|node| {
            let used = node.value.as_ref()?.mark().is_used() || node.list == List::Frequent;
            let Key { file, offset } = node.key;
            Some(Entry { file, offset, used, priority: node.priority })
        })
    }

    /// Takes a value out, for the caller to let go without the lock.
    pub(super) fn remove(&mut self, hash: u64, key: &Key) -> Option<Arc<V>> {
        self.find(hash, key).and_then(|slot| self.take(slot))
    }

    /// What was dropped, for the caller to let go without the lock.
    pub(super) fn remove_file(&mut self, file: FileNumber) -> Vec<Arc<V>> {
        let of_file = |slot: &u32| {
            let node = &self.nodes[*slot as usize];
            node.key.file == file && node.value.is_some()
        };
        let slots: Vec<u32> = (0..self.nodes.len() as u32).filter(of_file).collect();
        slots.into_iter().filter_map(|slot| self.take(slot)).collect()
    }

    /// Takes everything out, ghosts too. What was dropped, for the caller to let go without the lock.
    pub(super) fn clear(&mut self) -> Vec<Arc<V>> {
        let slots = 0..self.nodes.len() as u32;
        let taken = slots.filter(|slot| self.nodes[*slot as usize].value.is_some()).collect::<Vec<_>>();
        let values = taken.into_iter().filter_map(|slot| self.take(slot)).collect();
        *self = Shard { hits: self.hits, misses: self.misses, ..Shard::default() };
        values
    }

    #[inline]
    fn find(&self, hash: u64, key: &Key) -> Option<u32> {
        self.index.find(hash, |slot| self.nodes.get(slot as usize).is_some_and(|node| node.key == *key))
    }

    fn take(&mut self, slot: u32) -> Option<Arc<V>> {
        self.unlink(slot);
        let node = &mut self.nodes[slot as usize];
        let (hash, value) = (node.key.hash(), node.value.take());
        value.iter().for_each(|value| value.mark().unname());
        let nodes = &self.nodes;
        self.index.remove(hash, slot, |slot| nodes[slot as usize].key.hash());
        self.free.push(slot);
        value
    }

    fn relink(&mut self, slot: u32, list: List) {
        self.unlink(slot);
        self.link(slot, list);
    }

    fn unlink(&mut self, slot: u32) {
        self.count(slot, usize::wrapping_sub);
        let Node { newer, older, list, .. } = self.nodes[slot as usize];
        let ends = &mut self.lists[list as usize];
        match self.nodes.get_mut(older as usize) {
            Some(node) => node.newer = newer,
            None => ends.oldest = newer,
        }
        match self.nodes.get_mut(newer as usize) {
            Some(node) => node.older = older,
            None => ends.newest = older,
        }
    }

    /// As the newest of a list.
    fn link(&mut self, slot: u32, list: List) {
        let ends = &mut self.lists[list as usize];
        let older = std::mem::replace(&mut ends.newest, slot);
        if ends.oldest == NONE {
            ends.oldest = slot;
        }
        if let Some(node) = self.nodes.get_mut(older as usize) {
            node.newer = slot;
        }
        let node = &mut self.nodes[slot as usize];
        (node.list, node.older, node.newer) = (list, older, NONE);
        self.count(slot, usize::wrapping_add);
    }

    fn count(&mut self, slot: u32, change: fn(usize, usize) -> usize) {
        let Node { list, weight, priority, .. } = self.nodes[slot as usize];
        let bytes = &mut self.bytes[list as usize];
        *bytes = change(*bytes, weight as usize);
        if priority == Priority::High {
            self.high = change(self.high, weight as usize);
        }
    }
}
