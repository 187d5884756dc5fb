//! Changes of a bucket, under its lock: rows come in, go and move, by CLOCK; and the ghosts that they leave.

use crate::cache::rows::Row;
use crate::cache::rows::bucket::{
    Bucket, CLOCK, EVICTED, GHOST_WORDS, HAND_SHIFT, LONG, MAX_UNITS, Meta, ROW_HEAD_WORDS, SEEN, UNIT_WORDS,
    UNITS, WAYS, WORD, units_of,
};
use crate::prefetch::prefetch;
use crate::sync::Ordering;

/// Whether one of the four tags of a word is this one.
#[inline]
fn has_tag(tags: u64, tag: u16) -> bool {
    const LOWEST: u64 = 0x0001_0001_0001_0001;
    // Zero where it is: what is subtracted borrows from there first.
    let differing = tags ^ (LOWEST * u64::from(tag));
    differing.wrapping_sub(LOWEST) & !differing & (LOWEST << 15) != 0
}

/// So many bits from the lowest on.
fn ones(count: u8) -> u64 {
    1u64.checked_shl(count.into()).unwrap_or(0).wrapping_sub(1)
}

/// Where the first `len` ones in a row begin.
fn run_of(bits: u64, len: usize) -> Option<usize> {
    let (mut starts, mut have) = (bits, 1);
    while have < len {
        let step = have.min(len - have);
        starts &= starts >> step;
        have += step;
    }
    (starts != 0).then(|| starts.trailing_zeros() as usize)
}

impl Bucket<'_> {
    /// Whether a key was looked for lately or its row was here; notes that it is looked for.
    pub(in crate::cache::rows) fn is_wanted_again(&self, tag: u16) -> bool {
        let found = self.head[SEEN..].iter().any(|tags| has_tag(tags.load(Ordering::Relaxed), tag));
        if !found {
            self.note_ghost(SEEN, tag);
        }
        found
    }

    /// Asks the processor for what [`Bucket::is_wanted_again`] reads and a look does not.
    #[inline]
    pub(in crate::cache::rows) fn prefetch_ghosts(&self) {
        prefetch(self.head[EVICTED..].as_ptr().cast(), 1);
    }

    fn note_ghost(&self, list: usize, tag: u16) {
        let mut carry = u64::from(tag);
        for word in &self.head[list..list + GHOST_WORDS] {
            let tags = word.load(Ordering::Relaxed);
            word.store(tags << 16 | carry, Ordering::Relaxed);
            carry = tags >> 48;
        }
    }

    /// Under the lock: takes a row out. It leaves a gap.
    pub(in crate::cache::rows) fn remove(&self, way: usize) {
        self.set_meta(way, Meta::default());
        self.head[CLOCK].fetch_and(!(1 << way), Ordering::Relaxed);
    }

    /// Under the lock: closes the gaps.
    fn close_gaps(&self) {
        let mut ways: [usize; WAYS] = std::array::from_fn(|way| way);
        ways.sort_unstable_by_key(|&way| self.meta(way).start);
        let mut end = 0;
        for way in ways {
            let meta = self.meta(way);
            if meta.units > 0 {
                self.copy_units(meta.start.into(), meta.units.into(), self, end);
                self.set_meta(way, Meta { start: end as u8, ..meta });
                end += usize::from(meta.units);
            }
        }
    }

    /// Units that rows take.
    pub(in crate::cache::rows) fn used_units(&self) -> usize {
        (0..WAYS).map(|way| usize::from(self.meta(way).units)).sum()
    }

    /// Under the lock: puts a row in that is not here, in the stead of rows that were not used lately. How many.
    pub(in crate::cache::rows) fn insert(&self, tag: u16, row: &Row<'_>, value: &[u8]) -> usize {
        let units = units_of(row.key, value);
        if units > MAX_UNITS {
            return 0;
        }
        let evicted = self.make_room(units);
        if let Some((way, start)) = self.free_place(units) {
            self.write_row(start, row, value);
            self.set_meta(way, Meta { tag, start: start as u8, units: units as u8 });
        }
        evicted
    }

    /// A way for a row of so many units, and a gap.
    fn free_place(&self, units: usize) -> Option<(usize, usize)> {
        let way = (0..WAYS).find(|&way| self.meta(way).units == 0)?;
        let taken = (0..WAYS).map(|way| self.meta(way)).map(|meta| ones(meta.units) << (meta.start & 63));
        let gaps = !taken.fold(0, |all, own| all | own) & ones(UNITS as u8);
        Some((way, run_of(gaps, units)?))
    }

    /// Under the lock: evicts rows until there is a place. How many.
    fn make_room(&self, units: usize) -> usize {
        let mut evicted = 0;
        while self.free_place(units).is_none() {
            let has_way = (0..WAYS).any(|way| self.meta(way).units == 0);
            if has_way && self.used_units() + units <= UNITS {
                self.close_gaps();
                continue;
            }
            let way = self.victim();
            self.note_ghost(EVICTED, self.meta(way).tag);
            self.remove(way);
            evicted += 1;
        }
        evicted
    }

    /// Under both locks: moves the rows that `is_moved` says so of to another bucket; one that was used may
    /// push others out there, one that was not moves only if there is room. The ghosts go to both.
    pub(in crate::cache::rows) fn move_rows(&self, to: &Bucket<'_>, is_moved: impl Fn(u32, &[u8]) -> bool) {
        for (own, theirs) in self.head[SEEN..].iter().zip(&to.head[SEEN..]) {
            if theirs.load(Ordering::Relaxed) == 0 {
                theirs.store(own.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
        for way in 0..WAYS {
            let meta = self.meta(way);
            if meta.units == 0 || !self.with_key(meta, &is_moved) {
                continue;
            }
            let used = self.head[CLOCK].load(Ordering::Relaxed) >> way & 1 == 1;
            if used {
                to.make_room(meta.units.into());
            }
            if let Some((free, start)) = to.free_place(meta.units.into()) {
                self.copy_units(meta.start.into(), meta.units.into(), to, start);
                to.set_meta(free, Meta { start: start as u8, ..meta });
                to.head[CLOCK].fetch_or(u64::from(used) << free, Ordering::Relaxed);
            }
            self.remove(way);
        }
    }

    /// Lends keyspace and key of a row.
    fn with_key<R>(&self, meta: Meta, use_key: impl FnOnce(u32, &[u8]) -> R) -> R {
        let (start, len) = (usize::from(meta.start) * UNIT_WORDS, usize::from(meta.units) * UNIT_WORDS);
        let words = self.data.get(start..start + len).unwrap_or_default();
        let mut copy = [[0; WORD]; LONG];
        for (bytes, word) in copy.iter_mut().zip(words) {
            *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        let lengths = u64::from_ne_bytes(copy[1]);
        let content = copy.as_flattened().get(ROW_HEAD_WORDS * WORD..).unwrap_or_default();
        use_key((lengths >> 32) as u32, content.get(..lengths as u16 as usize).unwrap_or_default())
    }

    fn copy_units(&self, from: usize, units: usize, to: &Bucket<'_>, start: usize) {
        for word in 0..units * UNIT_WORDS {
            let bits = self.data[from * UNIT_WORDS + word].load(Ordering::Relaxed);
            to.data[start * UNIT_WORDS + word].store(bits, Ordering::Relaxed);
        }
    }

    /// Under the lock: gives a row that is here another value; `false` if that has another size.
    pub(in crate::cache::rows) fn replace(&self, way: usize, row: &Row<'_>, value: &[u8]) -> bool {
        let meta = self.meta(way);
        let fits = units_of(row.key, value) == usize::from(meta.units);
        if fits {
            self.write_row(meta.start.into(), row, value);
        }
        fits
    }

    fn write_row(&self, start: usize, row: &Row<'_>, value: &[u8]) {
        let lengths = row.key.len() as u64 | (value.len() as u64) << 16 | u64::from(row.keyspace) << 32;
        let mut content = [[0; WORD]; LONG];
        let (key, rest) = content.as_flattened_mut().split_at_mut(row.key.len());
        key.copy_from_slice(row.key);
        rest[..value.len()].copy_from_slice(value);
        let len = (row.key.len() + value.len()).div_ceil(WORD);
        let content = content[..len].iter().map(|bytes| u64::from_ne_bytes(*bytes));
        let words = self.data[start * UNIT_WORDS..].iter();
        for (word, bits) in words.zip([row.sequence, lengths].into_iter().chain(content)) {
            word.store(bits, Ordering::Relaxed);
        }
    }

    /// The next row that was not used since the hand was there, or the next at all.
    fn victim(&self) -> usize {
        let clock = self.head[CLOCK].load(Ordering::Relaxed);
        let hand = (clock >> HAND_SHIFT) as usize % WAYS;
        let mut spared = 0u64;
        let at = |step: usize| (hand + step) % WAYS;
        let chosen = (0..2 * WAYS).map(at).find(|&way| {
            let used = self.meta(way).units > 0;
            let referenced = (clock & !spared) >> way & 1 == 1;
            spared |= 1 << way;
            used && !referenced
        });
        let way = chosen.unwrap_or(hand);
        let next = ((way + 1) % WAYS) as u64;
        self.head[CLOCK].store(clock & u64::from(u16::MAX) & !spared | next << HAND_SHIFT, Ordering::Relaxed);
        way
    }

    /// Under the lock: takes everything out.
    pub(in crate::cache::rows) fn clear(&self) {
        for word in &self.head[CLOCK..] {
            word.store(0, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_tag_is_found_in_each_place_and_nowhere_else() {
    for tag in [1u16, 2, 0x7fff, 0x8000, 0x8001, u16::MAX] {
        for other in [0u16, 1, 3, 0x7fff, 0x8000, u16::MAX].into_iter().filter(|other| *other != tag) {
            let others = u64::from(other) * 0x0001_0001_0001_0001;
            assert!(!has_tag(others, tag), "{tag} {other}");
            for at in [0, 16, 32, 48] {
                assert!(has_tag(others & !(0xffff << at) | u64::from(tag) << at, tag), "{tag} {other} {at}");
            }
        }
    }
}
