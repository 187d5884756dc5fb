//! What lies behind a bad chunk: a torn tail, or a chunk that proves that the place was durable once.

use crate::base::checksum::Checksum;
use crate::base::error::Result;
use crate::wal::chunk::{CHUNK_HEADER_LEN, ChunkHeader, ChunkKind, KIND_AT};
use crate::wal::window::Window;

/// Outcome of [`search`].
#[derive(Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing says that the place was durable. The last byte that is not zero ends at `data_end`.
    Tail { data_end: u64 },
    /// The chunk at `at` says that the first `durable` bytes, the place among them, were on stable storage.
    Proof { at: u64, durable: u64 },
    /// So much looks like chunks that the search was given up.
    GivenUp,
}

/// Searches from `from` to the end for a chunk whose durable mark lies above `place`. Only chunks that
/// verify alone count. At most `budget` bytes are run through the checksum.
pub fn search(window: &mut Window, sums: &Checksum, from: u64, place: u64, mut budget: u64) -> Result<Rest> {
    let limit = window.limit();
    let mut at = from;
    let mut data_end = from;
    while at < limit {
        let bytes = window.at(at, CHUNK_HEADER_LEN)?;
        let skipped = no_chunk_within(bytes);
        if skipped > 0 {
            if let Some(last) = bytes.iter().take(skipped).rposition(|&byte| byte != 0) {
                data_end = at + last as u64 + 1;
            }
            at += skipped as u64;
            continue;
        }
        let Some(header) = ChunkHeader::decode(bytes, at, limit - at) else {
            at += 1;
            continue;
        };
        let len = header.chunk_len();
        let Some(left) = budget.checked_sub(len as u64) else { return Ok(Rest::GivenUp) };
        budget = left;
        let chunk = window.at(at, len)?;
        if !chunk.get(..len).is_some_and(|chunk| header.verifies(chunk, sums, at, None)) {
            at += 1;
        } else if header.durable > place {
            return Ok(Rest::Proof { at, durable: header.durable });
        } else {
            at += len as u64;
            data_end = at;
        }
    }
    Ok(Rest::Tail { data_end })
}

/// Number of bytes at the front at which no chunk that verifies alone can begin, judged by its kind.
/// 0 if one may begin at the first byte; never 0 when the bytes are too few for a chunk.
fn no_chunk_within(bytes: &[u8]) -> usize {
    const ZEROS: [u8; 64] = [0; 64];
    let kinds = [ChunkKind::Full, ChunkKind::First, ChunkKind::Mark].map(|kind| kind as u8);
    let Some(last) = bytes.len().checked_sub(CHUNK_HEADER_LEN) else { return bytes.len() };
    let mut at = 0;
    while at <= last {
        let rest = &bytes[at..];
        let kind = rest[KIND_AT];
        if kind == 0 && rest.starts_with(&ZEROS) {
            at += ZEROS.len() - KIND_AT;
        } else if kinds.contains(&kind) && rest[KIND_AT + 1..].starts_with(&ZEROS[..3]) {
            return at;
        } else {
            at += 1;
        }
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Where the first chunk may begin, found in steps as [`search`] makes them.
    fn first_candidate(bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            match no_chunk_within(&bytes[at..]) {
                0 => return Some(at),
                skipped => at += skipped,
            }
        }
        None
    }

    proptest! {
        #[test]
        fn no_possible_begin_is_skipped(runs in prop::collection::vec((0u8..7, 0usize..90), 0..30)) {
            // Runs of zeros with other bytes between them.
            let mut bytes = Vec::new();
            for (byte, zeros) in runs {
                bytes.push(byte);
                bytes.resize(bytes.len() + zeros, 0);
            }
            let slow = bytes.windows(CHUNK_HEADER_LEN).position(|it| matches!(it[8..12], [1 | 2 | 5, 0, 0, 0]));
            prop_assert_eq!(first_candidate(&bytes), slow);
        }
    }
}
