//! A log without a file: of a database that is open read-only, or that nothing has been written to since it was
//! opened. Nothing can be written to it.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::base::checksum::Checksum;
use crate::base::filename::FileKind;
use crate::base::ids::FileNumber;
use crate::sync::Arc;
use crate::vfs::VfsFile;
use crate::wal::writer::LogWriter;

/// In the place of a file that is never to be written.
#[derive(Debug)]
struct Refusing;

impl LogWriter {
    /// Stands for the log or manifest `number`, of `len` bytes, of a database that takes no writes. It holds
    /// no file, and refuses to write.
    pub fn refusing(
        folder: &Path,
        kind: FileKind,
        database_id: u64,
        number: FileNumber,
        len: u64,
    ) -> LogWriter {
        let path = folder.join(kind.name(number));
        let mut log = LogWriter::over(Arc::new(Refusing), path, Checksum::new(database_id, number), len);
        log.refuses = true;
        log
    }

    /// The file of `made`, the same log with nothing in it, takes what was put in the buffer of this one.
    pub fn begin(&mut self, made: LogWriter) {
        debug_assert_eq!((self.number(), self.written), (made.number(), made.written));
        self.file = made.file;
        self.refuses = false;
    }

    /// Whether there is no file to write to.
    pub fn refuses(&self) -> bool {
        self.refuses
    }
}

fn refused<T>() -> io::Result<T> {
    Err(ErrorKind::ReadOnlyFilesystem.into())
}

impl VfsFile for Refusing {
    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
        refused()
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        refused()
    }

    fn len(&self) -> io::Result<u64> {
        refused()
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        refused()
    }

    fn preallocate(&self, _: u64) -> io::Result<()> {
        refused()
    }

    fn sync_data(&self) -> io::Result<()> {
        refused()
    }

    fn sync_all(&self) -> io::Result<()> {
        refused()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusing_log_takes_no_record() {
        let mut log = LogWriter::refusing(Path::new("/db"), FileKind::Log, 1, 2, 100);
        assert_eq!((log.number(), log.end()), (2, 100));
        log.append(&[b"record"]).unwrap();
        log.write().unwrap_err();
        assert_eq!(log.written(), 100);
    }
}
