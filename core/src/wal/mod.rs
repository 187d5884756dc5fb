//! Chunked, checksummed log files: the write-ahead log and the manifest.
//!
//! Each chunk says how much of the file was on stable storage when it was made. So a reader that meets a
//! bad chunk can tell: below what a later chunk or the manifest knows to be durable it is damage, an error;
//! at or above it is the tail of a write that a crash cut, dropped and counted.
//!
//! A log is never appended to after a reopen. Who records the end of a recovered log syncs that log first:
//! what was read may have come from the operating system's cache alone.

mod ahead;
mod chunk;
mod reader;
mod refusing;
mod salvage;
mod search;
#[cfg(test)]
mod tests;
mod window;
mod writer;

pub use reader::{LogReader, Tail};
pub use writer::{LogWriter, sync};
