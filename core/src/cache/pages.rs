//! Cache of pages, which also keeps the byte budget that it shares with the rows.
//!
//! The policy is CAR, the CLOCK form of ARC, over shards: each has its lists (`shard.rs`), and what is weighed is
//! weighed by the sums over all (`balance.rs`). When bytes are short, the rows give way if they have more
//! than their target, else the next entry of a clock; the shards take turns.

use std::cell::Cell;
use std::sync::OnceLock;

use crate::base::ids::FileNumber;
use crate::cache::balance::Balance;
use crate::cache::epoch::{self, Pin};
use crate::cache::frames::Frames;
use crate::cache::hints::Hints;
use crate::cache::retired::Retired;
use crate::cache::rows::{Lender, RowCache};
use crate::cache::shard::{Key, List, Shard, Step};
use crate::cache::slots::{Ahead, Cached, Lent, Place, Slots};
use crate::sync::{Arc, AtomicU64, AtomicUsize, Mutex, Ordering};

/// Most shards: enough that a few dozen threads rarely meet in one.
const SHARDS: usize = 32;
/// Of so many evictions from a list, one takes a ghost of the other list along: what was evicted under another load would
/// stay for ever. Odd, so that every shard has its turn.
const FADE: usize = 9;
/// Least bytes of a shard, so that small caches have few.
const SHARD_BYTES: usize = 256 << 10;

/// How long an entry that is not used stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Until the hand of the clock comes by.
    Normal,
    /// One round of the clock longer.
    High,
}

pub use figures::CacheFigures;
pub use of_files::Entry;

/// Values by file and offset. The weights of all entries, bookkeeping and ghosts included, and the bytes of the rows
/// never pass the capacity. Values are counted: an evicted one lives on while somebody holds it.
pub struct PageCache<V> {
    shards: Box<[Lane<V>]>,
    /// Look-ups that slots answered, by the cell of their thread.
    hits: Box<[Hits; epoch::CELLS]>,
    retired: Retired<V>,
    hints: Hints<V>,
    balance: Balance,
    /// Bytes reserved: of shards and rows, and of entries on the way in or out.
    usage: AtomicUsize,
    /// Number of steps so far of the hands of `Recent` and `Frequent`; they go round the shards.
    steps: [AtomicUsize; 2],
    rows: OnceLock<Arc<RowCache>>,
    frames: Arc<Frames>,
}

/// A shard on cache lines of its own.
#[repr(align(128))]
struct Lane<V>(Mutex<Shard<V>>);

/// The hits of one thread; no other one writes here.
#[repr(align(64))]
struct Hits(AtomicU64);

thread_local! {
    static LOADS: Cell<u64> = const { Cell::new(0) };
}

/// How many pages this thread has brought in; tells whether a look-up went to the disk.
#[inline]
pub fn loads_of_this_thread() -> u64 {
    LOADS.get()
}

impl<V: Cached> PageCache<V> {
    /// A cache of at most `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        let shards = (capacity / SHARD_BYTES).clamp(1, SHARDS).next_power_of_two();
        PageCache {
            hits: Box::new([const { Hits(AtomicU64::new(0)) }; epoch::CELLS]),
            retired: Retired::default(),
            hints: Hints::new(capacity),
            shards: (0..shards).map(|_| Lane(Mutex::new(Shard::default()))).collect(),
            balance: Balance::new(capacity),
            usage: AtomicUsize::new(0),
            steps: Default::default(),
            rows: OnceLock::new(),
            frames: Arc::new(Frames::new(capacity)),
        }
    }

    /// Lets rows take bytes of the budget, and asks them to give way. Once.
    pub fn share_with(&self, rows: &Arc<RowCache>) {
        let first = self.rows.set(Arc::clone(rows));
        debug_assert!(first.is_ok());
    }

    /// Where records lie among the leaves.
    #[inline]
    pub fn hints(&self) -> &Hints<V> {
        &self.hints
    }

    /// Lets hints come in, if there are bytes for them.
    pub fn turn_hints_on(&self) {
        self.hints.turn_on(|bytes| self.reserve(bytes, true));
    }

    /// Lets go of a value that was taken out.
    fn retire(&self, value: Option<Arc<V>>) {
        value.iter().for_each(|value| self.hints.strike(value));
        self.retired.add(value);
    }

    /// As [`PageCache::retire`], and waits for readers a moment.
    fn retire_all(&self, values: Vec<Arc<V>>) {
        values.iter().for_each(|value| self.hints.strike(value));
        self.retired.add_all(values);
    }

    /// The value of `(file, offset)`, which counts as used by this.
    pub fn get(&self, file: FileNumber, offset: u64) -> Option<Arc<V>> {
        self.get_named(file, offset, None, |_| false)
    }

    /// As [`PageCache::get`]; from now on a slot names the value, if it fits there.
    pub fn get_named(
        &self,
        file: FileNumber,
        offset: u64,
        place: Option<Place<'_, V>>,
        fits: impl FnOnce(&V) -> bool,
    ) -> Option<Arc<V>> {
        let key = Key { file, offset };
        let hash = key.hash();
        self.shard(hash).lock().get(hash, &key, place, fits)
    }

    /// The value that a slot names, lent while the pin lives; it counts as used by this. What is wanted first of its content
    /// is on its way.
    #[inline]
    pub fn find<'p>(
        &'p self,
        slots: &Slots<V>,
        index: usize,
        ahead: Ahead,
        pin: &'p Pin,
    ) -> Option<Lent<'p, V>> {
        slots.prefetch_value(index, ahead);
        slots.find(index, pin)
    }

    /// Notes look-ups that slots answered.
    #[inline]
    pub fn note_hits(&self, pin: &Pin, hits: u64) {
        let Hits(sum) = &self.hits[pin.cell()];
        sum.store(sum.load(Ordering::Relaxed).wrapping_add(hits), Ordering::Relaxed);
    }

    /// As [`PageCache::get`], but leaves no trace: for reads of everything that say nothing about what will
    /// be read again.
    pub fn peek(&self, file: FileNumber, offset: u64) -> Option<Arc<V>> {
        let key = Key { file, offset };
        let hash = key.hash();
        self.shard(hash).lock().peek(hash, &key)
    }

    /// Whether there is a value, which does not count as used by this.
    pub fn contains(&self, file: FileNumber, offset: u64) -> bool {
        self.peek(file, offset).is_some()
    }

    /// Puts or replaces a value of `weight` bytes, which no slot names.
    #[cfg(test)]
    pub fn insert(&self, file: FileNumber, offset: u64, value: Arc<V>, weight: usize, priority: Priority) {
        self.insert_named(file, offset, value, weight, priority, None);
    }

    /// Puts or replaces a value of `weight` bytes, which a slot names from now on. One that would take more than an
    /// eighth of the budget is not kept.
    pub fn insert_named(
        &self,
        file: FileNumber,
        offset: u64,
        value: Arc<V>,
        weight: usize,
        priority: Priority,
        place: Option<Place<'_, V>>,
    ) {
        LOADS.set(LOADS.get().wrapping_add(1));
        let weight = weight.saturating_add(Shard::<V>::ENTRY);
        let Some(small) = u32::try_from(weight).ok().filter(|_| weight <= self.balance.capacity / 8) else {
            return;
        };
        if !self.reserve(weight, true) {
            return;
        }
        let key = Key { file, offset };
        let hash = key.hash();
        let insert = |shard: &mut Shard<V>| {
            let named = place.map(|place| (place, Arc::clone(&value)));
            if value.is_leaf() {
                self.hints.enlist(&value);
            }
            let replaced = shard.insert(hash, key, value, small, priority);
            named.into_iter().for_each(|(place, value)| place.name(&value));
            replaced
        };
        let settle = |(old, ghost)| {
            self.retire(old);
            ghost
        };
        let ghost = self.change(self.shard(hash), weight, insert, settle);
        if let Some(list) = ghost {
            self.balance.ghost_of_page(list, weight);
        }
    }

    /// Drops all entries of a file.
    pub fn remove_file(&self, file: FileNumber) {
        for Lane(shard) in &self.shards {
            self.change(shard, 0, |shard| shard.remove_file(file), |gone| self.retire_all(gone));
        }
    }

    /// Drops all entries, and most of the rows' memory.
    pub fn clear(&self) {
        for Lane(shard) in &self.shards {
            self.change(shard, 0, Shard::clear, |gone| self.retire_all(gone));
        }
        while self.rows_give() {}
    }

    /// Bytes in use, those of rows included; at most the capacity.
    pub fn usage(&self) -> usize {
        self.usage.load(Ordering::Relaxed)
    }

    /// Bytes that may be in use.
    pub fn capacity(&self) -> usize {
        self.balance.capacity
    }

    /// Memory for pages.
    pub fn frames(&self) -> &Arc<Frames> {
        &self.frames
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Mutex<Shard<V>> {
        &self.shards[(hash >> Key::SHARD_SHIFT) as usize & (self.shards.len() - 1)].0
    }

    /// Changes a shard and settles the budget, of which `reserved` bytes are taken for this. `settle` drops what was
    /// taken out, without the lock and before its bytes are free.
    fn change<R, T>(
        &self,
        shard: &Mutex<Shard<V>>,
        reserved: usize,
        change: impl FnOnce(&mut Shard<V>) -> R,
        settle: impl FnOnce(R) -> T,
    ) -> T {
        let mut shard = shard.lock();
        let before = shard.totals();
        let result = change(&mut shard);
        let after = shard.totals();
        // Under the lock, or a sum may lack what came in when what went out is taken off.
        self.balance.note(&before, &after);
        drop(shard);
        let left = settle(result);
        debug_assert!(after.memory() <= before.memory() + reserved);
        self.release((before.memory() + reserved).saturating_sub(after.memory()));
        left
    }

    /// Takes `weight` bytes of the budget; whatever is in the way gives way. `false` if all is gone and they still are
    /// not there: others have reserved the rest. At most one shard is locked at a time.
    fn reserve(&self, weight: usize, from_rows: bool) -> bool {
        loop {
            if self.take_free(weight) {
                return true;
            }
            let rows_have_too_much = from_rows && self.balance.rows() > self.balance.rows_target();
            let given =
                rows_have_too_much && self.rows_give() || self.evict() || from_rows && self.rows_give();
            if !given {
                return false;
            }
        }
    }

    fn take_free(&self, weight: usize) -> bool {
        let fits = |usage: usize| usage.checked_add(weight).filter(|sum| *sum <= self.balance.capacity);
        self.usage.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    /// Moves a hand by one entry, in the next shard that has something for it. `false`: there is nothing left.
    fn evict(&self) -> bool {
        let first = self.balance.victim();
        [first, first.other()].into_iter().any(|list| self.evict_from(list)) || self.forget_any()
    }

    fn evict_from(&self, list: List) -> bool {
        for _ in 0..self.shards.len() {
            let step = self.steps[list as usize].fetch_add(1, Ordering::Relaxed);
            let Lane(shard) = &self.shards[step & (self.shards.len() - 1)];
            let moved = |step| match step {
                Step::Empty => Moved::Nothing,
                Step::Promoted => Moved::Within,
                Step::Evicted(value) => {
                    self.retire(value);
                    Moved::Out
                }
            };
            match self.change(shard, 0, |shard| shard.step(list), moved) {
                Moved::Nothing => {}
                Moved::Within => return true,
                Moved::Out => {
                    if step.is_multiple_of(FADE) {
                        self.change(shard, 0, |shard| shard.forget(list.other()), |_| ());
                    }
                    self.trim(shard);
                    return true;
                }
            }
        }
        false
    }

    /// A ghost has come in: where there are too many, others go.
    fn trim(&self, shard: &Mutex<Shard<V>>) {
        for _ in 0..2 {
            let Some(list) = self.balance.excess() else { return };
            self.change(shard, 0, |shard| shard.forget(list), |_| ());
        }
    }

    /// Nothing but ghosts is left.
    fn forget_any(&self) -> bool {
        let forget = |Lane(shard): &Lane<V>| {
            let any = |shard: &mut Shard<V>| shard.forget(List::Recent) || shard.forget(List::Frequent);
            self.change(shard, 0, any, |found| found)
        };
        self.shards.iter().any(forget)
    }

    fn rows_give(&self) -> bool {
        let bytes = self.rows.get().map_or(0, |rows| rows.shrink());
        self.take_back(bytes);
        bytes > 0
    }

    fn release(&self, weight: usize) {
        self.usage.fetch_sub(weight, Ordering::Relaxed);
    }
}

impl<V: Cached> Lender for PageCache<V> {
    /// Free bytes are for who asks first; others only up to the target of the rows.
    fn lend(&self, bytes: usize) -> bool {
        let lent = self.take_free(bytes)
            || self.balance.rows() + bytes <= self.balance.rows_target() && self.reserve(bytes, false);
        if lent {
            self.balance.rows_have_taken(bytes);
        }
        lent
    }

    fn take_back(&self, bytes: usize) {
        self.balance.rows_have_given(bytes);
        self.release(bytes);
    }

    fn found_ghost(&self, from_disk: bool) {
        let most = self.rows.get().map_or(0, |rows| rows.max_bytes());
        self.balance.ghost_of_row(from_disk, most);
    }
}

enum Moved {
    Nothing,
    Within,
    Out,
}

mod figures;
mod of_files;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod traces;
