//! What a transaction has read.

use std::collections::HashMap;

use crate::base::hash::hash_key;
use crate::base::ids::KeyspaceId;
use crate::base::key::KeyRange;

/// So many keys are looked through one by one.
const FEW: usize = 8;

/// What a transaction has read and must find unchanged at its commit.
#[derive(Debug, Default)]
pub struct ReadSet {
    keys: Vec<ReadKey>,
    /// The keys, one behind the other.
    bytes: Vec<u8>,
    /// By hash, if there are more than a few: the first key that has it.
    places: HashMap<u64, usize>,
    /// Ranges that were scanned.
    pub ranges: Vec<(KeyspaceId, KeyRange)>,
}

#[derive(Debug)]
struct ReadKey {
    hash: u64,
    keyspace: KeyspaceId,
    len: u32,
    start: usize,
}

impl ReadSet {
    /// Adds a key, found or not.
    pub fn add_key(&mut self, keyspace: KeyspaceId, key: &[u8]) {
        let hash = hash_key(key) ^ u64::from(keyspace.0);
        if self.contains(hash, keyspace, key) {
            return;
        }
        self.keys.push(ReadKey { hash, keyspace, len: key.len() as u32, start: self.bytes.len() });
        self.bytes.extend_from_slice(key);
        if self.keys.len() > FEW {
            let unplaced = if self.places.is_empty() { 0 } else { self.keys.len() - 1 };
            for (place, read) in self.keys.iter().enumerate().skip(unplaced) {
                self.places.entry(read.hash).or_insert(place);
            }
        }
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ranges.is_empty()
    }

    /// Single keys, each once but for those that share their hash.
    pub fn keys(&self) -> impl Iterator<Item = (KeyspaceId, &[u8])> {
        self.keys.iter().map(|read| (read.keyspace, self.key(read)))
    }

    /// The keyspaces of what was read; one may come several times.
    pub fn keyspaces(&self) -> impl Iterator<Item = KeyspaceId> {
        let is_other = |at: &usize| *at == 0 || self.keys[*at].keyspace != self.keys[*at - 1].keyspace;
        let of_keys = (0..self.keys.len()).filter(is_other).map(|at| self.keys[at].keyspace);
        of_keys.chain(self.ranges.iter().map(|(id, _)| *id))
    }

    fn key(&self, read: &ReadKey) -> &[u8] {
        self.bytes.get(read.start..read.start + read.len as usize).unwrap_or_default()
    }

    fn contains(&self, hash: u64, keyspace: KeyspaceId, key: &[u8]) -> bool {
        let is_it = |read: &ReadKey| read.hash == hash && read.keyspace == keyspace && self.key(read) == key;
        if self.places.is_empty() {
            return self.keys.iter().any(is_it);
        }
        self.places.get(&hash).and_then(|place| self.keys.get(*place)).is_some_and(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set(keys in proptest::collection::vec((0..3u32, proptest::collection::vec(0..4u8, 0..4)), 0..200)) {
            let (mut set, mut model) = (ReadSet::default(), BTreeSet::new());
            for (keyspace, key) in keys {
                set.add_key(KeyspaceId(keyspace), &key);
                model.insert((KeyspaceId(keyspace), key));
            }
            let all: Vec<_> = set.keys().map(|(id, key)| (id, key.to_vec())).collect();
            prop_assert_eq!(all.len(), model.len());
            prop_assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), model.clone());
            let keyspaces: BTreeSet<_> = set.keyspaces().collect();
            prop_assert_eq!(keyspaces, model.into_iter().map(|(id, _)| id).collect::<BTreeSet<_>>());
        }
    }
}
