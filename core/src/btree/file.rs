//! An open table file: bytes in, judged pages out.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::base::checksum::Checksum;
use crate::base::coding::Decoder;
use crate::base::error::{Error, ErrorKind, Result};
use crate::btree::format::{FOOTER_LEN, MAX_RAW_LEN, PAGE_HEADER_LEN, PageKind, PagePointer};
use crate::codec::Codec;
use crate::sync::Arc;
use crate::vfs::VfsFile;

#[derive(Debug)]
pub(super) struct TableFile {
    pub(super) file: Arc<dyn VfsFile>,
    pub(super) path: PathBuf,
    pub(super) checksum: Checksum,
    /// Bytes of the whole file, at least those of header and footer.
    pub(super) size: u64,
}

/// A page as it was before compression. One that was not compressed keeps its header in front, which
/// saves a copy.
pub(super) struct RawPage {
    pub(super) bytes: Vec<u8>,
    /// Where the content begins.
    pub(super) start: usize,
}

impl RawPage {
    pub(super) fn content(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

impl TableFile {
    /// Where the footer begins and no page may reach.
    pub(super) fn pages_end(&self) -> u64 {
        self.size.saturating_sub(FOOTER_LEN as u64)
    }

    pub(super) fn damaged(&self, offset: u64, expected: impl fmt::Display) -> Error {
        Error::corruption(&self.path, offset, expected)
    }

    pub(super) fn unsupported(&self, what: impl fmt::Display) -> Error {
        let message =
            format!("{}: {what} is not known to this version: open it with a newer one", self.path.display());
        Error::new(ErrorKind::UnsupportedVersion, message).with_file(&self.path)
    }

    /// Reads `len` bytes, which the caller knows to lie in the file.
    pub(super) fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = zeroed(len)?;
        match self.file.read_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.damaged(offset, format_args!("{len} bytes in front of the end of the file")))
            }
            Err(error) => Err(Error::io("read", &self.path, error)),
        }
    }

    /// Reads one page and judges all but its content: place, checksum, lengths, codec, kind.
    pub(super) fn read_page(&self, pointer: PagePointer, kind: PageKind) -> Result<RawPage> {
        let offset = pointer.offset;
        if !pointer.lies_before(self.pages_end()) {
            return Err(self.damaged(offset, "a page inside the file"));
        }
        let bytes = self.read(offset, pointer.length as usize)?;
        let short = || self.damaged(offset, "a page header");
        let mut decoder = Decoder::new(&bytes);
        let crc = decoder.u32().ok_or_else(short)?;
        if crc != self.checksum.of(offset, &[decoder.rest()]) {
            return Err(self.damaged(offset, "the checksum of a page"));
        }
        let stored_len = decoder.u32().ok_or_else(short)? as usize;
        let raw_len = decoder.u32().ok_or_else(short)? as usize;
        let codec = decoder.u8().ok_or_else(short)?;
        let own_kind = decoder.u8().ok_or_else(short)?;
        let reserved = decoder.take(2).ok_or_else(short)?;
        let stored = decoder.rest();
        if reserved != [0, 0] {
            return Err(self.unsupported("a field in a page header"));
        }
        if own_kind != kind as u8 {
            return Err(self.damaged(offset, kind.name()));
        }
        let Some(codec) = Codec::from_byte(codec) else {
            return Err(self.unsupported(format_args!("page codec {codec}")));
        };
        if stored_len != stored.len() || raw_len > codec.max_raw_len(stored_len).min(MAX_RAW_LEN) {
            return Err(self.damaged(offset, "page lengths that agree"));
        }
        if codec == Codec::Raw {
            return match stored_len == raw_len {
                true => Ok(RawPage { bytes, start: PAGE_HEADER_LEN }),
                false => Err(self.damaged(offset, "page lengths that agree")),
            };
        }
        let mut raw = zeroed(raw_len)?;
        codec.decompress(stored, &mut raw).map_err(|expected| self.damaged(offset, expected))?;
        Ok(RawPage { bytes: raw, start: 0 })
    }
}

/// A buffer, or `OutOfMemory`.
fn zeroed(len: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(len)
        .map_err(|_| Error::new(ErrorKind::OutOfMemory, format!("no memory for a page of {len} bytes")))?;
    bytes.resize(len, 0);
    Ok(bytes)
}
