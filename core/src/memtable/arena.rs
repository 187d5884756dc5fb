//! Memory taken in chunks and given back all at once.

// Raw memory.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use crate::base::error::{Error, ErrorKind, Result};
use crate::memtable::chunks::{CHUNK_ALIGN, Chunk, Chunks, LARGEST_CHUNK};
use crate::sync::Arc;

/// The first chunk is small, so that an idle keyspace costs little; each is twice the one before, up to [`LARGEST_CHUNK`].
const FIRST_CHUNK: usize = 8 << 10;
/// A request of more than this part of a chunk gets a chunk of its own.
const LARGE_PART: usize = 4;

/// Hands out pieces of chunks. What it handed out stays valid until the arena is dropped.
pub struct Arena {
    source: Arc<Chunks>,
    chunks: Vec<Chunk>,
    /// Where pieces come from.
    current: Region,
    /// Untouched or partly used room for when `current` does not do.
    spares: Vec<Region>,
    next_chunk: usize,
    taken: usize,
}

impl Arena {
    /// An arena without any memory.
    pub fn new(source: &Arc<Chunks>) -> Self {
        Arena {
            source: Arc::clone(source),
            chunks: Vec::new(),
            current: Region::EMPTY,
            spares: Vec::new(),
            next_chunk: FIRST_CHUNK,
            taken: 0,
        }
    }

    /// Bytes of its chunks.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Room that is left, all together: what pieces of one size can count on.
    pub fn room(&self) -> usize {
        self.current.left + self.spares.iter().map(|spare| spare.left).sum::<usize>()
    }

    /// The largest connected room: what pieces of any sizes, that much in all, can count on.
    pub fn connected_room(&self) -> usize {
        self.spares.iter().map(|spare| spare.left).fold(self.current.left, usize::max)
    }

    /// Adds a connected room of at least `bytes`.
    pub fn grow(&mut self, bytes: usize) -> Result<()> {
        self.spares.try_reserve(1).map_err(|_| out_of_memory(bytes))?;
        let spare = self.chunk(bytes.max(self.next_chunk))?;
        self.spares.push(spare);
        Ok(())
    }

    /// `size` bytes, not initialised. They are aligned to the largest power of two, up to 64, that
    /// divides the size of every piece this arena has handed out.
    #[inline]
    pub fn allocate(&mut self, size: usize) -> Result<NonNull<u8>> {
        match self.current.take(size) {
            Some(piece) => Ok(piece),
            None => self.allocate_elsewhere(size),
        }
    }

    #[cold]
    fn allocate_elsewhere(&mut self, size: usize) -> Result<NonNull<u8>> {
        let large = size > LARGEST_CHUNK / LARGE_PART;
        if let Some(index) = self.spares.iter().position(|spare| spare.left >= size) {
            if !large {
                self.current = self.spares.remove(index);
            }
            let region = if large { self.spares.get_mut(index) } else { Some(&mut self.current) };
            return region.and_then(|region| region.take(size)).ok_or_else(|| out_of_memory(size));
        }
        // A chunk of its own leaves the rest of the current one in use.
        let alone = size > self.next_chunk / LARGE_PART;
        let mut region = self.chunk(if alone { size } else { self.next_chunk })?;
        let piece = region.take(size).ok_or_else(|| out_of_memory(size))?;
        if region.left >= self.current.left {
            self.current = region;
        }
        Ok(piece)
    }

    fn chunk(&mut self, bytes: usize) -> Result<Region> {
        self.chunks.try_reserve(1).map_err(|_| out_of_memory(bytes))?;
        let size = bytes.checked_next_multiple_of(CHUNK_ALIGN).ok_or_else(|| out_of_memory(bytes))?;
        let chunk = self.source.chunk(size).ok_or_else(|| out_of_memory(size))?;
        let region = Region { start: chunk.start(), left: size };
        self.chunks.push(chunk);
        self.taken += size;
        self.next_chunk = (self.next_chunk * 2).min(LARGEST_CHUNK);
        Ok(region)
    }
}

// SAFETY: the pointers are to memory that only this arena owns.
unsafe impl Send for Arena {}

#[cold]
fn out_of_memory(bytes: usize) -> Error {
    Error::new(ErrorKind::OutOfMemory, format!("no memory for {bytes} bytes of a memtable"))
}

/// Room that has not been handed out.
struct Region {
    start: NonNull<u8>,
    left: usize,
}

impl Region {
    const EMPTY: Region = Region { start: NonNull::dangling(), left: 0 };

    #[inline]
    fn take(&mut self, size: usize) -> Option<NonNull<u8>> {
        if size > self.left {
            return None;
        }
        let piece = self.start;
        // SAFETY: `start..start + left` lies in one chunk, and `size` is at most `left`.
        self.start = unsafe { piece.add(size) };
        self.left -= size;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(arena: &mut Arena, size: usize, byte: u8) -> NonNull<u8> {
        let piece = arena.allocate(size).unwrap();
        // SAFETY: just handed out.
        unsafe { piece.write_bytes(byte, size) };
        piece
    }

    #[test]
    fn pieces_are_apart_and_stay() {
        let mut arena = Arena::new(&Arc::default());
        let sizes = (0..4000usize).map(|i| 8 * (1 + i * i % 97)).chain([700 << 10, 8, 3 << 20, 8]);
        let pieces: Vec<_> =
            sizes.enumerate().map(|(i, size)| (fill(&mut arena, size, i as u8), size, i as u8)).collect();
        for (piece, size, byte) in pieces {
            assert_eq!(piece.addr().get() % 8, 0);
            // SAFETY: filled above, and the arena lives.
            let bytes = unsafe { std::slice::from_raw_parts(piece.as_ptr(), size) };
            assert!(bytes.iter().all(|&b| b == byte));
        }
    }

    #[test]
    fn a_large_piece_leaves_the_current_chunk_in_use() {
        let mut arena = Arena::new(&Arc::default());
        let first = arena.allocate(8).unwrap();
        arena.allocate(5 << 20).unwrap();
        // SAFETY: stays inside the first chunk.
        assert_eq!(arena.allocate(8).unwrap(), unsafe { first.add(8) });
        assert_eq!(arena.taken(), FIRST_CHUNK + (5 << 20));
    }

    #[test]
    fn connected_room_serves_any_mix_of_sizes() {
        for seed in 0..200usize {
            let mut arena = Arena::new(&Arc::default());
            for round in 0..6 {
                let promised = 64 + (seed * 7919 + round * 104_729) % (2 << 20) / 8 * 8;
                if arena.connected_room() < promised {
                    arena.grow(promised).unwrap();
                }
                let taken = arena.taken();
                let mut left = promised;
                let mut step = seed + round;
                while left > 0 {
                    step =
                        step.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let size = (8 << (step >> 59)).min(600 << 10).min(left);
                    arena.allocate(size / 8 * 8).unwrap();
                    left -= size / 8 * 8;
                }
                assert_eq!(arena.taken(), taken, "the promised room was enough");
            }
        }
    }

    #[test]
    fn impossible_sizes_are_out_of_memory() {
        let mut arena = Arena::new(&Arc::default());
        for size in [isize::MAX as usize - 63, usize::MAX - 7] {
            assert_eq!(arena.allocate(size).unwrap_err().kind(), ErrorKind::OutOfMemory);
            assert_eq!(arena.grow(size).unwrap_err().kind(), ErrorKind::OutOfMemory);
        }
        assert_eq!(arena.taken(), 0);
        arena.allocate(8).unwrap();
    }
}
