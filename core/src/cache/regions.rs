//! Memory in huge pages, parted into blocks: who reads many pages of a cache in any order needs few translations of
//! addresses then.

// Blocks of mapped memory.
#![allow(unsafe_code)]

use std::collections::BTreeSet;
use std::ptr::NonNull;
use std::slice;

use memmap2::{MmapOptions, MmapRaw};

use crate::sync::Arc;

/// Bytes of a region: a huge page.
pub(super) const REGION: usize = 2 << 20;
/// Regions that are mapped together.
const TOGETHER: usize = 16;
/// Bytes of a unit: a cache line.
const UNIT: usize = 64;
/// Units of a region.
const UNITS: usize = REGION / UNIT;
const WORDS: usize = UNITS / u64::BITS as usize;
/// Bytes of the longest block.
pub(super) const LONGEST: usize = 128 << 10;

/// Regions, and which of their units are taken.
#[derive(Default)]
pub(super) struct Regions {
    maps: Vec<Arc<MmapRaw>>,
    regions: Vec<Region>,
    /// The regions by their room.
    by_room: BTreeSet<(usize, u32)>,
    /// Regions that have memory, of which nothing is taken.
    idle: usize,
}

struct Region {
    taken: Box<[u64; WORDS]>,
    used: usize,
    /// Units: no free run is longer. One more than there are stands for no memory, so that others come first.
    room: usize,
}

/// The room of a region without memory.
const UNTOUCHED: usize = UNITS + 1;

/// A block, which its user gives back or forgets.
pub(super) struct Block {
    /// Keeps its bytes there.
    map: Arc<MmapRaw>,
    start: NonNull<u8>,
    len: usize,
    region: u32,
    first: u32,
}

// SAFETY: a block is the only way to its bytes.
unsafe impl Send for Block {}
// SAFETY: a shared block is only read.
unsafe impl Sync for Block {}

impl Block {
    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the units of a block are mapped, hold zeros or what was written, and are no other block's.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// Its bytes.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and the block is borrowed alone.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Regions {
    /// A block of `len` bytes of any content, at most [`LONGEST`]; `None`: there is no memory.
    pub(super) fn take(&mut self, len: usize) -> Option<Block> {
        let units = len.div_ceil(UNIT).max(1);
        loop {
            // The one with the least room, so that others become empty.
            let Some(&(room, index)) = self.by_room.range((units, 0)..).next() else {
                self.grow()?;
                continue;
            };
            let region = self.regions.get_mut(index as usize)?;
            match region.find(units) {
                Ok(first) => {
                    if region.used == 0 {
                        self.idle -= usize::from(room != UNTOUCHED);
                        self.set_room(index, UNITS - units);
                    }
                    let region = self.regions.get_mut(index as usize)?;
                    region.mark(first, units);
                    region.used += units;
                    let start = NonNull::new(self.start_of(index)?.wrapping_add(first * UNIT))?;
                    let map = Arc::clone(self.maps.get(index as usize / TOGETHER)?);
                    return Some(Block { map, start, len, region: index, first: first as u32 });
                }
                Err(longest) => self.set_room(index, longest),
            }
        }
    }

    /// Takes a block back that came from here.
    pub(super) fn give_back(&mut self, block: Block) {
        let (index, first, units) = (block.region, block.first as usize, block.len.div_ceil(UNIT).max(1));
        let is_own = self.maps.get(index as usize / TOGETHER).is_some_and(|map| Arc::ptr_eq(map, &block.map));
        let Some(region) = self.regions.get_mut(index as usize).filter(|_| is_own) else { return };
        region.mark(first, units);
        region.used -= units;
        let (room, is_empty) = (region.room.max(region.run_around(first, units)), region.used == 0);
        self.set_room(index, room);
        if is_empty {
            self.idle += 1;
            // One stays for who comes next.
            if self.idle > 1 {
                self.idle -= 1;
                self.give_memory_back(index);
                self.set_room(index, UNTOUCHED);
            }
        }
    }

    fn set_room(&mut self, index: u32, room: usize) {
        let Some(region) = self.regions.get_mut(index as usize).filter(|region| region.room != room) else {
            return;
        };
        self.by_room.remove(&(region.room, index));
        self.by_room.insert((room, index));
        region.room = room;
    }

    fn grow(&mut self) -> Option<()> {
        let map = MmapOptions::new().len((TOGETHER + 1) * REGION).no_reserve_swap().map_anon().ok()?;
        let map = MmapRaw::from(map);
        // A hint: without it, the memory is there all the same.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        self.maps.push(Arc::new(map));
        for _ in 0..TOGETHER {
            self.by_room.insert((UNTOUCHED, self.regions.len() as u32));
            self.regions.push(Region { taken: Box::new([0; WORDS]), used: 0, room: UNTOUCHED });
        }
        Some(())
    }

    /// Where a region begins: at a huge page.
    fn start_of(&self, index: u32) -> Option<*mut u8> {
        let (map, nth) = (self.maps.get(index as usize / TOGETHER)?, index as usize % TOGETHER);
        let start = map.as_mut_ptr();
        Some(start.wrapping_add(start.align_offset(REGION) + nth * REGION))
    }

    /// Of an empty region, whose units then hold zeros or what they held.
    fn give_memory_back(&self, index: u32) {
        #[cfg(unix)]
        if let Some(map) = self.maps.get(index as usize / TOGETHER)
            && let Some(start) = self.start_of(index)
        {
            let offset = start as usize - map.as_mut_ptr() as usize;
            // SAFETY: no block of the region is out, so nobody has a reference into it.
            let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, offset, REGION) };
        }
        #[cfg(not(unix))]
        let _ = index;
    }
}

impl Region {
    /// The first free run of so many units, or how long the longest one is.
    fn find(&self, units: usize) -> Result<usize, usize> {
        let (mut run, mut longest) = (0, 0);
        for (at, &word) in self.taken.iter().enumerate() {
            let mut bit = 0;
            while bit < u64::BITS {
                let free = (word >> bit).trailing_zeros().min(u64::BITS - bit);
                (run, bit) = (run + free as usize, bit + free);
                if run >= units {
                    return Ok(at * u64::BITS as usize + bit as usize - run);
                }
                if bit < u64::BITS {
                    longest = longest.max(run);
                    run = 0;
                    bit += (word >> bit).trailing_ones();
                }
            }
        }
        Err(longest.max(run))
    }

    /// Turns units that are all free into taken ones, or the other way round.
    fn mark(&mut self, first: usize, units: usize) {
        let bits = u64::BITS as usize;
        let (mut at, end) = (first, first + units);
        while at < end {
            let (bit, count) = (at % bits, (end - at).min(bits - at % bits));
            if let Some(word) = self.taken.get_mut(at / bits) {
                *word ^= (u64::MAX >> (bits - count)) << bit;
            }
            at += count;
        }
    }

    /// Length of the free run that free units lie in.
    fn run_around(&self, first: usize, units: usize) -> usize {
        let bits = u64::BITS as usize;
        let (mut low, mut high) = (first, first + units);
        while let Some(last) = low.checked_sub(1) {
            let (word, bit) = (self.taken.get(last / bits).copied().unwrap_or(u64::MAX), last % bits);
            let free = (word << (bits - 1 - bit)).leading_zeros().min(bit as u32 + 1) as usize;
            low -= free;
            if free <= bit {
                break;
            }
        }
        while let Some(word) = self.taken.get(high / bits) {
            let bit = high % bits;
            let free = (word >> bit).trailing_zeros().min((bits - bit) as u32) as usize;
            high += free;
            if free < bits - bit {
                break;
            }
        }
        high - low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_do_not_overlap_and_come_back() {
        let (mut regions, mut held, mut state) = (Regions::default(), Vec::<(Block, u8)>::new(), 1u64);
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        };
        let check = |(block, fill): &(Block, u8)| {
            assert!(block.bytes().iter().all(|byte| byte == fill));
        };
        for round in 0..20_000 {
            // Fills, and empties again.
            if next(100) < if round / 4000 % 2 == 0 { 60 } else { 35 } || held.is_empty() {
                let len = if next(50) == 0 { LONGEST } else { 1 + next(6000) };
                let (mut block, fill) = (regions.take(len).unwrap(), round as u8);
                assert!(block.bytes().len() == len && (block.start.as_ptr() as usize).is_multiple_of(UNIT));
                block.bytes_mut().fill(fill);
                held.push((block, fill));
            } else {
                let (block, fill) = held.swap_remove(next(held.len()));
                let gone = (block, fill);
                check(&gone);
                regions.give_back(gone.0);
            }
            if round % 1000 == 0 {
                held.iter().for_each(check);
                let used: usize = held.iter().map(|(block, _)| block.len.div_ceil(UNIT)).sum();
                assert_eq!(regions.regions.iter().map(|region| region.used).sum::<usize>(), used);
                for (index, region) in regions.regions.iter().enumerate() {
                    let longest = region.find(UNITS + 1).unwrap_err();
                    assert!(longest <= region.room && regions.by_room.contains(&(region.room, index as u32)));
                }
            }
        }
        held.drain(..).for_each(|(block, _)| regions.give_back(block));
        assert!(regions.regions.iter().all(|region| region.used == 0) && regions.idle == 1);
        // Memory that is there is used first, also if other regions are in front.
        let room =
            |regions: &Regions| regions.regions.iter().filter(|region| region.room == UNTOUCHED).count();
        let untouched = room(&regions);
        let block = regions.take(100).unwrap();
        assert!(regions.idle == 0 && room(&regions) == untouched);
        regions.give_back(block);
        assert!(regions.idle == 1 && room(&regions) == untouched);
    }

    #[test]
    fn runs_are_found_whole() {
        let mut region = Region { taken: Box::new([0; WORDS]), used: 0, room: UNITS };
        let (mut taken, mut state) = (vec![false; UNITS], 1u64);
        for _ in 0..3000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (first, units) = ((state >> 33) as usize % UNITS, 1 + (state >> 50) as usize % 200);
            let units = units.min(UNITS - first);
            if taken[first..first + units].iter().all(|taken| !taken) {
                let low = taken[..first].iter().rposition(|taken| *taken).map_or(0, |last| last + 1);
                let high = taken[first..].iter().position(|taken| *taken).map_or(UNITS, |run| first + run);
                assert_eq!(region.run_around(first, units), high - low);
                let found = (0..=UNITS - units).find(|at| taken[*at..*at + units].iter().all(|taken| !taken));
                assert_eq!(region.find(units).ok(), found);
                region.mark(first, units);
                taken[first..first + units].fill(true);
            }
        }
        let longest = taken.split(|taken| *taken).map(<[bool]>::len).max();
        assert_eq!(region.find(UNITS).err(), longest);
    }

    #[test]
    fn what_is_given_back_serves_again() {
        let mut regions = Regions::default();
        for round in 0..3 {
            let blocks: Vec<_> = (0..4 * REGION / 4096).map(|_| regions.take(4096).unwrap()).collect();
            blocks.into_iter().for_each(|block| regions.give_back(block));
            assert_eq!(regions.maps.len(), 1, "{round}");
        }
    }
}
