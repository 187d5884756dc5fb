//! Point read: memtables from new to old, then tables from new to old.

use crate::base::error::Result;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::record::RecordKind;
use crate::view::View;

/// Lends the value of `key` as of `sequence` to `use_value`; `None` if the key is absent.
pub fn get<R>(
    view: &View,
    keyspace: KeyspaceId,
    key: &[u8],
    sequence: SequenceNumber,
    use_value: impl FnOnce(&[u8]) -> R,
) -> Result<Option<R>> {
    for set in std::iter::once(&view.active).chain(&view.sealed) {
        let Some(memtable) = set.space(keyspace) else { continue };
        if let Some(record) = memtable.get(key, sequence) {
            return Ok(match record.kind {
                RecordKind::Put => Some(use_value(record.value)),
                RecordKind::Delete => None,
            });
        }
    }
    let Some(levels) = view.version.space(keyspace) else { return Ok(None) };
    let Some(found) = levels.get(key, sequence)? else { return Ok(None) };
    Ok(match found.kind {
        RecordKind::Put => Some(use_value(found.value())),
        RecordKind::Delete => None,
    })
}
