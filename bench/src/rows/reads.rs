//! Reads of a database that nobody changes.

use anyhow::Result;

use crate::data::{Key, absent_key};
use crate::engine::{Digest, Direction, Engine, Session, View};
use crate::model::{Model, check};
use crate::plan::{Choice, chosen};
use crate::record::EngineRun;
use crate::rows::threads::on_threads;
use crate::rows::{Extent, key_of, rate, timed};

/// Keys that one call of `get_many` asks for.
const MANY: usize = 100;
/// Entries that are read after a seek.
pub const SEEK_ENTRIES: usize = 100;

/// The rows, under the same conditions for all of them.
pub struct Reads<'a> {
    /// Where figures go.
    pub run: &'a mut EngineRun,
    /// What is read.
    pub engine: &'a dyn Engine,
    /// What it must answer.
    pub model: &'a mut Model,
    /// How long.
    pub extent: &'a Extent,
}

type Get = fn(&mut dyn Session, &Key, &mut Digest) -> Result<()>;

fn owned(session: &mut dyn Session, key: &Key, digest: &mut Digest) -> Result<()> {
    session.get(key, digest)
}

fn lent(session: &mut dyn Session, key: &Key, digest: &mut Digest) -> Result<()> {
    session.get_with(key, digest)
}

impl Reads<'_> {
    /// All rows that judge a settled database.
    pub fn settled(&mut self) -> Result<()> {
        self.get("get_hot", Choice::Hot, View::Held, owned)?;
        self.get("get_uniform", Choice::Uniform, View::Held, owned)?;
        self.get("get_zipf", Choice::Zipf, View::Held, owned)?;
        self.get("get_with", Choice::Uniform, View::Held, lent)?;
        self.get("get_latest", Choice::Uniform, View::Latest, owned)?;
        self.absent()?;
        self.two_threads()?;
        self.many()?;
        self.scan("scan_forward", Direction::Forward)?;
        self.scan("scan_backward", Direction::Backward)?;
        self.seek("seek")
    }

    /// The rows that are taken right after random updates.
    pub fn updated(&mut self) -> Result<()> {
        self.seek("seek_updated")?;
        self.get("get_updated", Choice::Uniform, View::Held, owned)?;
        self.scan("scan_updated", Direction::Forward)
    }

    /// One pass over all records in random order, not timed: every answer is checked, and every engine is warm.
    pub fn warm_up(&mut self, order: &[u32]) -> Result<()> {
        let (mut answers, mut expected) = (Digest::default(), Digest::default());
        let mut session = self.engine.session(View::Held)?;
        for index in order {
            session.get(&key_of(*index), &mut answers)?;
            self.model.get(*index, &mut expected);
        }
        check("warm-up", &answers, &expected)
    }

    fn get(&mut self, row: &'static str, choice: Choice, view: View, get: Get) -> Result<()> {
        let plan = chosen(choice, self.extent.records, self.extent.plan(), 11);
        let mut answers = Digest::default();
        let mut session = self.engine.session(view)?;
        let done = timed(usize::MAX, self.extent.read_seconds, 256, |nth| {
            get(session.as_mut(), &key_of(plan[nth % plan.len()]), &mut answers)
        })?;
        self.run.keep(row, rate(done));
        check(row, &answers, &expected_gets(self.model, &plan, done.0))
    }

    fn absent(&mut self) -> Result<()> {
        let mut answers = Digest::default();
        let mut session = self.engine.session(View::Held)?;
        let done = timed(usize::MAX, self.extent.read_seconds, 256, |nth| {
            session.get(&absent_key(nth as u64), &mut answers)
        })?;
        self.run.keep("get_absent", rate(done));
        let mut expected = Digest::default();
        (0..done.0).for_each(|_| expected.miss());
        check("get_absent", &answers, &expected)
    }

    fn two_threads(&mut self) -> Result<()> {
        let plans =
            [21, 22].map(|seed| chosen(Choice::Uniform, self.extent.records, self.extent.plan(), seed));
        let (engine, seconds) = (self.engine, self.extent.read_seconds);
        let together = on_threads(plans.len(), |thread, start| {
            let plan = &plans[thread];
            let mut answers = Digest::default();
            let mut session = engine.session(View::Held)?;
            start.wait();
            let (done, _) = timed(usize::MAX, seconds, 256, |nth| {
                session.get(&key_of(plan[nth % plan.len()]), &mut answers)
            })?;
            Ok((done, answers))
        })?;
        for ((done, answers), plan) in together.results.iter().zip(&plans) {
            check("get_uniform_2", answers, &expected_gets(self.model, plan, *done))?;
        }
        let done: usize = together.results.iter().map(|(done, _)| done).sum();
        self.run.keep("get_uniform_2", done as f64 / together.seconds);
        Ok(())
    }

    fn many(&mut self) -> Result<()> {
        let length = self.extent.plan().max(MANY) / MANY * MANY;
        let plan = chosen(Choice::Uniform, self.extent.records, length, 12);
        let mut answers = Digest::default();
        let mut session = self.engine.session(View::Held)?;
        let (calls, seconds) = timed(usize::MAX, self.extent.read_seconds, 4, |nth| {
            let first = nth * MANY % plan.len();
            let keys: Vec<Key> = plan[first..first + MANY].iter().map(|index| key_of(*index)).collect();
            session.get_many(&keys, &mut answers)
        })?;
        self.run.keep("multi_get", rate((calls * MANY, seconds)));
        check("multi_get", &answers, &expected_gets(self.model, &plan, calls * MANY))
    }

    fn scan(&mut self, row: &'static str, direction: Direction) -> Result<()> {
        let mut answers = Digest::default();
        let mut session = self.engine.session(View::Held)?;
        let (passes, seconds) = timed(usize::MAX, self.extent.read_seconds, 1, |_| {
            session.scan(None, direction, usize::MAX, &mut answers)
        })?;
        self.run.keep(row, answers.found as f64 / seconds);
        let mut expected = Digest::default();
        (0..passes).for_each(|_| self.model.scan(None, direction, usize::MAX, &mut expected));
        check(row, &answers, &expected)
    }

    fn seek(&mut self, row: &'static str) -> Result<()> {
        let plan = chosen(Choice::Uniform, self.extent.records, self.extent.plan(), 13);
        let mut answers = Digest::default();
        let mut session = self.engine.session(View::Held)?;
        let done = timed(usize::MAX, self.extent.read_seconds, 16, |nth| {
            let from = key_of(plan[nth % plan.len()]);
            session.scan(Some(&from), Direction::Forward, SEEK_ENTRIES, &mut answers)
        })?;
        self.run.keep(row, rate(done));
        let mut expected = Digest::default();
        for nth in 0..done.0 {
            self.model.scan(Some(plan[nth % plan.len()]), Direction::Forward, SEEK_ENTRIES, &mut expected);
        }
        check(row, &answers, &expected)
    }
}

fn expected_gets(model: &Model, plan: &[u32], done: usize) -> Digest {
    let mut expected = Digest::default();
    plan.iter().cycle().take(done).for_each(|index| model.get(*index, &mut expected));
    expected
}
