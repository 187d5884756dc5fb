//! Lookups of several keys in one table: in groups whose cache misses overlap.

use crate::base::error::Result;
use crate::base::hash::hash_key;
use crate::base::ids::SequenceNumber;
use crate::base::lookup::Reach;
use crate::btree::page::Page;
use crate::btree::table::{FoundRecord, Table};
use crate::btree::way::{AHEAD, Way};
use crate::cache::{Ahead, Found, Lent, Pin, pin};

/// Keys that are looked for together.
const TOGETHER: usize = 16;
/// Nothing: it is on its way already.
const NOTHING: Ahead = Ahead { skip: 0, lines: 0 };

impl Table {
    /// As [`Table::get`] for each of `keys`, all of which may be in the table. `found` is told the index of a key and its
    /// record, in any order. Keys that lie side by side should be next to each other.
    pub fn get_many(
        &self,
        keys: &[&[u8]],
        sequence: SequenceNumber,
        found: &mut dyn FnMut(usize, FoundRecord<'_>) -> Result<()>,
    ) -> Result<()> {
        for (nth, keys) in keys.chunks(TOGETHER).enumerate() {
            let first = nth * TOGETHER;
            let mut left = u32::MAX;
            if let Some(pin) = pin() {
                left = self.get_group(keys, sequence, &pin, &mut |at, record| found(first + at, record))?;
            }
            let is_left = |at: &usize| left >> *at & 1 == 1;
            for (at, key) in keys.iter().enumerate().filter(|(at, _)| is_left(at)) {
                let found = &mut |record: FoundRecord<'_>| found(first + at, record);
                self.get(key, hash_key(key), sequence, Reach::Disk, found)?.on_disk().transpose()?;
            }
        }
        Ok(())
    }

    /// What the filter says of each hash, appended to `holds`.
    pub fn may_hold_many(
        &self,
        hashes: impl Iterator<Item = u64> + Clone,
        holds: &mut Vec<bool>,
    ) -> Result<()> {
        hashes.clone().for_each(|hash| self.ask_filter(hash));
        let mut lent = pin();
        for hash in hashes {
            let hold = match lent.as_ref().and_then(|pin| self.may_hold_lent(hash, pin)) {
                Some(hold) => hold,
                None => {
                    lent = None;
                    self.may_hold(hash, Reach::Disk)?
                }
            };
            holds.push(hold);
        }
        Ok(())
    }

    /// Takes keys from the root to their leaves, without a lock. Each step is done for all of them before the next one, and
    /// asks the processor for what the next one reads. The bits of those that met a page which is not named.
    fn get_group(
        &self,
        keys: &[&[u8]],
        sequence: SequenceNumber,
        pin: &Pin,
        found: &mut dyn FnMut(usize, FoundRecord<'_>) -> Result<()>,
    ) -> Result<u32> {
        let mut group = Group { table: self, pin, ways: [Some(Way::Root); TOGETHER] };
        for _ in 1..self.properties.height {
            group.descend(keys, sequence);
        }
        let leaves = group.leaves(keys, sequence);
        let mut left = 0;
        let mut hits = 0;
        for (at, (key, leaf)) in keys.iter().zip(leaves).enumerate() {
            let Some((leaf, index)) = leaf else {
                left |= 1 << at;
                continue;
            };
            hits += self.properties.height;
            if let Some(record) = self.record_at(Found::Lent(leaf), index, key) {
                found(at, record)?;
            }
        }
        self.cache.note_hits(pin, hits);
        Ok(left)
    }
}

/// Keys on their way.
struct Group<'p> {
    table: &'p Table,
    pin: &'p Pin,
    /// For each key; `None`: it met a page that is not named.
    ways: [Option<Way<'p>>; TOGETHER],
}

impl<'p> Group<'p> {
    /// From inner pages to their children.
    fn descend(&mut self, keys: &[&[u8]], sequence: SequenceNumber) {
        self.ask(keys.len());
        for (key, way) in keys.iter().zip(&mut self.ways) {
            *way = way.and_then(|way| self.table.step_lent(way, NOTHING, key, sequence, self.pin));
        }
    }

    /// The leaves, and where in them the records are or would be.
    fn leaves(
        &self,
        keys: &[&[u8]],
        sequence: SequenceNumber,
    ) -> [Option<(Lent<'p, Page>, usize)>; TOGETHER] {
        self.ask(keys.len());
        let mut leaves = [None; TOGETHER];
        for ((key, way), leaf) in keys.iter().zip(&self.ways).zip(&mut leaves) {
            *leaf = way.and_then(|way| self.table.lent(way, NOTHING, self.pin)).map(|page| {
                let index = self.table.index_in(page.get(), key, sequence);
                page.get().prefetch_cell(index);
                (page, index)
            });
        }
        leaves
    }

    fn ask(&self, keys: usize) {
        for way in self.ways.iter().take(keys).flatten() {
            if let Some(place) = self.table.place(*way) {
                place.slots.prefetch_value(place.index, AHEAD);
            }
        }
    }
}
