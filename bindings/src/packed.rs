//! Batches as one run of bytes: repeated `kind u8 (1 put, 2 delete) | key length u32 | value length u32 |
//! key | value`, little endian. Kind 3 has no key and no value: the writes behind it go to the store whose index stands in place
//! of the key's length.

use lightning_db::{Error, Result, WriteBatch};

use crate::store::Store;
use crate::write::{add_delete, add_put};

/// Bytes in front of a key.
pub const HEADER_LEN: usize = 9;
/// Kind of a put.
pub const PUT: u8 = 1;
/// Kind of a delete; its value is empty.
pub const DELETE: u8 = 2;
/// Kind of a choice of store.
pub const CHOOSE: u8 = 3;

/// Adds packed writes to a batch; they go to the first of `stores` until another one is chosen. Errors: `InvalidArgument`, also for
/// bytes that are not packed writes, and `NotFound` (a dropped keyspace); the batch may then hold some of them.
pub fn unpack(mut bytes: &[u8], batch: &mut WriteBatch, stores: &[Store]) -> Result<()> {
    let store = |index: usize| {
        stores.get(index).ok_or_else(|| Error::invalid(format!("packed write for store {index}")))
    };
    let mut chosen = store(0)?;
    while !bytes.is_empty() {
        match first(&mut bytes).ok_or_else(|| Error::invalid("cut packed write"))? {
            Packed::Put(key, value) => add_put(batch, chosen, key, value)?,
            Packed::Delete(key) => add_delete(batch, chosen, key)?,
            Packed::Choose(index) => chosen = store(index)?,
            Packed::Unknown(kind) => return Err(Error::invalid(format!("packed write of kind {kind}"))),
        }
    }
    Ok(())
}

enum Packed<'a> {
    Put(&'a [u8], &'a [u8]),
    Delete(&'a [u8]),
    Choose(usize),
    Unknown(u8),
}

fn first<'a>(bytes: &mut &'a [u8]) -> Option<Packed<'a>> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
    let [kind, a, b, c, d, e, f, g, h] = *header;
    let [key_len, value_len] = [[a, b, c, d], [e, f, g, h]].map(|length| u32::from_le_bytes(length) as usize);
    if kind == CHOOSE && value_len == 0 {
        *bytes = rest;
        return Some(Packed::Choose(key_len));
    }
    let (key, rest) = rest.split_at_checked(key_len)?;
    let (value, rest) = rest.split_at_checked(value_len)?;
    *bytes = rest;
    Some(match kind {
        PUT => Packed::Put(key, value),
        DELETE if value.is_empty() => Packed::Delete(key),
        _ => Packed::Unknown(kind),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightning_db::Database;

    fn pack(kind: u8, key: &[u8], value: &[u8]) -> Vec<u8> {
        let lengths = [key.len() as u32, value.len() as u32].map(u32::to_le_bytes);
        [&[kind][..], lengths.as_flattened(), key, value].concat()
    }

    fn choose(index: u32) -> Vec<u8> {
        [&[CHOOSE][..], &index.to_le_bytes(), &[0; 4]].concat()
    }

    fn stores(folder: &std::path::Path) -> [Store; 2] {
        let db = Database::create(folder, Default::default()).unwrap();
        let other = db.create_keyspace("other", Default::default()).unwrap();
        let first = Store::from(db);
        let second = first.within(other);
        [first, second]
    }

    #[test]
    fn packed_writes_are_those_of_a_batch() {
        let folder = tempfile::tempdir().unwrap();
        let stores = stores(folder.path());
        let mut expected = WriteBatch::new();
        expected.put(b"a", b"1").unwrap();
        expected.put_in(stores[1].keyspace().unwrap(), b"", b"").unwrap();
        expected.delete_in(stores[1].keyspace().unwrap(), b"b").unwrap();
        expected.delete(b"c").unwrap();
        let packed = [
            pack(PUT, b"a", b"1"),
            choose(1),
            pack(PUT, b"", b""),
            pack(DELETE, b"b", b""),
            choose(0),
            pack(DELETE, b"c", b""),
        ];
        let mut batch = WriteBatch::new();
        unpack(&packed.concat(), &mut batch, &stores).unwrap();
        assert_eq!(format!("{batch:?}"), format!("{expected:?}"));
    }

    #[test]
    fn bytes_that_are_no_writes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let stores = stores(folder.path());
        let refused = |bytes: &[u8]| unpack(bytes, &mut WriteBatch::new(), &stores).is_err();
        let whole = pack(PUT, b"abc", b"defg");
        assert!((1..whole.len()).all(|end| refused(&whole[..end])));
        assert!(refused(&pack(4, b"", b"")));
        assert!(refused(&pack(DELETE, b"", b"x")));
        assert!(refused(&choose(2)));
        assert!(refused(&[PUT, 255, 255, 255, 255, 255, 255, 255, 255]));
    }
}
