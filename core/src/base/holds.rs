//! Sequence numbers that are held, each by so many holders.

use std::collections::BTreeMap;

use crate::base::ids::SequenceNumber;

/// Held sequence numbers with the number of their holders, which is never 0.
#[derive(Debug, Default)]
pub struct Holds {
    counts: BTreeMap<SequenceNumber, usize>,
}

impl Holds {
    /// One holder more.
    pub fn add(&mut self, sequence: SequenceNumber) {
        *self.counts.entry(sequence).or_default() += 1;
    }

    /// One holder fewer of a number that has one.
    pub fn remove(&mut self, sequence: SequenceNumber) {
        match self.counts.get_mut(&sequence) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(self.counts.remove(&sequence)),
        }
    }

    /// The smallest one.
    pub fn oldest(&self) -> Option<SequenceNumber> {
        self.counts.keys().next().copied()
    }

    /// All of them, rising, each once.
    pub fn iter(&self) -> impl Iterator<Item = SequenceNumber> {
        self.counts.keys().copied()
    }

    /// How many holders there are.
    pub fn holders(&self) -> usize {
        self.counts.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_held_until_its_last_holder_goes() {
        let mut holds = Holds::default();
        [5, 3, 5, 9].into_iter().for_each(|sequence| holds.add(sequence));
        assert_eq!((holds.oldest(), holds.holders()), (Some(3), 4));
        holds.remove(5);
        holds.remove(3);
        assert_eq!((holds.oldest(), holds.holders()), (Some(5), 2));
        assert!(holds.iter().eq([5, 9]));
        holds.remove(5);
        holds.remove(5);
        holds.remove(9);
        assert_eq!((holds.oldest(), holds.holders()), (None, 0));
    }
}
