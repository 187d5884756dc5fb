//! CRC-32 seeded with database, file and offset, so that a right block in a wrong place fails.

use crate::base::ids::FileNumber;

/// Checksums of the blocks of one file.
#[derive(Clone, Debug)]
pub struct Checksum {
    file: FileNumber,
    seeded: crc32fast::Hasher,
}

impl Checksum {
    /// For the blocks of file `file` of database `database_id`.
    pub fn new(database_id: u64, file: FileNumber) -> Self {
        let mut seeded = crc32fast::Hasher::new();
        seeded.update(&database_id.to_le_bytes());
        seeded.update(&file.to_le_bytes());
        Checksum { file, seeded }
    }

    /// The file.
    pub fn file(&self) -> FileNumber {
        self.file
    }

    /// The checksum of a block at `offset` that consists of `parts`, one behind the other.
    pub fn of(&self, offset: u64, parts: &[&[u8]]) -> u32 {
        let mut hasher = self.seeded.clone();
        hasher.update(&offset.to_le_bytes());
        for part in parts {
            hasher.update(part);
        }
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_is_part_of_the_checksum() {
        let here = Checksum::new(1, 2).of(3, &[b"block"]);
        assert_ne!(here, Checksum::new(1, 2).of(4, &[b"block"]));
        assert_ne!(here, Checksum::new(1, 3).of(3, &[b"block"]));
        assert_ne!(here, Checksum::new(2, 2).of(3, &[b"block"]));
        assert_eq!(here, Checksum::new(1, 2).of(3, &[b"bl", b"ock"]));
    }
}
