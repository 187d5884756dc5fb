//! Zeroed words that cost no memory before they are written, and whose memory can be given back.

// Atomic words over mapped memory, and giving it back, which changes what it holds.
#![allow(unsafe_code)]

use std::ops::Range;
use std::slice;

use memmap2::{MmapOptions, MmapRaw};

use crate::base::error::Result;
use crate::base::memory;
use crate::sync::AtomicU64;

/// Bytes of words that are kept in huge pages.
const LARGE: usize = 56 << 20;
/// Bytes of a huge page.
const HUGE_PAGE: usize = 2 << 20;

/// Words that start at a page of memory.
#[derive(Default)]
pub(super) struct Words {
    /// `None` if there are no words.
    map: Option<MmapRaw>,
    len: usize,
}

impl Words {
    /// Whether memory can be given back here at all.
    pub(super) const GIVES_BACK: bool = cfg!(unix);

    /// `len` zeros. Errors: `OutOfMemory`.
    pub(super) fn zeroed(len: usize) -> Result<Self> {
        Self::in_huge_pages(len, LARGE)
    }

    /// As [`Words::zeroed`], for words that are used all over.
    pub(super) fn scattered(len: usize) -> Result<Self> {
        Self::in_huge_pages(len, HUGE_PAGE)
    }

    /// From so many bytes on.
    fn in_huge_pages(len: usize, large: usize) -> Result<Self> {
        let bytes = len.checked_mul(size_of::<AtomicU64>()).ok_or_else(|| memory::short_of(usize::MAX))?;
        if bytes == 0 {
            return Ok(Words { map: None, len: 0 });
        }
        let map = MmapOptions::new().len(bytes).no_reserve_swap().map_anon();
        let map = map.map_err(|_| memory::short_of(bytes))?;
        let map = MmapRaw::from(map);
        // A hint, for fewer translations of addresses; up to a huge page more than is used may then take memory.
        #[cfg(target_os = "linux")]
        if bytes >= large {
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = large;
        Ok(Words { map: Some(map), len })
    }

    /// The words in groups of `N`.
    #[inline]
    pub(super) fn groups<const N: usize>(&self) -> &[[AtomicU64; N]] {
        let Some(map) = &self.map else { return &[] };
        // SAFETY: the map lives as long as `self`, has so many bytes, starts at a page, and is reached through these
        // words alone; any eight bytes are an `AtomicU64`.
        unsafe { slice::from_raw_parts(map.as_ptr().cast::<[AtomicU64; N]>(), self.len / N) }
    }

    /// Gives the memory of a range back, which must lie at pages of memory; its words are then zeros or what they
    /// were. `false`: it stays.
    pub(super) fn give_back(&self, range: Range<usize>) -> bool {
        let word = size_of::<AtomicU64>();
        let (Some(map), true) = (&self.map, range.end <= self.len) else { return false };
        #[cfg(unix)]
        // SAFETY: the words are atomics, of which any value is one, and no reference to something else is in them.
        unsafe {
            let (advice, len) = (memmap2::UncheckedAdvice::DontNeed, range.len() * word);
            map.unchecked_advise_range(advice, range.start * word, len).is_ok()
        }
        #[cfg(not(unix))]
        {
            let _ = (map, word);
            false
        }
    }
}
