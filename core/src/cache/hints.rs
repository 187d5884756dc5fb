//! Where among the cached leaves the newest version of a key lies: found by hash, without walking memtables and tables.
//!
//! A hint says "record `index` of the leaf `id`", and is never stale: a commit takes those of its keys out before it makes itself
//! visible, under the locks of the keys' buckets of rows (`write/commit.rs`); an ingest, which knows no keys, takes all out under the
//! locks of all buckets (`write/ingest.rs`); a reader leaves one under the bucket's lock with a ticket of the rows, which is void once
//! a commit was at the bucket. Where there are no rows there are no tickets, and a commit leaves hints alone: so rows that are on stay on
//! (`rows/resize.rs`). Leaves never change, so it does not matter whether their table was compacted meanwhile. That the record is of the
//! key and its keyspace, and may be seen, is for who finds it to see.
//!
//! A leaf that leaves the cache gives its id up. Hints with it are swept out, a few lines for each leaf that leaves; only then,
//! and when no reader is pinned who may still hold one, has another leaf the id.

mod ids;
#[cfg(test)]
mod tests;

use crate::cache::epoch::Pin;
use crate::cache::slots::{Ahead, Cached, Lent, Slots};
use crate::cache::words::Words;
use crate::prefetch::prefetch;
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering};

use ids::Ids;

/// Words of a line: a cache line.
const LINE_WORDS: usize = 8;
/// Hints take the capacity of the cache divided by this.
const SHARE: usize = 24;
/// Leaves take so many bytes of the capacity at least, or some have no id.
const LEAF_BYTES: usize = 2048;
/// Most leaves with an id.
const MOST_LEAVES: usize = 1 << 26;
/// Most hints of two a word have ids of so many bits.
const NARROW_IDS: u32 = 19;
/// Bits of an index.
const NARROW_INDEX: u32 = 7;
const WIDE_INDEX: u32 = 10;
const WIDE_TAG: u32 = 16;
/// Lines that are swept for each leaf that leaves.
const SWEPT: usize = 8;

/// A record of a cached leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The leaf; never 0.
    pub id: u32,
    /// Which of its records.
    pub index: u32,
}

/// The hints of a database.
pub struct Hints<V> {
    lines: Words,
    layout: Layout,
    /// By id.
    leaves: Arc<Slots<V>>,
    ids: Mutex<Ids>,
    /// Whether their memory is taken from the budget. Until then no line has a hint, and from then on it stays so.
    on: AtomicBool,
    /// Somebody asks for the memory, or has it.
    asked: AtomicBool,
}

/// How a hint stands in a word, alone or as one of two: index, id, and above them the tag. 0 is none.
#[derive(Clone, Copy, Debug)]
struct Layout {
    width: u32,
    index_bits: u32,
    id_bits: u32,
}

impl Layout {
    fn of(ids: usize) -> Self {
        let id_bits = usize::BITS - ids.saturating_sub(1).leading_zeros();
        match id_bits <= NARROW_IDS {
            true => Layout { width: 32, index_bits: NARROW_INDEX, id_bits },
            false => Layout { width: 64, index_bits: WIDE_INDEX, id_bits },
        }
    }

    #[inline]
    fn tag(self, hash: u64) -> u64 {
        let bits = (self.width - self.index_bits - self.id_bits).min(WIDE_TAG);
        (hash & ((1 << bits) - 1)) << (self.index_bits + self.id_bits)
    }

    fn encode(self, hash: u64, hint: Hint) -> Option<u64> {
        let fits = hint.index >> self.index_bits == 0 && hint.id != 0;
        fits.then(|| self.tag(hash) | u64::from(hint.id) << self.index_bits | u64::from(hint.index))
    }

    #[inline]
    fn decode(self, bits: u64) -> Hint {
        let mask = |bits: u32| (1u64 << bits) - 1;
        let id = bits >> self.index_bits & mask(self.id_bits);
        Hint { id: id as u32, index: (bits & mask(self.index_bits)) as u32 }
    }

    /// Whether these are the bits of a hint with a tag.
    #[inline]
    fn has_tag(self, bits: u64, tag: u64) -> bool {
        bits != 0 && (bits ^ tag) >> (self.index_bits + self.id_bits) == 0
    }

    /// The hints of a word, each with its place in it.
    #[inline]
    fn parts(self, word: u64) -> [(u32, u64); 2] {
        match self.width {
            32 => [(0, word & 0xffff_ffff), (32, word >> 32)],
            _ => [(0, word), (0, 0)],
        }
    }

    /// A word with the hint at a place replaced.
    fn replaced(self, word: u64, shift: u32, bits: u64) -> u64 {
        let mask = if self.width == 32 { 0xffff_ffff << shift } else { u64::MAX };
        word & !mask | bits << shift
    }
}

impl<V: Cached> Hints<V> {
    /// Of a cache of `capacity` bytes. None at all if there is no memory for them.
    pub(super) fn new(capacity: usize) -> Self {
        let leaves = Slots::new((capacity / LEAF_BYTES).min(MOST_LEAVES));
        let ids = leaves.count();
        let lines = capacity / SHARE / (LINE_WORDS * size_of::<u64>());
        let words = Words::scattered(lines * LINE_WORDS);
        Hints {
            lines: words.unwrap_or_default(),
            layout: Layout::of(ids),
            leaves,
            ids: Mutex::new(Ids::new(ids)),
            on: AtomicBool::new(false),
            asked: AtomicBool::new(false),
        }
    }

    /// Lets hints come in, once `take` has taken so many bytes from the budget.
    pub(super) fn turn_on(&self, take: impl FnOnce(usize) -> bool) {
        let bytes = size_of_val(self.lines());
        if bytes > 0 && !self.asked.swap(true, Ordering::Relaxed) {
            let taken = take(bytes);
            self.on.store(taken, Ordering::Relaxed);
            self.asked.store(taken, Ordering::Relaxed);
        }
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        if self.on.load(Ordering::Relaxed) { size_of_val(self.lines()) } else { 0 }
    }

    #[inline]
    fn lines(&self) -> &[[AtomicU64; LINE_WORDS]] {
        self.lines.groups()
    }

    /// The line of a hash. Its lowest bits are those of the tag.
    #[inline]
    fn line(&self, hash: u64) -> Option<&[AtomicU64; LINE_WORDS]> {
        let lines = self.lines();
        lines.get(((u128::from(hash) * lines.len() as u128) >> 64) as usize)
    }

    /// Asks the processor for the line of a hash.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        if let Some(line) = self.line(hash) {
            prefetch(line.as_ptr().cast(), 1);
        }
    }

    /// The first hint with the tag of a hash.
    #[inline]
    pub fn find(&self, hash: u64) -> Option<Hint> {
        let (layout, tag) = (self.layout, self.layout.tag(hash));
        for word in self.line(hash)? {
            let [(_, low), (_, high)] = layout.parts(word.load(Ordering::Acquire));
            if layout.has_tag(low, tag) {
                return Some(layout.decode(low));
            }
            if layout.has_tag(high, tag) {
                return Some(layout.decode(high));
            }
        }
        None
    }

    /// Asks the processor for what leads to a leaf.
    #[inline]
    pub fn prefetch_slot(&self, hint: Hint) {
        self.leaves.prefetch(hint.id as usize);
    }

    /// Asks the processor for a leaf and its record, whose head is so far in the content.
    #[inline]
    pub fn prefetch_leaf(&self, hint: Hint, head: Ahead) {
        self.leaves.prefetch_record(hint.id as usize, hint.index as usize, head);
    }

    /// The leaf of a hint that was found under the same pin, if it is still cached; it counts as used by this.
    #[inline]
    pub fn leaf<'p>(&'p self, hint: Hint, pin: &'p Pin) -> Option<Lent<'p, V>> {
        self.leaves.find(hint.id as usize, pin)
    }

    /// Leaves a hint to a record of a leaf that the caller holds, under the lock of the key's bucket of rows. It may not
    /// come in: that is what others wait for.
    pub fn insert(&self, hash: u64, leaf: &V, index: u32) {
        let hint = Hint { id: leaf.mark().hint_id(), index };
        let (Some(line), Some(bits)) = (self.line(hash), self.layout.encode(hash, hint)) else { return };
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        // While it is held no leaf gives its id up.
        let Some(_ids) = self.ids.try_lock() else { return };
        if !self.leaves.names(hint.id as usize, leaf) {
            return;
        }
        let layout = self.layout;
        let words = line.iter().map(|word| (word, word.load(Ordering::Relaxed)));
        let parts = words.flat_map(|(word, old)| {
            let parts = layout.parts(old).into_iter().take(64 / layout.width as usize);
            parts.map(move |(shift, part)| (word, old, shift, part))
        });
        // One of a tag is enough: only the first one would be found.
        let tag = layout.tag(hash);
        let same = parts.clone().find(|(.., part)| layout.has_tag(*part, tag));
        let free = || parts.clone().find(|(.., part)| *part == 0);
        let any = (hash >> 20) as usize % (LINE_WORDS * 64 / layout.width as usize);
        if let Some((word, old, shift, _)) = same.or_else(free).or_else(|| parts.clone().nth(any)) {
            // Another one was faster: so be it.
            let new = layout.replaced(old, shift, bits);
            let _ = word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    /// Takes the hints of a key out, under the lock of its bucket of rows.
    pub fn remove(&self, hash: u64) {
        let tag = self.layout.tag(hash);
        if let Some(line) = self.line(hash) {
            line.iter().for_each(|word| self.clear_parts(word, |bits| self.layout.has_tag(bits, tag)));
        }
    }

    /// Takes all hints out, while no bucket of rows can be locked by another.
    pub fn clear(&self) {
        self.lines().as_flattened().iter().for_each(|word| word.store(0, Ordering::Release));
    }

    /// A leaf that came into the cache, under the lock of its shard.
    pub(super) fn enlist(&self, leaf: &Arc<V>) {
        // Once in its life, or the one who strikes it off might meet another id.
        if self.lines().is_empty() || leaf.mark().hint_id() != 0 {
            return;
        }
        if let Some(id) = self.ids.lock().take() {
            leaf.mark().set_hint_id(id);
            self.leaves.put(id as usize, leaf);
        }
    }

    /// A leaf that has left the cache; it is let go behind this.
    pub(super) fn strike(&self, leaf: &V) {
        let lines = self.lines();
        if lines.is_empty() || !leaf.is_leaf() {
            return;
        }
        let id = leaf.mark().hint_id();
        let mut ids = self.ids.lock();
        if id != 0 {
            self.leaves.clear(id as usize);
        }
        // Who has left a hint saw this set before it held the ids.
        if !self.on.load(Ordering::Relaxed) {
            return ids.give_back(id);
        }
        if id != 0 {
            ids.give_up(id);
        }
        // Also for a leaf without id, or none would get one again once no leaf has any.
        let swept = ids.sweep(SWEPT, lines.len());
        for line in lines.get(swept.clone()).unwrap_or_default() {
            for word in line {
                self.clear_parts(word, |bits| ids.is_given_up(self.layout.decode(bits).id));
            }
        }
        ids.swept_to(swept.end, lines.len());
    }

    /// Takes those hints of a word out that `is_gone` says.
    fn clear_parts(&self, word: &AtomicU64, is_gone: impl Fn(u64) -> bool) {
        let layout = self.layout;
        let mut old = word.load(Ordering::Relaxed);
        loop {
            let gone = layout.parts(old).into_iter().filter(|(_, bits)| *bits != 0 && is_gone(*bits));
            let new = gone.fold(old, |word, (shift, _)| layout.replaced(word, shift, 0));
            if new == old {
                return;
            }
            match word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => old = now,
            }
        }
    }
}
