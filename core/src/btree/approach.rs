//! What a look-up in several tables, one after the other, asks for beforehand.

use crate::btree::table::Table;
use crate::cache::Ahead;
use crate::filter::LINE;

impl Table {
    /// Asks the processor for what [`Table::ask_for_filter`] reads.
    #[inline]
    pub fn announce_filter(&self, hash: u64) {
        if let Some(span) = &self.filter {
            self.visit().announce(self.number(), span.place_of(hash).0.offset);
        }
    }

    /// Asks the processor for what the filter says of a hash, if that is in the cache.
    #[inline]
    pub fn ask_for_filter(&self, hash: u64) {
        if let Some(span) = &self.filter {
            let (pointer, line) = span.place_of(hash);
            self.visit().ask(self.number(), pointer.offset, Ahead { skip: line * LINE, lines: 1 });
        }
    }
}
