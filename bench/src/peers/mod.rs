//! The databases under test, one adapter each.

mod fjall;
mod lightning;
mod lmdb;
#[cfg(feature = "mdbx")]
mod mdbx;
mod redb;
#[cfg(feature = "rocksdb")]
mod rocks;
mod sqlite;

use crate::engine::{About, Open};

/// A database under test.
#[derive(Clone, Copy)]
pub struct Peer {
    /// What it is.
    pub about: &'static About,
    /// Opens one.
    pub open: Open,
}

/// Ours first, then the peers; each run takes them in this order.
pub const ALL: &[Peer] = &[
    Peer { about: &lightning::ABOUT, open: lightning::open },
    Peer { about: &lmdb::ABOUT, open: lmdb::open },
    #[cfg(feature = "mdbx")]
    Peer { about: &mdbx::ABOUT, open: mdbx::open },
    #[cfg(feature = "rocksdb")]
    Peer { about: &rocks::ABOUT, open: rocks::open },
    Peer { about: &redb::ABOUT, open: redb::open },
    Peer { about: &fjall::ABOUT, open: fjall::open },
    Peer { about: &sqlite::ABOUT, open: sqlite::open },
];

/// Our own name on the command line.
pub const OURS: &str = "lightning";

/// The database of a name.
pub fn named(name: &str) -> Option<Peer> {
    ALL.iter().find(|peer| peer.about.name == name).copied()
}

/// Size of the address space that engines with a map may fill. It is reserved, not used.
const MAP_BYTES: usize = 64 << 30;
/// Reader slots of engines that have such.
const READERS: u32 = 64;
/// Entries to a transaction where sorted entries are loaded in transactions.
const LOAD_ENTRIES: usize = 10_000;
