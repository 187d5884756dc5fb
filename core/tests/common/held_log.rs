//! A disk in memory whose log writes can be held back, so that commits pile up behind one.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use lightning_db::vfs::{MemoryVfs, OpenMode, Vfs, VfsFile};

use super::forward::{forward_file, forward_vfs};

/// Closed: a log write waits, and says so.
#[derive(Debug, Default)]
pub struct LogGate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    held: usize,
}

impl LogGate {
    pub fn close(&self) {
        self.state.lock().unwrap().closed = true;
    }

    pub fn open(&self) {
        self.state.lock().unwrap().closed = false;
        self.changed.notify_all();
    }

    /// Waits until a log write stands at the gate.
    pub fn wait_for_write(&self) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |state| state.held == 0).unwrap());
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.held += 1;
        self.changed.notify_all();
        state = self.changed.wait_while(state, |state| state.closed).unwrap();
        state.held -= 1;
    }
}

/// A [`MemoryVfs`] with a gate before its log writes, a clock that runs, and syncs of logs that take `sync_time`.
#[derive(Clone, Debug)]
pub struct HeldLogVfs {
    pub disk: MemoryVfs,
    pub gate: Arc<LogGate>,
    pub sync_time: Duration,
    begun: Instant,
}

impl HeldLogVfs {
    pub fn new(sync_time: Duration) -> Self {
        HeldLogVfs { disk: MemoryVfs::default(), gate: Arc::default(), sync_time, begun: Instant::now() }
    }
}

impl Vfs for HeldLogVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        let file = self.disk.open(path, mode)?;
        if path.extension().is_some_and(|extension| extension == "log") {
            return Ok(Arc::new(HeldLog { file, vfs: self.clone() }));
        }
        Ok(file)
    }
    fn monotonic(&self) -> Duration {
        self.begun.elapsed()
    }
    forward_vfs!(disk, spawn);
}

#[derive(Debug)]
struct HeldLog {
    file: Arc<dyn VfsFile>,
    vfs: HeldLogVfs,
}

impl VfsFile for HeldLog {
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.vfs.gate.pass();
        self.file.write_at(buf, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        std::thread::sleep(self.vfs.sync_time);
        self.file.sync_data()
    }
    forward_file!(file, len, read_at);
}
