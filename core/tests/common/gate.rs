//! A file system on which threads meet, or are held up, when they make a table.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use lightning_db::vfs::{MemoryVfs, OpenMode, Vfs, VfsFile};

use super::forward::forward_vfs;

/// Holds up the threads whose names begin alike, from the first table that they make on.
#[derive(Debug)]
pub struct Gate {
    prefix: &'static str,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Closed until so many are inside.
    wanted: usize,
    inside: usize,
    most: usize,
}

impl Gate {
    /// An open gate for threads of these names.
    pub fn for_threads(prefix: &'static str) -> Self {
        Gate { prefix, state: Mutex::default(), changed: Condvar::new() }
    }

    /// From now on a thread waits inside until so many are there.
    pub fn meet(&self, wanted: usize) {
        self.state.lock().unwrap().wanted = wanted;
    }

    /// Lets all go on.
    pub fn open(&self) {
        self.meet(0);
        self.changed.notify_all();
    }

    /// Most threads that were inside at once.
    pub fn most_inside(&self) -> usize {
        self.state.lock().unwrap().most
    }

    fn pass(&self) {
        let thread = std::thread::current();
        let mut state = self.state.lock().unwrap();
        if state.wanted == 0 || !thread.name().is_some_and(|name| name.starts_with(self.prefix)) {
            return;
        }
        state.inside += 1;
        state.most = state.most.max(state.inside);
        self.changed.notify_all();
        while state.inside < state.wanted && state.most < state.wanted {
            state = self.changed.wait_timeout(state, Duration::from_millis(20)).unwrap().0;
        }
        state.inside -= 1;
    }
}

/// Opens a gate at the end of a test, also of one that fails: who is held up could not be joined.
pub struct Opener(pub Arc<Gate>);

impl Drop for Opener {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A disk in memory behind a gate.
#[derive(Debug)]
pub struct GateVfs {
    inner: MemoryVfs,
    gate: Arc<Gate>,
}

impl GateVfs {
    /// The disk `inner`.
    pub fn new(inner: MemoryVfs, gate: Arc<Gate>) -> Self {
        GateVfs { inner, gate }
    }
}

impl Vfs for GateVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        if mode == OpenMode::CreateNew && path.extension().is_some_and(|extension| extension == "table") {
            self.gate.pass();
        }
        self.inner.open(path, mode)
    }

    forward_vfs!(inner, monotonic, spawn);
}
