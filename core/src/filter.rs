//! A blocked Bloom filter: all bits of a key lie in one line of 64 bytes, so that a look costs one cache line.
//!
//! After F. Putze, P. Sanders, J. Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007). It knows hashes
//! only: keys that are equal have equal bytes under every order.

/// Bytes of a line.
pub const LINE: usize = 64;

/// Bits of a line for each key that it gets in the mean.
const BITS_PER_KEY: u64 = 10;
/// Bits that a key sets; about 0.6 times the bits per key is best where lines are filled unevenly.
const PROBES: usize = 6;
/// Bits that name a bit of a line.
const POSITION_BITS: u32 = 9;
/// Odd: every bit of a hash counts for the upper bits of the product.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Lines of a filter for so many keys.
pub fn lines_for(keys: usize) -> usize {
    (keys as u64 * BITS_PER_KEY).div_ceil(8 * LINE as u64) as usize
}

/// The line of a hash in a filter of `lines` lines.
#[inline]
pub fn line_of(hash: u64, lines: u32) -> u32 {
    (((hash >> 32) * u64::from(lines)) >> 32) as u32
}

/// Sets the bits of a hash in its line.
pub fn add(line: &mut [u8; LINE], hash: u64) {
    for position in positions(hash) {
        line[position / 8] |= 1 << (position % 8);
    }
}

/// `false`: nothing with this hash was added to its line.
#[inline]
pub fn may_hold(line: &[u8; LINE], hash: u64) -> bool {
    positions(hash).map(|position| line[position / 8] >> (position % 8)).fold(1, |all, bits| all & bits) & 1
        == 1
}

/// The bits of a hash, in its line.
#[inline]
pub fn positions(hash: u64) -> impl Iterator<Item = usize> {
    let bits = hash.wrapping_mul(FACTOR);
    (1..=PROBES as u32).map(move |probe| (bits >> (u64::BITS - probe * POSITION_BITS)) as usize % (8 * LINE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::hash_key;

    fn filter_of(hashes: impl Iterator<Item = u64> + Clone) -> Vec<[u8; LINE]> {
        let mut lines = vec![[0; LINE]; lines_for(hashes.clone().count())];
        for hash in hashes {
            let line = line_of(hash, lines.len() as u32);
            add(&mut lines[line as usize], hash);
        }
        lines
    }

    fn holds(lines: &[[u8; LINE]], hash: u64) -> bool {
        may_hold(&lines[line_of(hash, lines.len() as u32) as usize], hash)
    }

    /// A name, and key number `i`.
    type Kind = (&'static str, fn(u64) -> Vec<u8>);

    /// Keys as people make them.
    fn kinds() -> [Kind; 7] {
        [
            ("numbers, big endian", |i| i.to_be_bytes().to_vec()),
            ("numbers, little endian", |i| i.to_le_bytes().to_vec()),
            ("four bytes", |i| (i as u32).to_be_bytes().to_vec()),
            ("decimals", |i| format!("{i:016}").into_bytes()),
            ("names", |i| format!("user:{i}").into_bytes()),
            ("long ones", |i| format!("a/path/that/all/keys/of/a/table/share/{i}/and/an/end").into_bytes()),
            ("multiples", |i| (i << 20).to_be_bytes().to_vec()),
        ]
    }

    #[test]
    fn what_was_added_is_held_and_about_one_in_a_hundred_else() {
        for (name, key) in kinds() {
            for count in [1_000, 100_000u64] {
                let hashes = (0..count).map(|i| hash_key(&key(i)));
                let lines = filter_of(hashes.clone());
                assert!(hashes.clone().all(|hash| holds(&lines, hash)), "{name}");
                let others = 200_000;
                let wrong = (count..count + others).filter(|i| holds(&lines, hash_key(&key(*i)))).count();
                let rate = wrong as f64 / others as f64;
                println!("{name}, {count} keys: {:.2} % false positives", 100.0 * rate);
                assert!((0.005..0.015).contains(&rate), "{name}, {count} keys: {rate}");
            }
        }
    }

    #[test]
    fn a_filter_takes_ten_bits_a_key() {
        assert_eq!([0, 1, 51, 52, 512].map(lines_for), [0, 1, 1, 2, 10]);
        assert_eq!(lines_for(1_000_000) * LINE, 1_250_048);
    }

    #[test]
    fn lines_are_chosen_evenly_and_in_range() {
        for lines in [1, 2, 3, 1000, u32::MAX] {
            assert_eq!(line_of(0, lines), 0);
            assert_eq!(line_of(u64::MAX, lines), lines - 1);
        }
        assert_eq!(line_of(u64::MAX / 2, 1000), 499);
    }

    #[test]
    fn the_bits_are_pinned() {
        let mut line = [0; LINE];
        add(&mut line, hash_key(b"key/apple-pie"));
        let set: Vec<_> = (0..8 * LINE).filter(|bit| line[bit / 8] >> (bit % 8) & 1 == 1).collect();
        assert_eq!(set, [23, 57, 317, 319, 332, 397]);
    }
}
