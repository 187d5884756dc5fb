//! Finds slots by hash: open addressing with linear probing, four bytes a place.

/// A place without a slot.
const EMPTY: u32 = u32::MAX;

/// Which slots there are. What stands in a slot is known to the caller, who is asked for its hash.
#[derive(Default)]
pub(super) struct Index {
    /// A power of two of places, at most three quarters of them taken.
    places: Vec<u32>,
    count: usize,
}

impl Index {
    /// Number of slots.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The slot with this hash that the caller recognises.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = self.home(hash)?;
        loop {
            match self.places.get(at).copied() {
                None | Some(EMPTY) => return None,
                Some(slot) if is_it(slot) => return Some(slot),
                Some(_) => at = self.behind(at),
            }
        }
    }

    /// Adds a slot that is not there.
    pub(super) fn insert(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        if (self.count + 1) * 4 > self.places.len() * 3 {
            let grown = vec![EMPTY; (self.places.len() * 2).max(8)];
            let old = std::mem::replace(&mut self.places, grown);
            old.into_iter().filter(|slot| *slot != EMPTY).for_each(|slot| self.place(hash_of(slot), slot));
        }
        self.place(hash, slot);
        self.count += 1;
    }

    /// Takes a slot out, and moves those behind it up so that they are still found.
    pub(super) fn remove(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        let Some(mut gap) = self.home(hash).filter(|_| slot != EMPTY) else { return };
        while self.places.get(gap).is_some_and(|found| *found != slot) {
            if self.places[gap] == EMPTY {
                return;
            }
            gap = self.behind(gap);
        }
        self.count -= 1;
        let mut at = gap;
        loop {
            at = self.behind(at);
            let moved = self.places[at];
            if moved == EMPTY {
                break;
            }
            // It may move up unless its home lies behind the gap.
            let Some(home) = self.home(hash_of(moved)) else { break };
            let mask = self.places.len() - 1;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(gap) & mask {
                self.places[gap] = moved;
                gap = at;
            }
        }
        self.places[gap] = EMPTY;
    }

    fn place(&mut self, hash: u64, slot: u32) {
        let Some(mut at) = self.home(hash) else { return };
        while self.places[at] != EMPTY {
            at = self.behind(at);
        }
        self.places[at] = slot;
    }

    /// Where the search for a hash begins; `None` if there are no places.
    #[inline]
    fn home(&self, hash: u64) -> Option<usize> {
        self.places.len().checked_sub(1).map(|mask| hash as usize & mask)
    }

    #[inline]
    fn behind(&self, at: usize) -> usize {
        (at + 1) & (self.places.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_is_in_it() {
        // Few homes, so that the runs are long and wrap around.
        let hash_of = |slot: u32| u64::from(slot).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61 << 1;
        let (mut index, mut model) = (Index::default(), std::collections::BTreeSet::new());
        let mut state = 1u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let slot = (state >> 33) as u32 % 90;
            if model.insert(slot) {
                index.insert(hash_of(slot), slot, hash_of);
            } else {
                model.remove(&slot);
                index.remove(hash_of(slot), slot, hash_of);
            }
            let probe = (state >> 50) as u32 % 90;
            let found = index.find(hash_of(probe), |slot| slot == probe);
            assert_eq!(found.is_some(), model.contains(&probe));
            assert_eq!(index.count, model.len());
        }
    }
}
