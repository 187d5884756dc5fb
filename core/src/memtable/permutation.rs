//! The order of a node's slots in one word, so that one store publishes a change (after Masstree).

/// Slots of a node: as many as a word can order, and a node is then four cache lines.
pub const SLOTS: usize = 14;

const HEADER_BITS: u32 = 8;
const SLOT_BITS: u32 = 4;
const NIBBLE: u64 = 15;

/// The live slots of a node in order. Slots are handed out by rising number and never again: one that
/// has been removed stays as it is for readers that hold an older permutation.
///
/// Bits 0..4: live slots. 4..8: slots handed out. Then four bits a position: its slot; 0 behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permutation(u64);

impl Permutation {
    /// The first `len` slots, in their order.
    pub fn identity(len: usize) -> Self {
        debug_assert!(len <= SLOTS);
        let slots = (0..len as u64).fold(0, |word, slot| word | slot << Self::shift(slot as usize));
        Permutation(slots | (len as u64) << SLOT_BITS | len as u64)
    }

    /// From [`bits`](Self::bits).
    #[inline]
    pub fn from_bits(bits: u64) -> Self {
        Permutation(bits)
    }

    /// The word.
    #[inline]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Live slots.
    #[inline]
    pub fn len(self) -> usize {
        (self.0 & NIBBLE) as usize
    }

    /// Slots that can still be handed out.
    #[inline]
    pub fn free(self) -> usize {
        SLOTS - self.used()
    }

    /// The slot at `position`; slot 0 for a position that is not live.
    #[inline]
    pub fn slot(self, position: usize) -> usize {
        (self.0.unbounded_shr(Self::shift(position)) & NIBBLE) as usize
    }

    /// Hands out the next slot and puts it at `position`. There must be a free one.
    #[inline]
    pub fn insert(self, position: usize) -> (Self, usize) {
        debug_assert!(position <= self.len() && self.free() > 0);
        let slot = self.used();
        let below = self.below(position);
        let moved = (self.0 & !below) << SLOT_BITS;
        let header = (self.0 + (1 << SLOT_BITS) + 1) & 0xff;
        let slots = (self.0 & below) | moved | (slot as u64) << Self::shift(position);
        (Permutation(slots & !0xff | header), slot)
    }

    /// Takes the slot at `position` out.
    #[inline]
    pub fn remove(self, position: usize) -> Self {
        debug_assert!(position < self.len());
        let below = self.below(position);
        let moved = (self.0 >> SLOT_BITS) & !below;
        Permutation(((self.0 & below) | moved) - 1)
    }

    fn used(self) -> usize {
        (self.0 >> SLOT_BITS & NIBBLE) as usize
    }

    /// The header and all positions in front of `position`.
    fn below(self, position: usize) -> u64 {
        !u64::MAX.unbounded_shl(Self::shift(position))
    }

    fn shift(position: usize) -> u32 {
        HEADER_BITS + SLOT_BITS * position as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn behaves_like_a_list(start in 0..=SLOTS, steps in proptest::collection::vec((any::<bool>(), 0..SLOTS), 0..40)) {
            let mut model: Vec<usize> = (0..start).collect();
            let mut used = start;
            let mut permutation = Permutation::identity(start);
            for (insert, at) in steps {
                if insert && used < SLOTS {
                    let at = at % (model.len() + 1);
                    let (changed, slot) = permutation.insert(at);
                    prop_assert_eq!(slot, used);
                    permutation = changed;
                    model.insert(at, used);
                    used += 1;
                } else if !insert && !model.is_empty() {
                    let at = at % model.len();
                    permutation = permutation.remove(at);
                    model.remove(at);
                }
                prop_assert_eq!(permutation.len(), model.len());
                prop_assert_eq!(permutation.free(), SLOTS - used);
                for position in 0..=SLOTS {
                    prop_assert_eq!(permutation.slot(position), model.get(position).copied().unwrap_or(0));
                }
            }
        }
    }
}
