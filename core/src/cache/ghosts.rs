//! What is remembered of entries that were evicted: a hash and a weight each, in the order in which they left.

use std::collections::VecDeque;

use crate::cache::index::Index;

/// The keys of one clock's evicted entries, known by 32 bits of their hash. Two keys with the same bits are
/// taken for one, which moves a target by a step and no more.
#[derive(Default)]
pub(super) struct Ghosts {
    /// From old to new; a weight of 0: it was found, and is gone.
    ring: VecDeque<Ghost>,
    /// Number of the oldest; numbers go on and wrap.
    first: u32,
    index: Index,
    bytes: usize,
}

#[derive(Clone, Copy)]
struct Ghost {
    print: u32,
    weight: u32,
}

/// The bits of a hash that are remembered. A shard's keys agree in others.
fn print_of(hash: u64) -> u32 {
    (hash >> 8) as u32
}

impl Ghosts {
    /// Bytes of a place in the ring, with the room in which it grows.
    const PLACE: usize = size_of::<Ghost>() * 9 / 8;
    /// Bytes of a place in the index, on the average of those that are half full.
    const INDEXED: usize = 8;

    /// Bytes that the evicted entries would take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of memory.
    pub(super) fn memory(&self) -> usize {
        self.ring.len() * Self::PLACE + self.index.len() * Self::INDEXED
    }

    pub(super) fn push(&mut self, hash: u64, weight: u32) {
        self.take(hash);
        if self.ring.len() == self.ring.capacity() {
            self.ring.reserve_exact((self.ring.len() / 8).max(8));
        }
        let (print, number) = (print_of(hash), self.first.wrapping_add(self.ring.len() as u32));
        self.ring.push_back(Ghost { print, weight: weight.max(1) });
        self.bytes += weight.max(1) as usize;
        if number != u32::MAX {
            let (ring, first) = (&self.ring, self.first);
            self.index.insert(print.into(), number, |number| hash_at(ring, first, number));
        }
    }

    /// Whether a key is here; it is no more then.
    pub(super) fn take(&mut self, hash: u64) -> bool {
        let print = print_of(hash);
        let (ring, first) = (&self.ring, self.first);
        let is_it = |number: u32| hash_at(ring, first, number) == u64::from(print);
        let Some(number) = self.index.find(print.into(), is_it) else { return false };
        self.index.remove(print.into(), number, |number| hash_at(ring, first, number));
        if let Some(ghost) = self.ring.get_mut(number.wrapping_sub(first) as usize) {
            self.bytes -= std::mem::take(&mut ghost.weight) as usize;
        }
        self.drop_gone();
        if self.ring.len() > self.index.len() / 4 * 5 + 16 {
            self.close_gaps();
        }
        true
    }

    fn close_gaps(&mut self) {
        self.ring.retain(|ghost| ghost.weight > 0);
        self.index = Index::default();
        let (ring, first) = (&self.ring, self.first);
        for (number, ghost) in (0..u32::MAX).map(|at| first.wrapping_add(at)).zip(ring) {
            // The one number that the index cannot hold is not found again.
            if number != u32::MAX {
                self.index.insert(ghost.print.into(), number, |number| hash_at(ring, first, number));
            }
        }
    }

    /// Drops the oldest one; `false` if there is none.
    pub(super) fn forget(&mut self) -> bool {
        let Some(Ghost { print, weight }) = self.ring.front().copied() else { return false };
        let (ring, first) = (&self.ring, self.first);
        self.index.remove(print.into(), first, |number| hash_at(ring, first, number));
        self.bytes -= weight as usize;
        self.pop();
        self.drop_gone();
        true
    }

    fn drop_gone(&mut self) {
        while self.ring.front().is_some_and(|ghost| ghost.weight == 0) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        self.ring.pop_front();
        self.first = self.first.wrapping_add(1);
    }
}

fn hash_at(ring: &VecDeque<Ghost>, first: u32, number: u32) -> u64 {
    ring.get(number.wrapping_sub(first) as usize).map_or(0, |ghost| ghost.print.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_found_once_and_leave_in_order() {
        // Numbers that wrap while it runs.
        let mut ghosts = Ghosts { first: u32::MAX - 2000, ..Ghosts::default() };
        let mut model: Vec<(u64, u32)> = Vec::new();
        let mut state = 7u64;
        for step in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (key, weight) = ((state >> 33) % 300, (state >> 20) as u32 % 500 + 1);
            let hash = key << 8;
            let at = model.iter().position(|(found, _)| *found == key);
            if step % 3 == 0 {
                let missed = ghosts.take(hash) != at.is_some();
                // The one that has the number without a place.
                assert!(!missed || model.len() > 100 && step < 8000, "step {step}");
                if !missed {
                    at.map(|at| model.remove(at));
                }
            } else {
                at.map(|at| model.remove(at));
                model.push((key, weight));
                ghosts.push(hash, weight);
            }
            if model.len() > 200 {
                model.remove(0);
                while ghosts.bytes > model.iter().map(|(_, weight)| *weight as usize).sum() {
                    assert!(ghosts.forget());
                }
            }
        }
        let bytes: usize = model.iter().map(|(_, weight)| *weight as usize).sum();
        assert_eq!(ghosts.bytes(), bytes);
        assert!(model.iter().all(|(key, _)| ghosts.take(key << 8)));
        assert_eq!((ghosts.bytes(), ghosts.memory()), (0, 0));
    }
}
