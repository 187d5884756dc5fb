//! Point reads of several keys at once: one view, and the cache misses of neighbours overlap.

use crate::base::error::Result;
use crate::base::hash::hash_key;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::limits::check_key;
use crate::base::lookup::Wanted;
use crate::base::record::RecordKind;
use crate::base::value::Value;
use crate::btree::{FoundRecord, TableContext, find_many_hinted};
use crate::cache::rows::{Row, RowCache, Seen, Ticket, in_keyspace};
use crate::cache::{loads_of_this_thread, pin};
use crate::catalogue::Catalogue;
use crate::metrics::Counter;
use crate::read::keep;
use crate::view::View;

/// Keys whose lines are asked for ahead of the one at hand.
const AHEAD: usize = 8;
/// Keys whose hints are followed together.
const SIDE_BY_SIDE: usize = 32;

/// A key that no row answers.
struct Miss<'k> {
    /// The key.
    wanted: Wanted<'k>,
    /// The hash of its row.
    row_hash: u64,
    /// Which of the keys it is.
    index: usize,
    /// To put the answer into the rows.
    ticket: Option<Ticket>,
}

/// How a value was found.
enum By<'r> {
    Hint,
    /// In a memtable, or as a record of a table.
    Walk(Option<&'r FoundRecord<'r>>),
}

/// The values of `keys`, all as of one instant, in their order. Rows that are asked for again are kept, as those of
/// single reads. Errors: also for one bad key; the first in the order of the keys that are looked up.
pub fn get_many<K: AsRef<[u8]>>(
    catalogue: &Catalogue,
    rows: &RowCache,
    keyspace: KeyspaceId,
    keys: &[K],
) -> Result<Vec<Option<Value>>> {
    keys.iter().try_for_each(|key| check_key(key.as_ref()))?;
    let (view, sequence) = catalogue.view().latest();
    let mut values = Vec::with_capacity(keys.len());
    let mut missing = look_at_rows(catalogue, rows, (keyspace, sequence), keys, &mut values)?;
    let meters = &catalogue.tables().meters;
    meters.add(Counter::RowHits, (keys.len() - missing.len()) as u64);
    meters.add(Counter::RowMisses, missing.len() as u64);
    if missing.is_empty() {
        return Ok(values);
    }
    // A row may be offered only by who took its ticket before the view. If nothing was committed meanwhile, that is
    // the same.
    let may_offer = catalogue.view().visible() == sequence;
    let levels = view.version.space(keyspace).ok_or_else(View::gone)?;
    let mut loads = loads_of_this_thread();
    let pages = &*catalogue.tables().cache;
    let mut answer = |miss: &Miss<'_>, found: SequenceNumber, value: &[u8], by: By<'_>| {
        if let Some(ticket) = miss.ticket.filter(|_| may_offer) {
            let row = Row { keyspace: keyspace.0, key: miss.wanted.key, sequence: found };
            // Of the keys of a leaf, the first has paid for it.
            let from_disk = std::mem::replace(&mut loads, loads_of_this_thread()) != loads;
            match by {
                By::Hint => rows.offer_hinted(ticket, row, value, pages),
                By::Walk(record) => keep(rows, catalogue.tables(), ticket, row, value, record, from_disk),
            }
        }
        if let Some(slot) = values.get_mut(miss.index) {
            *slot = Some(Value::copy(value)?);
        }
        Ok(())
    };
    look_at_hints(catalogue.tables(), keyspace, &mut missing, &mut |miss, record| {
        answer(miss, record.sequence, record.value(), By::Hint)
    })?;
    look_at_memtables(&view, keyspace, &mut missing, &mut |miss, sequence, value| {
        answer(miss, sequence, value, By::Walk(None))
    })?;
    if missing.is_empty() {
        return Ok(values);
    }
    let wanted: Vec<_> = missing.iter().map(|miss| miss.wanted).collect();
    levels.get_many(&wanted, &mut |at, record| match (record.kind, missing.get(at)) {
        (RecordKind::Put, Some(miss)) => {
            answer(miss, record.sequence, record.value(), By::Walk(Some(&record)))
        }
        _ => Ok(()),
    })?;
    Ok(values)
}

/// Fills in what rows there are; the rest is missing.
fn look_at_rows<'k, K: AsRef<[u8]>>(
    catalogue: &Catalogue,
    rows: &RowCache,
    (keyspace, sequence): (KeyspaceId, SequenceNumber),
    keys: &'k [K],
    values: &mut Vec<Option<Value>>,
) -> Result<Vec<Miss<'k>>> {
    let hints = catalogue.tables().cache.hints();
    let mut missing = Vec::with_capacity(keys.len());
    let on = rows.is_on();
    let hashes: Vec<u64> = keys.iter().map(|key| hash_key(key.as_ref())).collect();
    let ask = |hash: &u64| {
        hints.prefetch(rows.prefetch(keyspace.0, *hash));
    };
    hashes.iter().take(AHEAD).filter(|_| on).for_each(ask);
    for ((index, key), &hash) in keys.iter().enumerate().zip(&hashes) {
        hashes.get(index + AHEAD).filter(|_| on).into_iter().for_each(ask);
        let key = key.as_ref();
        let row = Row { keyspace: keyspace.0, key, sequence };
        let row_hash = in_keyspace(hash, keyspace.0);
        let value = match rows.get_hashed(row_hash, row, Value::copy) {
            Seen::Hit(value) => Some(value?),
            Seen::Miss(_, ticket) => {
                missing.push(Miss { wanted: Wanted { key, hash, sequence }, row_hash, index, ticket });
                None
            }
        };
        values.push(value);
    }
    Ok(missing)
}

/// Takes out what hints lead to.
fn look_at_hints<'k>(
    tables: &TableContext,
    keyspace: KeyspaceId,
    missing: &mut Vec<Miss<'k>>,
    answer: &mut impl FnMut(&Miss<'k>, FoundRecord<'_>) -> Result<()>,
) -> Result<()> {
    let Some(pin) = pin() else { return Ok(()) };
    let mut outcome = Ok(());
    let mut answered = vec![false; missing.len()];
    for (group, answered) in missing.chunks(SIDE_BY_SIDE).zip(answered.chunks_mut(SIDE_BY_SIDE)) {
        let keys = group.iter().map(|miss| (miss.wanted, miss.row_hash));
        find_many_hinted::<SIDE_BY_SIDE>(tables, keyspace, keys, &pin, &mut |at, record| {
            if let (Some(miss), Some(answered), Ok(())) = (group.get(at), answered.get_mut(at), &outcome) {
                outcome = answer(miss, record);
                *answered = true;
            }
        });
    }
    let mut answered = answered.into_iter();
    missing.retain(|_| answered.next() != Some(true));
    outcome
}

/// Takes out what a memtable answers.
fn look_at_memtables<'k>(
    view: &View,
    keyspace: KeyspaceId,
    missing: &mut Vec<Miss<'k>>,
    answer: &mut impl FnMut(&Miss<'k>, SequenceNumber, &[u8]) -> Result<()>,
) -> Result<()> {
    for set in std::iter::once(&view.active).chain(&view.sealed) {
        let Some(memtable) = set.space(keyspace).filter(|memtable| !memtable.is_empty()) else { continue };
        let mut outcome = Ok(());
        missing.iter().for_each(|miss| memtable.prefetch(miss.wanted.hash));
        let look = |Wanted { key, hash, sequence }| memtable.get_hashed(key, hash, sequence);
        missing.retain(|miss| match look(miss.wanted) {
            Some(record) => {
                if record.kind == RecordKind::Put && outcome.is_ok() {
                    outcome = answer(miss, record.sequence, record.value);
                }
                false
            }
            None => true,
        });
        outcome?;
    }
    Ok(())
}
