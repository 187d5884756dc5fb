//! A database on the simulated disk, which is cut, torn and made to fail at every call. What is found behind that must be
//! a prefix of what was sent, with all that was acknowledged.
//!
//! `SIM_SCALE=20 cargo test --release -p lightning_db --test sim -- --nocapture` tries twenty times as much as a test run
//! does; `SIM_SEED` chooses other seeds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod allowed;
#[path = "../common/mod.rs"]
mod common;
mod crash;
mod cross;
mod failing;
mod full;
mod halting;
mod model;
mod nested;
mod random;
mod recover;
mod run;
mod script;
mod stepped;
mod tally;
