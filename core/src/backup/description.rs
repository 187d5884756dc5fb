//! The description that makes a folder a backup: what is in it, with checksums.

use std::path::Path;

use crate::base::checksum::Checksum;
use crate::base::coding::{Decoder, put_bytes, put_varint};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::{BACKUP, CURRENT, FileKind};
use crate::vfs::{FileType, OpenMode, Vfs};

const MAGIC: &[u8; 8] = b"LDBBACKU";
const VERSION: u32 = 1;

/// A finished backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupInfo {
    /// Name of its folder.
    pub id: String,
    /// When it was made, in unix seconds.
    pub timestamp: u64,
    /// Commits up to and with this sequence number are in it.
    pub sequence: u64,
    /// Bytes of its files.
    pub size: u64,
}

/// The `BACKUP` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Description {
    pub timestamp: u64,
    pub sequence: u64,
    pub database_id: u64,
    pub manifest: u64,
    pub files: Vec<CopiedFile>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CopiedFile {
    pub name: String,
    pub size: u64,
    pub crc: u32,
}

impl Description {
    pub fn encode(&self) -> Vec<u8> {
        let mut body = VERSION.to_le_bytes().to_vec();
        for field in [self.timestamp, self.sequence, self.database_id, self.manifest, self.files.len() as u64]
        {
            put_varint(&mut body, field);
        }
        for file in &self.files {
            put_bytes(&mut body, file.name.as_bytes());
            put_varint(&mut body, file.size);
            body.extend_from_slice(&file.crc.to_le_bytes());
        }
        let crc = Checksum::new(0, 0).of(0, &[&body]);
        [&MAGIC[..], &crc.to_le_bytes(), &body].concat()
    }

    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Description> {
        let mut decoder = Decoder::new(bytes);
        let damaged = |offset, what: &str| Error::corruption(path, offset, what);
        if decoder.take(MAGIC.len()) != Some(MAGIC) {
            return Err(damaged(0, "the description of a backup"));
        }
        let crc = decoder.u32().ok_or_else(|| damaged(8, "a longer description"))?;
        if crc != Checksum::new(0, 0).of(0, &[decoder.rest()]) {
            return Err(damaged(8, "the checksum of the description"));
        }
        if decoder.u32() != Some(VERSION) {
            return Err(Error::unsupported(path, "the format of this backup"));
        }
        Self::decode_fields(decoder).ok_or_else(|| damaged(16, "fields of a description"))
    }

    fn decode_fields(mut decoder: Decoder<'_>) -> Option<Description> {
        let mut field = || decoder.varint();
        let (timestamp, sequence, database_id, manifest, count) =
            (field()?, field()?, field()?, field()?, field()?);
        let mut files = Vec::new();
        for _ in 0..count {
            let name = std::str::from_utf8(decoder.bytes()?).ok()?.to_owned();
            // Names are bare and ours: nothing in a backup can lead out of the target of a restore.
            if name != CURRENT && FileKind::parse(&name).is_none() {
                return None;
            }
            files.push(CopiedFile { name, size: decoder.varint()?, crc: decoder.u32()? });
        }
        decoder.is_empty().then_some(Description { timestamp, sequence, database_id, manifest, files })
    }

    /// Reads the description of the backup in `folder`. `NotFound` if there is none.
    pub fn read(vfs: &dyn Vfs, folder: &Path) -> Result<Description> {
        let path = folder.join(BACKUP);
        let len = match vfs.file_type(&path).map_err(|error| Error::io("look at", &path, error))? {
            Some(FileType::File(len)) => len,
            _ => {
                let message = format!("{}: holds no finished backup", folder.display());
                return Err(Error::new(ErrorKind::NotFound, message).with_file(folder));
            }
        };
        let file = vfs.open(&path, OpenMode::Read).map_err(|error| Error::io("open", &path, error))?;
        let len = usize::try_from(len)
            .map_err(|_| Error::corruption(&path, 0, "a description that fits in memory"))?;
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(len)
            .map_err(|_| Error::new(ErrorKind::OutOfMemory, "no memory to read a backup"))?;
        bytes.resize(len, 0);
        file.read_at(&mut bytes, 0).map_err(|error| Error::io("read", &path, error))?;
        Description::decode(&path, &bytes)
    }

    pub fn info(&self, id: String) -> BackupInfo {
        let size = self.files.iter().map(|file| file.size).sum();
        BackupInfo { id, timestamp: self.timestamp, sequence: self.sequence, size }
    }
}

/// The finished backups among the folders in `parent`, oldest first. Unfinished and damaged ones are
/// left out.
pub fn list_backups(vfs: &dyn Vfs, parent: &Path) -> Result<Vec<BackupInfo>> {
    let names = vfs.list(parent).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let message = format!("{}: there is no such folder", parent.display());
            Error::new(ErrorKind::NotFound, message).with_file(parent)
        }
        _ => Error::io("list", parent, error),
    })?;
    let mut infos = Vec::new();
    for name in names {
        let folder = parent.join(&name);
        if vfs.file_type(&folder).map_err(|error| Error::io("look at", &folder, error))?
            != Some(FileType::Folder)
        {
            continue;
        }
        match Description::read(vfs, &folder) {
            Ok(description) => infos.push(description.info(name)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Corruption) => {}
            Err(error) => return Err(error),
        }
    }
    infos.sort_by_key(|info| (info.timestamp, info.sequence));
    Ok(infos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(name: &str) -> Description {
        let files = vec![CopiedFile { name: name.into(), size: 300, crc: 7 }];
        Description { timestamp: 1, sequence: 2, database_id: 3, manifest: 4, files }
    }

    #[test]
    fn a_description_comes_back_and_no_flipped_byte_passes() {
        let path = Path::new("b/BACKUP");
        let bytes = example("000007.table").encode();
        assert_eq!(Description::decode(path, &bytes).unwrap(), example("000007.table"));
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 0x40;
            assert!(Description::decode(path, &wrong).is_err(), "byte {at}");
            assert!(Description::decode(path, &bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../000007.table", "/etc/passwd", "LOCK", "x/000007.table", ""] {
            assert!(Description::decode(Path::new("b"), &example(name).encode()).is_err(), "{name}");
        }
    }
}
