//! LZ4 blocks of pages: the format of everybody, written faster where repeats are long and what lies between them is
//! random, as in records.
//!
//! Four neighbouring positions are entered in the table at a time and only the first of them is looked up: a repeat is
//! found within four bytes of its begin, and what was passed is won back by going backwards. Looking up each
//! position, as usual, takes a third more instructions.

/// Longest input: positions in the table have 16 bits.
pub const MAX_LEN: usize = u16::MAX as usize;

const TABLE_BITS: u32 = 12;
/// Odd; the upper bits of a product with it depend on all five bytes that are hashed.
const FACTOR: u64 = 889_523_592_379;
/// Positions entered, and passed by, at once.
const STRIDE: usize = 4;
/// Bytes without a repeat after which strides get longer, by one more byte each time.
const PATIENCE: usize = 64;

/// Of the format: the shortest match, the bytes at the end that are literals, and the bytes from the last begin of a match to the end.
const MIN_MATCH: usize = 4;
const LAST_LITERALS: usize = 5;
const LAST_BEGIN: usize = 12;
/// A length that does not fit its half of the token goes on in bytes of its own.
const LONG: usize = 15;

/// Compresses blocks one after the other.
#[derive(Debug)]
pub struct Lz4Compressor {
    /// Where a hash was met last in the present block.
    table: Box<[u16; 1 << TABLE_BITS]>,
}

impl Lz4Compressor {
    /// With a table of 8 KiB.
    pub fn new() -> Self {
        Lz4Compressor { table: Box::new([0; 1 << TABLE_BITS]) }
    }

    /// Writes the block of `raw` to the start of `out`; its length. `None` if it does not fit, or `raw` is longer than [`MAX_LEN`].
    pub fn compress(&mut self, raw: &[u8], out: &mut [u8]) -> Option<usize> {
        if raw.len() > MAX_LEN {
            return None;
        }
        // With what older blocks left, the output would depend on them.
        self.table.fill(0);
        let mut out = Output { out, len: 0 };
        let (mut position, mut anchor) = (0, 0);
        while position + LAST_BEGIN <= raw.len() {
            let word = word_at(raw, position);
            let candidate = self.enter(word, position);
            if candidate < position && word_at(raw, candidate) as u32 == word as u32 {
                let back = common_suffix_len(&raw[anchor..position], &raw[..candidate]);
                let (begin, source) = (position - back, candidate - back);
                let end = position + MIN_MATCH;
                let end = end + common_len(raw, candidate + MIN_MATCH, end, raw.len() - LAST_LITERALS);
                out.sequence(&raw[anchor..begin], Some((begin - source, end - begin)))?;
                (position, anchor) = (end, end);
                if let Some(inside) = end.checked_sub(2) {
                    self.table[slot(word_at(raw, inside))] = inside as u16;
                }
            } else {
                position += STRIDE + (position - anchor) / PATIENCE;
            }
        }
        out.sequence(raw.get(anchor..)?, None)?;
        Some(out.len)
    }

    /// Enters a position and the three behind it. The one that had the hash of the first of them before.
    #[inline]
    fn enter(&mut self, word: u64, position: usize) -> usize {
        let before = self.table[slot(word)];
        for next in 0..STRIDE {
            self.table[slot(word >> (8 * next))] = (position + next) as u16;
        }
        usize::from(before)
    }
}

/// The place in the table of the first five bytes of a word.
#[inline]
fn slot(word: u64) -> usize {
    ((word << 24).wrapping_mul(FACTOR) >> (u64::BITS - TABLE_BITS)) as usize
}

/// The eight bytes at a position; zeros where there are fewer.
#[inline]
fn word_at(raw: &[u8], position: usize) -> u64 {
    let chunk = raw.get(position..).and_then(|rest| rest.first_chunk());
    chunk.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Bytes from `a` and from `b` on that are equal; those from `b` on reach to `end` at most.
#[inline]
fn common_len(raw: &[u8], a: usize, b: usize, end: usize) -> usize {
    let mut len = 0;
    while b + len + 8 <= end {
        let differing = word_at(raw, a + len) ^ word_at(raw, b + len);
        if differing != 0 {
            return len + differing.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    while b + len < end && raw[a + len] == raw[b + len] {
        len += 1;
    }
    len
}

#[inline]
fn common_suffix_len(a: &[u8], b: &[u8]) -> usize {
    a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

struct Output<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Output<'_> {
    /// Appends literals and the match behind them: its offset and length.
    #[inline]
    fn sequence(&mut self, literals: &[u8], found: Option<(usize, usize)>) -> Option<()> {
        let repeated = found.map_or(0, |(_, len)| len - MIN_MATCH);
        self.byte((literals.len().min(LONG) << 4 | repeated.min(LONG)) as u8)?;
        self.long(literals.len())?;
        let end = self.len.checked_add(literals.len())?;
        self.out.get_mut(self.len..end)?.copy_from_slice(literals);
        self.len = end;
        let Some((offset, _)) = found else { return Some(()) };
        self.byte(offset as u8)?;
        self.byte((offset >> 8) as u8)?;
        self.long(repeated)
    }

    /// The part of a length that the token does not hold.
    #[inline]
    fn long(&mut self, len: usize) -> Option<()> {
        let Some(mut rest) = len.checked_sub(LONG) else { return Some(()) };
        while rest >= 255 {
            self.byte(255)?;
            rest -= 255;
        }
        self.byte(rest as u8)
    }

    #[inline]
    fn byte(&mut self, byte: u8) -> Option<()> {
        *self.out.get_mut(self.len)? = byte;
        self.len += 1;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(raw: &[u8]) -> Vec<u8> {
        let mut out = vec![0; lz4_flex::block::get_maximum_output_size(raw.len())];
        let len = Lz4Compressor::new().compress(raw, &mut out).unwrap();
        out.truncate(len);
        out
    }

    fn check(raw: &[u8]) -> usize {
        let stored = packed(raw);
        assert_eq!(lz4_flex::block::decompress(&stored, raw.len()).unwrap(), raw);
        stored.len()
    }

    fn noise(len: usize, seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    proptest! {
        #[test]
        fn another_decoder_gets_the_bytes_back(
            pieces in proptest::collection::vec((0usize..300, 0usize..2000, 0u64..40), 0..60),
        ) {
            // Noise, and repeats of what came before at every distance.
            let mut raw: Vec<u8> = Vec::new();
            for (len, back, seed) in pieces {
                match raw.len().checked_sub(back) {
                    Some(from) if back > 0 => (0..len).for_each(|i| raw.push(raw[from + i])),
                    _ => raw.extend(noise(len, seed)),
                }
            }
            check(&raw);
        }

        #[test]
        fn what_does_not_fit_is_refused(raw in proptest::collection::vec(0u8..3, 0..600), part in 0usize..100) {
            let stored = packed(&raw);
            let room = stored.len() * part / 100;
            prop_assert_eq!(Lz4Compressor::new().compress(&raw, &mut vec![0; room]), None);
            let mut exact = vec![0; stored.len()];
            prop_assert_eq!(Lz4Compressor::new().compress(&raw, &mut exact), Some(stored.len()));
            prop_assert_eq!(exact, stored);
        }
    }

    #[test]
    fn every_short_length_and_every_end_of_a_match() {
        for len in 0..300 {
            check(&vec![7; len]);
            check(&noise(len, 3));
            check(&noise(len, 3).repeat(2));
            check(&[noise(len, 3), vec![1; 40], noise(len, 3), noise(17, 4)].concat());
        }
        check(&vec![0; MAX_LEN]);
        check(&noise(MAX_LEN, 9));
        assert_eq!(Lz4Compressor::new().compress(&vec![0; MAX_LEN + 1], &mut vec![0; MAX_LEN]), None);
    }

    #[test]
    fn records_get_about_as_small_as_by_the_usual_search() {
        let half = |i: u64| noise(50, i);
        let raw: Vec<u8> = (0..35).flat_map(|i| [noise(14, 999 + i), half(i), half(i)].concat()).collect();
        let (own, usual) = (check(&raw), lz4_flex::block::compress(&raw).len());
        assert!(own <= usual + usual / 50, "{own} against {usual}");
        let text = "the quick brown fox jumps over the lazy dog and runs; ".repeat(5)
            + &(0..200).map(|i| format!("user:{i:05},")).collect::<String>();
        let (own, usual) = (check(text.as_bytes()), lz4_flex::block::compress(text.as_bytes()).len());
        assert!(own <= usual + usual / 4, "{own} against {usual}");
    }

    #[test]
    fn a_compressor_forgets_the_block_before() {
        let mut one = Lz4Compressor::new();
        let (a, b) = (noise(2000, 1).repeat(2), noise(2000, 2).repeat(2));
        let mut out = vec![0; 8000];
        one.compress(&a, &mut out).unwrap();
        let len = one.compress(&b, &mut out).unwrap();
        assert_eq!(out[..len], packed(&b));
    }
}
