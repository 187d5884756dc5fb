//! What the engine counts and times, and how it tells: figures, Prometheus text, events.
//!
//! [`Meters`] are the live counts of one database, [`Metrics`] the figures made of them at an instant.

mod counters;
mod events;
mod figures;
mod histogram;
mod jobs;
mod meters;
mod prometheus;
mod slot;
mod tally;
#[cfg(test)]
mod tests;
mod window;

pub use figures::{Counter, Figure, MemoryStats, Metrics};
pub use histogram::Timed;
pub use meters::{Meters, Opening, Timer};
pub use tally::Tally;
