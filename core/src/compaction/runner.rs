//! Runs one compaction: merge the inputs, write the outputs, change the catalogue.

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::KeyspaceId;
use crate::base::limits::TARGET_TABLE_BYTES;
use crate::btree::{TableBuilder, TableMeta};
use crate::catalogue::Catalogue;
use crate::compaction::picker::Job;
use crate::compaction::retention::Retention;
use crate::iter::{Cursor, MergeCursor};
use crate::manifest::Edit;
use crate::snapshots::Snapshots;
use crate::sync::{Arc, AtomicBool, Ordering};
use crate::version::{LevelCursor, Levels, TableHandle};
use crate::vfs::sync_folder;

/// Tells a running compaction to stop.
pub type Stop = AtomicBool;

/// Records between two looks at the stop flag.
const STOP_EVERY: u64 = 1024;

/// Runs `job` on the tables of a keyspace. Cut short, it leaves no trace: `Cancelled`.
pub fn run(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    keyspace: KeyspaceId,
    levels: &Levels,
    job: &Job,
    stop: &Stop,
) -> Result<()> {
    let inputs = input_tables(levels, job);
    let boundaries = snapshots.boundaries(catalogue.view());
    let mut outputs =
        Outputs { catalogue, keyspace, bottom: job.bottom, builder: None, finished: Vec::new() };
    let merged = merge(levels, &inputs, job, &boundaries, &mut outputs, stop);
    let tables = catalogue.tables();
    let written =
        merged.and_then(|()| outputs.seal()).and_then(|()| sync_folder(&*tables.vfs, &tables.folder));
    if let Err(error) = written {
        outputs.abandon();
        return Err(error);
    }
    let added = outputs.finished.drain(..).map(|meta| (job.output_level, Arc::new(meta)));
    let edit = Edit {
        tables_added: added.collect(),
        tables_removed: job.inputs.iter().map(|(_, number)| (keyspace, *number)).collect(),
        ..Edit::default()
    };
    catalogue.apply(edit, |view, version| view.with_version(version, None))
}

/// The handles of a job's inputs, by level.
fn input_tables(levels: &Levels, job: &Job) -> Vec<(usize, Vec<Arc<TableHandle>>)> {
    (0..=job.output_level)
        .map(|level| {
            let wanted = |handle: &&Arc<TableHandle>| job.inputs.contains(&(level, handle.meta().number));
            (level, levels.level(level).iter().filter(wanted).cloned().collect())
        })
        .collect()
}

fn merge(
    levels: &Levels,
    inputs: &[(usize, Vec<Arc<TableHandle>>)],
    job: &Job,
    boundaries: &[u64],
    outputs: &mut Outputs<'_>,
    stop: &Stop,
) -> Result<()> {
    let mut sources: Vec<Box<dyn Cursor>> = Vec::new();
    for (level, handles) in inputs {
        if *level == 0 {
            for handle in handles {
                sources.push(Box::new(handle.table()?.cursor()));
            }
        } else if !handles.is_empty() {
            sources.push(Box::new(LevelCursor::new(levels.order().clone(), handles.as_slice().into())));
        }
    }
    let mut cursor = MergeCursor::new(levels.order().clone(), sources);
    let mut retention = Retention::new(boundaries, job.bottom);
    cursor.seek_first()?;
    let mut seen = 0u64;
    while cursor.valid() {
        if seen.is_multiple_of(STOP_EVERY) && stop.load(Ordering::Acquire) {
            return Err(Error::new(ErrorKind::Cancelled, "the compaction was stopped"));
        }
        seen += 1;
        if let Some(record) = retention.keep(cursor.record()) {
            outputs.add(record)?;
        }
        cursor.next()?;
    }
    Ok(())
}

/// The tables that a compaction writes. All versions of a key go to the same table.
struct Outputs<'a> {
    catalogue: &'a Catalogue,
    keyspace: KeyspaceId,
    bottom: bool,
    builder: Option<(TableBuilder, Vec<u8>)>,
    finished: Vec<TableMeta>,
}

impl Outputs<'_> {
    fn add(&mut self, record: crate::base::record::Record<'_>) -> Result<()> {
        let full = self
            .builder
            .as_ref()
            .is_some_and(|(builder, last)| builder.size() >= TARGET_TABLE_BYTES && last != record.key);
        if full {
            self.seal()?;
        }
        let (builder, last) = match &mut self.builder {
            Some(open) => open,
            None => self.builder.insert((self.catalogue.new_table(self.keyspace, self.bottom)?, Vec::new())),
        };
        last.clear();
        last.extend_from_slice(record.key);
        builder.add(record)
    }

    fn seal(&mut self) -> Result<()> {
        if let Some((builder, _)) = self.builder.take() {
            self.finished.push(builder.finish()?);
        }
        Ok(())
    }

    /// Nothing of what was written is wanted.
    fn abandon(&mut self) {
        if let Some((builder, _)) = self.builder.take() {
            builder.abandon();
        }
        self.catalogue.discard(self.finished.drain(..).map(|meta| meta.number));
    }
}
