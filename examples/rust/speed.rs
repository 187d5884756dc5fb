//! First speeds: put, batch, get and scan, in one thread.

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use lightning_db::{ConsistencyConfig, ConsistencyLevel, Database, LSMConfig, LightningDbConfig, WriteBatch};
use lightning_db_examples::{Outcome, Random, WorkFolder, thousands};

const VALUE: usize = 100;
const BATCH: usize = 1000;
const HOT: usize = 10_000;
/// Tables in level 0 that no compaction takes away.
const OVERLAPPING: usize = 8;

/// Measures put, batch, get and scan with 16-byte keys in random order and 100-byte values, half compressible.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Number of records
    #[arg(long, default_value_t = 1_000_000)]
    records: usize,
    /// Bytes of the page cache, in MiB
    #[arg(long, default_value_t = 256)]
    cache: usize,
    /// Seed of the order of keys
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// An empty folder to work in, which stays [default: a fresh one, removed at the end]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

fn main() -> Outcome {
    let arguments = Arguments::parse();
    let work = WorkFolder::new(arguments.dir.clone())?;
    let mut random = Random::new(arguments.seed);
    let mut order: Vec<usize> = (0..arguments.records).collect();
    random.shuffle(&mut order);

    let (records, cache) = (thousands(order.len()), arguments.cache);
    println!(
        "{records} records, keys of 16 bytes, values of {VALUE} (half compressible), page cache of {cache} MiB"
    );
    println!("{:<32} {:>9} {:>9}", "operation", "ns", "M/s");
    let trigger = LSMConfig::default().level0_file_num_compaction_trigger;
    puts(&create(&work, "puts", &arguments, trigger)?, &order)?;
    let db = create(&work, "batches", &arguments, trigger)?;
    batches(&db, &order)?;
    println!("as loaded:");
    gets(&db, &order, &mut random)?;
    scans(&db, order.len())?;
    measure("compact_lsm, per record", order.len(), || Ok(db.compact_lsm()?))?;
    println!("compacted:");
    gets(&db, &order, &mut random)?;
    scans(&db, order.len())?;
    db.close()?;
    overlapping(&create(&work, "overlapping", &arguments, 8 * OVERLAPPING)?, &order, &mut random)
}

fn create(work: &WorkFolder, name: &str, arguments: &Arguments, trigger: usize) -> Outcome<Database> {
    let level = ConsistencyConfig { default_level: ConsistencyLevel::Quorum, ..Default::default() };
    let cache_size = arguments.cache << 20;
    let lsm = LSMConfig { level0_file_num_compaction_trigger: trigger, ..Default::default() };
    let config =
        LightningDbConfig { cache_size, consistency_config: level, lsm_config: lsm, ..Default::default() };
    Ok(Database::create(work.join(name), config)?)
}

fn key(number: usize) -> [u8; 16] {
    let mut key = [b'0'; 16];
    let mut rest = number;
    for digit in key.iter_mut().rev() {
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

/// Times a run of operations and prints its row.
fn measure(name: &str, operations: usize, run: impl FnOnce() -> Outcome) -> Outcome {
    let start = Instant::now();
    run()?;
    let ns = start.elapsed().as_nanos() as f64 / operations.max(1) as f64;
    println!("{name:<32} {ns:>9.0} {:>9.2}", 1000.0 / ns);
    Ok(())
}

fn puts(db: &Database, order: &[usize]) -> Outcome {
    measure("put, Quorum", order.len(), || {
        Ok(order.iter().try_for_each(|&number| db.put(key(number), value(number)))?)
    })?;
    Ok(db.close()?)
}

fn batches(db: &Database, order: &[usize]) -> Outcome {
    measure("put in batches of 1,000, Quorum", order.len(), || {
        for numbers in order.chunks(BATCH) {
            let mut batch = WriteBatch::new();
            for &number in numbers {
                batch.put(key(number), value(number))?;
            }
            db.write(&batch)?;
        }
        Ok(())
    })
}

fn gets(db: &Database, order: &[usize], random: &mut Random) -> Outcome {
    let uniform: Vec<usize> = (0..order.len()).map(|_| random.below(order.len())).collect();
    let hot: Vec<usize> = (0..order.len()).map(|_| order[random.below(HOT.min(order.len()))]).collect();
    for (name, numbers) in [("get, uniform", uniform), ("get, 10,000 hot keys", hot)] {
        measure(name, numbers.len(), || {
            for number in numbers {
                let value = db.get(key(number))?.ok_or("a record is missing")?;
                if value.len() != VALUE {
                    return Err("a value has the wrong length".into());
                }
            }
            Ok(())
        })?;
    }
    // Between two keys that are there.
    let absent: Vec<usize> = (0..order.len()).map(|_| random.below(order.len())).collect();
    measure("get, absent keys", absent.len(), || {
        for number in absent {
            let mut between = [b'x'; 17];
            between[..16].copy_from_slice(&key(number));
            if db.get(between)?.is_some() {
                return Err("a record that nobody wrote".into());
            }
        }
        Ok(())
    })
}

/// Gets over tables of level 0 that each reach over all keys.
fn overlapping(db: &Database, order: &[usize], random: &mut Random) -> Outcome {
    println!("{OVERLAPPING} tables in level 0:");
    for numbers in order.chunks(order.len().div_ceil(OVERLAPPING).max(1)) {
        for numbers in numbers.chunks(BATCH) {
            let mut batch = WriteBatch::new();
            numbers.iter().try_for_each(|&number| batch.put(key(number), value(number)))?;
            db.write(&batch)?;
        }
        db.flush()?;
    }
    gets(db, order, random)?;
    Ok(db.close()?)
}

fn scans(db: &Database, records: usize) -> Outcome {
    let complete =
        |count: usize| if count == records { Ok(()) } else { Err(format!("{count} records scanned").into()) };
    measure("scan forward", records, || complete(db.scan(None, None)?.filter(Result::is_ok).count()))?;
    measure("scan backward", records, || complete(db.scan_reverse(None, None)?.filter(Result::is_ok).count()))
}
