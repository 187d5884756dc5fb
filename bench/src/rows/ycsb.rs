//! The core workloads of YCSB (Cooper et al., "Benchmarking cloud serving systems with YCSB", SoCC 2010).

use anyhow::{Result, ensure};

use crate::data::{self, Random, rank};
use crate::engine::{Digest, Direction, Engine, Session, View};
use crate::meter::Stopwatch;
use crate::model::{Model, check};
use crate::plan::{Zipf, scatter};
use crate::record::EngineRun;
use crate::rows::threads::on_threads;
use crate::rows::{Extent, key_of, rate, timed};

/// A step of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reads a record.
    Read(u32),
    /// Reads the record that was inserted so many inserts ago.
    ReadLatest(u32),
    /// Overwrites a record.
    Update(u32),
    /// Reads a record, then overwrites it.
    ReadModifyWrite(u32),
    /// Adds a record.
    Insert,
    /// Reads so many entries from a record on.
    Scan(u32, u8),
}

/// Which steps a workload takes, of 100.
struct Mix {
    row: &'static str,
    most: u32,
    step: fn(u32, u32) -> Step,
    rest: fn(u32, u32) -> Step,
}

const READ: fn(u32, u32) -> Step = |index, _| Step::Read(index);
const UPDATE: fn(u32, u32) -> Step = |index, _| Step::Update(index);
const INSERT: fn(u32, u32) -> Step = |_, _| Step::Insert;

const A: Mix = Mix { row: "ycsb_a", most: 50, step: READ, rest: UPDATE };
const B: Mix = Mix { row: "ycsb_b", most: 95, step: READ, rest: UPDATE };
const C: Mix = Mix { row: "ycsb_c", most: 100, step: READ, rest: READ };
const D: Mix = Mix { row: "ycsb_d", most: 95, step: |_, rank| Step::ReadLatest(rank), rest: INSERT };
const E: Mix = Mix {
    row: "ycsb_e",
    most: 95,
    step: |index, rank| Step::Scan(index, (rank % 100 + 1) as u8),
    rest: INSERT,
};
const F: Mix = Mix { row: "ycsb_f", most: 50, step: READ, rest: |index, _| Step::ReadModifyWrite(index) };

/// Steps for each second that a row may take: more than any engine does.
const STEPS_A_SECOND: f64 = 4e6;
/// Steps between two looks at the clock.
const STRIDE: usize = 64;

fn plan(mix: &Mix, extent: &Extent, seed: u64) -> Vec<Step> {
    let records = extent.records as u64;
    let (zipf, mut random) = (Zipf::new(records), Random::new(seed));
    let steps = (extent.read_seconds * STEPS_A_SECOND) as usize;
    let step = |_| {
        let kind = random.below(100) as u32;
        let rank = zipf.rank(&mut random);
        let (index, number) = (scatter(rank, records), rank as u32);
        match mix.row {
            // The length of a scan is uniform, and has nothing to do with where it begins.
            "ycsb_e" if kind < mix.most => (mix.step)(index, random.below(100) as u32),
            _ if kind < mix.most => (mix.step)(index, number),
            _ => (mix.rest)(index, number),
        }
    };
    (0..steps.max(STRIDE)).map(step).collect()
}

/// Takes a step. `numbers` is how many record numbers are in use, `version` that of the write.
fn take(
    session: &mut dyn Session,
    step: Step,
    numbers: &mut u32,
    version: u32,
    answers: &mut Digest,
) -> Result<()> {
    let mut put = |index| session.put(&key_of(index), &data::value(index, version));
    match step {
        Step::Update(index) => put(index),
        Step::Insert => {
            *numbers += 1;
            put(*numbers - 1)
        }
        Step::Read(index) => session.get(&key_of(index), answers),
        Step::ReadLatest(back) => session.get(&key_of(numbers.saturating_sub(back + 1)), answers),
        Step::ReadModifyWrite(index) => {
            let key = key_of(index);
            session.get(&key, answers)?;
            session.put(&key, &data::value(index, version))
        }
        Step::Scan(index, entries) => {
            session.scan(Some(&key_of(index)), Direction::Forward, entries.into(), answers)
        }
    }
}

/// Takes the same steps in the model.
fn replay(model: &mut Model, steps: &[Step], first: u32) -> Digest {
    let mut expected = Digest::default();
    let mut by_rank = steps.iter().any(|step| matches!(step, Step::Scan(..))).then(|| model.by_rank());
    for (step, version) in steps.iter().zip(first..) {
        match *step {
            Step::Read(index) => model.get(index, &mut expected),
            Step::ReadLatest(back) => {
                model.get((model.numbers() as u32).saturating_sub(back + 1), &mut expected);
            }
            Step::Update(index) => model.put(index, version),
            Step::ReadModifyWrite(index) => {
                model.get(index, &mut expected);
                model.put(index, version);
            }
            Step::Insert => {
                let index = model.numbers() as u32;
                model.put(index, version);
                by_rank.as_mut().map(|by_rank| by_rank.insert(rank(u64::from(index)), index));
            }
            Step::Scan(index, entries) => {
                let entries_from = by_rank.iter().flat_map(|by_rank| by_rank.range(rank(u64::from(index))..));
                for (rank, index) in entries_from.take(entries.into()) {
                    expected.ranked(*rank, model.stamp(*index).unwrap_or(0));
                }
            }
        }
    }
    expected
}

fn workload(
    run: &mut EngineRun,
    engine: &dyn Engine,
    model: &mut Model,
    extent: &Extent,
    mix: &Mix,
) -> Result<()> {
    engine.settle()?;
    let plan = plan(mix, extent, 41);
    let first = model.reserve(plan.len());
    let (mut answers, mut numbers) = (Digest::default(), model.numbers() as u32);
    let mut session = engine.session(View::Latest)?;
    let watch = Stopwatch::start();
    let done = timed(plan.len(), extent.read_seconds, STRIDE, |nth| {
        take(session.as_mut(), plan[nth], &mut numbers, first + nth as u32, &mut answers)
    })?;
    run.keep_with_background(mix.row, rate(done), watch.background(Default::default()));
    check(mix.row, &answers, &replay(model, &plan[..done.0], first))
}

/// The record of `thread`'s own that is next to `index`: each writes half of the records.
fn own(index: u32, thread: usize) -> u32 {
    index & !1 | thread as u32
}

/// Two threads: who reads what the other writes sees one version or another, so only the records are
/// checked at once, and the versions by a scan at the end.
fn on_two_threads(
    run: &mut EngineRun,
    engine: &dyn Engine,
    model: &mut Model,
    extent: &Extent,
    mix: &Mix,
    row: &'static str,
) -> Result<()> {
    engine.settle()?;
    let mut plans = [51, 52].map(|seed| plan(mix, extent, seed));
    for (thread, plan) in plans.iter_mut().enumerate() {
        for step in plan {
            if let Step::Update(index) = step {
                *index = own(*index, thread).min(extent.records as u32 / 2 * 2 - 1);
            }
        }
    }
    let firsts = [model.reserve(plans[0].len()), model.reserve(plans[1].len())];
    let watch = Stopwatch::start();
    let together = on_threads(2, |thread, start| {
        let (mut wrong, mut numbers) = (0, 0);
        let mut session = engine.session(View::Latest)?;
        start.wait();
        let (done, _) = timed(plans[thread].len(), extent.read_seconds, STRIDE, |nth| {
            let (step, version) = (plans[thread][nth], firsts[thread] + nth as u32);
            let mut answer = Digest::default();
            take(session.as_mut(), step, &mut numbers, version, &mut answer)?;
            if let Step::Read(index) = step {
                wrong += u64::from(answer.only().is_none_or(|stamp| data::read_stamp(stamp).0 != index));
            }
            Ok(())
        })?;
        Ok((done, wrong))
    })?;
    let done: usize = together.results.iter().map(|(done, _)| done).sum();
    run.keep_with_background(row, done as f64 / together.seconds, watch.background(together.processor));
    for (thread, (done, wrong)) in together.results.iter().enumerate() {
        ensure!(*wrong == 0, "{row}: {wrong} records were not found, or others");
        replay(model, &plans[thread][..*done], firsts[thread]);
    }
    crate::rows::loads::verify(engine, model, row)
}

/// All workloads, each from a settled database, in the order that YCSB asks for, and two on two threads.
pub fn all(run: &mut EngineRun, engine: &dyn Engine, model: &mut Model, extent: &Extent) -> Result<()> {
    for mix in [&A, &B, &C, &F] {
        workload(run, engine, model, extent, mix)?;
    }
    on_two_threads(run, engine, model, extent, &A, "ycsb_a_2")?;
    on_two_threads(run, engine, model, extent, &B, "ycsb_b_2")?;
    for mix in [&D, &E] {
        workload(run, engine, model, extent, mix)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workloads_have_their_shares() {
        let extent = Extent { records: 10_000, read_seconds: 0.02, write_seconds: 1.0 };
        for (mix, most) in [(&A, 50), (&B, 95), (&C, 100), (&D, 95), (&E, 95), (&F, 50)] {
            let steps = plan(mix, &extent, 1);
            let rest =
                |step: &&Step| matches!(step, Step::Update(_) | Step::Insert | Step::ReadModifyWrite(_));
            let share = 100 * steps.iter().filter(rest).count() / steps.len();
            assert!(share.abs_diff(100 - most) <= 1, "{}: {share}", mix.row);
        }
        let lengths = plan(&E, &extent, 1).into_iter().filter_map(|step| match step {
            Step::Scan(_, entries) => Some(entries),
            _ => None,
        });
        let (least, most) =
            lengths.fold((u8::MAX, 0), |(least, most), length| (least.min(length), most.max(length)));
        assert_eq!((least, most), (1, 100));
    }

    #[test]
    fn threads_write_different_records() {
        assert!((0..100).all(|index| own(index, 0) != own(index, 1) && own(index, 1) % 2 == 1));
    }
}
