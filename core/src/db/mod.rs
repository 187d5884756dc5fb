//! The public face: short methods over the engine.

mod background;
mod backup_engine;
mod close;
mod database;
mod handles;
mod maintenance;
mod open;
mod reads;
mod snapshot;
mod transactions;
mod writes;

pub use backup_engine::BackupEngine;
pub use database::Database;
pub use maintenance::Stats;
pub use snapshot::Snapshot;
