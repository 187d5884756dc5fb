//! Locks and atomics of every build that is used.

pub use parking_lot::{Mutex, MutexGuard};
pub use std::hint::spin_loop;
pub use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
pub use std::thread::{Thread, current, park, yield_now};
use std::time::{Duration, Instant};

/// Parks until `done`, or for about `limit`. Parking may end at once, when the thread was unparked for something that it did not wait for.
pub fn park_until(done: impl Fn() -> bool, limit: Duration) {
    let began = Instant::now();
    while !done() {
        let left = limit.saturating_sub(began.elapsed());
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}

/// What a thread has for itself is its own here.
#[inline]
pub fn undivided<R>(work: impl FnOnce() -> R) -> R {
    work()
}
