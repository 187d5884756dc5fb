//! What the C, Python and Node faces share, on top of the engine's owned handles.
//!
//! * [`Opening`]: how to open a database, options given by name; [`check`] and [`repair`] of one that is closed.
//! * [`Bounds`], [`level`], [`isolation`]: arguments as the languages spell them.
//! * [`Handle`], [`Exclusive`]: handles that can be closed while others use them.
//! * [`Store`], [`Within`]: a database, a snapshot or a transaction as seen through one of its keyspaces.
//! * [`View`]: handles of one snapshot or transaction through several keyspaces, which end together.
//! * [`Read`], [`write`]: what these have in common, and writes at a level or with a limit to their patience.
//! * [`Cursor`], [`Page`]: scans that cross the boundary many entries at a time.
//! * [`packed`]: batches that cross it as one run of bytes.
//! * [`figures`], [`metrics`], [`memory`]: statistics by name.
//! * [`guard`]: panics end here.
//! * `faults`, in a build with the feature of that name: simulated disks that fail when told.

mod arguments;
mod cursor;
#[cfg(feature = "faults")]
pub mod faults;
mod figures;
mod guard;
mod handle;
mod opening;
pub mod packed;
mod read;
mod store;
mod view;
pub mod write;

pub use arguments::{Bounds, isolation, level, number};
pub use cursor::{Cursor, Page};
pub use figures::{Figure, figures, memory, memory_stats, metrics};
pub use guard::{guard, raised};
pub use handle::{Exclusive, Handle, closed, not_open};
pub use opening::{Opening, backup, check, compact, repair, restore, restore_with};
pub use read::Read;
pub use store::{Store, Within};
pub use view::{Ending, View};

pub use lightning_db::{
    CheckProgress, CheckReport, CompactionProgress, Comparator, ConsistencyLevel, Database, Error, ErrorKind,
    Finding, Ingest, IngestReport, Isolation, Keyspace, KeyspaceOptions, Lookup, MAX_KEY_LEN, MAX_VALUE_LEN,
    MemoryStats, Metrics, OPTIONS, OptionValue, RepairReport, Result, Scan, ScanOptions, Snapshot, Stats,
    Transaction, TransactionScan, Value, WriteBatch,
};

/// The version of the engine, and of every face of it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
