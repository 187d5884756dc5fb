//! What is kept in memory of what is on disk: pages and rows, under one byte budget.

mod pages;
pub mod rows;
mod shard;

pub use pages::{PageCache, Priority};
