//! Time, processor time and memory of this process.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

fn processor_time(who: UsageWho) -> Duration {
    let Ok(usage) = getrusage(who) else { return Duration::ZERO };
    let parts = [usage.user_time(), usage.system_time()];
    let micros: i64 = parts.iter().map(|part| part.tv_sec() * 1_000_000 + part.tv_usec()).sum();
    Duration::from_micros(micros.unsigned_abs())
}

/// Processor time of the calling thread so far.
pub fn thread_time() -> Duration {
    processor_time(UsageWho::RUSAGE_THREAD)
}

/// Measures a stretch of work of the calling thread, and what other threads of the process did meanwhile.
pub struct Stopwatch {
    begin: Instant,
    process: Duration,
    thread: Duration,
}

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Self {
        let (process, thread) = (processor_time(UsageWho::RUSAGE_SELF), thread_time());
        Stopwatch { begin: Instant::now(), process, thread }
    }

    /// Seconds so far.
    pub fn seconds(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }

    /// Processor seconds that others have used for each second that went by. `workers` is the processor time of
    /// threads that did the measured work beside the calling one.
    pub fn background(&self, workers: Duration) -> f64 {
        let all = processor_time(UsageWho::RUSAGE_SELF).saturating_sub(self.process);
        let measured = thread_time().saturating_sub(self.thread) + workers;
        all.saturating_sub(measured).as_secs_f64() / self.seconds().max(1e-9)
    }
}

/// Bytes that this process has given to the disk so far.
fn written_bytes() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok()).unwrap_or(0)
}

const WINDOW: Duration = Duration::from_millis(50);
const QUIET_WINDOWS: u32 = 4;

/// Waits until no other thread of the process works or writes: for engines that do not say when their background
/// work is done. Gives back how long it was quiet at the end.
pub fn wait_until_quiet() -> Duration {
    let mut quiet = 0;
    while quiet < QUIET_WINDOWS {
        let (busy, written) = (processor_time(UsageWho::RUSAGE_SELF) - thread_time(), written_bytes());
        thread::sleep(WINDOW);
        let worked = (processor_time(UsageWho::RUSAGE_SELF) - thread_time()).saturating_sub(busy);
        let still = worked < WINDOW / 25 && written_bytes() == written;
        quiet = if still { quiet + 1 } else { 0 };
    }
    WINDOW * QUIET_WINDOWS
}

/// Bytes of memory of this process that are no pages of files.
pub fn own_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:")?.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// Gives memory that earlier work has freed back to the operating system.
#[allow(unsafe_code, reason = "a call of the C library that takes no pointer")]
fn trim_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Runs `work`, and gives back with its result by how many bytes memory grew at most.
pub fn watch_memory<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let (peak, done) = (AtomicU64::new(0), AtomicBool::new(false));
    trim_memory();
    let before = own_memory();
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(own_memory(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(10));
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    });
    let peak = peak.into_inner().max(own_memory());
    (result, peak.saturating_sub(before))
}
