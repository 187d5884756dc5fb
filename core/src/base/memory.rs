//! Memory for bytes of any size, which may not be there: an error, never the end of the process.

use crate::base::error::{Error, ErrorKind, Result};

/// Appends bytes. Errors: `OutOfMemory`; the buffer is unchanged then.
#[inline]
pub fn append(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    buffer.try_reserve(bytes.len()).map_err(|_| short_of(bytes.len()))?;
    buffer.extend_from_slice(bytes);
    Ok(())
}

/// An own copy. Errors: `OutOfMemory`.
#[inline]
pub fn copy(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).map_err(|_| short_of(bytes.len()))?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// A buffer of zeros. Errors: `OutOfMemory`.
pub fn zeroed(len: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| short_of(len))?;
    bytes.resize(len, 0);
    Ok(bytes)
}

/// The error where so many bytes are not to be had.
pub fn short_of(bytes: usize) -> Error {
    Error::new(ErrorKind::OutOfMemory, format!("no memory for {bytes} bytes"))
}
