//! A number for each running thread, so that it can count in memory of its own.

use std::cell::Cell;

use crate::sync::{AtomicUsize, Numbers, Ordering};

/// Numbers below this belong to one thread at a time.
pub(super) const OWN: usize = 64;
/// Numbers above those, each shared by threads that found none of their own.
pub(super) const SHARED: usize = 16;

/// The thread has not asked yet.
const NONE: usize = usize::MAX;

static TAKEN: Numbers<{ OWN / 64 }> = Numbers::new();
/// Threads that found none of their own.
static SHARERS: AtomicUsize = AtomicUsize::new(0);

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
            // This hands what was counted over to the next thread with this number.
            TAKEN.give_back(self.0.get());
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
        let shared = || OWN + SHARERS.fetch_add(1, Ordering::Relaxed) % SHARED;
        lease.0.set(TAKEN.take().unwrap_or_else(shared));
        lease.0.get()
    };
    let slot = LEASE.try_with(take).unwrap_or(OWN);
    let _ = SLOT.try_with(|own| own.set(slot));
    slot
}
