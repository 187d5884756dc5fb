//! Page codecs.

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};

/// How the bytes of a page are stored. The numbers are part of the file format; 1 (Zstd) and
/// 3 (Snappy) are reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Codec {
    /// As they are.
    Raw = 0,
    /// LZ4 block.
    Lz4 = 2,
}

impl Codec {
    /// The codec of a byte from a file; `None` for one that this version does not have.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Codec::Raw),
            2 => Some(Codec::Lz4),
            _ => None,
        }
    }

    /// Puts the compressed form of `raw` into `out`. `false`: it would save less than an eighth, or
    /// there is no memory for it; store `raw` then. `out` holds nothing of use in that case.
    pub fn compress(self, raw: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            Codec::Raw => false,
            Codec::Lz4 => {
                let room = get_maximum_output_size(raw.len());
                if out.try_reserve(room.saturating_sub(out.len())).is_err() {
                    return false;
                }
                out.resize(room, 0);
                let Ok(len) = compress_into(raw, out) else { return false };
                out.truncate(len);
                len <= raw.len() - raw.len() / 8
            }
        }
    }

    /// The most bytes that `stored_len` stored bytes can stand for: what a reader may allocate.
    pub fn max_raw_len(self, stored_len: usize) -> usize {
        match self {
            Codec::Raw => stored_len,
            // A byte of a length field stands for at most 255 bytes, any other byte for fewer than 32.
            Codec::Lz4 => stored_len.saturating_mul(255),
        }
    }

    /// Fills `out` with what `stored` stands for; `Err` says what is wrong with the bytes.
    pub fn decompress(self, stored: &[u8], out: &mut [u8]) -> Result<(), &'static str> {
        match self {
            Codec::Raw if stored.len() == out.len() => {
                out.copy_from_slice(stored);
                Ok(())
            }
            Codec::Lz4 if decompress_into(stored, out).is_ok_and(|len| len == out.len()) => Ok(()),
            Codec::Raw => Err("as many stored bytes as raw bytes"),
            Codec::Lz4 => Err("an LZ4 block of the raw length"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_come_back(pieces in proptest::collection::vec((any::<u8>(), 1usize..400), 0..40)) {
            let raw: Vec<u8> = pieces.iter().flat_map(|&(byte, len)| std::iter::repeat_n(byte, len)).collect();
            let mut stored = vec![7; 3];
            let pays = Codec::Lz4.compress(&raw, &mut stored);
            if pays {
                prop_assert!(stored.len() <= raw.len() - raw.len() / 8);
                prop_assert!(raw.len() <= Codec::Lz4.max_raw_len(stored.len()));
                let mut out = vec![0; raw.len()];
                prop_assert_eq!(Codec::Lz4.decompress(&stored, &mut out), Ok(()));
                prop_assert_eq!(out, raw);
            }
        }

        #[test]
        fn hostile_bytes_never_panic(stored: Vec<u8>, len in 0usize..5000) {
            let mut out = vec![0; len];
            let _ = Codec::Lz4.decompress(&stored, &mut out);
            let _ = Codec::Raw.decompress(&stored, &mut out);
        }

        #[test]
        fn changed_and_cut_bytes_never_panic(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
            let raw: Vec<u8> = (0..3000u32).map(|i| (i / 7 * i % 11) as u8).collect();
            let mut stored = Vec::new();
            prop_assert!(Codec::Lz4.compress(&raw, &mut stored));
            let at = at.index(stored.len());
            stored[at] = byte;
            stored.truncate(cut.index(stored.len() * 2));
            let mut out = vec![0; raw.len()];
            let _ = Codec::Lz4.decompress(&stored, &mut out);
        }
    }

    #[test]
    fn the_densest_block_is_within_the_bound() {
        for raw in [vec![0; 13], vec![0; 64], vec![0; 1 << 20]] {
            let mut stored = Vec::new();
            assert!(Codec::Lz4.compress(&raw, &mut stored));
            assert!(raw.len() <= Codec::Lz4.max_raw_len(stored.len()), "{} {}", raw.len(), stored.len());
        }
    }

    #[test]
    fn random_bytes_do_not_pay() {
        let mut state = 1u64;
        let raw: Vec<u8> = (0..4096)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        assert!(!Codec::Lz4.compress(&raw, &mut Vec::new()));
        assert!(!Codec::Lz4.compress(b"", &mut Vec::new()));
        assert!(!Codec::Raw.compress(&[0; 4096], &mut Vec::new()));
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        let raw = [0; 1000];
        let mut stored = Vec::new();
        assert!(Codec::Lz4.compress(&raw, &mut stored));
        for len in [0, 999, 1001] {
            assert!(Codec::Lz4.decompress(&stored, &mut vec![0; len]).is_err());
            assert!(Codec::Raw.decompress(&raw, &mut vec![0; len]).is_err());
        }
    }

    #[test]
    fn only_built_codecs_are_known() {
        for byte in 0..=255 {
            assert_eq!(
                Codec::from_byte(byte).map(|codec| codec as u8),
                [0, 2].contains(&byte).then_some(byte)
            );
        }
    }
}
