//! The one error type, and the one table of its kinds.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Result of every fallible call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, retry $retry:literal;)*) => {
        /// What went wrong. Numbers and names are the same in every language and never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum ErrorKind { $($(#[$doc])* $name = $code,)* }

        impl ErrorKind {
            /// All kinds, by rising number.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$name,)*];

            /// The name, as written in the documentation of every language.
            pub fn name(self) -> &'static str {
                match self { $(ErrorKind::$name => stringify!($name),)* }
            }

            /// Whether the same call may succeed later without anything being mended.
            pub fn is_retryable(self) -> bool {
                match self { $(ErrorKind::$name => $retry,)* }
            }
        }
    };
}

error_kinds! {
    /// No such database, backup or keyspace.
    NotFound = 1, retry false;
    /// A size, option, bound or combination that is not allowed.
    InvalidArgument = 2, retry false;
    /// The operating system failed a call.
    Io = 3, retry false;
    /// Bytes on disk are not what was written. Has a file and an offset.
    Corruption = 4, retry false;
    /// Disk full, quota, or file-size limit (where the program ignores `SIGXFSZ`: else that signal ends it).
    NoSpace = 5, retry true;
    /// Another writer has the folder.
    Locked = 6, retry true;
    /// A transaction lost against a commit.
    Conflict = 7, retry true;
    /// A log write or sync failed earlier: no more writes until the database is reopened.
    Halted = 8, retry false;
    /// The handle, or its database, is closed.
    Closed = 9, retry false;
    /// A write on a read-only handle.
    ReadOnly = 10, retry false;
    /// The path is a file, or a folder of something else.
    NotADatabase = 11, retry false;
    /// The target of a backup or restore, or a keyspace, is there already.
    AlreadyExists = 12, retry false;
    /// Written by a newer version.
    UnsupportedVersion = 13, retry false;
    /// Opened with another comparator than it was made with.
    Mismatch = 14, retry false;
    /// The limit of active transactions is reached.
    TooMany = 15, retry true;
    /// A deadline passed.
    TimedOut = 16, retry true;
    /// The caller asked a long operation to stop.
    Cancelled = 17, retry false;
    /// The operating system refused access.
    PermissionDenied = 18, retry false;
    /// Memory, or another resource of the process (open files), could not be had.
    OutOfMemory = 19, retry true;
    /// A handle used in a child process after `fork`.
    Forked = 20, retry false;
    /// A bug: a panic caught at a language boundary.
    Internal = 21, retry false;
}

impl ErrorKind {
    /// The number, as in every language.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The kind with a number.
    pub fn from_code(code: u8) -> Option<ErrorKind> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// An error: its kind, a sentence that names the thing and says what to do, and where known the file,
/// the offset and the operating system's error.
///
/// ```
/// use lightning_db::{Database, ErrorKind, LightningDbConfig};
/// let error = Database::open("/no/such/folder", LightningDbConfig::default()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert_eq!(error.code(), 1);
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    file: Option<PathBuf>,
    offset: Option<u64>,
    /// The failed call could not have changed anything.
    reading: bool,
    source: Option<std::sync::Arc<io::Error>>,
}

impl Error {
    /// An error of any kind with its sentence.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            file: None,
            offset: None,
            reading: false,
            source: None,
        }))
    }

    /// `InvalidArgument`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    /// `Corruption`: a file that must be there is not.
    pub(crate) fn missing(file: &Path) -> Self {
        Self::corruption(file, 0, "this file, which is missing")
    }

    /// `UnsupportedVersion`: `what` in a file is not known to this version.
    pub(crate) fn unsupported(file: &Path, what: impl fmt::Display) -> Self {
        let message =
            format!("{}: {what} is not known to this version: open it with a newer one", file.display());
        Self::new(ErrorKind::UnsupportedVersion, message).with_file(file)
    }

    /// `Corruption` at an offset of a file; `expected` says what should have been there.
    pub fn corruption(file: &Path, offset: u64, expected: impl fmt::Display) -> Self {
        let message =
            format!("{}: damaged at offset {offset}: expected {expected}; {REPAIR}", file.display());
        Error(Box::new(Inner {
            kind: ErrorKind::Corruption,
            message,
            file: Some(file.to_owned()),
            offset: Some(offset),
            reading: true,
            source: None,
        }))
    }

    /// A failed call of the operating system: `action` is a verb such as "write". Those that only read are named in
    /// [`READING`].
    pub fn io(action: &str, file: &Path, source: io::Error) -> Self {
        let kind = kind_of_io(&source);
        let reading = READING.contains(&action);
        let message = format!("{action} {}: {source}", file.display());
        Error(Box::new(Inner {
            kind,
            message,
            file: Some(file.to_owned()),
            offset: None,
            reading,
            source: Some(std::sync::Arc::new(source)),
        }))
    }

    /// The same error; where it is of damage to a database, `advice` says what to do instead of a repair.
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        if let Some(found) = self.0.message.strip_suffix(REPAIR) {
            self.0.message = format!("{found}{advice}");
        }
        self
    }

    /// The same error with the file it is about.
    pub fn with_file(mut self, file: &Path) -> Self {
        self.0.file = Some(file.to_owned());
        self
    }

    /// The kind, to be matched on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The kind's number, the same in every language.
    pub fn code(&self) -> u8 {
        self.0.kind.code()
    }

    /// The file that the error is about.
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// The offset in [`Error::file`], in bytes.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// The operating system's number of the error (`errno`), if that is where it came from.
    pub fn os_code(&self) -> Option<i32> {
        self.0.source.as_ref()?.raw_os_error()
    }

    /// Whether the call that failed was one that only reads.
    pub(crate) fn is_of_reading(&self) -> bool {
        self.0.reading
    }

    /// Whether a file was read and is not as it should be, or could not be read at all.
    pub(crate) fn is_damage(&self) -> bool {
        self.kind() == ErrorKind::Corruption || (self.kind() == ErrorKind::Io && self.is_of_reading())
    }

    /// Whether the same call may succeed later without anything being mended.
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }
}

/// What to do about a damaged database.
const REPAIR: &str = "repair the database, or restore a backup";

/// Actions that change nothing: a failure of one is a failed read, which halts nothing and is what a check looks for.
const READING: [&str; 6] = ["list", "look at", "open", "read", "read the length of", "resolve"];

/// Too many open files, in the process or in the system (unix).
const NO_HANDLES: [i32; 2] = [24, 23];

fn kind_of_io(error: &io::Error) -> ErrorKind {
    if cfg!(unix) && error.raw_os_error().is_some_and(|code| NO_HANDLES.contains(&code)) {
        return ErrorKind::OutOfMemory;
    }
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            ErrorKind::NoSpace
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::PermissionDenied,
        io::ErrorKind::OutOfMemory => ErrorKind::OutOfMemory,
        _ => ErrorKind::Io,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.name(), self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|e| e as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_dense_and_names_are_unique() {
        for (i, kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(usize::from(kind.code()), i + 1, "{}", kind.name());
            assert_eq!(ErrorKind::from_code(kind.code()), Some(*kind));
        }
        let names: std::collections::HashSet<_> = ErrorKind::ALL.iter().map(|k| k.name()).collect();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn a_failed_read_of_any_kind_is_damage_and_a_failed_write_is_not() {
        let error = |action| Error::io(action, Path::new("x.table"), io::Error::from_raw_os_error(5));
        assert!(READING.iter().all(|action| error(action).is_of_reading() && error(action).is_damage()));
        for action in ["create", "write", "sync", "cut", "remove", "rename"] {
            assert!(!error(action).is_of_reading() && !error(action).is_damage(), "{action}");
        }
    }

    #[test]
    fn other_advice_takes_the_place_of_a_repair_and_of_nothing_else() {
        let damage = Error::corruption(Path::new("x.table"), 7, "a page");
        assert!(damage.to_string().ends_with("expected a page; repair the database, or restore a backup"));
        assert!(damage.advise("use another").to_string().ends_with("expected a page; use another"));
        assert_eq!(Error::invalid("no").advise("use another").to_string(), "InvalidArgument: no");
    }

    #[test]
    fn a_full_disk_is_no_space() {
        let error = Error::io("write", Path::new("x.log"), io::Error::from_raw_os_error(28));
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        assert!(error.to_string().contains("x.log"));
        assert_eq!(error.os_code(), Some(28));
    }
}
