//! Puts that are on stable storage when they return, beside what the disk allows.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::data;
use crate::engine::{Digest, Level, Setup, View};
use crate::floor;
use crate::goals::{FLOOR_APPEND, FLOOR_PREALLOCATED};
use crate::peers::Peer;
use crate::record::EngineRun;
use crate::rows::threads::on_threads;
use crate::rows::{Extent, key_of, timed};

/// Record numbers that a thread may use in a row.
const NUMBERS: u32 = 1 << 24;

/// The floors, then one and eight threads, in a database of their own; then everything is looked for after
/// a new open.
pub fn all(run: &mut EngineRun, peer: Peer, setup: &Setup, folder: &Path, extent: &Extent) -> Result<()> {
    let time = Duration::from_secs_f64(extent.read_seconds);
    run.keep(FLOOR_APPEND, floor::appended(folder, time)?);
    run.keep(FLOOR_PREALLOCATED, floor::preallocated(folder, time)?);

    let (setup, path) = (Setup { level: Level::Power, ..*setup }, folder.join("durable"));
    let engine = (peer.open)(&path, &setup)?;
    let mut written = Vec::new();
    for (row, first, threads) in [("durable_1", 0, 1), ("durable_8", NUMBERS, 8)] {
        let together = on_threads(threads, |thread, start| {
            let mut session = engine.session(View::Latest)?;
            let first = first + thread as u32 * NUMBERS;
            start.wait();
            let (done, _) = timed(NUMBERS as usize, extent.read_seconds, 1, |nth| {
                let index = first + nth as u32;
                session.put(&key_of(index), &data::value(index, 1))
            })?;
            Ok(first..first + done as u32)
        })?;
        let done: usize = together.results.iter().map(ExactSizeIterator::len).sum();
        run.keep(row, done as f64 / together.seconds);
        written.extend(together.results);
    }
    engine.close()?;

    let engine = (peer.open)(&path, &setup)?;
    let mut session = engine.session(View::Held)?;
    for index in written.into_iter().flatten() {
        let mut answer = Digest::default();
        session.get(&key_of(index), &mut answer)?;
        ensure!(
            (answer.found, answer.damaged) == (1, 0),
            "durable: record {index} was acknowledged and is gone or damaged"
        );
    }
    drop(session);
    engine.close()?;
    std::fs::remove_dir_all(path)?;
    Ok(())
}
