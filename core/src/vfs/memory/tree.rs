//! Files and folders in two worlds: what the process sees, and what is durable.

use super::content::{CHUNK, Content};
use super::pending::{Choice, FileEffect, NameEffect, Stamp};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;

/// Names a file or folder for its whole life; never used twice.
pub type Id = u64;

pub(super) const ROOT: Id = 0;

pub(super) type Names = BTreeMap<String, Id>;

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
    /// Chunks that the next sync brings to the disk.
    pub dirty: BTreeSet<u64>,
    /// What has happened since the last sync, in order.
    pub pending: Vec<FileEffect>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    pub seen: Names,
    pub durable: Names,
    /// What has happened since the last sync, in order.
    pub pending: Vec<NameEffect>,
}

/// All files and folders. Nothing here counts calls or injects faults.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(super) inodes: BTreeMap<Id, Inode>,
    pub(super) next: Id,
    /// Effects so far.
    pub(super) stamp: Stamp,
}

impl Default for Tree {
    fn default() -> Self {
        let root = Inode { refs: 1, body: Body::Folder(Folder::default()) };
        Tree { inodes: BTreeMap::from([(ROOT, root)]), next: ROOT + 1, stamp: 0 }
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
        if !buf.is_empty() {
            let chunks = Content::within(offset, buf.len()).collect();
            self.note(id, chunks, offset..offset + buf.len() as u64)?;
        }
        Ok(fits)
    }

    /// Notes what a change of a file has done.
    fn note(&mut self, id: Id, chunks: Vec<u64>, written: Range<u64>) -> io::Result<()> {
        self.stamp += 1;
        let stamp = self.stamp;
        let file = self.file_mut(id)?;
        file.dirty.extend(&chunks);
        let chunks = chunks.into_iter().map(|index| (index, file.seen.chunk(index))).collect();
        file.pending.push(FileEffect { stamp, chunks, written, len: file.seen.len() });
        Ok(())
    }

    /// Cuts a file, or grows it by a hole.
    pub fn set_len(&mut self, id: Id, len: u64) -> io::Result<()> {
        let file = self.file_mut(id)?;
        let chunks = file.seen.cut_by(len).collect();
        file.seen.set_len(len)?;
        self.note(id, chunks, 0..0)
    }

    /// Makes the bytes of a file durable.
    pub fn sync_file(&mut self, id: Id) -> io::Result<()> {
        let file = self.file_mut(id)?;
        file.durable.take_from(&file.seen, std::mem::take(&mut file.dirty));
        file.pending.clear();
        Ok(())
    }

    /// A sync that fails: some of the bytes are on the disk, and the others are dropped. What was seen is still seen.
    /// Lengths stay pending.
    pub fn drop_pages(&mut self, id: Id, choice: Choice) -> io::Result<()> {
        let file = self.file_mut(id)?;
        let len = file.durable.len();
        file.durable = choice.content(id, &file.durable, &file.pending);
        file.durable.end_at(len);
        file.dirty.clear();
        for effect in &mut file.pending {
            effect.chunks.clear();
            effect.written = 0..0;
        }
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
        for (index, chunk) in file.pending.iter_mut().flat_map(|effect| &mut effect.chunks) {
            if *index == offset / CHUNK
                && let Some(chunk) = chunk
            {
                Arc::make_mut(chunk)[(offset % CHUNK) as usize] = byte[0];
            }
        }
        Ok(())
    }

    /// Bytes in use by one file.
    pub fn charge(&self, id: Id) -> io::Result<u64> {
        Ok(self.file(id)?.seen.charge())
    }

    /// Bytes in use by all files, also by those that are open and have no name any more.
    pub fn used(&self) -> u64 {
        let mut pending: BTreeMap<Id, usize> = BTreeMap::new();
        for inode in self.inodes.values() {
            if let Body::Folder(folder) = &inode.body {
                folder
                    .pending
                    .iter()
                    .filter_map(|effect| effect.id)
                    .for_each(|id| *pending.entry(id).or_default() += 1);
            }
        }
        // One that a crash alone could bring back takes no room.
        let charge = |(id, inode): (&Id, &Inode)| match &inode.body {
            Body::File(file) if inode.refs > pending.get(id).copied().unwrap_or(0) => file.seen.charge(),
            _ => 0,
        };
        self.inodes.iter().map(charge).sum()
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
                gone.extend(folder.pending.iter().filter_map(|effect| effect.id));
                gone.extend(folder.seen.into_values().chain(folder.durable.into_values()));
            }
        }
    }

    /// The state that a crash leaves: what is chosen of the pending effects, durable.
    pub fn settle(&mut self, choice: Choice) {
        for (&id, inode) in &mut self.inodes {
            match &mut inode.body {
                Body::File(file) => {
                    file.durable = choice.content(id, &file.durable, &file.pending);
                    file.seen = file.durable.clone();
                    file.dirty.clear();
                    file.pending.clear();
                }
                Body::Folder(folder) => {
                    folder.durable = choice.names(folder);
                    folder.seen = folder.durable.clone();
                    folder.pending.clear();
                }
            }
        }
    }

    /// Forgets what failed syncs have dropped and was still seen.
    pub fn evict(&mut self) {
        for (&id, inode) in &mut self.inodes {
            if let Body::File(file) = &mut inode.body {
                file.seen = Choice::EVERYTHING.content(id, &file.durable, &file.pending);
            }
        }
    }

    /// The stamps of all pending effects, rising.
    pub fn pending_stamps(&self) -> Vec<Stamp> {
        let of_inode = |inode: &Inode| -> Vec<Stamp> {
            match &inode.body {
                Body::File(file) => file.pending.iter().map(|effect| effect.stamp).collect(),
                Body::Folder(folder) => folder.pending.iter().map(|effect| effect.stamp).collect(),
            }
        };
        let mut stamps: Vec<_> = self.inodes.values().flat_map(of_inode).collect();
        stamps.sort_unstable();
        stamps.dedup();
        stamps
    }

    /// All pending writes in their order, each with the length of its file before it.
    pub fn pending_writes(&self) -> Vec<(u64, &FileEffect)> {
        let mut writes = Vec::new();
        for inode in self.inodes.values() {
            let Body::File(file) = &inode.body else { continue };
            let mut before = file.durable.len();
            for effect in &file.pending {
                if !effect.written.is_empty() {
                    writes.push((before, effect));
                }
                before = effect.len;
            }
        }
        writes.sort_unstable_by_key(|(_, effect)| effect.stamp);
        writes
    }

    /// Forgets the open handles, and with them the files that have no name.
    pub fn forget_handles(&mut self) {
        let mut refs = BTreeMap::from([(ROOT, 1)]);
        let mut rest = vec![ROOT];
        while let Some(id) = rest.pop() {
            if let Some(Inode { body: Body::Folder(folder), .. }) = self.inodes.get(&id) {
                let pending = folder.pending.iter().filter_map(|effect| effect.id.as_ref());
                for &child in folder.seen.values().chain(folder.durable.values()).chain(pending) {
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
