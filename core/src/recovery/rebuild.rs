//! The list of files, put together from the files themselves and from what edits of damaged manifests can be read.
//!
//! A table that a compaction has replaced, but whose file is still there, counts then if no edit that can be
//! read says that it was removed: values that were replaced and keys that were deleted may come back with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::header::{FILE_HEADER_LEN, FileHeader};
use crate::base::ids::{FileNumber, KeyspaceId, SequenceNumber};
use crate::base::limits::LEVELS;
use crate::btree::{Kept, Remains, TableMeta};
use crate::manifest::{Edit, KeyspaceMeta, State};
use crate::recovery::log_scan::ScannedLog;
use crate::recovery::report::Finding;
use crate::recovery::survey::{Examination, Survey};
use crate::sync::Arc;
use crate::vfs::{OpenMode, Vfs};
use crate::wal::LogReader;

/// What the edits say that can be read.
#[derive(Default)]
struct Known {
    tables: BTreeMap<FileNumber, Arc<TableMeta>>,
    tables_removed: BTreeSet<FileNumber>,
    keyspaces: BTreeMap<KeyspaceId, KeyspaceMeta>,
    dropped: BTreeSet<KeyspaceId>,
    log_ends: BTreeMap<FileNumber, u64>,
    logs_removed: BTreeSet<FileNumber>,
    logs: BTreeSet<FileNumber>,
    next_file: FileNumber,
    last_sequence: SequenceNumber,
    next_keyspace: u32,
}

/// Every table and log of the folder is part of the state, but for those that are known to have been removed.
pub(super) fn from_files(job: &Examination<'_>, names: Vec<String>) -> Result<Survey> {
    let mut files: Vec<_> = names.iter().filter_map(|name| FileKind::parse(name)).collect();
    files.sort_by_key(|(_, number)| *number);
    let database_id = database_id(job, &files)?;
    let mut known = Known::default();
    for (_, number) in files.iter().filter(|(kind, _)| *kind == FileKind::Manifest) {
        known.read(&**job.vfs, job.folder, database_id, *number)?;
    }
    let mut rebuilt = Rebuilt { job, database_id, known, problems: Vec::new(), lost: Vec::new() };
    let mut tables = Vec::new();
    let (mut logs, mut unknown) = (Vec::new(), Vec::new());
    for (kind, number) in &files {
        match kind {
            FileKind::Table if !rebuilt.known.tables_removed.contains(number) => {
                match rebuilt.table(*number)? {
                    Some(meta) => tables.push(meta),
                    None => unknown.push(*number),
                }
            }
            FileKind::Log if !rebuilt.known.logs_removed.contains(number) => logs.push(*number),
            _ => {}
        }
    }
    rebuilt.missing(&files);
    logs.iter().try_for_each(|number| rebuilt.learn_from_log(*number))?;
    // All keyspaces are known now.
    tables.extend(unknown.into_iter().filter_map(|number| rebuilt.unknown_table(number)));
    tables.retain(|meta| !rebuilt.known.dropped.contains(&meta.keyspace));
    rebuilt.place_ingested(&mut tables);
    let used = files.iter().map(|(_, number)| number.saturating_add(1)).max().unwrap_or(1);
    let state = rebuilt.state(tables, &logs, used)?;
    let Rebuilt { problems, lost, .. } = rebuilt;
    Ok(Survey { names, database_id, state, manifest: None, dropped: 0, problems, lost })
}

/// The database that most files say they are of. Errors: if none says so, the first read that failed, else `Corruption`.
fn database_id(job: &Examination<'_>, files: &[(FileKind, FileNumber)]) -> Result<u64> {
    let mut votes: BTreeMap<u64, usize> = BTreeMap::new();
    let mut unread = None;
    for (kind, number) in files {
        let path = job.folder.join(kind.name(*number));
        let mut bytes = [0; FILE_HEADER_LEN];
        match job.vfs.open(&path, OpenMode::Read).and_then(|file| file.read_at(&mut bytes, 0)) {
            Ok(()) => {
                if let Ok(header) = FileHeader::decode(&path, &bytes, *kind, None, *number) {
                    *votes.entry(header.database_id).or_default() += 1;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {}
            Err(error) => unread = unread.or(Some(Error::io("read", &path, error))),
        }
    }
    let most = votes.into_iter().max_by_key(|(_, count)| *count);
    let what = "a file with a right header that says which database this is";
    most.map(|(id, _)| id).ok_or_else(|| unread.unwrap_or_else(|| Error::corruption(job.folder, 0, what)))
}

impl Known {
    /// Edits of a manifest that can be read, those behind damage too.
    fn read(&mut self, vfs: &dyn Vfs, folder: &Path, id: u64, number: FileNumber) -> Result<()> {
        let path = folder.join(FileKind::Manifest.name(number));
        let mut log = match LogReader::open_damaged(vfs, path, FileKind::Manifest, id, number, None) {
            Ok(log) => log,
            Err(error) if error.is_damage() => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut record = Vec::new();
        loop {
            match log.next(&mut record) {
                Ok(Some(offset)) => {
                    if let Ok(edit) = Edit::decode(&record) {
                        self.note(edit, offset == FILE_HEADER_LEN as u64);
                    }
                }
                Ok(None) => return Ok(()),
                Err(error) if !error.is_damage() => return Err(error),
                Err(_) => match log.skip_damage() {
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(()),
                    Err(error) if error.is_damage() => return Ok(()),
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// The first edit of a manifest is the whole state: what it does not name had been removed before.
    fn note(&mut self, edit: Edit, whole: bool) {
        if whole {
            self.tables_removed.extend(std::mem::take(&mut self.tables).into_keys());
            self.logs_removed.extend(std::mem::take(&mut self.logs));
            self.dropped.extend(std::mem::take(&mut self.keyspaces).into_keys());
        }
        for (_, number) in &edit.tables_removed {
            self.tables.remove(number);
            self.tables_removed.insert(*number);
        }
        for (_, meta) in edit.tables_added {
            self.tables_removed.remove(&meta.number);
            self.tables.insert(meta.number, meta);
        }
        for meta in edit.keyspaces_added {
            // Names are unique: an older keyspace of this one had been dropped.
            let older = self.keyspaces.extract_if(.., |id, other| *id != meta.id && other.name == meta.name);
            self.dropped.extend(older.map(|(id, _)| id));
            self.dropped.remove(&meta.id);
            self.keyspaces.insert(meta.id, meta);
        }
        for (id, level) in edit.keyspace_levels {
            if let Some(meta) = self.keyspaces.get_mut(&id) {
                meta.level = level;
            }
        }
        for id in edit.keyspaces_dropped {
            self.keyspaces.remove(&id);
            self.dropped.insert(id);
            let gone = self.tables.extract_if(.., |_, meta| meta.keyspace == id);
            self.tables_removed.extend(gone.map(|(number, _)| number));
        }
        for number in edit.logs_added {
            self.logs.insert(number);
            self.logs_removed.remove(&number);
        }
        self.log_ends.extend(edit.logs_ended);
        for number in edit.logs_removed {
            self.logs.remove(&number);
            self.logs_removed.insert(number);
        }
        self.next_file = self.next_file.max(edit.next_file.unwrap_or(0));
        self.last_sequence = self.last_sequence.max(edit.last_sequence.unwrap_or(0));
        self.next_keyspace = self.next_keyspace.max(edit.next_keyspace.unwrap_or(0));
    }

    /// A name that no keyspace has.
    fn free_name(&self, mut name: String) -> String {
        while self.keyspaces.values().any(|keyspace| keyspace.name == name) {
            name.push('-');
        }
        name
    }
}

struct Rebuilt<'a> {
    job: &'a Examination<'a>,
    database_id: u64,
    known: Known,
    problems: Vec<Finding>,
    lost: Vec<Finding>,
}

impl Rebuilt<'_> {
    /// What is known of a table: by its own properties, or else by an edit. `None` if nothing is.
    fn table(&mut self, number: FileNumber) -> Result<Option<Arc<TableMeta>>> {
        let path = self.job.folder.join(FileKind::Table.name(number));
        let remains = match Remains::open(&self.job.tables(self.database_id), path.clone(), number) {
            Ok(remains) => Some(remains),
            Err(error) if error.is_damage() => None,
            Err(error) => return Err(error),
        };
        let about = remains.map_or(Ok(None), |remains| remains.about())?;
        let named = self.known.tables.get(&number).cloned();
        if named.is_none() {
            let what = "a table found without a manifest that names it: if it had been replaced, old values and deleted keys come back";
            self.problems.push(Finding::new(&path, what));
        }
        let Some((meta, comparator)) = about else {
            if let Some(named) = &named {
                self.learn_keyspace(named.keyspace, None);
            }
            return Ok(named);
        };
        self.learn_keyspace(meta.keyspace, Some(comparator));
        let meta = match named {
            // Only the edit has its sequence number, and what is kept for snapshots.
            Some(named) => {
                let kept = if named.size == meta.size { named.kept } else { Kept::default() };
                let meta = TableMeta { kept, ..meta };
                let counted = named.committed_at.and_then(|sequence| meta.clone().counted_as(sequence));
                counted.unwrap_or(meta)
            }
            None => meta,
        };
        Ok(Some(Arc::new(meta)))
    }

    /// A table of which nothing is known: of the default keyspace, if there is no other.
    fn unknown_table(&mut self, number: FileNumber) -> Option<Arc<TableMeta>> {
        if self.known.keyspaces.keys().any(|id| *id != KeyspaceId::DEFAULT) || self.known.next_keyspace > 1 {
            let path = self.job.folder.join(FileKind::Table.name(number));
            let what = "a table whose properties are lost, so that its keyspace is not known";
            self.lost.push(Finding::new(&path, what));
            return None;
        }
        let (smallest_key, largest_key) = Default::default();
        Some(Arc::new(TableMeta {
            number,
            keyspace: KeyspaceId::DEFAULT,
            size: 0,
            entries: 0,
            tombstones: 0,
            smallest_sequence: 0,
            largest_sequence: 0,
            smallest_key,
            largest_key,
            kept: Kept::default(),
            committed_at: None,
        }))
    }

    /// Ingested tables whose edit is lost count as newer than all in older files, but as nothing else.
    fn place_ingested(&mut self, tables: &mut [Arc<TableMeta>]) {
        tables.sort_by_key(|meta| meta.number);
        let mut newest = 1;
        for meta in tables {
            if meta.entries > 0
                && let Some(counted) = TableMeta::clone(meta).counted_as(newest)
            {
                let what = "when this table was ingested: where newer files have its keys too, these count";
                let finding = Finding {
                    keyspace: self.known.keyspaces.get(&meta.keyspace).map(|keyspace| keyspace.name.clone()),
                    first_key: Some(meta.smallest_key.clone()),
                    last_key: Some(meta.largest_key.clone()),
                    ..Finding::new(&self.job.folder.join(FileKind::Table.name(meta.number)), what)
                };
                self.lost.push(finding);
                *meta = Arc::new(counted);
            }
            newest = newest.max(meta.largest_sequence);
        }
    }

    fn learn_keyspace(&mut self, id: KeyspaceId, comparator: Option<String>) {
        if self.known.keyspaces.contains_key(&id) || self.known.dropped.contains(&id) {
            return;
        }
        let asked = self.job.given.default.as_ref().filter(|_| id == KeyspaceId::DEFAULT);
        let comparator =
            comparator.unwrap_or_else(|| asked.map_or("bytewise", |order| order.name()).to_owned());
        let name = match id {
            KeyspaceId::DEFAULT => KeyspaceId::DEFAULT_NAME.to_owned(),
            KeyspaceId(number) => self.known.free_name(format!("keyspace-{number}")),
        };
        if id != KeyspaceId::DEFAULT {
            let what = format!(
                "the name of keyspace {}, which is called {name:?} now; its order is {comparator:?}",
                id.0
            );
            self.lost.push(Finding::new(self.job.folder, what));
        }
        let config = self.job.config;
        let (page_size, codec) = (config.page_size as u32, config.compression_type);
        let level = config.compression_level as u8;
        self.known.keyspaces.insert(id, KeyspaceMeta { id, name, comparator, page_size, codec, level });
    }

    /// Keyspaces of which only the log knows, and the newest sequence number.
    fn learn_from_log(&mut self, number: FileNumber) -> Result<()> {
        let log = self.job.log(self.database_id, number, self.known.log_ends.get(&number).copied());
        let mut found = BTreeSet::new();
        log.scan(&mut None, &mut |commit| {
            found.extend(commit.operations().map(|(_, operation)| operation.keyspace));
            Ok(())
        })?;
        found.into_iter().for_each(|id| self.learn_keyspace(id, None));
        Ok(())
    }

    /// Named by an edit, and gone: removed by an edit that cannot be read, or lost.
    fn missing(&mut self, files: &[(FileKind, FileNumber)]) {
        let what = "the manifest is not whole: files that are missing, and that only its lost edits named, are not known";
        self.lost.push(Finding::new(self.job.folder, what));
        for number in self.known.logs.iter().filter(|number| !files.contains(&(FileKind::Log, **number))) {
            let path = self.job.folder.join(FileKind::Log.name(*number));
            let what = "this log is missing: flushed before by an edit that is lost, or lost itself";
            self.problems.push(Finding::new(&path, what));
            self.lost.push(Finding::new(&path, what));
        }
        for (number, meta) in &self.known.tables {
            let keyspace = self.known.keyspaces.get(&meta.keyspace).map(|keyspace| keyspace.name.clone());
            if files.contains(&(FileKind::Table, *number)) {
                continue;
            }
            let path = self.job.folder.join(FileKind::Table.name(*number));
            let what = "this table is missing: replaced by an edit that is lost, or lost itself";
            let finding = Finding {
                keyspace,
                first_key: Some(meta.smallest_key.clone()),
                last_key: Some(meta.largest_key.clone()),
                records: Some(meta.entries),
                ..Finding::new(&path, what)
            };
            self.problems.push(finding.clone());
            self.lost.push(finding);
        }
    }

    fn state(&mut self, tables: Vec<Arc<TableMeta>>, logs: &[FileNumber], used: FileNumber) -> Result<State> {
        self.learn_keyspace(KeyspaceId::DEFAULT, None);
        let known = &self.known;
        let ids = known.keyspaces.keys().chain(&known.dropped);
        let next_keyspace = ids.map(|id| id.0.saturating_add(1)).max().unwrap_or(1).max(known.next_keyspace);
        let newest = tables.iter().map(|meta| meta.largest_sequence).max().unwrap_or(0);
        let ended = |number: &FileNumber| Some((*number, *known.log_ends.get(number)?));
        let levels = known.keyspaces.values().map(|meta| (meta.id, meta.level));
        let edit = Edit {
            next_file: Some(known.next_file.max(used)),
            last_sequence: Some(known.last_sequence.max(newest)),
            next_keyspace: Some(next_keyspace),
            logs_added: logs.to_vec(),
            logs_ended: logs.iter().filter_map(ended).collect(),
            tables_added: tables.into_iter().map(|meta| (LEVELS - 1, meta)).collect(),
            keyspaces_added: known.keyspaces.values().cloned().collect(),
            keyspace_levels: levels.filter(|(_, level)| *level != 0).collect(),
            ..Edit::default()
        };
        State::from_edit(&edit).map_err(|problem| {
            let message =
                format!("{}: what its files say does not fit: {problem}", self.job.folder.display());
            Error::new(ErrorKind::Corruption, message).with_file(self.job.folder)
        })
    }
}

impl Examination<'_> {
    /// A log of the database.
    pub(super) fn log(&self, database_id: u64, number: FileNumber, known_end: Option<u64>) -> ScannedLog<'_> {
        let path = self.folder.join(FileKind::Log.name(number));
        ScannedLog { vfs: &**self.vfs, path, database_id, number, known_end }
    }
}
