//! Memory of pages: what an evicted page leaves serves the next one that is brought in.
//!
//! Pages come in on one thread and go on another. An allocator that keeps what is freed for the threads that had it
//! would hold the cache's bytes once for each of them. The frames of a large cache are parts of huge pages.

use std::collections::BTreeMap;

use crate::base::error::Result;
use crate::base::memory;
use crate::cache::regions::{Block, LONGEST, REGION, Regions};
use crate::sync::{Arc, Mutex};

/// Frames with less in them are not kept apart by size.
const LEAST: usize = 4096;
/// Sizes between a power of two and the next.
const SIZES: usize = 64;
/// Frames that wait for a page may take the capacity divided by this, on top of it like the pages on their way in.
const SHARE: usize = 64;
/// Capacity of a cache whose frames are parts of huge pages; some of each are always kept for no frame.
const LARGE: usize = 16 * REGION;

/// What a frame holds in debug builds once nobody may read it.
const POISON: u8 = 0xdd;

/// Frames that are not in use.
pub struct Frames {
    free: Mutex<Free>,
    regions: Mutex<Regions>,
    /// Whether frames are blocks of regions, which go as their pages go; but for those that no block is long enough for.
    in_regions: bool,
    /// Bytes of memory of its own kept in `free`.
    most: usize,
}

#[derive(Default)]
struct Free {
    by_size: BTreeMap<usize, Vec<Vec<u8>>>,
    bytes: usize,
}

impl Frames {
    /// Of a cache of `capacity` bytes.
    pub(super) fn new(capacity: usize) -> Self {
        Frames {
            free: Mutex::default(),
            regions: Mutex::default(),
            in_regions: capacity >= LARGE,
            most: capacity / SHARE,
        }
    }

    /// Bytes of memory of a frame for `len` bytes.
    #[inline]
    pub fn size_for(len: usize) -> usize {
        let grain = 1 << (len.max(LEAST).ilog2() - SIZES.ilog2());
        len.max(1).checked_next_multiple_of(grain).unwrap_or(len)
    }

    /// A frame of `len` bytes of any content. Errors: `OutOfMemory`.
    pub fn frame(self: &Arc<Self>, len: usize) -> Result<Frame> {
        let size = Self::size_for(len);
        if self.in_regions
            && size <= LONGEST
            && let Some(block) = self.regions.lock().take(size)
        {
            return Ok(Frame { memory: Memory::Part(block), len, home: Arc::clone(self) });
        }
        let bytes = match self.free.lock().take(size) {
            Some(bytes) => bytes,
            None => {
                let mut bytes = Vec::new();
                bytes.try_reserve_exact(size).map_err(|_| memory::short_of(size))?;
                bytes.resize(size, 0);
                bytes
            }
        };
        Ok(Frame { memory: Memory::Own(bytes), len, home: Arc::clone(self) })
    }

    fn give_back(&self, bytes: Vec<u8>) {
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
    memory: Memory,
    len: usize,
    home: Arc<Frames>,
}

enum Memory {
    Own(Vec<u8>),
    Part(Block),
    /// It was given back.
    Gone,
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        let bytes = match &self.memory {
            Memory::Own(bytes) => bytes,
            Memory::Part(block) => block.bytes(),
            Memory::Gone => &[],
        };
        bytes.get(..self.len).unwrap_or_default()
    }
}

impl AsMut<[u8]> for Frame {
    fn as_mut(&mut self) -> &mut [u8] {
        let bytes = match &mut self.memory {
            Memory::Own(bytes) => bytes,
            Memory::Part(block) => block.bytes_mut(),
            Memory::Gone => &mut [],
        };
        bytes.get_mut(..self.len).unwrap_or_default()
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        if cfg!(debug_assertions) {
            self.as_mut().fill(POISON);
        }
        match std::mem::replace(&mut self.memory, Memory::Gone) {
            Memory::Own(bytes) => self.home.give_back(bytes),
            Memory::Part(block) => self.home.regions.lock().give_back(block),
            Memory::Gone => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_few_and_waste_little() {
        let mut sizes: Vec<usize> = (0..70_000).map(Frames::size_for).collect();
        for (len, size) in sizes.iter().enumerate() {
            assert!(*size >= len && *size <= len + len.max(LEAST) / SIZES, "{len} {size}");
        }
        sizes.dedup();
        assert!(sizes.is_sorted() && sizes.len() < 400, "{}", sizes.len());
        assert_eq!(
            (Frames::size_for(4096), Frames::size_for(4112), Frames::size_for(4113)),
            (4096, 4160, 4160)
        );
        assert!(Frames::size_for(usize::MAX) == usize::MAX);
    }

    #[test]
    fn a_frame_serves_again_and_what_is_kept_is_bounded() {
        let frames = Arc::new(Frames::new(10_000 * SHARE));
        let mut frame = frames.frame(4000).unwrap();
        frame.as_mut().fill(7);
        let place = frame.as_ref().as_ptr();
        drop(frame);
        let again = frames.frame(3990).unwrap();
        assert_eq!((again.as_ref().len(), again.as_ref().as_ptr()), (3990, place));
        drop(again);
        let many: Vec<_> = (0..9).map(|_| frames.frame(2000).unwrap()).collect();
        drop(many);
        drop(frames.frame(20_000));
        let free = frames.free.lock();
        let kept: usize = free.by_size.iter().map(|(size, frames)| size * frames.len()).sum();
        assert_eq!(kept, free.bytes);
        assert!(kept <= 10_000 && free.by_size.get(&4032).is_some_and(|frames| frames.len() == 1), "{kept}");
    }

    #[test]
    fn frames_of_a_large_cache_are_parts_of_huge_pages() {
        let frames = Arc::new(Frames::new(LARGE));
        let (mut frame, long) = (frames.frame(4000).unwrap(), frames.frame(LONGEST + 1).unwrap());
        assert!(matches!(frame.memory, Memory::Part(_)) && matches!(long.memory, Memory::Own(_)));
        frame.as_mut().fill(7);
        let second = frames.frame(4000).unwrap();
        assert!(frame.as_ref() == [7; 4000] && second.as_ref().len() == 4000);
        assert!(!frame.as_ref().as_ptr_range().contains(&second.as_ref().as_ptr()));
        let home = Arc::downgrade(&frames);
        drop((frames, second, long));
        assert_eq!(frame.as_ref(), [7; 4000]);
        drop(frame);
        assert!(home.upgrade().is_none());
    }
}
