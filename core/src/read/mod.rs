//! The read path: point reads and scans over one view.

mod absent;
mod get;
mod get_many;
mod keep;
mod scan;
mod scan_options;

pub use absent::{absence_is_expected, expect_absence, is_surely_absent};
pub use get::{Lend, get};
pub use get_many::get_many;
pub use keep::keep;
pub use scan::{KeepAlive, OwnWrites, Scan, ScanSource};
pub use scan_options::ScanOptions;
