//! What every database under test can do.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::data::{self, Key, Value, stamp_of};

/// How far a write has got when it is acknowledged. A row says which one it takes, for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// With the operating system: survives the death of the process.
    Process,
    /// On stable storage: survives a power cut.
    Power,
}

/// What a read sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// One instant for the whole row, where the engine has read transactions: they are opened once.
    Held,
    /// What was committed last, at every read.
    Latest,
}

/// Direction of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Rising keys.
    Forward,
    /// Falling keys.
    Backward,
}

/// One write of a batch; no value deletes.
pub type Change = (Key, Option<Value>);

/// What is the same for all.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Bytes of cache.
    pub cache: usize,
    /// Level of every write, for engines that take none with a write.
    pub level: Level,
}

/// A fingerprint of answers and of their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// Values seen.
    pub found: u64,
    /// Keys that were absent.
    pub missed: u64,
    /// Over stamps and keys, in their order.
    pub sum: u64,
    /// Values whose other bytes are not those that their stamp asks for; one in 1024 is looked at.
    pub damaged: u64,
}

impl Digest {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    /// `FACTOR * INVERSE` is 1.
    const INVERSE: u64 = 0xf1de_83e1_9937_733d;

    #[inline]
    fn fold(&mut self, word: u64) {
        self.sum = (self.sum ^ word).wrapping_mul(Self::FACTOR).rotate_left(23);
    }

    #[inline]
    fn sample(&mut self, value: &[u8]) {
        if self.found.is_multiple_of(1024) {
            let (index, version) = data::read_stamp(stamp_of(value));
            self.damaged += u64::from(value != data::value(index, version));
        }
    }

    /// An answer to a get.
    #[inline]
    pub fn value(&mut self, value: &[u8]) {
        self.sample(value);
        self.stamp(stamp_of(value));
    }

    /// The same by the stamp of the value.
    #[inline]
    pub fn stamp(&mut self, stamp: u64) {
        self.found += 1;
        self.fold(stamp);
    }

    /// The stamp, if this is the digest of one value.
    pub fn only(&self) -> Option<u64> {
        (self.found == 1 && self.missed == 0).then(|| self.sum.rotate_right(23).wrapping_mul(Self::INVERSE))
    }

    /// A key that was absent.
    #[inline]
    pub fn miss(&mut self) {
        self.missed += 1;
        self.fold(1);
    }

    /// An answer, or none.
    #[inline]
    pub fn answer<T: AsRef<[u8]>>(&mut self, answer: Option<T>) {
        match answer {
            Some(value) => self.value(value.as_ref()),
            None => self.miss(),
        }
    }

    /// An entry of a scan.
    #[inline]
    pub fn entry(&mut self, key: &[u8], value: &[u8]) {
        self.sample(value);
        let rank = key.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        self.ranked(rank, stamp_of(value));
    }

    /// The same by rank and stamp.
    #[inline]
    pub fn ranked(&mut self, rank: u64, stamp: u64) {
        self.found += 1;
        self.fold(rank ^ stamp.rotate_left(32));
    }
}

/// What a database is, for the report.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The word on the command line.
    pub name: &'static str,
    /// Name as its makers write it.
    pub title: &'static str,
    /// Crate and version.
    pub version: &'static str,
    /// What was set, and the levels of writes.
    pub settings: &'static str,
    /// A log-structured one: has background work and takes part in the large run.
    pub lsm: bool,
    /// Set if it has no level [`Level::Process`]: what stands in for it. It is then not judged in rows that take this level.
    pub weaker: Option<&'static str>,
}

/// Opens a database in a folder, and makes it if there is none.
pub type Open = fn(&Path, &Setup) -> Result<Box<dyn Engine>>;

/// An open database.
pub trait Engine: Sync {
    /// What one thread uses; made and dropped on it.
    fn session(&self, view: View) -> Result<Box<dyn Session + '_>>;

    /// Brings everything to disk, and waits until background work is done. Gives back for how long nothing was
    /// going on any more before it was sure of that.
    fn settle(&self) -> Result<Duration>;

    /// Loads entries that rise the fastest way that there is, and brings them to disk.
    fn ingest(&self, entries: &mut dyn Iterator<Item = (Key, Value)>) -> Result<()>;

    /// Closes it cleanly.
    fn close(self: Box<Self>) -> Result<()>;
}

/// A thread's hold of a database.
pub trait Session {
    /// Reads an owned value.
    fn get(&mut self, key: &Key, digest: &mut Digest) -> Result<()>;

    /// Reads a value where it lies, if the engine lends it.
    fn get_with(&mut self, key: &Key, digest: &mut Digest) -> Result<()>;

    /// Reads several values.
    fn get_many(&mut self, keys: &[Key], digest: &mut Digest) -> Result<()> {
        keys.iter().try_for_each(|key| self.get(key, digest))
    }

    /// Walks from a key (from the end of its side without one), at most `limit` entries.
    fn scan(
        &mut self,
        from: Option<&Key>,
        direction: Direction,
        limit: usize,
        digest: &mut Digest,
    ) -> Result<()>;

    /// Puts a value.
    fn put(&mut self, key: &Key, value: &Value) -> Result<()>;

    /// Writes all changes or none.
    fn write(&mut self, changes: &[Change]) -> Result<()>;

    /// A transaction: reads two, writes two.
    fn transaction(
        &mut self,
        reads: &[Key; 2],
        writes: &[(Key, Value); 2],
        digest: &mut Digest,
    ) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_can_be_read_back() {
        assert_eq!(Digest::FACTOR.wrapping_mul(Digest::INVERSE), 1);
        let mut digest = Digest::default();
        digest.value(&data::value(3, 4));
        assert_eq!(digest.only().map(data::read_stamp), Some((3, 4)));
        digest.miss();
        assert_eq!(digest.only(), None);
    }
}
