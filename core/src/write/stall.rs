//! Back pressure: writes are slowed down as flush and compaction fall behind, and wait when they are too far.

use std::time::Duration;

use crate::base::error::{Error, ErrorKind, Result};
use crate::health::BackgroundJob;
use crate::metrics::Counter;
use crate::sync::{AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering};
use crate::write::commit::{Section, Writer};

/// Sealed sets of memtables that may wait for their flush.
const MAX_SEALED: usize = 2;

/// A stalled write looks again this often, should a wake-up be missed.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Bytes a second that a job is taken to manage before it has been measured.
const UNMEASURED: u64 = 32 << 20;

/// Delays are saved up until they are so long; shorter ones no system can keep.
const SHORTEST_NAP: Duration = Duration::from_millis(1);

/// No write is delayed longer than this at once.
const LONGEST_NAP: Duration = Duration::from_millis(50);

/// How far behind the background is.
#[derive(Clone, Copy, Debug)]
struct Pressure {
    sealed: usize,
    level0: usize,
    /// Above so many tables of level 0 writes are slowed down ...
    level0_slow: usize,
    /// ... and at so many they stop.
    level0_stop: usize,
    /// What a flush and a compaction of level 0 manage, in bytes a second.
    flush_rate: u64,
    compaction_rate: u64,
}

impl Pressure {
    /// Bytes a second that may be written, if there is a limit. In the middle between slow and stop that is
    /// what the compaction manages, so that level 0 stays there under a steady load.
    fn allowed(&self) -> Option<u64> {
        let range = self.level0_stop.saturating_sub(self.level0_slow).max(1) as u64;
        let room = self.level0_stop.saturating_sub(self.level0) as u64;
        let of_compaction = (self.level0 > self.level0_slow)
            .then(|| self.compaction_rate.saturating_mul(2).saturating_mul(room) / range)
            .map(|rate| rate.max(self.compaction_rate / 8));
        let of_flush = (self.sealed >= MAX_SEALED).then_some(self.flush_rate);
        of_compaction.into_iter().chain(of_flush).min().map(|rate| rate.max(1 << 16))
    }
}

/// The pace of writes.
#[derive(Default)]
pub(super) struct Pace {
    /// What a write owes for each KiB, in nanoseconds; 0: go ahead.
    cost: AtomicU64,
    /// Nanoseconds owed. Locked while they are slept off, so that all writers together keep the pace.
    owed: Mutex<u64>,
    flush_rate: AtomicU64,
    compaction_rate: AtomicU64,
    /// Writes that wait now.
    waiting: AtomicUsize,
}

/// A write that may have to wait: counts as stalled from the first time that it does.
pub(super) struct Waiter<'a> {
    writer: &'a Writer,
    patience: Option<Duration>,
    began: Option<Duration>,
    /// Time waited by the timers, for a clock that stands still.
    waited: Duration,
}

impl Waiter<'_> {
    fn clock(&self) -> Duration {
        self.writer.catalogue.tables().vfs.monotonic()
    }

    fn spent(&self) -> Duration {
        self.began.map_or(Duration::ZERO, |began| self.clock().saturating_sub(began).max(self.waited))
    }

    /// What is left of the patience, at most `limit`. Begins to count. `TimedOut` if nothing is left.
    fn begin(&mut self, limit: Duration) -> Result<Duration> {
        let pace = &self.writer.pace;
        if self.began.is_none() {
            if self.patience == Some(Duration::ZERO) {
                return Err(timed_out());
            }
            self.began = Some(self.clock());
            self.writer.health.meters.add(Counter::WriteStalls, 1);
            pace.waiting.fetch_add(1, Ordering::Relaxed);
        }
        let left = self.patience.map(|patience| patience.saturating_sub(self.spent()));
        match left {
            Some(Duration::ZERO) => Err(timed_out()),
            left => Ok(left.map_or(limit, |left| left.min(limit))),
        }
    }

    /// Until something has made room, or it is time to look again. `TimedOut` if the patience is at its end.
    fn wait_for_room(&mut self) -> Result<()> {
        let limit = self.begin(LOOK_AGAIN)?;
        if !self.writer.room.wait(limit) {
            self.waited += limit;
        }
        Ok(())
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if self.began.is_some() {
            let nanos = u64::try_from(self.spent().as_nanos()).unwrap_or(u64::MAX);
            self.writer.health.meters.add(Counter::WriteStallTime, nanos);
            self.writer.pace.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn timed_out() -> Error {
    Error::new(ErrorKind::TimedOut, "flush and compaction are behind, and did not catch up in time")
}

impl Writer {
    /// Whether the active memtables take a commit.
    pub(super) fn has_room(&self, section: &Section) -> bool {
        section.pauses == 0 && section.active.memory_usage() < self.options.memtable_size
    }

    /// Waits as long as the pace of writes asks of a write of `bytes`. `TimedOut` if that is longer than `patience`.
    pub(super) fn keep_pace(&self, bytes: usize, patience: Option<Duration>) -> Result<Waiter<'_>> {
        let mut waiter = Waiter { writer: self, patience, began: None, waited: Duration::ZERO };
        let cost = self.pace.cost.load(Ordering::Relaxed);
        if cost > 0 {
            self.pay((bytes as u64).saturating_mul(cost) >> 10, &mut waiter)?;
        }
        Ok(waiter)
    }

    /// Enters the commit section with room in the active memtables, or once there is no need of it. `TimedOut` if the patience
    /// of `waiter` ends before.
    pub(super) fn section_with_room(
        &self,
        waiter: &mut Waiter<'_>,
        done: impl Fn() -> bool,
    ) -> Result<MutexGuard<'_, Section>> {
        let failures = self.health.failures();
        let mut stall = None;
        loop {
            let mut section = self.lock();
            if done() {
                return Ok(section);
            }
            self.health.check_write()?;
            if section.pauses > 0 {
                drop(section);
                waiter.wait_for_room()?;
                continue;
            }
            if self.has_room(&section) {
                return Ok(section);
            }
            let Some(job) = self.waits_for() else {
                self.seal_in(&mut section)?;
                self.update_pace();
                return Ok(section);
            };
            drop(section);
            stall.get_or_insert_with(|| self.health.meters.begin_stall(job.name()));
            // Waiting helps no more if the job has failed since it began, or has given up on damage.
            let failed = self.health.failures() != failures;
            if let Some(error) = self.health.trouble_of(job)
                && (failed || error.kind() == ErrorKind::Corruption)
            {
                return Err(error);
            }
            self.flush.notify();
            waiter.wait_for_room()?;
        }
    }

    /// Sleeps off what is owed, once it is worth a sleep.
    fn pay(&self, nanos: u64, waiter: &mut Waiter<'_>) -> Result<()> {
        let nanos = nanos.min(LONGEST_NAP.as_nanos() as u64);
        let mut owed = match self.pace.owed.try_lock() {
            Some(owed) => owed,
            None => {
                let left = waiter.begin(Duration::MAX)?;
                let owed = match waiter.patience {
                    Some(_) => self.pace.owed.try_lock_for(left),
                    None => Some(self.pace.owed.lock()),
                };
                owed.ok_or_else(timed_out)?
            }
        };
        let nap = Duration::from_nanos(owed.saturating_add(nanos)).min(LONGEST_NAP);
        if nap < SHORTEST_NAP {
            *owed += nanos;
            return Ok(());
        }
        if waiter.begin(nap)? < nap {
            return Err(timed_out());
        }
        self.catalogue.tables().vfs.sleep(nap);
        waiter.waited += nap;
        *owed = 0;
        Ok(())
    }

    /// The job that is too far behind to seal the active memtables, if one is.
    fn waits_for(&self) -> Option<BackgroundJob> {
        let view = self.catalogue.view().load();
        if view.sealed.len() >= MAX_SEALED {
            return Some(BackgroundJob::Flush);
        }
        (view.version.most_level0_tables() >= self.options.level0_stop).then_some(BackgroundJob::Compaction)
    }

    /// Notes that a flush of so many bytes of memtables took this long, and tells those that wait.
    pub fn note_flushed(&self, bytes: u64, time: Duration) {
        note_rate(&self.pace.flush_rate, bytes, time);
        self.update_pace();
        self.room.notify();
    }

    /// Notes that a compaction of so many bytes of level 0 took this long, and tells those that wait.
    pub fn note_compacted(&self, bytes: u64, time: Duration) {
        note_rate(&self.pace.compaction_rate, bytes, time);
        self.update_pace();
        self.room.notify();
    }

    /// Fits the pace of writes to how far behind the background is.
    fn update_pace(&self) {
        let view = self.catalogue.view().load();
        let measured = |rate: &AtomicU64| match rate.load(Ordering::Relaxed) {
            0 => UNMEASURED,
            rate => rate,
        };
        let pressure = Pressure {
            sealed: view.sealed.len(),
            level0: view.version.most_level0_tables(),
            level0_slow: self.options.level0_slow,
            level0_stop: self.options.level0_stop,
            flush_rate: measured(&self.pace.flush_rate),
            compaction_rate: measured(&self.pace.compaction_rate),
        };
        let cost = pressure.allowed().map_or(0, |rate| (1_000_000_000 << 10) / rate);
        self.pace.cost.store(cost, Ordering::Relaxed);
    }

    /// Writes that wait now for flush or compaction.
    pub fn stalled(&self) -> usize {
        self.pace.waiting.load(Ordering::Relaxed)
    }
}

/// A moving average; a job without bytes or time says nothing.
fn note_rate(rate: &AtomicU64, bytes: u64, time: Duration) {
    let nanos = time.as_nanos();
    if bytes == 0 || nanos == 0 {
        return;
    }
    let now = u64::try_from(u128::from(bytes) * 1_000_000_000 / nanos).unwrap_or(u64::MAX).max(1);
    let before = rate.load(Ordering::Relaxed);
    rate.store(if before == 0 { now } else { before / 4 * 3 + now / 4 }, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Pressure = Pressure {
        sealed: 0,
        level0: 0,
        level0_slow: 12,
        level0_stop: 20,
        flush_rate: 100 << 20,
        compaction_rate: 40 << 20,
    };

    #[test]
    fn writes_slow_down_by_degrees() {
        let mut last = u64::MAX;
        for level0 in 0..=20 {
            let allowed = Pressure { level0, ..CALM }.allowed();
            assert_eq!(allowed.is_some(), level0 > 12, "{level0} tables");
            let Some(allowed) = allowed else { continue };
            assert!(allowed < last, "{level0} tables");
            assert!(last == u64::MAX || last - allowed <= 20 << 20, "no cliff at {level0} tables");
            last = allowed;
        }
        assert_eq!(Pressure { level0: 16, ..CALM }.allowed(), Some(40 << 20), "in the middle: in balance");
        assert_eq!(Pressure { level0: 99, ..CALM }.allowed(), Some(5 << 20), "never nothing");
    }

    #[test]
    fn a_slow_flush_sets_the_pace() {
        assert_eq!(Pressure { sealed: 1, ..CALM }.allowed(), None);
        assert_eq!(Pressure { sealed: 2, ..CALM }.allowed(), Some(100 << 20));
        assert_eq!(Pressure { sealed: 2, level0: 16, ..CALM }.allowed(), Some(40 << 20));
    }

    #[test]
    fn rates_follow_what_is_measured() {
        let rate = AtomicU64::new(0);
        note_rate(&rate, 0, Duration::from_secs(1));
        note_rate(&rate, 100, Duration::ZERO);
        assert_eq!(rate.load(Ordering::Relaxed), 0);
        note_rate(&rate, 4000, Duration::from_secs(2));
        assert_eq!(rate.load(Ordering::Relaxed), 2000);
        note_rate(&rate, 4000, Duration::from_secs(1));
        assert_eq!(rate.load(Ordering::Relaxed), 2500);
    }
}
