//! A log read as far as its checksums hold, behind damage too: whole commits, and what is missing between them.

use std::path::PathBuf;

use crate::base::error::{ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::ids::{FileNumber, SequenceNumber};
use crate::recovery::commit::Commit;
use crate::recovery::report::Finding;
use crate::vfs::Vfs;
use crate::wal::LogReader;

/// A log to be read.
pub(super) struct ScannedLog<'a> {
    pub vfs: &'a dyn Vfs,
    pub path: PathBuf,
    pub database_id: u64,
    pub number: FileNumber,
    /// Its end, if that is recorded.
    pub known_end: Option<u64>,
}

/// What was found besides commits.
#[derive(Default)]
pub(super) struct Scanned {
    pub problems: Vec<Finding>,
    /// Commits that are missing.
    pub lost: Vec<Finding>,
    /// What the file's header says, if it is right: its first record, and the log before it.
    pub header: Option<(SequenceNumber, FileNumber)>,
    /// Bytes of a torn tail.
    pub dropped: u64,
    pub records: u64,
}

impl ScannedLog<'_> {
    /// Hands every whole commit at or behind `next` to `each`, in their order. `next` is the number of the record
    /// that should come next, `None` while that is not known.
    pub fn scan(
        &self,
        next: &mut Option<SequenceNumber>,
        each: &mut dyn FnMut(&Commit<'_>) -> Result<()>,
    ) -> Result<Scanned> {
        let mut scanned = Scanned::default();
        let Some(mut reader) = self.open(next, &mut scanned)? else { return Ok(scanned) };
        let mut record = Vec::new();
        loop {
            let error = match reader.next(&mut record) {
                Ok(Some(offset)) => {
                    self.judge(&record, offset, next, &mut scanned, each)?;
                    continue;
                }
                Ok(None) => {
                    let end = reader.tail().end;
                    if self.known_end.is_some_and(|known| end < known) {
                        // It was cut right behind a commit.
                        scanned.lost.push(self.behind(Some(end), *next));
                    }
                    break;
                }
                Err(error) if error.is_damage() => error,
                Err(error) => return Err(error),
            };
            scanned.problems.push(Finding::of_error(&error, &self.path));
            match reader.skip_damage() {
                Ok(Some(_)) => {}
                Err(error) if !error.is_damage() => return Err(error),
                Ok(None) | Err(_) => {
                    scanned.lost.push(self.behind(error.offset(), *next));
                    return Ok(scanned);
                }
            }
        }
        if scanned.header.is_none() && scanned.records == 0 && self.known_end.is_none() {
            // Nothing in it verifies, and no end is recorded that could show what lacks.
            scanned.lost.push(Finding::new(&self.path, "all commits of this log, if it held any"));
        }
        if scanned.problems.is_empty() {
            scanned.dropped = reader.tail().dropped;
        }
        Ok(scanned)
    }

    fn behind(&self, offset: Option<u64>, next: Option<SequenceNumber>) -> Finding {
        let what = format!(
            "whatever commits stood behind the damage{}",
            next.map_or(String::new(), |next| format!(", from record {next} on"))
        );
        Finding { offset, ..Finding::new(&self.path, what) }
    }

    /// A reader, past a damaged header or a recorded end that the file does not reach; `None` if there is no file.
    fn open(&self, next: &mut Option<SequenceNumber>, scanned: &mut Scanned) -> Result<Option<LogReader>> {
        let folder = self.path.parent().unwrap_or(&self.path);
        let (id, kind) = (self.database_id, FileKind::Log);
        match LogReader::open(self.vfs, folder, kind, Some(id), self.number, self.known_end) {
            Ok(reader) => {
                let first = reader.header().first_sequence;
                scanned.header = Some((first, reader.header().previous_log));
                self.note_gap(first, 32, next, scanned);
                return Ok(Some(reader));
            }
            Err(error) if error.is_damage() => {
                scanned.problems.push(Finding::of_error(&error, &self.path));
            }
            Err(error) => return Err(error),
        }
        let reader =
            LogReader::open_damaged(self.vfs, self.path.clone(), kind, id, self.number, self.known_end);
        match reader {
            Ok(reader) => Ok(Some(reader)),
            Err(error) if error.kind() == ErrorKind::Io => {
                scanned.lost.push(Finding::new(&self.path, "all commits of this log"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn judge(
        &self,
        record: &[u8],
        offset: u64,
        next: &mut Option<SequenceNumber>,
        scanned: &mut Scanned,
        each: &mut dyn FnMut(&Commit<'_>) -> Result<()>,
    ) -> Result<()> {
        let problem = |what: &str| Finding {
            offset: Some(offset),
            ..Finding::new(&self.path, format!("expected {what}"))
        };
        let commit = match Commit::decode(record, &self.path)? {
            Ok(commit) => commit,
            Err(what) => {
                scanned.problems.push(problem(what));
                return Ok(());
            }
        };
        if next.is_some_and(|next| commit.first < next) {
            scanned.problems.push(problem("a commit behind the one before it"));
            return Ok(());
        }
        self.note_gap(commit.first, offset, next, scanned);
        scanned.records += commit.count;
        each(&commit)?;
        *next = Some(commit.first + commit.count);
        Ok(())
    }

    /// Notes the records between `next` and `found`, which should come at once.
    fn note_gap(
        &self,
        found: SequenceNumber,
        offset: u64,
        next: &mut Option<SequenceNumber>,
        scanned: &mut Scanned,
    ) {
        if let Some(expected) = next.filter(|&next| next < found) {
            let what = format!(
                "the commits of records {expected} to {}, which are missing in front of this place; later ones are there",
                found - 1
            );
            let gap = Finding {
                offset: Some(offset),
                records: Some(found - expected),
                ..Finding::new(&self.path, what)
            };
            scanned.problems.push(gap.clone());
            scanned.lost.push(gap);
            *next = Some(found);
        }
    }
}
