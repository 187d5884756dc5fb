//! Counting in steps too small to be counted one by one.

use crate::metrics::{Counter, Meters};
use crate::sync::Arc;

/// Steps that are counted together.
const TOGETHER: u64 = 256;

/// The entries of a scan, counted in bulk: every 256, at its end, and when it is dropped.
pub struct Tally {
    meters: Arc<Meters>,
    pending: u64,
}

impl Tally {
    /// A scan begins.
    pub fn of_scan(meters: &Arc<Meters>) -> Self {
        meters.add(Counter::Scans, 1);
        Tally { meters: Arc::clone(meters), pending: 0 }
    }

    /// A step that found an entry, or the end.
    #[inline]
    pub fn step(&mut self, found: bool) {
        self.pending += u64::from(found);
        if self.pending == TOGETHER || !found {
            self.count();
        }
    }

    fn count(&mut self) {
        self.meters.add(Counter::ScanEntries, std::mem::take(&mut self.pending));
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.count();
    }
}
