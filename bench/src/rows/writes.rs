//! Changes of a loaded database, not synced.

use anyhow::Result;

use crate::data;
use crate::engine::{Change, Digest, Engine, View};
use crate::meter::Stopwatch;
use crate::model::{Model, check};
use crate::record::EngineRun;
use crate::rows::{BATCH, Extent, key_of, puts, random_indexes, rate, timed};

/// Overwrites random records one by one; what a slow engine has not done in time is done in batches, not
/// timed, so that what follows finds the same number of updates everywhere.
pub fn overwrite(run: &mut EngineRun, engine: &dyn Engine, model: &mut Model, extent: &Extent) -> Result<()> {
    let plan = random_indexes(extent.records, extent.updates(), 31);
    let first = model.reserve(plan.len());
    let mut session = engine.session(View::Latest)?;
    let watch = Stopwatch::start();
    let done = timed(plan.len(), extent.write_seconds, 64, |nth| {
        session.put(&key_of(plan[nth]), &data::value(plan[nth], first + nth as u32))
    })?;
    run.keep_with_background("overwrite", rate(done), watch.background(Default::default()));
    for (nth, indexes) in plan[done.0..].chunks(BATCH).enumerate() {
        session.write(&puts(indexes, first + (done.0 + nth * BATCH) as u32))?;
    }
    for (nth, index) in plan.iter().enumerate() {
        model.put(*index, first + nth as u32);
    }
    Ok(())
}

/// Transactions of two gets and two puts of the same records.
pub fn transactions(
    run: &mut EngineRun,
    engine: &dyn Engine,
    model: &mut Model,
    extent: &Extent,
) -> Result<()> {
    let pairs: Vec<[u32; 2]> = pairs(extent);
    let first = model.reserve(2 * pairs.len());
    let mut answers = Digest::default();
    let mut session = engine.session(View::Latest)?;
    let done = timed(pairs.len(), extent.read_seconds, 16, |nth| {
        let version = first + 2 * nth as u32;
        let [one, two] = pairs[nth];
        let reads = [key_of(one), key_of(two)];
        let writes = [(reads[0], data::value(one, version)), (reads[1], data::value(two, version + 1))];
        session.transaction(&reads, &writes, &mut answers)
    })?;
    run.keep("transaction", rate(done));
    let mut expected = Digest::default();
    for (nth, [one, two]) in pairs[..done.0].iter().enumerate() {
        let version = first + 2 * nth as u32;
        model.get(*one, &mut expected);
        model.get(*two, &mut expected);
        model.put(*one, version);
        model.put(*two, version + 1);
    }
    check("transaction", &answers, &expected)
}

/// Two different records each.
fn pairs(extent: &Extent) -> Vec<[u32; 2]> {
    let plan = random_indexes(extent.records - 1, 2 * extent.updates(), 32);
    let apart = |pair: &[u32]| [pair[0], if pair[1] == pair[0] { pair[1] + 1 } else { pair[1] }];
    plan.chunks_exact(2).map(apart).collect()
}

/// Deletes records in batches.
pub fn delete(
    engine: &dyn Engine,
    model: &mut Model,
    extent: &Extent,
    order: &[u32],
) -> Result<(usize, f64, f64)> {
    let mut session = engine.session(View::Latest)?;
    let watch = Stopwatch::start();
    let batches: Vec<&[u32]> = order.chunks(BATCH).collect();
    let (done, seconds) = timed(batches.len(), extent.write_seconds, 1, |nth| {
        let changes: Vec<Change> = batches[nth].iter().map(|index| (key_of(*index), None)).collect();
        session.write(&changes)
    })?;
    let background = watch.background(Default::default());
    let deleted: usize = batches[..done].iter().map(|batch| batch.len()).sum();
    order[..deleted].iter().for_each(|index| model.delete(*index));
    Ok((deleted, seconds, background))
}

/// Deletes everything, in random order.
pub fn delete_all(
    run: &mut EngineRun,
    engine: &dyn Engine,
    model: &mut Model,
    extent: &Extent,
    order: &[u32],
) -> Result<()> {
    let (deleted, seconds, background) = delete(engine, model, extent, order)?;
    run.keep_with_background("delete", rate((deleted, seconds)), background);
    Ok(())
}
