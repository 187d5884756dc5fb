//! Epochs: when nobody can see any more what was unlinked.
//!
//! A thread that follows pointers without a lock is pinned: a cell of its own holds the epoch that it saw. Who has unlinked a
//! value notes the epoch too. The epoch moves on only while all pinned threads have seen the present one, so two
//! epochs later none that may have found the value is still pinned (K. Fraser, "Practical lock-freedom", 2004).

use std::cell::Cell;
use std::marker::PhantomData;

use crate::sync::{AtomicU64, AtomicUsize, Numbers, Ordering, compiler_fence, fence, undivided};

/// Threads that can be pinned at once; others take locks.
pub(super) const CELLS: usize = 64 * CELL_WORDS;
const CELL_WORDS: usize = 2;
/// Epochs until what was unlinked is free.
const GRACE: u64 = 2;

/// The thread has not asked for a cell yet.
const UNASKED: usize = usize::MAX;
/// There was none for it.
const NONE: usize = usize::MAX - 1;

/// What a thread is pinned to, 0 if it is not; on cache lines of its own.
#[repr(align(128))]
struct Pinned(AtomicU64);

static EPOCH: AtomicU64 = AtomicU64::new(1);
static PINNED: [Pinned; CELLS] = [const { Pinned(AtomicU64::new(0)) }; CELLS];
/// Cells from here on were never used.
static USED: AtomicUsize = AtomicUsize::new(0);
/// Cells that a thread has.
static TAKEN: Numbers<CELL_WORDS> = Numbers::new();

thread_local! {
    /// Without a destructor, so that it can be read to the thread's very end.
    static OWN: Own = const { Own { cell: Cell::new(UNASKED), depth: Cell::new(0) } };
    static LEASE: Lease = const { Lease(Cell::new(NONE)) };
}

struct Own {
    cell: Cell<usize>,
    /// Pins at once.
    depth: Cell<usize>,
}

/// Gives the cell back when the thread ends.
struct Lease(Cell<usize>);

impl Drop for Lease {
    fn drop(&mut self) {
        let pins = OWN.try_with(|own| {
            own.cell.set(NONE);
            own.depth.get()
        });
        if self.0.get() < CELLS && pins == Ok(0) {
            TAKEN.give_back(self.0.get());
        }
    }
}

/// While it lives, nothing that this thread finds is freed.
pub struct Pin {
    cell: usize,
    _not_send: PhantomData<*const ()>,
}

impl Pin {
    /// The number of the thread's cell, below [`CELLS`]; no other thread has it.
    #[inline]
    pub(super) fn cell(&self) -> usize {
        self.cell
    }
}

impl Drop for Pin {
    #[inline]
    fn drop(&mut self) {
        let unpin = |own: &Own| {
            own.depth.set(own.depth.get() - 1);
            if own.depth.get() == 0 {
                PINNED[self.cell].0.store(0, Ordering::Release);
            }
        };
        let _ = OWN.try_with(|own| undivided(|| unpin(own)));
    }
}

/// Pins the calling thread. `None`: it has no cell.
#[inline]
pub fn pin() -> Option<Pin> {
    OWN.try_with(|own| {
        let mut cell = own.cell.get();
        if cell >= CELLS {
            cell = ask(own)?;
        }
        undivided(|| {
            if own.depth.get() == 0 {
                publish(&PINNED[cell].0);
            }
            own.depth.set(own.depth.get() + 1);
        });
        Some(Pin { cell, _not_send: PhantomData })
    })
    .ok()
    .flatten()
}

/// Whether the calling thread is pinned.
pub(super) fn is_pinned() -> bool {
    OWN.try_with(|own| own.depth.get() > 0).unwrap_or(false)
}

/// The store is seen by who looks behind a full fence, before this thread loads anything.
#[inline]
fn publish(cell: &AtomicU64) {
    let epoch = EPOCH.load(Ordering::Relaxed);
    if cfg!(target_arch = "x86_64") {
        // A locked instruction is a full fence there, and faster than the one for that purpose.
        cell.swap(epoch, Ordering::SeqCst);
        compiler_fence(Ordering::SeqCst);
    } else {
        cell.store(epoch, Ordering::Release);
        fence(Ordering::SeqCst);
    }
}

#[cold]
fn ask(own: &Own) -> Option<usize> {
    if own.cell.get() == NONE {
        return None;
    }
    let take = |lease: &Lease| {
        let cell = TAKEN.take();
        if let Some(cell) = cell {
            USED.fetch_max(cell + 1, Ordering::SeqCst);
        }
        lease.0.set(cell.unwrap_or(NONE));
        cell
    };
    let cell = LEASE.try_with(take).ok().flatten();
    own.cell.set(cell.unwrap_or(NONE));
    cell
}

/// The epoch to note for what was just unlinked.
pub(super) fn of_unlinked() -> u64 {
    fence(Ordering::SeqCst);
    EPOCH.load(Ordering::Relaxed)
}

/// Whether what was unlinked in `epoch` is free at `now`.
pub(super) fn is_free(epoch: u64, now: u64) -> bool {
    now >= epoch + GRACE
}

/// Moves the epoch on as far as what is unlinked now needs, if the pinned threads allow it. The present epoch.
pub(super) fn advance() -> u64 {
    for _ in 0..GRACE {
        let epoch = EPOCH.load(Ordering::Acquire);
        fence(Ordering::SeqCst);
        let used = USED.load(Ordering::SeqCst);
        let is_behind = |pinned: u64| pinned != 0 && pinned != epoch;
        if PINNED.iter().take(used).any(|Pinned(cell)| is_behind(cell.load(Ordering::Relaxed))) {
            return epoch;
        }
        fence(Ordering::Acquire);
        // Whoever else was faster has looked at the same cells.
        let _ = EPOCH.compare_exchange(epoch, epoch + 1, Ordering::AcqRel, Ordering::Acquire);
    }
    EPOCH.load(Ordering::Acquire)
}

/// In a child made by `fork`, before anything else: the pins and cells of threads that it does not have are nobody's.
#[cfg(unix)]
pub fn forget_other_threads() {
    let own = OWN.try_with(|own| own.cell.get()).unwrap_or(NONE);
    for (_, Pinned(cell)) in PINNED.iter().enumerate().filter(|(cell, _)| *cell != own) {
        cell.store(0, Ordering::Relaxed);
    }
    TAKEN.keep_only(own);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other tests of the process pin too, but never for long.
    fn free_in_the_end(epoch: u64) -> bool {
        (0..1_000_000).any(|_| {
            std::thread::yield_now();
            is_free(epoch, advance())
        })
    }

    #[test]
    fn what_a_pinned_thread_may_see_is_not_free() {
        let outer = pin().unwrap();
        let inner = pin().unwrap();
        let epoch = of_unlinked();
        drop(outer);
        (0..1000).for_each(|_| assert!(!is_free(epoch, advance())));
        assert!(is_pinned());
        drop(inner);
        assert!(!is_pinned() && free_in_the_end(epoch));
    }

    #[test]
    fn a_thread_that_ends_gives_its_cell_to_another() {
        let cell = || std::thread::spawn(|| pin().map(|pin| pin.cell())).join().unwrap();
        let cells: std::collections::HashSet<_> = (0..1000).filter_map(|_| cell()).collect();
        assert!(!cells.is_empty() && cells.len() < CELLS);
    }

    /// A database of the child kept every page that it evicted.
    #[cfg(unix)]
    #[test]
    fn a_child_waits_for_no_thread_of_its_parent() {
        use crate::vfs::{in_child, watched_forks};
        watched_forks();
        let (mine, pins) = (pin().unwrap(), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _other = pin().unwrap();
                pins.wait();
                pins.wait();
            });
            pins.wait();
            let ended = in_child(|| {
                let epoch = of_unlinked();
                let is_kept = (0..10).all(|_| !is_free(epoch, advance()));
                drop(mine);
                is_kept && (0..10).any(|_| is_free(epoch, advance()))
            });
            pins.wait();
            assert_eq!(ended, Some(0));
        });
    }
}
