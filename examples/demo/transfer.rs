//! Transactions: people on buses, an invented counter, move between random cities from several threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use lightning_db::{Database, Error, Result, Transaction, Value};
use lightning_db_examples::{Outcome, Random, thousands};

use crate::{Demo, check};

const THREADS: usize = 4;
/// Few, so that transactions meet.
const STOPS: usize = 16;
const PEOPLE_AT_A_STOP: u64 = 100;
const BUS: &str = "bus/";

/// A committed transfer.
struct Move {
    from: usize,
    to: usize,
    count: u64,
}

/// What the threads did.
struct Rides {
    moves: Vec<Move>,
    attempts: usize,
    snapshots: usize,
}

/// Moves people from four threads while a fifth counts them all in snapshots.
pub fn transfers(demo: &mut Demo) -> Outcome {
    let mut cities: Vec<&str> = demo.cities.iter().map(|city| city.tail.as_str()).collect();
    demo.random.shuffle(&mut cities);
    let stops: Vec<String> = cities.iter().take(STOPS).map(|tail| format!("{BUS}{tail}")).collect();
    for stop in &stops {
        demo.db.put(stop, PEOPLE_AT_A_STOP.to_string())?;
    }

    let seeds: Vec<u64> = (0..THREADS).map(|_| demo.random.next_u64()).collect();
    let start = Instant::now();
    let rides = run_threads(&demo.db, &stops, demo.transfers, &seeds)?;
    let time = start.elapsed();

    // The ledger of the threads gives what each stop must hold: a lost update would show.
    let mut people = vec![PEOPLE_AT_A_STOP as i64; stops.len()];
    for Move { from, to, count } in &rides.moves {
        people[*from] -= *count as i64;
        people[*to] += *count as i64;
    }
    for (stop, people) in stops.iter().zip(people) {
        demo.model.insert(stop.clone().into_bytes(), people.to_string().into_bytes());
    }
    check::same_records("people after transfers", demo.db.scan_prefix(BUS.as_bytes())?, bus_records(demo))?;

    let checked = format!(
        "always {} people: at the end and in {} snapshots; {} conflicts retried",
        thousands(PEOPLE_AT_A_STOP as usize * stops.len()),
        thousands(rides.snapshots),
        thousands(rides.attempts - rides.moves.len())
    );
    demo.report.row("transfers, 4 threads", rides.moves.len(), time, &checked);
    Ok(())
}

fn run_threads(db: &Database, stops: &[String], count: usize, seeds: &[u64]) -> Outcome<Rides> {
    let total = PEOPLE_AT_A_STOP * stops.len() as u64;
    let (attempts, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let ride = |seed: u64| ride(db, stops, count, Random::new(seed), &attempts);
    let (moves, snapshots) = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(db, total, &done));
        let riders: Vec<_> = seeds.iter().map(|&seed| scope.spawn(move || ride(seed))).collect();
        let moves: Vec<_> = riders.into_iter().map(|rider| rider.join()).collect();
        done.store(true, Ordering::Relaxed);
        Outcome::Ok((moves, watcher.join().map_err(|_| "the watching thread panicked")??))
    })?;
    let mut all = Vec::new();
    for moves in moves {
        all.extend(moves.map_err(|_| "a moving thread panicked")??);
    }
    Ok(Rides { moves: all, attempts: attempts.into_inner(), snapshots })
}

fn bus_records(demo: &Demo) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
    let records = demo.model.range(BUS.as_bytes().to_vec()..);
    records.take_while(|(key, _)| key.starts_with(BUS.as_bytes()))
}

/// Makes transfers between random stops; what was committed.
fn ride(
    db: &Database,
    stops: &[String],
    count: usize,
    mut random: Random,
    attempts: &AtomicUsize,
) -> Result<Vec<Move>> {
    let mut moves = Vec::with_capacity(count);
    for _ in 0..count {
        let from = random.below(stops.len());
        let to = random.below(stops.len());
        let wanted = 1 + random.below(5) as u64;
        let count = db.transact(|tx| {
            attempts.fetch_add(1, Ordering::Relaxed);
            let available = people_at(tx, &stops[from])?;
            let count = available.min(wanted);
            tx.put(&stops[from], (available - count).to_string())?;
            // From a stop to itself, this reads what has just been put.
            tx.put(&stops[to], (people_at(tx, &stops[to])? + count).to_string())?;
            Ok(count)
        })?;
        moves.push(Move { from, to, count });
    }
    Ok(moves)
}

fn people_at(tx: &Transaction, stop: &str) -> Result<u64> {
    tx.get(stop)?.as_ref().and_then(number).ok_or_else(|| Error::invalid(format!("{stop} holds no number")))
}

fn number(value: &Value) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Counts all people in one snapshot after the other; the number of snapshots.
fn watch(db: &Database, total: u64, done: &AtomicBool) -> Outcome<usize> {
    let mut snapshots = 0;
    while !done.load(Ordering::Relaxed) {
        let mut people = 0;
        for entry in db.snapshot()?.scan_prefix(BUS.as_bytes())? {
            let (_, value) = entry?;
            people += number(&Value::from(&value[..])).ok_or("a stop holds no number")?;
        }
        check::equal("people in a snapshot", people, total)?;
        snapshots += 1;
    }
    Ok(snapshots)
}
