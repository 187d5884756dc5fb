//! Loading sorted entries.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::{Ingest, Store, closed};

use crate::arguments::{self, Out};
use crate::call;
use crate::handles::{DATABASES, INGESTS, lightning_db_ingest_t, lightning_db_t};

/// Begins to load entries whose keys rise strictly, in the order of the database or keyspace, straight into tables: much
/// cheaper than writing them. For `lightning_db_ingest_free`. NULL on an error: ReadOnly, Halted, Closed, NotFound (a
/// keyspace that was dropped).
///
/// Nothing is visible before `lightning_db_ingest_finish`, which shows all at once, newer than every commit before.
/// Several threads may use it: its calls take turns.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_ingest_new(db: *mut lightning_db_t) -> *mut lightning_db_ingest_t {
    call::pointer(|| INGESTS.insert(Some(DATABASES.with(db, Store::ingest)?)))
}

/// Adds an entry, whose key lies behind that of the one before. An error ends the ingest, and every later call on it
/// is Closed: InvalidArgument (a key that does not rise, too long), NoSpace, Halted, Closed, Io. Blocks for a write of
/// the disk now and then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_ingest_add(
    ingest: *mut lightning_db_ingest_t,
    key: *const c_char,
    key_len: usize,
    value: *const c_char,
    value_len: usize,
) -> c_int {
    call::status(|| {
        INGESTS.with(ingest, |open| {
            // SAFETY: as the header says.
            let entry = unsafe {
                arguments::key(key, key_len).and_then(|key| Ok((key, arguments::value(value, value_len)?)))
            };
            let load = open.as_mut().ok_or_else(|| closed("ingest"))?;
            let added = entry.and_then(|(key, value)| load.add(key, value));
            added.inspect_err(|_| *open = None)
        })
    })
}

/// Makes all entries visible and durable, all or none; `*entries`, if `entries` is not NULL, is their number. A key
/// that was there has the new value then. Transactions that have read a key between the first and the last one meet a
/// Conflict. The ingest has ended whatever is returned, and is to be freed. Blocks for some syncs, and until what was written before
/// is flushed. Errors: as `lightning_db_ingest_add`; then `*entries` is 0 and nothing is changed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_ingest_finish(
    ingest: *mut lightning_db_ingest_t,
    entries: *mut u64,
) -> c_int {
    call::status(|| {
        // SAFETY: the caller gives NULL or a place for a number.
        let entries = unsafe { Out::optional(entries) };
        entries.set(0);
        let load: Ingest = INGESTS.with(ingest, |open| open.take().ok_or_else(|| closed("ingest")))?;
        entries.set(load.finish()?.entries);
        Ok(())
    })
}

/// Takes back what was not finished, and frees the handle. NULL is fine. Errors: Closed if it was freed before.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_ingest_free(ingest: *mut lightning_db_ingest_t) -> c_int {
    call::free(&INGESTS, ingest)
}
