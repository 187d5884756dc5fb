//! Write batches: operations in the form in which they go to the log.

use crate::base::coding::{Decoder, put_bytes, put_varint};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::KeyspaceId;
use crate::base::limits::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS, check_record};
use crate::base::record::RecordKind;

/// Writes that are applied all or not at all, in the order in which they were added.
///
/// ```
/// let mut batch = lightning_db::WriteBatch::new();
/// batch.put(b"a", b"1").unwrap();
/// batch.delete(b"b").unwrap();
/// assert_eq!(batch.len(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct WriteBatch {
    encoded: Vec<u8>,
    count: usize,
    bytes: usize,
    /// Where the first write goes.
    keyspace: KeyspaceId,
    /// Whether another one goes elsewhere.
    is_mixed: bool,
    /// The open database whose keyspaces it names, if it names any.
    instance: Option<u64>,
}

/// One write of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// What it does.
    pub kind: RecordKind,
    /// Where.
    pub keyspace: KeyspaceId,
    /// The key.
    pub key: &'a [u8],
    /// The value; empty for a delete.
    pub value: &'a [u8],
}

/// A put.
pub(crate) fn put_of<'a>(keyspace: KeyspaceId, key: &'a [u8], value: &'a [u8]) -> Operation<'a> {
    Operation { kind: RecordKind::Put, keyspace, key, value }
}

/// A delete.
pub(crate) fn delete_of(keyspace: KeyspaceId, key: &[u8]) -> Operation<'_> {
    Operation { kind: RecordKind::Delete, keyspace, key, value: &[] }
}

/// Kind, keyspace and two lengths of an encoded operation take at most this many bytes.
const MAX_OPERATION_OVERHEAD: usize = 16;

impl WriteBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a put. Errors: `InvalidArgument` if key, value or batch get too large; the batch is unchanged then.
    pub fn put(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        self.add(put_of(KeyspaceId::DEFAULT, key.as_ref(), value.as_ref()))
    }

    /// Adds a delete; an absent key is no error.
    pub fn delete(&mut self, key: impl AsRef<[u8]>) -> Result<()> {
        self.add(delete_of(KeyspaceId::DEFAULT, key.as_ref()))
    }

    /// Number of writes.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no writes.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of all keys and values.
    pub fn size(&self) -> usize {
        self.bytes
    }

    /// The open database whose keyspaces it names; `None`: only the default one.
    pub(crate) fn instance(&self) -> Option<u64> {
        self.instance
    }

    /// Adds a write to a keyspace of the open database `instance`. Errors: also `InvalidArgument` if the batch names
    /// keyspaces of another one.
    pub(crate) fn add_in(&mut self, instance: u64, operation: Operation<'_>) -> Result<()> {
        if self.instance.is_some_and(|named| named != instance) {
            return Err(Error::invalid(
                "the batch names keyspaces of another database, or of an earlier opening",
            ));
        }
        self.add(operation)?;
        self.instance = Some(instance);
        Ok(())
    }

    /// Forgets all writes, keeps the memory.
    pub fn clear(&mut self) {
        let mut encoded = std::mem::take(&mut self.encoded);
        encoded.clear();
        *self = WriteBatch { encoded, ..WriteBatch::default() };
    }

    /// Bytes that it keeps when it is cleared.
    pub(crate) fn memory(&self) -> usize {
        self.encoded.capacity()
    }

    /// The keyspace, if all writes go to the same.
    pub(crate) fn only_keyspace(&self) -> Option<KeyspaceId> {
        (self.count > 0 && !self.is_mixed).then_some(self.keyspace)
    }

    pub(crate) fn add(&mut self, operation: Operation<'_>) -> Result<()> {
        check_record(operation.key, operation.value)?;
        let room = operation.key.len() + operation.value.len() + MAX_OPERATION_OVERHEAD;
        let bytes = self.encoded.len() + room;
        if bytes > MAX_BATCH_BYTES || self.count >= MAX_BATCH_RECORDS {
            return Err(Error::invalid(format!(
                "batch of {bytes} bytes and {} records: at most {MAX_BATCH_BYTES} and {MAX_BATCH_RECORDS} are allowed",
                self.count + 1
            )));
        }
        if self.encoded.try_reserve(room).is_err() {
            return Err(Error::new(
                ErrorKind::OutOfMemory,
                format!("no memory for a batch of {bytes} bytes"),
            ));
        }
        self.encoded.push(operation.kind as u8);
        put_varint(&mut self.encoded, operation.keyspace.0.into());
        put_bytes(&mut self.encoded, operation.key);
        put_bytes(&mut self.encoded, operation.value);
        if self.count == 0 {
            self.keyspace = operation.keyspace;
        }
        self.is_mixed |= operation.keyspace != self.keyspace;
        self.count += 1;
        self.bytes += operation.key.len() + operation.value.len();
        Ok(())
    }

    /// The operations as they stand in a log record, behind first sequence and count.
    pub(crate) fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// The operation that begins behind so many encoded bytes.
    pub(crate) fn operation_at(&self, at: usize) -> Option<Operation<'_>> {
        decode_operation(&mut Decoder::new(self.encoded.get(at..)?)).ok()
    }

    /// The operations.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let mut decoder = Decoder::new(&self.encoded);
        std::iter::from_fn(move || decode_operation(&mut decoder).ok())
    }
}

/// What is wrong with the bytes of an operation.
pub(crate) enum Undecodable {
    /// They were not written by any version.
    Damaged(&'static str),
    /// A newer version knows this kind of record.
    UnknownKind(u8),
}

/// Reads one operation from a log record.
pub(crate) fn decode_operation<'a>(decoder: &mut Decoder<'a>) -> Result<Operation<'a>, Undecodable> {
    const SHORT: Undecodable = Undecodable::Damaged("a whole operation");
    let byte = decoder.u8().ok_or(SHORT)?;
    let kind = RecordKind::from_byte(byte).ok_or(Undecodable::UnknownKind(byte))?;
    let keyspace = KeyspaceId(decoder.varint32().ok_or(SHORT)?);
    let key = decoder.bytes().ok_or(SHORT)?;
    let value = decoder.bytes().ok_or(SHORT)?;
    check_record(key, value)
        .map_err(|_| Undecodable::Damaged("an operation with a key and value within the limits"))?;
    Ok(Operation { kind, keyspace, key, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::{MAX_KEY_LEN, MAX_VALUE_LEN};

    #[test]
    fn operations_come_back_in_order() {
        let mut batch = WriteBatch::new();
        batch.put(b"a", b"1").unwrap();
        let second = batch.encoded().len();
        batch.delete(b"").unwrap();
        let at = |at| batch.operation_at(at).map(|op| (op.kind, op.key));
        assert_eq!(at(0), Some((RecordKind::Put, &b"a"[..])));
        assert_eq!(at(second), Some((RecordKind::Delete, &b""[..])));
        assert_eq!((at(batch.encoded().len()), at(usize::MAX)), (None, None));
        let seen: Vec<_> =
            batch.operations().map(|op| (op.kind, op.key.to_vec(), op.value.to_vec())).collect();
        assert_eq!(
            seen,
            [(RecordKind::Put, b"a".to_vec(), b"1".to_vec()), (RecordKind::Delete, vec![], vec![])]
        );
    }

    #[test]
    fn oversize_is_refused_and_leaves_the_batch_alone() {
        let mut batch = WriteBatch::new();
        assert!(batch.put(vec![0; MAX_KEY_LEN], b"").is_ok());
        assert!(batch.put(vec![0; MAX_KEY_LEN + 1], b"").is_err());
        assert!(batch.put(b"", vec![0; MAX_VALUE_LEN + 1]).is_err());
        assert_eq!(batch.len(), 1);
    }
}
