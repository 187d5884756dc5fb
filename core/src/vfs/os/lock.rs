//! The lock of a folder, against this process and all others.

use super::open_regular;
use crate::vfs::VfsLock;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The folders that this process has locked, by canonical path. Asked before a lock file is opened:
/// where locks belong to a process rather than to an open file, merely closing a second handle of the
/// file would set the first one free. The mutex is the standard library's: a child can release it whoever waited in its parent.
static LOCKED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn locked() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LOCKED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
thread_local! {
    /// While this thread forks.
    static HELD: std::cell::Cell<Option<MutexGuard<'static, BTreeSet<PathBuf>>>> = const { std::cell::Cell::new(None) };
}

/// Holds [`LOCKED`] from before a fork until behind it, in the parent and in the child.
#[cfg(unix)]
pub(super) fn hold(is_held: bool) {
    let _ = HELD.try_with(|held| held.set(is_held.then(locked)));
}

/// A folder's place in [`LOCKED`].
#[derive(Debug)]
struct Reserved(PathBuf);

impl Reserved {
    fn take(folder: PathBuf) -> io::Result<Self> {
        if locked().insert(folder.clone()) {
            Ok(Reserved(folder))
        } else {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        locked().remove(&self.0);
    }
}

/// An open file or folder with its lock.
#[derive(Debug)]
struct Locked {
    file: File,
    owner: u32,
}

impl Locked {
    fn new(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Locked { file, owner: std::process::id() })
    }
}

impl Drop for Locked {
    /// A child made by `fork` shares the open file. So that the lock is free although a child still has
    /// it, it is undone rather than only closed; but a child must not do that to its parent.
    fn drop(&mut self) {
        if self.owner == std::process::id() {
            // Where this fails, closing has to do.
            let _ = self.file.unlock();
        }
    }
}

/// The lock file and, where that is possible, its folder are locked: removing the file, as people do
/// when they take it for a stale one, lets no second owner in.
#[derive(Debug)]
pub struct OsLock {
    _file: Locked,
    _folder: Option<Locked>,
    // Last: the place in the table is given back when the locks are undone.
    _reserved: Reserved,
}

impl VfsLock for OsLock {}

/// Takes the lock of the folder that the lock file `path` lies in.
pub fn take(path: &Path) -> io::Result<OsLock> {
    let reserved = Reserved::take(canonical_folder(path)?)?;
    let folder = lock_folder(&reserved.0)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = Locked::new(open_regular(options, path)?)?;
    Ok(OsLock { _file: file, _folder: folder, _reserved: reserved })
}

/// `None` where a folder cannot be locked (Windows, network file systems): the lock file has to do.
fn lock_folder(path: &Path) -> io::Result<Option<Locked>> {
    if cfg!(windows) {
        return Ok(None);
    }
    match Locked::new(File::open(path)?) {
        Ok(folder) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn canonical_folder(path: &Path) -> io::Result<PathBuf> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => fs::canonicalize("."),
        Some(folder) => fs::canonicalize(folder),
        None => Err(io::ErrorKind::IsADirectory.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_table_has_is_refused_before_anything_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("LOCK");
        let reserved = Reserved::take(canonical_folder(&lock).unwrap()).unwrap();
        assert_eq!(take(&lock).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(!lock.exists());
        drop(reserved);
        take(&lock).unwrap();
    }
}
