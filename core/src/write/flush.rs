//! Flush: the oldest sealed memtables become tables of level 0.

use crate::base::error::Result;
use crate::base::filename::FileKind;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::btree::{TableBuilder, TableMeta};
use crate::catalogue::Catalogue;
use crate::compaction::Retention;
use crate::iter::Cursor;
use crate::manifest::Edit;
use crate::memtable::MemtableCursor;
use crate::snapshots::Snapshots;
use crate::sync::Arc;
use crate::vfs::sync_folder;
use crate::view::MemSet;

/// Writes the oldest sealed memtables to tables and drops their logs; `false` if there were none.
/// One flush runs at a time.
pub fn flush_oldest(catalogue: &Catalogue, snapshots: &Snapshots) -> Result<bool> {
    let Some(set) = catalogue.view().load().sealed.last().cloned() else { return Ok(false) };
    let boundaries = snapshots.boundaries(catalogue.view());
    let mut written = Vec::new();
    if let Err(error) = write_tables(catalogue, &set, &boundaries, &mut written) {
        catalogue.discard(written.into_iter().map(|meta| meta.number));
        return Err(error);
    }
    let edit = Edit {
        last_sequence: Some(set.last_sequence()),
        logs_removed: set.logs.clone(),
        tables_added: written.into_iter().map(|meta| (0, Arc::new(meta))).collect(),
        ..Edit::default()
    };
    catalogue.apply(edit, |view, version| view.with_version(version, Some(&set)))?;
    for log in &set.logs {
        catalogue.context().obsolete.add(FileKind::Log, *log);
    }
    Ok(true)
}

fn write_tables(
    catalogue: &Catalogue,
    set: &MemSet,
    boundaries: &[SequenceNumber],
    written: &mut Vec<TableMeta>,
) -> Result<()> {
    for (id, memtable) in set.spaces().iter().filter(|(_, memtable)| !memtable.is_empty()) {
        written.push(write_table(catalogue, *id, memtable.cursor(), boundaries)?);
    }
    let tables = catalogue.tables();
    sync_folder(&*tables.vfs, &tables.folder)
}

fn write_table(
    catalogue: &Catalogue,
    keyspace: KeyspaceId,
    cursor: MemtableCursor,
    boundaries: &[SequenceNumber],
) -> Result<TableMeta> {
    let mut builder = catalogue.new_table(keyspace, false)?;
    match copy(cursor, &mut builder, boundaries) {
        Ok(()) => builder.finish(),
        Err(error) => {
            builder.abandon();
            Err(error)
        }
    }
}

fn copy(mut cursor: MemtableCursor, builder: &mut TableBuilder, boundaries: &[SequenceNumber]) -> Result<()> {
    let mut retention = Retention::new(boundaries, false);
    cursor.seek_first()?;
    while cursor.valid() {
        if let Some(record) = retention.keep(cursor.record()) {
            builder.add(record)?;
        }
        cursor.next()?;
    }
    Ok(())
}
