//! The write path: commit, sync, seal, flush.

mod commit;
mod flush;
mod group_sync;
mod seal;
mod stall;

pub use commit::{Transactional, Writer, WriterOptions};
pub use flush::flush_oldest;
