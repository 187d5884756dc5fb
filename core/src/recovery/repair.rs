//! Repair: what can be read is written anew, what was damaged is set aside, nothing is invented.
//!
//! Records are taken from pages and commits whose checksums hold, and go into new tables. The rename of
//! `CURRENT` puts them in force; before it the old files are as they were. While a repair is under way the file
//! `REPAIRING` keeps the folder from being opened; a repair that was cut is started again, one that fails is taken back.

mod aside;
mod tables;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::ids::{FileNumber, KeyspaceId, SequenceNumber};
use crate::base::limits::LEVELS;
use crate::btree::TableMeta;
use crate::iter::Cursor;
use crate::manifest::{self, Manifest, State};
use crate::recovery::check::{Examined, examine};
use crate::recovery::replay::{insert, new_memset};
use crate::recovery::report::{CheckReport, Finding, RepairReport};
use crate::recovery::survey::Examination;
use crate::sync::Arc;
use crate::vfs::sync_folder;

use aside::Aside;
use tables::Salvage;

/// Checks the database in a folder and mends what is wrong. Nothing is changed if nothing is.
pub fn repair(job: &Examination<'_>) -> Result<CheckReport> {
    let cut = Aside::cut_repair(job)?;
    if let Some(aside) = &cut
        && let Some(report) = end_published(job, aside)?
    {
        return Ok(report);
    }
    let examined = examine(job)?;
    if examined.report.is_ok() {
        return Ok(examined.report);
    }
    let aside = match cut {
        Some(aside) => aside,
        None => Aside::begin(job, next_file(&examined))?,
    };
    let mut report = RepairReport { lost: examined.lost.clone(), ..RepairReport::default() };
    let first_own = next_file(&examined).max(aside.first_new);
    let written = write_anew(job, &examined, first_own, &mut report);
    let mut report = CheckReport { repair: Some(report), ..examined.report };
    let kept = written.and_then(|written| aside.keep_report(&report).map(|()| written));
    let (state, number) = kept.inspect_err(|_| take_back(job, &aside))?;
    aside.set_current_aside()?;
    sync_folder(&**job.vfs, job.folder)?;
    Manifest::publish(job.vfs, job.folder, examined.survey.database_id, number, &state)?;
    let set_aside = aside.finish(&state, number, first_own)?;
    if let Some(repair) = &mut report.repair {
        repair.set_aside = set_aside;
    }
    Ok(report)
}

/// A repair that was cut behind its publishing has only to be ended: what it lost it has written down. One
/// that was cut before is forgotten, with its files.
fn end_published(job: &Examination<'_>, aside: &Aside<'_>) -> Result<Option<CheckReport>> {
    match manifest::load(&**job.vfs, job.folder) {
        Ok(Some(loaded)) if loaded.number >= aside.first_new => {
            let set_aside = aside.finish(&loaded.state, loaded.number, FileNumber::MAX)?;
            let mut report = examine(job)?.report;
            let what = "a repair was cut when it was almost done, and has been ended; what it found and lost stands in this file";
            report.problems.insert(0, Finding::new(&aside.report_path(), what));
            report.repair = Some(RepairReport { set_aside, ..RepairReport::default() });
            Ok(Some(report))
        }
        Err(error) if !error.is_damage() => Err(error),
        _ if is_published(job, aside)? => Ok(None),
        _ => aside.remove_unpublished().map(|()| None),
    }
}

/// A repair that fails before it has put anything in force leaves the database as it was, to be opened. Where that fails
/// too, the repair counts as cut.
fn take_back(job: &Examination<'_>, aside: &Aside<'_>) {
    if let Ok(false) = is_published(job, aside) {
        let _ = aside.take_back();
    }
}

/// Whether a cut repair has written its manifest, which it does last; that may have been damaged since.
fn is_published(job: &Examination<'_>, aside: &Aside<'_>) -> Result<bool> {
    if let Ok(Some(number)) = manifest::in_force(&**job.vfs, job.folder) {
        return Ok(number >= aside.first_new);
    }
    Ok(job.newest_manifest()?.is_some_and(|loaded| loaded.number >= aside.first_new))
}

/// A number above all that were ever used, as far as the folder knows.
fn next_file(examined: &Examined) -> FileNumber {
    let names = examined.survey.names.iter();
    let used = names.filter_map(|name| FileKind::parse(name)).map(|(_, number)| number.saturating_add(1));
    used.max().unwrap_or(1).max(examined.survey.state.next_file)
}

/// Writes tables with all that can be read; the state that names them, and the number for its manifest.
fn write_anew(
    job: &Examination<'_>,
    examined: &Examined,
    first_own: FileNumber,
    report: &mut RepairReport,
) -> Result<(State, FileNumber)> {
    let mut salvage = Salvage::new(job, examined, first_own)?;
    let mut state = examined.survey.state.clone();
    let rebuilt = examined.survey.manifest.is_none();
    let from_logs = match examined.damaged_logs || rebuilt {
        true => tables_of_logs(job, examined, &mut salvage, &mut state)?,
        false => Vec::new(),
    };
    for (id, space) in &mut state.keyspaces {
        for (level, tables) in space.levels.iter_mut().enumerate() {
            let mut kept = Vec::new();
            for meta in tables.drain(..) {
                kept.extend(salvage.table(&meta, report)?);
            }
            let logged = from_logs.iter().filter(|meta| meta.keyspace == *id).cloned();
            *tables = match (level, rebuilt) {
                // The order of flushes is that of the sequence numbers.
                (0, false) => kept.into_iter().chain(logged).collect(),
                (_, true) if level == LEVELS - 1 => {
                    salvage.part(*id, kept.into_iter().chain(logged).collect())?
                }
                _ => salvage.part(*id, kept)?,
            };
        }
    }
    report.salvaged_records = salvage.salvaged;
    let newest = state.tables().map(|(_, meta)| meta.largest_sequence).max().unwrap_or(0);
    state.last_sequence = state.last_sequence.max(if state.logs.is_empty() { newest } else { 0 });
    let number = salvage.next_file();
    state.next_file = number + 1;
    state.clean &= !state.logs.is_empty();
    Ok((state, number))
}

/// Puts what all logs hold into tables, in the order of the logs, and takes the logs out of the state.
fn tables_of_logs(
    job: &Examination<'_>,
    examined: &Examined,
    salvage: &mut Salvage<'_>,
    state: &mut State,
) -> Result<Vec<Arc<TableMeta>>> {
    let survey = &examined.survey;
    let mut next: Option<SequenceNumber> = survey.manifest.map(|_| survey.state.last_sequence + 1);
    let mut tables = Vec::new();
    for (number, known_end) in std::mem::take(&mut state.logs) {
        let set = new_memset(vec![number], &examined.orders);
        job.log(survey.database_id, number, known_end).scan(&mut next, &mut |commit| {
            for (sequence, operation) in commit.operations() {
                // Of a dropped keyspace, or of one that never was.
                let Some(memtable) = set.space(operation.keyspace) else { continue };
                insert(memtable, sequence, &operation)?;
            }
            Ok(())
        })?;
        for (id, memtable) in set.spaces().filter(|(_, memtable)| !memtable.is_empty()) {
            tables.extend(salvage.written(id, Box::new(memtable.cursor()))?);
        }
    }
    state.last_sequence = state.last_sequence.max(next.map_or(0, |next| next - 1));
    Ok(tables)
}

/// The keyspace of a table is one of the state: the survey has seen to it.
fn unknown_keyspace(id: KeyspaceId) -> Error {
    Error::new(ErrorKind::Internal, format!("keyspace {} has no order", id.0))
}

/// Moves a cursor over all of its records.
fn each_record(
    mut cursor: Box<dyn Cursor + '_>,
    mut each: impl FnMut(crate::base::record::Record<'_>) -> Result<()>,
) -> Result<()> {
    cursor.seek_first()?;
    while cursor.valid() {
        each(cursor.record())?;
        cursor.next()?;
    }
    Ok(())
}
