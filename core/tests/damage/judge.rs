//! Whether each read of a damaged database is right, or an error that says where the damage is.

use std::collections::BTreeSet;
use std::path::Path;

use lightning_db::vfs::MemoryVfs;
use lightning_db::{Database, Error, ErrorKind, Result, ScanOptions};

use crate::common::{FOLDER, open_still, path_of};
use crate::kinds::Damage;
use crate::sample::{Left, Model, OTHER, Place, Sample, config};

/// What became of the reads of one damaged database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All were right.
    Right,
    /// `open` refused.
    Refused,
    /// Some were errors: gets of these places, and maybe scans.
    Partly(BTreeSet<Place>),
    /// An older state, of so many commits of the log, and the report says that something was dropped.
    Tail(usize),
}

/// One way to read all, and what it gave: the entries up to an error.
struct Walk {
    entries: Vec<(Place, Vec<u8>)>,
    error: Option<Error>,
    /// Entries come from the end.
    reverse: bool,
    in_other: bool,
}

type Values = Vec<Option<Vec<u8>>>;

/// What was read, in many ways.
struct Reads {
    gets: Vec<(Place, Result<Option<Vec<u8>>>)>,
    walks: Vec<Walk>,
    counts: Vec<(bool, Result<u64>)>,
    batches: Vec<(Vec<Place>, Result<Values>)>,
}

/// Reads the damaged disk through a database that is opened for it, and judges what comes.
pub fn judge(sample: &Sample, disk: &MemoryVfs, damage: &Damage) -> Outcome {
    let db = match open_still(disk, config(sample.compressed)) {
        Ok(db) => db,
        Err(error) => {
            assert_honest(&error, damage);
            return Outcome::Refused;
        }
    };
    let reads = Reads::of(&db, sample).unwrap_or_else(|error| panic!("{damage}: {error}"));
    reads.errors().for_each(|error| assert_honest(error, damage));
    let failed: BTreeSet<Place> =
        reads.gets.iter().filter(|(_, got)| got.is_err()).map(|(place, _)| place.clone()).collect();
    let Err(wrong) = reads.fit(sample.newest()) else {
        return match reads.errors().next() {
            None => Outcome::Right,
            Some(_) => Outcome::Partly(failed),
        };
    };
    // An older state: only of a log whose end nobody had recorded, and never in silence.
    let older = (0..sample.states.len()).rev().find(|&state| reads.fit(&sample.states[state]).is_ok());
    let Some(commits) = older else { panic!("{damage}: {wrong}") };
    assert!(sample.left == Left::Killed, "{damage}: rolled back to commit {commits}: {wrong}");
    let report = db.recovery_report();
    assert!(
        report.dropped_log_bytes > 0 || damage.is_cut_at_a_boundary,
        "{damage}: rolled back to commit {commits} in silence"
    );
    Outcome::Tail(commits)
}

/// `Corruption` with a file that was damaged and an offset. Where a file lacks, or stands where another should, it
/// may be another one that shows it.
fn assert_honest(error: &Error, damage: &Damage) {
    assert_eq!(error.kind(), ErrorKind::Corruption, "{damage}: {error}");
    let file = error.file().unwrap_or_else(|| panic!("{damage}: no file in {error}"));
    assert!(error.offset().is_some(), "{damage}: no offset in {error}");
    let names_it = damage.files.iter().any(|name| path_of(name) == file);
    assert!(names_it || damage.may_show_elsewhere, "{damage}: {error}");
    assert!(file.starts_with(FOLDER) || file.starts_with("/backups"), "{damage}: {error}");
}

impl Reads {
    fn of(db: &Database, sample: &Sample) -> Result<Reads> {
        let other = db.keyspace(OTHER)?;
        let mut places: Vec<Place> = sample.ever.keys().cloned().collect();
        // Neither was ever written.
        places.extend([
            (false, b"key".to_vec()),
            (false, b"key 55 and more".to_vec()),
            (true, b"z".to_vec()),
        ]);
        let get = |(in_other, key): &Place| {
            let got = if *in_other { other.get(key) } else { db.get(key) };
            got.map(|value| value.map(|value| value.to_vec()))
        };
        let mut reads =
            Reads { gets: Vec::new(), walks: Vec::new(), counts: Vec::new(), batches: Vec::new() };
        reads.gets.extend(places.iter().map(|place| (place.clone(), get(place))));
        for in_other in [false, true] {
            for reverse in [false, true] {
                let all = ScanOptions::all();
                let options = if reverse { all.reverse() } else { all };
                let scan = if in_other { other.scan_with(options) } else { db.scan_with(options) };
                let mut walk = Walk { entries: Vec::new(), error: None, reverse, in_other };
                let (scan, refused) =
                    scan.map_or_else(|error| (None, Some(Err(error))), |scan| (Some(scan), None));
                for entry in refused.into_iter().chain(scan.into_iter().flatten()) {
                    match entry {
                        Ok((key, value)) => walk.entries.push(((in_other, key.to_vec()), value.to_vec())),
                        Err(error) => {
                            assert!(walk.error.replace(error).is_none(), "a scan goes on behind an error")
                        }
                    }
                }
                reads.walks.push(walk);
            }
            let count = if in_other { other.count(ScanOptions::all()) } else { db.count(ScanOptions::all()) };
            reads.counts.push((in_other, count));
            let of_it: Vec<Place> = places.iter().filter(|place| place.0 == in_other).cloned().collect();
            let keys: Vec<_> = of_it.iter().map(|place| &place.1).collect();
            let got = if in_other { other.get_batch(&keys) } else { db.get_batch(&keys) };
            let got = got.map(|values| values.into_iter().map(|value| value.map(|v| v.to_vec())).collect());
            reads.batches.push((of_it, got));
        }
        // Again: what the cache and the rows have kept of a failed read must not answer.
        reads.gets.extend(places.iter().map(|place| (place.clone(), get(place))));
        Ok(reads)
    }

    fn errors(&self) -> impl Iterator<Item = &Error> {
        let gets = self.gets.iter().filter_map(|(_, got)| got.as_ref().err());
        let walks = self.walks.iter().filter_map(|walk| walk.error.as_ref());
        let counts = self.counts.iter().filter_map(|(_, count)| count.as_ref().err());
        gets.chain(walks).chain(counts).chain(self.batches.iter().filter_map(|(_, got)| got.as_ref().err()))
    }

    /// Whether every read that is no error is that of the model; else what is not.
    fn fit(&self, model: &Model) -> Result<(), String> {
        for (place, got) in &self.gets {
            if let Ok(value) = got
                && value.as_ref() != model.get(place)
            {
                return Err(format!("get of {place:?} is {value:?}, not {:?}", model.get(place)));
            }
        }
        for walk in &self.walks {
            let mut right: Vec<_> = model.iter().filter(|(place, _)| place.0 == walk.in_other).collect();
            if walk.reverse {
                right.reverse();
            }
            let is_prefix =
                walk.entries.iter().zip(&right).all(|(found, right)| (&found.0, &found.1) == *right);
            let is_whole = walk.entries.len() == right.len();
            if !is_prefix || walk.entries.len() > right.len() || (walk.error.is_none() && !is_whole) {
                return Err(format!("a scan gives {} entries of {}", walk.entries.len(), right.len()));
            }
        }
        for (in_other, count) in &self.counts {
            let right = model.keys().filter(|place| place.0 == *in_other).count() as u64;
            if count.as_ref().is_ok_and(|count| *count != right) {
                return Err(format!("a count of {count:?}, not {right}"));
            }
        }
        for (places, got) in &self.batches {
            let Ok(values) = got else { continue };
            if values.len() != places.len()
                || places.iter().zip(values).any(|(place, value)| value.as_ref() != model.get(place))
            {
                return Err("a batch of gets".into());
            }
        }
        Ok(())
    }
}

/// Whether the damaged disk can be read only, beside a writer, is judged like an open to write.
pub fn judge_read_only(sample: &Sample, disk: &MemoryVfs, damage: &Damage) {
    let vfs = std::sync::Arc::new(disk.clone());
    match Database::open_read_only_on(vfs, Path::new(FOLDER), config(sample.compressed)) {
        Err(error) => assert_honest(&error, damage),
        Ok(db) => {
            let reads = Reads::of(&db, sample).unwrap_or_else(|error| panic!("{damage}: {error}"));
            reads.errors().for_each(|error| assert_honest(error, damage));
            let newest = reads.fit(sample.newest());
            let fits = newest.is_ok()
                || (sample.left == Left::Killed
                    && sample.states.iter().any(|state| reads.fit(state).is_ok()));
            assert!(fits, "{damage}, read only: {newest:?}");
        }
    }
}
