//! The manifest: a chunked log of edits, the first of which holds the whole state.

use std::path::Path;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::header::FileHeader;
use crate::base::ids::FileNumber;
use crate::base::planted::{Plant, planted};
use crate::manifest::current::Current;
use crate::manifest::edit::{Edit, Undecodable};
use crate::manifest::state::State;
use crate::sync::Arc;
use crate::vfs::{Vfs, sync_folder};
use crate::wal::{LogReader, LogWriter, sync};

/// The manifest in force, open for more edits.
#[derive(Debug)]
pub struct Manifest {
    log: LogWriter,
    /// An append failed: what the file holds is not known.
    halted: bool,
}

impl Manifest {
    /// Writes a new manifest that holds the whole `state` and puts it in force, on stable storage.
    ///
    /// `number` is below `state.next_file` and was never used in this folder. After an error either this
    /// manifest or the one before may be in force, until a later `publish` succeeds or [`load`] tells.
    pub fn publish(
        vfs: &Arc<dyn Vfs>,
        folder: &Path,
        database_id: u64,
        number: FileNumber,
        state: &State,
    ) -> Result<Manifest> {
        let vfs = &**vfs;
        let manifest = Manifest::create(vfs, folder, database_id, number, state)?;
        Current { database_id, manifest: number }.store(vfs, folder)?;
        Ok(manifest)
    }

    /// A manifest on stable storage that is not in force yet.
    fn create(
        vfs: &dyn Vfs,
        folder: &Path,
        database_id: u64,
        number: FileNumber,
        state: &State,
    ) -> Result<Manifest> {
        if number >= state.next_file {
            let message = format!("manifest {number} is not below the next file {}", state.next_file);
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let kind = FileKind::Manifest;
        let header = FileHeader { kind, database_id, number, first_sequence: 0, previous_log: 0 };
        let log = LogWriter::create(vfs, folder, header)?;
        let mut manifest = Manifest { log, halted: false };
        let written = manifest
            .write(&state.to_edit())
            .and_then(|()| if planted(Plant::CurrentEarly) { Ok(()) } else { manifest.sync() })
            .and_then(|()| sync_folder(vfs, folder));
        if let Err(error) = written {
            // Nothing names it: best effort.
            let _ = vfs.remove(manifest.log.path());
            return Err(error);
        }
        Ok(manifest)
    }

    /// Stands for manifest `number` of a database that is open read-only: it takes no edits.
    pub fn refusing(folder: &Path, database_id: u64, number: FileNumber) -> Manifest {
        let log = LogWriter::refusing(folder, FileKind::Manifest, database_id, number, 0);
        Manifest { log, halted: true }
    }

    /// Adds an edit; it is on stable storage when this returns `Ok`. A full disk (`NoSpace`) leaves the
    /// manifest as it was. After any other error it takes no more edits (`Halted`): whether the edit is in
    /// force is known only after a reopen or a new manifest.
    pub fn append(&mut self, edit: &Edit) -> Result<()> {
        if self.halted {
            let message =
                format!("{}: a write or sync failed earlier: reopen the database", self.log.path().display());
            return Err(Error::new(ErrorKind::Halted, message).with_file(self.log.path()));
        }
        self.halted = true;
        let before = self.log.end();
        if let Err(error) = self.write(edit) {
            let undone = error.kind() == ErrorKind::NoSpace && self.take_back(before).is_ok();
            self.halted = !undone;
            return Err(error);
        }
        if !planted(Plant::EditUnsynced) {
            self.sync()?;
        }
        // The mark makes later damage to this edit known for damage. The edit counts without it.
        let before = self.log.end();
        self.log.mark();
        self.halted = match self.log.write() {
            Ok(()) => false,
            Err(error) => error.kind() != ErrorKind::NoSpace || self.take_back(before).is_err(),
        };
        Ok(())
    }

    /// Whether a failure has left it unknown what the file holds.
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    /// The number in the file's name.
    pub fn number(&self) -> FileNumber {
        self.log.number()
    }

    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        self.log.written()
    }

    fn write(&mut self, edit: &Edit) -> Result<()> {
        self.log.append(&[&edit.encode()])?;
        self.log.write()
    }

    fn take_back(&mut self, to: u64) -> Result<()> {
        self.log.rollback(to)?;
        self.log.repair_tail()
    }

    fn sync(&self) -> Result<()> {
        sync(&**self.log.file(), self.log.path(), self.log.durable(), self.log.written())
    }
}

/// The catalogue as read from a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The database in the folder.
    pub database_id: u64,
    /// The manifest in force.
    pub number: FileNumber,
    /// The sum of its edits.
    pub state: State,
    /// Bytes of a torn edit at its end that were dropped.
    pub dropped: u64,
}

/// The number of the manifest in force, by `CURRENT`.
pub fn in_force(vfs: &dyn Vfs, folder: &Path) -> Result<Option<FileNumber>> {
    Ok(Current::load(vfs, folder)?.map(|current| current.manifest))
}

/// Reads the manifest in force; `None` if the folder has no `CURRENT`.
///
/// Errors: `Corruption` for a damaged or cut `CURRENT`, a missing or damaged manifest, edits that do not fit;
/// `UnsupportedVersion`; those of the operating system.
pub fn load(vfs: &dyn Vfs, folder: &Path) -> Result<Option<Loaded>> {
    let Some(Current { database_id, manifest: number }) = Current::load(vfs, folder)? else {
        return Ok(None);
    };
    load_file(vfs, folder, Some(database_id), number).map(Some)
}

/// Reads manifest `number`. `database_id` is `None` while it is not known. Errors: as [`load`].
pub fn load_file(
    vfs: &dyn Vfs,
    folder: &Path,
    database_id: Option<u64>,
    number: FileNumber,
) -> Result<Loaded> {
    let mut log = LogReader::open(vfs, folder, FileKind::Manifest, database_id, number, None)?;
    let database_id = log.header().database_id;
    let mut record = Vec::new();
    let mut state: Option<State> = None;
    while let Some(offset) = log.next(&mut record)? {
        let edit = Edit::decode(&record).map_err(|error| undecodable(log.path(), offset, error))?;
        let next = match state {
            Some(state) => state.applied(&edit),
            None => State::from_edit(&edit),
        };
        let misfit = |why| Error::corruption(log.path(), offset, format!("an edit that fits, but {why}"));
        state = Some(next.map_err(misfit)?);
    }
    // A manifest is named by `CURRENT` only after its first record was on stable storage.
    let Some(state) = state else {
        return Err(Error::corruption(log.path(), log.tail().end, "a first edit with the whole state"));
    };
    if number >= state.next_file {
        let expected = format!("a next file number above this file's, not {}", state.next_file);
        return Err(Error::corruption(log.path(), log.tail().end, expected));
    }
    Ok(Loaded { database_id, number, state, dropped: log.tail().dropped })
}

fn undecodable(path: &Path, offset: u64, error: Undecodable) -> Error {
    match error {
        Undecodable::Damaged(expected) => Error::corruption(path, offset, expected),
        Undecodable::UnknownTag(tag) => {
            Error::unsupported(path, format_args!("tag {tag} of the edit at {offset}"))
        }
    }
}
