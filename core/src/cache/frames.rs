//! Memory of pages: what an evicted page leaves serves the next one that is brought in.
//!
//! Pages come in on one thread and go on another. An allocator that keeps what is freed for the threads that had it
//! would hold the cache's bytes once for each of them.

use std::collections::BTreeMap;

use crate::base::error::Result;
use crate::base::memory;
use crate::sync::{Arc, Mutex};

/// Frames with less in them are not kept apart by size.
const LEAST: usize = 512;
/// Sizes between a power of two and the next.
const SIZES: usize = 8;
/// Behind a round size, so that a page of that size fits with its header.
const HEADER_ROOM: usize = 16;

/// What a frame holds in debug builds once nobody may read it.
const POISON: u8 = 0xdd;

/// Frames that are not in use.
pub struct Frames {
    free: Mutex<Free>,
    /// Bytes to keep.
    most: usize,
}

#[derive(Default)]
struct Free {
    by_size: BTreeMap<usize, Vec<Vec<u8>>>,
    bytes: usize,
}

impl Frames {
    /// Keeps at most so many bytes.
    pub(super) fn new(most: usize) -> Self {
        Frames { free: Mutex::default(), most }
    }

    /// Bytes of memory of a frame for `len` bytes.
    #[inline]
    pub fn size_for(len: usize) -> usize {
        let round = len.saturating_sub(HEADER_ROOM).max(1);
        let grain = 1 << (round.max(LEAST).ilog2() - SIZES.ilog2());
        round.checked_next_multiple_of(grain).map_or(len, |size| size.saturating_add(HEADER_ROOM))
    }

    /// A frame of `len` bytes of any content. Errors: `OutOfMemory`.
    pub fn frame(self: &Arc<Self>, len: usize) -> Result<Frame> {
        let size = Self::size_for(len);
        let bytes = match self.free.lock().take(size) {
            Some(bytes) => bytes,
            None => {
                let mut bytes = Vec::new();
                bytes.try_reserve_exact(size).map_err(|_| memory::short_of(size))?;
                bytes.resize(size, 0);
                bytes
            }
        };
        Ok(Frame { bytes, len, home: Arc::clone(self) })
    }

    fn give_back(&self, mut bytes: Vec<u8>) {
        if cfg!(debug_assertions) {
            bytes.fill(POISON);
        }
        if bytes.len() > self.most {
            return;
        }
        let mut free = self.free.lock();
        free.bytes += bytes.len();
        free.by_size.entry(bytes.len()).or_default().push(bytes);
        while free.bytes > self.most {
            free.drop_one();
        }
    }
}

impl Free {
    fn take(&mut self, size: usize) -> Option<Vec<u8>> {
        let bytes = self.by_size.get_mut(&size)?.pop()?;
        self.bytes -= size;
        Some(bytes)
    }

    /// Of the size of which there is most.
    fn drop_one(&mut self) {
        let most = self.by_size.iter().max_by_key(|(size, frames)| **size * frames.len());
        match most.map(|(size, _)| *size).and_then(|size| self.take(size)) {
            Some(bytes) => drop(bytes),
            None => self.bytes = 0,
        }
    }
}

/// Memory for a page, given back when it is dropped.
pub struct Frame {
    bytes: Vec<u8>,
    len: usize,
    home: Arc<Frames>,
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl AsMut<[u8]> for Frame {
    fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or_default()
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.home.give_back(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_few_and_waste_little() {
        let mut sizes: Vec<usize> = (0..70_000).map(Frames::size_for).collect();
        for (len, size) in sizes.iter().enumerate() {
            assert!(
                *size >= len && *size <= len.max(LEAST) + len.max(LEAST) / SIZES + HEADER_ROOM,
                "{len} {size}"
            );
        }
        sizes.dedup();
        assert!(sizes.is_sorted() && sizes.len() < 80, "{}", sizes.len());
        assert_eq!(
            (Frames::size_for(4096), Frames::size_for(4112), Frames::size_for(4113)),
            (4112, 4112, 4624)
        );
        assert!(Frames::size_for(usize::MAX) == usize::MAX);
    }

    #[test]
    fn a_frame_serves_again_and_what_is_kept_is_bounded() {
        let frames = Arc::new(Frames::new(10_000));
        let mut frame = frames.frame(4000).unwrap();
        frame.as_mut().fill(7);
        let place = frame.as_ref().as_ptr();
        drop(frame);
        let again = frames.frame(3900).unwrap();
        assert_eq!((again.as_ref().len(), again.as_ref().as_ptr()), (3900, place));
        drop(again);
        let many: Vec<_> = (0..9).map(|_| frames.frame(2000).unwrap()).collect();
        drop(many);
        drop(frames.frame(20_000));
        let free = frames.free.lock();
        let kept: usize = free.by_size.iter().map(|(size, frames)| size * frames.len()).sum();
        assert_eq!(kept, free.bytes);
        assert!(kept <= 10_000 && free.by_size.get(&4112).is_some_and(|frames| frames.len() == 1), "{kept}");
    }
}
