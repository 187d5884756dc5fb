//! Group sync: one thread syncs for all that wait, while others go on appending.
//!
//! After a sync that released several threads the next one is put off, for half as long as a sync takes at
//! most, until as many wait again: else the first to come back would sync for itself, and all others would
//! wait for two syncs. A thread that is alone never waits.
//!
//! A log is synced by one thread at a time. An operating system reports a failed write-back to one sync
//! only, so a second one beside it could be told that all is well.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::error::Result;
use crate::base::ids::FileNumber;
use crate::base::planted::{Plant, planted};
use crate::health::Health;
use crate::metrics::{Counter, Timed};
use crate::sync::{
    Arc, AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, Signal, Sleeper, Sleepers, yield_now,
};
use crate::vfs::{Vfs, VfsFile};
use crate::wal::{self, LogWriter};

/// A place in the log: a commit is durable once all in front of it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    log: FileNumber,
    end: u64,
}

/// A sync is put off for no longer than this.
const MAX_PATIENCE: Duration = Duration::from_millis(1);

/// A thread that looks out gives up after so many looks, should the clock stand still.
const MOST_LOOKS: usize = 10_000;

/// When so much of the log was written since the last time, it is synced although nobody waits for it: so there is
/// little left to wait for when it is sealed.
const AHEAD: u64 = 4 << 20;

/// Who syncs the log, and how far it is.
pub(super) struct GroupSync {
    state: Mutex<State>,
    /// A thread that waits keeps looking.
    looking_out: AtomicBool,
    /// Wakes the thread that syncs the log ahead.
    ahead: Signal,
    clock: Arc<dyn Vfs>,
}

struct State {
    log: CurrentLog,
    /// Length of the log at which it is synced ahead.
    ahead_at: u64,
    /// Somebody is syncing.
    running: bool,
    /// Rises with each sync that begins.
    round: u64,
    /// Threads that wait for the sync of this round, which has not begun.
    waiting: usize,
    /// So many are worth waiting for.
    expected: usize,
    /// The round in which a thread looks at the clock for all.
    timed: Option<u64>,
    /// How long the sync is put off.
    patience: Duration,
    /// Threads that wait for a change.
    sleepers: Sleepers,
}

impl State {
    fn new(log: CurrentLog) -> Self {
        let patience = Duration::ZERO;
        let ahead_at = log.written + AHEAD;
        let (running, round, waiting, expected, timed, sleepers) = Default::default();
        State { log, ahead_at, running, round, waiting, expected, timed, patience, sleepers }
    }

    fn is_durable(&self, position: Position) -> bool {
        self.log.number > position.log || self.log.durable.load(Ordering::Acquire) >= position.end
    }
}

#[derive(Clone)]
struct CurrentLog {
    number: FileNumber,
    path: PathBuf,
    file: Arc<dyn VfsFile>,
    durable: Arc<AtomicU64>,
    written: u64,
}

impl CurrentLog {
    fn of(log: &LogWriter) -> Self {
        CurrentLog {
            number: log.number(),
            path: log.path().to_owned(),
            file: Arc::clone(log.file()),
            durable: Arc::clone(log.durable()),
            written: log.written(),
        }
    }
}

impl GroupSync {
    /// Syncs the log; `clock` tells how long that takes.
    pub fn new(log: &LogWriter, clock: Arc<dyn Vfs>) -> Self {
        let state = Mutex::new(State::new(CurrentLog::of(log)));
        GroupSync { state, looking_out: AtomicBool::new(false), ahead: Signal::default(), clock }
    }

    /// Where the log ends now.
    pub fn position(&self, log: &LogWriter) -> Position {
        Position { log: log.number(), end: log.end() }
    }

    /// The operating system has more of the log.
    pub fn written(&self, log: &LogWriter) {
        let mut state = self.state.lock();
        if state.log.number == log.number() {
            state.log.written = log.written();
        }
        let unsynced = || state.log.written.saturating_sub(state.log.durable.load(Ordering::Acquire));
        if state.log.written >= state.ahead_at && unsynced() >= AHEAD {
            state.ahead_at = state.log.written + AHEAD;
            drop(state);
            self.ahead.notify();
        }
    }

    /// Told when the log is worth a sync ahead.
    pub fn ahead(&self) -> &Signal {
        &self.ahead
    }

    /// Syncs the log for nobody.
    pub fn sync_ahead(&self, health: &Health) -> Result<()> {
        self.sync(self.wait_for_turn(), health)
    }

    /// The log was replaced; all of the old one is durable.
    pub fn replaced(&self, log: &LogWriter) {
        let mut state = self.state.lock();
        state.log = CurrentLog::of(log);
        state.ahead_at = state.log.written + AHEAD;
        let sleepers = state.sleepers.take();
        drop(state);
        sleepers.wake();
    }

    /// Waits until everything in front of `position` is on stable storage, with others if there are some.
    pub fn wait(&self, position: Position, health: &Health) -> Result<()> {
        if planted(Plant::StrongUnsynced) {
            return Ok(());
        }
        let mut state = self.state.lock();
        let mut counted = None;
        let mut patient = true;
        loop {
            if state.is_durable(position) {
                return Ok(());
            }
            if health.is_halted() {
                // Those that rely on this thread's clock.
                let sleepers = state.sleepers.take();
                drop(state);
                sleepers.wake();
                return Err(health.halted());
            }
            if counted != Some(state.round) {
                counted = Some(state.round);
                state.waiting += 1;
            }
            let company_to_come = state.waiting < state.expected && !state.patience.is_zero();
            let wait_for_company = company_to_come && patient;
            if !state.running && !wait_for_company {
                return self.sync(state, health);
            }
            let limit = (!state.running && state.timed != Some(state.round)).then_some(state.patience);
            if limit.is_some() {
                state.timed = Some(state.round);
            }
            let durable = Arc::clone(&state.log.durable);
            let is_done = || durable.load(Ordering::Acquire) >= position.end;
            let look_out = (state.expected > 1).then_some(4 * state.patience);
            let sleeper = state.sleepers.add();
            drop(state);
            patient &= self.rest(&sleeper, limit, look_out, is_done);
            // Most are done, and do not wait for each other.
            if is_done() {
                return Ok(());
            }
            state = self.state.lock();
            if limit.is_some() {
                state.sleepers.remove(&sleeper);
                if state.timed == counted {
                    state.timed = None;
                }
            }
        }
    }

    /// Until the calling thread is woken or `is_done` says so, or for `limit`: `false` then. It may look out for so long.
    fn rest(
        &self,
        sleeper: &Sleeper,
        limit: Option<Duration>,
        look_out: Option<Duration>,
        is_done: impl Fn() -> bool,
    ) -> bool {
        match look_out.and_then(|longest| self.look_out(sleeper, limit.unwrap_or(longest), is_done)) {
            Some(true) => true,
            Some(false) if limit.is_some() => false,
            _ => limit.map_or_else(|| sleeper.sleep(), |limit| sleeper.sleep_for(limit)),
        }
    }

    /// One of those that wait keeps a processor awake: it looks again and again, for `limit` at most. A processor that has gone
    /// to sleep takes longer to wake than eight commits take. `false`: the time is over; `None`: another one does it.
    fn look_out(&self, sleeper: &Sleeper, limit: Duration, is_done: impl Fn() -> bool) -> Option<bool> {
        if self.looking_out.swap(true, Ordering::Acquire) {
            return None;
        }
        let begun = self.clock.monotonic();
        let seen = (0..MOST_LOOKS).find_map(|_| {
            if is_done() || sleeper.is_woken() {
                return Some(true);
            }
            yield_now();
            (self.clock.monotonic().saturating_sub(begun) >= limit).then_some(false)
        });
        self.looking_out.store(false, Ordering::Release);
        Some(seen.unwrap_or(false))
    }

    /// As [`GroupSync::wait`], for a thread in the commit section: nobody else can come.
    pub fn wait_inside(&self, position: Position, health: &Health) -> Result<()> {
        let state = self.wait_for_turn();
        if state.is_durable(position) {
            return Ok(());
        }
        self.sync(state, health)
    }

    /// A sync after `position` was written, even if another has made it durable meanwhile.
    pub fn by_itself(&self, position: Position, health: &Health) -> Result<()> {
        let state = self.wait_for_turn();
        if state.log.number > position.log {
            return Ok(());
        }
        self.sync(state, health)
    }

    fn wait_for_turn(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        while state.running {
            let sleeper = state.sleepers.add();
            drop(state);
            sleeper.sleep();
            state = self.state.lock();
        }
        state
    }

    /// Syncs for all that wait.
    fn sync(&self, mut state: MutexGuard<'_, State>, health: &Health) -> Result<()> {
        if health.is_halted() {
            return Err(health.halted());
        }
        let log = state.log.clone();
        let group = std::mem::take(&mut state.waiting);
        state.round += 1;
        state.running = true;
        drop(state);
        let _running = Running(self);
        let begun = self.clock.monotonic();
        let sync = || wal::sync(&*log.file, &log.path, &log.durable, log.written);
        let synced = health.meters.time(Timed::LogSync, sync);
        let took = self.clock.monotonic().saturating_sub(begun);
        synced.inspect_err(|error| health.halt(error))?;
        health.meters.add(Counter::LogSyncs, 1);
        let mut state = self.state.lock();
        state.expected = group + state.waiting;
        state.patience = (took / 2).min(MAX_PATIENCE);
        Ok(())
    }

    /// Does `work` while nobody syncs.
    pub fn alone<T>(&self, work: impl FnOnce() -> T) -> T {
        self.wait_for_turn().running = true;
        let _running = Running(self);
        work()
    }
}

/// The one sync that runs; told to those that wait when it ends, however it ends.
struct Running<'a>(&'a GroupSync);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.running = false;
        let sleepers = state.sleepers.take();
        drop(state);
        sleepers.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::ErrorKind;
    use crate::sync::AtomicUsize;
    use std::io;
    use std::time::Duration;

    /// A file that takes its time to sync, and never lets two syncs overlap.
    #[derive(Debug, Default)]
    struct SlowFile {
        syncing: AtomicBool,
        syncs: AtomicUsize,
        fail: AtomicBool,
    }

    impl VfsFile for SlowFile {
        fn sync_data(&self) -> io::Result<()> {
            assert!(!self.syncing.swap(true, Ordering::AcqRel), "two syncs at once");
            std::thread::sleep(Duration::from_millis(2));
            self.syncs.fetch_add(1, Ordering::AcqRel);
            self.syncing.store(false, Ordering::Release);
            if self.fail.load(Ordering::Acquire) { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
        }
        fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
            Ok(())
        }
        fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
            Ok(())
        }
        fn len(&self) -> io::Result<u64> {
            Ok(0)
        }
        fn set_len(&self, _: u64) -> io::Result<()> {
            Ok(())
        }
        fn preallocate(&self, _: u64) -> io::Result<()> {
            Ok(())
        }
        fn sync_all(&self) -> io::Result<()> {
            self.sync_data()
        }
    }

    fn group(file: &Arc<SlowFile>) -> GroupSync {
        let file = Arc::clone(file) as Arc<dyn VfsFile>;
        let log = CurrentLog { number: 1, path: "log".into(), file, durable: Arc::default(), written: 0 };
        let clock = Arc::new(crate::vfs::OsVfs);
        let state = Mutex::new(State::new(log));
        GroupSync { state, looking_out: AtomicBool::new(false), ahead: Signal::default(), clock }
    }

    /// One byte more is written; where it ends.
    fn append(group: &GroupSync) -> Position {
        let mut state = group.state.lock();
        state.log.written += 1;
        Position { log: 1, end: state.log.written }
    }

    #[test]
    fn writers_share_syncs_and_no_two_overlap() {
        const THREADS: usize = 8;
        const ROUNDS: usize = 12;
        let (file, health) = (Arc::new(SlowFile::default()), Health::default());
        let group = group(&file);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let position = append(&group);
                        group.wait(position, &health).unwrap();
                        let durable = group.state.lock().log.durable.load(Ordering::Acquire);
                        assert!(durable >= position.end, "acknowledged before it was durable");
                    }
                });
            }
        });
        let syncs = file.syncs.load(Ordering::Acquire);
        assert!(syncs < THREADS * ROUNDS, "each commit had a sync of its own");
        group.alone(|| assert!(!file.syncing.load(Ordering::Acquire)));
    }

    #[test]
    fn who_waits_for_company_that_does_not_come_syncs_alone() {
        // By a clock that stands still too: then the looks are counted.
        let still: Arc<dyn Vfs> = Arc::new(crate::vfs::MemoryVfs::with_seed(1));
        for clock in [still, Arc::new(crate::vfs::OsVfs)] {
            let (file, health) = (Arc::new(SlowFile::default()), Health::default());
            let mut group = group(&file);
            group.clock = clock;
            {
                let mut state = group.state.lock();
                (state.expected, state.patience) = (3, Duration::from_millis(1));
            }
            let position = append(&group);
            group.wait(position, &health).unwrap();
            assert_eq!(file.syncs.load(Ordering::Acquire), 1);
            assert!(group.state.lock().is_durable(position));
            assert!(!group.looking_out.load(Ordering::Acquire));
            assert!(group.state.lock().sleepers.take().is_empty());
        }
    }

    #[test]
    fn a_sync_ahead_is_asked_for_once_for_each_part_of_the_log_that_nobody_has_synced() {
        let vfs = crate::vfs::MemoryVfs::with_seed(1);
        let folder = std::path::Path::new("/");
        let header = crate::base::header::FileHeader {
            kind: crate::base::filename::FileKind::Log,
            database_id: 1,
            number: 1,
            first_sequence: 1,
            previous_log: 0,
        };
        let mut log = LogWriter::create(&vfs, folder, header).unwrap();
        let (group, health) = (GroupSync::new(&log, Arc::new(vfs)), Health::default());
        let asked = || group.ahead().wait(Duration::ZERO);
        let mut write = |bytes: u64| {
            log.append(&[&vec![0; bytes as usize]]).unwrap();
            log.write().unwrap();
            group.written(&log);
            group.position(&log)
        };
        write(AHEAD - 1000);
        assert!(!asked());
        write(1000);
        assert!(asked());
        write(1000);
        assert!(!asked(), "once");
        group.sync_ahead(&health).unwrap();
        let position = write(AHEAD);
        assert!(asked());
        group.wait(position, &health).unwrap();
        assert!(group.state.lock().is_durable(position));
        for _ in 0..3 {
            let position = write(AHEAD / 2);
            group.wait(position, &health).unwrap();
            assert!(!asked(), "who commits syncs for himself");
        }
    }

    #[test]
    fn a_failed_sync_is_told_to_all_that_wait_and_never_tried_again() {
        let (file, health) = (Arc::new(SlowFile::default()), Health::default());
        file.fail.store(true, Ordering::Release);
        let group = group(&file);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let error = group.wait(append(&group), &health).unwrap_err();
                    assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::Halted), "{error}");
                });
            }
        });
        file.fail.store(false, Ordering::Release);
        assert_eq!(group.wait(append(&group), &health).unwrap_err().kind(), ErrorKind::Halted);
        assert_eq!(file.syncs.load(Ordering::Acquire), 1);
    }
}
