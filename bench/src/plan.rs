//! Which records a row asks for: worked out before the clock starts.

use crate::data::{Random, mix};

/// How the records of a row are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Every record as often as any other.
    Uniform,
    /// Uniform over 10,000 records.
    Hot,
    /// The share of a record falls with its rank, to the power of 0.99; ranks are scattered over the records.
    Zipf,
}

/// Records that a row with hot keys asks for.
pub const HOT_RECORDS: u64 = 10_000;

/// A permutation of `0..count`.
pub fn shuffled(count: usize, seed: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    let mut random = Random::new(seed);
    for last in (1..count).rev() {
        order.swap(last, random.below(last as u64 + 1) as usize);
    }
    order
}

/// `length` numbers of records out of `records`.
pub fn chosen(choice: Choice, records: usize, length: usize, seed: u64) -> Vec<u32> {
    let mut random = Random::new(seed);
    let records = records as u64;
    match choice {
        Choice::Uniform => (0..length).map(|_| random.below(records) as u32).collect(),
        Choice::Hot => {
            let hot = HOT_RECORDS.min(records);
            // Spread over all records, so that they share no pages.
            (0..length).map(|_| (random.below(hot) * (records / hot)) as u32).collect()
        }
        Choice::Zipf => {
            let zipf = Zipf::new(records);
            (0..length).map(|_| scatter(zipf.rank(&mut random), records)).collect()
        }
    }
}

/// A record for a rank, far from those of the neighbouring ranks.
pub fn scatter(rank: u64, records: u64) -> u32 {
    (mix(rank ^ 0x5ca7_7e12) % records) as u32
}

/// Ranks with a share of `1 / rank^0.99`: the generator of YCSB (Gray et al., "Quickly generating billion-record
/// synthetic databases", SIGMOD 94).
#[derive(Clone, Copy, Debug)]
pub struct Zipf {
    records: f64,
    alpha: f64,
    eta: f64,
    zeta: f64,
}

impl Zipf {
    const THETA: f64 = 0.99;

    /// Over ranks `0..records`.
    pub fn new(records: u64) -> Self {
        let zeta_of = |count: u64| (1..=count).map(|rank| (rank as f64).powf(-Self::THETA)).sum::<f64>();
        let (records_f, zeta) = (records as f64, zeta_of(records));
        let eta = (1.0 - (2.0 / records_f).powf(1.0 - Self::THETA)) / (1.0 - zeta_of(2) / zeta);
        Zipf { records: records_f, alpha: 1.0 / (1.0 - Self::THETA), eta, zeta }
    }

    /// A rank, 0 most often.
    pub fn rank(&self, random: &mut Random) -> u64 {
        let unit = random.unit();
        let scaled = unit * self.zeta;
        if scaled < 1.0 {
            return 0;
        }
        if scaled < 1.0 + 0.5f64.powf(Self::THETA) {
            return 1;
        }
        let rank = self.records * (self.eta * unit - self.eta + 1.0).powf(self.alpha);
        (rank as u64).min(self.records as u64 - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_is_a_permutation() {
        let mut order = shuffled(1000, 3);
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn zipf_has_its_shares() {
        let (records, count) = (1000u64, 200_000);
        let (zipf, mut random) = (Zipf::new(records), Random::new(5));
        let mut hits = vec![0u32; records as usize];
        for _ in 0..count {
            hits[zipf.rank(&mut random) as usize] += 1;
        }
        let zeta: f64 = (1..=records).map(|rank| (rank as f64).powf(-0.99)).sum();
        for rank in [0usize, 1, 9, 99] {
            let expected = f64::from(count) / zeta / ((rank + 1) as f64).powf(0.99);
            let ratio = f64::from(hits[rank]) / expected;
            assert!((0.7..1.4).contains(&ratio), "rank {rank}: {ratio}");
        }
    }

    #[test]
    fn hot_records_are_few_and_spread() {
        let mut hot = chosen(Choice::Hot, 100_000, 200_000, 1);
        hot.sort_unstable();
        hot.dedup();
        assert!(hot.len() > 9_990 && hot.len() <= 10_000);
        assert!(hot.iter().all(|index| index % 10 == 0));
    }
}
