//! The writes of a transaction, found again by its own reads.
//!
//! A few are looked through in the batch, by the hashes of their keys. More of them, and those that a scan walks over,
//! go to memtables too.

use crate::base::comparator::KeyOrder;
use crate::base::error::Result;
use crate::base::ids::{KeyspaceId, MAX_SEQUENCE, SequenceNumber};
use crate::base::per_keyspace::PerKeyspace;
use crate::base::record::RecordKind;
use crate::batch::{Operation, WriteBatch};
use crate::memtable::Memtable;
use crate::read::OwnWrites;
use crate::sync::Arc;

/// So many writes are looked through one by one.
const FEW: usize = 32;

/// What a transaction has written so far.
#[derive(Default)]
pub(super) struct Writes {
    batch: WriteBatch,
    /// The hash of each write's key, and where the write stands in the batch. Not kept up once there are memtables.
    few: Vec<(u64, usize)>,
    /// The keyspaces that are written to.
    spaces: PerKeyspace<Space>,
    has_memtables: bool,
}

struct Space {
    order: KeyOrder,
    /// Its writes, if there are memtables; numbered above [`MAX_SEQUENCE`].
    memtable: Option<Arc<Memtable>>,
}

impl Writes {
    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Takes the batch for the commit.
    pub fn take(&mut self) -> WriteBatch {
        std::mem::take(&mut self.batch)
    }

    /// The last write to `key`, which has this hash.
    pub fn get(&self, keyspace: KeyspaceId, key: &[u8], hash: u64) -> Option<(RecordKind, &[u8])> {
        if !self.has_memtables {
            let same = self.few.iter().rev().filter(|(own, _)| *own == hash);
            let mut written = same.filter_map(|(_, at)| self.batch.operation_at(*at));
            let last = written.find(|write| write.keyspace == keyspace && write.key == key)?;
            return Some((last.kind, last.value));
        }
        let memtable = self.spaces.get(keyspace)?.memtable.as_ref()?;
        memtable.get(key, SequenceNumber::MAX).map(|record| (record.kind, record.value))
    }

    /// Adds a write to a key with this hash; `order_of` gives the order of its keyspace. Nothing has changed when it fails.
    pub fn add(
        &mut self,
        write: Operation<'_>,
        hash: u64,
        order_of: impl FnOnce() -> Result<KeyOrder>,
    ) -> Result<()> {
        let Operation { kind, keyspace, key, value } = write;
        if self.spaces.get(keyspace).is_none() {
            self.spaces.insert(keyspace, Space { order: order_of()?, memtable: None });
        }
        if self.few.len() >= FEW {
            self.make_memtables()?;
        }
        if !self.has_memtables {
            let at = self.batch.encoded().len();
            self.batch.add(write)?;
            self.few.push((hash, at));
            return Ok(());
        }
        let sequence = self.last() + 1;
        let Some(memtable) = memtable_of(&mut self.spaces, keyspace) else { return Ok(()) };
        let mut writer = memtable.writer();
        writer.reserve(1, key.len() + value.len())?;
        self.batch.add(write)?;
        writer.insert(key, sequence, kind, value)
    }

    /// The writes to a keyspace so far, for a scan; later ones do not show in it. `None` if there are none.
    pub fn scanned(&mut self, keyspace: KeyspaceId) -> Result<Option<OwnWrites>> {
        if self.spaces.get(keyspace).is_none() {
            return Ok(None);
        }
        self.make_memtables()?;
        let last = self.last();
        let memtable = memtable_of(&mut self.spaces, keyspace);
        Ok(memtable.map(|memtable| OwnWrites { cursor: Box::new(memtable.cursor()), last }))
    }

    /// The number of the last write.
    fn last(&self) -> SequenceNumber {
        MAX_SEQUENCE + self.batch.len() as u64
    }

    /// Puts the writes into memtables too. If that fails, none of them counts.
    fn make_memtables(&mut self) -> Result<()> {
        if self.has_memtables {
            return Ok(());
        }
        self.spaces.iter_mut().for_each(|(_, space)| space.memtable = None);
        for (sequence, write) in (MAX_SEQUENCE + 1..).zip(self.batch.operations()) {
            if let Some(memtable) = memtable_of(&mut self.spaces, write.keyspace) {
                memtable.writer().insert(write.key, sequence, write.kind, write.value)?;
            }
        }
        self.few = Vec::new();
        self.has_memtables = true;
        Ok(())
    }
}

/// That of a keyspace that is written to, begun when it is asked for first.
fn memtable_of(spaces: &mut PerKeyspace<Space>, keyspace: KeyspaceId) -> Option<&Arc<Memtable>> {
    let Space { order, memtable } = spaces.get_mut(keyspace)?;
    Some(memtable.get_or_insert_with(|| Arc::new(Memtable::new(order.clone()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::hash_key;
    use crate::iter::Cursor;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Model = BTreeMap<(u32, Vec<u8>), Option<Vec<u8>>>;

    fn operation<'a>(keyspace: u32, key: &'a [u8], value: Option<&'a [u8]>) -> Operation<'a> {
        let kind = if value.is_some() { RecordKind::Put } else { RecordKind::Delete };
        Operation { kind, keyspace: KeyspaceId(keyspace), key, value: value.unwrap_or_default() }
    }

    /// What a read finds; keys share the hash if `meet`.
    fn found(writes: &Writes, keyspace: u32, key: &[u8], meet: bool) -> Option<Option<Vec<u8>>> {
        let hash = if meet { 1 } else { hash_key(key) };
        let (kind, value) = writes.get(KeyspaceId(keyspace), key, hash)?;
        Some((kind == RecordKind::Put).then(|| value.to_vec()))
    }

    fn scanned(writes: &mut Writes, keyspace: u32) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let Some(OwnWrites { mut cursor, last }) = writes.scanned(KeyspaceId(keyspace)).unwrap() else {
            return Vec::new();
        };
        let mut seen = Vec::<(Vec<u8>, Option<Vec<u8>>)>::new();
        cursor.seek_first().unwrap();
        while cursor.valid() {
            let record = cursor.record();
            assert!((MAX_SEQUENCE + 1..=last).contains(&record.sequence));
            if seen.last().is_none_or(|(key, _)| key != record.key) {
                let value = (record.kind == RecordKind::Put).then(|| record.value.to_vec());
                seen.push((record.key.to_vec(), value));
            }
            cursor.next().unwrap();
        }
        seen
    }

    proptest! {
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec((0..3u32, 0..9u8, any::<Option<u8>>(), 0..30u8), 0..60), meet: bool) {
            let (mut writes, mut model) = (Writes::default(), Model::new());
            for (keyspace, key, value, other) in steps {
                let (key, value) = (vec![key; usize::from(key)], value.map(|byte| vec![byte; usize::from(byte)]));
                let hash = if meet { 1 } else { hash_key(&key) };
                writes.add(operation(keyspace, &key, value.as_deref()), hash, || Ok(KeyOrder::Bytewise)).unwrap();
                model.insert((keyspace, key), value);
                for keyspace in 0..3 {
                    for key in (0..9u8).map(|key| vec![key; usize::from(key)]) {
                        prop_assert_eq!(found(&writes, keyspace, &key, meet), model.get(&(keyspace, key)).cloned());
                    }
                }
                if other < 3 {
                    let all = model.iter().filter(|((keyspace, _), _)| *keyspace == u32::from(other));
                    let all: Vec<_> = all.map(|((_, key), value)| (key.clone(), value.clone())).collect();
                    prop_assert_eq!(scanned(&mut writes, other.into()), all);
                }
            }
        }
    }

    #[test]
    fn a_write_that_is_refused_leaves_everything_alone() {
        let mut writes = Writes::default();
        let order = || Ok(KeyOrder::Bytewise);
        let long = vec![0; crate::base::limits::MAX_KEY_LEN + 1];
        for nth in 0..2 * FEW {
            let key = [nth as u8];
            writes.add(operation(0, &key, Some(&key)), hash_key(&key), order).unwrap();
            writes.add(operation(0, &long, Some(b"")), hash_key(&long), order).unwrap_err();
            let gone =
                || Err(crate::base::error::Error::new(crate::base::error::ErrorKind::NotFound, "gone"));
            writes.add(operation(9, &key, None), hash_key(&key), gone).unwrap_err();
            assert_eq!(writes.batch.len(), nth + 1);
            assert_eq!(found(&writes, 0, &key, false), Some(Some(key.to_vec())));
            assert_eq!(found(&writes, 0, &long, false), None);
            assert_eq!(found(&writes, 9, &key, false), None);
        }
        assert_eq!(scanned(&mut writes, 0).len(), 2 * FEW);
    }
}
