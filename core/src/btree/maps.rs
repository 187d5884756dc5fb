//! How much of the tables is mapped, and how much may be.

use bytes::Bytes;

use crate::sync::{Arc, AtomicU64, Ordering};
use crate::vfs::VfsFile;

/// The budget of all maps of a database, in bytes of files. The default allows none.
#[derive(Debug, Default)]
pub struct Maps {
    limit: u64,
    mapped: AtomicU64,
}

impl Maps {
    /// At most `limit` bytes; 0 for no maps.
    pub fn new(limit: u64) -> Self {
        Maps { limit, mapped: AtomicU64::new(0) }
    }

    /// Bytes that are mapped now.
    pub fn mapped(&self) -> u64 {
        self.mapped.load(Ordering::Relaxed)
    }

    /// The first `len` bytes of a file; `None` if they do not fit the budget, or the system has no map for them:
    /// the file is to be read then. They count until the last part of them that is held is dropped.
    pub(super) fn map(self: &Arc<Self>, file: &dyn VfsFile, len: u64) -> Option<Bytes> {
        let fits = |mapped: u64| mapped.checked_add(len).filter(|sum| *sum <= self.limit);
        self.mapped.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        let mut lease = Lease { map: Bytes::new(), len, maps: Arc::clone(self) };
        lease.map = file.map(len).ok()?;
        Some(Bytes::from_owner(lease))
    }
}

/// A map, and its part of the budget.
struct Lease {
    map: Bytes,
    len: u64,
    maps: Arc<Maps>,
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

impl Drop for Lease {
    /// Bytes are given back behind the map.
    fn drop(&mut self) {
        self.map = Bytes::new();
        self.maps.mapped.fetch_sub(self.len, Ordering::Relaxed);
    }
}
