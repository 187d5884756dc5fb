//! The command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use lightning_db_bench::baseline::Baseline;
use lightning_db_bench::large::{self, LargeExtent};
use lightning_db_bench::peers::{self, Peer};
use lightning_db_bench::record::{Comparison, Conditions};
use lightning_db_bench::rows::Extent;
use lightning_db_bench::run::{Course, PARTS};
use lightning_db_bench::{cgroup, counts, flushes, machine, report};

/// Lightning DB and its peers, side by side.
#[derive(Parser)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Every row of the table, every engine, several runs.
    Compare(Compare),
    /// Makes table and chart from a JSON file.
    Render { file: PathBuf },
    /// Counts flushes before acknowledgements, with strace.
    Flushes(Flushes),
    /// More data than memory, in a cgroup.
    Large(Large),
    /// Counts instructions, runs a short comparison, and says what moved against a baseline.
    Check(Check),
    #[command(hide = true)]
    CountsChild(CountsChild),
    #[command(hide = true)]
    FlushesChild(FlushesChild),
    #[command(hide = true)]
    LargeChild(LargeChild),
}

#[derive(Args)]
struct Places {
    /// Engines, by name; all that are built in without it.
    #[arg(long, value_delimiter = ',')]
    engines: Vec<String>,
    /// Folder for databases; they are removed.
    #[arg(long, default_value = "target/data")]
    data: PathBuf,
    /// Folder for results.
    #[arg(long, default_value = "target/results")]
    out: PathBuf,
}

#[derive(Args)]
struct Compare {
    #[command(flatten)]
    places: Places,
    /// Records loaded.
    #[arg(long, default_value_t = 2_000_000)]
    records: usize,
    /// MiB of cache of each engine.
    #[arg(long, default_value_t = 256)]
    cache_mib: usize,
    /// Runs; the table has their medians.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds of each read row.
    #[arg(long, default_value_t = 2.0)]
    read_seconds: f64,
    /// Seconds after which a write row ends, done or not.
    #[arg(long, default_value_t = 20.0)]
    write_seconds: f64,
    /// Parts to run; all without it.
    #[arg(long, value_delimiter = ',', value_parser = PARTS)]
    parts: Vec<String>,
}

#[derive(Args)]
struct Flushes {
    #[command(flatten)]
    places: Places,
    /// Puts of each thread.
    #[arg(long, default_value_t = 100)]
    puts: u32,
}

#[derive(Args)]
struct Large {
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    extent: LargeExtent,
}

#[derive(Args)]
struct Check {
    #[command(flatten)]
    compare: Compare,
    /// What to compare with.
    #[arg(long, default_value = "baseline.json")]
    baseline: PathBuf,
    /// Instructions only, no comparison.
    #[arg(long)]
    counts_only: bool,
    /// Writes the baseline anew.
    #[arg(long)]
    write: bool,
}

#[derive(Args)]
struct CountsChild {
    #[arg(long)]
    engine: String,
    #[arg(long)]
    path: String,
    #[arg(long)]
    times: u32,
    #[arg(long)]
    folder: PathBuf,
}

#[derive(Args)]
struct FlushesChild {
    #[arg(long)]
    engine: String,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    puts: u32,
    #[arg(long)]
    folder: PathBuf,
}

#[derive(Args)]
struct LargeChild {
    #[arg(long)]
    engine: String,
    #[arg(long)]
    group: PathBuf,
    #[arg(long)]
    folder: PathBuf,
    #[command(flatten)]
    extent: LargeExtent,
}

fn peer(name: &str) -> Result<Peer> {
    peers::named(name).with_context(|| format!("no engine is named {name:?}; there are {}", names()))
}

fn names() -> String {
    let names: Vec<_> = peers::ALL.iter().map(|peer| peer.about.name).collect();
    names.join(", ")
}

impl Places {
    fn peers(&self) -> Result<Vec<Peer>> {
        if self.engines.is_empty() {
            return Ok(peers::ALL.to_vec());
        }
        self.engines.iter().map(|name| peer(name)).collect()
    }

    /// A new folder for databases, removed when it is dropped.
    fn scratch(&self) -> Result<tempfile::TempDir> {
        fs::create_dir_all(&self.data)?;
        Ok(tempfile::tempdir_in(&self.data)?)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::create_dir_all(&self.out)?;
        let path = self.out.join(name);
        fs::write(&path, text)?;
        println!("{}", path.display());
        Ok(())
    }
}

impl Cli {
    /// Does what was asked for.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Compare(compare) => compare.run(),
            Command::Render { file } => render(&file),
            Command::Flushes(flushes) => flushes.run(),
            Command::Large(large) => large.run(),
            Command::Check(check) => check.run(),
            Command::CountsChild(child) => {
                counts::child(peer(&child.engine)?, &child.path, child.times, &child.folder)
            }
            Command::FlushesChild(child) => {
                flushes::child(peer(&child.engine)?, child.threads, child.puts, &child.folder)
            }
            Command::LargeChild(child) => {
                cgroup::join(&child.group)?;
                let run = large::child(peer(&child.engine)?, &child.extent, &child.folder);
                println!("{}", serde_json::to_string(&run)?);
                Ok(())
            }
        }
    }
}

fn progress(parts: usize) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{elapsed_precise} {wide_bar} {pos}/{len} {msg:40}")?;
    Ok(ProgressBar::new(parts as u64).with_style(style))
}

impl Compare {
    fn run(self) -> Result<()> {
        let comparison = self.measure()?;
        self.places.write("comparison.json", &serde_json::to_string_pretty(&comparison)?)?;
        self.places.write("comparison.md", &report::table(&comparison))?;
        self.places.write("comparison.svg", &report::chart(&comparison)?)?;
        let failed = comparison.runs.iter().filter(|run| run.failure.is_some()).count();
        ensure!(failed == 0, "{failed} of {} runs failed", comparison.runs.len());
        Ok(())
    }

    fn measure(&self) -> Result<Comparison> {
        let scratch = self.places.scratch()?;
        let peers = self.places.peers()?;
        let extent = Extent {
            records: self.records,
            read_seconds: self.read_seconds,
            write_seconds: self.write_seconds,
        };
        ensure!(self.records >= 1_000, "at least 1,000 records are needed");
        let begin = Instant::now();
        let mut comparison = Comparison { conditions: self.conditions(scratch.path()), runs: Vec::new() };
        let bar = progress(self.runs * peers.len())?;
        for run in 1..=self.runs {
            for peer in &peers {
                let say = |part: &str| bar.set_message(format!("run {run}, {}: {part}", peer.about.title));
                let cache = self.cache_mib << 20;
                let course = Course {
                    peer: *peer,
                    extent: &extent,
                    cache,
                    folder: scratch.path(),
                    progress: &say,
                    only: &self.parts,
                };
                let run = course.run();
                if let Some(failure) = &run.failure {
                    bar.println(format!("{} failed: {failure}", peer.about.title));
                    for entry in fs::read_dir(scratch.path())? {
                        fs::remove_dir_all(entry?.path())?;
                    }
                }
                comparison.runs.push(run);
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        comparison.conditions.wall_seconds = begin.elapsed().as_secs_f64();
        Ok(comparison)
    }

    fn conditions(&self, folder: &Path) -> Conditions {
        Conditions {
            records: self.records,
            cache: self.cache_mib << 20,
            read_seconds: self.read_seconds,
            write_seconds: self.write_seconds,
            machine: machine::describe(folder),
            commit: machine::commit(),
            began: machine::now(),
            wall_seconds: 0.0,
        }
    }
}

fn render(file: &Path) -> Result<()> {
    let comparison: Comparison = serde_json::from_slice(&fs::read(file)?)?;
    fs::write(file.with_extension("md"), report::table(&comparison))?;
    fs::write(file.with_extension("svg"), report::chart(&comparison)?)?;
    Ok(())
}

impl Flushes {
    fn run(self) -> Result<()> {
        let mut counted = Vec::new();
        for peer in self.places.peers()? {
            for threads in [1, 8] {
                let scratch = self.places.scratch()?;
                counted.push(flushes::traced(peer, threads, self.puts, scratch.path())?);
            }
        }
        let text = report::flushes_table(&counted);
        print!("{text}");
        self.places.write("flushes.md", &text)?;
        let uncovered: usize = counted.iter().map(|row| row.uncovered).sum();
        ensure!(uncovered == 0, "{uncovered} acknowledgements came before their flush");
        Ok(())
    }
}

impl Large {
    fn run(self) -> Result<()> {
        let asked = !self.places.engines.is_empty();
        let takes_part = |peer: &Peer| asked || peer.about.lsm || peer.about.name == "lmdb";
        let peers: Vec<Peer> = self.places.peers()?.into_iter().filter(takes_part).collect();
        let bar = progress(peers.len())?;
        let mut runs = Vec::new();
        for peer in peers {
            bar.set_message(peer.about.title);
            let scratch = self.places.scratch()?;
            runs.push(large::confined(peer, &self.extent, scratch.path())?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        let text = report::large_table(&runs, self.extent.memory_mib << 20, self.extent.cache_mib << 20);
        print!("{text}");
        self.places.write("large.json", &serde_json::to_string_pretty(&runs)?)?;
        self.places.write("large.md", &text)
    }
}

impl Check {
    fn run(self) -> Result<()> {
        let scratch = self.compare.places.scratch()?;
        let mut now = Baseline { commit: machine::commit(), ..Default::default() };
        let ours = peer(peers::OURS)?;
        for path in counts::PATHS {
            now.instructions.insert(path.to_string(), counts::counted(ours, path, scratch.path())?);
        }
        if !self.counts_only {
            now.ratios = report::ratios(&self.compare.measure()?);
        }
        if self.write {
            return Ok(fs::write(&self.baseline, serde_json::to_string_pretty(&now)? + "\n")?);
        }
        let then: Baseline = serde_json::from_slice(&fs::read(&self.baseline)?)?;
        print!("{}", now.against(&then));
        Ok(())
    }
}
