//! A disk in memory whose log writes can be held back, so that commits pile up behind one.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use lightning_db::vfs::{FileType, MemoryVfs, OpenMode, Vfs, VfsFile, VfsLock, VfsThread};

/// Closed: a log write waits, and says so.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    held: usize,
}

impl Gate {
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
pub struct GatedVfs {
    pub disk: MemoryVfs,
    pub gate: Arc<Gate>,
    pub sync_time: Duration,
    begun: Instant,
}

impl GatedVfs {
    pub fn new(sync_time: Duration) -> Self {
        GatedVfs { disk: MemoryVfs::default(), gate: Arc::default(), sync_time, begun: Instant::now() }
    }
}

impl Vfs for GatedVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        let file = self.disk.open(path, mode)?;
        if path.extension().is_some_and(|extension| extension == "log") {
            return Ok(Arc::new(GatedLog { file, vfs: self.clone() }));
        }
        Ok(file)
    }
    fn file_type(&self, path: &Path) -> io::Result<Option<FileType>> {
        self.disk.file_type(path)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.disk.list(folder)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir(path)
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path)
    }
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.disk.canonicalize(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn VfsLock>> {
        self.disk.lock(path)
    }
    fn now(&self) -> Duration {
        self.disk.now()
    }
    fn monotonic(&self) -> Duration {
        self.begun.elapsed()
    }
    fn random(&self, buf: &mut [u8]) -> io::Result<()> {
        self.disk.random(buf)
    }
    fn sleep(&self, time: Duration) {
        self.disk.sleep(time);
    }
    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<Box<dyn VfsThread>> {
        self.disk.spawn(name, work)
    }
}

#[derive(Debug)]
struct GatedLog {
    file: Arc<dyn VfsFile>,
    vfs: GatedVfs,
}

impl VfsFile for GatedLog {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_at(buf, offset)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.vfs.gate.pass();
        self.file.write_at(buf, offset)
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }
    fn preallocate(&self, len: u64) -> io::Result<()> {
        self.file.preallocate(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        std::thread::sleep(self.vfs.sync_time);
        self.file.sync_data()
    }
    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}
