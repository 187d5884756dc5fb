//! The policy against plain LRU, on traces of the kinds that the papers on ARC and CAR use: hit rates, printed with `--nocapture`.

use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::cache::slots::Marked;

/// Bytes of a page.
const PAGE: usize = 4200;
/// Looks for each page that the caches have memory for.
const LOOKS: u64 = 100;

/// Plain LRU, which pays for its entries as the cache does.
struct Lru {
    capacity: usize,
    clock: u64,
    used: HashMap<u64, u64>,
    order: BTreeMap<u64, u64>,
}

impl Lru {
    fn new(bytes: usize) -> Self {
        let capacity = bytes / (PAGE + Shard::<Marked<()>>::ENTRY);
        Lru { capacity, clock: 0, used: HashMap::new(), order: BTreeMap::new() }
    }

    fn access(&mut self, page: u64) -> bool {
        self.clock += 1;
        let last = self.used.insert(page, self.clock);
        last.map(|last| self.order.remove(&last));
        self.order.insert(self.clock, page);
        if self.order.len() > self.capacity {
            let oldest = self.order.pop_first().unwrap().1;
            self.used.remove(&oldest);
        }
        last.is_some()
    }
}

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Numbers below `count`, the first ones much more often: `1 / rank ^ exponent`.
struct Zipf {
    sums: Vec<f64>,
    random: Random,
}

impl Zipf {
    fn new(count: u64, exponent: f64, seed: u64) -> Self {
        let sums = (1..=count).scan(0.0, |sum, rank| {
            *sum += (rank as f64).powf(-exponent);
            Some(*sum)
        });
        Zipf { sums: sums.collect(), random: Random(seed) }
    }

    fn next(&mut self) -> u64 {
        let point = self.random.next() as f64 / u64::MAX as f64 * self.sums.last().unwrap();
        self.sums.partition_point(|sum| *sum < point) as u64
    }
}

/// A cache and LRU with memory for so many pages.
struct Contest {
    pages: u64,
    seed: u64,
}

impl Contest {
    /// How many points the cache's hit rate is above LRU's, in percent of the looks. `page` says what is looked for.
    fn run(&self, name: &str, mut page: impl FnMut(u64) -> u64) -> f64 {
        let bytes = self.pages as usize * PAGE;
        let (cache, mut lru) = (PageCache::new(bytes), Lru::new(bytes));
        let (mut hits, mut lru_hits) = (0u32, 0u32);
        let looks = self.pages * LOOKS;
        for page in (0..looks).map(&mut page) {
            lru_hits += u32::from(lru.access(page));
            if cache.get(1, page * 4096).is_some() {
                hits += 1;
            } else {
                cache.insert(1, page * 4096, Marked::new(()), PAGE, Priority::Normal);
            }
            assert!(cache.usage() <= bytes);
        }
        let percent = |hits: u32| f64::from(hits) * 100.0 / looks as f64;
        let (ours, lru) = (percent(hits), percent(lru_hits));
        println!(
            "{:>5} pages, seed {:<3} {name:<44} {ours:>6.2} % {lru:>6.2} % {:>+7.2}",
            self.pages,
            self.seed,
            ours - lru
        );
        ours - lru
    }

    fn loops(&self) {
        for tenths in [8, 11, 15, 20, 40] {
            let length = self.pages * tenths / 10;
            let points = self.run(&format!("loop of {tenths} tenths of the cache"), |look| look % length);
            assert!(points > -0.5, "{points}");
        }
    }

    fn zipf(&self) {
        for (exponent, times) in [(0.6, 5), (0.8, 2), (0.99, 2), (0.99, 5), (0.99, 30), (1.2, 5)] {
            let mut zipf = Zipf::new(self.pages * times, exponent, self.seed);
            let points = self.run(&format!("Zipf {exponent} over {times} times the cache"), |_| zipf.next());
            assert!(points > -0.5, "{points}");
        }
    }

    /// Every so often a scan, of pages that never come again or of always the same ones.
    fn zipf_with_scans(&self) {
        for (tenths, share) in [(5, 3), (20, 3), (100, 2), (3, 5)] {
            let length = self.pages * tenths / 10;
            for same in [false, true] {
                let (mut zipf, mut scanned) = (Zipf::new(self.pages * 5, 0.99, self.seed), 0);
                let kind = if same { "same" } else { "new" };
                let name = format!("Zipf 0.99, one of {share} scans {tenths} tenths, {kind} pages");
                let points = self.run(&name, |look| {
                    let at = look % (length * share);
                    if at >= length {
                        return zipf.next();
                    }
                    scanned += 1;
                    self.pages * 100 + if same { at } else { scanned }
                });
                assert!(points > 2.0, "{points}");
            }
        }
    }

    /// What is used changes: the traces that ARC is worst at, for they say nothing about what was used often.
    fn working_sets(&self) {
        for tenths in [5, 9, 11] {
            let set = self.pages * tenths / 10;
            let mut random = Random(self.seed);
            let shifts = self.run(&format!("set of {tenths} tenths that shifts by half"), |look| {
                look / (20 * self.pages) * set / 2 + random.below(set)
            });
            let drifts = self
                .run(&format!("set of {tenths} tenths that drifts"), |look| look / 20 + random.below(set));
            let still = self.run(&format!("set of {tenths} tenths"), |_| random.below(set));
            assert!(shifts.min(drifts).min(still) > -1.5, "{shifts} {drifts} {still}");
        }
    }
}

#[test]
fn hit_rates_are_above_those_of_lru() {
    println!("{:<66} {:>8} {:>8} {:>7}", "trace", "CAR", "LRU", "points");
    for contest in [Contest { pages: 300, seed: 101 }, Contest { pages: 1500, seed: 102 }] {
        contest.loops();
        contest.zipf();
        contest.zipf_with_scans();
        contest.working_sets();
    }
}
