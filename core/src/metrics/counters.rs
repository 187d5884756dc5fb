//! Counters that each thread keeps for itself: an addition is a load and a store, never a locked instruction.

use std::marker::PhantomData;

use crate::metrics::figures::Counter;
use crate::metrics::histogram::Timed;
use crate::metrics::slot::{self, OWN, SHARED};
use crate::sync::{AtomicU64, Ordering};

/// Of so many calls, one is timed.
const SAMPLE_EVERY: u64 = 256;

/// The golden ratio of 2^64: multiples of it fall evenly, and never in step with a caller's own period.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The counters of a database.
pub(super) struct Counters {
    own: Box<[Stripe; OWN]>,
    shared: Box<[Stripe; SHARED]>,
}

/// The cells of one slot, on cache lines of their own.
#[repr(align(128))]
struct Stripe([AtomicU64; Counter::COUNT]);

/// Where the calling thread counts; must not leave the thread.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    cells: &'a [AtomicU64; Counter::COUNT],
    /// No other thread writes here.
    own: bool,
    _not_send: PhantomData<*const ()>,
}

impl Default for Counters {
    fn default() -> Self {
        let zero = |_| Stripe([const { AtomicU64::new(0) }; Counter::COUNT]);
        Counters { own: Box::new(std::array::from_fn(zero)), shared: Box::new(std::array::from_fn(zero)) }
    }
}

impl Counters {
    /// Where the calling thread counts.
    #[inline]
    pub(super) fn place(&self) -> Place<'_> {
        match self.own.get(slot::current()) {
            Some(Stripe(cells)) => Place { cells, own: true, _not_send: PhantomData },
            None => self.other_place(),
        }
    }

    /// Of a thread that has no number yet, or shares one.
    #[cold]
    fn other_place(&self) -> Place<'_> {
        let slot = slot::current_or_new();
        match self.own.get(slot) {
            Some(Stripe(cells)) => Place { cells, own: true, _not_send: PhantomData },
            None => Place { cells: &self.shared[slot % SHARED].0, own: false, _not_send: PhantomData },
        }
    }

    /// The sum over all threads.
    pub(super) fn total(&self, counter: Counter) -> u64 {
        let stripes = self.own.iter().chain(self.shared.iter());
        let cells = stripes.map(|Stripe(cells)| cells[counter as usize].load(Ordering::Relaxed));
        cells.fold(0, u64::wrapping_add)
    }
}

impl Place<'_> {
    /// Counts. An addition of the one thread that writes here needs no locked instruction.
    #[inline]
    pub(super) fn add(self, counter: Counter, count: u64) {
        let cell = &self.cells[counter as usize];
        if self.own {
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
        } else {
            cell.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Whether the call that begins is one of those that are timed: that follows from how many have ended
    /// here. The first one is.
    #[inline]
    pub(super) fn is_sampled(self, what: Timed) -> bool {
        let count = |counter: &Counter| self.cells[*counter as usize].load(Ordering::Relaxed);
        let ended = what.ends_as().iter().map(count).fold(0, u64::wrapping_add);
        ended.wrapping_mul(GOLDEN) <= u64::MAX / SAMPLE_EVERY
    }
}
