//! Which files are the database, found out also where `CURRENT` or the manifest do not say it.

use std::path::Path;

use crate::base::comparator::GivenOrders;
use crate::base::config::LightningDbConfig;
use crate::base::error::{Error, Result};
use crate::base::filename::{CURRENT, FileKind};
use crate::base::ids::FileNumber;
use crate::btree::TableContext;
use crate::manifest::{self, Loaded, State};
use crate::metrics::Meters;
use crate::recovery::files;
use crate::recovery::rebuild;
use crate::recovery::report::{CheckProgress, Finding};
use crate::sync::Arc;
use crate::vfs::Vfs;

/// A check or a repair.
pub struct Examination<'a> {
    /// The outside world.
    pub vfs: &'a Arc<dyn Vfs>,
    /// The database, whose lock the caller holds.
    pub folder: &'a Path,
    /// How tables are written.
    pub config: &'a LightningDbConfig,
    /// The orders that were asked for.
    pub given: &'a GivenOrders,
    /// Count what is read.
    pub meters: &'a Arc<Meters>,
    /// Told how far it has got.
    pub progress: &'a dyn Fn(CheckProgress),
}

impl Examination<'_> {
    /// Where tables are read, without a cache.
    pub(super) fn tables(&self, database_id: u64) -> TableContext {
        TableContext::uncached(self.vfs, self.folder, database_id, self.meters)
    }
}

/// Which files there are and which count.
pub(super) struct Survey {
    pub names: Vec<String>,
    pub database_id: u64,
    pub state: State,
    /// The manifest that the state is from; `None` if it was put together from the files.
    pub manifest: Option<FileNumber>,
    /// Bytes of a torn edit.
    pub dropped: u64,
    pub problems: Vec<Finding>,
    /// Files that should be there and are not, or say nothing: gone with all that was in them.
    pub lost: Vec<Finding>,
}

impl Examination<'_> {
    /// Errors: those of the operating system; `UnsupportedVersion`; `Corruption` if no file says which database this is.
    pub(super) fn survey(&self) -> Result<Survey> {
        let vfs = &**self.vfs;
        let names = vfs.list(self.folder).map_err(|error| Error::io("list", self.folder, error))?;
        let current = self.folder.join(CURRENT);
        let problem = match manifest::load(vfs, self.folder) {
            Ok(Some(loaded)) => match self.judge(&loaded, &names) {
                None => return Ok(Survey::of(loaded, names)),
                Some(problem) => problem,
            },
            Ok(None) => Finding::new(&current, "expected this file, which is missing"),
            Err(error) if error.is_damage() => Finding::of_error(&error, &current),
            Err(error) => return Err(error),
        };
        if problem.file == current
            && let Some(loaded) = self.newest_manifest()?
        {
            return Ok(Survey { problems: vec![problem], ..Survey::of(loaded, names) });
        }
        let mut survey = rebuild::from_files(self, names)?;
        survey.problems.insert(0, problem);
        Ok(survey)
    }

    /// A manifest has lost its end if a newer log has records, or if its tables are gone and others have come.
    fn judge(&self, loaded: &Loaded, names: &[String]) -> Option<Finding> {
        let manifest = self.folder.join(FileKind::Manifest.name(loaded.number));
        if let Err(error) = files::check_newer_logs(&**self.vfs, self.folder, loaded, names) {
            return Some(Finding::of_error(&error, &manifest));
        }
        let is_there = |name: String| names.binary_search(&name).is_ok();
        let missing = loaded.state.tables().any(|(_, meta)| !is_there(FileKind::Table.name(meta.number)))
            || loaded.state.logs.keys().any(|number| !is_there(FileKind::Log.name(*number)));
        let named = |number| loaded.state.tables().any(|(_, meta)| meta.number == number);
        let newer = |name: &String| matches!(FileKind::parse(name), Some((FileKind::Table, number)) if number >= loaded.state.next_file && !named(number));
        let lost_its_end = missing && names.iter().any(newer);
        lost_its_end
            .then(|| Finding::new(&manifest, "expected the edits that name the tables of this folder"))
    }

    /// For a folder without a right `CURRENT`: the newest manifest that can be read and fits the folder.
    pub(super) fn newest_manifest(&self) -> Result<Option<Loaded>> {
        let names = &self.vfs.list(self.folder).map_err(|error| Error::io("list", self.folder, error))?;
        let numbers = names.iter().filter_map(|name| match FileKind::parse(name) {
            Some((FileKind::Manifest, number)) => Some(number),
            _ => None,
        });
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
        for number in numbers {
            match manifest::load_file(&**self.vfs, self.folder, None, number) {
                Ok(loaded) if self.judge(&loaded, names).is_none() => return Ok(Some(loaded)),
                Ok(_) => {}
                Err(error) if error.is_damage() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

impl Survey {
    fn of(loaded: Loaded, names: Vec<String>) -> Survey {
        let Loaded { database_id, number, state, dropped } = loaded;
        let (problems, lost) = Default::default();
        Survey { names, database_id, state, manifest: Some(number), dropped, problems, lost }
    }
}
