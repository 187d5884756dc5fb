//! Every call of the script fails, once or from then on: nothing that was acknowledged is lost, and what is read is right.

use lightning_db::vfs::{Keep, Leaves, MemoryVfs};

use crate::recover::{first_seed, left, recover_with, scale};
use crate::run::{Excuse, Run};
use crate::script::everything;
use crate::tally::Tally;

/// EIO, ENOSPC, EMFILE.
const ERRORS: [i32; 3] = [5, 28, 24];

/// What a call that fails may have done.
fn leaves(seed: u64) -> Leaves {
    [Leaves::Nothing, Leaves::Part(seed), Leaves::All][(seed % 3) as usize]
}

/// Does the script on a disk that fails, then recovers what is left.
fn survive(disk: &MemoryVfs, seed: u64) -> Result<usize, String> {
    let mut run = Run::new(disk.clone(), Excuse::FailedCall);
    run.reads_all = false;
    run.all(&everything())?;
    disk.heal();
    if run.gave_up {
        return Ok(run.failed);
    }
    let history = run.history().clone();
    let keeps = [Keep::All, Keep::Evicted, Keep::Durable, Keep::Any(seed)];
    let keep = keeps[(seed / 7 % 4) as usize];
    recover_with(&disk.crash(keep), &history, left(keep), Excuse::None)
        .map_err(|why| format!("{keep:?}: {why}"))?;
    Ok(run.failed)
}

/// The calls that change something, and those that read, of a run without a fault.
fn calls() -> (u64, u64) {
    let disk = MemoryVfs::with_seed(first_seed());
    let mut run = Run::new(disk.clone(), Excuse::None);
    run.reads_all = false;
    run.all(&everything()).unwrap();
    (disk.calls(), disk.reads())
}

/// Counts what was tried, and how often somebody was told.
#[derive(Default)]
struct Failures {
    tally: Tally,
    told: u64,
}

impl Failures {
    fn add(&mut self, outcome: Result<usize, String>, place: impl FnOnce() -> String) {
        self.told += u64::from(matches!(outcome, Ok(failed) if failed > 0));
        self.tally.add(outcome.map(drop), place);
    }

    fn tell(&self, what: &str, least: u64) {
        self.tally.tell(what, least);
        println!("  told of {} of them", self.told);
        assert!(self.told > self.tally.tried / 2, "most failures are told");
    }
}

#[test]
fn every_call_fails_once() {
    let (calls, mut failures) = (calls().0, Failures::default());
    for call in 0..calls {
        if failures.tally.is_full() {
            break;
        }
        for (nth, error) in ERRORS.into_iter().enumerate() {
            for round in 0..scale().min(6) {
                let seed = first_seed() + call * 3 + nth as u64 + round * 5;
                let disk = MemoryVfs::with_seed(first_seed());
                disk.fail_call_with(call, error, leaves(seed));
                failures.add(survive(&disk, seed), || {
                    format!("error {error} at call {call} once, {:?}", leaves(seed))
                });
            }
        }
    }
    failures.tell("calls that fail once", 3 * calls);
}

#[test]
fn every_call_fails_for_ever() {
    let (calls, mut failures) = (calls().0, Failures::default());
    for call in 0..calls {
        if failures.tally.is_full() {
            break;
        }
        for (nth, error) in ERRORS.into_iter().enumerate() {
            // In a short run each call fails with one of the errors.
            if scale() == 1 && (call + first_seed()) % 3 != nth as u64 {
                continue;
            }
            let seed = first_seed() + call / 3 + nth as u64;
            let disk = MemoryVfs::with_seed(first_seed());
            disk.fail_from(call, error, leaves(seed));
            failures.add(survive(&disk, seed), || {
                format!("error {error} from call {call} on, {:?}", leaves(seed))
            });
        }
    }
    failures.tell("calls that fail for ever", calls);
}

#[test]
fn every_read_fails_once_and_for_ever() {
    let (reads, mut failures) = (calls().1, Failures::default());
    let step = (5 / scale()).max(1);
    for read in (first_seed() % step..reads).step_by(step as usize) {
        let error = ERRORS[[0, 2][(read / step % 2) as usize]];
        for lasts in [false, true] {
            let disk = MemoryVfs::with_seed(first_seed());
            match lasts {
                false => disk.fail_read(read, error),
                true => disk.fail_reads_from(read, error),
            }
            failures.add(survive(&disk, first_seed() + read), || {
                format!("error {error} at read {read}, for ever: {lasts}")
            });
        }
    }
    failures.tell("reads that fail", 200);
}
