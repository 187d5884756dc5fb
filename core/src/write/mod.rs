//! The write path: commit, sync, seal, flush.

mod commit;
mod flush;
mod group_commit;
mod group_sync;
mod ingest;
mod keyspaces;
mod memtables;
mod refill;
mod seal;
mod stall;
mod table_syncs;

pub use commit::{Checked, Writer, WriterOptions};
pub use flush::{Flushed, flush_oldest};
pub use ingest::IngestedTables;
pub use refill::refill_flushed;
