//! A bucket: a cache line of words that says what is in it, and the rows, with gaps between them.
//!
//! Everything is an atomic word under a sequence lock: a reader copies and then looks whether the stamp is
//! still the one that it began with. Whoever holds the lock is the only one to change anything but the reference bits and the ghosts,
//! which are hints.

mod change;

use std::ops::Range;

use crate::cache::rows::Row;
use crate::sync::{AtomicU64, Ordering, fence, spin_loop, yield_now};

/// Words of a bucket's head; a look that finds its row needs the first cache line of it.
const HEAD_WORDS: usize = 10;
/// Words of a bucket: a quarter of a page of memory.
pub(super) const BUCKET_WORDS: usize = 128;
/// Words of a bucket's rows.
const DATA_WORDS: usize = BUCKET_WORDS - HEAD_WORDS;
/// Words of a unit, in which rows are measured.
const UNIT_WORDS: usize = 2;
pub(super) const UNITS: usize = DATA_WORDS / UNIT_WORDS;
const _: () = assert!(UNITS < u64::BITS as usize, "a bit for each");
/// Rows of a bucket.
const WAYS: usize = 8;
/// Units of the longest row: two fit.
pub(super) const MAX_UNITS: usize = UNITS / 2;
/// Bytes of a word.
const WORD: usize = size_of::<u64>();
/// Words of a value that is copied in one go, with what it does not fill.
const SHORT: usize = 16;
/// Words of the longest row, which is copied word by word.
const LONG: usize = MAX_UNITS * UNIT_WORDS;
/// Words in front of key and value: the sequence, and the lengths with the keyspace.
const ROW_HEAD_WORDS: usize = 2;

/// Low bits of a stamp: who holds the lock.
const FREE: u64 = 0;
const FILLER: u64 = 1;
const COMMITTER: u64 = 3;
const HOLDER: u64 = 3;
const STEP: u64 = 4;

/// Where the words of a head are.
const STAMP: usize = 0;
/// Reference bits of the ways, and above them the hand of the clock.
const CLOCK: usize = 1;
const HAND_SHIFT: u32 = 16;
/// Two ways a word, each `tag u16 | start u8 | units u8`; no units: free.
const METAS: usize = 2;
/// Ghosts, four tags a word: of keys that were looked for and not here, and of rows that were here.
const SEEN: usize = 6;
const EVICTED: usize = 8;
const GHOST_WORDS: usize = 2;

/// The words of a bucket.
#[derive(Clone, Copy)]
pub(super) struct Bucket<'a> {
    head: &'a [AtomicU64; HEAD_WORDS],
    data: &'a [AtomicU64; DATA_WORDS],
}

/// The place of a row in its bucket.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Meta {
    tag: u16,
    start: u8,
    units: u8,
}

impl Meta {
    fn from_bits(bits: u32) -> Self {
        Meta { tag: bits as u16, start: (bits >> 16) as u8, units: (bits >> 24) as u8 }
    }

    fn bits(self) -> u32 {
        u32::from(self.tag) | u32::from(self.start) << 16 | u32::from(self.units) << 24
    }
}

/// Units that a row takes.
pub(super) fn units_of(key: &[u8], value: &[u8]) -> usize {
    let words = ROW_HEAD_WORDS + (key.len() + value.len()).div_ceil(WORD);
    words.div_ceil(UNIT_WORDS)
}

impl<'a> Bucket<'a> {
    #[inline]
    pub(super) fn of(words: &'a [AtomicU64; BUCKET_WORDS]) -> Option<Self> {
        let (head, data) = words.split_first_chunk()?;
        Some(Bucket { head, data: data.first_chunk()? })
    }

    /// The stamp, if nobody holds the lock.
    #[inline]
    pub(super) fn stamp(&self) -> Option<u64> {
        let stamp = self.head[STAMP].load(Ordering::Acquire);
        (stamp & HOLDER == FREE).then_some(stamp)
    }

    /// Whether nothing has changed since the stamp was taken.
    #[inline]
    fn is_unchanged(&self, stamp: u64) -> bool {
        fence(Ordering::Acquire);
        self.head[STAMP].load(Ordering::Relaxed) == stamp
    }

    #[inline]
    fn meta(&self, way: usize) -> Meta {
        let word = self.head[METAS + way / 2].load(Ordering::Relaxed);
        Meta::from_bits((word >> (32 * (way % 2))) as u32)
    }

    fn set_meta(&self, way: usize, meta: Meta) {
        let shift = 32 * (way % 2);
        let word = &self.head[METAS + way / 2];
        let other = word.load(Ordering::Relaxed) & !(u64::from(u32::MAX) << shift);
        word.store(other | u64::from(meta.bits()) << shift, Ordering::Relaxed);
    }

    /// Lends the value of a key to `use_value`, if its row is here and was at `stamp`; gives that back if not.
    #[inline]
    pub(super) fn read<R, F: FnOnce(&[u8]) -> R>(
        &self,
        stamp: u64,
        tag: u16,
        row: &Row<'_>,
        use_value: F,
    ) -> Result<R, F> {
        let Some((way, start)) = self.find(tag, row) else { return Err(use_value) };
        let Some([sequence, lengths, content @ ..]) = self.data.get(start..) else { return Err(use_value) };
        let found = Found {
            way,
            stamp,
            is_seen: sequence.load(Ordering::Relaxed) <= row.sequence,
            value_len: (lengths.load(Ordering::Relaxed) >> 16) as u16 as usize,
        };
        // The words in front of the value hold the key alone.
        let (skipped, key_rest) = (row.key.len() / WORD, row.key.len() % WORD);
        let words = content.get(skipped..).unwrap_or_default();
        let value = key_rest..key_rest + found.value_len;
        match words.first_chunk() {
            Some(words) if value.end <= SHORT * WORD => {
                self.lend(copy::<SHORT>(words), value, found, use_value)
            }
            _ => self.lend(copy_long(words, value.end), value, found, use_value),
        }
    }

    /// Lends a value out of a copy of its words, if the copy is good.
    #[inline]
    fn lend<const N: usize, R, F: FnOnce(&[u8]) -> R>(
        &self,
        copy: [[u8; WORD]; N],
        value: Range<usize>,
        found: Found,
        use_value: F,
    ) -> Result<R, F> {
        match copy.as_flattened().get(value) {
            Some(value) if self.is_unchanged(found.stamp) && found.is_seen => {
                self.note_use(found.way);
                Ok(use_value(value))
            }
            _ => Err(use_value),
        }
    }

    /// Stores nothing that is set already.
    fn note_use(&self, way: usize) {
        if self.head[CLOCK].load(Ordering::Relaxed) >> way & 1 == 0 {
            self.head[CLOCK].fetch_or(1 << way, Ordering::Relaxed);
        }
    }

    /// Takes the lock if the stamp is still that one.
    pub(super) fn lock_at(&self, stamp: u64) -> bool {
        let locked = self.head[STAMP]
            .compare_exchange(stamp, stamp | FILLER, Ordering::Acquire, Ordering::Relaxed)
            .is_ok();
        // What is changed under the lock is not seen in front of it.
        fence(Ordering::Release);
        locked
    }

    /// Takes the lock for the one committer. `false`: it has it already.
    pub(super) fn lock(&self) -> bool {
        let mut spins = 0u32;
        loop {
            let stamp = self.head[STAMP].load(Ordering::Relaxed);
            match stamp & HOLDER {
                COMMITTER => return false,
                FREE => {
                    let taken = self.head[STAMP].compare_exchange(
                        stamp,
                        stamp | COMMITTER,
                        Ordering::Acquire,
                        Ordering::Relaxed,
                    );
                    if taken.is_ok() {
                        fence(Ordering::Release);
                        return true;
                    }
                }
                // A reader copies a row into the bucket.
                _ => {}
            }
            spins += 1;
            if spins.is_multiple_of(64) { yield_now() } else { spin_loop() }
        }
    }

    /// Gives the lock back, with a new stamp.
    pub(super) fn unlock(&self) {
        self.unlock_behind(0);
    }

    /// Gives the lock back with the stamp that there was: nothing has changed.
    pub(super) fn unlock_at(&self, stamp: u64) {
        self.head[STAMP].store(stamp, Ordering::Release);
    }

    /// Gives the lock back, with a stamp behind all that there were and behind `floor`. That stamp.
    pub(super) fn unlock_behind(&self, floor: u64) -> u64 {
        let stamp = (self.head[STAMP].load(Ordering::Relaxed).max(floor) & !HOLDER).wrapping_add(STEP);
        self.head[STAMP].store(stamp, Ordering::Release);
        stamp
    }

    /// Way and first word of the row of a key. Without the lock, the answer holds only while the stamp does.
    #[inline]
    pub(super) fn find(&self, tag: u16, row: &Row<'_>) -> Option<(usize, usize)> {
        // A free way has no tag.
        let tags = u64::from(tag) << 32 | u64::from(tag);
        for way in 0..WAYS {
            let metas = self.head[METAS + way / 2].load(Ordering::Relaxed);
            let bits = ((metas ^ tags) >> (32 * (way % 2))) as u32;
            if bits as u16 == 0 {
                let start = usize::from(Meta::from_bits(bits).start) * UNIT_WORDS;
                if self.holds(start, row) {
                    return Some((way, start));
                }
            }
        }
        None
    }

    #[inline]
    fn holds(&self, start: usize, row: &Row<'_>) -> bool {
        let Some([_, lengths, content @ ..]) = self.data.get(start..) else { return false };
        let lengths = lengths.load(Ordering::Relaxed);
        if (lengths >> 32) as u32 != row.keyspace || lengths as u16 as usize != row.key.len() {
            return false;
        }
        let (words, rest) = row.key.as_chunks::<8>();
        let Some((whole, behind)) = content.split_at_checked(words.len()) else { return false };
        for (word, own) in words.iter().zip(whole) {
            if own.load(Ordering::Relaxed) != u64::from_ne_bytes(*word) {
                return false;
            }
        }
        let last = || behind.first().map_or(0, |word| word.load(Ordering::Relaxed)).to_ne_bytes();
        rest.is_empty() || last().starts_with(rest)
    }
}

/// A row that a reader has met.
struct Found {
    way: usize,
    stamp: u64,
    /// It is not newer than what the reader may see.
    is_seen: bool,
    value_len: usize,
}

#[inline]
fn copy<const N: usize>(words: &[AtomicU64; N]) -> [[u8; WORD]; N] {
    std::array::from_fn(|at| words[at].load(Ordering::Relaxed).to_ne_bytes())
}

/// The words of so many bytes; what is behind the end of all words is left out.
fn copy_long(words: &[AtomicU64], bytes: usize) -> [[u8; WORD]; LONG] {
    let mut copy = [[0; WORD]; LONG];
    for (bytes, word) in copy.iter_mut().zip(words).take(bytes.div_ceil(WORD)) {
        *bytes = word.load(Ordering::Relaxed).to_ne_bytes();
    }
    copy
}
