//! A database at rest: its size, and what opening it costs.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::engine::{Digest, Engine, Setup, View};
use crate::machine;
use crate::model::{Model, check};
use crate::peers::Peer;
use crate::record::EngineRun;
use crate::rows::key_of;

/// Closes a loaded, settled database, measures it, opens it again and reads from it once.
pub fn size_and_open(
    run: &mut EngineRun,
    peer: Peer,
    setup: &Setup,
    path: &Path,
    engine: Box<dyn Engine>,
    model: &Model,
) -> Result<Box<dyn Engine>> {
    engine.close()?;
    run.keep("size", machine::disk_bytes(path)? as f64);

    let begin = Instant::now();
    let engine = (peer.open)(path, setup)?;
    run.keep("open", begin.elapsed().as_secs_f64());

    let (mut answer, mut expected) = (Digest::default(), Digest::default());
    let index = (model.numbers() / 2) as u32;
    let begin = Instant::now();
    engine.session(View::Held)?.get(&key_of(index), &mut answer)?;
    run.keep("first_get", begin.elapsed().as_secs_f64());
    model.get(index, &mut expected);
    check("first_get", &answer, &expected)?;
    Ok(engine)
}
