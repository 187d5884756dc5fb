//! What the C, Python and Node faces share, on top of the engine's owned handles.
//!
//! * [`Opening`]: how to open a database, options given by name.
//! * [`Bounds`], [`level`], [`isolation`]: arguments as the languages spell them.
//! * [`Handle`], [`Exclusive`]: handles that can be closed while others use them.
//! * [`Cursor`], [`Page`]: scans that cross the boundary many entries at a time.
//! * [`packed`]: batches that cross it as one run of bytes.
//! * [`figures`]: statistics by name.
//! * [`guard`]: panics end here.

mod arguments;
mod cursor;
mod figures;
mod guard;
mod handle;
mod opening;
pub mod packed;

pub use arguments::{Bounds, isolation, level, number};
pub use cursor::{Cursor, Page};
pub use figures::{Figure, figures};
pub use guard::guard;
pub use handle::{Exclusive, Handle};
pub use opening::{Opening, backup, restore};

pub use lightning_db::{
    ConsistencyLevel, Database, Error, ErrorKind, Isolation, Lookup, MAX_KEY_LEN, MAX_VALUE_LEN, OPTIONS,
    OptionValue, Result, Scan, ScanOptions, Snapshot, Stats, Transaction, TransactionScan, Value, WriteBatch,
};

/// The version of the engine, and of every face of it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
