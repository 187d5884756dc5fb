//! Reading everything that a database consists of, and saying what is wrong with it. Nothing is changed.

use std::cell::Cell;
use std::collections::BTreeSet;

use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::{self, FileKind, REPAIRING, UNFINISHED};
use crate::base::ids::{FileNumber, KeyspaceId};
use crate::base::per_keyspace::PerKeyspace;
use crate::btree::{LostPages, Remains, Table, TableContext, TableMeta};
use crate::manifest::{State, orders_of};
use crate::recovery::report::{CheckProgress, CheckReport, Finding};
use crate::recovery::survey::{Examination, Survey};
use crate::sync::Arc;
use crate::vfs::FileType;

/// Checks the database in a folder. Damage is in the report; what keeps it from being looked for is an error:
/// `Mismatch`, `UnsupportedVersion`, those of the operating system.
pub fn check(job: &Examination<'_>) -> Result<CheckReport> {
    examine(job).map(|examined| examined.report)
}

/// What a check learns for a repair.
pub(super) struct Examined {
    pub report: CheckReport,
    pub survey: Survey,
    pub orders: PerKeyspace<KeyOrder>,
    pub damaged_tables: BTreeSet<FileNumber>,
    pub damaged_logs: bool,
    /// Commits that are missing.
    pub lost: Vec<Finding>,
}

pub(super) fn examine(job: &Examination<'_>) -> Result<Examined> {
    let survey = job.survey()?;
    let orders = orders_of(&survey.state, job.given, job.folder)?;
    let mut examined = Examined {
        report: CheckReport { problems: survey.problems.clone(), ..CheckReport::default() },
        lost: survey.lost.clone(),
        survey,
        orders,
        damaged_tables: BTreeSet::new(),
        damaged_logs: false,
    };
    let meter = examined.meter(job)?;
    examined.note_strays(job);
    examined.check_logs(job, &meter)?;
    examined.check_tables(job, &meter)?;
    examined.check_levels(job);
    Ok(examined)
}

/// Bytes looked at, of all.
struct Meter<'a> {
    job: &'a Examination<'a>,
    done: Cell<u64>,
    total: u64,
}

impl Meter<'_> {
    fn add(&self, bytes: u64) {
        let done = self.done.get().saturating_add(bytes).min(self.total);
        self.done.set(done);
        (self.job.progress)(CheckProgress { done, total: self.total });
    }
}

impl Examined {
    fn meter<'a>(&mut self, job: &'a Examination<'a>) -> Result<Meter<'a>> {
        let mut total = 0u64;
        let state = &self.survey.state;
        let tables = state.tables().map(|(_, meta)| FileKind::Table.name(meta.number));
        let logs = state.logs.keys().map(|number| FileKind::Log.name(*number));
        let manifest = self.survey.manifest.map(|number| FileKind::Manifest.name(number));
        let other = manifest.into_iter().chain([filename::CURRENT.to_owned()]);
        let mut read = 0;
        for (name, is_read) in
            tables.chain(logs).map(|name| (name, false)).chain(other.map(|name| (name, true)))
        {
            let path = job.folder.join(name);
            let found = job.vfs.file_type(&path).map_err(|error| Error::io("look at", &path, error))?;
            if let Some(FileType::File(len)) = found {
                self.report.files += 1;
                total = total.saturating_add(len);
                read += if is_read { len } else { 0 };
            }
        }
        self.report.bytes = total;
        let meter = Meter { job, done: Cell::new(0), total };
        meter.add(read);
        Ok(meter)
    }

    /// Files that nobody names: what a crash left, to be removed by the next open.
    fn note_strays(&mut self, job: &Examination<'_>) {
        let state = &self.survey.state;
        let tables: BTreeSet<_> = state.tables().map(|(_, meta)| meta.number).collect();
        for name in &self.survey.names {
            let path = job.folder.join(name);
            let stray = match FileKind::parse(name) {
                Some((FileKind::Table, number)) => !tables.contains(&number),
                Some((FileKind::Log, number)) => !state.logs.contains_key(&number),
                Some((FileKind::Manifest, number)) => {
                    self.survey.manifest.is_some_and(|in_force| in_force != number)
                }
                None => name.ends_with(UNFINISHED) && filename::is_ours(name),
            };
            if stray {
                self.report.notes.push(Finding::new(&path, "is named by nobody: the next open removes it"));
            } else if name == REPAIRING {
                self.report.problems.push(Finding::new(&path, "a repair was cut: run it again"));
            }
        }
        if self.survey.dropped > 0
            && let Some(number) = self.survey.manifest
        {
            let what = format!("ends with {} bytes of an edit that a crash tore", self.survey.dropped);
            self.report.notes.push(Finding::new(&job.folder.join(FileKind::Manifest.name(number)), what));
        }
    }

    fn check_logs(&mut self, job: &Examination<'_>, meter: &Meter<'_>) -> Result<()> {
        let state = &self.survey.state;
        // Without a manifest it is not known which record the oldest log must begin with.
        let mut next = self.survey.manifest.map(|_| state.last_sequence + 1);
        let mut previous = 0;
        for (&number, &known_end) in &state.logs {
            let log = job.log(self.survey.database_id, number, known_end);
            let mut strange = None;
            let expected = next;
            let mut scanned = log.scan(&mut next, &mut |commit| {
                let known = |id: KeyspaceId| state.keyspaces.contains_key(&id) || id.0 < state.next_keyspace;
                let stranger = commit.operations().find(|(_, operation)| !known(operation.keyspace));
                strange = strange.or(stranger.map(|(sequence, _)| sequence));
                Ok(())
            })?;
            let (first, before) = scanned.header.unwrap_or((expected.unwrap_or(0), previous));
            if expected.is_some_and(|expected| first < expected) || (previous != 0 && before != previous) {
                let what = format!("expected a log that follows log {previous}, from record {expected:?} on");
                scanned.problems.push(Finding::new(&log.path, what));
            }
            previous = number;
            if let Some(sequence) = strange {
                let what = format!("record {sequence} is of a keyspace that never was");
                self.report.problems.push(Finding::new(&log.path, what));
            }
            self.damaged_logs |= !scanned.problems.is_empty() || strange.is_some();
            self.report.records += scanned.records;
            self.report.problems.extend(scanned.problems);
            self.lost.extend(scanned.lost);
            if self.survey.manifest.is_none() && known_end.is_none() {
                let what = "where it ended is not known without a manifest: commits at its end may be lost";
                self.lost.push(Finding::new(&log.path, what));
            }
            if scanned.dropped > 0 {
                let what = format!("ends with {} bytes of a write that a crash tore", scanned.dropped);
                self.report.notes.push(Finding::new(&log.path, what));
            }
            if let Ok(Some(FileType::File(len))) = job.vfs.file_type(&log.path) {
                meter.add(len);
            }
        }
        Ok(())
    }

    fn check_tables(&mut self, job: &Examination<'_>, meter: &Meter<'_>) -> Result<()> {
        let context = job.tables(self.survey.database_id);
        let tables: Vec<_> = self.survey.state.tables().map(|(_, meta)| Arc::clone(meta)).collect();
        for meta in &tables {
            let Some(order) = self.orders.get(meta.keyspace) else { continue };
            let mut seen = 0;
            let verified = Table::open(&context, meta, order.clone()).and_then(|table| {
                table.verify(&mut |bytes| {
                    seen += bytes;
                    meter.add(bytes);
                })?;
                Ok(table.page_count())
            });
            match verified {
                Ok(pages) => {
                    self.report.pages += pages;
                    self.report.records += meta.entries;
                }
                Err(error) if error.is_damage() => {
                    let keyspace = name_of(&self.survey.state, meta.keyspace);
                    self.damaged_tables.insert(meta.number);
                    judge_damaged(job, &context, meta, order, &error, keyspace, &mut self.report)?;
                }
                Err(error) => return Err(error),
            }
            meter.add(meta.size.saturating_sub(seen));
        }
        Ok(())
    }

    /// Below level 0 no two tables of a level have keys in common.
    fn check_levels(&mut self, job: &Examination<'_>) {
        if self.survey.manifest.is_none() {
            return;
        }
        for (id, space) in &self.survey.state.keyspaces {
            let Some(order) = self.orders.get(*id) else { continue };
            for (level, tables) in space.levels.iter().enumerate().skip(1) {
                let mut sorted: Vec<_> = tables.iter().collect();
                sorted.sort_by(|a, b| order.compare(&a.smallest_key, &b.smallest_key));
                for pair in sorted.windows(2) {
                    let [before, behind] = pair else { continue };
                    if order.compare(&before.largest_key, &behind.smallest_key).is_lt() {
                        continue;
                    }
                    let path = job.folder.join(FileKind::Table.name(behind.number));
                    let what =
                        format!("expected keys behind those of table {}, in level {level}", before.number);
                    let finding = Finding {
                        keyspace: Some(space.meta.name.clone()),
                        first_key: Some(behind.smallest_key.clone()),
                        last_key: Some(before.largest_key.clone()),
                        ..Finding::new(&path, what)
                    };
                    self.report.problems.push(finding);
                }
            }
        }
    }
}

pub(super) fn name_of(state: &State, id: KeyspaceId) -> Option<String> {
    state.keyspaces.get(&id).map(|space| space.meta.name.clone())
}

/// Finds every damaged page of a table, and counts the others.
fn judge_damaged(
    job: &Examination<'_>,
    context: &TableContext,
    meta: &TableMeta,
    order: &KeyOrder,
    error: &Error,
    keyspace: Option<String>,
    report: &mut CheckReport,
) -> Result<()> {
    let path = job.folder.join(FileKind::Table.name(meta.number));
    let first = match meta.entries {
        0 => Finding::new(&path, "its properties, which say what it holds, are lost"),
        _ => Finding::of_error(error, &path),
    };
    let first = Finding { keyspace: keyspace.clone(), ..first };
    let remains = match Remains::open(context, path.clone(), meta.number) {
        Ok(remains) => remains,
        Err(error) if error.kind() == ErrorKind::Io => {
            let (first_key, last_key) = (Some(meta.smallest_key.clone()), Some(meta.largest_key.clone()));
            report.problems.push(Finding { first_key, last_key, records: Some(meta.entries), ..first });
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let walked = remains.walk(order, &mut |_| {
        report.records += 1;
        Ok(())
    })?;
    report.pages += walked.pages;
    let lost = walked.lost.iter().map(|lost| finding_of(lost, meta, &path, keyspace.clone()));
    let lost: Vec<_> = lost.collect();
    // Footer, header, properties, or what contradicts itself with right checksums.
    if !walked.lost.iter().any(|lost| error.offset().is_some_and(|offset| lost.place.contains(&offset))) {
        report.problems.push(first);
    }
    report.problems.extend(lost);
    Ok(())
}

/// Pages that are lost, with the keys that may have been in them.
pub(super) fn finding_of(
    lost: &LostPages,
    meta: &TableMeta,
    path: &std::path::Path,
    keyspace: Option<String>,
) -> Finding {
    let known = |key: &[u8]| (meta.entries > 0).then(|| key.to_vec());
    let bytes = lost.place.end - lost.place.start;
    Finding {
        offset: Some(lost.place.start),
        keyspace,
        first_key: lost.behind_key.clone().or_else(|| known(&meta.smallest_key)),
        last_key: lost.before_key.clone().or_else(|| known(&meta.largest_key)),
        ..Finding::new(path, format!("expected right pages in {bytes} bytes"))
    }
}
