//! More data than memory: one process for each engine in a small memory cgroup.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::cgroup::Cgroup;
use crate::data::{self, mix};
use crate::engine::{Change, Digest, Engine, Level, Setup, View};
use crate::peers::Peer;
use crate::rows::{BATCH, key_of, rate, timed};

/// How much, and for how long.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct LargeExtent {
    /// Records to load.
    #[arg(long, default_value_t = 20_000_000)]
    pub records: u32,
    /// MiB of memory for the process and its files.
    #[arg(long, default_value_t = 512)]
    pub memory_mib: u64,
    /// MiB of cache.
    #[arg(long, default_value_t = 256)]
    pub cache_mib: usize,
    /// Seconds after which the load ends.
    #[arg(long, default_value_t = 180.0)]
    pub load_seconds: f64,
    /// Seconds of overwrites, and of gets.
    #[arg(long, default_value_t = 60.0)]
    pub row_seconds: f64,
}

/// What one engine did.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LargeRun {
    /// Name of the engine.
    pub engine: String,
    /// Records loaded in time.
    pub loaded: u32,
    /// Records a second.
    pub load: Option<f64>,
    /// Overwrites a second.
    pub overwrite: Option<f64>,
    /// Gets a second.
    pub get: Option<f64>,
    /// Why it stopped before the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Runs an engine in a process of its own under the memory limit.
pub fn confined(peer: Peer, extent: &LargeExtent, folder: &Path) -> Result<LargeRun> {
    let group = Cgroup::new(extent.memory_mib << 20)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["large-child", "--engine", peer.about.name, "--group"]).arg(group.path());
    command.arg("--folder").arg(folder);
    for (name, value) in [
        ("--records", extent.records.to_string()),
        ("--cache-mib", extent.cache_mib.to_string()),
        ("--load-seconds", extent.load_seconds.to_string()),
        ("--row-seconds", extent.row_seconds.to_string()),
    ] {
        command.args([name, &value]);
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    let run = serde_json::from_slice(&output.stdout);
    Ok(run.unwrap_or_else(|_| LargeRun {
        engine: peer.about.name.into(),
        failure: Some(format!("the process ended without figures: {}", output.status)),
        ..Default::default()
    }))
}

/// The work of the child.
pub fn child(peer: Peer, extent: &LargeExtent, folder: &Path) -> LargeRun {
    let mut run = LargeRun { engine: peer.about.name.into(), ..Default::default() };
    if let Err(error) = rows(&mut run, peer, extent, folder) {
        run.failure = Some(format!("{error:#}"));
    }
    run
}

fn rows(run: &mut LargeRun, peer: Peer, extent: &LargeExtent, folder: &Path) -> Result<()> {
    let setup = Setup { cache: extent.cache_mib << 20, level: Level::Process };
    let path = folder.join(format!("large-{}", peer.about.name));
    let engine = (peer.open)(&path, &setup)?;
    load(run, engine.as_ref(), extent).context("load")?;
    let updates = overwrite(run, engine.as_ref(), extent).context("overwrite")?;
    gets(run, engine.as_ref(), extent, updates).context("get")?;
    engine.close()?;
    Ok(std::fs::remove_dir_all(path)?)
}

/// Keys have no order, so records come in their own order. Nothing is kept of them: memory is the database's.
fn load(run: &mut LargeRun, engine: &dyn Engine, extent: &LargeExtent) -> Result<()> {
    let mut session = engine.session(View::Latest)?;
    let batches = extent.records as usize / BATCH;
    let (done, seconds) = timed(batches, extent.load_seconds, 1, |nth| {
        let first = (nth * BATCH) as u32;
        let batch: Vec<Change> =
            (first..first + BATCH as u32).map(|index| (key_of(index), Some(data::value(index, 1)))).collect();
        session.write(&batch)
    })?;
    run.loaded = (done * BATCH) as u32;
    run.load = Some(rate((done * BATCH, seconds)));
    ensure!(run.loaded > 0, "nothing was loaded in time");
    Ok(())
}

/// The record that an overwrite or a get takes; known again from its number.
fn chosen(number: u64, records: u32) -> u32 {
    (mix(number.wrapping_mul(0x2545_f491_4f6c_dd1d)) % u64::from(records)) as u32
}

fn overwrite(run: &mut LargeRun, engine: &dyn Engine, extent: &LargeExtent) -> Result<u32> {
    let (mut session, records) = (engine.session(View::Latest)?, run.loaded);
    let done = timed(records as usize, extent.row_seconds, 64, |nth| {
        let index = chosen(nth as u64, records);
        session.put(&key_of(index), &data::value(index, 2 + nth as u32))
    })?;
    run.overwrite = Some(rate(done));
    Ok(done.0 as u32)
}

/// A value must be the loaded one, or that of an overwrite of its record.
fn gets(run: &mut LargeRun, engine: &dyn Engine, extent: &LargeExtent, updates: u32) -> Result<()> {
    const APART: u64 = 1 << 40;
    let (mut session, records) = (engine.session(View::Latest)?, run.loaded);
    let done = timed(usize::MAX, extent.row_seconds, 64, |nth| {
        let index = chosen(APART + nth as u64, records);
        let mut answer = Digest::default();
        session.get(&key_of(index), &mut answer)?;
        let (read, version) = answer.only().map(data::read_stamp).context("a record is gone")?;
        let written = version == 1
            || version >= 2 && version < 2 + updates && chosen(u64::from(version) - 2, records) == index;
        ensure!(
            read == index && written && answer.damaged == 0,
            "record {index} holds what was never written to it"
        );
        Ok(())
    })?;
    run.get = Some(rate(done));
    Ok(())
}
