//! The table and the chart.

mod chart;
mod figures;
mod judge;
mod table;

pub use chart::chart;
pub use judge::ratios;
pub use table::{flushes_table, large_table, table};
