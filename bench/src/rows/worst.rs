//! Worst cases: the longest put and the memory while overwrites come flat out, gets beside them, and scans over
//! tombstones.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;

use crate::data;
use crate::engine::{Digest, Direction, Engine, View};
use crate::meter::watch_memory;
use crate::model::{Model, check};
use crate::record::EngineRun;
use crate::rows::threads::on_threads;
use crate::rows::{Extent, key_of, random_indexes, timed, writes};

/// Nanoseconds, to three digits.
fn latencies() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 600_000_000_000, 3)?)
}

fn note(latencies: &mut Histogram<u64>, begin: Instant) {
    latencies.saturating_record(begin.elapsed().as_nanos().max(1) as u64);
}

fn seconds_at(latencies: &Histogram<u64>, quantile: f64) -> f64 {
    Duration::from_nanos(latencies.value_at_quantile(quantile)).as_secs_f64()
}

/// Random overwrites flat out, each timed by itself.
pub fn pauses(run: &mut EngineRun, engine: &dyn Engine, model: &mut Model, extent: &Extent) -> Result<()> {
    let plan = random_indexes(extent.records, extent.updates(), 61);
    let first = model.reserve(plan.len());
    let mut times = latencies()?;
    let mut session = engine.session(View::Latest)?;
    let (done, grown) = watch_memory(|| {
        timed(plan.len(), extent.write_seconds, 64, |nth| {
            let value = data::value(plan[nth], first + nth as u32);
            let begin = Instant::now();
            session.put(&key_of(plan[nth]), &value)?;
            note(&mut times, begin);
            Ok(())
        })
    });
    let (done, _) = done?;
    run.keep("pause_p999", seconds_at(&times, 0.999));
    run.keep("pause_max", seconds_at(&times, 1.0));
    run.keep("burst_memory", grown as f64);
    for (nth, index) in plan[..done].iter().enumerate() {
        model.put(*index, first + nth as u32);
    }
    Ok(())
}

/// Random gets on one thread while another overwrites at random, flat out.
pub fn gets_beside_writes(
    run: &mut EngineRun,
    engine: &dyn Engine,
    model: &mut Model,
    extent: &Extent,
) -> Result<()> {
    let plan = random_indexes(extent.records, 4 * extent.plan(), 62);
    let reads = random_indexes(extent.records, extent.plan(), 63);
    let first = model.reserve(plan.len());
    let stop = AtomicBool::new(false);
    let together = on_threads(2, |thread, start| {
        let mut session = engine.session(View::Latest)?;
        start.wait();
        if thread == 0 {
            let mut done = 0;
            while done < plan.len() && !stop.load(Ordering::Relaxed) {
                session.put(&key_of(plan[done]), &data::value(plan[done], first + done as u32))?;
                done += 1;
            }
            return Ok((done, None));
        }
        let mut times = latencies()?;
        let result = timed(usize::MAX, 2.0 * extent.read_seconds, 64, |nth| {
            let mut answer = Digest::default();
            let begin = Instant::now();
            let index = reads[nth % reads.len()];
            session.get(&key_of(index), &mut answer)?;
            note(&mut times, begin);
            let read = answer.only().map(|stamp| data::read_stamp(stamp).0);
            ensure!(read == Some(index) && answer.damaged == 0, "busy: record {index} is gone or damaged");
            Ok(())
        });
        stop.store(true, Ordering::Relaxed);
        result?;
        Ok((0, Some(times)))
    })?;
    for (done, times) in &together.results {
        if let Some(times) = times {
            run.keep("busy_p50", seconds_at(times, 0.5));
            run.keep("busy_p99", seconds_at(times, 0.99));
            run.keep("busy_p999", seconds_at(times, 0.999));
        }
        for (nth, index) in plan[..*done].iter().enumerate() {
            model.put(*index, first + nth as u32);
        }
    }
    crate::rows::loads::verify(engine, model, "busy")
}

/// Deletes nine of ten records, and walks over what is left.
pub fn tombstones(
    run: &mut EngineRun,
    engine: &dyn Engine,
    model: &mut Model,
    extent: &Extent,
    order: &[u32],
) -> Result<()> {
    let doomed: Vec<u32> = order.iter().copied().filter(|index| index % 10 != 0).collect();
    // All of them, however long that takes.
    writes::delete(engine, model, &Extent { write_seconds: f64::from(u16::MAX), ..*extent }, &doomed)?;
    let mut answers = Digest::default();
    let mut session = engine.session(View::Held)?;
    let (passes, seconds) = timed(usize::MAX, extent.read_seconds, 1, |_| {
        session.scan(None, Direction::Forward, usize::MAX, &mut answers)
    })?;
    run.keep("scan_tombstones", answers.found as f64 / seconds);
    let mut expected = Digest::default();
    (0..passes).for_each(|_| model.scan(None, Direction::Forward, usize::MAX, &mut expected));
    check("scan_tombstones", &answers, &expected)
}
