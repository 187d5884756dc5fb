//! Paths and names of the tree.

use super::pending::{NameEffect, Stamp};
use super::tree::{Body, File, Folder, Id, Inode, ROOT, Tree};
use crate::vfs::FileType;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

impl Tree {
    /// The names from the root to an existing `path`, and what it is.
    fn walk(&self, path: &Path) -> io::Result<(Vec<&str>, Id)> {
        if path.as_os_str().is_empty() {
            return Err(ErrorKind::NotFound.into());
        }
        let mut steps: Vec<(&str, Id)> = Vec::new();
        for component in path.components() {
            let here = steps.last().map_or(ROOT, |step| step.1);
            let folder = self.folder(here)?;
            match component {
                Component::Prefix(_) | Component::RootDir => steps.clear(),
                Component::CurDir => {}
                Component::ParentDir => drop(steps.pop()),
                Component::Normal(name) => {
                    let (name, id) = folder.seen.get_key_value(utf8(name)?).ok_or(ErrorKind::NotFound)?;
                    steps.push((name, *id));
                }
            }
        }
        let id = steps.last().map_or(ROOT, |step| step.1);
        Ok((steps.into_iter().map(|step| step.0).collect(), id))
    }

    fn resolve(&self, path: &Path) -> io::Result<Id> {
        Ok(self.walk(path)?.1)
    }

    /// The folder and the last name of a path that need not exist.
    pub fn locate<'a>(&self, path: &'a Path) -> io::Result<(Id, &'a str)> {
        let Some(name) = path.file_name() else {
            self.resolve(path)?;
            return Err(ErrorKind::InvalidInput.into());
        };
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => self.resolve(parent)?,
            _ => ROOT,
        };
        self.folder(folder)?;
        Ok((folder, utf8(name)?))
    }

    /// Absolute form of an existing path.
    pub fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let mut absolute = PathBuf::from("/");
        absolute.extend(self.walk(path)?.0);
        Ok(absolute)
    }

    /// What is at `path`.
    pub fn file_type(&self, path: &Path) -> io::Result<Option<FileType>> {
        let id = match self.resolve(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        Ok(Some(match &self.inode(id)?.body {
            Body::File(file) => FileType::File(file.seen.len()),
            Body::Folder(_) => FileType::Folder,
        }))
    }

    /// Names in a folder, sorted.
    pub fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        Ok(self.folder(self.resolve(path)?)?.seen.keys().cloned().collect())
    }

    /// The id of an existing file.
    pub fn find_file(&self, path: &Path) -> io::Result<Id> {
        let id = self.resolve(path)?;
        self.file(id)?;
        Ok(id)
    }

    /// Makes an empty file with a new name.
    pub fn create_file(&mut self, path: &Path) -> io::Result<Id> {
        self.create(path, Body::File(File::default()))
    }

    /// Makes an empty folder with a new name.
    pub fn create_folder(&mut self, path: &Path) -> io::Result<Id> {
        self.create(path, Body::Folder(Folder::default()))
    }

    fn create(&mut self, path: &Path, body: Body) -> io::Result<Id> {
        if self.resolve(path).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let (folder, name) = self.locate(path)?;
        let id = self.next;
        self.folder_mut(folder)?.seen.insert(name.to_owned(), id);
        self.inodes.insert(id, Inode { refs: 1, body });
        self.next += 1;
        let stamp = self.new_stamp();
        self.note_name(folder, NameEffect { stamp, name: name.to_owned(), id: Some(id) })?;
        Ok(id)
    }

    fn new_stamp(&mut self) -> Stamp {
        self.stamp += 1;
        self.stamp
    }

    /// Notes what a call has done to a name.
    fn note_name(&mut self, folder: Id, effect: NameEffect) -> io::Result<()> {
        if let Some(id) = effect.id {
            self.retain(id)?;
        }
        self.folder_mut(folder)?.pending.push(effect);
        Ok(())
    }

    /// Takes a file's name away.
    pub fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.find_file(path)?;
        self.unlink(path)
    }

    /// Takes an empty folder's name away.
    pub fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        let id = self.resolve(path)?;
        if !self.folder(id)?.seen.is_empty() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        self.unlink(path)
    }

    fn unlink(&mut self, path: &Path) -> io::Result<()> {
        let (folder, name) = self.locate(path)?;
        if let Some(id) = self.folder_mut(folder)?.seen.remove(name) {
            let stamp = self.new_stamp();
            self.note_name(folder, NameEffect { stamp, name: name.to_owned(), id: None })?;
            self.release(id);
        }
        Ok(())
    }

    /// Gives what is at `from` the name `to`, in place of what has it.
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let id = self.resolve(from)?;
        let (old_folder, old_name) = self.locate(from)?;
        let (new_folder, new_name) = self.locate(to)?;
        if let Some(&replaced) = self.folder(new_folder)?.seen.get(new_name) {
            if replaced == id {
                return Ok(());
            }
            match (&self.inode(id)?.body, &self.inode(replaced)?.body) {
                (Body::File(_), Body::Folder(_)) => return Err(ErrorKind::IsADirectory.into()),
                (Body::Folder(_), Body::File(_)) => return Err(ErrorKind::NotADirectory.into()),
                (Body::Folder(_), Body::Folder(target)) if !target.seen.is_empty() => {
                    return Err(ErrorKind::DirectoryNotEmpty.into());
                }
                _ => {}
            }
        }
        if self.is_within(new_folder, id)? {
            return Err(ErrorKind::InvalidInput.into());
        }
        let (stamp, name) = (self.new_stamp(), |name: &str| name.to_owned());
        let made = NameEffect { stamp, name: name(new_name), id: Some(id) };
        self.note_name(new_folder, made)?;
        let gone = NameEffect { stamp, name: name(old_name), id: None };
        self.note_name(old_folder, gone)?;
        self.folder_mut(old_folder)?.seen.remove(old_name);
        if let Some(replaced) = self.folder_mut(new_folder)?.seen.insert(new_name.to_owned(), id) {
            self.release(replaced);
        }
        Ok(())
    }

    /// Whether `folder` is `above` or lies somewhere in it.
    fn is_within(&self, folder: Id, above: Id) -> io::Result<bool> {
        let mut within = BTreeSet::from([above]);
        let mut rest = vec![above];
        while let Some(id) = rest.pop() {
            if let Body::Folder(node) = &self.inode(id)?.body {
                rest.extend(node.seen.values().filter(|child| within.insert(**child)));
            }
        }
        Ok(within.contains(&folder))
    }

    /// Makes the names in a folder durable.
    pub fn sync_folder(&mut self, path: &Path) -> io::Result<()> {
        let id = self.resolve(path)?;
        let folder = self.folder_mut(id)?;
        let mut before = Vec::new();
        // The hold of a pending effect on its file goes over to the durable name.
        for effect in std::mem::take(&mut folder.pending) {
            before.extend(effect.apply(&mut folder.durable));
        }
        before.into_iter().for_each(|child| self.release(child));
        Ok(())
    }

    /// Makes the one name that `path` ends with durable.
    pub fn sync_name(&mut self, path: &Path) -> io::Result<()> {
        let id = self.resolve(path)?;
        let (folder, name) = self.locate(path)?;
        self.retain(id)?;
        let forgotten: Vec<_> =
            self.folder_mut(folder)?.pending.extract_if(.., |old| old.name == name).collect();
        forgotten.into_iter().filter_map(|effect| effect.id).for_each(|id| self.release(id));
        if let Some(before) = self.folder_mut(folder)?.durable.insert(name.to_owned(), id) {
            self.release(before);
        }
        Ok(())
    }
}

fn utf8(name: &OsStr) -> io::Result<&str> {
    name.to_str().ok_or_else(|| ErrorKind::InvalidInput.into())
}
