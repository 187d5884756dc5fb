//! What a path holds, found out without touching it.

use std::path::Path;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::{self, BACKUP, CURRENT, FileKind, LOST, REPAIRING, RESTORING};
use crate::base::header::FILE_HEADER_LEN;
use crate::vfs::{FileType, Vfs};

/// What a path holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing is there.
    Nothing,
    /// An empty folder.
    EmptyFolder,
    /// A folder in which a creation was cut.
    CutCreation,
    /// A database.
    Database,
}

/// Looks at a path that is to be opened. Errors: `NotADatabase` for a file, a backup, an unfinished restore or repair, or a
/// folder of something else; `Corruption` for a database whose `CURRENT` is gone.
pub fn inspect(vfs: &dyn Vfs, path: &Path) -> Result<Found> {
    look(vfs, path, false)
}

/// As [`inspect`]. `may_be_half_repaired`: a database whose repair was cut is one too.
fn look(vfs: &dyn Vfs, path: &Path, may_be_half_repaired: bool) -> Result<Found> {
    let foreign = |what: &str| {
        Err(Error::new(ErrorKind::NotADatabase, format!("{}: {what}", path.display())).with_file(path))
    };
    match vfs.file_type(path).map_err(|error| Error::io("look at", path, error))? {
        None => return Ok(Found::Nothing),
        Some(FileType::Folder) => {}
        Some(FileType::Other) => match vfs.canonicalize(path) {
            Ok(real) if real != path => return look(vfs, &real, may_be_half_repaired),
            _ => return foreign("is neither a file nor a folder"),
        },
        Some(FileType::File(_)) => return foreign("is a file; a database is a folder"),
    }
    let names = vfs.list(path).map_err(|error| Error::io("list", path, error))?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has(RESTORING) {
        return foreign("a restore into this folder was cut; run it again");
    }
    if has(REPAIRING) && may_be_half_repaired {
        return Ok(Found::Database);
    }
    if has(REPAIRING) {
        return foreign("a repair of this database was cut; run it again");
    }
    if has(BACKUP) || has(&format!("{BACKUP}{}", filename::UNFINISHED)) {
        return foreign("is a backup; restore it into another folder");
    }
    if has(CURRENT) {
        return Ok(Found::Database);
    }
    if names.is_empty() {
        return Ok(Found::EmptyFolder);
    }
    let holds_data = holds_data(vfs, path, &names)?;
    let stranger = names.iter().find(|name| !filename::is_ours(name) && *name != LOST);
    // A database that has lost its `CURRENT` stays one when something else lies in its folder: it can be repaired.
    if let Some(name) = stranger.filter(|_| !holds_data) {
        return foreign(&format!("holds {name:?} and no database"));
    }
    if holds_data || has(LOST) {
        // Another opener may have finished the creation since the names were listed.
        let current = path.join(CURRENT);
        if vfs.file_type(&current).map_err(|error| Error::io("look at", &current, error))?.is_some() {
            return Ok(Found::Database);
        }
        return Err(Error::corruption(&path.join(CURRENT), 0, "this file, which is missing from a database"));
    }
    Ok(Found::CutCreation)
}

/// For check and repair, which a damaged or half repaired database may be given: whether the folder holds
/// files of one. Errors: `NotFound`; `NotADatabase` for anything else.
pub fn check_is_ours(vfs: &dyn Vfs, path: &Path) -> Result<()> {
    match look(vfs, path, true) {
        Ok(Found::Database) => Ok(()),
        Ok(_) => {
            let message = format!("{}: there is no database", path.display());
            Err(Error::new(ErrorKind::NotFound, message).with_file(path))
        }
        Err(error) if error.kind() == ErrorKind::Corruption => Ok(()),
        Err(error) => Err(error),
    }
}

/// A creation that was cut leaves no table and no log with a record.
fn holds_data(vfs: &dyn Vfs, path: &Path, names: &[String]) -> Result<bool> {
    for name in names {
        let file = path.join(name);
        match FileKind::parse(name) {
            Some((FileKind::Table, _)) => return Ok(true),
            Some((FileKind::Log, _)) => {
                let found = vfs.file_type(&file).map_err(|error| Error::io("look at", &file, error))?;
                if matches!(found, Some(FileType::File(len)) if len > FILE_HEADER_LEN as u64) {
                    return Ok(true);
                }
            }
            _ => {}
        }
    }
    Ok(false)
}
