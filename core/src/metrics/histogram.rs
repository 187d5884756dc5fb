//! Latencies in buckets that widen with the value: 32 to each power of two, so that a quantile is right
//! to 2 %. Recorded by atomic additions, for any thread and without a lock.

use std::time::Duration;

use crate::metrics::figures::Counter;
use crate::sync::{AtomicU64, Ordering};

/// Buckets of a power of two.
const STEPS: usize = 1 << STEP_BITS;
const STEP_BITS: u32 = 5;
/// Values from 2^40 ns (18 minutes) up are taken for that.
const MAX_BITS: u32 = 40;
const BUCKETS: usize = (MAX_BITS - STEP_BITS + 1) as usize * STEPS;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timed {
    /// A read of one key.
    Read,
    /// A write, from the call to the acknowledgement.
    Write,
    /// A write to the log.
    LogWrite,
    /// A sync of the log.
    LogSync,
}

impl Timed {
    /// All of them, by number.
    pub const ALL: [Timed; 4] = [Timed::Read, Timed::Write, Timed::LogWrite, Timed::LogSync];
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// What counts a call that has ended.
    #[inline]
    pub(super) const fn ends_as(self) -> &'static [Counter] {
        match self {
            Timed::Read => &[Counter::RowHits, Counter::RowMisses],
            Timed::Write => &[Counter::WritesStrong, Counter::WritesQuorum, Counter::WritesEventual],
            Timed::LogWrite => &[Counter::LogWrites],
            Timed::LogSync => &[Counter::LogSyncs],
        }
    }
}

/// Live counts of latencies.
pub(super) struct Histogram {
    buckets: Box<[AtomicU64]>,
    nanoseconds: AtomicU64,
}

/// The latencies of some time.
#[derive(Clone, Default)]
pub(super) struct Distribution {
    /// Of [`BUCKETS`]; none is as good as all zero.
    buckets: Box<[u64]>,
    nanoseconds: u64,
}

/// Each bucket has the values above its lower bound, up to and with its upper one.
fn bucket_of(nanoseconds: u64) -> usize {
    let value = nanoseconds.saturating_sub(1).min((1 << MAX_BITS) - 1);
    if value < STEPS as u64 {
        return value as usize;
    }
    let shift = value.ilog2() - STEP_BITS;
    shift as usize * STEPS + (value >> shift) as usize
}

/// Lower bound and width of a bucket, in nanoseconds.
fn bounds_of(bucket: usize) -> (u64, u64) {
    if bucket < STEPS {
        return (bucket as u64, 1);
    }
    let shift = bucket / STEPS - 1;
    (((STEPS + bucket % STEPS) as u64) << shift, 1 << shift)
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Histogram { buckets, nanoseconds: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub(super) fn record(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_of(nanoseconds)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// What was recorded so far.
    pub(super) fn distribution(&self) -> Distribution {
        let load = |bucket: &AtomicU64| bucket.load(Ordering::Relaxed);
        Distribution {
            buckets: self.buckets.iter().map(load).collect(),
            nanoseconds: self.nanoseconds.load(Ordering::Relaxed),
        }
    }
}

impl Distribution {
    /// What came to it since an earlier instant.
    pub(super) fn since(&self, earlier: &Distribution) -> Distribution {
        let earlier_buckets = earlier.buckets.iter().chain(std::iter::repeat(&0));
        let difference = |(now, then): (&u64, &u64)| now.saturating_sub(*then);
        Distribution {
            buckets: self.buckets.iter().zip(earlier_buckets).map(difference).collect(),
            nanoseconds: self.nanoseconds.wrapping_sub(earlier.nanoseconds),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    pub(super) fn seconds(&self) -> f64 {
        self.nanoseconds as f64 / 1e9
    }

    /// 0 if there is none.
    pub(super) fn mean_microseconds(&self) -> f64 {
        match self.count() {
            0 => 0.0,
            count => self.nanoseconds as f64 / 1e3 / count as f64,
        }
    }

    /// The latency that the share `quantile` of all does not pass; 0 if there is none.
    pub(super) fn quantile_microseconds(&self, quantile: f64) -> f64 {
        let rank = ((self.count() as f64 * quantile).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                let (lower, width) = bounds_of(bucket);
                return (lower as f64 + (width + 1) as f64 / 2.0) / 1e3;
            }
        }
        0.0
    }

    /// How many are not above `2^bits` nanoseconds.
    pub(super) fn within(&self, bits: u32) -> u64 {
        let end = bucket_of((1 << bits.min(MAX_BITS)) + 1);
        let end = if bits >= MAX_BITS { BUCKETS } else { end };
        self.buckets.iter().take(end).sum()
    }
}

impl std::fmt::Debug for Distribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (count, mean) = (self.count(), self.mean_microseconds());
        f.debug_struct("Distribution").field("count", &count).field("mean_us", &mean).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_touch_and_hold_their_bounds() {
        for bucket in 0..BUCKETS {
            let (lower, width) = bounds_of(bucket);
            assert_eq!(bucket_of(lower + 1), bucket);
            assert_eq!(bucket_of(lower + width), bucket);
            if bucket > 0 {
                let (before, its_width) = bounds_of(bucket - 1);
                assert_eq!(before + its_width, lower);
            }
            assert!(width <= 1 + lower / STEPS as u64);
        }
        assert_eq!(bucket_of(0), 0);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_near_the_true_ones_and_rise() {
        let histogram = Histogram::default();
        (1..=10_000u64).for_each(|us| histogram.record(Duration::from_micros(us)));
        let all = histogram.distribution();
        assert_eq!(all.count(), 10_000);
        assert!((all.mean_microseconds() - 5000.5).abs() < 0.01);
        let mut last = 0.0;
        for quantile in [0.0001, 0.1, 0.5, 0.99, 0.999, 1.0] {
            let found = all.quantile_microseconds(quantile);
            assert!((found / (10_000.0 * quantile) - 1.0).abs() < 0.02, "{quantile}: {found}");
            assert!(found >= last);
            last = found;
        }
    }

    #[test]
    fn powers_of_two_are_counted_exactly() {
        let histogram = Histogram::default();
        for bits in 0..=MAX_BITS {
            histogram.record(Duration::from_nanos(1 << bits));
            histogram.record(Duration::from_nanos((1 << bits) + 1));
        }
        let all = histogram.distribution();
        for bits in 0..MAX_BITS {
            // 2^k for each k up to `bits`, and 2^k + 1 for those below.
            assert_eq!(all.within(bits), 2 * u64::from(bits) + 1, "{bits}");
        }
        assert_eq!(all.within(MAX_BITS), all.count());
    }

    #[test]
    fn a_difference_has_what_came_since() {
        let histogram = Histogram::default();
        histogram.record(Duration::from_micros(3));
        let earlier = histogram.distribution();
        histogram.record(Duration::from_millis(5));
        let since = histogram.distribution().since(&earlier);
        assert_eq!((since.count(), since.mean_microseconds()), (1, 5000.0));
        assert_eq!(earlier.since(&Distribution::default()).count(), 1);
        assert_eq!(Distribution::default().quantile_microseconds(0.5), 0.0);
    }
}
