//! Kills a writing process again and again, and looks for what it was promised in the folder that it leaves.
//!
//! The child writes from two threads. Each thread has a stream of numbered records, written by puts and
//! batches; a third stream is written by transactions of both. After each kill, each stream must be the
//! numbers from 1 on without a hole, must end at or behind the last acknowledged number and not behind the
//! last sent one, must not end inside a batch or transaction, and must not hold a record without those that
//! were acknowledged, in any stream, before that record was sent.

mod records;
mod verify;
mod writer;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use lightning_db::{ConsistencyLevel, LSMConfig, LightningDbConfig};
use lightning_db_examples::{Outcome, Random, Said, Victim, WorkFolder, thousands};

use crate::records::STREAMS;

/// The child is killed this many milliseconds after its start.
const KILL_AFTER: std::ops::Range<usize> = 5..300;
/// Once in this many rounds, the child that recovers is killed too, after this many milliseconds.
const RECOVERY_KILL: usize = 4;
const RECOVERY_KILL_AFTER: std::ops::Range<usize> = 1..30;

/// Kills a writing process again and again and checks that no acknowledged write is lost.
///
/// Exits with 1 and keeps the folder if one is, or if what is left is no prefix of what was written.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Level of all writes: strong, quorum or eventual (which may lose the tail, and nothing else)
    #[arg(long, default_value = "quorum", value_parser = level)]
    level: ConsistencyLevel,
    /// Number of kills
    #[arg(long, default_value_t = 50)]
    rounds: usize,
    /// Seed of all random choices
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// An empty folder to work in, which stays [default: a fresh one, removed at the end]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Be the child process that is killed: write to this database until then
    #[arg(long, value_name = "FOLDER", hide = true)]
    child: Option<PathBuf>,
}

fn level(name: &str) -> Result<ConsistencyLevel, String> {
    let found = ConsistencyLevel::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, level)| *level).ok_or_else(|| "strong, quorum or eventual".into())
}

/// A small memtable, so that flushes and compactions are killed too.
fn config() -> LightningDbConfig {
    LightningDbConfig {
        lsm_config: LSMConfig { memtable_size: 1 << 20, ..Default::default() },
        ..Default::default()
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.child {
        Some(folder) => writer::write_until_killed(folder, arguments.level, arguments.seed),
        None => run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kill_loop: failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What all rounds came to.
#[derive(Default)]
struct Totals {
    acknowledged: u64,
    lost: u64,
    rounds_with_writes: usize,
    recovery_kills: usize,
}

fn run(arguments: &Arguments) -> Outcome {
    let start = Instant::now();
    let mut work = WorkFolder::new(arguments.dir.clone())?;
    println!("{:?}: {} kills, seed {}", arguments.level, arguments.rounds, arguments.seed);
    let totals = rounds(arguments, &work.join("killed")).inspect_err(|_| {
        work.keep();
        eprintln!("kill_loop: the folder is kept: {}", work.path().display());
    })?;
    if totals.acknowledged == 0 {
        return Err("no write was acknowledged before a kill: nothing was tried".into());
    }
    println!(
        "{:?}: {} kills ({} after acknowledged writes, and {} more of a recovery), {} records acknowledged, \
         {} lost, prefix held {} of {} times, {:.1} s",
        arguments.level,
        arguments.rounds,
        totals.rounds_with_writes,
        totals.recovery_kills,
        thousands(totals.acknowledged as usize),
        thousands(totals.lost as usize),
        arguments.rounds,
        arguments.rounds,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn rounds(arguments: &Arguments, folder: &Path) -> Outcome<Totals> {
    let mut random = Random::new(arguments.seed);
    let mut totals = Totals::default();
    let mut before = [0; STREAMS];
    for round in 1..=arguments.rounds {
        let time = millis(&mut random, KILL_AFTER);
        // In the first round something is written, however slow the machine is.
        let mut said = kill_one(arguments, folder, &mut random, time, round == 1)?;
        if round % RECOVERY_KILL == 0 {
            let time = millis(&mut random, RECOVERY_KILL_AFTER);
            let more = kill_one(arguments, folder, &mut random, time, false)?;
            said = latest(&said, &more);
            totals.recovery_kills += 1;
        }
        let may_lose_the_tail = arguments.level == ConsistencyLevel::Eventual;
        let found = verify::verify(folder, &before, &said, may_lose_the_tail)
            .map_err(|error| format!("round {round}, killed after {time:?}: {error}"))?;
        totals.acknowledged += found.acknowledged;
        totals.lost += found.lost;
        totals.rounds_with_writes += usize::from(found.acknowledged > 0);
        before = found.survived;
        if round % 10 == 0 {
            let records: u64 = before.iter().sum();
            let [acknowledged, records] =
                [totals.acknowledged, records].map(|count| thousands(count as usize));
            println!("  round {round}: {acknowledged} acknowledged so far, {records} in the folder");
        }
    }
    Ok(totals)
}

fn millis(random: &mut Random, range: std::ops::Range<usize>) -> Duration {
    Duration::from_millis((range.start + random.below(range.len())) as u64)
}

/// Starts the child and kills it after a time, counted from its first write or from its start.
fn kill_one(
    arguments: &Arguments,
    folder: &Path,
    random: &mut Random,
    time: Duration,
    from_first_write: bool,
) -> Outcome<Vec<Said>> {
    let name = ConsistencyLevel::NAMES.iter().find(|(_, level)| *level == arguments.level);
    let options = [
        OsString::from("--child"),
        folder.into(),
        "--level".into(),
        name.map_or("", |(name, _)| *name).into(),
        "--seed".into(),
        random.next_u64().to_string().into(),
    ];
    let victim = Victim::start(options, STREAMS)?;
    if from_first_write {
        victim.wait_for_first_write();
    }
    Ok(victim.kill_after(time)?)
}

/// What two children of one round said together.
fn latest(one: &[Said], other: &[Said]) -> Vec<Said> {
    let pairs = one.iter().zip(other);
    let latest = pairs.map(|(one, other)| Said {
        sent: one.sent.max(other.sent),
        acknowledged: one.acknowledged.max(other.acknowledged),
    });
    latest.collect()
}
