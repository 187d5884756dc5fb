//! A world in which nothing happens but what the test does: no threads, a clock that sleeps move, every call written down.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::Random;
use lightning_db::vfs::{FileType, OpenMode, Vfs, VfsFile, VfsLock, VfsThread};

/// Threads that the engine believes to run. The test does their work itself, by `Database::work_now`; that of
/// `lightning-memory`, which only has memory at hand, nobody does. Others are refused: who asks does without.
const STEPPED: &[&str] =
    &["lightning-log", "lightning-sync", "lightning-flush", "lightning-memory", "lightning-compact"];

/// A numbered call of the disk, whether it succeeds or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    pub what: What,
    pub path: PathBuf,
    /// The old name of a rename.
    pub from: PathBuf,
    pub offset: u64,
    pub bytes: Vec<u8>,
    /// Whether it succeeded.
    pub done: bool,
}

/// The kind of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the methods of the traits")]
pub enum What {
    Create,
    Write,
    SetLen,
    Preallocate,
    SyncData,
    SyncAll,
    Rename,
    Remove,
    CreateDir,
    RemoveDir,
    SyncDir,
    Lock,
}

#[derive(Debug, Default)]
struct World {
    clock: Mutex<Duration>,
    trace: Mutex<Option<Vec<Traced>>>,
    dead: AtomicBool,
    random: Mutex<Option<Random>>,
}

impl World {
    /// Does a call and writes it down, unless the process counts as dead.
    fn call<T>(
        &self,
        what: What,
        path: &Path,
        at: (u64, &[u8]),
        call: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        if self.dead.load(Ordering::Relaxed) {
            return Err(io::Error::other("the process is dead"));
        }
        let result = call();
        if let Some(trace) = &mut *self.trace.lock().unwrap() {
            let (offset, bytes) = (at.0, at.1.to_vec());
            let (path, from, done) = (path.to_owned(), PathBuf::new(), result.is_ok());
            trace.push(Traced { what, path, from, offset, bytes, done });
        }
        result
    }
}

/// A disk in a world that stands still.
#[derive(Clone, Debug)]
pub struct Stepped {
    inner: Arc<dyn Vfs>,
    world: Arc<World>,
}

impl Stepped {
    pub fn over(inner: impl Vfs) -> Self {
        Stepped { inner: Arc::new(inner), world: Arc::default() }
    }

    /// With random numbers that do not come from the disk.
    pub fn with_random(self, seed: u64) -> Self {
        *self.world.random.lock().unwrap() = Some(Random(seed));
        self
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        *self.world.clock.lock().unwrap() += time;
    }

    /// Writes down the calls from now on.
    pub fn begin_trace(&self) {
        *self.world.trace.lock().unwrap() = Some(Vec::new());
    }

    /// The calls that were written down.
    pub fn take_trace(&self) -> Vec<Traced> {
        self.world.trace.lock().unwrap().take().unwrap_or_default()
    }

    /// Does what a killed process would do: nothing. For the drop of what it had open.
    pub fn dead<T>(&self, work: impl FnOnce() -> T) -> T {
        self.world.dead.store(true, Ordering::Relaxed);
        let done = work();
        self.world.dead.store(false, Ordering::Relaxed);
        done
    }

    fn call<T>(&self, what: What, path: &Path, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.world.call(what, path, (0, &[]), call)
    }
}

/// A thread that has nothing to do.
struct Idle;

impl VfsThread for Idle {
    fn join(self: Box<Self>) {}
}

impl Vfs for Stepped {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        let open = || self.inner.open(path, mode);
        let file = if mode == OpenMode::CreateNew { self.call(What::Create, path, open)? } else { open()? };
        Ok(Arc::new(SteppedFile { inner: file, path: path.to_owned(), world: Arc::clone(&self.world) }))
    }
    fn file_type(&self, path: &Path) -> io::Result<Option<FileType>> {
        self.inner.file_type(path)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.inner.list(folder)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let renamed = self.call(What::Rename, to, || self.inner.rename(from, to));
        if let Some(call) = self.world.trace.lock().unwrap().as_mut().and_then(|trace| trace.last_mut())
            && call.what == What::Rename
        {
            call.from = from.to_owned();
        }
        renamed
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(What::Remove, path, || self.inner.remove(path))
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call(What::CreateDir, path, || self.inner.create_dir(path))
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.call(What::RemoveDir, path, || self.inner.remove_dir(path))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call(What::SyncDir, path, || self.inner.sync_dir(path))
    }
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.inner.canonicalize(path)
    }
    /// Counts if it makes the file.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn VfsLock>> {
        let is_there = matches!(self.inner.file_type(path), Ok(Some(_)));
        let lock = || self.inner.lock(path);
        if is_there { lock() } else { self.call(What::Lock, path, lock) }
    }
    fn now(&self) -> Duration {
        Duration::from_secs(1_700_000_000) + self.monotonic()
    }
    fn monotonic(&self) -> Duration {
        *self.world.clock.lock().unwrap()
    }
    fn random(&self, buf: &mut [u8]) -> io::Result<()> {
        match &mut *self.world.random.lock().unwrap() {
            Some(random) => buf.iter_mut().for_each(|byte| *byte = random.next() as u8),
            None => self.inner.random(buf)?,
        }
        Ok(())
    }
    fn sleep(&self, time: Duration) {
        self.advance(time);
    }
    fn spawn(&self, name: &str, _work: Box<dyn FnOnce() + Send>) -> io::Result<Box<dyn VfsThread>> {
        if STEPPED.iter().any(|stepped| name.starts_with(stepped)) {
            return Ok(Box::new(Idle));
        }
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[derive(Debug)]
struct SteppedFile {
    inner: Arc<dyn VfsFile>,
    path: PathBuf,
    world: Arc<World>,
}

impl SteppedFile {
    fn call<T>(&self, what: What, at: (u64, &[u8]), call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.world.call(what, &self.path, at, call)
    }
}

impl VfsFile for SteppedFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.inner.read_at(buf, offset)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.call(What::Write, (offset, buf), || self.inner.write_at(buf, offset))
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.call(What::SetLen, (len, &[]), || self.inner.set_len(len))
    }
    fn preallocate(&self, len: u64) -> io::Result<()> {
        self.call(What::Preallocate, (len, &[]), || self.inner.preallocate(len))
    }
    fn sync_data(&self) -> io::Result<()> {
        self.call(What::SyncData, (0, &[]), || self.inner.sync_data())
    }
    fn sync_all(&self) -> io::Result<()> {
        self.call(What::SyncAll, (0, &[]), || self.inner.sync_all())
    }
}
