//! Optimistic transactions: reads at one instant, writes in memory, a check at the commit.

mod own;
mod scan;
mod transaction;

pub use scan::TransactionScan;
pub use transaction::{Isolation, Transaction};
