//! The frame of a repair: the file `REPAIRING`, and the folder `lost` for files that it replaces.

use std::path::{Path, PathBuf};

use crate::base::checksum::Checksum;
use crate::base::error::{Error, Result};
use crate::base::filename::{CURRENT, FileKind, LOST, REPAIRING};
use crate::base::ids::FileNumber;
use crate::manifest::{self, State};
use crate::recovery::report::CheckReport;
use crate::recovery::survey::Examination;
use crate::vfs::{FileType, OpenMode, Vfs, sync_folder};

/// Bytes of `REPAIRING`: checksum and number.
const MARKER_LEN: usize = 12;

/// A repair under way.
pub(super) struct Aside<'a> {
    job: &'a Examination<'a>,
    /// Files from this number on are the repair's own.
    pub first_new: FileNumber,
}

impl<'a> Aside<'a> {
    /// The repair that was cut in this folder, if one was.
    pub fn cut_repair(job: &'a Examination<'a>) -> Result<Option<Self>> {
        let path = job.folder.join(REPAIRING);
        let found = job.vfs.file_type(&path).map_err(|error| Error::io("look at", &path, error))?;
        if found.is_none() {
            return Ok(None);
        }
        let mut bytes = [0; MARKER_LEN];
        let read = job.vfs.open(&path, OpenMode::Read).and_then(|file| file.read_at(&mut bytes, 0));
        let number = bytes[4..].first_chunk().map_or(0, |number| u64::from_le_bytes(*number));
        if read.is_ok() && bytes == marker(number) {
            return Ok(Some(Aside { job, first_new: number }));
        }
        // It was cut before it had made anything. The repair may find that nothing is wrong, and do nothing more.
        remove(&**job.vfs, &path)?;
        sync_folder(&**job.vfs, job.folder)?;
        Ok(None)
    }

    /// From now on the folder is not opened until the repair is done.
    pub fn begin(job: &'a Examination<'a>, first_new: FileNumber) -> Result<Self> {
        let path = job.folder.join(REPAIRING);
        let file =
            job.vfs.open(&path, OpenMode::CreateNew).map_err(|error| Error::io("create", &path, error))?;
        let aside = Aside { job, first_new };
        let marked = file.write_at(&marker(first_new), 0).map_err(|error| Error::io("write", &path, error));
        let marked = marked.and_then(|()| file.sync_all().map_err(|error| Error::io("sync", &path, error)));
        let marked = marked.and_then(|()| sync_folder(&**job.vfs, job.folder));
        // Else a folder that could be opened before would be refused.
        marked.inspect_err(|_| drop(aside.end()))?;
        Ok(aside)
    }

    /// The folder may be opened from now on.
    fn end(&self) -> Result<()> {
        let (vfs, folder) = (&**self.job.vfs, self.job.folder);
        remove(vfs, &folder.join(REPAIRING))?;
        sync_folder(vfs, folder)
    }

    /// Removes what this repair has made, before any of it is in force.
    pub fn take_back(&self) -> Result<()> {
        let (vfs, folder, report) = (&**self.job.vfs, self.job.folder, self.report_path());
        self.remove_unpublished()?;
        if let Ok(Some(FileType::File(_))) = vfs.file_type(&report) {
            remove(vfs, &report)?;
        }
        sync_folder(vfs, folder)?;
        self.end()
    }

    /// Removes what a cut repair has made and not put in force.
    pub fn remove_unpublished(&self) -> Result<()> {
        let (vfs, folder) = (&**self.job.vfs, self.job.folder);
        let names = vfs.list(folder).map_err(|error| Error::io("list", folder, error))?;
        for name in names
            .iter()
            .filter(|name| FileKind::parse(name).is_some_and(|(_, number)| number >= self.first_new))
        {
            remove(vfs, &folder.join(name))?;
        }
        Ok(())
    }

    /// A `CURRENT` that is damaged is replaced by the publishing: it is moved before.
    pub fn set_current_aside(&self) -> Result<()> {
        let (vfs, folder) = (&**self.job.vfs, self.job.folder);
        match manifest::in_force(vfs, folder) {
            Err(error) if error.is_damage() => {
                self.set_aside(CURRENT)?;
                // The new name first: the old one may go then.
                sync_folder(vfs, &folder.join(LOST))
            }
            _ => Ok(()),
        }
    }

    /// Where [`Aside::keep_report`] puts it.
    pub fn report_path(&self) -> PathBuf {
        self.job.folder.join(LOST).join(format!("report-{:06}.txt", self.first_new))
    }

    /// Writes down what was found and lost, for the case that nobody is told because the repair is cut.
    pub fn keep_report(&self, report: &CheckReport) -> Result<()> {
        let (vfs, path) = (&**self.job.vfs, self.report_path());
        self.make_lost()?;
        if vfs.file_type(&path).map_err(|error| Error::io("look at", &path, error))?.is_some() {
            remove(vfs, &path)?;
        }
        let file = vfs.open(&path, OpenMode::CreateNew).map_err(|error| Error::io("create", &path, error))?;
        file.write_at(report.to_string().as_bytes(), 0).map_err(|error| Error::io("write", &path, error))?;
        file.sync_all().map_err(|error| Error::io("sync", &path, error))?;
        sync_folder(vfs, &self.job.folder.join(LOST))
    }

    fn make_lost(&self) -> Result<()> {
        let (vfs, lost) = (&**self.job.vfs, self.job.folder.join(LOST));
        let found = vfs.file_type(&lost).map_err(|error| Error::io("look at", &lost, error))?;
        if found == Some(FileType::Folder) {
            return Ok(());
        }
        vfs.create_dir(&lost).map_err(|error| Error::io("create folder", &lost, error))?;
        sync_folder(vfs, self.job.folder)
    }

    /// Moves what the new state does not name to `lost`, but removes what this run has made on the way, from
    /// number `first_own` on. Ends the repair.
    pub fn finish(&self, state: &State, manifest: FileNumber, first_own: FileNumber) -> Result<Vec<PathBuf>> {
        let (vfs, folder) = (&**self.job.vfs, self.job.folder);
        let names = vfs.list(folder).map_err(|error| Error::io("list", folder, error))?;
        for name in &names {
            let Some((kind, number)) = FileKind::parse(name) else { continue };
            let kept = match kind {
                FileKind::Manifest => number == manifest,
                FileKind::Log => state.logs.contains_key(&number),
                FileKind::Table => state.tables().any(|(_, meta)| meta.number == number),
            };
            match (kept, number >= first_own) {
                (true, _) => {}
                (false, true) => remove(vfs, &folder.join(name))?,
                (false, false) => self.set_aside(name).map(drop)?,
            }
        }
        let lost = folder.join(LOST);
        let mut aside = Vec::new();
        if vfs.file_type(&lost).map_err(|error| Error::io("look at", &lost, error))?.is_some() {
            sync_folder(vfs, &lost)?;
            let names = vfs.list(&lost).map_err(|error| Error::io("list", &lost, error))?;
            aside.extend(names.iter().map(|name| lost.join(name)));
        }
        sync_folder(vfs, folder)?;
        self.end()?;
        Ok(aside)
    }

    /// Moves a file to `lost`, under a name that is free there.
    fn set_aside(&self, name: &str) -> Result<PathBuf> {
        let (vfs, folder) = (&**self.job.vfs, self.job.folder);
        let lost = folder.join(LOST);
        let found = |path: &Path| vfs.file_type(path).map_err(|error| Error::io("look at", path, error));
        self.make_lost()?;
        let mut target = lost.join(name);
        let mut copy = 1u32;
        while found(&target)?.is_some() {
            target = lost.join(format!("{name}.{copy}"));
            copy += 1;
        }
        let from = folder.join(name);
        vfs.rename(&from, &target).map_err(|error| Error::io("rename", &from, error))?;
        Ok(target)
    }
}

fn remove(vfs: &dyn Vfs, path: &Path) -> Result<()> {
    vfs.remove(path).map_err(|error| Error::io("remove", path, error))
}

fn marker(number: FileNumber) -> [u8; MARKER_LEN] {
    let mut bytes = [0; MARKER_LEN];
    bytes[4..].copy_from_slice(&number.to_le_bytes());
    let crc = Checksum::new(0, 0).of(0, &[&bytes[4..]]);
    bytes[..4].copy_from_slice(&crc.to_le_bytes());
    bytes
}
