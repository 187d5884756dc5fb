//! Point read: memtables from new to old, then tables from new to old.

use crate::base::error::Result;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::lookup::{Lookup, Reach, Wanted};
use crate::base::record::RecordKind;
use crate::btree::FoundRecord;
use crate::view::View;

/// How a value is lent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lend {
    /// To who is done in a moment and calls nobody else: what he reads is kept from being reclaimed, and so is all else that
    /// leaves the cache.
    Briefly,
    /// To anybody: a page is held by a count.
    Held,
}

/// Lends the value of a key, when it was committed, and its record if that is of a table, to `use_value`, which is short
/// or has the value held for it.
pub fn get<R>(
    view: &View,
    keyspace: KeyspaceId,
    wanted: &Wanted<'_>,
    reach: Reach,
    lend: Lend,
    use_value: impl FnOnce(SequenceNumber, &[u8], Option<&FoundRecord<'_>>) -> R,
) -> Result<Lookup<R>> {
    let active = view.active.space(keyspace).ok_or_else(View::gone)?;
    let memtables =
        || std::iter::once(active).chain(view.sealed.iter().filter_map(|set| set.space(keyspace)));
    let levels = view.version.space(keyspace);
    // All that may be looked at, before the first of it is waited for.
    if let Some(levels) = levels {
        levels.ask_filters(wanted.hash);
    }
    memtables().for_each(|memtable| memtable.prefetch(wanted.hash));
    for memtable in memtables() {
        if let Some(record) = memtable.get_hashed(wanted.key, wanted.hash, wanted.sequence) {
            return Ok(match record.kind {
                RecordKind::Put => Lookup::Found(use_value(record.sequence, record.value, None)),
                RecordKind::Delete => Lookup::Absent,
            });
        }
    }
    let Some(levels) = levels else { return Ok(Lookup::Absent) };
    if lend == Lend::Held {
        let found = levels.get(wanted, reach, &mut |record: FoundRecord<'_>| record.counted())?;
        return Ok(match found {
            Lookup::Found(record) if record.kind == RecordKind::Put => {
                Lookup::Found(use_value(record.sequence, record.value(), Some(&record)))
            }
            Lookup::Found(_) | Lookup::Absent => Lookup::Absent,
            Lookup::NotCached => Lookup::NotCached,
        });
    }
    let mut use_value = Some(use_value);
    let mut use_record = |record: FoundRecord<'_>| {
        let use_value = use_value.take().filter(|_| record.kind == RecordKind::Put)?;
        Some(use_value(record.sequence, record.value(), Some(&record)))
    };
    Ok(match levels.get(wanted, reach, &mut use_record)? {
        Lookup::Found(found) => found.into(),
        Lookup::Absent => Lookup::Absent,
        Lookup::NotCached => Lookup::NotCached,
    })
}
