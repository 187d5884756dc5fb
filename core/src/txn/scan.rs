//! A scan inside a transaction: what it walks over is noted for the conflict check.

use std::ops::Bound;

use crate::base::error::Result;
use crate::base::ids::KeyspaceId;
use crate::base::key::KeyRange;
use crate::base::memory;
use crate::read::Scan;
use crate::sync::{Arc, Mutex};
use crate::txn::transaction::Work;

/// Entries in key order as the transaction sees them; see [`Scan`].
pub struct TransactionScan {
    scan: Scan,
    /// Where the walked part is noted; `None` if reads are not checked.
    note: Option<Note>,
}

/// The walked part of a scan, among the ranges that its transaction has read.
pub(super) struct Note {
    pub work: Arc<Mutex<Work>>,
    pub keyspace: KeyspaceId,
    /// All that the scan may walk.
    pub range: KeyRange,
    pub reverse: bool,
    /// Which of the transaction's ranges it is, once something has been walked.
    pub index: Option<usize>,
}

impl TransactionScan {
    pub(super) fn new(scan: Scan, note: Option<Note>) -> Self {
        TransactionScan { scan, note }
    }

    /// Moves to the next entry and lends its key and value until the next call; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        let found = self.scan.step()?;
        if let Some(note) = &mut self.note {
            if found {
                note.walked_to(self.scan.key());
            } else if !self.scan.hit_limit() {
                note.walked_all();
            }
        }
        Ok(self.scan.entry())
    }
}

impl Note {
    fn walked_to(&mut self, key: &[u8]) {
        self.widen(|range, _, reverse| {
            let bound = if reverse { &mut range.start } else { &mut range.end };
            match bound {
                Bound::Included(reached) => {
                    reached.clear();
                    reached.extend_from_slice(key);
                }
                other => *other = Bound::Included(key.to_vec()),
            }
        });
    }

    fn walked_all(&mut self) {
        self.widen(|range, all, _| range.clone_from(all));
    }

    fn widen(&mut self, change: impl FnOnce(&mut KeyRange, &KeyRange, bool)) {
        let ranges = &mut self.work.lock().reads.ranges;
        let index = *self.index.get_or_insert_with(|| {
            ranges.push((self.keyspace, self.range.clone()));
            ranges.len() - 1
        });
        if let Some((_, range)) = ranges.get_mut(index) {
            change(range, &self.range, self.reverse);
        }
    }
}

impl Iterator for TransactionScan {
    type Item = Result<(Vec<u8>, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_entry() {
            Ok(entry) => entry.map(|(key, value)| Ok((key.to_vec(), memory::copy(value)?))),
            Err(error) => Some(Err(error)),
        }
    }
}

impl std::iter::FusedIterator for TransactionScan {}
