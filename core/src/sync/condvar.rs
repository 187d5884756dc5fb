//! A condition variable whose waiting threads are known to it alone.
//!
//! The one that belongs to the mutexes keeps all waiting threads of the process in one table. A child made by `fork` has that table
//! and none of the threads: its own ones would meet the remains.

use std::time::Duration;

use crate::sync::Sleepers;
use crate::sync::real::{Mutex, MutexGuard};

/// Wakes threads that wait for a change of what a mutex guards. They may also wake without reason.
#[derive(Default)]
pub struct Condvar {
    waiting: Mutex<Sleepers>,
}

/// Whether a wait came to its limit.
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Nobody woke it.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// Nobody waits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes the one that waits longest.
    pub fn notify_one(&self) {
        let first = self.waiting.lock().take_first();
        first.wake();
    }

    /// Wakes all that wait.
    pub fn notify_all(&self) {
        let all = self.waiting.lock().take();
        all.wake();
    }

    /// Lets the mutex go until it is woken.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let sleeper = self.waiting.lock().add();
        MutexGuard::unlocked(guard, || sleeper.sleep());
    }

    /// As [`Condvar::wait`], for about `limit` at most.
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, limit: Duration) -> WaitTimeoutResult {
        let sleeper = self.waiting.lock().add();
        let is_woken = MutexGuard::unlocked(guard, || {
            let is_woken = sleeper.sleep_for(limit);
            if !is_woken {
                self.waiting.lock().remove(&sleeper);
            }
            // It may have been taken out in between.
            is_woken || sleeper.is_woken()
        });
        WaitTimeoutResult(!is_woken)
    }
}
