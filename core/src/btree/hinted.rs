//! Point reads by hints, which lead to the record of a key past memtables and tables.

use crate::base::ids::KeyspaceId;
use crate::base::lookup::Wanted;
use crate::base::record::RecordKind;
use crate::btree::format::{HEAD_LEN, NODE_HEADER_LEN};
use crate::btree::page::Page;
use crate::btree::table::{FoundRecord, TableContext};
use crate::cache::{Ahead, Found, Hint, Lent, Pin};

/// Bytes of a page that hold a head for sure, if the prefix is short.
fn place_of_head(hint: Hint) -> Ahead {
    Ahead { skip: NODE_HEADER_LEN + hint.index as usize * HEAD_LEN, lines: 2 }
}

/// The newest version of the wanted key, if there is a hint to it and it may be seen. `hash` is that of its row. `None` says nothing.
#[inline]
pub fn find_hinted<'p>(
    tables: &'p TableContext,
    keyspace: KeyspaceId,
    wanted: &Wanted<'_>,
    hash: u64,
    pin: &'p Pin,
) -> Option<FoundRecord<'p>> {
    let cache = &tables.cache;
    let hint = cache.hints().find(hash)?;
    cache.hints().prefetch_leaf(hint, place_of_head(hint));
    let leaf = cache.hints().leaf(hint, pin)?;
    leaf.get().prefetch_way_to(hint.index as usize);
    let found = record_of(leaf, hint, keyspace, wanted)?;
    cache.note_hits(pin, 1);
    Some(found)
}

/// As [`find_hinted`] for keys side by side, each with the hash of its row. `found` is told the index of a key and its record.
pub fn find_many_hinted<'p, 'k, const N: usize>(
    tables: &'p TableContext,
    keyspace: KeyspaceId,
    keys: impl Iterator<Item = (Wanted<'k>, u64)>,
    pin: &'p Pin,
    found: &mut dyn FnMut(usize, FoundRecord<'p>),
) {
    let hints = tables.cache.hints();
    let mut members = [const { None }; N];
    for (member, (wanted, hash)) in members.iter_mut().zip(keys) {
        *member = hints.find(hash).inspect(|hint| hints.prefetch_slot(*hint)).map(|hint| (wanted, hint));
    }
    members.iter().flatten().for_each(|(_, hint)| hints.prefetch_leaf(*hint, place_of_head(*hint)));
    let leaves = members.map(|member| {
        let (wanted, hint) = member?;
        let leaf = hints.leaf(hint, pin)?;
        leaf.get().prefetch_way_to(hint.index as usize);
        Some((wanted, hint, leaf))
    });
    let mut hits = 0;
    for (index, leaf) in leaves.into_iter().enumerate() {
        if let Some(record) = leaf.and_then(|(wanted, hint, leaf)| record_of(leaf, hint, keyspace, &wanted)) {
            hits += 1;
            found(index, record);
        }
    }
    tables.cache.note_hits(pin, hits);
}

/// The record that a hint leads to, if it is the wanted one.
#[inline]
fn record_of<'p>(
    leaf: Lent<'p, Page>,
    hint: Hint,
    keyspace: KeyspaceId,
    wanted: &Wanted<'_>,
) -> Option<FoundRecord<'p>> {
    let (page, index) = (leaf.get(), hint.index as usize);
    let origin = page.origin();
    if origin.keyspace != keyspace || index >= page.count() {
        return None;
    }
    let cell = page.leaf_cell(index);
    let sequence = origin.committed_at.unwrap_or(cell.sequence);
    let kind = cell.kind.filter(|kind| *kind == RecordKind::Put)?;
    let is_it = sequence <= wanted.sequence && page.has_key(index, cell.suffix, wanted.key);
    let value = cell.range_of_value();
    is_it.then_some(FoundRecord { page: Found::Lent(leaf), sequence, kind, index, value })
}
