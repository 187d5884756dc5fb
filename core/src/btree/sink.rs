//! A table file in the making: framed pages, written in large pieces from front to back.

use std::path::PathBuf;

use crate::base::checksum::Checksum;
use crate::base::error::{Error, Result};
use crate::base::memory::short_of;
use crate::base::planted::{Plant, planted};
use crate::btree::format::{PAGE_HEADER_LEN, PageKind, PagePointer};
use crate::btree::lengths::{put_ends, put_lengths};
use crate::codec::{Codec, Compression, Compressor};
use crate::sync::Arc;
use crate::vfs::VfsFile;

/// Bytes gathered before they are written.
const PIECE: usize = 256 << 10;

#[derive(Debug)]
pub(super) struct Sink {
    pub(super) path: PathBuf,
    pub(super) checksum: Checksum,
    file: Arc<dyn VfsFile>,
    compressor: Compressor,
    buffer: Vec<u8>,
    /// Bytes of the file in front of the buffer.
    written: u64,
    compressed: Vec<u8>,
}

impl Sink {
    pub(super) fn new(
        path: PathBuf,
        checksum: Checksum,
        file: Arc<dyn VfsFile>,
        compression: Compression,
    ) -> Self {
        let compressor = Compressor::new(compression);
        let (buffer, compressed) = Default::default();
        Sink { path, checksum, file, compressor, buffer, written: 0, compressed }
    }

    /// Where the next byte will stand.
    pub(super) fn position(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Compresses a page if that pays, and appends it with its header. What `raw` holds then is of no use.
    pub(super) fn append_page(&mut self, kind: PageKind, raw: &mut [u8]) -> Result<PagePointer> {
        let mut compressed = std::mem::take(&mut self.compressed);
        let raw_len = raw.len();
        let (codec, stored) = pack(&mut self.compressor, kind, raw, &mut compressed);
        let pointer = self.append_stored(kind, codec, stored, raw_len);
        shrink(&mut compressed);
        self.compressed = compressed;
        pointer
    }

    /// Appends a page that is stored as it is.
    pub(super) fn append_raw_page(&mut self, kind: PageKind, raw: &[u8]) -> Result<PagePointer> {
        self.append_stored(kind, Codec::Raw, raw, raw.len())
    }

    /// Appends what [`pack`] has made of a page.
    pub(super) fn append_stored(
        &mut self,
        kind: PageKind,
        codec: Codec,
        stored: &[u8],
        raw_len: usize,
    ) -> Result<PagePointer> {
        let too_large = |_| Error::invalid(format!("a page of {raw_len} bytes: at most 4 GiB are allowed"));
        let offset = self.position();
        let length = u32::try_from(PAGE_HEADER_LEN + stored.len()).map_err(too_large)?;
        let raw_len = u32::try_from(raw_len).map_err(too_large)?;
        let mut header = [0; PAGE_HEADER_LEN];
        header[4..8].copy_from_slice(&(stored.len() as u32).to_le_bytes());
        header[8..12].copy_from_slice(&raw_len.to_le_bytes());
        header[12] = codec as u8;
        header[13] = kind as u8;
        let crc = self.checksum.of(offset, &[&header[4..], stored]);
        header[..4].copy_from_slice(&crc.to_le_bytes());
        self.append(&header)?;
        self.append(stored)?;
        Ok(PagePointer { offset, length })
    }

    /// Appends bytes that need no frame.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.buffer.len() + bytes.len() > PIECE {
            self.write_buffer()?;
        }
        if bytes.len() > PIECE {
            return self.write(bytes);
        }
        if self.buffer.capacity() == 0 {
            self.buffer.try_reserve_exact(PIECE).map_err(|_| short_of(PIECE))?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// For what is written so far.
    pub(super) fn syncer(&self) -> TableSyncer {
        TableSyncer { path: self.path.clone(), file: Arc::clone(&self.file) }
    }

    /// Writes what is gathered.
    pub(super) fn write_buffer(&mut self) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.write(&buffer)?;
        buffer.clear();
        self.buffer = buffer;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_at(bytes, self.written).map_err(|error| Error::io("write", &self.path, error))?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

/// Syncs a table file that is being written, on any thread.
#[derive(Debug)]
pub struct TableSyncer {
    path: PathBuf,
    file: Arc<dyn VfsFile>,
}

impl TableSyncer {
    /// All bytes written before the call, and the length of the file, on stable storage.
    pub fn sync(&self) -> Result<()> {
        if planted(Plant::TableUnsynced) {
            return Ok(());
        }
        self.file.sync_all().map_err(|error| Error::io("sync", &self.path, error))
    }
}

/// How a page is stored. What `raw` holds then is of no use but for the result.
pub(super) fn pack<'a>(
    compressor: &mut Compressor,
    kind: PageKind,
    raw: &'a mut [u8],
    compressed: &'a mut Vec<u8>,
) -> (Codec, &'a [u8]) {
    if compressor.codec() == Codec::Raw {
        return (Codec::Raw, raw);
    }
    put_lengths(kind, raw);
    if compressor.compress(raw, compressed) {
        return (compressor.codec(), compressed);
    }
    put_ends(kind, raw);
    (Codec::Raw, raw)
}

/// Gives back the memory of a giant page.
pub(super) fn shrink(buffer: &mut Vec<u8>) {
    if buffer.capacity() > 8 * PIECE {
        *buffer = Vec::new();
    }
}
