//! The hash of a key: chooses its place among cached rows and its bits in the filter of a table. It is part of the
//! table format, so it never changes.

/// Start of every hash.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
/// Odd, with ones and zeros well mixed.
const FACTOR: u64 = 0xd6e8_feb8_6659_fd93;

/// Folded multiplications of eight bytes each, the last one of what is left (zero to seven bytes, filled up with
/// zeros). Who chooses keys so that their hashes meet makes them miss the cache or pass a filter, no more.
#[inline]
pub fn hash_key(key: &[u8]) -> u64 {
    let (words, rest) = key.as_chunks::<8>();
    let mut hash = SEED ^ (key.len() as u64) << 32;
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word), FACTOR);
    }
    fold(hash ^ last_word(key, rest), FACTOR ^ SEED)
}

/// The rest as a word, without a loop where the key has a whole word to read it by.
#[inline]
fn last_word(key: &[u8], rest: &[u8]) -> u64 {
    match key.last_chunk::<8>() {
        Some(_) if rest.is_empty() => 0,
        Some(last) => u64::from_le_bytes(*last) >> (8 * (8 - rest.len())),
        None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// The two halves of a product over each other.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of the format, word by word.
    fn by_definition(key: &[u8]) -> u64 {
        let mut hash = SEED ^ (key.len() as u64) << 32;
        let (whole, rest) = key.split_at(key.len() / 8 * 8);
        for word in whole.chunks(8) {
            hash = fold(hash ^ u64::from_le_bytes(word.try_into().unwrap()), FACTOR);
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        fold(hash ^ u64::from_le_bytes(last), FACTOR ^ SEED)
    }

    #[test]
    fn every_length_is_hashed_by_the_definition() {
        let bytes: Vec<u8> = (1..=100).collect();
        for len in 0..=bytes.len() {
            assert_eq!(hash_key(&bytes[..len]), by_definition(&bytes[..len]), "{len}");
        }
    }

    #[test]
    fn the_values_are_pinned() {
        let pinned = [
            ("", 0x9d9e_c808_4f58_1e51),
            ("a", 0x8f7e_b027_6024_8a71),
            ("key/apple-pie", 0xe417_ea4f_4b6c_4d9a),
            ("0123456789abcdef", 0x7857_7c70_00b3_d91c),
        ];
        for (key, value) in pinned {
            assert_eq!(hash_key(key.as_bytes()), value, "{key:?} {:#x}", hash_key(key.as_bytes()));
        }
    }
}
