//! What the micro-benchmarks in `core/benches` use. No part of the interface: it may change at any time.

pub use crate::base::comparator::KeyOrder;
pub use crate::base::filename::FileKind;
pub use crate::base::hash::hash_key;
pub use crate::base::header::FileHeader;
pub use crate::base::ids::KeyspaceId;
pub use crate::base::lookup::{Lookup, Reach, Wanted};
pub use crate::base::record::{Record, RecordKind};
pub use crate::btree::{FoundRecord, Table, TableBuilder, TableContext, TableOptions};
pub use crate::cache::{Marked, PageCache, Priority};
pub use crate::codec::{Codec, Compression};
pub use crate::iter::{Cursor, MergeCursor};
pub use crate::memtable::Memtable;
pub use crate::wal::LogWriter;
