//! Keyspaces: made, found, dropped. Their handles are those of databases.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int};
use std::ptr;

use lightning_db_bindings::{Result, Store};

use crate::arguments::{self, Out, lightning_db_bytes_t};
use crate::handles::{DATABASES, lightning_db_options_t, lightning_db_t};
use crate::options::keyspace_options;
use crate::{call, memory};

/// The keyspace of a handle, by its own handle of the engine also if it is the default one: the engine then knows at each use
/// whether the database is the right one.
pub fn bound(handle: *const lightning_db_t) -> Result<Store> {
    let store = DATABASES.with(handle, |store| Ok(store.clone()))?;
    match store.keyspace() {
        Some(_) => Ok(store),
        None => store.keyspace_named(store.name()),
    }
}

/// Makes a keyspace: keys with an order, page size and codec of their own, in tables of their own, in the same
/// database. `options` may be NULL, and may hold `comparator`, `page_size`, `compression_type` and
/// `compression_level`; what is not set is as in the database, and `compression_type` 0 is none. They hold for its
/// life, and are only read. It is on stable storage when this returns.
///
/// Returns a handle that works as the database's does, in this keyspace: reads, writes, scans, batches, snapshots and
/// transactions made from it go to it. It has to be freed by `lightning_db_destroy`, which frees it alone; what
/// concerns the whole database (flush, compact, backup, figures) is the same through it. NULL on an error:
/// AlreadyExists, InvalidArgument (a name that is not 1 to 255 bytes of UTF-8, options), ReadOnly, NoSpace, Halted,
/// Closed, Io.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_keyspace_create(
    db: *mut lightning_db_t,
    name: *const c_char,
    options: *const lightning_db_options_t,
) -> *mut lightning_db_t {
    call::pointer(|| {
        // SAFETY: as the header says.
        let name = unsafe { arguments::text(name, "name of the keyspace") }?;
        let options = keyspace_options(options)?;
        DATABASES.insert(DATABASES.with(db, |store| store.create_keyspace(name, options))?)
    })
}

/// A handle of the keyspace with this name, as `lightning_db_keyspace_create` gives it; "default" is the one that
/// the handle of the database uses. NULL on an error: NotFound, Closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_keyspace(
    db: *mut lightning_db_t,
    name: *const c_char,
) -> *mut lightning_db_t {
    call::pointer(|| {
        // SAFETY: as the header says.
        let name = unsafe { arguments::text(name, "name of the keyspace") }?;
        DATABASES.insert(DATABASES.with(db, |store| store.keyspace_named(name))?)
    })
}

/// Drops a keyspace with all that is in it, and makes durable what was committed before. Every call on its handles is
/// NotFound then; they are still to be freed, and scans that run go on. Blocks for some syncs. Errors: NotFound,
/// InvalidArgument (the default one), ReadOnly, NoSpace, Halted, Closed, Io.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_keyspace_drop(db: *mut lightning_db_t, name: *const c_char) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let name = unsafe { arguments::text(name, "name of the keyspace") }?;
        DATABASES.with(db, |store| store.database().drop_keyspace(name))
    })
}

/// The names of all keyspaces, sorted, "default" among them: `*names` becomes an array of `*count` of them for
/// `lightning_db_free_values`, each with a 0 behind it that `len` does not count. On an error they are NULL and 0:
/// Closed, OutOfMemory.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_keyspace_list(
    db: *mut lightning_db_t,
    names: *mut *mut lightning_db_bytes_t,
    count: *mut usize,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (names, count) =
            unsafe { (Out::required(names, "names")?, Out::required(count, "number of names")?) };
        names.set(ptr::null_mut());
        count.set(0);
        let all = DATABASES.with(db, |store| store.database().list_keyspaces())?;
        let all: Vec<_> = all.into_iter().map(Some).collect();
        names.set(memory::copy_all(&all)?);
        count.set(all.len());
        Ok(())
    })
}
