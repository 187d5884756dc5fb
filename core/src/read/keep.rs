//! What a reader leaves for those that look for the same key later.

use crate::btree::{FoundRecord, TableContext};
use crate::cache::rows::{Row, RowCache, Ticket};

/// Keeps the newest version of a key, found by a reader that took `ticket` before its view: as a row, if the key was looked
/// for before, or else as a hint to its record in a table. `from_disk`: it was found on the disk.
pub fn keep(
    rows: &RowCache,
    tables: &TableContext,
    ticket: Ticket,
    row: Row<'_>,
    value: &[u8],
    record: Option<&FoundRecord<'_>>,
    from_disk: bool,
) {
    let is_row = rows.offer(ticket, row, value, from_disk, &*tables.cache);
    if let Some(record) = record.filter(|_| !is_row) {
        rows.unwritten(ticket, |hash| record.leave_hint(tables.cache.hints(), hash));
    }
}
