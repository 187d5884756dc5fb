//! Whether a check reports a damage, and a repair keeps what is whole, says what is lost and invents nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use lightning_db::vfs::MemoryVfs;
use lightning_db::{CheckReport, ConsistencyManager, Error, ErrorKind, Finding, Result, ScanOptions};

use crate::common::{FOLDER, open_still, path_of};
use crate::judge::Outcome;
use crate::kinds::Damage;
use crate::sample::{Left, Model, OTHER, Place, Sample, config};

/// What a check and a repair came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mended {
    /// Nothing was wrong but what a crash may leave.
    Whole,
    /// Repaired.
    Repaired,
    /// Nothing says which database this is.
    Unknown,
}

fn manager(sample: &Sample) -> ConsistencyManager {
    ConsistencyManager::with_config(config(sample.compressed))
}

fn check(sample: &Sample, disk: &MemoryVfs) -> Result<CheckReport> {
    manager(sample).check_on(Arc::new(disk.clone()), Path::new(FOLDER))
}

pub fn repair(sample: &Sample, disk: &MemoryVfs) -> Result<CheckReport> {
    manager(sample).repair_on(Arc::new(disk.clone()), Path::new(FOLDER))
}

/// Checks and repairs a damaged disk whose reads were `read`.
pub fn mend(sample: &Sample, disk: &MemoryVfs, damage: &Damage, read: &Outcome) -> Mended {
    let found = match check(sample, disk) {
        Ok(found) => found,
        Err(error) => return unknown(&error, damage, read),
    };
    let report = repair(sample, disk).unwrap_or_else(|error| panic!("{damage}: {error}\n{found}"));
    assert_eq!(found.problems, report.problems, "{damage}: a check and a repair see the same");
    if report.is_ok() {
        let is_note = matches!(read, Outcome::Right | Outcome::Tail(_));
        assert!(is_note, "{damage}: reads were {read:?}, and the check finds nothing\n{report}");
        return Mended::Whole;
    }
    let names_it = |finding: &Finding| damage.files.iter().any(|name| path_of(name) == finding.file);
    let is_named = damage.may_show_elsewhere || report.problems.iter().any(names_it);
    // A manifest that lost its end shows it by the files that it does not name rightly.
    let is_manifest = damage.files.iter().any(|name| name.ends_with(".manifest") || name == "CURRENT");
    assert!(is_named || is_manifest, "{damage}: not named\n{report}");
    judge_repaired(sample, disk, damage, &report);
    Mended::Repaired
}

fn unknown(error: &Error, damage: &Damage, read: &Outcome) -> Mended {
    assert!(matches!(error.kind(), ErrorKind::Corruption | ErrorKind::NotFound), "{damage}: {error}");
    assert_eq!(*read, Outcome::Refused, "{damage}: it could be read, and not checked: {error}");
    Mended::Unknown
}

/// Opens without an error, is clean, has everything that was not reported lost, and nothing that never was.
fn judge_repaired(sample: &Sample, disk: &MemoryVfs, damage: &Damage, report: &CheckReport) {
    let again = check(sample, disk).unwrap();
    assert!(again.is_ok(), "{damage}: after the repair: {again}\nwhich said: {report}");
    let found = all(sample, disk).unwrap_or_else(|error| panic!("{damage}: repaired, and {error}\n{report}"));
    for (place, value) in &found {
        let was = sample.ever.get(place).is_some_and(|values| values.contains(value));
        assert!(was, "{damage}: invented {place:?} = {value:?}\n{report}");
    }
    let lost = report.repair.as_ref().map_or(&[][..], |repair| &repair.lost);
    // A torn tail of a log nobody had recorded the end of is a note.
    let is_tail = sample.left == Left::Killed
        && (report.notes.iter().any(|note| note.file.extension().is_some_and(|kind| kind == "log"))
            || damage.is_cut_at_a_boundary);
    for place in sample.ever.keys() {
        let told = lost.iter().any(|finding| concerns(finding, place, sample, damage));
        let may_lack = is_tail && sample.logged.contains(place);
        if !(told || may_lack) {
            assert_eq!(found.get(place), sample.newest().get(place), "{damage}: {place:?}\n{report}");
        }
    }
}

fn concerns(finding: &Finding, place: &Place, sample: &Sample, damage: &Damage) -> bool {
    let of_keyspace = finding.keyspace.as_ref().is_none_or(|name| (name == OTHER) == place.0);
    let (first, last) = (&finding.first_key, &finding.last_key);
    if first.is_none() && last.is_none() && of_keyspace {
        let is_log = finding.file.extension().is_some_and(|kind| kind == "log");
        // Whether files are missing is more than a repair without a manifest can know.
        let is_folder = finding.file == Path::new(FOLDER) && !damage.may_show_elsewhere;
        return if is_log { sample.logged.contains(place) } else { !is_folder };
    }
    of_keyspace
        && first.as_ref().is_none_or(|first| *first <= place.1)
        && last.as_ref().is_none_or(|last| place.1 <= *last)
}

/// All entries. A keyspace whose edits are lost has another name.
pub fn all(sample: &Sample, disk: &MemoryVfs) -> Result<Model> {
    let db = open_still(disk, config(sample.compressed))?;
    let mut found: Model = BTreeMap::new();
    for name in db.list_keyspaces()? {
        let in_other = name != "default";
        for entry in db.keyspace(&name)?.scan_with(ScanOptions::all())? {
            let (key, value) = entry?;
            found.insert((in_other, key.to_vec()), value.to_vec());
        }
    }
    Ok(found)
}
