//! Page codecs.

mod zstd;

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};

use zstd::ZstdCompressor;

/// How the bytes of a page are stored. The numbers are part of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Codec {
    /// As they are.
    Raw = 0,
    /// A Zstd frame.
    Zstd = 1,
    /// LZ4 block.
    Lz4 = 2,
    /// Snappy, without framing.
    Snappy = 3,
}

impl Codec {
    /// The codec of a byte from a file; `None` for one that this version does not have.
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Codec::Raw, Codec::Zstd, Codec::Lz4, Codec::Snappy].into_iter().find(|codec| *codec as u8 == byte)
    }

    /// The most bytes that `stored_len` stored bytes can stand for: what a reader may allocate.
    pub fn max_raw_len(self, stored_len: usize) -> usize {
        match self {
            Codec::Raw => stored_len,
            // A block of at most 128 KiB takes at least a header of three bytes and one more.
            Codec::Zstd => stored_len.saturating_mul(32 << 10),
            // A byte of a length field stands for at most 255 bytes, any other byte for fewer than 32.
            Codec::Lz4 => stored_len.saturating_mul(255),
            // A copy of 64 bytes takes three.
            Codec::Snappy => stored_len.saturating_mul(22),
        }
    }

    /// Fills `out` with what `stored` stands for; `Err` says what is wrong with the bytes.
    pub fn decompress(self, stored: &[u8], out: &mut [u8]) -> Result<(), &'static str> {
        let (len, expected) = match self {
            Codec::Raw if stored.len() == out.len() => {
                out.copy_from_slice(stored);
                (Some(stored.len()), "")
            }
            Codec::Raw => (None, "as many stored bytes as raw bytes"),
            Codec::Zstd => (zstd::decompress(stored, out), "a Zstd frame of the raw length"),
            Codec::Lz4 => (decompress_into(stored, out).ok(), "an LZ4 block of the raw length"),
            Codec::Snappy => {
                (snap::raw::Decoder::new().decompress(stored, out).ok(), "Snappy bytes of the raw length")
            }
        };
        if len == Some(out.len()) { Ok(()) } else { Err(expected) }
    }
}

/// How new pages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    /// The codec of pages for which it pays.
    pub codec: Codec,
    /// How hard Zstd tries; the others have one level.
    pub level: i32,
}

impl Compression {
    /// None.
    pub const NONE: Self = Compression { codec: Codec::Raw, level: 0 };
}

/// Compresses pages one after the other.
#[derive(Debug)]
pub struct Compressor {
    codec: Codec,
    zstd: Option<ZstdCompressor>,
}

impl Compressor {
    /// With the memory that its codec needs; without it, pages stay raw.
    pub fn new(compression: Compression) -> Self {
        let zstd =
            (compression.codec == Codec::Zstd).then(|| ZstdCompressor::new(compression.level)).flatten();
        Compressor { codec: compression.codec, zstd }
    }

    /// The codec of pages for which it pays.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Puts the compressed form of `raw` into `out`. `false`: it would save less than an eighth, or
    /// there is no memory for it; store `raw` then. `out` holds nothing of use in that case.
    pub fn compress(&mut self, raw: &[u8], out: &mut Vec<u8>) -> bool {
        let room = match self.codec {
            Codec::Raw => return false,
            Codec::Zstd => zstd::max_compressed_len(raw.len()),
            Codec::Lz4 => get_maximum_output_size(raw.len()),
            Codec::Snappy => snap::raw::max_compress_len(raw.len()),
        };
        if out.try_reserve(room.saturating_sub(out.len())).is_err() {
            return false;
        }
        out.resize(room, 0);
        let len = match self.codec {
            Codec::Raw => None,
            Codec::Zstd => self.zstd.as_mut().and_then(|zstd| zstd.compress(raw, out)),
            Codec::Lz4 => compress_into(raw, out).ok(),
            Codec::Snappy => snap::raw::Encoder::new().compress(raw, out).ok(),
        };
        let Some(len) = len else { return false };
        out.truncate(len);
        len <= raw.len() - raw.len() / 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACKED: [Codec; 3] = [Codec::Zstd, Codec::Lz4, Codec::Snappy];

    fn compress(codec: Codec, raw: &[u8], out: &mut Vec<u8>) -> bool {
        Compressor::new(Compression { codec, level: 1 }).compress(raw, out)
    }

    proptest! {
        #[test]
        fn bytes_come_back(pieces in proptest::collection::vec((any::<u8>(), 1usize..400), 0..40)) {
            let raw: Vec<u8> = pieces.iter().flat_map(|&(byte, len)| std::iter::repeat_n(byte, len)).collect();
            for codec in PACKED {
                let mut stored = vec![7; 3];
                if compress(codec, &raw, &mut stored) {
                    prop_assert!(stored.len() <= raw.len() - raw.len() / 8);
                    prop_assert!(raw.len() <= codec.max_raw_len(stored.len()));
                    let mut out = vec![0; raw.len()];
                    prop_assert_eq!(codec.decompress(&stored, &mut out), Ok(()));
                    prop_assert_eq!(&out, &raw);
                }
            }
        }

        #[test]
        fn hostile_bytes_never_panic(stored: Vec<u8>, len in 0usize..5000) {
            let mut out = vec![0; len];
            for codec in PACKED.into_iter().chain([Codec::Raw]) {
                let _ = codec.decompress(&stored, &mut out);
            }
        }

        #[test]
        fn changed_and_cut_bytes_never_panic(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
            let raw: Vec<u8> = (0..3000u32).map(|i| (i / 7 * i % 11) as u8).collect();
            for codec in PACKED {
                let mut stored = Vec::new();
                prop_assert!(compress(codec, &raw, &mut stored));
                let at = at.index(stored.len());
                stored[at] = byte;
                stored.truncate(cut.index(stored.len() * 2));
                let mut out = vec![0; raw.len()];
                let _ = codec.decompress(&stored, &mut out);
            }
        }
    }

    #[test]
    fn the_densest_block_is_within_the_bound() {
        for (raw, codec) in [13, 64, 1 << 20, 16 << 20].map(|len| vec![0; len]).iter().zip(PACKED.repeat(4)) {
            let mut stored = Vec::new();
            assert!(compress(codec, raw, &mut stored) || raw.len() < 20, "{codec:?} {}", raw.len());
            let most = codec.max_raw_len(stored.len());
            assert!(raw.len() <= most, "{codec:?} {} {}", raw.len(), stored.len());
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
        for codec in PACKED {
            assert!(!compress(codec, &raw, &mut Vec::new()));
            assert!(!compress(codec, b"", &mut Vec::new()));
        }
        assert!(!compress(Codec::Raw, &[0; 4096], &mut Vec::new()));
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        let raw = [0; 1000];
        for codec in PACKED {
            let mut stored = Vec::new();
            assert!(compress(codec, &raw, &mut stored));
            for len in [0, 999, 1001] {
                assert!(codec.decompress(&stored, &mut vec![0; len]).is_err(), "{codec:?} {len}");
                assert!(Codec::Raw.decompress(&raw, &mut vec![0; len]).is_err());
            }
        }
    }

    #[test]
    fn a_higher_level_of_zstd_saves_more() {
        let raw: Vec<u8> = (0..60_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8 & 15).collect();
        let size = |level| {
            let mut stored = Vec::new();
            assert!(Compressor::new(Compression { codec: Codec::Zstd, level }).compress(&raw, &mut stored));
            stored.len()
        };
        assert!(size(19) < size(1), "{} {}", size(19), size(1));
    }

    #[test]
    fn only_built_codecs_are_known() {
        for byte in 0..=255 {
            assert_eq!(
                Codec::from_byte(byte).map(|codec| codec as u8),
                (0..=3).contains(&byte).then_some(byte)
            );
        }
    }
}
