//! Finds pages without a lock.
//!
//! Places by hash, some to a cache line, that name values of the shards. It need not name all of them: who finds nothing
//! here asks the shard, which puts the value back. A place changes under the lock of the shard that its line belongs to;
//! readers are pinned, and what leaves the cache is let go only when nobody can see it any more.

// Lends values behind pointers that readers find without a lock.
#![allow(unsafe_code)]

use std::ptr;

use crate::base::ids::FileNumber;
use crate::cache::epoch::Pin;
use crate::cache::shard::Key;
use crate::prefetch::prefetch;
use crate::sync::{Arc, AtomicBool, AtomicPtr, AtomicU64, Ordering};

/// Places of a cache line.
const WAYS: usize = 4;
/// Bytes of cache for which there is a line; so where pages take 4 KiB or more, at most half of the places are taken.
const BYTES_PER_LINE: usize = 2 * 4096;
/// Most lines, each of a hash's bits that choose one.
const MOST_LINES: usize = 1 << 24;
/// Bits of an address that are remembered.
const ADDRESS_BITS: u32 = 48;

/// What is cached.
pub trait Cached: Send + Sync {
    /// What it is known by.
    fn mark(&self) -> &Mark;
    /// Where its content is, for the processor to fetch ahead.
    fn content(&self) -> *const u8;
}

/// What a value is known by, and whether it was used lately.
pub struct Mark {
    pub(super) key: Key,
    used: AtomicBool,
}

impl Mark {
    /// Of a value of a file, unused.
    pub fn new(file: FileNumber, offset: u64) -> Self {
        Mark { key: Key { file, offset }, used: AtomicBool::new(false) }
    }

    /// Stores nothing that is set already.
    #[inline]
    pub(super) fn set_used(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was used since this was asked last.
    pub(super) fn take_used(&self) -> bool {
        self.used.load(Ordering::Relaxed) && self.used.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
impl Cached for Mark {
    fn mark(&self) -> &Mark {
        self
    }

    fn content(&self) -> *const u8 {
        ptr::null()
    }
}

/// The bytes of a value's content that are wanted first: so many cache lines behind so many bytes.
#[derive(Clone, Copy)]
pub struct Ahead {
    /// Bytes in front.
    pub skip: usize,
    /// Cache lines.
    pub lines: usize,
}

pub(super) struct Directory<V> {
    lines: Box<[Line<V>]>,
    /// Lines that a shard has in a row of all shards: the distance between a line and its substitute.
    shards: usize,
}

#[repr(align(64))]
struct Line<V>([Place<V>; WAYS]);

struct Place<V> {
    /// Null: free.
    value: AtomicPtr<V>,
    /// Upper bits: some of the hash. Lower bits: of the address of the content. A hint: it may not be of this value.
    hint: AtomicU64,
}

impl<V> Default for Place<V> {
    fn default() -> Self {
        Place { value: AtomicPtr::new(ptr::null_mut()), hint: AtomicU64::new(0) }
    }
}

/// A value that a pinned reader has found.
pub struct Lent<'p, V>(&'p V);

impl<V> Clone for Lent<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Lent<'_, V> {}

impl<'p, V> Lent<'p, V> {
    #[inline]
    pub(super) fn get(self) -> &'p V {
        self.0
    }

    /// A counted reference.
    #[inline]
    pub(super) fn counted(self) -> Arc<V> {
        let value = ptr::from_ref(self.0);
        // SAFETY: `Directory::find` has it from `Arc::as_ptr` of a reference that the cache still has.
        unsafe {
            Arc::increment_strong_count(value);
            Arc::from_raw(value)
        }
    }
}

impl<V: Cached> Directory<V> {
    /// Bytes of memory for an entry.
    pub(super) const ENTRY: usize = size_of::<Line<V>>() * 4096 / BYTES_PER_LINE;

    /// For a cache of `capacity` bytes over so many shards, a power of two.
    pub(super) fn new(capacity: usize, shards: usize) -> Self {
        let lines = (capacity / BYTES_PER_LINE).min(MOST_LINES).next_power_of_two().max(2 * shards);
        Directory { lines: (0..lines).map(|_| Line(Default::default())).collect(), shards }
    }

    /// The value of a key, lent while the pin lives.
    #[inline]
    pub(super) fn find<'p>(
        &'p self,
        hash: u64,
        key: &Key,
        ahead: Ahead,
        _pin: &'p Pin,
    ) -> Option<Lent<'p, V>> {
        self.lines_of(hash).into_iter().find_map(|line| {
            line.0.iter().find_map(|place| {
                let hint = place.hint.load(Ordering::Relaxed);
                if hint >> ADDRESS_BITS != tag(hash) {
                    return None;
                }
                prefetch_content(hint, ahead);
                let value = place.value.load(Ordering::Acquire);
                // SAFETY: a value is put here by `put` alone, from a counted reference of the cache. That is let go
                // (`Retired`) only after `take` and when all that were pinned by then are no more: so it outlives `_pin`.
                let value = unsafe { value.as_ref() }?;
                (value.mark().key == *key).then_some(Lent(value))
            })
        })
    }

    /// Names a value that the shard holds, in the place of `old` if that is named. Under the shard's lock.
    pub(super) fn put(&self, hash: u64, value: &Arc<V>, old: Option<&Arc<V>>) {
        let [first, second] = self.lines_of(hash);
        let both = || first.0.iter().chain(&second.0);
        let held = |place: &&Place<V>| place.value.load(Ordering::Relaxed).cast_const();
        let place = old
            .and_then(|old| both().find(|place| held(place) == Arc::as_ptr(old)))
            .or_else(|| both().find(|place| held(place).is_null()))
            .or_else(|| first.0.get(hash as usize >> 16 & (WAYS - 1)));
        let Some(place) = place else { return };
        let content = value.content().addr() as u64 & ((1 << ADDRESS_BITS) - 1);
        place.hint.store(tag(hash) << ADDRESS_BITS | content, Ordering::Relaxed);
        place.value.store(Arc::as_ptr(value).cast_mut(), Ordering::Release);
    }

    /// Names a value no more. Under the shard's lock.
    pub(super) fn take(&self, hash: u64, value: &Arc<V>) {
        let [first, second] = self.lines_of(hash);
        for place in first.0.iter().chain(&second.0) {
            if place.value.load(Ordering::Relaxed).cast_const() == Arc::as_ptr(value) {
                place.hint.store(0, Ordering::Relaxed);
                place.value.store(ptr::null_mut(), Ordering::Relaxed);
            }
        }
    }

    /// Asks the processor for the line of a hash.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        prefetch(ptr::from_ref(self.lines_of(hash)[0]).cast(), 1);
    }

    /// Asks the processor for the value of a hash, and what is wanted first of its content.
    #[inline]
    pub(super) fn prefetch_value(&self, hash: u64, ahead: Ahead) {
        for place in self.lines_of(hash).into_iter().flat_map(|line| &line.0) {
            let hint = place.hint.load(Ordering::Relaxed);
            if hint >> ADDRESS_BITS == tag(hash) {
                prefetch(
                    place.value.load(Ordering::Relaxed).cast_const().cast(),
                    size_of::<V>().div_ceil(64),
                );
                return prefetch_content(hint, ahead);
            }
        }
    }

    /// The line of a hash, and the one that takes what does not fit there. Both are of the hash's shard.
    #[inline]
    fn lines_of(&self, hash: u64) -> [&Line<V>; 2] {
        let mask = self.lines.len() - 1;
        let first = (hash >> Key::SHARD_SHIFT) as usize & mask;
        [first, (first ^ self.shards) & mask].map(|line| &self.lines[line])
    }
}

#[inline]
fn prefetch_content(hint: u64, ahead: Ahead) {
    let content = hint & ((1 << ADDRESS_BITS) - 1);
    prefetch(ptr::without_provenance((content as usize).wrapping_add(ahead.skip)), ahead.lines);
}

/// Never 0, which is that of a free place.
#[inline]
fn tag(hash: u64) -> u64 {
    (hash & 0xffff).max(1)
}
