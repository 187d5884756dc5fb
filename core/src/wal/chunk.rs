//! One chunk: `crc u32 | payload length u32 | kind u8 | 3 zero bytes | durable mark u64 | payload`.

use crate::base::checksum::Checksum;
use crate::base::header::FILE_HEADER_LEN;
use crate::base::limits::MAX_CHUNK_PAYLOAD;
use crate::base::planted::{Plant, planted};

/// Bytes of a chunk in front of its payload.
pub const CHUNK_HEADER_LEN: usize = 20;
/// Where the kind stands in a chunk; three zero bytes follow it.
pub const KIND_AT: usize = 8;

/// What a chunk is of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ChunkKind {
    /// A whole record.
    Full = 1,
    /// The begin of a record.
    First = 2,
    /// Neither begin nor end.
    Middle = 3,
    /// The end of a record.
    Last = 4,
    /// No part of a record: only the durable mark.
    Mark = 5,
}

impl ChunkKind {
    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => ChunkKind::Full,
            2 => ChunkKind::First,
            3 => ChunkKind::Middle,
            4 => ChunkKind::Last,
            5 => ChunkKind::Mark,
            _ => return None,
        })
    }

    /// The kind of a record's chunk, by whether it is the record's first and its last.
    pub fn of_part(first: bool, last: bool) -> Self {
        match (first, last) {
            (true, true) => ChunkKind::Full,
            (true, false) => ChunkKind::First,
            (false, false) => ChunkKind::Middle,
            (false, true) => ChunkKind::Last,
        }
    }

    /// Whether the chunk's checksum covers that of the chunk before it.
    pub fn continues(self) -> bool {
        matches!(self, ChunkKind::Middle | ChunkKind::Last)
    }
}

/// The fields in front of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkHeader {
    /// The checksum as stored.
    pub crc: u32,
    /// Bytes of payload.
    pub len: usize,
    /// The kind.
    pub kind: ChunkKind,
    /// Length of the file known to be on stable storage when the chunk was made.
    pub durable: u64,
}

impl ChunkHeader {
    /// Appends the header with a checksum of zero; the payload and [`seal`] come behind it.
    pub fn encode_unsealed(&self, out: &mut Vec<u8>) {
        debug_assert!(self.len <= MAX_CHUNK_PAYLOAD);
        let mut bytes = [0; CHUNK_HEADER_LEN];
        bytes[4..8].copy_from_slice(&(self.len as u32).to_le_bytes());
        bytes[KIND_AT] = self.kind as u8;
        bytes[12..20].copy_from_slice(&self.durable.to_le_bytes());
        out.extend_from_slice(&bytes);
    }

    /// The header at the front of `bytes`, which stand at `offset` with `left` bytes up to the end of the
    /// file. `None` if it cannot be one that was written there. The checksum is not judged yet.
    pub fn decode(bytes: &[u8], offset: u64, left: u64) -> Option<ChunkHeader> {
        let bytes = bytes.first_chunk::<CHUNK_HEADER_LEN>()?;
        let [c0, c1, c2, c3, l0, l1, l2, l3, kind, 0, 0, 0, durable @ ..] = *bytes else { return None };
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let header = ChunkHeader {
            crc: u32::from_le_bytes([c0, c1, c2, c3]),
            len,
            kind: ChunkKind::from_byte(kind)?,
            durable: u64::from_le_bytes(durable),
        };
        let possible = len <= MAX_CHUNK_PAYLOAD
            && header.chunk_len() as u64 <= left
            && (header.kind != ChunkKind::Mark || len == 0)
            && (FILE_HEADER_LEN as u64..=offset).contains(&header.durable);
        possible.then_some(header)
    }

    /// Bytes of the whole chunk.
    pub fn chunk_len(&self) -> usize {
        CHUNK_HEADER_LEN + self.len
    }

    /// Whether `chunk`, the whole one that this header was decoded from, is what was written at `offset`.
    /// `previous` is the checksum of the record's chunk before it.
    pub fn verifies(&self, chunk: &[u8], sums: &Checksum, offset: u64, previous: Option<u32>) -> bool {
        debug_assert_eq!(chunk.len(), self.chunk_len());
        let is_right =
            || self.crc == checksum(chunk, sums, offset, previous) || planted(Plant::ChunkUnchecked);
        self.kind.continues() == previous.is_some() && is_right()
    }
}

/// Stores and returns the checksum of a chunk that is complete but for it.
pub fn seal(chunk: &mut [u8], sums: &Checksum, offset: u64, previous: Option<u32>) -> u32 {
    let crc = checksum(chunk, sums, offset, previous);
    if let Some(field) = chunk.first_chunk_mut() {
        *field = crc.to_le_bytes();
    }
    crc
}

fn checksum(chunk: &[u8], sums: &Checksum, offset: u64, previous: Option<u32>) -> u32 {
    let checked = chunk.get(4..).unwrap_or_default();
    match previous {
        None => sums.of(offset, &[checked]),
        Some(crc) => sums.of(offset, &[checked, &crc.to_le_bytes()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(kind: ChunkKind, payload: &[u8], previous: Option<u32>) -> Vec<u8> {
        let mut out = Vec::new();
        ChunkHeader { crc: 0, len: payload.len(), kind, durable: 64 }.encode_unsealed(&mut out);
        out.extend_from_slice(payload);
        seal(&mut out, &Checksum::new(1, 2), 100, previous);
        out
    }

    fn accepts(chunk: &[u8], sums: &Checksum, offset: u64, previous: Option<u32>) -> bool {
        ChunkHeader::decode(chunk, offset, chunk.len() as u64).is_some_and(|header| {
            header.chunk_len() == chunk.len() && header.verifies(chunk, sums, offset, previous)
        })
    }

    #[test]
    fn a_chunk_passes_only_in_its_place() {
        for (kind, previous) in
            [(ChunkKind::Full, None), (ChunkKind::First, None), (ChunkKind::Last, Some(7))]
        {
            let chunk = sample(kind, b"payload", previous);
            assert!(accepts(&chunk, &Checksum::new(1, 2), 100, previous));
            assert!(!accepts(&chunk, &Checksum::new(1, 2), 101, previous));
            assert!(!accepts(&chunk, &Checksum::new(1, 3), 100, previous));
            assert!(!accepts(&chunk, &Checksum::new(2, 2), 100, previous));
            assert!(!accepts(&chunk, &Checksum::new(1, 2), 100, Some(8)));
            assert!(previous.is_none() || !accepts(&chunk, &Checksum::new(1, 2), 100, None));
        }
    }

    #[test]
    fn no_flipped_bit_passes() {
        let chunk = sample(ChunkKind::Full, b"some payload", None);
        for bit in 0..chunk.len() * 8 {
            let mut chunk = chunk.clone();
            chunk[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepts(&chunk, &Checksum::new(1, 2), 100, None), "bit {bit}");
        }
    }

    #[test]
    fn impossible_fields_are_refused_before_the_checksum() {
        let good = sample(ChunkKind::Full, b"", None);
        assert!(ChunkHeader::decode(&good, 100, 20).is_some());
        let with = |at: usize, bytes: &[u8]| {
            let mut chunk = good.clone();
            chunk[at..at + bytes.len()].copy_from_slice(bytes);
            ChunkHeader::decode(&chunk, 100, 1 << 40)
        };
        assert!(with(4, &(MAX_CHUNK_PAYLOAD as u32).to_le_bytes()).is_some());
        assert!(with(4, &(MAX_CHUNK_PAYLOAD as u32 + 1).to_le_bytes()).is_none());
        assert!(with(8, &[0]).is_none());
        assert!(with(8, &[6]).is_none());
        assert!(with(11, &[1]).is_none());
        assert!(with(12, &100u64.to_le_bytes()).is_some());
        assert!(with(12, &101u64.to_le_bytes()).is_none());
        assert!(with(12, &63u64.to_le_bytes()).is_none());
        assert!(with(4, &[1, 0, 0, 0, 5]).is_none(), "a mark with a payload");
        assert!(ChunkHeader::decode(&good, 100, 19).is_none());
        assert!(ChunkHeader::decode(&good[..19], 100, 1 << 40).is_none());
    }
}
