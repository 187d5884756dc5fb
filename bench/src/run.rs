//! The order of the work, the same for every engine.

use std::path::Path;

use anyhow::{Context, Result};

use crate::engine::{Engine, Level, Setup};
use crate::model::Model;
use crate::peers::Peer;
use crate::plan::shuffled;
use crate::record::EngineRun;
use crate::rows::loads::{self, Names};
use crate::rows::reads::Reads;
use crate::rows::{Extent, durable, rest, worst, writes, ycsb};

/// One engine in one run.
pub struct Course<'a> {
    /// Who runs.
    pub peer: Peer,
    /// How much.
    pub extent: &'a Extent,
    /// Bytes of cache.
    pub cache: usize,
    /// Where databases go; each is removed when its part is done.
    pub folder: &'a Path,
    /// Told of each part when it begins.
    pub progress: &'a dyn Fn(&str),
    /// Parts to run; empty: all.
    pub only: &'a [String],
}

/// What can be run by itself. All behind `ingest` but `durable` work on one database, which is loaded for them.
pub const PARTS: [&str; 9] =
    ["put", "sorted", "ingest", "durable", "reads", "ycsb", "overwrite", "transactions", "worst"];

/// All records in key order.
pub fn sorted(records: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..records as u32).collect();
    order.sort_unstable_by_key(|index| crate::data::rank(u64::from(*index)));
    order
}

impl Course<'_> {
    /// Runs all rows. What was measured before a failure is kept beside it.
    pub fn run(&self) -> EngineRun {
        let mut run = EngineRun { engine: self.peer.about.name.into(), ..Default::default() };
        if let Err(error) = self.rows(&mut run) {
            run.failure = Some(format!("{error:#}"));
        }
        run
    }

    fn rows(&self, run: &mut EngineRun) -> Result<()> {
        let (random, sorted) = (shuffled(self.extent.records, 1), sorted(self.extent.records));
        self.part("put", |engine, model| loads::one_by_one(run, engine, model, self.extent, &random))?;
        self.part("sorted", |engine, model| {
            let names = Names { load: "sorted", settled: "sorted_settled" };
            loads::batches(run, engine, model, &sorted, &names)?;
            loads::verify(engine, model, "sorted")?;
            worst::tombstones(run, engine, model, self.extent, &random)
        })?;
        self.part("ingest", |engine, model| loads::ingest(run, engine, model, &sorted))?;
        if self.wants("durable") {
            durable::all(run, self.peer, &self.setup(), self.folder, self.extent).context("durable")?;
        }
        let of_main = PARTS.iter().skip_while(|part| **part != "durable").skip(1);
        match self.only.is_empty() || of_main.into_iter().any(|part| self.only.iter().any(|own| own == part))
        {
            true => self.main(run, &random).context("main database"),
            false => Ok(()),
        }
    }

    /// Whether a part is to be run; says so if it is.
    fn wants(&self, part: &str) -> bool {
        debug_assert!(PARTS.contains(&part));
        let wanted = self.only.is_empty() || self.only.iter().any(|own| own == part);
        if wanted {
            (self.progress)(part);
        }
        wanted
    }

    fn setup(&self) -> Setup {
        Setup { cache: self.cache, level: Level::Process }
    }

    /// A part with a database of its own.
    fn part(&self, name: &str, work: impl FnOnce(&dyn Engine, &mut Model) -> Result<()>) -> Result<()> {
        if !self.wants(name) {
            return Ok(());
        }
        let path = self.folder.join(name);
        let engine = (self.peer.open)(&path, &self.setup()).with_context(|| format!("{name}: open"))?;
        work(engine.as_ref(), &mut Model::new()).with_context(|| name.to_string())?;
        engine.close().with_context(|| format!("{name}: close"))?;
        Ok(std::fs::remove_dir_all(path)?)
    }

    /// The database that is loaded at random, read, changed and emptied.
    fn main(&self, run: &mut EngineRun, random: &[u32]) -> Result<()> {
        (self.progress)("batch");
        let path = self.folder.join("main");
        let engine = (self.peer.open)(&path, &self.setup())?;
        let (extent, mut model) = (self.extent, Model::new());
        let names = Names { load: "batch", settled: "batch_settled" };
        loads::batches(run, engine.as_ref(), &mut model, random, &names)?;

        (self.progress)("open");
        let engine = rest::size_and_open(run, self.peer, &self.setup(), &path, engine, &model)?;
        let engine_ref = engine.as_ref();
        if self.wants("reads") {
            let order = shuffled(extent.records, 2);
            let mut reads = Reads { run, engine: engine_ref, model: &mut model, extent };
            reads.warm_up(&order)?;
            reads.settled()?;
        }
        if self.wants("ycsb") {
            ycsb::all(run, engine_ref, &mut model, extent)?;
        }
        if self.wants("overwrite") {
            engine_ref.settle()?;
            writes::overwrite(run, engine_ref, &mut model, extent)?;
            (self.progress)("reads after updates");
            Reads { run, engine: engine_ref, model: &mut model, extent }.updated()?;
        }
        if self.wants("transactions") {
            engine_ref.settle()?;
            writes::transactions(run, engine_ref, &mut model, extent)?;
        }
        if self.wants("worst") {
            worst::pauses(run, engine_ref, &mut model, extent)?;
            worst::gets_beside_writes(run, engine_ref, &mut model, extent)?;
        }

        (self.progress)("delete");
        engine_ref.settle()?;
        let all = model.indexes();
        let everything: Vec<u32> = shuffled(all.len(), 3).into_iter().map(|nth| all[nth as usize]).collect();
        writes::delete_all(run, engine_ref, &mut model, extent, &everything)?;
        loads::verify(engine_ref, &mut model, "delete")?;
        engine.close()?;
        Ok(std::fs::remove_dir_all(path)?)
    }
}
