//! Locks and atomics, from one place, so that a model checker can take their stead.

pub use parking_lot::{Condvar, Mutex, MutexGuard};
pub use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence,
};
pub use std::sync::{Arc, Weak};
pub use std::thread::yield_now;

use std::time::Duration;

/// Wakes a background thread. A notification that comes while nobody waits is kept.
#[derive(Default)]
pub struct Signal {
    pending: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// Wakes all that wait, or the next one to wait.
    pub fn notify(&self) {
        *self.pending.lock() = true;
        self.changed.notify_all();
    }

    /// Waits for a notification, at most `limit`. `false`: none came.
    pub fn wait(&self, limit: Duration) -> bool {
        let mut pending = self.pending.lock();
        let woken = *pending || !self.changed.wait_for(&mut pending, limit).timed_out();
        *pending = false;
        woken
    }
}
