//! Which keys a memtable may hold: blocked Bloom filters, each for more keys than the one before, so that a look-up of a key
//! that is not there costs a line or a few, whatever the size of the tree, and a small memtable has a small filter.

use std::sync::OnceLock;

use crate::filter::{LINE, line_of, lines_for, positions};
use crate::prefetch::prefetch;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Filters at most. The last one takes all that come, and answers less and less.
const PARTS: usize = 5;
/// Keys of the first filter.
const FIRST_KEYS: usize = 1 << 11;
/// Each filter is for so many times the keys of the one before.
const GROWTH: usize = 8;

/// 64 bytes of a filter.
#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; LINE / 8]);

impl Line {
    /// Only one thread at a time calls it.
    fn add(&self, hash: u64) {
        for position in positions(hash) {
            let word = &self.0[position / 64];
            word.store(word.load(Ordering::Relaxed) | 1 << (position % 64), Ordering::Relaxed);
        }
    }

    #[inline]
    fn may_hold(&self, hash: u64) -> bool {
        let bits = positions(hash).map(|at| self.0[at / 64].load(Ordering::Relaxed) >> (at % 64));
        bits.fold(1, |all, bits| all & bits) & 1 == 1
    }
}

/// The filters of a memtable. One thread at a time adds, any number look.
///
/// A key is added before its record can be seen, so who sees the record sees the bits.
#[derive(Default)]
pub struct Filter {
    /// Filled one after the other.
    parts: [OnceLock<Box<[Line]>>; PARTS],
    /// There was no memory for a part: every key may be there.
    gave_up: AtomicBool,
    memory: AtomicUsize,
}

impl Filter {
    /// Takes the memory for so many more keys behind those that have been added. Returns whether it took any.
    #[inline]
    pub fn reserve(&self, added: usize, more: usize) -> bool {
        // Parts are made in order: where the last is, all are.
        let last = part_for(added.saturating_add(more.saturating_sub(1)));
        self.parts.get(last).is_some_and(|part| part.get().is_none()) && self.begin(last)
    }

    /// Adds a key in front of which so many have been added.
    #[inline]
    pub fn add(&self, added: usize, hash: u64) {
        self.reserve(added, 1);
        let Some(lines) = self.parts.get(part_for(added)).and_then(OnceLock::get) else { return };
        if let Some(line) = lines.get(line_of(hash, lines.len() as u32) as usize) {
            line.add(hash);
        }
    }

    /// Asks the processor for what [`Filter::add`] changes.
    #[inline]
    pub fn ask_to_add(&self, added: usize, hash: u64) {
        let Some(lines) = self.parts.get(part_for(added)).and_then(OnceLock::get) else { return };
        if let Some(line) = lines.get(line_of(hash, lines.len() as u32) as usize) {
            prefetch((&raw const *line).cast(), 1);
        }
    }

    /// Makes all parts up to the `last`, in order: who looks stops at the first that is not there.
    #[cold]
    fn begin(&self, last: usize) -> bool {
        if self.gave_up.load(Ordering::Relaxed) {
            return false;
        }
        let missing = |(_, part): &(usize, &OnceLock<_>)| part.get().is_none();
        for (nth, part) in self.parts.iter().enumerate().take(last + 1).filter(missing) {
            let count = lines_for(keys_of(nth));
            let mut lines = Vec::new();
            if lines.try_reserve_exact(count).is_err() {
                self.gave_up.store(true, Ordering::Release);
                return true;
            }
            lines.resize_with(count, Line::default);
            self.memory.fetch_add(count * LINE, Ordering::Relaxed);
            part.get_or_init(|| lines.into_boxed_slice());
        }
        true
    }

    /// `false`: no key with this hash was added.
    #[inline]
    pub fn may_hold(&self, hash: u64) -> bool {
        self.lines_of(hash).any(|line| line.may_hold(hash)) || self.gave_up.load(Ordering::Acquire)
    }

    /// Asks the processor for what [`Filter::may_hold`] reads.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        self.lines_of(hash).for_each(|line| prefetch((&raw const *line).cast(), 1));
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        self.memory.load(Ordering::Relaxed)
    }

    #[inline]
    fn lines_of(&self, hash: u64) -> impl Iterator<Item = &Line> {
        let lines = self.parts.iter().map_while(OnceLock::get);
        lines.filter_map(move |lines| lines.get(line_of(hash, lines.len() as u32) as usize))
    }
}

/// Keys of a part.
fn keys_of(part: usize) -> usize {
    FIRST_KEYS * GROWTH.pow(part as u32)
}

/// The part that takes a key in front of which so many have been added.
#[inline]
fn part_for(added: usize) -> usize {
    let mut end = 0;
    for part in 0..PARTS - 1 {
        end += keys_of(part);
        if added < end {
            return part;
        }
    }
    PARTS - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::hash_key;

    fn hash(key: u64) -> u64 {
        hash_key(&key.to_be_bytes())
    }

    #[test]
    fn what_was_added_is_held_and_few_others() {
        let filter = Filter::default();
        assert!(!filter.may_hold(hash(1)) && filter.memory() == 0);
        let ends = [1, 2_047, 2_048, 2_049, 18_431, 18_432, 18_433, 60_000];
        let mut added = 0;
        for end in ends {
            for key in added..end {
                filter.add(key as usize, hash(key));
            }
            added = end;
            assert!((0..end).all(|key| filter.may_hold(hash(key))), "{end} keys");
            let wrong = (1 << 32..(1 << 32) + 20_000).filter(|key| filter.may_hold(hash(*key))).count();
            assert!(wrong < 20_000 / 40, "{wrong} of 20,000 with {end} keys");
        }
        assert!(filter.memory() < 256 << 10, "{}", filter.memory());
    }

    #[test]
    fn parts_follow_each_other() {
        let ends = [2_048, 18_432, 149_504, 1_198_080];
        for (part, end) in ends.into_iter().enumerate() {
            assert_eq!((part_for(end - 1), part_for(end)), (part, part + 1));
        }
        assert_eq!(part_for(usize::MAX), PARTS - 1);
    }

    #[test]
    fn without_memory_every_key_may_be_there() {
        let filter = Filter::default();
        filter.gave_up.store(true, Ordering::Relaxed);
        filter.add(0, hash(1));
        assert!(filter.may_hold(hash(1)) && filter.may_hold(hash(2)) && filter.memory() == 0);
    }
}
