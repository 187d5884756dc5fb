//! Batches.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::write::{self, How};
use lightning_db_bindings::{Result, Store, WriteBatch, not_open};

use crate::handles::{BATCHES, DATABASES, lightning_db_batch_t, lightning_db_t};
use crate::keyspace::bound;
use crate::{arguments, call};

/// Writes, and where they go.
pub struct Writes {
    store: Store,
    batch: WriteBatch,
}

/// An empty batch of writes to the database or keyspace, for `lightning_db_batch_free`. NULL on an error. Several threads
/// may use a batch: its calls take turns.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_batch_new(db: *mut lightning_db_t) -> *mut lightning_db_batch_t {
    call::pointer(|| {
        let writes = DATABASES.with(db, |store| match store.database().is_open() {
            true => Ok(Writes { store: store.clone(), batch: WriteBatch::new() }),
            false => Err(not_open(store.database())),
        })?;
        BATCHES.insert(writes)
    })
}

/// Adds a put, also when the database was closed. Key and value are copied. Errors: InvalidArgument (key,
/// value or batch too large; the batch is unchanged), OutOfMemory, Closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_batch_put(
    batch: *mut lightning_db_batch_t,
    key: *const c_char,
    key_len: usize,
    value: *const c_char,
    value_len: usize,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (key, value) = unsafe { (arguments::key(key, key_len)?, arguments::value(value, value_len)?) };
        BATCHES.with(batch, |Writes { store, batch }| write::add_put(batch, store, key, value))
    })
}

/// Adds a delete; an absent key is no error. Errors: as `lightning_db_batch_put`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_batch_delete(
    batch: *mut lightning_db_batch_t,
    key: *const c_char,
    key_len: usize,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let key = unsafe { arguments::key(key, key_len) }?;
        BATCHES.with(batch, |Writes { store, batch }| write::add_delete(batch, store, key))
    })
}

/// As `lightning_db_batch_put`, in a keyspace of the batch's database, or in the default one with a handle of the
/// database itself. Errors: also NotFound for a keyspace that was dropped. With one of another database it is the
/// write that is InvalidArgument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_batch_put_in(
    batch: *mut lightning_db_batch_t,
    keyspace: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
    value: *const c_char,
    value_len: usize,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (key, value) = unsafe { (arguments::key(key, key_len)?, arguments::value(value, value_len)?) };
        let store = bound(keyspace)?;
        BATCHES.with(batch, |writes| write::add_put(&mut writes.batch, &store, key, value))
    })
}

/// As `lightning_db_batch_delete`, in a keyspace. Errors: as `lightning_db_batch_put_in`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_batch_delete_in(
    batch: *mut lightning_db_batch_t,
    keyspace: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let key = unsafe { arguments::key(key, key_len) }?;
        let store = bound(keyspace)?;
        BATCHES.with(batch, |writes| write::add_delete(&mut writes.batch, &store, key))
    })
}

/// Forgets all writes of the batch. Errors: Closed.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_batch_clear(batch: *mut lightning_db_batch_t) -> c_int {
    call::status(|| {
        BATCHES.with(batch, |writes| {
            writes.batch.clear();
            Ok(())
        })
    })
}

/// Applies the writes at the default level of the database, all or none, in the order in which they were
/// added. The batch is empty and usable afterwards; on an error nothing is applied and the batch keeps its
/// writes. Blocks and fails as `lightning_db_put`.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_batch_write(batch: *mut lightning_db_batch_t) -> c_int {
    lightning_db_batch_write_with(batch, 0)
}

/// As `lightning_db_batch_write`, acknowledged as `level` says: one of `enum lightning_db_level`.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_batch_write_with(batch: *mut lightning_db_batch_t, level: c_int) -> c_int {
    call::status(|| apply(batch, arguments::level(level)?.into()))
}

/// As `lightning_db_batch_write_with`, but waits at most `timeout_ms` milliseconds while flush and compaction are
/// behind: TimedOut then, and nothing is applied. A negative number is InvalidArgument. The sync of a strong write is waited for all the same.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_batch_write_within(
    batch: *mut lightning_db_batch_t,
    level: c_int,
    timeout_ms: i64,
) -> c_int {
    call::status(|| apply(batch, arguments::how(level, timeout_ms)?))
}

fn apply(batch: *const lightning_db_batch_t, how: How) -> Result<()> {
    BATCHES.with(batch, |Writes { store, batch }| {
        write::write(store, batch, how)?;
        batch.clear();
        Ok(())
    })
}

/// Frees the batch; writes that were not applied are forgotten. NULL is fine. Errors: Closed if it was freed
/// before.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_batch_free(batch: *mut lightning_db_batch_t) -> c_int {
    call::free(&BATCHES, batch)
}
