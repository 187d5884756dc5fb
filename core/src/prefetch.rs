//! Hints to the processor.

// An intrinsic that takes a raw pointer.
#![allow(unsafe_code)]

/// Asks for `lines` cache lines from `start` on, without waiting. Any address will do.
#[inline]
pub fn prefetch(start: *const u8, lines: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..lines {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint has no effect that a program can see, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(line * 64).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (start, lines);
}
