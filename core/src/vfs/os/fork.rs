//! How often this process was made by `fork`: a child has its parent's handles, and none of its threads. What the engine
//! has for the process as a whole is made good here for the child.

// The C library is asked to call functions around each fork.
#![allow(unsafe_code)]

#[cfg(unix)]
use super::lock;
#[cfg(unix)]
use crate::cache;
use crate::sync::{AtomicU64, Ordering};

/// Forks between the first process of the engine and this one.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// That number. What was noted in one process differs in its children; the children of one process are told apart by
/// nothing, and have nothing in common but what is older than both.
#[inline]
pub fn forks() -> u64 {
    FORKS.load(Ordering::Relaxed)
}

/// As [`forks`], counted from now on at the latest.
pub fn watched_forks() -> u64 {
    #[cfg(unix)]
    {
        static WATCHED: std::sync::Once = std::sync::Once::new();
        extern "C" fn before() {
            lock::hold(true);
        }
        extern "C" fn in_parent() {
            lock::hold(false);
        }
        extern "C" fn in_child() {
            FORKS.fetch_add(1, Ordering::Relaxed);
            cache::forget_other_threads();
            lock::hold(false);
        }
        WATCHED.call_once(|| {
            // SAFETY: the first two may be called in any thread: the lock that they take and release is never held across a
            // fork by the engine itself. The last one writes to atomics besides, while its thread is the only one. They
            // are there for as long as the engine's code is: the C library forgets them when that is unloaded.
            let _ = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
        });
    }
    forks()
}

/// Has a child do this: how it ended, 0 if that was `true`. `None`: it did not end in half a minute, and was killed.
#[cfg(all(test, unix))]
pub fn in_child(work: impl FnOnce() -> bool) -> Option<i32> {
    use std::time::{Duration, Instant};
    let limit = Instant::now() + Duration::from_secs(30);
    // SAFETY: the child does what its thread could do in this process, and ends without going back to the test.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(i32::from(!matches!(outcome, Ok(true)))) };
    }
    assert!(child > 0);
    let mut status = 0;
    // SAFETY: asks for the child that was just made.
    while unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == 0 {
        if Instant::now() > limit {
            // SAFETY: the child is there until it was waited for.
            unsafe { libc::kill(child, libc::SIGKILL) };
            // SAFETY: as above.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            return None;
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    Some(status)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::metrics::{Counter, Meters};
    use crate::sync::AtomicBool;
    use std::path::Path;
    use std::thread;

    /// What a new thread and an open ask for that the process has once.
    fn ask(folder: &Path, meters: &Meters) {
        for _ in 0..100 {
            let _ = lock::take(&folder.join("LOCK"));
        }
        meters.add(Counter::Flushes, 1);
        drop(cache::pin());
    }

    /// Other threads are in the midst of it at the fork. The child starts none: the standard library may hang there.
    #[test]
    fn a_child_finds_nothing_held_by_threads_of_its_parent() {
        watched_forks();
        let (meters, done) = (Meters::default(), AtomicBool::new(false));
        let folder = tempfile::tempdir().unwrap();
        let ended = thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        thread::scope(|scope| drop(scope.spawn(|| ask(folder.path(), &meters))));
                    }
                });
            }
            let child = || {
                ask(folder.path(), &meters);
                true
            };
            let ended = (0..300).map(|_| in_child(child)).find(|ended| *ended != Some(0));
            done.store(true, Ordering::Relaxed);
            ended
        });
        assert_eq!(ended, None);
    }
}
