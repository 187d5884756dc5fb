//! Point reads of several keys at once: one view, and the cache misses of neighbours overlap.

use crate::base::error::Result;
use crate::base::hash::hash_key;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::key::head;
use crate::base::limits::check_key;
use crate::base::record::RecordKind;
use crate::base::value::Value;
use crate::cache::loads_of_this_thread;
use crate::cache::rows::{Row, RowCache, Seen, Ticket};
use crate::catalogue::Catalogue;
use crate::metrics::Counter;
use crate::view::View;

/// Keys whose lines are asked for ahead of the one at hand.
const AHEAD: usize = 8;

/// A key that no row answers.
struct Miss {
    /// The hash of the key.
    hash: u64,
    /// Its first bytes, which decide most comparisons.
    head: u64,
    /// Which of the keys it is.
    index: usize,
    /// To put the answer into the rows.
    ticket: Option<Ticket>,
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
    let mut missing = look_at_rows(rows, keyspace, keys, sequence, &mut values)?;
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
    let order = levels.order();
    let key_of = |miss: &Miss| keys.get(miss.index).map_or(&[][..], K::as_ref);
    match order.is_bytewise() {
        true => missing.sort_unstable_by(|a, b| a.head.cmp(&b.head).then_with(|| key_of(a).cmp(key_of(b)))),
        false => missing.sort_by(|a, b| order.compare(key_of(a), key_of(b))),
    }
    let mut loads = loads_of_this_thread();
    let mut answer = |miss: &Miss, found: SequenceNumber, value: &[u8]| -> Result<()> {
        if let Some(ticket) = miss.ticket.filter(|_| may_offer) {
            let (pages, row) =
                (&catalogue.tables().cache, Row { keyspace: keyspace.0, key: key_of(miss), sequence: found });
            // Of the keys of a leaf, the first has paid for it.
            let from_disk = std::mem::replace(&mut loads, loads_of_this_thread()) != loads;
            rows.offer(ticket, row, value, from_disk, &**pages);
        }
        if let Some(slot) = values.get_mut(miss.index) {
            *slot = Some(Value::copy(value)?);
        }
        Ok(())
    };
    look_at_memtables(&view, keyspace, sequence, &mut missing, key_of, &mut answer)?;
    if missing.is_empty() {
        return Ok(values);
    }
    let sorted: Vec<_> = missing.iter().map(|miss| (key_of(miss), miss.hash)).collect();
    levels.get_many(&sorted, sequence, &mut |at, record| match (record.kind, missing.get(at)) {
        (RecordKind::Put, Some(miss)) => answer(miss, record.sequence, record.value()),
        _ => Ok(()),
    })?;
    Ok(values)
}

/// Fills in what rows there are; the rest is missing.
fn look_at_rows<K: AsRef<[u8]>>(
    rows: &RowCache,
    keyspace: KeyspaceId,
    keys: &[K],
    sequence: SequenceNumber,
    values: &mut Vec<Option<Value>>,
) -> Result<Vec<Miss>> {
    let mut missing = Vec::with_capacity(keys.len());
    let on = rows.is_on();
    let hashes: Vec<u64> = keys.iter().map(|key| hash_key(key.as_ref())).collect();
    let ask = |hash: &u64| {
        rows.prefetch(keyspace.0, *hash);
    };
    hashes.iter().take(AHEAD).filter(|_| on).for_each(ask);
    for ((index, key), &hash) in keys.iter().enumerate().zip(&hashes) {
        hashes.get(index + AHEAD).filter(|_| on).into_iter().for_each(ask);
        let key = key.as_ref();
        let row = Row { keyspace: keyspace.0, key, sequence };
        let value = match rows.get_hashed(hash, row, Value::copy) {
            Seen::Hit(value) => Some(value?),
            Seen::Miss(_, ticket) => {
                missing.push(Miss { hash, head: head(key), index, ticket });
                None
            }
        };
        values.push(value);
    }
    Ok(missing)
}

/// Takes out what a memtable answers.
fn look_at_memtables<'k>(
    view: &View,
    keyspace: KeyspaceId,
    sequence: SequenceNumber,
    missing: &mut Vec<Miss>,
    key_of: impl Fn(&Miss) -> &'k [u8],
    answer: &mut impl FnMut(&Miss, SequenceNumber, &[u8]) -> Result<()>,
) -> Result<()> {
    for set in std::iter::once(&view.active).chain(&view.sealed) {
        let Some(memtable) = set.space(keyspace).filter(|memtable| !memtable.is_empty()) else { continue };
        let mut outcome = Ok(());
        missing.iter().for_each(|miss| memtable.prefetch(miss.hash));
        missing.retain(|miss| match memtable.get_hashed(key_of(miss), miss.hash, sequence) {
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
