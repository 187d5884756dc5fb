//! Zeroed words that cost no memory before they are written.

// The standard library has no safe way to ask for a zeroed slice of atomics.
#![allow(unsafe_code)]

use crate::sync::AtomicU64;

/// Words of a cache line.
const LINE: usize = 8;

/// Words that start at a cache line.
pub(super) struct Words {
    all: Box<[AtomicU64]>,
    start: usize,
    len: usize,
}

impl Words {
    /// `len` zeros.
    pub(super) fn zeroed(len: usize) -> Self {
        let all = Box::<[AtomicU64]>::new_zeroed_slice(len + LINE);
        // SAFETY: an `AtomicU64` of eight zero bytes is 0.
        let all = unsafe { all.assume_init() };
        let start = (all.as_ptr() as usize / size_of::<u64>()).wrapping_neg() % LINE;
        Words { all, start, len }
    }

    /// The words in groups of `N`.
    #[inline]
    pub(super) fn groups<const N: usize>(&self) -> &[[AtomicU64; N]] {
        self.all.get(self.start..self.start + self.len).unwrap_or_default().as_chunks().0
    }
}
