//! A wrapper that writes down what is asked of a [`Vfs`].

use super::{FileType, OpenMode, Vfs, VfsFile, VfsLock, VfsThread};
use crate::sync::Mutex;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// A call on files or folders. The path of an open file is the one that it was opened by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the methods of the traits, the fields their arguments")]
pub enum Call {
    Open { path: PathBuf, mode: OpenMode },
    ReadAt { path: PathBuf, offset: u64, len: usize },
    WriteAt { path: PathBuf, offset: u64, len: usize },
    SetLen { path: PathBuf, len: u64 },
    Preallocate { path: PathBuf, len: u64 },
    SyncData { path: PathBuf },
    SyncAll { path: PathBuf },
    Map { path: PathBuf, len: u64 },
    Rename { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
    CreateDir { path: PathBuf },
    RemoveDir { path: PathBuf },
    SyncDir { path: PathBuf },
    Lock { path: PathBuf },
}

/// Passes every call on, and writes down those that open, read, change, sync or lock something and
/// succeed, in the order in which they end. A clone writes into the same list.
#[derive(Clone, Debug)]
pub struct RecordingVfs {
    inner: Arc<dyn Vfs>,
    log: Log,
}

impl RecordingVfs {
    /// Records what is asked of `inner`.
    pub fn new(inner: Arc<dyn Vfs>) -> Self {
        RecordingVfs { inner, log: Log::default() }
    }

    /// Takes the calls since the last time.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.log.0.lock())
    }

    /// How many of the calls since the last [`RecordingVfs::take`] are of a kind.
    pub fn count(&self, kind: impl Fn(&Call) -> bool) -> usize {
        self.log.0.lock().iter().filter(|call| kind(call)).count()
    }
}

#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<Call>>>);

impl Log {
    /// Notes the call if it has succeeded.
    fn note<T>(&self, result: io::Result<T>, call: impl FnOnce() -> Call) -> io::Result<T> {
        if result.is_ok() {
            self.0.lock().push(call());
        }
        result
    }
}

impl Vfs for RecordingVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        let file =
            self.log.note(self.inner.open(path, mode), || Call::Open { path: path.to_owned(), mode })?;
        Ok(Arc::new(RecordingFile { inner: file, path: path.to_owned(), log: self.log.clone() }))
    }

    fn file_type(&self, path: &Path) -> io::Result<Option<FileType>> {
        self.inner.file_type(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.inner.list(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let call = || Call::Rename { from: from.to_owned(), to: to.to_owned() };
        self.log.note(self.inner.rename(from, to), call)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.log.note(self.inner.remove(path), || Call::Remove { path: path.to_owned() })
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.log.note(self.inner.create_dir(path), || Call::CreateDir { path: path.to_owned() })
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.log.note(self.inner.remove_dir(path), || Call::RemoveDir { path: path.to_owned() })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.log.note(self.inner.sync_dir(path), || Call::SyncDir { path: path.to_owned() })
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.inner.canonicalize(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn VfsLock>> {
        self.log.note(self.inner.lock(path), || Call::Lock { path: path.to_owned() })
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn random(&self, buf: &mut [u8]) -> io::Result<()> {
        self.inner.random(buf)
    }

    fn sleep(&self, time: Duration) {
        self.inner.sleep(time);
    }

    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<Box<dyn VfsThread>> {
        self.inner.spawn(name, work)
    }
}

#[derive(Debug)]
struct RecordingFile {
    inner: Arc<dyn VfsFile>,
    path: PathBuf,
    log: Log,
}

impl RecordingFile {
    fn note<T>(&self, result: io::Result<T>, call: impl FnOnce(PathBuf) -> Call) -> io::Result<T> {
        self.log.note(result, || call(self.path.clone()))
    }
}

impl VfsFile for RecordingFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let len = buf.len();
        self.note(self.inner.read_at(buf, offset), |path| Call::ReadAt { path, offset, len })
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let len = buf.len();
        self.note(self.inner.write_at(buf, offset), |path| Call::WriteAt { path, offset, len })
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.note(self.inner.set_len(len), |path| Call::SetLen { path, len })
    }

    fn preallocate(&self, len: u64) -> io::Result<()> {
        self.note(self.inner.preallocate(len), |path| Call::Preallocate { path, len })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.note(self.inner.sync_data(), |path| Call::SyncData { path })
    }

    fn sync_all(&self) -> io::Result<()> {
        self.note(self.inner.sync_all(), |path| Call::SyncAll { path })
    }

    fn map(&self, len: u64) -> io::Result<Bytes> {
        self.note(self.inner.map(len), |path| Call::Map { path, len })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::MemoryVfs;

    #[test]
    fn what_succeeds_is_written_down() {
        let memory = MemoryVfs::default();
        let vfs = RecordingVfs::new(Arc::new(memory.clone()));
        let file = vfs.open(Path::new("/file"), OpenMode::CreateNew).unwrap();
        memory.fail_call(1, 5);
        file.write_at(b"abc", 0).unwrap_err();
        file.write_at(b"abc", 7).unwrap();
        file.sync_data().unwrap();
        assert_eq!(vfs.count(|call| matches!(call, Call::SyncData { .. })), 1);
        let name = || Path::new("/file").to_owned();
        assert_eq!(
            vfs.clone().take(),
            [
                Call::Open { path: name(), mode: OpenMode::CreateNew },
                Call::WriteAt { path: name(), offset: 7, len: 3 },
                Call::SyncData { path: name() },
            ]
        );
        assert_eq!(vfs.take(), []);
    }
}
