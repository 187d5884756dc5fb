//! The 64 bytes in front of every manifest, log and table.

use std::path::Path;

use crate::base::checksum::Checksum;
use crate::base::error::{Error, Result};
use crate::base::filename::FileKind;
use crate::base::ids::{FileNumber, SequenceNumber};

/// Bytes of a file header.
pub const FILE_HEADER_LEN: usize = 64;
/// The format version that this engine writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Where the checked bytes begin: behind magic and checksum.
const CHECKED: usize = 12;

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// Manifest, log or table.
    pub kind: FileKind,
    /// The database that the file belongs to; never 0.
    pub database_id: u64,
    /// The number in the file's name.
    pub number: FileNumber,
    /// Log: the first sequence number that it may hold. Else 0.
    pub first_sequence: SequenceNumber,
    /// Log: the number of the log before it, 0 for none. Else 0.
    pub previous_log: FileNumber,
}

impl FileHeader {
    /// The bytes to write at offset 0.
    pub fn encode(&self) -> [u8; FILE_HEADER_LEN] {
        let mut bytes = [0; FILE_HEADER_LEN];
        bytes[..8].copy_from_slice(self.kind.magic());
        bytes[12..16].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.database_id.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.number.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.first_sequence.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.previous_log.to_le_bytes());
        let crc = Checksum::new(self.database_id, self.number).of(0, &[&bytes[CHECKED..]]);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Judges the header of file `number`: checksum, magic, version, id, number. `database_id` is
    /// `None` while it is not known: then the file's own is taken. `bytes` may be longer than the header.
    ///
    /// Errors: `Corruption`; `UnsupportedVersion` for a newer version or an encrypted file.
    pub fn decode(
        path: &Path,
        bytes: &[u8],
        kind: FileKind,
        database_id: Option<u64>,
        number: FileNumber,
    ) -> Result<FileHeader> {
        let damaged = |offset, expected| Err(Error::corruption(path, offset, expected));
        let Some(bytes) = bytes.first_chunk::<FILE_HEADER_LEN>() else {
            return damaged(bytes.len() as u64, "a file header of 64 bytes");
        };
        let header = FileHeader {
            kind,
            database_id: u64_at(bytes, 16),
            number: u64_at(bytes, 24),
            first_sequence: u64_at(bytes, 32),
            previous_log: u64_at(bytes, 40),
        };
        let expected_id = database_id.unwrap_or(header.database_id);
        let crc = Checksum::new(expected_id, number).of(0, &[&bytes[CHECKED..]]);
        if bytes[8..12] != crc.to_le_bytes() {
            return damaged(8, "the checksum of a file header of this database with this number");
        }
        if bytes[..8] != *kind.magic() {
            return damaged(0, "the magic of this kind of file");
        }
        match u32_at(bytes, 12) {
            FORMAT_VERSION => {}
            0 => return damaged(12, "a format version from 1"),
            newer => return Err(Error::unsupported(path, format_args!("format version {newer}"))),
        }
        if header.database_id == 0 || header.database_id != expected_id {
            return damaged(16, "the id of this database");
        }
        if header.number != number {
            return damaged(24, "the number in the file's name");
        }
        if bytes[48..].iter().any(|&byte| byte != 0) {
            return Err(Error::unsupported(path, "encryption"));
        }
        Ok(header)
    }
}

fn u32_at(bytes: &[u8; FILE_HEADER_LEN], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn u64_at(bytes: &[u8; FILE_HEADER_LEN], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::ErrorKind;

    fn sample() -> FileHeader {
        FileHeader {
            kind: FileKind::Log,
            database_id: 0x0102_0304_0506_0708,
            number: 9,
            first_sequence: 77,
            previous_log: 8,
        }
    }

    fn decode(bytes: &[u8], id: Option<u64>, number: FileNumber) -> Result<FileHeader> {
        FileHeader::decode(Path::new("000009.log"), bytes, FileKind::Log, id, number)
    }

    /// The header with some bytes changed and the checksum made right again.
    fn forged(at: usize, with: &[u8]) -> [u8; FILE_HEADER_LEN] {
        let mut bytes = sample().encode();
        bytes[at..at + with.len()].copy_from_slice(with);
        let id = u64_at(&bytes, 16);
        let crc = Checksum::new(id, 9).of(0, &[&bytes[CHECKED..]]);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    #[test]
    fn a_header_comes_back() {
        let header = sample();
        let mut bytes = header.encode().to_vec();
        bytes.push(1);
        assert_eq!(decode(&bytes, None, 9).unwrap(), header);
        assert_eq!(decode(&bytes, Some(header.database_id), 9).unwrap(), header);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_damage() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            for id in [None, Some(sample().database_id)] {
                assert_eq!(decode(&bytes, id, 9).unwrap_err().kind(), ErrorKind::Corruption, "bit {bit}");
            }
        }
        for len in 0..bytes.len() {
            assert_eq!(decode(&bytes[..len], None, 9).unwrap_err().kind(), ErrorKind::Corruption);
        }
    }

    #[test]
    fn another_number_id_or_kind_is_damage() {
        let bytes = sample().encode();
        let kinds = [
            decode(&bytes, None, 10),
            decode(&bytes, Some(1), 9),
            decode(&forged(0, b"LDBTABLE"), None, 9),
            decode(&forged(12, &0u32.to_le_bytes()), None, 9),
            decode(&forged(16, &[0; 8]), None, 9),
            decode(&forged(24, &[10]), None, 9),
        ];
        for result in kinds {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Corruption);
        }
    }

    #[test]
    fn a_newer_version_and_a_cipher_are_refused_by_name() {
        for bytes in [forged(12, &2u32.to_le_bytes()), forged(12, &256u32.to_le_bytes()), forged(48, &[1])] {
            let error = decode(&bytes, None, 9).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
            assert_eq!(error.file(), Some(Path::new("000009.log")));
        }
    }

    #[test]
    fn the_bytes_are_pinned() {
        let hex: String = sample().encode().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "4c4442574c4f47002fd87c8c01000000080706050403020109000000000000004d00000000000000080000000000000000000000000000000000000000000000"
        );
    }
}
