//! Ingest: sorted entries straight to tables, which become visible all at once.
//!
//! The sequence number is known only when the tables are published. Their records have 0 in the file, and the
//! manifest says which number they count as. All that is older is in tables by then: so tables need no comparison with
//! memtables, and the log goes on behind the number.

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::ids::{MAX_SEQUENCE, SequenceNumber};
use crate::base::limits::{LEVELS, TARGET_TABLE_BYTES};
use crate::base::planted::{Plant, planted};
use crate::base::record::{Record, RecordKind};
use crate::btree::{TableBuilder, TableMeta};
use crate::catalogue::Catalogue;
use crate::conflict::Span;
use crate::health::Unfinished;
use crate::manifest::Edit;
use crate::sync::Arc;
use crate::version::{Levels, Space};
use crate::vfs::sync_folder;
use crate::view::View;
use crate::write::commit::{Section, Writer};
use crate::write::table_syncs::TableSyncs;

/// Tables in the making. Dropped before they are published, they are removed.
pub struct IngestedTables {
    catalogue: Arc<Catalogue>,
    space: Arc<Space>,
    builder: Option<TableBuilder>,
    finished: Vec<TableMeta>,
    syncs: TableSyncs,
    /// Size of the open table at which the next sync is due.
    sync_at: u64,
    /// There is enough to let another thread compress it.
    much: bool,
}

/// A table in the making is synced whenever it has grown by so many bytes, so that little is left at the end.
const SYNC_EVERY: u64 = 4 << 20;

impl IngestedTables {
    /// None yet.
    pub fn new(catalogue: &Arc<Catalogue>, space: Arc<Space>) -> Self {
        IngestedTables {
            catalogue: Arc::clone(catalogue),
            space,
            builder: None,
            finished: Vec::new(),
            syncs: TableSyncs::new(&catalogue.tables().vfs),
            sync_at: SYNC_EVERY,
            much: false,
        }
    }

    /// Adds an entry behind all before it. Errors: `InvalidArgument` (also if it is not behind them), `NoSpace`, `Io`.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        if self.last_key().is_some_and(|last| self.space.order.compare(last, key).is_ge()) {
            let key = key.escape_ascii();
            return Err(Error::invalid(format!(
                "keys to ingest must rise: \"{key}\" is not behind the one before it"
            )));
        }
        if let Some(builder) = &self.builder
            && builder.size() >= self.sync_at.min(TARGET_TABLE_BYTES)
        {
            self.sync_or_finish()?;
        }
        let builder = match &mut self.builder {
            Some(builder) => builder,
            None => {
                let deep = self.is_clear_of_tables(key);
                let builder = self.builder.insert(self.catalogue.new_table(&self.space, deep)?);
                if self.much {
                    builder.pack_elsewhere();
                }
                builder
            }
        };
        builder.add(Record { key, sequence: 0, kind: RecordKind::Put, value }).map(drop)
    }

    fn last_key(&self) -> Option<&[u8]> {
        let finished = self.finished.last().map(|meta| &meta.largest_key[..]);
        self.builder.as_ref().map_or(finished, |builder| builder.last_key())
    }

    #[cold]
    fn sync_or_finish(&mut self) -> Result<()> {
        let Some(builder) = &mut self.builder else { return Ok(()) };
        if builder.size() >= TARGET_TABLE_BYTES {
            return self.finish_table();
        }
        self.much = true;
        builder.pack_elsewhere();
        self.sync_at = builder.size() + SYNC_EVERY;
        match self.syncs.is_busy() {
            true => Ok(()),
            false => self.syncs.push(builder.syncer()),
        }
    }

    /// Whether no table of now has `key` in its range: the one that begins with it will probably rest at once.
    fn is_clear_of_tables(&self, key: &[u8]) -> bool {
        let view = self.catalogue.view().load();
        let Some(levels) = view.version.space(self.space.id()) else { return true };
        !levels.tables().any(|handle| handle.meta().spans(&self.space.order, key))
    }

    fn finish_table(&mut self) -> Result<()> {
        self.sync_at = SYNC_EVERY;
        if let Some(builder) = self.builder.take() {
            let syncer = builder.syncer();
            self.finished.push(builder.finish_unsynced()?);
            self.syncs.push(syncer)?;
        }
        Ok(())
    }

    /// Ends the last table. All are on stable storage then.
    pub fn seal(&mut self) -> Result<()> {
        match self.builder.take() {
            Some(builder) if !self.syncs.has_begun() => self.finished.push(builder.finish()?),
            open => {
                self.builder = open;
                self.finish_table()?;
            }
        }
        self.syncs.wait()?;
        let tables = self.catalogue.tables();
        sync_folder(&*tables.vfs, &tables.folder)
    }

    /// Where the tables are.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The finished tables.
    pub fn finished(&self) -> &[TableMeta] {
        &self.finished
    }
}

impl Drop for IngestedTables {
    fn drop(&mut self) {
        self.catalogue.discard(self.finished.drain(..).map(|meta| meta.number));
    }
}

/// While it lives, commits wait outside of the section.
pub struct Pause<'a>(&'a Writer);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.lock().pauses -= 1;
        self.0.room.notify();
    }
}

impl Writer {
    /// Lets commits wait.
    pub fn pause(&self) -> Pause<'_> {
        self.lock().pauses += 1;
        Pause(self)
    }

    /// Makes ingested tables part of the database, newer than every commit so far, if all of these are in tables;
    /// `None` if not. `quiet`: no compaction runs or begins; tables then go to deeper levels than 0 if nothing is in their way.
    /// Blocks for some syncs.
    pub fn publish_ingest(
        &self,
        ingested: &mut IngestedTables,
        quiet: bool,
    ) -> Result<Option<SequenceNumber>> {
        let mut section = self.lock();
        self.health.check_write()?;
        let view = Arc::clone(&self.catalogue.view().load());
        if !section.active.is_empty() || !view.sealed.is_empty() {
            return Ok(None);
        }
        // A drop holds the section too.
        let keyspace = ingested.space.id_for(self.catalogue.instance())?;
        let levels = view.version.space(keyspace).ok_or_else(View::gone)?;
        let sequence = section.last_sequence + u64::from(!planted(Plant::IngestSequence));
        if sequence > MAX_SEQUENCE {
            return Err(Error::new(ErrorKind::Halted, "the sequence numbers are used up"));
        }
        let (Some(first), Some(last)) = (ingested.finished.first(), ingested.finished.last()) else {
            return Err(Error::new(ErrorKind::Internal, "an ingest without tables"));
        };
        let (first, last) = (first.smallest_key.clone(), last.largest_key.clone());
        let span = Span { keyspace, first, last };
        let deepest = if quiet { LEVELS - 1 } else { 0 };
        let mut tables = Vec::with_capacity(ingested.finished.len());
        for meta in &ingested.finished {
            let counted = meta.clone().counted_as(sequence);
            let counted =
                counted.ok_or_else(|| Error::new(ErrorKind::Internal, "an ingested table with numbers"))?;
            tables.push((free_level(levels, &counted, deepest), Arc::new(counted)));
        }
        self.apply_ingest(&mut section, ingested, tables, sequence)?;
        section.window.record_ingest(sequence, span);
        let publish = || self.catalogue.view().publish(sequence);
        match self.rows.is_on() {
            true => self.rows.clear_and(|| {
                self.catalogue.tables().cache.hints().clear();
                publish();
            }),
            false => publish(),
        }
        Ok(Some(sequence))
    }

    /// One edit: the tables are in, and the log, which has no record, gives way to one that begins behind them.
    fn apply_ingest(
        &self,
        section: &mut Section,
        ingested: &mut IngestedTables,
        tables: Vec<(usize, Arc<TableMeta>)>,
        sequence: SequenceNumber,
    ) -> Result<()> {
        self.write_log(section)?;
        self.sync_log(section)?;
        let log = self.new_log(section, sequence + 1)?;
        let active = self.catalogue.new_memset(log.number());
        let empty = section.active.logs.clone();
        let edit = Edit {
            last_sequence: Some(sequence),
            tables_added: tables,
            logs_added: vec![log.number()],
            logs_removed: empty.clone(),
            ..Edit::default()
        };
        let next = Arc::clone(&active);
        // From here on the catalogue decides what becomes of the files.
        ingested.finished.clear();
        self.catalogue
            .apply(edit, move |view, version| view.with_version(version, None).sealed_with(next))?;
        let unfinished = Unfinished::new(&self.health, "an ingest could not be made visible");
        self.sync.replaced(&log);
        section.log = log;
        section.active = active;
        section.last_sequence = sequence;
        empty.into_iter().for_each(|log| self.catalogue.context().obsolete.add(FileKind::Log, log));
        unfinished.done();
        Ok(())
    }
}

/// The deepest level, down to `deepest`, at and above which no table has keys in the range of `meta`.
fn free_level(levels: &Levels, meta: &TableMeta, deepest: usize) -> usize {
    let is_free =
        |level: &usize| !levels.level(*level).iter().any(|handle| meta.meets(levels.order(), handle.meta()));
    (0..=deepest).take_while(is_free).last().unwrap_or(0)
}
