//! What a check or a repair has to say.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::base::error::Error;

/// What a check found, and what a repair did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckReport {
    /// What is damaged, missing or contradictory. After a repair: what was.
    pub problems: Vec<Finding>,
    /// What is worth knowing and no damage: tails that a crash tore, files that nobody names and the next open
    /// removes.
    pub notes: Vec<Finding>,
    /// What was done, if anything had to be.
    pub repair: Option<RepairReport>,
    /// Files looked at.
    pub files: u64,
    /// Right pages of tables.
    pub pages: u64,
    /// Records in right pages and whole commits: all versions, tombstones too.
    pub records: u64,
    /// Bytes of the files looked at.
    pub bytes: u64,
}

/// What a repair kept, lost and put aside.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RepairReport {
    /// Records of damaged files that were written anew.
    pub salvaged_records: u64,
    /// What is gone, by file, page and keys. An older value of such a key, or a deleted one, may show again.
    pub lost: Vec<Finding>,
    /// Where the files that were replaced are now, as they were found.
    pub set_aside: Vec<PathBuf>,
}

/// Something about a place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// Where in it, in bytes.
    pub offset: Option<u64>,
    /// The keyspace, where it is one's.
    pub keyspace: Option<String>,
    /// Keys from here ...
    pub first_key: Option<Vec<u8>>,
    /// ... to here, inclusive, may be concerned.
    pub last_key: Option<Vec<u8>>,
    /// How many records, where that is known.
    pub records: Option<u64>,
    /// What was expected, or is said.
    pub what: String,
}

/// How far a check has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckProgress {
    /// Bytes looked at.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

impl CheckReport {
    /// Whether nothing is, or (after a repair) was, wrong.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Finding {
    pub(crate) fn new(file: &Path, what: impl Into<String>) -> Self {
        Finding {
            file: file.to_owned(),
            offset: None,
            keyspace: None,
            first_key: None,
            last_key: None,
            records: None,
            what: what.into(),
        }
    }

    pub(crate) fn of_error(error: &Error, file: &Path) -> Self {
        let file = error.file().unwrap_or(file);
        Finding { offset: error.offset(), ..Finding::new(file, error.to_string()) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(offset) = self.offset {
            write!(f, " at {offset}")?;
        }
        write!(f, ": {}", self.what)?;
        if let Some(records) = self.records {
            write!(f, "; {records} records")?;
        }
        if let Some(keyspace) = &self.keyspace {
            write!(f, "; keyspace {keyspace:?}")?;
        }
        for (word, key) in [("from", &self.first_key), ("to", &self.last_key)] {
            if let Some(key) = key {
                write!(f, " {word} key \"{}\"", key.escape_ascii())?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CheckReport { files, pages, records, bytes, .. } = self;
        writeln!(f, "{files} files, {bytes} bytes, {pages} pages, {records} records")?;
        self.problems.iter().try_for_each(|finding| writeln!(f, "problem: {finding}"))?;
        self.notes.iter().try_for_each(|finding| writeln!(f, "note: {finding}"))?;
        let Some(repair) = &self.repair else { return Ok(()) };
        writeln!(f, "repaired: {} records written anew", repair.salvaged_records)?;
        repair.lost.iter().try_for_each(|finding| writeln!(f, "lost: {finding}"))?;
        repair.set_aside.iter().try_for_each(|path| writeln!(f, "set aside: {}", path.display()))
    }
}
