//! Batches as one run of bytes: repeated `kind u8 (1 put, 2 delete) | key length u32 | value length u32 |
//! key | value`, little endian.

use lightning_db::{Error, Result, WriteBatch};

/// Bytes in front of a key.
pub const HEADER_LEN: usize = 9;
/// Kind of a put.
pub const PUT: u8 = 1;
/// Kind of a delete; its value is empty.
pub const DELETE: u8 = 2;

/// Adds packed writes to a batch. Errors: `InvalidArgument`, also for bytes that are not packed writes; the batch may
/// then hold some of them.
pub fn unpack(mut bytes: &[u8], batch: &mut WriteBatch) -> Result<()> {
    while !bytes.is_empty() {
        let (kind, key, value) = first(&mut bytes).ok_or_else(|| Error::invalid("cut packed write"))?;
        match kind {
            PUT => batch.put(key, value)?,
            DELETE if value.is_empty() => batch.delete(key)?,
            _ => return Err(Error::invalid(format!("packed write of kind {kind}"))),
        }
    }
    Ok(())
}

fn first<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8], &'a [u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
    let [kind, a, b, c, d, e, f, g, h] = *header;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes([a, b, c, d]) as usize)?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes([e, f, g, h]) as usize)?;
    *bytes = rest;
    Some((kind, key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(kind: u8, key: &[u8], value: &[u8]) -> Vec<u8> {
        let lengths = [key.len() as u32, value.len() as u32].map(u32::to_le_bytes);
        [&[kind][..], lengths.as_flattened(), key, value].concat()
    }

    #[test]
    fn packed_writes_are_those_of_a_batch() {
        let mut expected = WriteBatch::new();
        expected.put(b"a", b"1").unwrap();
        expected.put(b"", b"").unwrap();
        expected.delete(b"b").unwrap();
        let mut batch = WriteBatch::new();
        unpack(&[pack(PUT, b"a", b"1"), pack(PUT, b"", b""), pack(DELETE, b"b", b"")].concat(), &mut batch)
            .unwrap();
        assert_eq!(format!("{batch:?}"), format!("{expected:?}"));
    }

    #[test]
    fn bytes_that_are_no_writes_are_refused() {
        let whole = pack(PUT, b"abc", b"defg");
        for end in 1..whole.len() {
            assert!(unpack(&whole[..end], &mut WriteBatch::new()).is_err(), "{end}");
        }
        assert!(unpack(&pack(3, b"", b""), &mut WriteBatch::new()).is_err());
        assert!(unpack(&pack(DELETE, b"", b"x"), &mut WriteBatch::new()).is_err());
        assert!(unpack(&[PUT, 255, 255, 255, 255, 255, 255, 255, 255], &mut WriteBatch::new()).is_err());
    }
}
