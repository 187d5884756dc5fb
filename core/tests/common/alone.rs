//! A disk on which an engine has no threads of its own: whoever calls it does the work.

use std::io;
use std::path::Path;
use std::sync::Arc;

use lightning_db::vfs::{MemoryVfs, OpenMode, Vfs, VfsFile, VfsThread};

use super::forward::forward_vfs;

/// Passes all on, and starts nothing.
#[derive(Debug)]
pub struct Alone {
    disk: MemoryVfs,
}

struct Nobody;

impl VfsThread for Nobody {
    fn join(self: Box<Self>) {}
}

impl Alone {
    /// A disk that is used through this one.
    pub fn over(disk: &MemoryVfs) -> Arc<dyn Vfs> {
        Arc::new(Alone { disk: disk.clone() })
    }
}

impl Vfs for Alone {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        self.disk.open(path, mode)
    }

    fn spawn(&self, _name: &str, _work: Box<dyn FnOnce() + Send>) -> io::Result<Box<dyn VfsThread>> {
        Ok(Box::new(Nobody))
    }

    forward_vfs!(disk, monotonic);
}
