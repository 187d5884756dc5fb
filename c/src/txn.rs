//! Transactions as objects.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::Result;

use crate::cursor::lightning_db_scan_options_t;
use crate::handles::{DATABASES, TRANSACTIONS, lightning_db_scan_t, lightning_db_t, lightning_db_txn_t};
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
        TRANSACTIONS.insert(DATABASES.with(db, |db| db.transaction_with(isolation))?)
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
        TRANSACTIONS.with(txn, |txn| txn.put(key, value))
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
        TRANSACTIONS.with(txn, |txn| txn.delete(key))
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

/// The object goes at once: as long as it is there it counts as an open transaction.
pub fn commit(txn: *const lightning_db_txn_t, level: c_int) -> Result<()> {
    let level = arguments::level(level)?;
    let outcome = TRANSACTIONS.with(txn, |txn| txn.commit_shared(level));
    // Whoever ended it meanwhile has dropped it too.
    let _ = TRANSACTIONS.end(txn);
    outcome
}

/// Takes everything back. The handle is to be freed; freeing it without this does the same. Errors: Closed.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_txn_abort(txn: *mut lightning_db_txn_t) -> c_int {
    call::status(|| {
        TRANSACTIONS.with(txn, |txn| txn.abort_shared())?;
        let _ = TRANSACTIONS.end(txn);
        Ok(())
    })
}

/// Takes back what was not committed, and frees the handle. NULL is fine. Errors: Closed if it was freed
/// before.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_txn_free(txn: *mut lightning_db_txn_t) -> c_int {
    call::free(&TRANSACTIONS, txn)
}
