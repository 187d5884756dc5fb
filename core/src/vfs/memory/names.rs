//! Paths and names of the tree.

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
        Ok(id)
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
        let seen = self.folder(id)?.seen.clone();
        for child in seen.values() {
            self.retain(*child)?;
        }
        let before = std::mem::replace(&mut self.folder_mut(id)?.durable, seen);
        before.into_values().for_each(|child| self.release(child));
        Ok(())
    }

    /// Makes the one name that `path` ends with durable.
    pub fn sync_name(&mut self, path: &Path) -> io::Result<()> {
        let id = self.resolve(path)?;
        let (folder, name) = self.locate(path)?;
        self.retain(id)?;
        if let Some(before) = self.folder_mut(folder)?.durable.insert(name.to_owned(), id) {
            self.release(before);
        }
        Ok(())
    }
}

fn utf8(name: &OsStr) -> io::Result<&str> {
    name.to_str().ok_or_else(|| ErrorKind::InvalidInput.into())
}
