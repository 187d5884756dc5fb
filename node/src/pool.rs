//! Threads for what would keep a JavaScript thread waiting.
//!
//! Not libuv's: its four serve files, names and ciphers of the whole process, so that slow reads would hold those up
//! and be held up by them; and each of its results crosses to JavaScript alone, while ours go there many at a time.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use lightning_db_bindings::{Error, ErrorKind, Result, guard};

/// A thread without work ends after this time.
const IDLE: Duration = Duration::from_secs(5);

/// Reads that go to the disk, and pages of scans.
pub static READS: Pool = Pool::new("lightning reads", 4);
/// Long work: opening, flushing, compacting, copying.
pub static JOBS: Pool = Pool::new("lightning jobs", 16);
/// Closing, which may have to end a job and must not wait for one.
pub static CLOSES: Pool = Pool::new("lightning closes", 16);

type Job = Box<dyn FnOnce() + Send>;

/// Some threads, started when there is work.
pub struct Pool {
    name: &'static str,
    limit: usize,
    state: Mutex<State>,
    work: Condvar,
}

struct State {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Pool {
    const fn new(name: &'static str, limit: usize) -> Pool {
        let state = State { queue: VecDeque::new(), threads: 0, idle: 0 };
        Pool { name, limit, state: Mutex::new(state), work: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a job as soon as a thread is free. Errors: `OutOfMemory` if there is no thread at all.
    pub fn run(&'static self, job: impl FnOnce() + Send + 'static) -> Result<()> {
        let mut state = self.state();
        state.queue.push_back(Box::new(job));
        if state.queue.len() <= state.idle || state.threads == self.limit {
            self.work.notify_one();
            return Ok(());
        }
        match Builder::new().name(self.name.into()).spawn(|| self.work_off()) {
            Ok(_) => state.threads += 1,
            Err(error) if state.threads == 0 => {
                let refused = state.queue.pop_back();
                drop(state);
                drop(refused);
                return Err(Error::new(
                    ErrorKind::OutOfMemory,
                    format!("no thread for {}: {error}", self.name),
                ));
            }
            // Those that are there come to it.
            Err(_) => {}
        }
        Ok(())
    }

    fn work_off(&'static self) {
        let mut state = self.state();
        loop {
            if let Some(job) = state.queue.pop_front() {
                drop(state);
                let _ = guard(|| {
                    job();
                    Ok(())
                });
                state = self.state();
                continue;
            }
            state.idle += 1;
            let (woken, timeout) =
                self.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.queue.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}
