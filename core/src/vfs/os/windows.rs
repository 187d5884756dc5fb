//! What is done in its own way on Windows.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

pub fn open_flags(options: &mut OpenOptions) {
    options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
}

pub fn read_some(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(buf, offset)
}

pub fn write_some(file: &File, buf: &[u8], offset: u64) -> io::Result<usize> {
    file.seek_write(buf, offset)
}

pub fn create_private_dir(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Nothing: NTFS journals names itself.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Nothing tells: a folder with open files cannot be moved or removed.
pub type Identity = ();

pub fn identity(_: &Metadata) -> Option<Identity> {
    None
}
