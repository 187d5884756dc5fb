//! How often this process was made by `fork`: a child has its parent's handles, and none of its threads.

// The C library is asked to call a function in the child.
#![allow(unsafe_code)]

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
        extern "C" fn in_child() {
            FORKS.fetch_add(1, Ordering::Relaxed);
        }
        WATCHED.call_once(|| {
            // SAFETY: the function may be called at any time in a child: it adds to an atomic and does nothing else. It
            // is there for as long as the engine's code is: the C library forgets it when that is unloaded.
            let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        });
    }
    forks()
}
