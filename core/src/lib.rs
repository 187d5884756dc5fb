//! Lightning DB: an embedded, ordered, transactional key-value database.
//!
//! Keys and values are bytes; keys are ordered. A [`Database`] is a folder; it has one writing process, any
//! number of threads, snapshots that never change and serializable transactions. How far a write has got
//! when it is acknowledged is a [`ConsistencyLevel`], given for the database, a write, a batch or a commit.
//!
//! ```
//! use lightning_db::{Database, LightningDbConfig};
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("mydb");
//! let db = Database::create(&path, LightningDbConfig::default())?;
//! db.put("user:1", "Alice")?;
//! db.transact(|tx| tx.put("user:2", "Bob"))?;
//! for entry in db.scan_prefix("user:")? {
//!     let (key, value) = entry?;
//!     println!("{}: {}", key.escape_ascii(), value.escape_ascii());
//! }
//! db.close()?;
//! # Ok::<(), lightning_db::Error>(())
//! ```
//!
//! Every call that fails says so with an [`Error`], whose [`ErrorKind`] has the same number and name in every
//! language. Every handle is `Send` and `Sync` but a [`Scan`], which is `Send`.

// The order of the module groups below is the architecture: a module imports only from groups above its
// own, from its own folder, or from its group without a cycle. `core/tests/tidy.rs` proves it.

// 0: vocabulary
mod base;

// 1: machines
mod cache;
mod codec;
mod filter;
mod iter;
mod metrics;
mod prefetch;
mod sync;
#[doc(hidden)]
pub mod vfs;

// 2: structures
mod batch;
mod btree;
mod memtable;
mod wal;

// 3: manifest
mod manifest;

// 4: state
mod catalogue;
mod conflict;
mod health;
mod snapshots;
mod version;
mod view;

// 5: paths
mod compaction;
mod read;
mod write;

// 6: jobs
mod backup;
mod engine;
mod recovery;
mod txn;

// 7: the public face
mod db;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;

pub use backup::BackupInfo;

pub use base::comparator::Comparator;
pub use base::config::{ConsistencyConfig, ConsistencyLevel, LSMConfig, LightningDbConfig};
pub use base::error::{Error, ErrorKind, Result};
pub use base::ids::SequenceNumber;
pub use base::keyspace_options::KeyspaceOptions;
pub use base::limits::{MAX_KEY_LEN, MAX_VALUE_LEN};
pub use base::lookup::Lookup;
#[doc(hidden)]
pub use base::memory;
pub use base::native_order::NativeOrder;
pub use base::options::{OPTIONS, OptionSpec, OptionValue};
pub use base::value::Value;
pub use batch::WriteBatch;
#[doc(hidden)]
pub use db::BackgroundWork;
pub use db::{BackupEngine, ConsistencyManager, Database, Ingest, IngestReport, Keyspace, Snapshot, Stats};
pub use engine::CompactionProgress;
pub use metrics::{Figure, MemoryStats, Metrics};
pub use read::{Scan, ScanOptions};
pub use recovery::{CheckProgress, CheckReport, Finding, RecoveryReport, RepairReport};
pub use txn::{Isolation, Transaction, TransactionScan};

/// The snippets of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
