//! Keys that are nowhere. A caller that looks for one often looks for the next: new keys are inserted, others' keys sought in vain.
//! So behind a key that was not found the filters are asked first, which lie close together; before rows and hints, which
//! are spread over much memory and would say nothing.

use std::cell::Cell;

use crate::base::ids::KeyspaceId;
use crate::cache::Pin;
use crate::view::View;

thread_local! {
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the last point read of this thread found nothing.
#[inline]
pub fn absence_is_expected() -> bool {
    EXPECTED.get()
}

/// Notes that a point read found nothing, or found something.
#[inline]
pub fn expect_absence(expected: bool) {
    EXPECTED.set(expected);
}

/// Whether filters that are in memory say that a view has no record of a key, not even of its deletion. `false` says nothing.
#[inline]
pub fn is_surely_absent(view: &View, keyspace: KeyspaceId, key: &[u8], hash: u64, pin: &Pin) -> bool {
    let Some(active) = view.active.space(keyspace) else { return false };
    let mut sealed = view.sealed.iter().filter_map(|set| set.space(keyspace));
    let levels = view.version.space(keyspace);
    !active.may_hold(hash)
        && !sealed.any(|memtable| memtable.may_hold(hash))
        && levels.is_none_or(|levels| levels.surely_lack(key, hash, pin))
}
