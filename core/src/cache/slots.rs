//! Finds values without a lock: what leads to a value has a slot that names it ("pointer swizzling": V. Leis and others,
//! "LeanStore", 2018).
//!
//! A slot need not name its value: who finds nothing in it asks the shard, which fills it. A slot changes under the lock of
//! the value's shard; readers are pinned, and what leaves the cache is let go only when nobody can see it any more.

// Lends values behind pointers that readers find without a lock.
#![allow(unsafe_code)]

use std::ops::Deref;
use std::ptr;

use crate::cache::epoch::Pin;
use crate::prefetch::prefetch;
use crate::sync::{Arc, AtomicBool, AtomicPtr, Mutex, Ordering};

/// What is cached.
pub trait Cached: Send + Sync + Sized {
    /// How it is used and found.
    fn mark(&self) -> &Mark<Self>;
    /// Where its content is, for the processor to fetch ahead.
    fn content(&self) -> *const u8;
}

/// Whether a value was used lately, and the slot that names it.
pub struct Mark<V> {
    used: AtomicBool,
    named_by: Mutex<Option<(Arc<Slots<V>>, usize)>>,
}

impl<V> Default for Mark<V> {
    fn default() -> Self {
        Mark { used: AtomicBool::new(false), named_by: Mutex::new(None) }
    }
}

impl<V> Mark<V> {
    /// Counts the value as used. Stores nothing that is set already.
    #[inline]
    pub fn set_used(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether it was used since this was asked last.
    pub(super) fn take_used(&self) -> bool {
        self.used.load(Ordering::Relaxed) && self.used.swap(false, Ordering::Relaxed)
    }

    /// No slot names the value from here on. Under the lock of its shard.
    pub(super) fn unname(&self) {
        if let Some((slots, index)) = self.named_by.lock().take() {
            slots.set(index, ptr::null());
        }
    }
}

/// Slots for values of one kind each: all that a slot ever names has the same key.
pub struct Slots<V>(Box<[Slot<V>]>);

struct Slot<V> {
    /// Null: unnamed.
    value: AtomicPtr<V>,
    /// Its content: a hint, which may be that of another value that was here.
    content: AtomicPtr<u8>,
}

/// The slot of a value.
pub struct Place<'a, V> {
    /// Where it is one of many.
    pub slots: &'a Arc<Slots<V>>,
    /// Which of them.
    pub index: usize,
}

impl<V> Clone for Place<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Place<'_, V> {}

/// The bytes of a value's content that are wanted first: so many cache lines behind so many bytes.
#[derive(Clone, Copy)]
pub struct Ahead {
    /// Bytes in front.
    pub skip: usize,
    /// Cache lines.
    pub lines: usize,
}

impl<V> Slots<V> {
    /// Bytes of memory of each.
    pub const SIZE: usize = size_of::<Slot<V>>();

    /// So many slots, which name nothing.
    pub fn new(count: usize) -> Arc<Self> {
        let slot = || Slot { value: AtomicPtr::default(), content: AtomicPtr::default() };
        Arc::new(Slots((0..count).map(|_| slot()).collect()))
    }

    fn set(&self, index: usize, value: *const V) {
        if let Some(slot) = self.0.get(index) {
            slot.value.store(value.cast_mut(), Ordering::Release);
        }
    }

    /// Asks the processor for a slot.
    #[inline]
    pub fn prefetch(&self, index: usize) {
        prefetch(self.0.as_ptr().wrapping_add(index).cast(), 1);
    }

    /// Asks the processor for the value of a slot, and what is wanted first of its content.
    #[inline]
    pub fn prefetch_value(&self, index: usize, ahead: Ahead) {
        if let Some(slot) = self.0.get(index) {
            slot.prefetch(slot.value.load(Ordering::Relaxed), ahead);
        }
    }
}

impl<V> Slot<V> {
    #[inline]
    fn prefetch(&self, value: *const V, ahead: Ahead) {
        prefetch(value.cast(), size_of::<V>().div_ceil(64));
        prefetch(self.content.load(Ordering::Relaxed).wrapping_add(ahead.skip), ahead.lines);
    }
}

impl<V: Cached> Slots<V> {
    /// The value of a slot, lent while the pin lives; it counts as used by this. What is wanted first of its content is on
    /// its way.
    #[inline]
    pub(super) fn find<'p>(&self, index: usize, ahead: Ahead, _pin: &'p Pin) -> Option<Lent<'p, V>> {
        let slot = self.0.get(index)?;
        let value = slot.value.load(Ordering::Acquire);
        slot.prefetch(value, ahead);
        // SAFETY: a value is put here by `name` alone, from a counted reference of the cache. That is let go (`Retired`) only
        // after `unname` and when all that were pinned by then are no more, or with the cache: so it outlives `_pin`, and
        // `PageCache::find` has the cache outlive that.
        let value = unsafe { value.as_ref() }?;
        value.mark().set_used();
        Some(Lent(value))
    }
}

impl<V: Cached> Place<'_, V> {
    /// Names a value that the shard holds, and no other slot does any more. Under the shard's lock.
    pub(super) fn name(self, value: &Arc<V>) {
        let mark = value.mark();
        mark.unname();
        if let Some(slot) = self.slots.0.get(self.index) {
            slot.content.store(value.content().cast_mut(), Ordering::Relaxed);
            *mark.named_by.lock() = Some((Arc::clone(self.slots), self.index));
            self.slots.set(self.index, Arc::as_ptr(value));
        }
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
    /// The value.
    #[inline]
    pub fn get(self) -> &'p V {
        self.0
    }

    /// A counted reference, which outlives the pin.
    #[inline]
    pub fn counted(self) -> Arc<V> {
        let value = ptr::from_ref(self.0);
        // SAFETY: `Slots::find` has it from `Arc::as_ptr` of a reference that the cache still has.
        unsafe {
            Arc::increment_strong_count(value);
            Arc::from_raw(value)
        }
    }
}

/// A value on loan or counted.
pub enum Found<'p, V> {
    /// On loan.
    Lent(Lent<'p, V>),
    /// Counted.
    Counted(Arc<V>),
}

impl<V> Deref for Found<'_, V> {
    type Target = V;

    #[inline]
    fn deref(&self) -> &V {
        match self {
            Found::Lent(lent) => lent.get(),
            Found::Counted(value) => value,
        }
    }
}

impl<V> Found<'_, V> {
    /// A counted reference.
    #[inline]
    pub fn counted(self) -> Arc<V> {
        match self {
            Found::Lent(lent) => lent.counted(),
            Found::Counted(value) => value,
        }
    }
}

/// A value with no content.
#[cfg(test)]
#[derive(Default)]
pub struct Blank(Mark<Blank>);

#[cfg(test)]
impl Cached for Blank {
    fn mark(&self) -> &Mark<Self> {
        &self.0
    }

    fn content(&self) -> *const u8 {
        ptr::null()
    }
}
