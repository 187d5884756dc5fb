//! What a database must hold and answer.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::data::{rank, stamp};
use crate::engine::{Digest, Direction};

/// The version of each record; 0 is absent.
pub struct Model {
    versions: Vec<u32>,
    next_version: u32,
    /// Ranks and indexes of the records that are there, sorted; made when asked for.
    sorted: Option<Vec<(u64, u32)>>,
}

impl Model {
    /// An empty database.
    pub fn new() -> Self {
        Model { versions: Vec::new(), next_version: 1, sorted: None }
    }

    /// How many record numbers are in use, deleted ones included.
    pub fn numbers(&self) -> usize {
        self.versions.len()
    }

    /// Versions for the next `writes` writes: the first of them.
    pub fn reserve(&mut self, writes: usize) -> u32 {
        let first = self.next_version;
        self.next_version += writes as u32;
        first
    }

    /// A write that was acknowledged.
    pub fn put(&mut self, index: u32, version: u32) {
        let index = index as usize;
        if index >= self.versions.len() {
            self.versions.resize(index + 1, 0);
        }
        if self.versions[index] == 0 {
            self.sorted = None;
        }
        self.versions[index] = version;
    }

    /// A delete that was acknowledged.
    pub fn delete(&mut self, index: u32) {
        if let Some(version) = self.versions.get_mut(index as usize) {
            *version = 0;
            self.sorted = None;
        }
    }

    /// The stamp of the value of a record.
    pub fn stamp(&self, index: u32) -> Option<u64> {
        let version = *self.versions.get(index as usize)?;
        (version != 0).then(|| stamp(index, version))
    }

    /// What a get adds to the digest.
    pub fn get(&self, index: u32, digest: &mut Digest) {
        match self.stamp(index) {
            Some(stamp) => digest.stamp(stamp),
            None => digest.miss(),
        }
    }

    fn sorted(&mut self) -> &[(u64, u32)] {
        let versions = &self.versions;
        self.sorted.get_or_insert_with(|| {
            let present = versions.iter().enumerate().filter(|(_, version)| **version != 0);
            let mut sorted: Vec<_> = present.map(|(index, _)| (rank(index as u64), index as u32)).collect();
            sorted.sort_unstable();
            sorted
        })
    }

    /// Records that are there.
    pub fn len(&mut self) -> usize {
        self.sorted().len()
    }

    /// Whether no record is there.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// The records that are there, in key order.
    pub fn indexes(&mut self) -> Vec<u32> {
        self.sorted().iter().map(|(_, index)| *index).collect()
    }

    /// What a scan adds to the digest.
    pub fn scan(&mut self, from: Option<u32>, direction: Direction, limit: usize, digest: &mut Digest) {
        self.sorted();
        let sorted = self.sorted.as_deref().unwrap_or_default();
        let versions = &self.versions;
        let mut add =
            |(rank, index): &(u64, u32)| digest.ranked(*rank, stamp(*index, versions[*index as usize]));
        let from = from.map(|index| rank(u64::from(index)));
        match direction {
            Direction::Forward => {
                let first = from.map_or(0, |from| sorted.partition_point(|(rank, _)| *rank < from));
                sorted[first..].iter().take(limit).for_each(&mut add);
            }
            Direction::Backward => {
                let end = from.map_or(sorted.len(), |from| sorted.partition_point(|(rank, _)| *rank <= from));
                sorted[..end].iter().rev().take(limit).for_each(&mut add);
            }
        }
    }

    /// The records that are there by rank, for scans among inserts.
    pub fn by_rank(&mut self) -> BTreeMap<u64, u32> {
        self.sorted().iter().copied().collect()
    }
}

impl Default for Model {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the answers of a row are the right ones.
pub fn check(what: &str, answers: &Digest, expected: &Digest) -> Result<()> {
    ensure!(
        answers.damaged == 0,
        "{what}: {} sampled values hold bytes that were never written",
        answers.damaged
    );
    ensure!(
        answers == expected,
        "{what}: wrong answers: {} found, {} absent, checksum {:x}; expected {} found, {} absent, checksum {:x}",
        answers.found,
        answers.missed,
        answers.sum,
        expected.found,
        expected.missed,
        expected.sum,
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{key, value};

    #[test]
    fn a_digest_sees_order_versions_and_misses() {
        let mut model = Model::new();
        for index in 0..100 {
            model.put(index, 1);
        }
        let scan = |model: &mut Model, direction| {
            let mut digest = Digest::default();
            model.scan(None, direction, usize::MAX, &mut digest);
            digest
        };
        let forward = scan(&mut model, Direction::Forward);
        let backward = scan(&mut model, Direction::Backward);
        assert_eq!((forward.found, backward.found), (100, 100));
        assert!(check("order", &backward, &forward).is_err());
        model.put(7, 2);
        assert!(check("version", &scan(&mut model, Direction::Forward), &forward).is_err());
        model.delete(8);
        assert_eq!(scan(&mut model, Direction::Forward).found, 99);
        let mut digest = Digest::default();
        model.get(8, &mut digest);
        assert_eq!((digest.found, digest.missed), (0, 1));
    }

    #[test]
    fn the_model_digests_what_an_engine_would() {
        let mut model = Model::new();
        let mut entries = BTreeMap::new();
        for index in 0..500 {
            model.put(index, index + 1);
            entries.insert(key(u64::from(index)), value(index, index + 1));
        }
        let (mut expected, mut answers) = (Digest::default(), Digest::default());
        model.scan(Some(3), Direction::Forward, 50, &mut expected);
        for (key, value) in entries.range(key(3)..).take(50) {
            answers.entry(key, value);
        }
        check("scan", &answers, &expected).expect("the same");
        model.scan(Some(3), Direction::Backward, 50, &mut expected);
        for (key, value) in entries.range(..=key(3)).rev().take(50) {
            answers.entry(key, value);
        }
        check("scan", &answers, &expected).expect("the same");
    }

    #[test]
    fn a_damaged_value_is_seen() {
        let mut digest = Digest::default();
        let mut value = value(1, 1);
        value[60] ^= 1;
        digest.value(&value);
        let mut expected = Digest::default();
        expected.stamp(stamp(1, 1));
        assert!(check("get", &digest, &expected).is_err());
    }
}
