//! `CURRENT`: which manifest is in force. 32 bytes, replaced by rename only.

use std::path::Path;

use crate::base::checksum::Checksum;
use crate::base::error::{Error, Result};
use crate::base::filename::{CURRENT, UNFINISHED};
use crate::base::header::FORMAT_VERSION;
use crate::base::ids::FileNumber;
use crate::vfs::{FileType, OpenMode, Vfs, sync_folder};

/// Bytes of the file.
const LEN: usize = 32;
const MAGIC: &[u8; 8] = b"LDBCURRN";
/// Where the checked bytes begin: behind magic and checksum.
const CHECKED: usize = 12;

/// What `CURRENT` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// The database in this folder; never 0.
    pub database_id: u64,
    /// The manifest in force.
    pub manifest: FileNumber,
}

impl Current {
    /// The content of the file.
    pub fn encode(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[12..16].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.database_id.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.manifest.to_le_bytes());
        let crc = checksum(&bytes);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Judges the content of the file: checksum, magic, version, fields.
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Current> {
        let damaged = |offset, expected| Err(Error::corruption(path, offset, expected));
        let Ok(bytes) = <&[u8; LEN]>::try_from(bytes) else {
            return damaged(bytes.len().min(LEN) as u64, "32 bytes that name the manifest");
        };
        if bytes[8..12] != checksum(bytes).to_le_bytes() {
            return damaged(8, "the checksum of the bytes behind it");
        }
        if bytes[..8] != *MAGIC {
            return damaged(0, "the magic of `CURRENT`");
        }
        match u32::from_le_bytes(std::array::from_fn(|i| bytes[12 + i])) {
            FORMAT_VERSION => {}
            0 => return damaged(12, "a format version from 1"),
            newer => return Err(Error::unsupported(path, format_args!("format version {newer}"))),
        }
        let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let current = Current { database_id: u64_at(16), manifest: u64_at(24) };
        if current.database_id == 0 {
            return damaged(16, "the id of a database");
        }
        if current.manifest == 0 {
            return damaged(24, "the number of a manifest");
        }
        Ok(current)
    }

    /// What the folder's `CURRENT` says; `None` if there is none.
    pub fn load(vfs: &dyn Vfs, folder: &Path) -> Result<Option<Current>> {
        let path = folder.join(CURRENT);
        match vfs.file_type(&path).map_err(|error| Error::io("look at", &path, error))? {
            None => return Ok(None),
            Some(FileType::File(_)) => {}
            Some(_) => return Err(Error::corruption(&path, 0, "a regular file")),
        }
        let file = vfs.open(&path, OpenMode::Read).map_err(|error| Error::io("open", &path, error))?;
        let len = file.len().map_err(|error| Error::io("read the length of", &path, error))?;
        // One byte more than there should be is enough to see that the file is too long.
        let mut bytes = vec![0; len.min(LEN as u64 + 1) as usize];
        file.read_at(&mut bytes, 0).map_err(|error| Error::io("read", &path, error))?;
        Current::decode(&path, &bytes).map(Some)
    }

    /// Puts this `CURRENT` in force, on stable storage. The manifest it names is there already.
    pub fn store(&self, vfs: &dyn Vfs, folder: &Path) -> Result<()> {
        let path = folder.join(CURRENT);
        let unfinished = folder.join(format!("{CURRENT}{UNFINISHED}"));
        self.write_unfinished(vfs, &unfinished)?;
        vfs.rename(&unfinished, &path).map_err(|error| Error::io("replace", &path, error))?;
        sync_folder(vfs, folder)
    }

    fn write_unfinished(&self, vfs: &dyn Vfs, path: &Path) -> Result<()> {
        let left_over = vfs.file_type(path).map_err(|error| Error::io("look at", path, error))?;
        if left_over.is_some() {
            vfs.remove(path).map_err(|error| Error::io("remove", path, error))?;
        }
        let file = vfs.open(path, OpenMode::CreateNew).map_err(|error| Error::io("create", path, error))?;
        file.write_at(&self.encode(), 0).map_err(|error| Error::io("write", path, error))?;
        file.sync_all().map_err(|error| Error::io("sync", path, error))
    }
}

fn checksum(bytes: &[u8; LEN]) -> u32 {
    Checksum::new(0, 0).of(0, &[&bytes[CHECKED..]])
}
