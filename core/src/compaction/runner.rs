//! Runs one compaction: merge the inputs, write the outputs, change the catalogue.

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::KeyspaceId;
use crate::base::limits::LEVELS;
use crate::base::planted::{Plant, planted};
use crate::catalogue::Catalogue;
use crate::compaction::outputs::{OutputOptions, Outputs};
use crate::compaction::refill::refill;
use crate::compaction::retention::Retention;
use crate::compaction::shape::{Job, Limits};
use crate::iter::{Cursor, MergeCursor};
use crate::manifest::Edit;
use crate::snapshots::Snapshots;
use crate::sync::{Arc, AtomicBool};
use crate::version::{LevelCursor, Levels, TableHandle};
use crate::vfs::sync_folder;

/// Tells running compactions to stop.
pub type Stop = AtomicBool;

/// Records between two calls of `watch`.
const WATCH_EVERY: u64 = 1024;

/// Tables of a level.
type Inputs = Vec<(usize, Vec<Arc<TableHandle>>)>;

/// Runs `job` on the tables of a keyspace. `watch` is told the records read so far, now and then (`u64::MAX`: all, and the
/// change is made), and an error of it ends the job. Cut short before the change, it leaves no trace. The tables written.
pub fn run(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    (keyspace, levels): (KeyspaceId, &Levels),
    (job, limits): (&Job, Limits),
    watch: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<usize> {
    let inputs = input_tables(levels, job);
    let metas = || inputs.iter().flat_map(|(_, handles)| handles).map(|handle| Arc::clone(handle.meta()));
    let meters = &catalogue.tables().meters;
    let progress = meters.begin_compaction(keyspace, job.output_level, metas().map(|meta| meta.size));
    let added: Vec<_> = match job.moves {
        true => metas().collect(),
        false => merge_tables(catalogue, snapshots, levels, (job, limits, &inputs), watch)?,
    };
    let written: &[_] = if job.moves { &[] } else { &added };
    let edit = Edit {
        tables_added: added.iter().map(|meta| (job.output_level, Arc::clone(meta))).collect(),
        tables_removed: metas().map(|meta| (keyspace, meta.number)).collect(),
        ..Edit::default()
    };
    if planted(Plant::TableEarly) && !job.moves {
        catalogue.discard(metas().map(|meta| meta.number));
        catalogue.remove_obsolete();
    }
    catalogue.apply_to(keyspace, edit, |view, version| view.with_version(version, None))?;
    progress.end(written.iter().map(|meta| meta.size));
    if !job.moves {
        let inputs = inputs.iter().flat_map(|(_, handles)| handles);
        refill(catalogue, (keyspace, job.output_level), inputs, written, || watch(u64::MAX).is_ok());
    }
    Ok(written.len())
}

fn merge_tables(
    catalogue: &Catalogue,
    snapshots: &Snapshots,
    levels: &Levels,
    (job, limits, inputs): (&Job, Limits, &Inputs),
    watch: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Vec<Arc<crate::btree::TableMeta>>> {
    let boundaries = snapshots.boundaries(catalogue.view());
    let under =
        (job.output_level + 1..LEVELS).map(|level| levels.level(level)).find(|level| !level.is_empty());
    let mut outputs = Outputs::new(OutputOptions {
        catalogue,
        space: levels.space(),
        bottom: job.bottom,
        under: under.map_or(&[], |level| &level[..]),
        limits,
        boundaries: &boundaries,
    });
    let mut retention = Retention::new(&boundaries, job.bottom);
    let merged = merge(levels, inputs, watch, |record| retention.judge(record, |kept| outputs.add(kept)));
    let tables = catalogue.tables();
    let written =
        merged.and_then(|()| outputs.seal()).and_then(|()| sync_folder(&*tables.vfs, &tables.folder));
    if let Err(error) = written {
        outputs.abandon();
        return Err(error);
    }
    Ok(outputs.take().into_iter().map(Arc::new).collect())
}

/// The handles of a job's inputs, by level.
fn input_tables(levels: &Levels, job: &Job) -> Inputs {
    (0..=job.output_level)
        .map(|level| {
            let wanted = |handle: &&Arc<TableHandle>| job.inputs.contains(&(level, handle.meta().number));
            (level, levels.level(level).iter().filter(wanted).cloned().collect())
        })
        .collect()
}

fn merge(
    levels: &Levels,
    inputs: &Inputs,
    watch: &mut dyn FnMut(u64) -> Result<()>,
    mut judge: impl FnMut(crate::base::record::Record<'_>) -> Result<()>,
) -> Result<()> {
    let mut sources: Vec<Box<dyn Cursor>> = Vec::new();
    for (level, handles) in inputs {
        if *level == 0 {
            for handle in handles {
                sources.push(Box::new(handle.table()?.cursor().past_cache()));
            }
        } else if !handles.is_empty() {
            let cursor = LevelCursor::new(levels.order().clone(), handles.as_slice().into(), None);
            sources.push(Box::new(cursor.past_cache()));
        }
    }
    let mut cursor = MergeCursor::new(levels.order().clone(), sources);
    cursor.seek_first()?;
    let mut seen = 0u64;
    while cursor.valid() {
        if seen.is_multiple_of(WATCH_EVERY) {
            watch(seen)?;
            if levels.space().is_dropped() {
                return Err(Error::new(ErrorKind::Cancelled, "the keyspace was dropped"));
            }
        }
        seen += 1;
        judge(cursor.record())?;
        cursor.next()?;
    }
    watch(seen)
}
