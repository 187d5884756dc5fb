//! Everything at once, against a model: threads write, read, scan, keep snapshots, flush, compact, back up,
//! restore and reopen one database, each with a part of the keys whose content it knows.
//!
//! A new action is a function and a line in [`actions::ACTIONS`].

#[path = "../soak/actions.rs"]
mod actions;
#[path = "../soak/keyspaces.rs"]
mod keyspaces;
#[path = "../soak/world.rs"]
mod world;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use lightning_db_examples::{Outcome, WorkFolder, thousands};

use actions::ACTIONS;
use world::{Tally, Worker, World};

/// Runs random operations of every kind from several threads, and compares every answer with a model.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// How long
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Seed of what each thread does
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads, at most 200
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=200))]
    threads: u8,
    /// An empty folder to work in, which stays [default: a fresh one, removed if all is well]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<std::path::PathBuf>,
}

fn main() -> Outcome<ExitCode> {
    let arguments = Arguments::parse();
    let mut folder = WorkFolder::new(arguments.dir.clone())?;
    let world = World::new(folder.path(), arguments.seed)?;
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let (threads, seed) = (arguments.threads, arguments.seed);
    println!("{threads} threads, seed {seed}, {} seconds", arguments.seconds);
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let worker = |number| {
            let world = &world;
            scope.spawn(move || work(Worker::new(world, number, seed), end))
        };
        let running: Vec<_> = (0..threads).map(worker).collect();
        let ended = running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Tally::of_a_panic()));
        ended.collect()
    });
    let mut total = Tally::default();
    tallies.into_iter().for_each(|tally| total.add(tally));
    report(&total);
    if total.differences > 0 {
        folder.keep();
        println!("the database stays in {}", folder.path().display());
        return Ok(ExitCode::FAILURE);
    }
    world.close()?;
    Ok(ExitCode::SUCCESS)
}

/// Picks actions by weight until the time is over, or something is wrong.
fn work(mut worker: Worker<'_>, end: Instant) -> Tally {
    let weights: usize = ACTIONS.iter().map(|action| action.weight).sum();
    while Instant::now() < end && !worker.world.failed() {
        let mut at = worker.random.below(weights);
        let chosen = ACTIONS.iter().position(|action| {
            let here = at < action.weight;
            at = at.saturating_sub(action.weight);
            here
        });
        let Some(action) = chosen.and_then(|chosen| ACTIONS.get(chosen)) else { continue };
        if let Err(error) = (action.run)(&mut worker) {
            worker.differs(&format!("{}: {error}", action.name));
        }
        *worker.tally.operations.entry(action.name).or_default() += 1;
    }
    worker.tally
}

fn report(total: &Tally) {
    for (name, times) in &total.operations {
        println!("{name:<22} {:>12}", thousands(*times));
    }
    println!("{:<22} {:>12}", "operations", thousands(total.operations.values().sum()));
    println!("{:<22} {:>12}", "checks", thousands(total.checks));
    println!("{:<22} {:>12}", "differences", thousands(total.differences));
}
