//! Rows of several threads.

use std::cell::Cell;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::meter::thread_time;

/// What threads did together.
pub struct Together<T> {
    /// Of each thread.
    pub results: Vec<T>,
    /// From the start of all to the end of the last.
    pub seconds: f64,
    /// Processor time of the threads.
    pub processor: Duration,
}

/// Lets threads start together.
pub struct Start<'a> {
    barrier: &'a Barrier,
    waited: Cell<bool>,
}

impl Start<'_> {
    /// Waits until all are ready.
    pub fn wait(&self) {
        self.waited.set(true);
        self.barrier.wait();
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

/// Runs `work` on threads. Each gets ready and then waits for the start, which starts the clock.
pub fn on_threads<T: Send>(
    threads: usize,
    work: impl Fn(usize, Start<'_>) -> Result<T> + Sync,
) -> Result<Together<T>> {
    let barrier = Barrier::new(threads + 1);
    let (work, barrier) = (&work, &barrier);
    thread::scope(|scope| {
        let worker =
            |thread| move || (work(thread, Start { barrier, waited: Cell::new(false) }), thread_time());
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(worker(thread))).collect();
        barrier.wait();
        let begin = Instant::now();
        let mut together = Together { results: Vec::new(), seconds: 0.0, processor: Duration::ZERO };
        for worker in workers {
            let (result, processor) = worker.join().map_err(|_| anyhow!("a thread of a row panicked"))?;
            together.results.push(result?);
            together.processor += processor;
        }
        together.seconds = begin.elapsed().as_secs_f64();
        Ok(together)
    })
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
