//! Files and folders in two worlds: what the process sees, and what is durable.

use super::content::Content;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};

/// Names a file or folder for its whole life; never used twice.
pub type Id = u64;

pub(super) const ROOT: Id = 0;

type Names = BTreeMap<String, Id>;

#[derive(Clone, Debug)]
pub(super) struct Inode {
    /// Names in both worlds, and open handles. At 0 the inode goes.
    pub refs: usize,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    File(File),
    Folder(Folder),
}

#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub seen: Content,
    pub durable: Content,
    /// Chunks in which the two may differ.
    pub dirty: BTreeSet<u64>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    pub seen: Names,
    pub durable: Names,
}

/// All files and folders. Nothing here counts calls or injects faults.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(super) inodes: BTreeMap<Id, Inode>,
    pub(super) next: Id,
}

impl Default for Tree {
    fn default() -> Self {
        let root = Inode { refs: 1, body: Body::Folder(Folder::default()) };
        Tree { inodes: BTreeMap::from([(ROOT, root)]), next: ROOT + 1 }
    }
}

/// Bytes.
impl Tree {
    /// Length of a file.
    pub fn len(&self, id: Id) -> io::Result<u64> {
        Ok(self.file(id)?.seen.len())
    }

    /// Fills `buf` from `offset`.
    pub fn read(&self, id: Id, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file(id)?.seen.read(buf, offset)
    }

    /// Writes what fits into `room`, and says how much that is.
    pub fn write(&mut self, id: Id, buf: &[u8], offset: u64, room: Option<u64>) -> io::Result<usize> {
        let file = self.file_mut(id)?;
        let fits = match room {
            Some(room) => file.seen.fitting(offset, buf.len(), room)?,
            None => buf.len(),
        };
        let buf = buf.get(..fits).unwrap_or(buf);
        file.seen.write(buf, offset)?;
        file.dirty.extend(Content::within(offset, buf.len()));
        Ok(fits)
    }

    /// Cuts a file, or grows it by a hole.
    pub fn set_len(&mut self, id: Id, len: u64) -> io::Result<()> {
        let file = self.file_mut(id)?;
        file.dirty.extend(file.seen.cut_by(len));
        file.seen.set_len(len)
    }

    /// Makes the bytes of a file durable.
    pub fn sync_file(&mut self, id: Id) -> io::Result<()> {
        let file = self.file_mut(id)?;
        file.durable.take_from(&file.seen, std::mem::take(&mut file.dirty));
        Ok(())
    }

    /// Changes one byte in both worlds.
    pub fn corrupt(&mut self, id: Id, offset: u64, change: impl FnOnce(&mut u8)) -> io::Result<()> {
        let file = self.file_mut(id)?;
        let mut byte = [0];
        file.seen.read(&mut byte, offset)?;
        change(&mut byte[0]);
        file.seen.write(&byte, offset)?;
        if offset < file.durable.len() {
            file.durable.write(&byte, offset)?;
        }
        Ok(())
    }

    /// Bytes in use by one file.
    pub fn charge(&self, id: Id) -> io::Result<u64> {
        Ok(self.file(id)?.seen.charge())
    }

    /// Bytes in use by all files, also by those that are open and have no name any more.
    pub fn used(&self) -> u64 {
        let charge = |inode: &Inode| match &inode.body {
            Body::File(file) => file.seen.charge(),
            Body::Folder(_) => 0,
        };
        self.inodes.values().map(charge).sum()
    }
}

/// Life and death.
impl Tree {
    /// Counts one more handle or name.
    pub fn retain(&mut self, id: Id) -> io::Result<()> {
        self.inodes.get_mut(&id).ok_or(ErrorKind::NotFound)?.refs += 1;
        Ok(())
    }

    /// Counts one handle or name less.
    pub fn release(&mut self, id: Id) {
        let mut gone = vec![id];
        while let Some(id) = gone.pop() {
            let Some(inode) = self.inodes.get_mut(&id) else { continue };
            inode.refs = inode.refs.saturating_sub(1);
            if inode.refs == 0
                && let Some(Inode { body: Body::Folder(folder), .. }) = self.inodes.remove(&id)
            {
                gone.extend(folder.seen.into_values().chain(folder.durable.into_values()));
            }
        }
    }

    /// Forgets every name and byte that is not durable.
    pub fn forget_pending(&mut self) {
        for inode in self.inodes.values_mut() {
            match &mut inode.body {
                Body::File(file) => {
                    file.seen = file.durable.clone();
                    file.dirty.clear();
                }
                Body::Folder(folder) => folder.seen = folder.durable.clone(),
            }
        }
    }

    /// Forgets the open handles, and with them the files that have no name.
    pub fn forget_handles(&mut self) {
        let mut refs = BTreeMap::from([(ROOT, 1)]);
        let mut rest = vec![ROOT];
        while let Some(id) = rest.pop() {
            if let Some(Inode { body: Body::Folder(folder), .. }) = self.inodes.get(&id) {
                for &child in folder.seen.values().chain(folder.durable.values()) {
                    let count = refs.entry(child).or_insert(0);
                    *count += 1;
                    if *count == 1 {
                        rest.push(child);
                    }
                }
            }
        }
        self.inodes.retain(|id, inode| {
            inode.refs = refs.get(id).copied().unwrap_or(0);
            inode.refs > 0
        });
    }

    /// How many files and folders there are, with and without names.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.inodes.len()
    }

    pub(super) fn inode(&self, id: Id) -> io::Result<&Inode> {
        Ok(self.inodes.get(&id).ok_or(ErrorKind::NotFound)?)
    }

    fn body_mut(&mut self, id: Id) -> io::Result<&mut Body> {
        Ok(&mut self.inodes.get_mut(&id).ok_or(ErrorKind::NotFound)?.body)
    }

    pub(super) fn file(&self, id: Id) -> io::Result<&File> {
        match &self.inode(id)?.body {
            Body::File(file) => Ok(file),
            Body::Folder(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn file_mut(&mut self, id: Id) -> io::Result<&mut File> {
        match self.body_mut(id)? {
            Body::File(file) => Ok(file),
            Body::Folder(_) => Err(ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn folder(&self, id: Id) -> io::Result<&Folder> {
        match &self.inode(id)?.body {
            Body::Folder(folder) => Ok(folder),
            Body::File(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }

    pub(super) fn folder_mut(&mut self, id: Id) -> io::Result<&mut Folder> {
        match self.body_mut(id)? {
            Body::Folder(folder) => Ok(folder),
            Body::File(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }
}
