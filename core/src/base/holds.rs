//! Sequence numbers that are held, each by so many holders.

use std::collections::VecDeque;

use crate::base::ids::SequenceNumber;

/// Numbers without holders are kept among the others until there are so many, and as many as the others.
const MANY: usize = 16;

/// Held sequence numbers, rising. Made for numbers that come in rising order and go in about the same.
#[derive(Debug, Default)]
pub struct Holds {
    /// With their holders; the first and the last have some.
    counts: VecDeque<(SequenceNumber, usize)>,
    /// Those without holders.
    unheld: usize,
}

impl Holds {
    /// One holder more.
    pub fn add(&mut self, sequence: SequenceNumber) {
        match self.counts.back_mut() {
            Some((last, count)) if *last == sequence => *count += 1,
            Some((last, _)) if *last > sequence => match self.place(sequence) {
                Ok(at) => {
                    self.unheld -= usize::from(self.counts[at].1 == 0);
                    self.counts[at].1 += 1;
                }
                Err(at) => self.counts.insert(at, (sequence, 1)),
            },
            _ => self.counts.push_back((sequence, 1)),
        }
    }

    /// One holder fewer of a number that has one.
    pub fn remove(&mut self, sequence: SequenceNumber) {
        let Some((_, count)) = self.place(sequence).ok().and_then(|at| self.counts.get_mut(at)) else {
            return;
        };
        let Some(left) = count.checked_sub(1) else { return };
        *count = left;
        self.unheld += usize::from(left == 0);
        while self.counts.pop_front_if(|(_, count)| *count == 0).is_some() {
            self.unheld -= 1;
        }
        while self.counts.pop_back_if(|(_, count)| *count == 0).is_some() {
            self.unheld -= 1;
        }
        if self.unheld > MANY.max(self.counts.len() / 2) {
            self.counts.retain(|(_, count)| *count > 0);
            self.unheld = 0;
        }
    }

    /// The smallest one.
    pub fn oldest(&self) -> Option<SequenceNumber> {
        self.counts.front().map(|(sequence, _)| *sequence)
    }

    /// All of them, rising, each once.
    pub fn iter(&self) -> impl Iterator<Item = SequenceNumber> {
        self.counts.iter().filter(|(_, count)| *count > 0).map(|(sequence, _)| *sequence)
    }

    /// How many holders there are.
    pub fn holders(&self) -> usize {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    fn place(&self, sequence: SequenceNumber) -> Result<usize, usize> {
        self.counts.binary_search_by_key(&sequence, |(own, _)| *own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_multiset(steps in proptest::collection::vec((0..12u64, 0..40u64, any::<bool>()), 0..400)) {
            let (mut holds, mut model) = (Holds::default(), BTreeMap::<u64, usize>::new());
            for (step, (back, which, add)) in (0..).zip(steps) {
                if add {
                    let sequence = (step / 2 + 12) - back * u64::from(back > 8);
                    holds.add(sequence);
                    *model.entry(sequence).or_default() += 1;
                } else if let Some(sequence) = model.keys().nth(which as usize % model.len().max(1)).copied() {
                    holds.remove(sequence);
                    *model.entry(sequence).or_default() -= 1;
                    model.retain(|_, count| *count > 0);
                }
                prop_assert!(holds.iter().eq(model.keys().copied()));
                prop_assert_eq!(holds.oldest(), model.keys().next().copied());
                prop_assert_eq!(holds.holders(), model.values().sum::<usize>());
                prop_assert!(holds.unheld <= MANY.max(holds.counts.len() / 2));
            }
        }
    }
}
