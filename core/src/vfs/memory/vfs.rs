//! The calls of the trait, over the tree.

use super::pending::Choice;
use super::tree::Id;
use super::{Disk, MemoryVfs, splitmix64};
use crate::vfs::{FileType, OpenMode, Vfs, VfsFile, VfsLock, VfsThread, os};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

impl Vfs for MemoryVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        let id = match mode {
            OpenMode::Read | OpenMode::ReadWrite => self.read(|disk| disk.tree.find_file(path))?,
            OpenMode::CreateNew => self.change(|disk| disk.tree.create_file(path))?,
        };
        self.disk.lock().tree.retain(id)?;
        Ok(Arc::new(MemoryFile { vfs: self.clone(), id, writable: mode != OpenMode::Read }))
    }

    fn file_type(&self, path: &Path) -> io::Result<Option<FileType>> {
        self.read(|disk| disk.tree.file_type(path))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.read(|disk| disk.tree.list(folder))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|disk| disk.tree.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|disk| disk.tree.remove_file(path))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.change(|disk| disk.tree.create_folder(path).map(drop))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.change(|disk| disk.tree.remove_folder(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.change(|disk| disk.tree.sync_folder(path))
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.read(|disk| disk.tree.canonicalize(path))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn VfsLock>> {
        let (folder, is_there) = {
            let disk = self.disk.lock();
            let (folder, _) = disk.tree.locate(path)?;
            if disk.locked.contains(&folder) {
                return Err(ErrorKind::WouldBlock.into());
            }
            (folder, disk.tree.file_type(path)?.is_some())
        };
        if !is_there {
            self.change(|disk| disk.tree.create_file(path))?;
        }
        let mut disk = self.disk.lock();
        disk.tree.find_file(path)?;
        if !disk.locked.insert(folder) {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(MemoryLock { vfs: self.clone(), folder }))
    }

    fn now(&self) -> Duration {
        self.disk.lock().now
    }

    fn monotonic(&self) -> Duration {
        self.disk.lock().monotonic
    }

    fn random(&self, buf: &mut [u8]) -> io::Result<()> {
        let mut disk = self.disk.lock();
        for bytes in buf.chunks_mut(8) {
            let number = splitmix64(&mut disk.random).to_le_bytes();
            bytes.copy_from_slice(&number[..bytes.len()]);
        }
        Ok(())
    }

    /// Real time: the virtual clock stands still meanwhile.
    fn sleep(&self, time: Duration) {
        os::sleep(time);
    }

    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<Box<dyn VfsThread>> {
        os::spawn_thread(name, work)
    }
}

/// An open file. Dropping it frees a file that has lost its names.
#[derive(Debug)]
struct MemoryFile {
    vfs: MemoryVfs,
    id: Id,
    writable: bool,
}

impl MemoryFile {
    fn check_writable(&self) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(ErrorKind::PermissionDenied.into()) }
    }

    /// One that fails may have reached the disk in part: what is left of it is dropped.
    fn sync(&self) -> io::Result<()> {
        let call = |disk: &mut Disk| disk.tree.sync_file(self.id);
        self.vfs.change_or(call, |disk, _, seed| disk.tree.drop_pages(self.id, Choice::Any(seed)))
    }
}

impl Disk {
    /// Writes what there is room for.
    fn write(&mut self, id: Id, buf: &[u8], offset: u64) -> io::Result<()> {
        let room = self.room();
        let written = self.tree.write(id, buf, offset, room)?;
        if written == buf.len() { Ok(()) } else { Err(disk_full()) }
    }
}

impl VfsFile for MemoryFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.vfs.read(|disk| disk.tree.read(self.id, buf, offset))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.check_writable()?;
        self.vfs.change_or(
            |disk| disk.write(self.id, buf, offset),
            |disk, _, seed| disk.write(self.id, &buf[..seed as usize % (buf.len() + 1)], offset),
        )
    }

    fn len(&self) -> io::Result<u64> {
        self.vfs.read(|disk| disk.tree.len(self.id))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        self.vfs.change(|disk| disk.tree.set_len(self.id, len))
    }

    /// Fails if there is no room, and keeps none.
    fn preallocate(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        self.vfs.change(|disk| {
            let wanted = len.saturating_sub(disk.tree.charge(self.id)?);
            if disk.room().is_some_and(|room| wanted > room) { Err(disk_full()) } else { Ok(()) }
        })
    }

    /// A copy: what becomes of the file later is not seen.
    fn map(&self, len: u64) -> io::Result<Bytes> {
        self.vfs.read(|disk| {
            if len > disk.tree.len(self.id)? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let mut bytes = vec![0; len as usize];
            disk.tree.read(self.id, &mut bytes, 0)?;
            Ok(bytes.into())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync()
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        self.vfs.disk.lock().tree.release(self.id);
    }
}

#[derive(Debug)]
struct MemoryLock {
    vfs: MemoryVfs,
    folder: Id,
}

impl VfsLock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.vfs.disk.lock().locked.remove(&self.folder);
    }
}

/// The operating system's error for a full disk.
fn disk_full() -> io::Error {
    io::Error::from_raw_os_error(if cfg!(windows) { 112 } else { 28 })
}
