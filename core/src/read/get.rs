//! Point read: memtables from new to old, then tables from new to old.

use crate::base::error::Result;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::lookup::{Lookup, Reach};
use crate::base::record::RecordKind;
use crate::view::View;

/// Lends the value of a key (given with its hash) as of `sequence`, and when it was committed, to `use_value`.
pub fn get<R>(
    view: &View,
    keyspace: KeyspaceId,
    (key, hash): (&[u8], u64),
    sequence: SequenceNumber,
    reach: Reach,
    use_value: impl FnOnce(SequenceNumber, &[u8]) -> R,
) -> Result<Lookup<R>> {
    let active = view.active.space(keyspace).ok_or_else(View::gone)?;
    let memtables =
        || std::iter::once(active).chain(view.sealed.iter().filter_map(|set| set.space(keyspace)));
    let levels = view.version.space(keyspace);
    // All that may be looked at, before the first of it is waited for.
    if let Some(levels) = levels {
        levels.announce(hash);
    }
    memtables().for_each(|memtable| memtable.prefetch(hash));
    for memtable in memtables() {
        if let Some(record) = memtable.get_hashed(key, hash, sequence) {
            return Ok(match record.kind {
                RecordKind::Put => Lookup::Found(use_value(record.sequence, record.value)),
                RecordKind::Delete => Lookup::Absent,
            });
        }
    }
    let Some(levels) = levels else { return Ok(Lookup::Absent) };
    Ok(match levels.get_hashed(key, hash, sequence, reach)? {
        Lookup::Found(found) if found.kind == RecordKind::Put => {
            Lookup::Found(use_value(found.sequence, found.value()))
        }
        Lookup::Found(_) | Lookup::Absent => Lookup::Absent,
        Lookup::NotCached => Lookup::NotCached,
    })
}
