//! A number for each running thread, so that it can count in memory of its own.

use std::cell::Cell;

use crate::sync::Mutex;

/// Numbers below this belong to one thread at a time.
pub(super) const OWN: usize = 64;
/// Numbers above those, each shared by threads that found none of their own.
pub(super) const SHARED: usize = 16;

/// The thread has not asked yet.
const NONE: usize = usize::MAX;

static POOL: Mutex<Pool> = Mutex::new(Pool { used: 0, returned: Vec::new(), shared: 0 });

struct Pool {
    used: usize,
    returned: Vec<usize>,
    shared: usize,
}

impl Pool {
    fn take(&mut self) -> usize {
        if let Some(slot) = self.returned.pop() {
            return slot;
        }
        if self.used < OWN {
            self.used += 1;
            return self.used - 1;
        }
        self.shared += 1;
        OWN + self.shared % SHARED
    }
}

thread_local! {
    /// Without a destructor, so that it can be read to the thread's very end.
    static SLOT: Cell<usize> = const { Cell::new(NONE) };
    static LEASE: Lease = const { Lease(Cell::new(NONE)) };
}

/// Gives the number back when the thread ends.
struct Lease(Cell<usize>);

impl Drop for Lease {
    fn drop(&mut self) {
        // Destructors that run after this one share a number with others.
        let _ = SLOT.try_with(|slot| slot.set(OWN));
        if self.0.get() < OWN {
            // The lock hands what was counted over to the next thread with this number.
            POOL.lock().returned.push(self.0.get());
        }
    }
}

/// The number of the calling thread; none of those [`OWN`] before it was given one.
#[inline]
pub(super) fn current() -> usize {
    SLOT.try_with(Cell::get).unwrap_or(OWN)
}

/// The number of the calling thread, which gets one if it has none.
pub(super) fn current_or_new() -> usize {
    let slot = current();
    if slot != NONE {
        return slot;
    }
    let take = |lease: &Lease| {
        lease.0.set(POOL.lock().take());
        lease.0.get()
    };
    let slot = LEASE.try_with(take).unwrap_or(OWN);
    let _ = SLOT.try_with(|own| own.set(slot));
    slot
}
