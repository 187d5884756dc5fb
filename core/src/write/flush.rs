//! Flush: the oldest sealed memtables become tables of level 0.

use crate::base::error::Result;
use crate::base::filename::FileKind;
use crate::base::ids::SequenceNumber;
use crate::base::planted::{Plant, planted};
use crate::btree::{TableBuilder, TableMeta};
use crate::catalogue::Catalogue;
use crate::compaction::{KeptCount, Retention};
use crate::iter::Cursor;
use crate::manifest::Edit;
use crate::memtable::MemtableCursor;
use crate::snapshots::Snapshots;
use crate::sync::Arc;
use crate::version::Space;
use crate::vfs::sync_folder;
use crate::view::MemSet;

/// What a flush did.
pub struct Flushed {
    /// Bytes of memory that the memtables had.
    pub bytes: u64,
    /// The tables that it made.
    pub tables: Vec<Arc<TableMeta>>,
}

/// Writes the oldest sealed memtables to tables and drops their logs; `None` if there were none. One flush runs at a time.
pub fn flush_oldest(catalogue: &Catalogue, snapshots: &Snapshots) -> Result<Option<Flushed>> {
    let Some(set) = catalogue.view().load().sealed.last().cloned() else { return Ok(None) };
    let job = catalogue.tables().meters.begin_flush(set.memory_usage());
    let boundaries = snapshots.boundaries(catalogue.view());
    let mut written = Vec::new();
    if let Err(error) = write_tables(catalogue, &set, &boundaries, &mut written) {
        catalogue.discard(written.into_iter().map(|meta| meta.number));
        return Err(error);
    }
    let tables: Vec<_> = written.into_iter().map(Arc::new).collect();
    let edit = Edit {
        last_sequence: Some(set.last_sequence()),
        logs_removed: set.logs.clone(),
        tables_added: tables.iter().map(|meta| (0, Arc::clone(meta))).collect(),
        ..Edit::default()
    };
    if planted(Plant::LogEarly) {
        set.logs.iter().for_each(|log| catalogue.context().obsolete.add(FileKind::Log, *log));
        catalogue.remove_obsolete();
    }
    catalogue.apply(edit, |view, version| view.with_version(version, Some(&set)))?;
    job.end(tables.iter().map(|meta| meta.size));
    for log in &set.logs {
        catalogue.context().obsolete.add(FileKind::Log, *log);
    }
    Ok(Some(Flushed { bytes: set.memory_usage() as u64, tables }))
}

fn write_tables(
    catalogue: &Catalogue,
    set: &MemSet,
    boundaries: &[SequenceNumber],
    written: &mut Vec<TableMeta>,
) -> Result<()> {
    for (id, memtable) in set.spaces().filter(|(_, memtable)| !memtable.is_empty()) {
        // Nobody wants the records of a keyspace that was dropped.
        let Ok(space) = catalogue.space(id) else { continue };
        written.push(write_table(catalogue, &space, memtable.cursor(), boundaries)?);
    }
    let tables = catalogue.tables();
    sync_folder(&*tables.vfs, &tables.folder)
}

fn write_table(
    catalogue: &Catalogue,
    space: &Space,
    cursor: MemtableCursor,
    boundaries: &[SequenceNumber],
) -> Result<TableMeta> {
    let mut builder = catalogue.new_table(space, false)?;
    let mut count = KeptCount::default();
    match copy(cursor, &mut builder, &mut count, boundaries) {
        Ok(()) => {
            let meta = count.finish(builder.finish()?, boundaries);
            catalogue.tables().meters.table_written(space.id(), meta.number, meta.size);
            Ok(meta)
        }
        Err(error) => {
            builder.abandon();
            Err(error)
        }
    }
}

fn copy(
    mut cursor: MemtableCursor,
    builder: &mut TableBuilder,
    count: &mut KeptCount,
    boundaries: &[SequenceNumber],
) -> Result<()> {
    let mut retention = Retention::new(boundaries, false);
    cursor.seek_first()?;
    while cursor.valid() {
        retention.judge(cursor.record(), |record| {
            let is_new_key = builder.add(record)?;
            count.count(&record, is_new_key);
            Ok(())
        })?;
        cursor.next()?;
    }
    Ok(())
}
