//! Small numbers, each one thread's at a time. There is no lock: a child made by `fork` could find it taken by a thread that
//! it does not have.

use super::{AtomicU64, Ordering};

/// The numbers below `64 * WORDS`, as a bit for each that is taken.
pub struct Numbers<const WORDS: usize>([AtomicU64; WORDS]);

impl<const WORDS: usize> Numbers<WORDS> {
    /// All are free.
    pub const fn new() -> Self {
        Numbers([const { AtomicU64::new(0) }; WORDS])
    }

    /// The lowest one that is free. What was done by the thread that gave it back has happened before this.
    pub fn take(&self) -> Option<usize> {
        let with_lowest = |taken: u64| (taken != u64::MAX).then(|| taken | (taken + 1));
        self.0.iter().enumerate().find_map(|(at, word)| {
            let taken = word.fetch_update(Ordering::AcqRel, Ordering::Relaxed, with_lowest).ok()?;
            Some(64 * at + taken.trailing_ones() as usize)
        })
    }

    /// Frees a number that the caller has.
    pub fn give_back(&self, number: usize) {
        if let Some(word) = self.0.get(number / 64) {
            word.fetch_and(!(1 << (number % 64)), Ordering::Release);
        }
    }

    /// Frees all but one, for a thread that is alone.
    #[cfg(any(unix, test))]
    pub fn keep_only(&self, number: usize) {
        for (at, word) in self.0.iter().enumerate() {
            let kept = if number / 64 == at { 1 << (number % 64) } else { 0 };
            word.store(kept, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_threads_until_it_is_given_back() {
        let numbers = Numbers::<2>::new();
        let taken = || std::iter::from_fn(|| numbers.take()).collect::<Vec<_>>();
        assert!(taken().into_iter().eq(0..128));
        [127, 3].into_iter().for_each(|number| numbers.give_back(number));
        assert_eq!(taken(), [3, 127]);
        numbers.keep_only(64);
        assert_eq!(taken().len(), 127);
        numbers.keep_only(usize::MAX);
        let owners: Vec<_> = (0..128).map(|_| AtomicU64::new(0)).collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let number = numbers.take().unwrap();
                        assert_eq!(owners[number].fetch_add(1, Ordering::Relaxed), 0);
                        owners[number].fetch_sub(1, Ordering::Relaxed);
                        numbers.give_back(number);
                    }
                });
            }
        });
    }
}
