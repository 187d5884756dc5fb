//! The public face: short methods over the engine.

mod across_keyspaces;
mod background;
mod backup_engine;
mod close;
mod compact;
mod consistency;
mod database;
mod handles;
mod ingest;
mod keyspace;
mod maintenance;
mod metrics;
mod open;
mod reads;
mod snapshot;
mod transactions;
mod writes;

pub use background::BackgroundWork;
pub use backup_engine::BackupEngine;
pub use consistency::ConsistencyManager;
pub use database::Database;
pub use ingest::{Ingest, IngestReport};
pub use keyspace::Keyspace;
pub use maintenance::Stats;
pub use snapshot::Snapshot;
