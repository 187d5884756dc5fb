//! Locks and atomics of a build that tries out schedules: in a model, each use may hand over to another thread.
//!
//! They are the ones of every other build, with a step of the scheduler in front; outside of a model they do what
//! those do. All threads of a model take turns on one, so what is tried is the order of steps, not that of memory.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::atomic::{self, Ordering};
use std::time::Duration;

pub use parking_lot::MutexGuard;

/// What is waited for with a limit comes after so many turns of the others, or not at all.
const TURNS: usize = 8;

thread_local! {
    /// A use of it is a step. The threads of one model are all on one thread of the system.
    static STEPS: shuttle::sync::atomic::AtomicBool = const { shuttle::sync::atomic::AtomicBool::new(false) };
}

fn is_in_model() -> bool {
    shuttle::current::try_get_current_task().is_some()
}

thread_local! {
    static UNDIVIDED: Cell<bool> = const { Cell::new(false) };
}

/// No other thread goes on meanwhile: for what a thread of the system has for itself, and the threads of a model share.
pub fn undivided<R>(work: impl FnOnce() -> R) -> R {
    let outer = UNDIVIDED.replace(true);
    let result = work();
    UNDIVIDED.set(outer);
    result
}

/// Any thread may be the next one to go on.
fn step() {
    if !UNDIVIDED.get() && is_in_model() {
        STEPS.with(|steps| steps.load(Ordering::SeqCst));
    }
}

/// As [`step`], by one that cannot go on before another has.
pub fn yield_now() {
    if is_in_model() { shuttle::thread::yield_now() } else { std::thread::yield_now() }
}

/// As [`yield_now`].
pub fn spin_loop() {
    yield_now();
}

/// A mutex that is waited for by trying.
#[derive(Debug, Default)]
pub struct Mutex<T>(parking_lot::Mutex<T>);

impl<T> Mutex<T> {
    pub const fn new(value: T) -> Self {
        Mutex(parking_lot::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        if !is_in_model() {
            return self.0.lock();
        }
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            yield_now();
        }
    }

    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        step();
        self.0.try_lock()
    }

    pub fn try_lock_for(&self, limit: Duration) -> Option<MutexGuard<'_, T>> {
        if !is_in_model() {
            return self.0.try_lock_for(limit);
        }
        (0..TURNS).find_map(|_| self.try_lock())
    }

    pub fn is_locked(&self) -> bool {
        step();
        self.0.is_locked()
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

/// A condition variable: each notification wakes all that wait.
#[derive(Debug, Default)]
pub struct Condvar {
    notified: atomic::AtomicU64,
    outside: parking_lot::Condvar,
}

/// Whether a wait came to its limit.
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    pub const fn new() -> Self {
        Condvar { notified: atomic::AtomicU64::new(0), outside: parking_lot::Condvar::new() }
    }

    pub fn notify_one(&self) {
        self.notify_all();
    }

    pub fn notify_all(&self) {
        self.notified.fetch_add(1, Ordering::SeqCst);
        self.outside.notify_all();
    }

    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        match is_in_model() {
            true => drop(self.wait_turns(guard, usize::MAX)),
            false => self.outside.wait(guard),
        }
    }

    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, limit: Duration) -> WaitTimeoutResult {
        match is_in_model() {
            true => self.wait_turns(guard, TURNS),
            false => WaitTimeoutResult(self.outside.wait_for(guard, limit).timed_out()),
        }
    }

    /// The lock is taken again in the turn in which it was seen to be free.
    fn wait_turns<T>(&self, guard: &mut MutexGuard<'_, T>, turns: usize) -> WaitTimeoutResult {
        let before = self.notified.load(Ordering::SeqCst);
        let mutex = MutexGuard::mutex(guard);
        let is_woken = || self.notified.load(Ordering::SeqCst) != before;
        let wait = || {
            let mut turn = 0;
            while mutex.is_locked() || (!is_woken() && turn < turns) {
                turn = turn.saturating_add(1);
                yield_now();
            }
        };
        MutexGuard::unlocked(guard, wait);
        WaitTimeoutResult(!is_woken())
    }
}

/// An atomic with the layout of the other builds, so that memory that is laid out by hand holds it too.
macro_rules! atomics {
    ($($name:ident $(<$parameter:ident>)? = $inner:ty, $value:ty;)*) => { $(
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct $name $(<$parameter>)? ($inner);

        impl $(<$parameter>)? $name $(<$parameter>)? {
            pub const fn new(value: $value) -> Self {
                $name(<$inner>::new(value))
            }
        }

        impl $(<$parameter>)? Default for $name $(<$parameter>)? {
            fn default() -> Self {
                $name(<$inner>::default())
            }
        }

        impl $(<$parameter>)? Deref for $name $(<$parameter>)? {
            type Target = $inner;

            /// Every call of the atomic goes through here.
            fn deref(&self) -> &$inner {
                step();
                &self.0
            }
        }
    )* };
}

atomics! {
    AtomicBool = atomic::AtomicBool, bool;
    AtomicPtr<T> = atomic::AtomicPtr<T>, *mut T;
    AtomicU8 = atomic::AtomicU8, u8;
    AtomicU32 = atomic::AtomicU32, u32;
    AtomicU64 = atomic::AtomicU64, u64;
    AtomicUsize = atomic::AtomicUsize, usize;
}

impl From<bool> for AtomicBool {
    fn from(value: bool) -> Self {
        Self::new(value)
    }
}

/// A thread that sleeps until another has woken it: it looks at each turn.
pub struct Thread;

pub fn current() -> Thread {
    Thread
}

impl Thread {
    pub fn unpark(&self) {
        step();
    }
}

pub fn park() {
    yield_now();
}

pub fn park_until(done: impl Fn() -> bool, _limit: Duration) {
    let _ = (0..TURNS).any(|_| {
        yield_now();
        done()
    });
}
