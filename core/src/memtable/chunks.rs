//! Memory of arenas in blocks. What a flushed memtable leaves serves the next one, and a few blocks are had before they
//! are needed: a huge page that comes from the system is cleared first, which takes as long as hundreds of inserts, and
//! thousands where the system has to ask another one for it.

// Raw allocation.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;
use std::time::Duration;

use memmap2::{MmapOptions, MmapRaw};

use crate::sync::{Arc, Mutex, Signal};

/// Alignment of every chunk: a cache line.
pub(super) const CHUNK_ALIGN: usize = 64;
/// A huge page of the processor: inserts go all over the leaves, and with small pages each one would also have to look up
/// its page. Chunks of this size are kept when they are free.
pub(super) const LARGEST_CHUNK: usize = 2 << 20;

/// Free chunks that nobody has needed for so long go back to the system.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// Free chunks to have while chunks are taken.
const AHEAD: usize = 2;

/// The pages of the system have at least so many bytes.
const SYSTEM_PAGE: usize = 4 << 10;

/// What a chunk holds in debug builds once nobody may read it.
const POISON: u8 = 0xdd;

/// Chunks that are not in use.
#[derive(Default)]
pub struct Chunks {
    free: Mutex<Free>,
    few: Signal,
}

#[derive(Default)]
struct Free {
    maps: Vec<MmapRaw>,
    /// The fewest that there were since `looked_at`.
    fewest: usize,
    looked_at: Duration,
}

impl Chunks {
    /// A chunk of at least one byte; `None` if there is no memory.
    pub(super) fn chunk(self: &Arc<Self>, size: usize) -> Option<Chunk> {
        if size < LARGEST_CHUNK {
            let layout = Layout::from_size_align(size.max(CHUNK_ALIGN), CHUNK_ALIGN).ok()?;
            // SAFETY: the size is not 0.
            let start = NonNull::new(unsafe { alloc(layout) })?;
            return Some(Chunk { start, from: Origin::Allocator(layout) });
        }
        let kept = if size == LARGEST_CHUNK { self.take() } else { None };
        let map = kept.or_else(|| mapped(size))?;
        Some(Chunk {
            start: NonNull::new(map.as_mut_ptr())?,
            from: Origin::System(Some(map), Arc::clone(self)),
        })
    }

    fn take(&self) -> Option<MmapRaw> {
        let mut free = self.free.lock();
        let map = free.maps.pop();
        let left = free.maps.len();
        free.fewest = free.fewest.min(left);
        drop(free);
        if left < AHEAD {
            self.few.notify();
        }
        map
    }

    fn give_back(&self, map: MmapRaw) {
        let mut free = self.free.lock();
        if map.len() == LARGEST_CHUNK && free.maps.try_reserve(1).is_ok() {
            free.maps.push(map);
        }
    }

    /// Told when chunks are taken and few are left: [`Chunks::prepare`].
    pub fn few(&self) -> &Signal {
        &self.few
    }

    /// Sees to it that there are some, whose memory is there. Without memory there are none.
    pub fn prepare(&self) {
        while self.free.lock().maps.len() < AHEAD {
            let Some(map) = mapped(LARGEST_CHUNK) else { return };
            for offset in (0..LARGEST_CHUNK).step_by(SYSTEM_PAGE) {
                // SAFETY: inside the map, which nobody else knows yet.
                unsafe { map.as_mut_ptr().add(offset).write_volatile(0) };
            }
            self.give_back(map);
        }
    }

    /// Gives back what was not needed for some time; `now` by a clock that rises.
    pub fn trim(&self, now: Duration) {
        let mut free = self.free.lock();
        if now.saturating_sub(free.looked_at) < KEPT_FOR {
            return;
        }
        let kept = free.maps.len().saturating_sub(free.fewest);
        let idle = free.maps.split_off(kept);
        free.fewest = kept;
        free.looked_at = now;
        drop(free);
        drop(idle);
    }
}

/// Of huge pages, where the system has them.
fn mapped(size: usize) -> Option<MmapRaw> {
    let map = MmapOptions::new().len(size).map_anon().ok()?;
    #[cfg(target_os = "linux")]
    let _ = map.advise(memmap2::Advice::HugePage);
    Some(MmapRaw::from(map))
}

/// One block of memory, with any content.
pub(super) struct Chunk {
    start: NonNull<u8>,
    from: Origin,
}

enum Origin {
    Allocator(Layout),
    /// There until it is dropped.
    System(Option<MmapRaw>, Arc<Chunks>),
}

impl Chunk {
    /// Where it begins.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        match &mut self.from {
            // SAFETY: allocated with this layout, freed once.
            Origin::Allocator(layout) => unsafe { dealloc(self.start.as_ptr(), *layout) },
            Origin::System(map, home) => {
                let Some(map) = map.take() else { return };
                if cfg!(debug_assertions) {
                    // SAFETY: the whole map, which nobody reads any more.
                    unsafe { self.start.write_bytes(POISON, map.len()) };
                }
                home.give_back(map);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(chunks: &Chunks) -> usize {
        chunks.free.lock().maps.len()
    }

    #[test]
    fn a_large_chunk_serves_again() {
        let chunks = Arc::new(Chunks::default());
        let chunk = chunks.chunk(LARGEST_CHUNK).unwrap();
        let place = chunk.start();
        drop(chunk);
        let others = [chunks.chunk(LARGEST_CHUNK - 64).unwrap(), chunks.chunk(2 * LARGEST_CHUNK).unwrap()];
        assert!(others.iter().all(|other| other.start() != place));
        drop(others);
        assert_eq!(free(&chunks), 1);
        assert_eq!(chunks.chunk(LARGEST_CHUNK).unwrap().start(), place);
    }

    #[test]
    fn what_is_not_needed_goes_back() {
        let chunks = Arc::new(Chunks::default());
        let take = |count| -> Vec<_> { (0..count).map(|_| chunks.chunk(LARGEST_CHUNK).unwrap()).collect() };
        chunks.trim(KEPT_FOR);
        drop(take(5));
        chunks.trim(2 * KEPT_FOR - Duration::from_millis(1));
        assert_eq!(free(&chunks), 5);
        // They came since the last look.
        chunks.trim(2 * KEPT_FOR);
        assert_eq!(free(&chunks), 5);
        // Three are needed now and then.
        drop(take(3));
        chunks.trim(3 * KEPT_FOR);
        assert_eq!(free(&chunks), 3);
        drop(take(7));
        chunks.trim(4 * KEPT_FOR);
        assert_eq!(free(&chunks), 7);
        chunks.trim(5 * KEPT_FOR);
        assert_eq!(free(&chunks), 0);
    }

    #[test]
    fn some_are_had_before_they_are_needed() {
        let chunks = Arc::new(Chunks::default());
        let wait = || chunks.few().wait(Duration::ZERO);
        assert!(!wait());
        drop(chunks.chunk(LARGEST_CHUNK / 2).unwrap());
        assert!(!wait(), "small ones are not kept");
        let first = chunks.chunk(LARGEST_CHUNK).unwrap();
        assert!(wait());
        chunks.prepare();
        assert_eq!(free(&chunks), AHEAD);
        drop(first);
        let taken = [(); 2].map(|()| chunks.chunk(LARGEST_CHUNK).unwrap());
        assert!(wait());
        chunks.prepare();
        assert_eq!(free(&chunks), AHEAD);
        drop(taken);
        chunks.prepare();
        assert_eq!(free(&chunks), 2 + AHEAD);
    }
}
