//! The bytes of a file: sparse, and cheap to copy.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Bytes that are shared, copied and charged for together.
pub const CHUNK: u64 = 4096;

/// Bytes of one chunk.
pub type Chunk = [u8; CHUNK as usize];

/// The bytes of a file. A chunk that is not there is all zeros; bytes of a chunk behind the length are
/// zero. A copy shares its chunks until one side is written.
#[derive(Clone, Debug, Default)]
pub struct Content {
    len: u64,
    chunks: BTreeMap<u64, Arc<Chunk>>,
}

impl Content {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buf` from `offset`.
    pub fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        if buf.is_empty() {
            return Ok(());
        }
        if end_of(offset, buf.len())? > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for piece in pieces(offset, buf.len()) {
            let into = &mut buf[piece.buf.clone()];
            match self.chunks.get(&piece.index) {
                Some(chunk) => into.copy_from_slice(&chunk[piece.chunk]),
                None => into.fill(0),
            }
        }
        Ok(())
    }

    /// Writes `buf` at `offset`, growing as needed.
    pub fn write(&mut self, buf: &[u8], offset: u64) -> io::Result<()> {
        if buf.is_empty() {
            return Ok(());
        }
        self.len = self.len.max(end_of(offset, buf.len())?);
        for piece in pieces(offset, buf.len()) {
            let chunk = self.chunks.entry(piece.index).or_insert_with(|| Arc::new([0; CHUNK as usize]));
            Arc::make_mut(chunk)[piece.chunk].copy_from_slice(&buf[piece.buf]);
        }
        Ok(())
    }

    /// Cuts, or grows by a hole.
    pub fn set_len(&mut self, len: u64) -> io::Result<()> {
        end_of(len, 0)?;
        if len < self.len {
            self.end_at(len);
        }
        self.len = len;
        Ok(())
    }

    /// Indexes of the chunks of a range that lies within the file.
    pub fn within(offset: u64, len: usize) -> impl Iterator<Item = u64> {
        pieces(offset, len).map(|piece| piece.index)
    }

    /// Indexes of the chunks that a cut to `len` changes or drops.
    pub fn cut_by(&self, len: u64) -> impl Iterator<Item = u64> + '_ {
        self.chunks.range(len / CHUNK..).map(|(index, _)| *index)
    }

    /// Makes the length and the named chunks the same as in `other`.
    pub fn take_from(&mut self, other: &Content, chunks: impl IntoIterator<Item = u64>) {
        self.len = other.len;
        for index in chunks {
            self.put_chunk(index, other.chunk(index));
        }
    }

    /// A chunk as it is; `None`: zeros.
    pub fn chunk(&self, index: u64) -> Option<Arc<Chunk>> {
        self.chunks.get(&index).cloned()
    }

    /// Replaces a chunk, whatever the length: [`Content::end_at`] comes behind it.
    pub fn put_chunk(&mut self, index: u64, chunk: Option<Arc<Chunk>>) {
        match chunk {
            Some(chunk) => self.chunks.insert(index, chunk),
            None => self.chunks.remove(&index),
        };
    }

    /// Sets the length, and drops what stands behind it.
    pub fn end_at(&mut self, len: u64) {
        let kept = len.div_ceil(CHUNK);
        self.chunks.split_off(&kept);
        if !len.is_multiple_of(CHUNK)
            && let Some(tail) = self.chunks.get_mut(&(len / CHUNK))
        {
            Arc::make_mut(tail)[(len % CHUNK) as usize..].fill(0);
        }
        self.len = len;
    }

    /// Bytes of the disk in use: of every chunk that is there, what lies before the length.
    pub fn charge(&self) -> u64 {
        charge(self.len, self.chunks.len() as u64, |last| self.chunks.contains_key(&last))
    }

    /// How many bytes of a write of `len` bytes at `offset` fit if `room` more may be in use.
    pub fn fitting(&self, offset: u64, len: usize, room: u64) -> io::Result<usize> {
        end_of(offset, len)?;
        let limit = self.charge().saturating_add(room);
        let (mut fits, mut too_many) = (0, len + 1);
        while too_many - fits > 1 {
            let middle = fits + (too_many - fits) / 2;
            if self.charge_after(offset, middle) <= limit { fits = middle } else { too_many = middle }
        }
        Ok(fits)
    }

    /// What [`Content::charge`] would be after a write of `len` bytes, at least one, at `offset`.
    fn charge_after(&self, offset: u64, len: usize) -> u64 {
        let end = offset + len as u64;
        let written = offset / CHUNK..end.div_ceil(CHUNK);
        let there = self.chunks.range(written.clone()).count() as u64;
        let chunks = self.chunks.len() as u64 + (written.end - written.start) - there;
        let is_there = |last| written.contains(&last) || self.chunks.contains_key(&last);
        charge(end.max(self.len), chunks, is_there)
    }
}

/// All chunks lie before the length, so that the last one alone may be partly behind it.
fn charge(len: u64, chunks: u64, is_there: impl Fn(u64) -> bool) -> u64 {
    let behind_the_end = len.next_multiple_of(CHUNK) - len;
    let unused = if len > 0 && is_there((len - 1) / CHUNK) { behind_the_end } else { 0 };
    chunks * CHUNK - unused
}

/// The part of a range that lies in one chunk.
struct Piece {
    index: u64,
    chunk: Range<usize>,
    buf: Range<usize>,
}

fn pieces(offset: u64, len: usize) -> impl Iterator<Item = Piece> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let start = (at % CHUNK) as usize;
        let size = (CHUNK as usize - start).min(len - done);
        let piece = Piece { index: at / CHUNK, chunk: start..start + size, buf: done..done + size };
        done += size;
        (size > 0).then_some(piece)
    })
}

/// The end of a range; offsets are signed 64 bits in every operating system.
fn end_of(offset: u64, len: usize) -> io::Result<u64> {
    match offset.checked_add(len as u64) {
        Some(end) if end <= i64::MAX as u64 => Ok(end),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive_charge(content: &Content) -> u64 {
        content.chunks.keys().map(|index| (content.len - index * CHUNK).min(CHUNK)).sum()
    }

    /// What fits, found by trying.
    fn naive_fitting(content: &Content, offset: u64, len: usize, room: u64) -> usize {
        let fits = |len: usize| {
            let mut written = content.clone();
            written.write(&vec![1; len], offset).unwrap();
            naive_charge(&written) - naive_charge(content) <= room
        };
        (0..len).find(|len| !fits(len + 1)).unwrap_or(len)
    }

    proptest! {
        #[test]
        fn fitting_is_exact(
            writes in prop::collection::vec((0..30_000u64, 1..300usize), 0..5),
            hole in 0..30_000u64,
            (offset, len) in (0..30_000u64, 0..600usize),
            room in prop_oneof![0..700u64, 3_000..9_000u64],
        ) {
            let mut content = Content::default();
            for (offset, len) in writes {
                content.write(&vec![1; len], offset).unwrap();
            }
            content.set_len(content.len().max(hole)).unwrap();
            prop_assert_eq!(content.charge(), naive_charge(&content));
            let fits = content.fitting(offset, len, room).unwrap();
            prop_assert_eq!(fits, naive_fitting(&content, offset, len, room));
        }
    }
}
