//! The last 64 bytes of a table: where the tree begins.

use crate::base::checksum::Checksum;
use crate::base::coding::Decoder;
use crate::base::error::Result;
use crate::base::filename::FileKind;
use crate::base::header::FORMAT_VERSION;
use crate::btree::file::TableFile;
use crate::btree::format::{FOOTER_LEN, PagePointer};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) root: PagePointer,
    pub(super) properties: PagePointer,
    /// From the first page of the filter to its last one; `NONE` without a filter.
    pub(super) filter: PagePointer,
}

impl Footer {
    /// The bytes to write at `offset`.
    pub(super) fn encode(&self, checksum: &Checksum, offset: u64) -> [u8; FOOTER_LEN] {
        let mut bytes = [0; FOOTER_LEN];
        bytes[4..8].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[8..20].copy_from_slice(&self.root.encode());
        bytes[20..32].copy_from_slice(&self.properties.encode());
        bytes[32..44].copy_from_slice(&self.filter.encode());
        bytes[56..].copy_from_slice(FileKind::Table.magic());
        let crc = checksum.of(offset, &[&bytes[4..]]);
        bytes[..4].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Judges the footer of a file: checksum, magic, version, pointers.
    pub(super) fn decode(file: &TableFile, bytes: &[u8]) -> Result<Footer> {
        let offset = file.pages_end();
        let short = || file.damaged(offset, "a footer of 64 bytes");
        let mut decoder = Decoder::new(bytes);
        let crc = decoder.u32().ok_or_else(short)?;
        if crc != file.checksum.of(offset, &[decoder.rest()]) {
            return Err(file.damaged(offset, "the checksum of a footer"));
        }
        if !bytes.ends_with(FileKind::Table.magic()) {
            return Err(file.damaged(offset, "the magic of a table at the end"));
        }
        match decoder.u32().ok_or_else(short)? {
            FORMAT_VERSION => {}
            0 => return Err(file.damaged(offset, "a format version from 1")),
            newer => return Err(file.unsupported(format_args!("format version {newer}"))),
        }
        let footer = Footer {
            root: PagePointer::decode(&mut decoder).ok_or_else(short)?,
            properties: PagePointer::decode(&mut decoder).ok_or_else(short)?,
            filter: PagePointer::decode(&mut decoder).ok_or_else(short)?,
        };
        let reserved = decoder.take(12).ok_or_else(short)?;
        if reserved.iter().any(|&byte| byte != 0) {
            return Err(file.unsupported("a field in the footer"));
        }
        let filter = Some(footer.filter).filter(|filter| *filter != PagePointer::NONE);
        for pointer in [footer.root, footer.properties].into_iter().chain(filter) {
            if !pointer.lies_before(offset) {
                return Err(file.damaged(offset, "pointers to pages of the file"));
            }
        }
        Ok(footer)
    }
}
