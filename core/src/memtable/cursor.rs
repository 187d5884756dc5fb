//! A cursor over a memtable.

// Keeps a place together with the table that it is in.
#![allow(unsafe_code)]

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::record::Record;
use crate::iter::Cursor;
use crate::memtable::Memtable;
use crate::memtable::search::Target;
use crate::memtable::tree::{Place, Tree};
use crate::sync::Arc;

/// A cursor that keeps its memtable alive. It sees at least the records that were there when it was
/// positioned; of those that come later it may see some.
pub struct MemtableCursor {
    /// Inside of `table`; never handed out with this lifetime.
    place: Option<Place<'static>>,
    table: Arc<Memtable>,
}

impl Memtable {
    /// A cursor, not positioned yet.
    pub fn cursor(self: &Arc<Self>) -> MemtableCursor {
        MemtableCursor { place: None, table: Arc::clone(self) }
    }
}

impl MemtableCursor {
    fn position(
        &mut self,
        find: impl for<'t> FnOnce(&'t Tree, &Memtable) -> Option<Place<'t>>,
    ) -> Result<()> {
        // SAFETY: what a place refers to is neither moved nor freed before the table is, which `table`
        // keeps alive; the table itself does not move, being in an `Arc`.
        let tree: &'static Tree = unsafe { &*std::ptr::from_ref(&self.table.tree) };
        self.place = find(tree, &self.table);
        Ok(())
    }
}

impl Cursor for MemtableCursor {
    fn seek_first(&mut self) -> Result<()> {
        self.position(|tree, _| tree.first())
    }

    fn seek_last(&mut self) -> Result<()> {
        self.position(|tree, _| tree.last())
    }

    fn seek(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        self.position(|tree, table| tree.seek(&Target { order: &table.order, key, sequence }))
    }

    fn seek_before(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        self.position(|tree, table| tree.seek_before(&Target { order: &table.order, key, sequence }))
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        debug_assert!(self.valid());
        self.place = self.place.and_then(Place::next);
        Ok(())
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        debug_assert!(self.valid());
        self.place = self.place.and_then(Place::prev);
        Ok(())
    }

    #[inline]
    fn valid(&self) -> bool {
        self.place.is_some()
    }

    #[inline]
    fn next_key(&mut self) -> Result<()> {
        let Some(from) = self.place else { return Ok(()) };
        let key = from.record().key();
        let mut place = from.next();
        while let Some(next) = place.filter(|next| next.record().key() == key) {
            place = next.next();
        }
        self.place = place;
        Ok(())
    }

    #[inline]
    fn is_newest(&self) -> bool {
        self.place.is_some_and(|place| {
            place.prev().is_none_or(|before| before.record().key() != place.record().key())
        })
    }

    /// The record.
    ///
    /// # Panics
    /// If the cursor is not valid, which is an error of the caller.
    #[inline]
    fn record(&self) -> Record<'_> {
        match self.place {
            Some(place) => place.record().lend(),
            None => unreachable!("record() of a cursor that is not valid"),
        }
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.place.map_or(&[], |place| place.record().key())
    }
}
