//! Finds values without a lock: what leads to a value has a slot that names it ("pointer swizzling": V. Leis and others,
//! "LeanStore", 2018).
//!
//! A slot need not name its value: who finds nothing in it asks the shard, which fills it. A slot changes under the lock of
//! the value's shard; readers are pinned, and what leaves the cache is let go only when nobody can see it any more.

// Lends values behind pointers that readers find without a lock.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed};
use std::ops::Deref;
use std::ptr;

use crate::cache::epoch::Pin;
use crate::prefetch::prefetch;
use crate::sync::{Arc, AtomicBool, AtomicPtr, AtomicU32, Mutex, Ordering};

/// What is cached.
pub trait Cached: Send + Sync + Sized {
    /// How it is used and found.
    fn mark(&self) -> &Mark<Self>;
    /// Where its content is, for the processor to fetch ahead.
    fn content(&self) -> *const u8;
    /// Whether hints may lead to its records.
    fn is_leaf(&self) -> bool;
    /// Where its records begin in its content, and above 16 bits how many bytes each takes; 0 if they are not alike.
    fn stride(&self) -> u32;
}

/// Whether a value was used lately, and what leads to it.
pub struct Mark<V> {
    used: AtomicBool,
    /// What hints know it by; 0: they do not.
    hint_id: AtomicU32,
    named_by: Mutex<Option<(Arc<Slots<V>>, usize)>>,
}

impl<V> Default for Mark<V> {
    fn default() -> Self {
        Mark { used: AtomicBool::new(false), hint_id: AtomicU32::new(0), named_by: Mutex::new(None) }
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

    pub(super) fn hint_id(&self) -> u32 {
        self.hint_id.load(Ordering::Relaxed)
    }

    pub(super) fn set_hint_id(&self, id: u32) {
        self.hint_id.store(id, Ordering::Relaxed);
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
    /// As [`Cached::stride`], such a hint too.
    stride: AtomicU32,
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

    /// So many slots, which name nothing, or none if there is no memory for them. They cost little before they are used.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Slots(zeroed(count).unwrap_or_default()))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    fn set(&self, index: usize, value: *const V) {
        if let Some(slot) = self.0.get(index) {
            slot.value.store(value.cast_mut(), Ordering::Release);
        }
    }

    /// Has a slot name nothing.
    pub(super) fn clear(&self, index: usize) {
        self.set(index, ptr::null());
    }

    /// Whether a slot names a value.
    pub(super) fn names(&self, index: usize, value: &V) -> bool {
        self.0.get(index).is_some_and(|slot| ptr::eq(slot.value.load(Ordering::Relaxed), value))
    }

    /// Asks the processor for a slot.
    #[inline]
    pub fn prefetch(&self, index: usize) {
        prefetch(self.0.as_ptr().wrapping_add(index).cast(), 1);
    }

    /// Asks the processor for the value of a slot, for the first line of its content and for one of its records, as far as it is
    /// known where that is.
    #[inline]
    pub fn prefetch_record(&self, index: usize, record: usize, head: Ahead) {
        let Some(slot) = self.0.get(index) else { return };
        let (content, stride) = (slot.content.load(Ordering::Relaxed), slot.stride.load(Ordering::Relaxed));
        let (start, len) = (stride as usize & 0xffff, (stride >> 16) as usize);
        slot.prefetch(slot.value.load(Ordering::Relaxed), head);
        prefetch(content, 1);
        if len > 0 {
            prefetch(content.wrapping_add(start + record * len), len.div_ceil(64).min(3) + 1);
        }
    }

    /// Asks the processor for the value of a slot, and what is wanted first of its content.
    #[inline]
    pub fn prefetch_value(&self, index: usize, ahead: Ahead) {
        if let Some(slot) = self.0.get(index) {
            slot.prefetch(slot.value.load(Ordering::Relaxed), ahead);
        }
    }
}

fn zeroed<V>(count: usize) -> Option<Box<[Slot<V>]>> {
    let layout = Layout::array::<Slot<V>>(count).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the layout has a size; zeros are slots that name nothing; what the global allocator gave for the layout of a
    // slice is for a box of that slice to give back.
    unsafe {
        let slots = alloc_zeroed(layout).cast::<Slot<V>>();
        (!slots.is_null()).then(|| Box::from_raw(ptr::slice_from_raw_parts_mut(slots, count)))
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
    /// The value of a slot, lent while the pin lives; it counts as used by this.
    #[inline]
    pub(super) fn find<'p>(&self, index: usize, _pin: &'p Pin) -> Option<Lent<'p, V>> {
        let value = self.0.get(index)?.value.load(Ordering::Acquire);
        // SAFETY: a value is put here by `put` alone, from a counted reference of the cache. That is let go (`Retired`) only
        // after `unname` and `Hints::strike`, and when all that were pinned by then are no more, or with the cache: so it outlives `_pin`, and
        // `PageCache::find` has the cache outlive that.
        let value = unsafe { value.as_ref() }?;
        value.mark().set_used();
        Some(Lent(value))
    }
}

impl<V: Cached> Slots<V> {
    /// Has a slot name a value that the shard holds. Under the shard's lock; whoever takes the value out of the shard
    /// clears the slot before the value is let go.
    pub(super) fn put(&self, index: usize, value: &Arc<V>) {
        if let Some(slot) = self.0.get(index) {
            slot.content.store(value.content().cast_mut(), Ordering::Relaxed);
            slot.stride.store(value.stride(), Ordering::Relaxed);
            self.set(index, Arc::as_ptr(value));
        }
    }
}

impl<V: Cached> Place<'_, V> {
    /// Names a value that the shard holds, and no other slot of a parent does any more. Under the shard's lock.
    pub(super) fn name(self, value: &Arc<V>) {
        let mark = value.mark();
        mark.unname();
        if self.index < self.slots.0.len() {
            *mark.named_by.lock() = Some((Arc::clone(self.slots), self.index));
            self.slots.put(self.index, value);
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

/// A value with no content, a leaf.
#[cfg(any(test, feature = "internals"))]
#[derive(Default)]
pub struct Marked<T> {
    mark: Mark<Marked<T>>,
    /// What it is known by.
    pub value: T,
}

#[cfg(any(test, feature = "internals"))]
impl<T> Marked<T> {
    /// Of a value.
    pub fn new(value: T) -> Arc<Self> {
        Arc::new(Marked { mark: Mark::default(), value })
    }
}

#[cfg(any(test, feature = "internals"))]
impl<T: Send + Sync> Cached for Marked<T> {
    fn mark(&self) -> &Mark<Self> {
        &self.mark
    }

    fn content(&self) -> *const u8 {
        ptr::null()
    }

    fn is_leaf(&self) -> bool {
        true
    }

    fn stride(&self) -> u32 {
        0
    }
}
