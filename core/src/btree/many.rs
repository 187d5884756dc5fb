//! Lookups of several keys in one table: in groups whose cache misses overlap.

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::lookup::Reach;
use crate::btree::format::{PageKind, PagePointer};
use crate::btree::page::Page;
use crate::btree::point::ahead_in;
use crate::btree::table::{PageRecord, Table};
use crate::cache::{Ahead, Found, Visit};
use crate::filter::LINE;

/// Keys that are looked for together.
const TOGETHER: usize = 16;

impl Table {
    /// As [`Table::get`] for each of `keys`, all of which may be in the table. `found` is told the index of a key and its
    /// record. Keys that lie side by side should be next to each other.
    pub fn get_many(
        &self,
        keys: &[&[u8]],
        sequence: SequenceNumber,
        found: &mut dyn FnMut(usize, PageRecord) -> Result<()>,
    ) -> Result<()> {
        let mut group =
            Group { table: self, sequence, visit: self.visit(), places: [(self.root, 0); TOGETHER] };
        let mut records = Vec::with_capacity(TOGETHER);
        for (nth, keys) in keys.chunks(TOGETHER).enumerate() {
            group.places = [(self.root, 0); TOGETHER];
            for _ in 1..self.properties.height {
                group.descend(keys)?;
            }
            group.answer(keys, &mut records)?;
            group.visit.let_go();
            for (index, record) in records.drain(..) {
                found(nth * TOGETHER + index, record)?;
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
        let mut visit = self.visit();
        if let Some(span) = &self.filter {
            for hash in hashes.clone() {
                let (pointer, line) = span.place_of(hash);
                visit.ask(self.number(), pointer.offset, Ahead { skip: line * LINE, lines: 1 });
            }
        }
        for hash in hashes {
            holds.push(self.may_hold(&mut visit, hash, Reach::Disk)?);
        }
        Ok(())
    }
}

/// Keys on their way from the root to their leaves. Each step is done for all of them before the next one, and each step
/// asks the processor for what the next one reads.
struct Group<'a> {
    table: &'a Table,
    sequence: SequenceNumber,
    visit: Visit<'a, Page>,
    /// For each key a page, and then what was found in it.
    places: [(PagePointer, usize); TOGETHER],
}

impl Group<'_> {
    /// From inner pages to their children.
    fn descend(&mut self, keys: &[&[u8]]) -> Result<()> {
        self.ask(keys.len(), PageKind::Inner);
        let (table, sequence) = (self.table, self.sequence);
        for (key, (pointer, index)) in keys.iter().zip(&mut self.places) {
            *index = table.use_page(
                &mut self.visit,
                *pointer,
                PageKind::Inner,
                ahead_in(PageKind::Inner),
                |page| {
                    let index = page.child_index(&table.order, key, sequence);
                    page.prefetch_cell(index);
                    index
                },
            )?;
        }
        for (_, (pointer, index)) in keys.iter().zip(&mut self.places) {
            let child = |page: Found<'_, Page>| page.inner_cell(*index).child;
            *pointer = table.use_page_again(&mut self.visit, *pointer, PageKind::Inner, child)?;
            self.visit.announce(table.number(), pointer.offset);
        }
        Ok(())
    }

    /// The records in leaves.
    fn answer(&mut self, keys: &[&[u8]], records: &mut Vec<(usize, PageRecord)>) -> Result<()> {
        self.ask(keys.len(), PageKind::Leaf);
        let (table, sequence) = (self.table, self.sequence);
        for (key, (pointer, index)) in keys.iter().zip(&mut self.places) {
            *index = table.use_page(
                &mut self.visit,
                *pointer,
                PageKind::Leaf,
                ahead_in(PageKind::Leaf),
                |page| {
                    let index = table.index_in(&page, key, sequence);
                    page.prefetch_cell(index);
                    index
                },
            )?;
        }
        for (nth, (key, (pointer, index))) in keys.iter().zip(&self.places).enumerate() {
            let record = |page: Found<'_, Page>| table.record_at(page, *index, key);
            let record = table.use_page_again(&mut self.visit, *pointer, PageKind::Leaf, record)?;
            records.extend(record.map(|record| (nth, record)));
        }
        Ok(())
    }

    fn ask(&self, keys: usize, kind: PageKind) {
        for (pointer, _) in self.places.iter().take(keys) {
            self.visit.ask(self.table.number(), pointer.offset, ahead_in(kind));
        }
    }
}
