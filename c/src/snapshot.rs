//! Snapshots.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::View;

use crate::cursor::lightning_db_scan_options_t;
use crate::handles::{DATABASES, SNAPSHOTS, lightning_db_scan_t, lightning_db_snapshot_t, lightning_db_t};
use crate::keyspace::bound;
use crate::{call, reader};

/// Takes a snapshot of what is visible now, in all keyspaces, for `lightning_db_snapshot_free`. NULL on an error:
/// Closed. Its reads go to the keyspace of the handle. It never changes and blocks nobody, and keeps old versions on disk until it is freed.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_snapshot_new(db: *mut lightning_db_t) -> *mut lightning_db_snapshot_t {
    call::pointer(|| SNAPSHOTS.insert(View::of_snapshot(DATABASES.with(db, |store| store.snapshot())?)))
}

/// The same snapshot through a keyspace of its database; with a handle of the database itself, through the default
/// one. NULL on an error: Closed. A keyspace that was dropped is NotFound, and one of another database InvalidArgument, at
/// each use.
///
/// It is Closed once the handle that `lightning_db_snapshot_new` gave is freed, and has to be freed all the same, by
/// `lightning_db_snapshot_free`, which frees it alone.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_snapshot_in(
    snapshot: *mut lightning_db_snapshot_t,
    keyspace: *mut lightning_db_t,
) -> *mut lightning_db_snapshot_t {
    call::pointer(|| {
        let store = bound(keyspace)?;
        SNAPSHOTS.insert(SNAPSHOTS.with(snapshot, |view| view.through(&store))?)
    })
}

/// As `lightning_db_get`, as of the snapshot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_snapshot_get(
    snapshot: *mut lightning_db_snapshot_t,
    key: *const c_char,
    key_len: usize,
    value_len: *mut usize,
) -> *mut c_char {
    // SAFETY: as the header says.
    unsafe { reader::get(&SNAPSHOTS, snapshot, key, key_len, value_len) }
}

/// As `lightning_db_get_into`, as of the snapshot.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_snapshot_get_into(
    snapshot: *mut lightning_db_snapshot_t,
    key: *const c_char,
    key_len: usize,
    buffer: *mut c_char,
    capacity: usize,
    value_len: *mut usize,
) -> c_int {
    // SAFETY: as the header says.
    unsafe { reader::get_into(&SNAPSHOTS, snapshot, key, key_len, (buffer, capacity), value_len) }
}

/// As `lightning_db_scan_new`, as of the snapshot. The scan may outlive the snapshot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_snapshot_scan(
    snapshot: *mut lightning_db_snapshot_t,
    options: *const lightning_db_scan_options_t,
) -> *mut lightning_db_scan_t {
    // SAFETY: as the header says.
    unsafe { reader::scan(&SNAPSHOTS, snapshot, options) }
}

/// Frees the handle; that of `lightning_db_snapshot_new` releases the snapshot. NULL is fine. Errors: Closed if it was freed
/// before.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_snapshot_free(snapshot: *mut lightning_db_snapshot_t) -> c_int {
    call::cleanup(snapshot, || {
        SNAPSHOTS.with(snapshot, |view| {
            view.close();
            Ok(())
        })?;
        SNAPSHOTS.remove(snapshot)
    })
}
