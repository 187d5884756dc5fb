//! A disk whose databases compact nothing by themselves: tables stay where the test has put them.

use std::io;
use std::path::Path;
use std::sync::Arc;

use lightning_db::vfs::{OpenMode, Vfs, VfsFile, VfsThread};

use super::forward::forward_vfs;

/// Passes all on, and lets threads that compact have nothing to do.
#[derive(Debug)]
pub struct Still {
    inner: Arc<dyn Vfs>,
}

impl Still {
    /// A disk that is used through this one.
    pub fn over(inner: impl Vfs) -> Arc<dyn Vfs> {
        Arc::new(Still { inner: Arc::new(inner) })
    }
}

impl Vfs for Still {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        self.inner.open(path, mode)
    }

    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<Box<dyn VfsThread>> {
        if name.starts_with("lightning-compact") {
            return self.inner.spawn(name, Box::new(|| ()));
        }
        self.inner.spawn(name, work)
    }

    forward_vfs!(inner, monotonic);
}
