//! Which failures halt: as `docs/durability.md` has them, at every call of the script that is of their kind.

use std::collections::BTreeMap;

use lightning_db::vfs::{Leaves, MemoryVfs};

use crate::recover::first_seed;
use crate::run::{Excuse, Run};
use crate::script::{Step, everything};
use crate::stepped::{Traced, What};
use crate::tally::Tally;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What is at stake in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stake {
    LogWrite,
    LogSync,
    LogZeros,
    NewLog,
    EditWrite,
    EditSync,
    Table,
    Backup,
    Removal,
}

/// What the call of a step is, where the table of `docs/durability.md` says what its failure does.
fn stake(call: &Traced, step: &Step, is_first: bool) -> Option<Stake> {
    let path = call.path.to_str()?;
    // Opening and closing have rules of their own, and so has the first change behind an open.
    if is_first || matches!(step, Step::Reopen | Step::Kill | Step::Check | Step::Repair | Step::Restore) {
        return None;
    }
    let is_zero = call.bytes.iter().all(|&byte| byte == 0);
    Some(match call.what {
        _ if path.starts_with("/backups") => Stake::Backup,
        What::Write if path.ends_with(".log") && call.offset == 0 => Stake::NewLog,
        What::Create | What::SyncAll if path.ends_with(".log") => Stake::NewLog,
        What::Write if path.ends_with(".log") && is_zero => Stake::LogZeros,
        What::Write if path.ends_with(".log") => Stake::LogWrite,
        What::SyncData if path.ends_with(".log") => Stake::LogSync,
        What::SyncData if path.ends_with(".manifest") => Stake::EditSync,
        // A mark has no payload, and the edit counts without it.
        What::Write if path.ends_with(".manifest") && call.bytes.len() > 20 => Stake::EditWrite,
        What::Create | What::Write | What::SyncAll if path.ends_with(".table") => match step {
            Step::Flush | Step::Work(_) | Step::Compact => Stake::Table,
            _ => return None,
        },
        What::Remove => Stake::Removal,
        _ => return None,
    })
}

/// Whether the failure halts; `None`: it may.
fn halts(stake: Stake, error: i32) -> Option<bool> {
    Some(match (stake, error) {
        (Stake::LogSync | Stake::EditSync, _) => true,
        (Stake::LogWrite | Stake::EditWrite | Stake::Table, EIO) => true,
        (Stake::LogWrite | Stake::EditWrite | Stake::Table, _) => false,
        (Stake::NewLog | Stake::LogZeros | Stake::Backup | Stake::Removal, _) => false,
    })
}

/// The calls of the script with the step that each is of, and whether that step is the first behind an open.
fn calls() -> Vec<(Traced, Step, bool)> {
    let disk = MemoryVfs::with_seed(first_seed());
    let mut run = Run::new(disk, Excuse::None);
    let (mut calls, mut is_first) = (Vec::new(), true);
    for step in everything() {
        run.disk.begin_trace();
        run.step(&step).unwrap();
        let of_step = run.disk.take_trace();
        let changes = !of_step.is_empty();
        calls.extend(of_step.into_iter().map(|call| (call, step.clone(), is_first)));
        let reopens = matches!(step, Step::Reopen | Step::Kill | Step::Check | Step::Repair);
        is_first = reopens || (is_first && !changes);
    }
    calls
}

/// Whether a database is halted behind the step in which a call has failed.
fn is_halted(call: u64, error: i32) -> Result<bool, String> {
    let disk = MemoryVfs::with_seed(first_seed());
    disk.fail_call_with(call, error, Leaves::Nothing);
    let mut run = Run::new(disk.clone(), Excuse::FailedCall);
    run.reads_all = false;
    for step in everything() {
        run.step(&step).map_err(|why| format!("{step:?}: {why}"))?;
        if disk.calls() > call {
            // What a step has halted is opened again behind it.
            return Ok(run.halted || run.is_open_and_halted());
        }
    }
    Err("the call was not reached".to_owned())
}

#[test]
fn what_halts_is_what_the_table_says() {
    let (mut tally, mut stakes) = (Tally::default(), BTreeMap::new());
    for (number, (call, step, is_first)) in calls().iter().enumerate() {
        let Some(stake) = stake(call, step, *is_first) else { continue };
        for error in [EIO, ENOSPC] {
            let Some(expected) = halts(stake, error) else { continue };
            *stakes.entry(stake).or_insert(0) += 1;
            let outcome = is_halted(number as u64, error).and_then(|halted| match halted == expected {
                true => Ok(()),
                false => Err(format!("halted: {halted}")),
            });
            let place = || format!("{stake:?}: error {error} at call {number} {:?} of {step:?}", call.path);
            tally.add(outcome, place);
        }
    }
    println!("  {stakes:?}");
    tally.tell("failures that halt or do not", 300);
}
