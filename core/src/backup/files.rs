//! Copying files with their checksums, and folders that are marked while they are incomplete.

use std::path::Path;

use crate::backup::description::CopiedFile;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::{self, LOCK};
use crate::base::memory;
use crate::base::planted::{Plant, planted};
use crate::sync::Arc;
use crate::vfs::{FileType, OpenMode, Vfs, VfsFile, VfsLock, sync_folder};

const PIECE: usize = 1 << 20;

/// Copies a file, syncs the copy and reads it back.
pub(super) fn copy(vfs: &dyn Vfs, name: &str, from: &Path, to: &Path) -> Result<CopiedFile> {
    let (source_path, target_path) = (from.join(name), to.join(name));
    let source = open(vfs, &source_path, OpenMode::Read)?;
    let target = open(vfs, &target_path, OpenMode::CreateNew)?;
    let copied = read_through(&*source, &source_path, name, |piece, offset| {
        target.write_at(piece, offset).map_err(|error| Error::io("write", &target_path, error))
    })?;
    if !planted(Plant::BackupUnsynced) {
        target.sync_all().map_err(|error| Error::io("sync", &target_path, error))?;
    }
    let reread = describe(vfs, name, to)?;
    if reread != copied {
        return Err(Error::corruption(&target_path, 0, "the bytes that were written to this copy"));
    }
    Ok(copied)
}

/// Size and checksum of a file.
pub(super) fn describe(vfs: &dyn Vfs, name: &str, folder: &Path) -> Result<CopiedFile> {
    let path = folder.join(name);
    read_through(&*open(vfs, &path, OpenMode::Read)?, &path, name, |_, _| Ok(()))
}

fn open(vfs: &dyn Vfs, path: &Path, mode: OpenMode) -> Result<Arc<dyn VfsFile>> {
    vfs.open(path, mode).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::missing(path),
        _ => Error::io("open", path, error),
    })
}

fn read_through(
    file: &dyn VfsFile,
    path: &Path,
    name: &str,
    mut each: impl FnMut(&[u8], u64) -> Result<()>,
) -> Result<CopiedFile> {
    let size = file.len().map_err(|error| Error::io("look at", path, error))?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = memory::zeroed(PIECE.min(usize::try_from(size).unwrap_or(PIECE)))?;
    let mut offset = 0;
    while offset < size {
        let len = buffer.len().min(usize::try_from(size - offset).unwrap_or(PIECE));
        let piece = &mut buffer[..len];
        file.read_at(piece, offset).map_err(|error| Error::io("read", path, error))?;
        hasher.update(piece);
        each(piece, offset)?;
        offset += len as u64;
    }
    Ok(CopiedFile { name: name.to_owned(), size, crc: hasher.finalize() })
}

/// Replaces the content of a file that is there, and syncs it.
pub(super) fn fill(vfs: &dyn Vfs, path: &Path, bytes: &[u8]) -> Result<()> {
    let file = open(vfs, path, OpenMode::ReadWrite)?;
    file.set_len(0).map_err(|error| Error::io("cut", path, error))?;
    file.write_at(bytes, 0).map_err(|error| Error::io("write", path, error))?;
    file.sync_all().map_err(|error| Error::io("sync", path, error))
}

/// Makes `folder` an empty one but for its lock and the file `marker`, which says that it is incomplete.
/// What an earlier, cut attempt left (it carries the marker, and not the file `done`) is removed; anything
/// else is `AlreadyExists`. The lock that is returned keeps a second caller out of the folder.
pub(super) fn begin_folder(
    vfs: &dyn Vfs,
    folder: &Path,
    marker: &str,
    done: Option<&str>,
) -> Result<Box<dyn VfsLock>> {
    let found = vfs.file_type(folder).map_err(|error| Error::io("look at", folder, error))?;
    match found {
        None => vfs.create_dir(folder).map_err(|error| Error::io("create folder", folder, error))?,
        Some(FileType::Folder) => drop(left_over(vfs, folder, marker, done)?),
        Some(_) => return Err(taken(folder)),
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_folder(vfs, parent.unwrap_or(Path::new(".")))?;
    // The marker first: a folder with a lock alone is one that a database may be made in.
    let path = folder.join(marker);
    if vfs.file_type(&path).map_err(|error| Error::io("look at", &path, error))?.is_none() {
        let file = open(vfs, &path, OpenMode::CreateNew)?;
        file.sync_all().map_err(|error| Error::io("sync", &path, error))?;
    }
    sync_folder(vfs, folder)?;
    let lock = vfs.lock(&folder.join(LOCK)).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => {
            let message = format!("{}: another backup or restore works in it", folder.display());
            Error::new(ErrorKind::Locked, message).with_file(folder)
        }
        _ => Error::io("lock", folder, error),
    })?;
    for name in left_over(vfs, folder, marker, done)?.iter().filter(|name| *name != marker) {
        let path = folder.join(name);
        vfs.remove(&path).map_err(|error| Error::io("remove", &path, error))?;
    }
    sync_folder(vfs, folder)?;
    Ok(lock)
}

/// The files of a cut attempt, without the lock.
fn left_over(vfs: &dyn Vfs, folder: &Path, marker: &str, done: Option<&str>) -> Result<Vec<String>> {
    let mut names = vfs.list(folder).map_err(|error| Error::io("list", folder, error))?;
    names.retain(|name| name != LOCK);
    let is_cut = names.iter().any(|name| name == marker)
        && names.iter().all(|name| filename::is_ours(name) && Some(name.as_str()) != done);
    if names.is_empty() || is_cut { Ok(names) } else { Err(taken(folder)) }
}

fn taken(folder: &Path) -> Error {
    let message = format!("{}: is there already and no empty folder: choose another", folder.display());
    Error::new(ErrorKind::AlreadyExists, message).with_file(folder)
}
