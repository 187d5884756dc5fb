//! The folder that an example works in.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder named by the user, which stays, or a fresh one that is removed at the end.
pub struct WorkFolder {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl WorkFolder {
    /// The folder of the first argument of the program, or a fresh one.
    pub fn from_args() -> io::Result<Self> {
        Self::new(std::env::args_os().nth(1).map(PathBuf::from))
    }

    /// The named folder, made if absent, or a fresh one.
    pub fn new(named: Option<PathBuf>) -> io::Result<Self> {
        if let Some(path) = named {
            std::fs::create_dir_all(&path)?;
            return Ok(WorkFolder { path, temporary: None });
        }
        let temporary = tempfile::Builder::new().prefix("lightning_db_").tempdir()?;
        Ok(WorkFolder { path: temporary.path().to_owned(), temporary: Some(temporary) })
    }

    /// Leaves the folder where it is, for a look at what went wrong.
    pub fn keep(&mut self) {
        if let Some(temporary) = &mut self.temporary {
            temporary.disable_cleanup(true);
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path inside the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}
