//! The rows: what is timed, and how its answers are checked.

pub mod durable;
pub mod loads;
pub mod reads;
pub mod rest;
pub mod threads;
pub mod worst;
pub mod writes;
pub mod ycsb;

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::data::{self, Key, Random};
use crate::engine::Change;

/// Length and end of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Records loaded.
    pub records: usize,
    /// Seconds for which a read row runs.
    pub read_seconds: f64,
    /// Seconds after which a write row ends, done or not.
    pub write_seconds: f64,
}

impl Extent {
    /// Random overwrites of a row.
    pub fn updates(&self) -> usize {
        self.records / 2
    }

    /// Entries of the plans that read rows go round in.
    pub fn plan(&self) -> usize {
        self.records.clamp(1, 1 << 20)
    }
}

/// Records in a batch.
pub const BATCH: usize = 1_000;

/// Calls `step` with 0, 1, 2 ... until `most` is reached or the time is over, which is looked at once every
/// `stride` steps. Gives back how many steps were taken, and the seconds.
pub fn timed(
    most: usize,
    seconds: f64,
    stride: usize,
    mut step: impl FnMut(usize) -> Result<()>,
) -> Result<(usize, f64)> {
    let (begin, limit) = (Instant::now(), Duration::from_secs_f64(seconds));
    let mut done = 0;
    while done < most && begin.elapsed() < limit {
        for _ in 0..stride.min(most - done) {
            step(done)?;
            done += 1;
        }
    }
    Ok((done, begin.elapsed().as_secs_f64()))
}

/// The rate of what [`timed`] gave back.
pub fn rate((done, seconds): (usize, f64)) -> f64 {
    done as f64 / seconds
}

/// The key of a record.
pub fn key_of(index: u32) -> Key {
    data::key(u64::from(index))
}

/// A batch of puts; record `n` of `indexes` gets version `first + n`.
pub fn puts(indexes: &[u32], first: u32) -> Vec<Change> {
    let versions = first..;
    let put = |(index, version): (&u32, u32)| (key_of(*index), Some(data::value(*index, version)));
    indexes.iter().zip(versions).map(put).collect()
}

/// `count` records out of `records`, each as likely as any other.
pub fn random_indexes(records: usize, count: usize, seed: u64) -> Vec<u32> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.below(records as u64) as u32).collect()
}
