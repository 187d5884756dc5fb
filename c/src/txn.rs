//! Transactions as objects.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::{Result, View};

use crate::cursor::lightning_db_scan_options_t;
use crate::handles::{DATABASES, TRANSACTIONS, lightning_db_scan_t, lightning_db_t, lightning_db_txn_t};
use crate::keyspace::bound;
use crate::{arguments, call, reader};

/// Begins a serializable transaction, for `lightning_db_txn_free`. NULL on an error: TooMany, Closed, Halted.
///
/// Its reads see the database as it is now, and its own writes; others see nothing of it before the commit.
/// It holds no lock. Several threads may use it: its calls take turns.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_txn_begin(db: *mut lightning_db_t) -> *mut lightning_db_txn_t {
    lightning_db_txn_begin_with(db, arguments::LIGHTNING_DB_SERIALIZABLE)
}

/// As `lightning_db_txn_begin`, with an isolation: `LIGHTNING_DB_SERIALIZABLE` or
/// `LIGHTNING_DB_SNAPSHOT_ISOLATION`. Errors: also InvalidArgument.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_txn_begin_with(
    db: *mut lightning_db_t,
    isolation: c_int,
) -> *mut lightning_db_txn_t {
    call::pointer(|| {
        let isolation = arguments::isolation(isolation)?;
        TRANSACTIONS.insert(View::of_transaction(DATABASES.with(db, |store| store.transaction(isolation))?))
    })
}

/// The same transaction through a keyspace of its database; with a handle of the database itself, through the default
/// one. NULL on an error: Closed. A keyspace that was dropped is NotFound, and one of another
/// database InvalidArgument, at each use.
///
/// It is committed or aborted, whole, through any of its handles, and is taken back when the handle that began it is
/// freed; the others are Closed then. Freeing one of those, which its maker has to do with `lightning_db_txn_free`, ends nothing
/// but the handle.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_txn_in(
    txn: *mut lightning_db_txn_t,
    keyspace: *mut lightning_db_t,
) -> *mut lightning_db_txn_t {
    call::pointer(|| {
        let store = bound(keyspace)?;
        TRANSACTIONS.insert(TRANSACTIONS.with(txn, |view| view.through(&store))?)
    })
}

/// As `lightning_db_get`, as the transaction sees it. Errors: also Closed once it has been committed or
/// aborted, as in every call on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_txn_get(
    txn: *mut lightning_db_txn_t,
    key: *const c_char,
    key_len: usize,
    value_len: *mut usize,
) -> *mut c_char {
    // SAFETY: as the header says.
    unsafe { reader::get(&TRANSACTIONS, txn, key, key_len, value_len) }
}

/// As `lightning_db_get_into`, as the transaction sees it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_txn_get_into(
    txn: *mut lightning_db_txn_t,
    key: *const c_char,
    key_len: usize,
    buffer: *mut c_char,
    capacity: usize,
    value_len: *mut usize,
) -> c_int {
    // SAFETY: as the header says.
    unsafe { reader::get_into(&TRANSACTIONS, txn, key, key_len, (buffer, capacity), value_len) }
}

/// Puts a value. Errors: InvalidArgument (too long), OutOfMemory, Closed, Halted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_txn_put(
    txn: *mut lightning_db_txn_t,
    key: *const c_char,
    key_len: usize,
    value: *const c_char,
    value_len: usize,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (key, value) = unsafe { (arguments::key(key, key_len)?, arguments::value(value, value_len)?) };
        TRANSACTIONS.with(txn, |view| view.get()?.put(key, value))
    })
}

/// Deletes a key; an absent key is no error. Errors: as `lightning_db_txn_put`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_txn_delete(
    txn: *mut lightning_db_txn_t,
    key: *const c_char,
    key_len: usize,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let key = unsafe { arguments::key(key, key_len) }?;
        TRANSACTIONS.with(txn, |view| view.get()?.delete(key))
    })
}

/// As `lightning_db_scan_new`, as the transaction sees it: own writes as they are now. What the scan walks
/// over counts as read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_txn_scan(
    txn: *mut lightning_db_txn_t,
    options: *const lightning_db_scan_options_t,
) -> *mut lightning_db_scan_t {
    // SAFETY: as the header says.
    unsafe { reader::scan(&TRANSACTIONS, txn, options) }
}

/// Commits at the default level of the database. The transaction has ended whatever is returned (but for a
/// level that there is not), and its handle is to be freed. Blocks as `lightning_db_put`. Errors: Conflict if
/// another commit changed what it has read: begin again, or use `lightning_db_transact`, which does; and as
/// `lightning_db_put`.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_txn_commit(txn: *mut lightning_db_txn_t) -> c_int {
    lightning_db_txn_commit_with(txn, 0)
}

/// As `lightning_db_txn_commit`, acknowledged as `level` says: one of `enum lightning_db_level`.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_txn_commit_with(txn: *mut lightning_db_txn_t, level: c_int) -> c_int {
    call::status(|| commit(txn, level))
}

/// Commits in all keyspaces.
pub fn commit(txn: *const lightning_db_txn_t, level: c_int) -> Result<()> {
    let level = arguments::level(level)?;
    TRANSACTIONS.with(txn, View::end)?.commit(level)
}

/// Frees a handle; the one that began the transaction ends it.
pub fn free(txn: *const lightning_db_txn_t) -> Result<()> {
    TRANSACTIONS.with(txn, |view| {
        view.close();
        Ok(())
    })?;
    TRANSACTIONS.remove(txn)
}

/// Takes everything back. The handle is to be freed; freeing it without this does the same. Errors: Closed.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_txn_abort(txn: *mut lightning_db_txn_t) -> c_int {
    call::status(|| TRANSACTIONS.with(txn, View::end)?.abort())
}

/// Takes back what was not committed, and frees the handle; one of `lightning_db_txn_in` is freed alone. NULL is
/// fine. Errors: Closed if it was freed before.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_txn_free(txn: *mut lightning_db_txn_t) -> c_int {
    call::cleanup(txn, || free(txn))
}
