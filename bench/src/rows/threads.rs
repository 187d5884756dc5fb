//! Rows of several threads.

use std::cell::Cell;
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::meter::thread_time;

/// What threads did together.
pub struct Together<T> {
    /// Of each thread.
    pub results: Vec<T>,
    /// From the first start to the last end.
    pub seconds: f64,
    /// Processor time of the threads.
    pub processor: Duration,
}

/// Lets threads start together.
pub struct Start<'a> {
    barrier: &'a Barrier,
    begins: &'a Mutex<Vec<Instant>>,
    waited: Cell<bool>,
}

impl Start<'_> {
    /// Waits until all are ready.
    pub fn wait(&self) {
        self.waited.set(true);
        self.barrier.wait();
        self.begins.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
    }
}

impl Drop for Start<'_> {
    /// One that fails while it gets ready must not keep the others waiting.
    fn drop(&mut self) {
        if !self.waited.get() {
            self.barrier.wait();
        }
    }
}

/// Runs `work` on threads. Each gets ready and then waits for the start.
pub fn on_threads<T: Send>(
    threads: usize,
    work: impl Fn(usize, Start<'_>) -> Result<T> + Sync,
) -> Result<Together<T>> {
    let (barrier, begins) = (Barrier::new(threads), Mutex::new(Vec::new()));
    let (work, barrier, begins) = (&work, &barrier, &begins);
    let ended = thread::scope(|scope| {
        let worker = |thread| {
            move || {
                let result = work(thread, Start { barrier, begins, waited: Cell::new(false) });
                (result, Instant::now(), thread_time())
            }
        };
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(worker(thread))).collect();
        let join =
            |worker: thread::ScopedJoinHandle<'_, _>| worker.join().map_err(|_| anyhow!("a thread panicked"));
        workers.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    let begin = begins.lock().unwrap_or_else(PoisonError::into_inner).iter().min().copied();
    let mut together = Together { results: Vec::new(), seconds: 0.0, processor: Duration::ZERO };
    for (result, end, processor) in ended {
        together.results.push(result?);
        let time = begin.map_or(Duration::ZERO, |begin| end.saturating_duration_since(begin));
        together.seconds = together.seconds.max(time.as_secs_f64());
        together.processor += processor;
    }
    Ok(together)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_fails_early_stops_nobody() {
        let together = on_threads(3, |thread, start| {
            if thread == 1 {
                return Err(anyhow!("no session"));
            }
            start.wait();
            Ok(thread)
        });
        assert_eq!(together.err().map(|error| error.to_string()).as_deref(), Some("no session"));
        let together = on_threads(2, |thread, start| {
            start.wait();
            Ok(thread)
        });
        assert_eq!(together.expect("results").results, [0, 1]);
    }
}
