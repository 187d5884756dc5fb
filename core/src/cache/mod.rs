//! What is kept in memory of what is on disk: pages and rows, under one byte budget.

mod balance;
pub mod frames;
mod ghosts;
mod index;
mod pages;
pub mod rows;
mod shard;

pub use pages::{CacheFigures, PageCache, Priority, loads_of_this_thread};

#[cfg(test)]
mod tests;
