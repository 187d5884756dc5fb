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
use crate::health::Health;
use crate::metrics::{Counter, Timed};
use crate::sync::{Arc, AtomicU64, Condvar, Mutex, MutexGuard, Ordering, Signal};
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

/// When so much of the log was written since the last time, it is synced although nobody waits for it: so there is
/// little left to wait for when it is sealed.
const AHEAD: u64 = 4 << 20;

/// Who syncs the log, and how far it is.
pub(super) struct GroupSync {
    state: Mutex<State>,
    /// Wakes the thread that syncs the log ahead.
    ahead: Signal,
    changed: Condvar,
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
}

impl State {
    fn new(log: CurrentLog) -> Self {
        let patience = Duration::ZERO;
        let ahead_at = log.written + AHEAD;
        State { log, ahead_at, running: false, round: 0, waiting: 0, expected: 0, timed: None, patience }
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
        GroupSync { state, ahead: Signal::default(), changed: Condvar::new(), clock }
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
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until everything in front of `position` is on stable storage, with others if there are some.
    pub fn wait(&self, position: Position, health: &Health) -> Result<()> {
        let mut state = self.state.lock();
        let mut counted = None;
        let mut patient = true;
        loop {
            if state.is_durable(position) {
                return Ok(());
            }
            if health.is_halted() {
                // Those that rely on this thread's clock.
                self.changed.notify_all();
                return Err(health.halted());
            }
            if counted != Some(state.round) {
                counted = Some(state.round);
                state.waiting += 1;
            }
            let company_to_come = state.waiting < state.expected && !state.patience.is_zero();
            if state.running || (company_to_come && patient && state.timed == Some(state.round)) {
                self.changed.wait(&mut state);
            } else if company_to_come && patient {
                state.timed = Some(state.round);
                let patience = state.patience;
                patient = !self.changed.wait_for(&mut state, patience).timed_out();
                if state.timed == counted {
                    state.timed = None;
                }
            } else {
                return self.sync(state, health);
            }
        }
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
            self.changed.wait(&mut state);
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
        self.0.state.lock().running = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::ErrorKind;
    use crate::sync::{AtomicBool, AtomicUsize};
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
        GroupSync { state, ahead: Signal::default(), changed: Condvar::new(), clock }
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
