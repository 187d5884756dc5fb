//! Loads of an empty database.

use anyhow::{Result, ensure};

use crate::data;
use crate::engine::{Digest, Direction, Engine, View};
use crate::meter::Stopwatch;
use crate::model::{Model, check};
use crate::record::EngineRun;
use crate::rows::{BATCH, Extent, key_of, puts, rate, timed};

/// What a load row is called, alone and with the time to settle.
pub struct Names {
    /// The load.
    pub load: &'static str,
    /// Load and settle.
    pub settled: &'static str,
}

fn keep(
    run: &mut EngineRun,
    names: &Names,
    engine: &dyn Engine,
    load: (usize, f64),
    watch: &Stopwatch,
) -> Result<()> {
    run.keep_with_background(names.load, rate(load), watch.background(Default::default()));
    let begin = Stopwatch::start();
    let quiet = engine.settle()?;
    let settle = (begin.seconds() - quiet.as_secs_f64()).max(0.0);
    let background = watch.background(Default::default());
    run.keep_with_background(names.settled, load.0 as f64 / (load.1 + settle), background);
    Ok(())
}

/// Puts `order`, one record after the other.
pub fn one_by_one(
    run: &mut EngineRun,
    engine: &dyn Engine,
    model: &mut Model,
    extent: &Extent,
    order: &[u32],
) -> Result<()> {
    let first = model.reserve(order.len());
    let mut session = engine.session(View::Latest)?;
    let watch = Stopwatch::start();
    let load = timed(order.len(), extent.write_seconds, 64, |nth| {
        session.put(&key_of(order[nth]), &data::value(order[nth], first + nth as u32))
    })?;
    keep(run, &Names { load: "put", settled: "put_settled" }, engine, load, &watch)?;
    drop(session);
    for (nth, index) in order[..load.0].iter().enumerate() {
        model.put(*index, first + nth as u32);
    }
    verify(engine, model, "put")
}

/// Writes `order` in batches, all of it, however long that takes.
pub fn batches(
    run: &mut EngineRun,
    engine: &dyn Engine,
    model: &mut Model,
    order: &[u32],
    names: &Names,
) -> Result<()> {
    let first = model.reserve(order.len());
    let mut session = engine.session(View::Latest)?;
    let watch = Stopwatch::start();
    for (nth, indexes) in order.chunks(BATCH).enumerate() {
        session.write(&puts(indexes, first + (nth * BATCH) as u32))?;
    }
    let load = (order.len(), watch.seconds());
    keep(run, names, engine, load, &watch)?;
    drop(session);
    for (nth, index) in order.iter().enumerate() {
        model.put(*index, first + nth as u32);
    }
    Ok(())
}

/// Loads rising records the fastest way that the engine has.
pub fn ingest(run: &mut EngineRun, engine: &dyn Engine, model: &mut Model, order: &[u32]) -> Result<()> {
    let first = model.reserve(order.len());
    let mut entries =
        order.iter().zip(first..).map(|(index, version)| (key_of(*index), data::value(*index, version)));
    let watch = Stopwatch::start();
    engine.ingest(&mut entries)?;
    let load = (order.len(), watch.seconds());
    keep(run, &Names { load: "ingest", settled: "ingest_settled" }, engine, load, &watch)?;
    for (nth, index) in order.iter().enumerate() {
        model.put(*index, first + nth as u32);
    }
    verify(engine, model, "ingest")
}

/// Compares the whole database with the model.
pub fn verify(engine: &dyn Engine, model: &mut Model, what: &str) -> Result<()> {
    let (mut answers, mut expected) = (Digest::default(), Digest::default());
    engine.session(View::Held)?.scan(None, Direction::Forward, usize::MAX, &mut answers)?;
    model.scan(None, Direction::Forward, usize::MAX, &mut expected);
    check(what, &answers, &expected)?;
    ensure!(answers.found == model.len() as u64, "{what}: the model is wrong");
    Ok(())
}
