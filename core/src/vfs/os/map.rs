//! Read-only maps.

// The bytes of a map are not the compiler's alone: whoever maps vouches for the file.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

use bytes::Bytes;
use memmap2::MmapOptions;

/// Maps the first `len` bytes, until the last clone and slice of them is dropped.
pub(super) fn map(file: &File, len: u64) -> io::Result<Bytes> {
    let own_len = file.metadata()?.len();
    let Ok(len) = usize::try_from(len) else { return Err(io::ErrorKind::OutOfMemory.into()) };
    if len as u64 > own_len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if len == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the map is inside the file, and private to this call until it is returned. Bytes that change under
    // it are the one danger: finished tables are mapped and nothing else, which the engine never writes, cuts or
    // grows again, and removes by name only; the folder is locked and its files belong to the user alone. Who
    // writes to them all the same gets wrong bytes or a signal, as `mmap_size` says.
    let map = unsafe { MmapOptions::new().len(len).map(file) }?;
    Ok(Bytes::from_owner(map))
}
