//! The lock of a folder, against this process and all others.

use super::open_regular;
use super::platform::{self, Identity};
use crate::vfs::VfsLock;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The folders that this process has locked, by canonical path, and which folders these are, if that is known.
/// Asked before a lock file is opened: where locks belong to a process rather than to an open file, merely closing a
/// second handle of the file would set the first one free. The mutex is the standard library's: a child can release
/// it whoever waited in its parent.
static LOCKED: Mutex<Folders> = Mutex::new(Folders::new());

type Folders = BTreeMap<PathBuf, Option<Identity>>;

fn locked() -> MutexGuard<'static, Folders> {
    LOCKED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
thread_local! {
    /// While this thread forks.
    static HELD: std::cell::Cell<Option<MutexGuard<'static, Folders>>> = const { std::cell::Cell::new(None) };
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
        match locked().entry(folder) {
            Entry::Vacant(entry) => Ok(Reserved(entry.insert_entry(None).key().clone())),
            Entry::Occupied(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// From now on [`check_folder_of`] looks whether it is this folder.
    fn identify(&self, folder: &Locked) -> io::Result<()> {
        let identity = platform::identity(&folder.file.metadata()?);
        locked().insert(self.0.clone(), identity);
        Ok(())
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
    // While it is open its number is no other's.
    folder.as_ref().map_or(Ok(()), |folder| reserved.identify(folder))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = Locked::new(open_regular(options, path)?)?;
    Ok(OsLock { _file: file, _folder: folder, _reserved: reserved })
}

/// Before a name in a folder is made, replaced or removed: an error if the folder is locked by this process, and another one
/// is in its place by now. That one may be another's database.
pub fn check_folder_of(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let Some(Some(identity)) = locked().get(folder).copied() else { return Ok(()) };
    match platform::identity(&fs::metadata(folder)?) {
        Some(found) if found != identity => Err(io::Error::other(
            "the folder of the database was moved or removed while it is open, and another one is in its place",
        )),
        _ => Ok(()),
    }
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
    use crate::vfs::{OpenMode, OsVfs, Vfs};

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

    #[cfg(unix)]
    #[test]
    fn a_folder_in_the_place_of_a_locked_one_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(parent.path()).unwrap().join("db");
        let (old, away) = (folder.join("old"), parent.path().join("away"));
        fs::create_dir(&folder).unwrap();
        fs::write(&old, "of the first").unwrap();
        let lock = take(&folder.join("LOCK")).unwrap();
        check_folder_of(&old).unwrap();
        fs::rename(&folder, &away).unwrap();
        assert_eq!(check_folder_of(&old).unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::create_dir(&folder).unwrap();
        fs::write(&old, "of the second").unwrap();
        let (new, elsewhere) = (folder.join("new"), parent.path().join("elsewhere"));
        let refused = [
            OsVfs.open(&new, OpenMode::CreateNew).map(drop),
            OsVfs.rename(&old, &new),
            OsVfs.rename(&old, &elsewhere),
            OsVfs.rename(&elsewhere, &new),
            OsVfs.remove(&old),
        ];
        for refused in refused {
            assert!(refused.unwrap_err().to_string().contains("in its place"));
        }
        assert_eq!(fs::read_to_string(&old).unwrap(), "of the second");
        assert!(!new.exists());
        fs::remove_dir_all(&folder).unwrap();
        fs::rename(&away, &folder).unwrap();
        OsVfs.rename(&old, &new).unwrap();
        drop(lock);
        fs::rename(&folder, &away).unwrap();
        fs::create_dir(&folder).unwrap();
        check_folder_of(&old).unwrap();
    }
}
