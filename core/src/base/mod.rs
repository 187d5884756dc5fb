//! The vocabulary: words that every other module uses. Nothing here touches a disk or a thread.

pub mod checksum;
pub mod coding;
pub mod comparator;
pub mod config;
pub mod error;
pub mod filename;
pub mod hash;
pub mod header;
pub mod holds;
pub mod ids;
pub mod key;
pub mod keyspace_options;
pub mod limits;
pub mod lookup;
pub mod memory;
pub mod native_order;
pub mod options;
pub mod per_keyspace;
pub mod planted;
pub mod record;
pub mod value;
