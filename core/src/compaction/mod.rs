//! Compaction: merges tables downwards, drops what nobody can read any more.

mod picker;
mod retention;
mod runner;

pub use picker::{Job, LevelShape, Limits, pick, pick_all};
pub use retention::Retention;
pub use runner::{Stop, run};
