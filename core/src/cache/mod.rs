//! What is kept in memory of what is on disk: pages and rows, under one byte budget.

mod balance;
mod directory;
mod epoch;
pub mod frames;
mod ghosts;
mod index;
mod pages;
mod retired;
pub mod rows;
mod shard;
mod visit;

pub use directory::{Ahead, Cached, Mark};
pub use pages::{CacheFigures, PageCache, Priority, loads_of_this_thread};
pub use visit::{Found, Visit};

#[cfg(test)]
mod tests;
