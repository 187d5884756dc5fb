//! Who gives way when bytes are short: two numbers that learn from ghosts.
//!
//! A ghost is the key of something that was evicted: finding one says that with its bytes more, a miss would have
//! been a hit. ARC (Megiddo and Modha, FAST 2003) moves its target for pages used once by such finds, and so do we. The
//! second target, for bytes of rows, moves in the same way between rows and pages: ghosts of bytes `G` that were found `H` times say that
//! one byte more earns `H / G`. So a find moves the target against one of the other side as the bytes that their ghosts stand for, other to
//! own; where both sides earn the same, the target stays.
//!
//! A row whose page is in memory is found almost as fast without the row: its ghost counts `MEMORY_DISCOUNT` times less
//! than one whose page had to be read. That keeps rows small where all pages fit, and lets them grow where a few hot rows each
//! would hold a page.

use crate::cache::shard::{List, Totals};
use crate::sync::{AtomicUsize, Ordering::Relaxed};

/// A read from the disk costs so many walks through pages in memory.
const MEMORY_DISCOUNT: usize = 16;
/// Finds of ghosts that move the rows from nothing to everything.
const STEPS: usize = 4096;
/// Bounds of the correction for ghosts of unequal bytes.
const MAX_RATIO: u128 = 8;

/// The sums over all shards, and the targets.
pub(super) struct Balance {
    pub(super) capacity: usize,
    bytes: [AtomicUsize; 2],
    /// Bytes that the entries of ghosts would take.
    lost: [AtomicUsize; 2],
    /// Bytes of memory of ghosts.
    ghosts: AtomicUsize,
    high: AtomicUsize,
    /// Bytes that `Recent` may keep (`p` of ARC).
    recent_target: AtomicUsize,
    /// Bytes lent to rows.
    rows: AtomicUsize,
    rows_target: AtomicUsize,
}

impl Balance {
    pub(super) fn new(capacity: usize) -> Self {
        Balance {
            capacity,
            bytes: Default::default(),
            lost: Default::default(),
            ghosts: AtomicUsize::new(0),
            high: AtomicUsize::new(0),
            recent_target: AtomicUsize::new(0),
            rows: AtomicUsize::new(0),
            rows_target: AtomicUsize::new(capacity / 4),
        }
    }

    /// Notes how a shard has changed.
    pub(super) fn note(&self, before: &Totals, after: &Totals) {
        let add = |to: &AtomicUsize, before: usize, after: usize| {
            if before != after {
                to.fetch_add(after.wrapping_sub(before), Relaxed);
            }
        };
        for list in [List::Recent as usize, List::Frequent as usize] {
            add(&self.bytes[list], before.bytes[list], after.bytes[list]);
            add(&self.lost[list], before.lost[list], after.lost[list]);
        }
        add(&self.ghosts, before.ghosts, after.ghosts);
        add(&self.high, before.high, after.high);
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            bytes: std::array::from_fn(|list| sum_of(&self.bytes[list])),
            lost: std::array::from_fn(|list| sum_of(&self.lost[list])),
            ghosts: sum_of(&self.ghosts),
            high: sum_of(&self.high),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.load(Relaxed)
    }

    pub(super) fn rows_target(&self) -> usize {
        self.rows_target.load(Relaxed)
    }

    pub(super) fn rows_have_taken(&self, bytes: usize) {
        self.rows.fetch_add(bytes, Relaxed);
    }

    pub(super) fn rows_have_given(&self, bytes: usize) {
        self.rows.fetch_sub(bytes, Relaxed);
    }

    /// The clock whose hand moves: REPLACE of ARC.
    pub(super) fn victim(&self) -> List {
        match sum_of(&self.bytes[List::Recent as usize]) > self.recent_target.load(Relaxed) {
            true => List::Recent,
            false => List::Frequent,
        }
    }

    /// The list that has to lose a ghost, if there are too many. As in ARC, what was used once and its ghosts stand for at
    /// most the capacity, and so do all ghosts; also, their memory is at most a sixteenth of it.
    pub(super) fn excess(&self) -> Option<List> {
        let (recent, frequent) = self.lost();
        let used_once = sum_of(&self.bytes[List::Recent as usize]) + recent;
        if recent > 0 && used_once > self.capacity {
            return Some(List::Recent);
        }
        if recent + frequent > self.capacity {
            return Some(if frequent > 0 { List::Frequent } else { List::Recent });
        }
        let too_many = sum_of(&self.ghosts) > self.capacity / 16;
        too_many.then_some(if recent > frequent { List::Recent } else { List::Frequent })
    }

    /// A page was read that would have been here with a little more memory.
    pub(super) fn ghost_of_page(&self, list: List, weight: usize) {
        let (recent, frequent) = self.lost();
        let ratio = |other: usize, own: usize| (other / own.max(1)).max(1);
        match list {
            List::Recent => {
                let step = weight.saturating_mul(ratio(frequent, recent));
                rise(&self.recent_target, step, self.capacity);
            }
            List::Frequent => fall(&self.recent_target, weight.saturating_mul(ratio(recent, frequent))),
        }
        fall(&self.rows_target, scaled(self.step(), self.rows_lost(), recent + frequent));
    }

    /// A row was looked for that would have been here with a little more memory.
    pub(super) fn ghost_of_row(&self, from_disk: bool, most: usize) {
        let (recent, frequent) = self.lost();
        let step = scaled(self.step(), recent + frequent, self.rows_lost());
        rise(&self.rows_target, if from_disk { step } else { step / MEMORY_DISCOUNT }, most);
    }

    /// Bytes that the rows of ghosts would take: a bucket remembers twice the rows that it has.
    fn rows_lost(&self) -> usize {
        2 * self.rows()
    }

    fn step(&self) -> usize {
        self.capacity / STEPS
    }

    fn lost(&self) -> (usize, usize) {
        (sum_of(&self.lost[0]), sum_of(&self.lost[1]))
    }
}

/// A sum over shards. Two changes of a shard may be noted in the other order: for that moment it is below 0.
fn sum_of(noted: &AtomicUsize) -> usize {
    usize::try_from(noted.load(Relaxed) as isize).unwrap_or(0)
}

/// How far a find moves the target: against a find of the other side as the bytes that their ghosts stand for, other to own.
fn scaled(step: usize, other: usize, own: usize) -> usize {
    let (other, own) = (other.max(1) as u128, own.max(1) as u128);
    let wider = step as u128 * (other.max(own) / other.min(own)).min(MAX_RATIO);
    (if other > own { wider } else { wider * other / own }) as usize
}

fn rise(target: &AtomicUsize, step: usize, most: usize) {
    let _ = target.fetch_update(Relaxed, Relaxed, |now| Some(now.saturating_add(step).min(most)));
}

fn fall(target: &AtomicUsize, step: usize) {
    let _ = target.fetch_update(Relaxed, Relaxed, |now| Some(now.saturating_sub(step)));
}
