//! Everything outside the engine: files, folders, the lock, the clock, random numbers and threads.
//!
//! No other module names `std::fs`, `std::thread` or a clock, so that a whole database runs in a test
//! from one seed.

#[cfg(test)]
mod conformance;
mod memory;
mod os;
mod recording;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::base::error::{Error, Result};
use crate::base::planted::{Plant, planted};

pub use memory::{Fault, Keep, Leaves, MemoryVfs, Tear, Watcher};
pub use os::OsVfs;
#[cfg(all(test, unix))]
pub(crate) use os::in_child;
pub(crate) use os::{forks, watched_forks};
pub use recording::{Call, RecordingVfs};

/// The names in a folder on stable storage.
pub(crate) fn sync_folder(vfs: &dyn Vfs, folder: &Path) -> Result<()> {
    if planted(Plant::FolderUnsynced) {
        return Ok(());
    }
    vfs.sync_dir(folder).map_err(|error| Error::io("sync folder", folder, error))
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Must exist; reads only.
    Read,
    /// Must not exist; reads and writes. Private to the user.
    CreateNew,
    /// Must exist; reads and writes.
    ReadWrite,
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    /// A regular file and its length in bytes.
    File(u64),
    /// A folder.
    Folder,
    /// A symbolic link, device, pipe: never followed.
    Other,
}

/// An open file. All calls may be made from several threads at once.
#[allow(clippy::len_without_is_empty, reason = "a length that may fail is no collection's")]
pub trait VfsFile: Send + Sync + fmt::Debug {
    /// Fills `buf` from `offset`; `UnexpectedEof` if the file ends before. Retries short reads.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `buf` at `offset`. Retries short writes.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Cuts or grows (with zeros) to `len` bytes.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Asks for room for `len` bytes without changing the length; may do nothing.
    fn preallocate(&self, len: u64) -> io::Result<()>;
    /// Data and length on stable storage.
    fn sync_data(&self) -> io::Result<()>;
    /// Data, length and all other metadata on stable storage.
    fn sync_all(&self) -> io::Result<()>;
    /// The first `len` bytes as memory, for as long as they are held, also when the file is removed: for a file
    /// that nobody writes any more. `UnexpectedEof` if the file is shorter; `Unsupported`, for one, where there are
    /// no maps: the caller then reads.
    fn map(&self, _len: u64) -> io::Result<Bytes> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Holds the lock of a folder until dropped.
pub trait VfsLock: Send + Sync + fmt::Debug {}

/// A background thread.
pub trait VfsThread: Send {
    /// Waits until it has ended.
    fn join(self: Box<Self>);
}

/// The outside world.
pub trait Vfs: Send + Sync + fmt::Debug + 'static {
    /// Opens a regular file; never follows a symbolic link in the last part of the path.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>>;
    /// What is at `path` (links not followed); `None` if nothing.
    fn file_type(&self, path: &Path) -> io::Result<Option<FileType>>;
    /// Bare names in a folder, sorted.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Replaces `to` by `from`, atomically.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes one folder; its parent exists. `AlreadyExists` if there is something.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder on stable storage.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Absolute form of an existing path, links resolved.
    fn canonicalize(&self, path: &Path) -> io::Result<std::path::PathBuf>;
    /// Locks the folder that `path` lies in by means of the lock file `path` (made if absent), without
    /// waiting; `WouldBlock` if another handle of this or another process has it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn VfsLock>>;
    /// Time since the unix epoch; may step.
    fn now(&self) -> Duration;
    /// Time since some fixed instant; never steps back.
    fn monotonic(&self) -> Duration;
    /// Fills `buf` with random bytes.
    fn random(&self, buf: &mut [u8]) -> io::Result<()>;
    /// Pauses the calling thread.
    fn sleep(&self, time: Duration);
    /// Starts a named background thread.
    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<Box<dyn VfsThread>>;
}
