//! Group commit: one thread syncs for all that wait, while others go on appending.
//!
//! A log is synced by one thread at a time. An operating system reports a failed write-back to one sync
//! only, so a second one beside it could be told that all is well.

use std::path::PathBuf;

use crate::base::error::Result;
use crate::base::ids::FileNumber;
use crate::health::Health;
use crate::sync::{Arc, AtomicU64, Condvar, Mutex, Ordering};
use crate::vfs::VfsFile;
use crate::wal::{self, LogWriter};

/// A place in the log: a commit is durable once all in front of it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    log: FileNumber,
    end: u64,
}

/// Who syncs the log, and how far it is.
pub(super) struct GroupSync {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    log: CurrentLog,
    /// Somebody is syncing.
    running: bool,
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
    pub fn new(log: &LogWriter) -> Self {
        let state = State { log: CurrentLog::of(log), running: false };
        GroupSync { state: Mutex::new(state), changed: Condvar::new() }
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
    }

    /// The log was replaced; all of the old one is durable.
    pub fn replaced(&self, log: &LogWriter) {
        self.state.lock().log = CurrentLog::of(log);
        self.changed.notify_all();
    }

    /// Waits until everything in front of `position` is on stable storage.
    pub fn wait(&self, position: Position, health: &Health) -> Result<()> {
        let mut state = self.state.lock();
        loop {
            let log = &state.log;
            if log.number > position.log || log.durable.load(Ordering::Acquire) >= position.end {
                return Ok(());
            }
            if health.is_halted() {
                return Err(health.halted());
            }
            if !state.running {
                break;
            }
            self.changed.wait(&mut state);
        }
        let log = state.log.clone();
        state.running = true;
        drop(state);
        let _running = Running(self);
        wal::sync(&*log.file, &log.path, &log.durable, log.written).inspect_err(|error| health.halt(error))
    }

    /// Does `work` while nobody syncs.
    pub fn alone<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut state = self.state.lock();
        while state.running {
            self.changed.wait(&mut state);
        }
        state.running = true;
        drop(state);
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
        GroupSync { state: Mutex::new(State { log, running: false }), changed: Condvar::new() }
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
