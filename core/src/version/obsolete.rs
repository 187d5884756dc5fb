//! Files that no version and no reader needs, waiting to be removed by a background job.

use std::path::Path;

use crate::base::filename::FileKind;
use crate::base::ids::FileNumber;
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::vfs::Vfs;

/// A queue of files to remove.
#[derive(Default)]
pub struct Obsolete {
    files: Mutex<Vec<(FileKind, FileNumber)>>,
    /// Of tables that no version has any more, and that somebody reads.
    held_bytes: AtomicU64,
    /// Held while files are removed: what was queued before a call is gone behind it, whoever removes it.
    removing: Mutex<()>,
}

impl Obsolete {
    /// Queues a file.
    pub fn add(&self, kind: FileKind, number: FileNumber) {
        self.files.lock().push((kind, number));
    }

    /// A table of so many bytes is no part of the version any more.
    pub(super) fn hold(&self, bytes: u64) {
        self.held_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Nobody reads a table of so many bytes any more.
    pub(super) fn release(&self, bytes: u64) {
        self.held_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes of tables that only readers of an old version keep.
    pub fn held_bytes(&self) -> u64 {
        self.held_bytes.load(Ordering::Relaxed)
    }

    /// Removes what is queued. A file that cannot be removed stays queued, and is found by the next open
    /// at the latest. Returns how many went.
    pub fn remove_all(&self, vfs: &dyn Vfs, folder: &Path) -> usize {
        let _removing = self.removing.lock();
        let files = std::mem::take(&mut *self.files.lock());
        let total = files.len();
        let kept: Vec<_> = files
            .into_iter()
            .filter(|(kind, number)| match vfs.remove(&folder.join(kind.name(*number))) {
                Ok(()) => false,
                Err(error) => error.kind() != std::io::ErrorKind::NotFound,
            })
            .collect();
        let removed = total - kept.len();
        self.files.lock().extend(kept);
        removed
    }
}
