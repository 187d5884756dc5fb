//! An open table file: bytes in, judged pages out.

use std::fmt;
use std::io;
use std::path::PathBuf;

use bytes::{Buf, Bytes};

use crate::base::checksum::Checksum;
use crate::base::coding::Decoder;
use crate::base::error::{Error, Result};
use crate::base::memory;
use crate::base::planted::{Plant, planted};
use crate::btree::format::{FOOTER_LEN, MAX_RAW_LEN, PAGE_HEADER_LEN, PageKind, PagePointer};
use crate::btree::lengths::put_ends;
use crate::btree::page::Origin;
use crate::cache::frames::Frames;
use crate::codec::Codec;
use crate::filter::LINE;
use crate::metrics::Meters;
use crate::sync::Arc;
use crate::vfs::VfsFile;

pub(super) struct TableFile {
    pub(super) file: Arc<dyn VfsFile>,
    /// The whole file, if it is mapped; it is not read then.
    pub(super) map: Option<Bytes>,
    pub(super) path: PathBuf,
    pub(super) checksum: Checksum,
    /// Bytes of the whole file, at least those of header and footer.
    pub(super) size: u64,
    pub(super) meters: Arc<Meters>,
    pub(super) frames: Arc<Frames>,
    pub(super) origin: Arc<Origin>,
}

/// A page as it was before compression.
pub(super) struct RawPage {
    pub(super) content: Bytes,
    /// The content is a part of the map, and takes no memory of its own.
    pub(super) mapped: bool,
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
        Error::unsupported(&self.path, what)
    }

    /// `len` bytes, which the caller knows to lie in the file: of the map, or read.
    pub(super) fn read(&self, offset: u64, len: usize) -> Result<Bytes> {
        if let Some(map) = &self.map {
            return self.part(map, offset, len).map(|part| map.slice_ref(part));
        }
        let mut frame = self.frames.frame(len)?;
        self.fill(frame.as_mut(), offset)?;
        Ok(Bytes::from_owner(frame))
    }

    /// As [`TableFile::read`], in memory of its own whose lines, behind a page header, are cache lines.
    fn read_aligned(&self, offset: u64, len: usize) -> Result<Bytes> {
        let mut bytes = memory::zeroed(len.saturating_add(LINE))?;
        let start = (bytes.as_ptr() as usize).wrapping_add(PAGE_HEADER_LEN).wrapping_neg() % LINE;
        let place = bytes.get_mut(start..start + len).unwrap_or_default();
        match &self.map {
            Some(map) => place.copy_from_slice(self.part(map, offset, len)?),
            None => self.fill(place, offset)?,
        }
        bytes.truncate(start + len);
        let mut bytes = Bytes::from(bytes);
        bytes.advance(start);
        Ok(bytes)
    }

    fn part<'a>(&self, map: &'a Bytes, offset: u64, len: usize) -> Result<&'a [u8]> {
        let start = usize::try_from(offset).ok();
        let part = start.and_then(|start| map.get(start..start.checked_add(len)?));
        part.ok_or_else(|| self.ends_before(offset, len))
    }

    fn fill(&self, place: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_at(place, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.ends_before(offset, place.len()),
            _ => Error::io("read", &self.path, error),
        })
    }

    fn ends_before(&self, offset: u64, len: usize) -> Error {
        self.damaged(offset, format_args!("{len} bytes in front of the end of the file"))
    }

    /// Brings in one page and judges all but its content: place, checksum, lengths, codec, kind.
    pub(super) fn read_page(&self, pointer: PagePointer, kind: PageKind) -> Result<RawPage> {
        let offset = pointer.offset;
        if !pointer.lies_before(self.pages_end()) {
            return Err(self.damaged(offset, "a page inside the file"));
        }
        let mut bytes = match kind {
            PageKind::Filter => self.read_aligned(offset, pointer.length as usize)?,
            _ => self.read(offset, pointer.length as usize)?,
        };
        self.meters.page_read(bytes.len());
        let short = || self.damaged(offset, "a page header");
        let mut decoder = Decoder::new(&bytes);
        let crc = decoder.u32().ok_or_else(short)?;
        if crc != self.checksum.of(offset, &[decoder.rest()]) && !planted(Plant::PageUnchecked) {
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
            if stored_len != raw_len {
                return Err(self.damaged(offset, "page lengths that agree"));
            }
            bytes.advance(PAGE_HEADER_LEN);
            return Ok(RawPage { content: bytes, mapped: self.map.is_some() && kind != PageKind::Filter });
        }
        let mut raw = self.frames.frame(raw_len)?;
        codec.decompress(stored, raw.as_mut()).map_err(|expected| self.damaged(offset, expected))?;
        put_ends(kind, raw.as_mut());
        Ok(RawPage { content: Bytes::from_owner(raw), mapped: false })
    }
}
