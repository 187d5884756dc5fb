//! What is done in its own way on Unix.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Opening a pipe or a terminal neither waits nor takes it over; none of the flags changes anything
/// for a regular file. (`std` adds O_CLOEXEC.)
pub fn open_flags(options: &mut OpenOptions) {
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
}

pub fn read_some(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    file.read_at(buf, offset)
}

pub fn write_some(file: &File, buf: &[u8], offset: u64) -> io::Result<usize> {
    file.write_at(buf, offset)
}

pub fn create_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Some file systems refuse to sync a folder because there is nothing to be done.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    let folder = OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(path)?;
    match folder.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

/// Which file or folder it is, among all that are there at the same time: device and number.
pub type Identity = (u64, u64);

pub fn identity(metadata: &Metadata) -> Option<Identity> {
    Some((metadata.dev(), metadata.ino()))
}
