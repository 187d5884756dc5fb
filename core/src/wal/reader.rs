//! Reading a log from its begin to its end, and telling a torn tail from damage.

use std::path::Path;

use crate::base::checksum::Checksum;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::header::{FILE_HEADER_LEN, FileHeader};
use crate::base::ids::FileNumber;
use crate::vfs::{OpenMode, Vfs};
use crate::wal::chunk::{CHUNK_HEADER_LEN, ChunkHeader, ChunkKind};
use crate::wal::search::{Rest, search};
use crate::wal::window::Window;

/// The search behind a bad chunk may run this many bytes, and 16 times the file, through the checksum.
pub(super) const SEARCH_BYTES: u64 = 64 << 20;

/// How a log ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Where the last whole record, or mark behind it, ends.
    pub end: u64,
    /// Bytes behind `end` that were dropped as torn; zeros at the very end do not count.
    pub dropped: u64,
}

/// Reads the records of one log or manifest, in order.
#[derive(Debug)]
pub struct LogReader {
    pub(super) window: Window,
    header: FileHeader,
    pub(super) sums: Checksum,
    /// The file's length as the manifest has it: nothing below may be missing, nothing behind is read.
    known_end: Option<u64>,
    /// Where the last whole record ends.
    pub(super) end: u64,
    /// Set when the end has been reached.
    pub(super) tail: Option<Tail>,
}

impl LogReader {
    /// Opens file `number` of `folder` and judges its header. `database_id` is `None` while it is not known.
    ///
    /// `known_end` is the recorded end of a sealed or recovered log.
    /// Errors: `Corruption` if the file is missing, shorter than `known_end`, or has a bad header;
    /// `UnsupportedVersion`; those of the operating system.
    pub fn open(
        vfs: &dyn Vfs,
        folder: &Path,
        kind: FileKind,
        database_id: Option<u64>,
        number: FileNumber,
        known_end: Option<u64>,
    ) -> Result<LogReader> {
        let path = folder.join(kind.name(number));
        let file = vfs.open(&path, OpenMode::Read).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::missing(&path),
            _ => Error::io("open", &path, error),
        })?;
        let len = file.len().map_err(|error| Error::io("read the length of", &path, error))?;
        if let Some(known_end) = known_end.filter(|&end| end > len || end < FILE_HEADER_LEN as u64) {
            let expected = format!("a file of at least the {known_end} bytes that the manifest records");
            return Err(Error::corruption(&path, len, expected));
        }
        let mut window = Window::new(file, path, known_end.unwrap_or(len));
        let bytes: Vec<_> = window.at(0, FILE_HEADER_LEN)?.iter().copied().take(FILE_HEADER_LEN).collect();
        let header = FileHeader::decode(window.path(), &bytes, kind, database_id, number)?;
        Ok(Self::over(window, header, known_end))
    }

    pub(super) fn over(window: Window, header: FileHeader, known_end: Option<u64>) -> LogReader {
        let sums = Checksum::new(header.database_id, header.number);
        LogReader { window, header, sums, known_end, end: FILE_HEADER_LEN as u64, tail: None }
    }

    /// The file's header.
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        self.window.path()
    }

    /// Puts the next record into `record` and returns its offset; `None` at the end, when [`LogReader::tail`]
    /// says how the log ended. Errors: `Corruption`, `OutOfMemory`, those of the operating system;
    /// the next call then tries the same record again.
    pub fn next(&mut self, record: &mut Vec<u8>) -> Result<Option<u64>> {
        record.clear();
        if self.tail.is_some() {
            return Ok(None);
        }
        let mut start = self.end;
        let mut at = start;
        let mut previous = None;
        while let Some(chunk) = self.chunk(at, previous, record)? {
            at += chunk.chunk_len() as u64;
            match chunk.kind {
                ChunkKind::First | ChunkKind::Middle => previous = Some(chunk.crc),
                ChunkKind::Mark => {
                    start = at;
                    self.end = at;
                }
                ChunkKind::Full | ChunkKind::Last => {
                    self.end = at;
                    return Ok(Some(start));
                }
            }
        }
        record.clear();
        self.tail = Some(self.judge(start, at)?);
        Ok(None)
    }

    /// How the log ended; before [`LogReader::next`] has returned `None`, what has been read so far.
    pub fn tail(&self) -> Tail {
        self.tail.unwrap_or(Tail { end: self.end, dropped: 0 })
    }

    /// Appends the payload of the chunk at `at` to `record`. `None` if no right chunk is there.
    fn chunk(&mut self, at: u64, previous: Option<u32>, record: &mut Vec<u8>) -> Result<Option<ChunkHeader>> {
        let left = self.window.limit().saturating_sub(at);
        let bytes = self.window.at(at, CHUNK_HEADER_LEN)?;
        let Some(header) = ChunkHeader::decode(bytes, at, left) else { return Ok(None) };
        let Some(chunk) = self.window.at(at, header.chunk_len())?.get(..header.chunk_len()) else {
            return Ok(None);
        };
        if !header.verifies(chunk, &self.sums, at, previous) {
            return Ok(None);
        }
        if record.try_reserve(header.len).is_err() {
            let message = format!("{}: no memory for the record before offset {at}", self.path().display());
            return Err(Error::new(ErrorKind::OutOfMemory, message));
        }
        record.extend_from_slice(&chunk[CHUNK_HEADER_LEN..]);
        Ok(Some(header))
    }

    /// Judges the place `at`, where a chunk is bad or missing; the record it belongs to begins at `start`.
    fn judge(&mut self, start: u64, at: u64) -> Result<Tail> {
        let limit = self.window.limit();
        if start == limit {
            return Ok(Tail { end: start, dropped: 0 });
        }
        let why = if let Some(end) = self.known_end {
            format!("the manifest records {end} whole bytes")
        } else {
            let budget = limit.saturating_mul(16).saturating_add(SEARCH_BYTES);
            match search(&mut self.window, &self.sums, at, start, budget)? {
                Rest::Tail { data_end } => {
                    return Ok(Tail { end: start, dropped: data_end.saturating_sub(start) });
                }
                Rest::Proof { at, durable } => {
                    format!("the chunk at {at} says that {durable} bytes were on stable storage")
                }
                Rest::GivenUp => "too much behind it looks like chunks to call it a torn tail".to_owned(),
            }
        };
        let part = if start == at { "a chunk" } else { "the next chunk of a record" };
        Err(Error::corruption(self.window.path(), at, format!("{part} ({why})")))
    }
}
