//! The read path: point reads and scans over one view.

mod get;
mod scan;

pub use get::get;
pub use scan::{KeepAlive, OwnWrites, Scan, ScanOptions, ScanSource};
