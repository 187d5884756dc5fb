//! Counts what was tried, and keeps what is bad.

use crate::recover::first_seed;

/// Enough to see what is wrong.
const ENOUGH: usize = 20;

#[derive(Default)]
pub struct Tally {
    pub tried: u64,
    pub bad: Vec<String>,
}

impl Tally {
    /// Whether so much is bad that there is no need to go on.
    pub fn is_full(&self) -> bool {
        self.bad.len() >= ENOUGH
    }

    pub fn add(&mut self, outcome: Result<(), String>, place: impl FnOnce() -> String) {
        self.tried += 1;
        if let Err(why) = outcome {
            self.bad.push(format!("{}: {why}", place()));
        }
    }

    /// Prints the figures; fails if anything is bad, or too little was tried.
    #[track_caller]
    pub fn tell(&self, what: &str, least: u64) {
        let Tally { tried, bad } = self;
        println!("{what}: {tried} tried, {} bad (seed {})", bad.len(), first_seed());
        assert!(bad.is_empty(), "{what}: {} bad:\n{}", bad.len(), bad.join("\n"));
        assert!(*tried >= least, "{what}: {tried} tried, not {least}");
    }
}
