//! Changes of a bucket, under its lock: rows come in, go and move, by CLOCK; and the ghosts that they leave.

use crate::cache::rows::Row;
use crate::cache::rows::bucket::{
    Bucket, CLOCK, EVICTED, GHOST_WORDS, HAND_SHIFT, LONG, MAX_UNITS, Meta, ROW_HEAD_WORDS, SEEN, UNIT_WORDS,
    UNITS, WAYS, WORD, units_of,
};
use crate::sync::Ordering;

/// Whether one of the four tags of a word is this one.
fn has_tag(tags: u64, tag: u16) -> bool {
    (0..4).any(|at| (tags >> (16 * at)) as u16 == tag)
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

    fn note_ghost(&self, list: usize, tag: u16) {
        let mut carry = u64::from(tag);
        for word in &self.head[list..list + GHOST_WORDS] {
            let tags = word.load(Ordering::Relaxed);
            word.store(tags << 16 | carry, Ordering::Relaxed);
            carry = tags >> 48;
        }
    }

    /// Under the lock: takes a row out and closes the gap.
    pub(in crate::cache::rows) fn remove(&self, way: usize) {
        let gone = self.meta(way);
        self.set_meta(way, Meta::default());
        self.head[CLOCK].fetch_and(!(1 << way), Ordering::Relaxed);
        let (start, units) = (usize::from(gone.start), usize::from(gone.units));
        self.copy_units(start + units, self.used_units().saturating_sub(start), self, start);
        for way in 0..WAYS {
            let meta = self.meta(way);
            if meta.units > 0 && meta.start > gone.start {
                self.set_meta(way, Meta { start: meta.start - gone.units, ..meta });
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
        if let Some(way) = self.free_way(units) {
            let start = self.used_units();
            self.write_row(start, row, value);
            self.set_meta(way, Meta { tag, start: start as u8, units: units as u8 });
        }
        evicted
    }

    /// A way for a row of so many units, if there is room.
    fn free_way(&self, units: usize) -> Option<usize> {
        let way = (0..WAYS).find(|&way| self.meta(way).units == 0);
        way.filter(|_| self.used_units() + units <= UNITS)
    }

    fn make_room(&self, units: usize) -> usize {
        let mut evicted = 0;
        while self.free_way(units).is_none() {
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
            if let Some(free) = to.free_way(meta.units.into()) {
                let start = to.used_units();
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
        let mut bytes = row.key.iter().chain(value).copied().peekable();
        let content = std::iter::from_fn(|| {
            bytes.peek()?;
            Some(u64::from_ne_bytes(std::array::from_fn(|_| bytes.next().unwrap_or(0))))
        });
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
