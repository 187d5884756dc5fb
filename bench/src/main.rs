//! Runs the comparison; `bench help` says how.

mod command;

use anyhow::Result;
use clap::Parser;

fn main() -> Result<()> {
    command::Cli::parse().run()
}
