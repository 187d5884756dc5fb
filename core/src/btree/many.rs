//! Lookups of several keys in one table: each page once, and the memory of the next keys' pages on its way.

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::btree::format::{PageKind, PagePointer};
use crate::btree::page::Page;
use crate::btree::table::{PageRecord, Table};
use crate::sync::Arc;

/// Keys that are looked for together: their cache misses overlap.
const TOGETHER: usize = 16;

impl Table {
    /// As [`Table::get`] for each of `keys`, which are sorted. `found` is told the index of a key and its record.
    pub fn get_many(
        &self,
        keys: &[&[u8]],
        sequence: SequenceNumber,
        found: &mut dyn FnMut(usize, PageRecord) -> Result<()>,
    ) -> Result<()> {
        let (leaves, places) = (Vec::with_capacity(TOGETHER), Vec::with_capacity(TOGETHER));
        let mut walk = Walk { table: self, sequence, leaves, places, found };
        walk.visit(self.root, self.properties.height, keys, 0)?;
        walk.answer()
    }
}

struct Walk<'a> {
    table: &'a Table,
    sequence: SequenceNumber,
    /// Leaves whose heads are on their way, with what is looked for in them: index of the key, and the key.
    leaves: Vec<(Arc<Page>, usize, &'a [u8])>,
    /// Where in their leaves these are.
    places: Vec<usize>,
    found: &'a mut dyn FnMut(usize, PageRecord) -> Result<()>,
}

impl<'a> Walk<'a> {
    /// Visits a page of level `level`, 1 for leaves, for the keys that belong there; the first one has index `first`.
    fn visit(&mut self, pointer: PagePointer, level: u64, keys: &[&'a [u8]], first: usize) -> Result<()> {
        if level <= 1 {
            let page = self.table.page(pointer, PageKind::Leaf)?;
            page.prefetch_heads();
            for (at, key) in keys.iter().enumerate() {
                self.leaves.push((Arc::clone(&page), first + at, key));
            }
            return if self.leaves.len() < TOGETHER { Ok(()) } else { self.answer() };
        }
        let page = self.table.page(pointer, PageKind::Inner)?;
        let (table, sequence) = (self.table, self.sequence);
        let child_of = |key: &[u8]| page.child_index(&table.order, key, sequence);
        let mut begin = 0;
        let mut child = keys.first().map_or(0, |key| child_of(key));
        while begin < keys.len() {
            let (mut end, mut next) = (begin + 1, child);
            while let Some(key) = keys.get(end) {
                next = child_of(key);
                if next != child {
                    break;
                }
                end += 1;
            }
            let part = keys.get(begin..end).unwrap_or_default();
            self.visit(page.inner_cell(child).child, level - 1, part, first + begin)?;
            (begin, child) = (end, next);
        }
        Ok(())
    }

    /// Searches the leaves that have been gathered: first all for the place, then all for the record there.
    fn answer(&mut self) -> Result<()> {
        let (table, sequence) = (self.table, self.sequence);
        let places = self.leaves.iter().map(|(page, _, key)| {
            let place = table.index_in(page, key, sequence);
            page.prefetch_cell(place);
            place
        });
        self.places.extend(places);
        for ((page, index, key), place) in self.leaves.drain(..).zip(self.places.drain(..)) {
            if let Some(record) = table.record_at(page, place, key) {
                (self.found)(index, record)?;
            }
        }
        Ok(())
    }
}
