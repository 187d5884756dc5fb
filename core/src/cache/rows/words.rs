//! Zeroed words that cost no memory before they are written.

// The standard library has no way to ask for a zeroed slice that may fail.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed};
use std::ptr::slice_from_raw_parts_mut;

use crate::base::error::Result;
use crate::base::memory;
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
    /// `len` zeros. Errors: `OutOfMemory`.
    pub(super) fn zeroed(len: usize) -> Result<Self> {
        let count = len + LINE;
        let layout = Layout::array::<AtomicU64>(count).map_err(|_| memory::short_of(usize::MAX))?;
        // SAFETY: the layout has a size, since a line is more than nothing.
        let start = unsafe { alloc_zeroed(layout) }.cast::<AtomicU64>();
        if start.is_null() {
            return Err(memory::short_of(layout.size()));
        }
        // SAFETY: allocated with the layout of such a slice, which the box gives back; eight zero bytes are an
        // `AtomicU64` of 0.
        let all = unsafe { Box::from_raw(slice_from_raw_parts_mut(start, count)) };
        let start = (all.as_ptr() as usize / size_of::<u64>()).wrapping_neg() % LINE;
        Ok(Words { all, start, len })
    }

    /// The words in groups of `N`.
    #[inline]
    pub(super) fn groups<const N: usize>(&self) -> &[[AtomicU64; N]] {
        self.all.get(self.start..self.start + self.len).unwrap_or_default().as_chunks().0
    }
}
