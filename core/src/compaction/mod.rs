//! Compaction: merges tables downwards, drops what nobody can read any more.

mod garbage;
mod manual;
mod outputs;
mod picker;
mod refill;
mod retention;
mod runner;
mod schedule;
mod shape;

pub use garbage::SpaceUse;
pub use manual::{Piece, Sweep};
pub use outputs::KeptCount;
pub use picker::{Pick, pick, pick_at_rest};
pub use retention::Retention;
pub use runner::{Stop, run};
pub use schedule::{Schedule, Ticket};
pub use shape::{Job, LevelShape, Limits};
