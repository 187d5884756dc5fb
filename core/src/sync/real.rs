//! Locks and atomics of every build that is used.

pub use parking_lot::{Mutex, MutexGuard};
pub use std::hint::spin_loop;
pub use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
pub use std::thread::{Thread, current, park, park_timeout, yield_now};

/// What a thread has for itself is its own here.
#[inline]
pub fn undivided<R>(work: impl FnOnce() -> R) -> R {
    work()
}
