//! Writing a log: records are encoded into a buffer, the buffer goes to the file in one write.

use std::path::{Path, PathBuf};

use crate::base::checksum::Checksum;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::header::{FILE_HEADER_LEN, FileHeader};
use crate::base::ids::FileNumber;
use crate::base::limits::MAX_CHUNK_PAYLOAD;
use crate::base::planted::{Plant, planted};
use crate::sync::{Arc, AtomicU64, Ordering};
use crate::vfs::{OpenMode, Vfs, VfsFile};
use crate::wal::ahead::Ahead;
use crate::wal::chunk::{CHUNK_HEADER_LEN, ChunkHeader, ChunkKind, seal};

/// A buffer that a huge record made larger than this is given back after it was written.
const KEPT_BUFFER_BYTES: usize = 4 << 20;

/// One log or manifest that is being written, under its owner's lock.
#[derive(Debug)]
pub struct LogWriter {
    pub(super) file: Arc<dyn VfsFile>,
    path: PathBuf,
    sums: Checksum,
    /// Length known to be on stable storage.
    pub(super) durable: Arc<AtomicU64>,
    /// Whole chunks for `written..`, not yet handed to the operating system.
    buffer: Vec<u8>,
    /// Where the last successful write ended.
    pub(super) written: u64,
    pub(super) ahead: Ahead,
    /// The highest durable mark of a chunk in the buffer or the file.
    marked: u64,
    /// The same for the file alone.
    marked_in_file: u64,
    /// A write failed: bytes of it may stand behind `written`.
    torn: bool,
    /// There is no file.
    pub(super) refuses: bool,
}

impl LogWriter {
    /// Makes the file and puts its header on stable storage; the caller syncs the folder.
    /// If that fails, the file is removed again (best effort).
    pub fn create(vfs: &dyn Vfs, folder: &Path, header: FileHeader) -> Result<LogWriter> {
        let path = folder.join(header.kind.name(header.number));
        let file = vfs.open(&path, OpenMode::CreateNew).map_err(|error| Error::io("create", &path, error))?;
        let started = file
            .write_at(&header.encode(), 0)
            .map_err(|error| Error::io("write", &path, error))
            .and_then(|()| file.sync_all().map_err(|error| Error::io("sync", &path, error)));
        if let Err(error) = started {
            let _ = vfs.remove(&path);
            return Err(error);
        }
        let sums = Checksum::new(header.database_id, header.number);
        Ok(Self::over(file, path, sums, FILE_HEADER_LEN as u64))
    }

    /// Over a file of which `written` bytes are written and on stable storage.
    pub(super) fn over(file: Arc<dyn VfsFile>, path: PathBuf, sums: Checksum, written: u64) -> LogWriter {
        LogWriter {
            file,
            path,
            sums,
            durable: Arc::new(AtomicU64::new(written)),
            buffer: Vec::new(),
            written,
            ahead: Ahead::none(written),
            marked: written,
            marked_in_file: written,
            torn: false,
            refuses: false,
        }
    }

    /// Encodes one record, the `parts` one behind the other, into the buffer; nothing is written.
    /// Errors: `OutOfMemory`; the buffer is unchanged then.
    pub fn append(&mut self, parts: &[&[u8]]) -> Result<()> {
        // Bytes of the record that no chunk has been begun for.
        let mut left: usize = parts.iter().map(|part| part.len()).sum();
        let chunks = left.div_ceil(MAX_CHUNK_PAYLOAD).max(1);
        if self.buffer.try_reserve(left + chunks * CHUNK_HEADER_LEN).is_err() {
            let message = format!("{}: no memory for a record of {left} bytes", self.path.display());
            return Err(Error::new(ErrorKind::OutOfMemory, message));
        }
        let mut room = left.min(MAX_CHUNK_PAYLOAD);
        left -= room;
        let mut begin = self.begin_chunk(ChunkKind::of_part(true, left == 0), room);
        let mut previous = None;
        for mut part in parts.iter().copied() {
            while part.len() > room {
                let (now, later) = part.split_at(room);
                self.buffer.extend_from_slice(now);
                part = later;
                previous = Some(self.end_chunk(begin, previous));
                room = left.min(MAX_CHUNK_PAYLOAD);
                left -= room;
                begin = self.begin_chunk(ChunkKind::of_part(false, left == 0), room);
            }
            self.buffer.extend_from_slice(part);
            room -= part.len();
        }
        self.end_chunk(begin, previous);
        Ok(())
    }

    /// Encodes a `Mark` chunk, unless an earlier chunk says as much. Best effort: without memory for it
    /// there is none.
    pub fn mark(&mut self) {
        if self.durable.load(Ordering::Relaxed) > self.marked
            && self.buffer.try_reserve(CHUNK_HEADER_LEN).is_ok()
        {
            let begin = self.begin_chunk(ChunkKind::Mark, 0);
            self.end_chunk(begin, None);
        }
    }

    /// Hands the buffer to the operating system in one write. On error the buffer stays: the same call may be
    /// made again, or the buffer rolled back and the tail repaired.
    pub fn write(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if self.torn {
            self.repair_tail()?;
        }
        if let Err(error) = self.file.write_at(&self.buffer, self.written) {
            self.torn = !planted(Plant::TailUncut);
            return Err(Error::io("write", &self.path, error));
        }
        self.written = self.end();
        self.marked_in_file = self.marked;
        self.buffer.clear();
        if self.buffer.capacity() > KEPT_BUFFER_BYTES {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Forgets the buffered records behind the logical position `to`, which [`LogWriter::end`] gave before
    /// they were appended. Errors: `Internal` if `to` is written already or lies behind the end.
    pub fn rollback(&mut self, to: u64) -> Result<()> {
        let kept = to.checked_sub(self.written).filter(|&kept| kept <= self.buffer.len() as u64);
        let Some(kept) = kept else {
            let message = format!(
                "{}: rollback to {to}, but {} bytes are written and {} buffered",
                self.path.display(),
                self.written,
                self.buffer.len()
            );
            return Err(Error::new(ErrorKind::Internal, message));
        };
        self.buffer.truncate(kept as usize);
        // What the kept chunks say at most is not known: a mark too many does no harm.
        self.marked = self.marked_in_file;
        Ok(())
    }

    /// After a failed write: cuts the file back to what was written, on stable storage, so that bytes of the
    /// failed write cannot come back behind a later, shorter one. After an error the log must not be used.
    pub fn repair_tail(&mut self) -> Result<()> {
        if planted(Plant::TailUncut) {
            return Ok(());
        }
        self.file.set_len(self.written).map_err(|error| Error::io("cut", &self.path, error))?;
        self.file.sync_all().map_err(|error| Error::io("sync", &self.path, error))?;
        self.ahead = Ahead::none(self.written);
        self.torn = false;
        Ok(())
    }

    /// Logical end: written and buffered bytes.
    pub fn end(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Where the last successful write ended.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Bytes that are not written yet.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The length known to be on stable storage, which goes into every chunk. Raised by [`sync`] only.
    pub fn durable(&self) -> &Arc<AtomicU64> {
        &self.durable
    }

    /// The file, for a syncer that does not hold the owner's lock.
    pub fn file(&self) -> &Arc<dyn VfsFile> {
        &self.file
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's number.
    pub fn number(&self) -> FileNumber {
        self.sums.file()
    }

    /// Begins a chunk of `len` bytes of payload; returns where it begins in the buffer.
    fn begin_chunk(&mut self, kind: ChunkKind, len: usize) -> usize {
        // Relaxed: the number alone is used, and what it says was true before it was stored.
        let durable = self.durable.load(Ordering::Relaxed);
        debug_assert!(durable <= self.written);
        // A reader refuses a mark behind its own chunk.
        let durable = if planted(Plant::MarkLies) { self.written } else { durable.min(self.written) };
        self.marked = self.marked.max(durable);
        let begin = self.buffer.len();
        ChunkHeader { crc: 0, len, kind, durable }.encode_unsealed(&mut self.buffer);
        begin
    }

    fn end_chunk(&mut self, begin: usize, previous: Option<u32>) -> u32 {
        let offset = self.written + begin as u64;
        seal(&mut self.buffer[begin..], &self.sums, offset, previous)
    }
}

/// Brings a log's data to stable storage and then raises `durable` to `upto`, which was
/// [`LogWriter::written`] before the call.
pub fn sync(file: &dyn VfsFile, path: &Path, durable: &AtomicU64, upto: u64) -> Result<()> {
    let synced = match file.sync_data() {
        Err(_) if planted(Plant::SyncErrorSwallowed) => Ok(()),
        Err(_) if planted(Plant::SyncRetried) => file.sync_data(),
        synced => synced,
    };
    synced.map_err(|error| Error::io("sync", path, error))?;
    durable.fetch_max(upto, Ordering::Relaxed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::filename::FileKind;
    use crate::vfs::MemoryVfs;

    #[test]
    fn the_buffer_is_reused_but_not_kept_when_huge() {
        let vfs = MemoryVfs::default();
        let header =
            FileHeader { kind: FileKind::Log, database_id: 1, number: 1, first_sequence: 1, previous_log: 0 };
        let mut log = LogWriter::create(&vfs, Path::new("/"), header).unwrap();
        let mut capacities = Vec::new();
        for _ in 0..3 {
            log.append(&[&[1; 100], &[2; 30]]).unwrap();
            log.write().unwrap();
            capacities.push(log.buffer.capacity());
        }
        assert_eq!(capacities, [capacities[0]; 3]);
        log.append(&[&vec![3; KEPT_BUFFER_BYTES]]).unwrap();
        log.write().unwrap();
        assert_eq!(log.buffer.capacity(), 0);
    }
}
