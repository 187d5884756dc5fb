//! A buffered view of a file up to a limit.

use std::path::{Path, PathBuf};

use crate::base::error::{Error, ErrorKind, Result};
use crate::sync::Arc;
use crate::vfs::VfsFile;

/// Bytes read at once.
const READ_BYTES: usize = 256 << 10;

/// The part of a file that is in memory.
#[derive(Debug)]
pub struct Window {
    file: Arc<dyn VfsFile>,
    path: PathBuf,
    /// Nothing at or behind this offset is read.
    limit: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// A view of the first `limit` bytes of a file that has them.
    pub fn new(file: Arc<dyn VfsFile>, path: PathBuf, limit: u64) -> Self {
        Window { file, path, limit, start: 0, bytes: Vec::new() }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the view ends.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// The bytes from `offset` on: `len` of them or more, fewer only where the view ends.
    pub fn at(&mut self, offset: u64, len: usize) -> Result<&[u8]> {
        let left = self.limit.saturating_sub(offset);
        let wanted = left.min(len as u64);
        let loaded = self.start..self.start + self.bytes.len() as u64;
        if offset < loaded.start || offset + wanted > loaded.end {
            self.load(offset, left.min(len.max(READ_BYTES) as u64) as usize)?;
        }
        Ok(self.bytes.get((offset - self.start) as usize..).unwrap_or_default())
    }

    fn load(&mut self, offset: u64, len: usize) -> Result<()> {
        // A failed read must not leave its half of the bytes to be taken for the file's.
        let mut bytes = std::mem::take(&mut self.bytes);
        if bytes.try_reserve(len.saturating_sub(bytes.len())).is_err() {
            return Err(Error::new(
                ErrorKind::OutOfMemory,
                format!("{}: no memory for a block of {len} bytes", self.path.display()),
            ));
        }
        bytes.resize(len, 0);
        self.file.read_at(&mut bytes, offset).map_err(|error| Error::io("read", &self.path, error))?;
        self.bytes = bytes;
        self.start = offset;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vfs::{MemoryVfs, OpenMode, Vfs};

    #[test]
    fn every_place_and_length_gives_the_bytes_of_the_file() {
        let vfs = MemoryVfs::default();
        let path = Path::new("/file");
        let bytes: Vec<u8> =
            (0..3 * READ_BYTES as u32 + 5).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
        vfs.write_file(path, &bytes).unwrap();
        let file = vfs.open(path, OpenMode::Read).unwrap();
        let limit = bytes.len() - 2;
        for start in [0, 7, READ_BYTES] {
            for near in [start, start + READ_BYTES, start + 2 * READ_BYTES, limit] {
                for offset in near.saturating_sub(22)..=(near + 2).min(limit) {
                    for len in [0, 1, 20, 21, READ_BYTES + 1] {
                        let mut window = Window::new(file.clone(), path.to_owned(), limit as u64);
                        window.at(start as u64, 20).unwrap();
                        let seen = window.at(offset as u64, len).unwrap();
                        assert!(seen.len() >= len.min(limit - offset), "{len} at {offset}");
                        assert!(bytes[offset..limit].starts_with(seen));
                    }
                }
            }
        }
    }
}
