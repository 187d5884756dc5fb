//! Names of the files in a database folder.

use crate::base::ids::{FileNumber, MAX_FILE_NUMBER};

/// The lock file.
pub const LOCK: &str = "LOCK";
/// Names the manifest in force.
pub const CURRENT: &str = "CURRENT";
/// Description of a backup, written last.
pub const BACKUP: &str = "BACKUP";
/// Present while a restore runs.
pub const RESTORING: &str = "RESTORING";
/// Present while a repair runs.
pub const REPAIRING: &str = "REPAIRING";
/// Folder in a database that holds what a repair has replaced.
pub const LOST: &str = "lost";
/// Ending of unfinished files.
pub const UNFINISHED: &str = ".tmp";

/// The kinds of numbered file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// Log of edits.
    Manifest,
    /// Write-ahead log.
    Log,
    /// B+tree table.
    Table,
}

impl FileKind {
    fn extension(self) -> &'static str {
        match self {
            FileKind::Manifest => "manifest",
            FileKind::Log => "log",
            FileKind::Table => "table",
        }
    }

    /// The first eight bytes of such a file.
    pub fn magic(self) -> &'static [u8; 8] {
        match self {
            FileKind::Manifest => b"LDBMANIF",
            FileKind::Log => b"LDBWLOG\0",
            FileKind::Table => b"LDBTABLE",
        }
    }

    /// The bare name of file `number`.
    pub fn name(self, number: FileNumber) -> String {
        format!("{number:06}.{}", self.extension())
    }

    /// What a bare name stands for; `None` if it is not exactly a name that [`FileKind::name`] makes.
    pub fn parse(name: &str) -> Option<(FileKind, FileNumber)> {
        let (digits, extension) = name.split_once('.')?;
        let kind = [FileKind::Manifest, FileKind::Log, FileKind::Table]
            .into_iter()
            .find(|kind| kind.extension() == extension)?;
        let number = digits.parse().ok().filter(|number| *number <= MAX_FILE_NUMBER)?;
        (kind.name(number) == name).then_some((kind, number))
    }
}

/// Whether a name in a folder is one of ours.
pub fn is_ours(name: &str) -> bool {
    matches!(name, LOCK | CURRENT | BACKUP | RESTORING | REPAIRING)
        || FileKind::parse(name).is_some()
        || name.strip_suffix(UNFINISHED).is_some_and(is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_ours() {
        assert_eq!(FileKind::parse("000012.log"), Some((FileKind::Log, 12)));
        assert_eq!(FileKind::parse(&FileKind::Table.name(1 << 40)), Some((FileKind::Table, 1 << 40)));
        for wrong in [
            "12.log",
            "+00012.log",
            "000012.LOG",
            "000012.log.bak",
            "../000012.log",
            "a.table",
            "",
            "18446744073709551615.log",
        ] {
            assert_eq!(FileKind::parse(wrong), None, "{wrong}");
        }
        assert!(is_ours("CURRENT.tmp"));
        assert!(!is_ours("notes.txt"));
    }
}
