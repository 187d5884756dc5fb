//! The first change of a database that was opened after a clean close: until then nothing was written, and the
//! manifest of the close is in force.

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::header::FileHeader;
use crate::base::ids::FileNumber;
use crate::catalogue::{Catalogue, Inner, replace_above};
use crate::manifest::{self, Manifest};
use crate::sync::Ordering;
use crate::wal::LogWriter;

/// What is done before the first change: a log, then a manifest that names it. With the manifest the opening is
/// done on the disk too.
pub struct FirstChange {
    /// Of the log, whose number the state names.
    pub log: FileHeader,
    /// The log, once it is made.
    pub made: Option<LogWriter>,
    /// Files that the state does not name any more.
    pub replaced: Vec<(FileKind, FileNumber)>,
}

impl Catalogue {
    /// Whether nothing has been changed since the opening.
    pub fn is_unchanged(&self) -> bool {
        self.inner.lock().first_change.is_some()
    }

    /// Makes ready for changes: the log of the state, for its writer, who asks once. Errors leave all as it was, but
    /// those that halt.
    pub fn begin(&self) -> Result<LogWriter> {
        let mut inner = self.inner.lock();
        self.begin_in(&mut inner)?;
        let lost = || Error::new(ErrorKind::Internal, "the first log has a writer already");
        inner.first_log.take().ok_or_else(lost)
    }

    pub(super) fn begin_in(&self, inner: &mut Inner) -> Result<()> {
        if inner.closed {
            return Err(Error::new(ErrorKind::Closed, "the database is closed"));
        }
        let Some(mut first) = inner.first_change.take() else { return Ok(()) };
        let begun = self.publish_first(inner, &mut first);
        match begun {
            Ok(fresh) => {
                inner.replace_above = replace_above(&fresh);
                inner.manifest = fresh;
                inner.first_log = first.made;
                first.replaced.into_iter().for_each(|(kind, number)| self.context.obsolete.add(kind, number));
                Ok(())
            }
            Err(error) => {
                inner.first_change = Some(first);
                Err(error)
            }
        }
    }

    fn publish_first(&self, inner: &mut Inner, first: &mut FirstChange) -> Result<Manifest> {
        let tables = &self.context.tables;
        let (vfs, folder) = (&tables.vfs, &tables.folder);
        if first.made.is_none() {
            first.made = Some(LogWriter::create(&**vfs, folder, first.log.clone())?);
        }
        let number = self.new_file_number();
        inner.state.next_file = self.next_file.load(Ordering::Relaxed);
        Manifest::publish(vfs, folder, tables.database_id, number, &inner.state).inspect_err(|error| {
            let in_force = manifest::in_force(&**vfs, folder);
            if error.kind() == ErrorKind::NoSpace
                && in_force.is_ok_and(|it| it == Some(inner.manifest.number()))
            {
                self.context.obsolete.add(FileKind::Manifest, number);
            } else {
                self.health.halt(error);
            }
        })
    }
}
