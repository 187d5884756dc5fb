//! Locks and atomics, from one place, so that those of a model can take their stead: `core/tests/races.rs` tries out
//! schedules of a whole engine in a build with the feature `races`.

#[cfg(not(feature = "races"))]
mod condvar;
#[cfg(feature = "races")]
mod model;
mod numbers;
#[cfg(not(feature = "races"))]
mod real;

pub use std::sync::atomic::{Ordering, compiler_fence, fence};
pub use std::sync::{Arc, Weak};

#[cfg(not(feature = "races"))]
pub use condvar::Condvar;
#[cfg(feature = "races")]
pub use model::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard,
    spin_loop, undivided, yield_now,
};
#[cfg(feature = "races")]
use model::{Thread, current, park, park_until};
pub use numbers::Numbers;
#[cfg(not(feature = "races"))]
pub use real::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Mutex, MutexGuard, spin_loop,
    undivided, yield_now,
};
#[cfg(not(feature = "races"))]
use real::{Thread, current, park, park_until};

use std::time::Duration;

/// So often is looked whether another thread is done before a thread goes to sleep: `count` times in a build that is used.
pub const fn looks(count: usize) -> usize {
    if cfg!(feature = "races") { 2 } else { count }
}

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
        let is_woken = *pending || !self.changed.wait_for(&mut pending, limit).timed_out();
        // It may have come behind the limit, before the lock was had again.
        std::mem::take(&mut *pending) || is_woken
    }
}

/// Threads that sleep until the same event. Whoever brings it about wakes them one right behind the other; none needs a
/// lock to go on.
#[derive(Default)]
pub struct Sleepers(Vec<Arc<Sleeper>>);

/// A thread among [`Sleepers`].
pub struct Sleeper {
    thread: Thread,
    woken: AtomicBool,
}

impl Sleepers {
    /// Adds the calling thread, which is going to sleep.
    pub fn add(&mut self) -> Arc<Sleeper> {
        let sleeper = Arc::new(Sleeper { thread: current(), woken: AtomicBool::new(false) });
        self.0.push(Arc::clone(&sleeper));
        sleeper
    }

    /// Takes out one that has not been woken.
    pub fn remove(&mut self, sleeper: &Arc<Sleeper>) {
        self.0.retain(|other| !Arc::ptr_eq(other, sleeper));
    }

    /// Whether nobody sleeps.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the first one out, if there is one.
    #[cfg(not(feature = "races"))]
    pub fn take_first(&mut self) -> Sleepers {
        Sleepers(self.0.drain(..self.0.len().min(1)).collect())
    }

    /// Takes all out.
    pub fn take(&mut self) -> Sleepers {
        std::mem::take(self)
    }

    /// Wakes them, in the order in which they came.
    pub fn wake(self) {
        for sleeper in self.0 {
            sleeper.woken.store(true, Ordering::Release);
            sleeper.thread.unpark();
        }
    }
}

impl Sleeper {
    /// Whether it was woken.
    pub fn is_woken(&self) -> bool {
        self.woken.load(Ordering::Acquire)
    }

    /// Until it is woken, which is `true`. Only for the thread that was added.
    pub fn sleep(&self) -> bool {
        while !self.is_woken() {
            park();
        }
        true
    }

    /// As [`Sleeper::sleep`], for about `limit` at most. `false`: it was not woken.
    pub fn sleep_for(&self, limit: Duration) -> bool {
        park_until(|| self.is_woken(), limit);
        self.is_woken()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_sleep_are_woken_and_nobody_else() {
        let (sleepers, woken) = (Mutex::new(Sleepers::default()), AtomicUsize::new(0));
        let mut late = Sleepers::default();
        std::thread::scope(|scope| {
            for nth in 0..6 {
                let (sleepers, woken) = (&sleepers, &woken);
                scope.spawn(move || {
                    let sleeper = sleepers.lock().add();
                    if nth % 2 == 0 {
                        assert!(sleeper.sleep());
                    } else {
                        while !sleeper.sleep_for(Duration::from_micros(1)) {}
                    }
                    woken.fetch_add(1, Ordering::Relaxed);
                });
            }
            while sleepers.lock().0.len() < 6 {
                yield_now();
            }
            assert!(!late.add().sleep_for(Duration::from_millis(1)));
            assert_eq!(woken.load(Ordering::Relaxed), 0);
            let all = sleepers.lock().take();
            assert!(sleepers.lock().0.is_empty());
            all.wake();
        });
        assert_eq!(woken.load(Ordering::Relaxed), 6);
    }

    #[test]
    fn a_condition_wakes_one_or_all_and_gives_up_in_time() {
        let (mutex, changed, woken) = (Mutex::new(0), Condvar::new(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut turn = mutex.lock();
                    while *turn == 0 {
                        changed.wait(&mut turn);
                    }
                    *turn -= 1;
                    woken.fetch_add(1, Ordering::Relaxed);
                });
            }
            let mut turn = mutex.lock();
            let limit = Duration::from_millis(1);
            assert!(changed.wait_for(&mut turn, limit).timed_out());
            *turn = 1;
            drop(turn);
            while woken.load(Ordering::Relaxed) < 1 {
                changed.notify_one();
                yield_now();
            }
            *mutex.lock() = 3;
            changed.notify_all();
            while woken.load(Ordering::Relaxed) < 4 {
                changed.notify_one();
                yield_now();
            }
        });
    }

    #[test]
    fn a_notification_that_comes_at_the_limit_is_not_lost() {
        let (signal, limit) = (Signal::default(), Duration::from_millis(20));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| signal.wait(limit));
            std::thread::sleep(limit / 2);
            let mut pending = signal.pending.lock();
            std::thread::sleep(limit);
            *pending = true;
            drop(pending);
            assert!(waiting.join().unwrap() || signal.wait(Duration::ZERO));
        });
    }

    /// A write that waited for room gave up before its time.
    #[test]
    fn a_thread_that_was_unparked_for_something_else_sleeps_on() {
        let (mutex, changed) = (Mutex::new(false), Condvar::new());
        std::thread::scope(|scope| {
            std::thread::current().unpark();
            let mut done = mutex.lock();
            scope.spawn(|| {
                *mutex.lock() = true;
                changed.notify_one();
            });
            assert!(!changed.wait_for(&mut done, Duration::MAX).timed_out() && *done);
        });
    }

    #[test]
    fn who_was_woken_before_it_slept_does_not_sleep() {
        let mut sleepers = Sleepers::default();
        let (first, second) = (sleepers.add(), sleepers.add());
        sleepers.remove(&first);
        sleepers.take().wake();
        assert!(second.sleep() && second.sleep_for(Duration::ZERO));
        assert!(!first.is_woken() && !first.sleep_for(Duration::ZERO));
    }
}
