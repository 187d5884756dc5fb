//! The operating system.

mod fork;
mod lock;
mod map;
#[cfg_attr(unix, path = "os/unix.rs")]
#[cfg_attr(windows, path = "os/windows.rs")]
mod platform;

use super::{FileType, OpenMode, Vfs, VfsFile, VfsLock, VfsThread};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

#[cfg(all(test, unix))]
pub use fork::in_child;
pub use fork::{forks, watched_forks};

/// The operating system: real files, clocks, threads and random numbers.
///
/// Files and folders are made for their owner alone (modes 0600 and 0700). What is opened is a regular
/// file: a symbolic link, pipe, device or folder in its place is an error, found without waiting.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsVfs;

impl Vfs for OsVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        if mode == OpenMode::CreateNew {
            lock::check_folder_of(path)?;
        }
        let mut options = OpenOptions::new();
        match mode {
            OpenMode::Read => options.read(true),
            OpenMode::CreateNew => options.read(true).write(true).create_new(true),
            OpenMode::ReadWrite => options.read(true).write(true),
        };
        Ok(Arc::new(OsFile(open_regular(options, path)?)))
    }

    fn file_type(&self, path: &Path) -> io::Result<Option<FileType>> {
        let metadata = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        Ok(Some(match metadata.file_type() {
            kind if kind.is_file() => FileType::File(metadata.len()),
            kind if kind.is_dir() => FileType::Folder,
            _ => FileType::Other,
        }))
    }

    /// A name that is not Unicode comes with replacement characters: it is none of ours.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        lock::check_folder_of(from)?;
        if from.parent() != to.parent() {
            lock::check_folder_of(to)?;
        }
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        lock::check_folder_of(path)?;
        fs::remove_file(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        platform::create_private_dir(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        platform::sync_dir(path)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn VfsLock>> {
        Ok(Box::new(lock::take(path)?))
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    fn random(&self, buf: &mut [u8]) -> io::Result<()> {
        getrandom::fill(buf).map_err(|error| match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::other("no source of random numbers"),
        })
    }

    fn sleep(&self, time: Duration) {
        sleep(time);
    }

    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<Box<dyn VfsThread>> {
        spawn_thread(name, work)
    }
}

/// Opens what must be a regular file.
fn open_regular(mut options: OpenOptions, path: &Path) -> io::Result<File> {
    platform::open_flags(&mut options);
    let file = options.open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        Ok(file)
    } else if kind.is_dir() {
        Err(io::ErrorKind::IsADirectory.into())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

#[derive(Debug)]
struct OsFile(File);

impl VfsFile for OsFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        read_full(buf, offset, |rest, at| platform::read_some(&self.0, rest, at))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        write_full(buf, offset, |rest, at| platform::write_some(&self.0, rest, at))
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    /// Does nothing. Room that is only reserved saves no journal write when it is filled: a log that
    /// wants that writes zeros ahead.
    fn preallocate(&self, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn map(&self, len: u64) -> io::Result<Bytes> {
        map::map(&self.0, len)
    }
}

/// Fills `buf` by calls that may be interrupted or return fewer bytes.
fn read_full(
    mut buf: &mut [u8],
    mut offset: u64,
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<()> {
    while !buf.is_empty() {
        match read(buf, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buf = buf.get_mut(count..).unwrap_or_default();
                offset = advance(offset, count)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes all of `buf` by calls that may be interrupted or take fewer bytes.
fn write_full(
    mut buf: &[u8],
    mut offset: u64,
    mut write: impl FnMut(&[u8], u64) -> io::Result<usize>,
) -> io::Result<()> {
    while !buf.is_empty() {
        match write(buf, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                buf = buf.get(count..).unwrap_or_default();
                offset = advance(offset, count)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn advance(offset: u64, count: usize) -> io::Result<u64> {
    offset.checked_add(count as u64).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Pauses the calling thread.
pub(super) fn sleep(time: Duration) {
    thread::sleep(time);
}

/// Starts a named thread.
pub(super) fn spawn_thread(name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<Box<dyn VfsThread>> {
    if name.contains('\0') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let handle = thread::Builder::new().name(name.to_owned()).spawn(work)?;
    Ok(Box::new(OsThread(handle)))
}

struct OsThread(JoinHandle<()>);

impl VfsThread for OsThread {
    /// A panic of the thread has been reported by the panic hook and ends there. A thread that joins
    /// itself (it dropped the last handle of what owns it) goes on.
    fn join(self: Box<Self>) {
        if self.0.thread().id() != thread::current().id() {
            let _ = self.0.join();
        }
    }
}

#[cfg(test)]
mod tests;
