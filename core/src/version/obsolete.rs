//! Files that no version and no reader needs, waiting to be removed by a background job.

use std::path::Path;

use crate::base::filename::FileKind;
use crate::base::ids::FileNumber;
use crate::sync::Mutex;
use crate::vfs::Vfs;

/// A queue of files to remove.
#[derive(Default)]
pub struct Obsolete {
    files: Mutex<Vec<(FileKind, FileNumber)>>,
}

impl Obsolete {
    /// Queues a file.
    pub fn add(&self, kind: FileKind, number: FileNumber) {
        self.files.lock().push((kind, number));
    }

    /// Removes what is queued. A file that cannot be removed stays queued, and is found by the next open
    /// at the latest. Returns how many went.
    pub fn remove_all(&self, vfs: &dyn Vfs, folder: &Path) -> usize {
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
