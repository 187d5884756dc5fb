//! Ways to do the same, measured in turns: what an option or a call of its own is worth on this machine.

use std::path::Path;
use std::time::Instant;

use clap::Parser;
use lightning_db::{
    ConsistencyConfig, ConsistencyLevel, Database, Ingest, LSMConfig, LightningDbConfig, WriteBatch,
};
use lightning_db_examples::{Outcome, Random, WorkFolder, thousands};

const VALUE: usize = 100;
const BATCH: usize = 1000;
const KEYS_AT_ONCE: usize = 100;

/// Measures in turns: single reads and get_batch, batches and ingest, scans with and without reading ahead,
/// transactions with and without group commit.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Number of records
    #[arg(long, default_value_t = 500_000)]
    records: usize,
    /// Number of turns
    #[arg(long, default_value_t = 7)]
    turns: usize,
    /// Seed of what is read
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Have the system forget all files before each scan (Linux, as root)
    #[arg(long)]
    from_disk: bool,
}

fn main() -> Outcome {
    let arguments = Arguments::parse();
    let work = WorkFolder::new(None)?;
    println!(
        "{} records, keys of 16 bytes, values of {VALUE} (half compressible), {} turns; nanoseconds each, median",
        thousands(arguments.records),
        arguments.turns
    );
    println!(
        "{:<46} {:<24} {:>9} {:>9} {:>7}  range of ratios",
        "what", "against", "first", "second", "ratio"
    );
    let db = Database::create(work.join("reads"), config(|_| {}))?;
    load(&db, arguments.records)?;
    db.compact_lsm()?;
    reads(&db, &arguments)?;
    db.close()?;
    scans(&work.join("reads"), &arguments)?;
    loads(&work, &arguments)?;
    transactions(&work, &arguments)
}

fn config(change: impl FnOnce(&mut LightningDbConfig)) -> LightningDbConfig {
    let level = ConsistencyConfig { default_level: ConsistencyLevel::Quorum, ..Default::default() };
    let mut config =
        LightningDbConfig { cache_size: 256 << 20, consistency_config: level, ..Default::default() };
    change(&mut config);
    config
}

fn key(number: usize) -> [u8; 16] {
    let mut key = *b"key/000000000000";
    let mut rest = number;
    for digit in key[4..].iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    key
}

/// Half random, half zeros; no two are alike.
fn value(number: usize) -> [u8; VALUE] {
    let mut value = [0; VALUE];
    Random::new(number as u64).fill(&mut value[..VALUE / 2]);
    value
}

/// Measures two ways in turns, each of so many operations, and prints their medians and ratios.
fn pair(
    names: (&str, &str),
    operations: usize,
    turns: usize,
    run: impl FnMut(bool, usize) -> Outcome,
) -> Outcome {
    pair_behind(|| Ok(()), names, operations, turns, run)
}

/// As [`pair`]; what comes before each run is not measured.
fn pair_behind(
    mut before: impl FnMut() -> Outcome,
    (first, second): (&str, &str),
    operations: usize,
    turns: usize,
    mut run: impl FnMut(bool, usize) -> Outcome,
) -> Outcome {
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..turns {
        for way in [turn % 2, 1 - turn % 2] {
            before()?;
            let start = Instant::now();
            run(way == 1, turn)?;
            times[way].push(start.elapsed().as_nanos() as f64 / operations as f64);
        }
    }
    let mut ratios: Vec<f64> = times[0].iter().zip(&times[1]).map(|(first, second)| first / second).collect();
    let [of_first, of_second] = times.map(|mut times| median(&mut times));
    let ratio = median(&mut ratios);
    let (least, most) =
        (ratios.first().copied().unwrap_or_default(), ratios.last().copied().unwrap_or_default());
    println!(
        "{first:<46} {second:<24} {of_first:>9.0} {of_second:>9.0} {ratio:>7.2}  {least:.2} to {most:.2}"
    );
    Ok(())
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn load(db: &Database, records: usize) -> Outcome {
    for first in (0..records).step_by(BATCH) {
        let mut batch = WriteBatch::new();
        (first..records.min(first + BATCH)).try_for_each(|number| batch.put(key(number), value(number)))?;
        db.write(&batch)?;
    }
    Ok(())
}

fn reads(db: &Database, arguments: &Arguments) -> Outcome {
    let count = arguments.records.min(200_000) / KEYS_AT_ONCE * KEYS_AT_ONCE;
    for (name, range) in [("uniform", arguments.records), ("of 10,000 hot keys", 10_000)] {
        let mut random = Random::new(arguments.seed);
        let keys: Vec<_> = (0..count)
            .map(|_| key(random.below(range.min(arguments.records)) * 7919 % arguments.records))
            .collect();
        // Once for the cache.
        for key in &keys {
            db.get(key)?;
        }
        let names = (format!("single gets, {name}"), format!("get_batch of {KEYS_AT_ONCE}"));
        pair((&names.0, &names.1), count, arguments.turns, |many, _| {
            let mut found = 0;
            if many {
                for keys in keys.chunks(KEYS_AT_ONCE) {
                    found += db.get_batch(keys)?.iter().flatten().count();
                }
            } else {
                for key in &keys {
                    found += usize::from(db.get(key)?.is_some());
                }
            }
            if found == count { Ok(()) } else { Err("a record is missing".into()) }
        })?;
    }
    Ok(())
}

/// What has the system drop the pages of files that it keeps.
const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";

/// Scans of which nothing is in our cache, and all in the system's unless that is dropped.
fn scans(folder: &Path, arguments: &Arguments) -> Outcome {
    for workers in [1, 2] {
        for backward in [false, true] {
            let direction = if backward { "backward" } else { "forward" };
            let names =
                (format!("cold scan {direction}, nothing read ahead"), format!("{workers} workers ahead"));
            let forget = || match arguments.from_disk {
                true => Ok(std::fs::write(DROP_CACHES, "1")?),
                false => Ok(()),
            };
            pair_behind(forget, (&names.0, &names.1), arguments.records, arguments.turns, |ahead, _| {
                let config = config(|config| {
                    config.prefetch_enabled = ahead;
                    config.prefetch_workers = workers;
                });
                let db = Database::open(folder, config)?;
                let mut count = 0;
                let scan = if backward { db.scan_reverse(None, None)? } else { db.scan(None, None)? };
                for entry in scan {
                    count += usize::from(entry?.1.len() == VALUE);
                }
                db.close()?;
                if count == arguments.records { Ok(()) } else { Err("a record is missing".into()) }
            })?;
        }
    }
    Ok(())
}

fn loads(work: &WorkFolder, arguments: &Arguments) -> Outcome {
    pair(
        ("sorted batches of 1,000, flushed", "ingest"),
        arguments.records,
        arguments.turns,
        |ingest, turn| {
            let folder = work.join(&format!("load-{ingest}-{turn}"));
            let db = Database::create(&folder, config(|_| {}))?;
            if ingest {
                let mut load: Ingest = db.begin_ingest()?;
                (0..arguments.records).try_for_each(|number| load.add(key(number), value(number)))?;
                load.finish()?;
            } else {
                load(&db, arguments.records)?;
                db.flush()?;
            }
            db.close()?;
            Ok(std::fs::remove_dir_all(folder)?)
        },
    )
}

/// Two reads and two writes each.
fn transactions(work: &WorkFolder, arguments: &Arguments) -> Outcome {
    for (level, name, count) in
        [(ConsistencyLevel::Quorum, "Quorum", 20_000), (ConsistencyLevel::Strong, "Strong", 2_000)]
    {
        for threads in [1, 8] {
            let databases = [false, true].map(|group| {
                let config = config(|config| {
                    config.use_optimized_transactions = group;
                    config.lsm_config = LSMConfig { memtable_size: 256 << 20, ..Default::default() };
                });
                Database::create(work.join(&format!("transactions-{name}-{threads}-{group}")), config)
            });
            let [alone, group] = databases;
            let (alone, group) = (alone?, group?);
            let names = (format!("transactions, {name}, {threads} threads"), "group commit");
            pair((&names.0, names.1), count, arguments.turns, |grouped, turn| {
                let db = if grouped { &group } else { &alone };
                run_transactions(db, level, (threads, count / threads), arguments.seed + turn as u64)
            })?;
        }
    }
    Ok(())
}

fn run_transactions(
    db: &Database,
    level: ConsistencyLevel,
    (threads, each): (usize, usize),
    seed: u64,
) -> Outcome {
    let work = |thread: usize| {
        let mut random = Random::new(seed * 100 + thread as u64);
        for _ in 0..each {
            // Threads meet in no key.
            let [from, to] = [0, 1].map(|_| key(random.below(10_000) * threads + thread));
            let transaction = db.transaction()?;
            let sum = transaction.get(from)?.map_or(0, |value| value.len())
                + transaction.get(to)?.map_or(0, |value| value.len());
            transaction.put(from, value(sum))?;
            transaction.put(to, value(sum + 1))?;
            transaction.commit_with(level)?;
        }
        Ok::<_, lightning_db::Error>(())
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        for thread in running {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(())
    })
}
