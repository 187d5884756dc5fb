//! Records: 16-byte keys without order, 100-byte values of which every other half can be compressed away.

/// A key.
pub type Key = [u8; 16];
/// A value.
pub type Value = [u8; 100];

/// Bytes of a record, without what a database adds.
pub const RECORD_BYTES: usize = size_of::<Key>() + size_of::<Value>();

const HALF: usize = size_of::<Value>() / 2;
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Numbers from here on name keys that are never written.
const ABSENT: u64 = 1 << 40;

/// A bijection of 64 bits without visible order (the finalizer of SplitMix64).
pub const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The number whose [`mix`] is `mixed`.
pub const fn unmix(mixed: u64) -> u64 {
    let number = (mixed ^ (mixed >> 31) ^ (mixed >> 62)).wrapping_mul(0x3196_42b2_d24d_8ec3);
    let number = (number ^ (number >> 27) ^ (number >> 54)).wrapping_mul(0x96de_1b17_3f11_9089);
    number ^ (number >> 30) ^ (number >> 60)
}

/// Where record `index` stands in key order: no two are equal.
pub const fn rank(index: u64) -> u64 {
    mix(index.wrapping_add(GOLDEN))
}

/// The key of record `index`.
pub fn key(index: u64) -> Key {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&rank(index).to_be_bytes());
    key[8..].copy_from_slice(&mix(index ^ GOLDEN).to_be_bytes());
    key
}

/// A key among the others that no record has.
pub fn absent_key(index: u64) -> Key {
    key(ABSENT + index)
}

/// The first eight bytes of a value: they name the record and the version, so that no two values are alike.
pub const fn stamp(index: u32, version: u32) -> u64 {
    mix((index as u64) << 32 | version as u64)
}

/// Record and version that a stamp names.
pub const fn read_stamp(stamp: u64) -> (u32, u32) {
    let number = unmix(stamp);
    ((number >> 32) as u32, number as u32)
}

/// The stamp of a value; of one that is too short, one that fits no record.
#[inline]
pub fn stamp_of(value: &[u8]) -> u64 {
    value.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The value that record `index` has in a version: fifty bytes that no other value shares, twice.
pub fn value(index: u32, version: u32) -> Value {
    let mut value = [0; 100];
    let stamp = stamp(index, version);
    value[..8].copy_from_slice(&stamp.to_le_bytes());
    for (nth, chunk) in value[8..HALF].chunks_mut(8).enumerate() {
        let bytes = mix(stamp.wrapping_add(GOLDEN.wrapping_mul(nth as u64 + 1))).to_le_bytes();
        chunk.copy_from_slice(&bytes[..chunk.len()]);
    }
    let (first, second) = value.split_at_mut(HALF);
    second.copy_from_slice(first);
    value
}

/// Random numbers from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Random(mix(seed ^ GOLDEN))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.number()) * u128::from(end)) >> 64) as u64
    }

    /// A number from 0 to 1, 1 not included.
    pub fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn mix_can_be_undone() {
        let mut random = Random::new(1);
        for number in (0..1000).map(|_| random.number()).chain([0, 1, u64::MAX]) {
            assert_eq!(unmix(mix(number)), number);
        }
        assert_eq!(read_stamp(stamp(7, 9)), (7, 9));
    }

    #[test]
    fn no_two_values_share_eight_bytes() {
        let mut seen = HashSet::new();
        for (index, version) in (0..500).flat_map(|index| [(index, 1), (index, 2)]) {
            let value = value(index, version);
            assert_eq!(value[..HALF], value[HALF..]);
            assert_eq!(read_stamp(stamp_of(&value)), (index, version));
            assert!(value[..HALF].windows(8).all(|window| seen.insert(window.to_vec())));
        }
    }

    #[test]
    fn keys_are_ordered_by_rank() {
        let mut indexes: Vec<u64> = (0..1000).collect();
        indexes.sort_by_key(|index| rank(*index));
        assert!(indexes.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert_ne!(indexes, (0..1000).collect::<Vec<_>>());
    }
}
