//! A memory cgroup for a child process, of version 1 or 2.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A group that is removed when this is dropped.
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Makes a group whose processes have `bytes` of memory together, their share of the page cache included.
    pub fn new(bytes: u64) -> Result<Cgroup> {
        let (root, limit) = if Path::new("/sys/fs/cgroup/memory/memory.limit_in_bytes").exists() {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            ("/sys/fs/cgroup", "memory.max")
        };
        let path = Path::new(root).join(format!("lightning-db-bench-{}", std::process::id()));
        fs::create_dir(&path).context("a memory cgroup cannot be made: this needs root and cgroups")?;
        let group = Cgroup { path };
        fs::write(group.path.join(limit), bytes.to_string())
            .context("the memory of a cgroup cannot be limited")?;
        Ok(group)
    }

    /// What [`join`] takes.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Nothing to be done about one that is still in use; it holds no memory by itself.
        let _ = fs::remove_dir(&self.path);
    }
}

/// Moves this process into a group.
pub fn join(group: &Path) -> Result<()> {
    fs::write(group.join("cgroup.procs"), std::process::id().to_string())
        .context("the cgroup cannot be joined")
}
