//! What is kept in memory of what is on disk: pages and rows, under one byte budget.

mod balance;
mod epoch;
pub mod frames;
mod ghosts;
mod hints;
mod index;
mod pages;
mod regions;
mod retired;
pub mod rows;
mod shard;
mod slots;
mod words;

#[cfg(unix)]
pub use epoch::forget_other_threads;
pub use epoch::{Pin, pin};
pub use hints::{Hint, Hints};
pub use pages::{CacheFigures, Entry, PageCache, Priority, loads_of_this_thread};
#[cfg(feature = "internals")]
pub use slots::Marked;
pub use slots::{Ahead, Cached, Found, Lent, Mark, Place, Slots};

#[cfg(test)]
mod tests;
