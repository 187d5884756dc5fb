//! Opening, closing, and calls on single keys.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::{Database, OptionValue, Result, Store, write};

use crate::arguments::{self, Out, lightning_db_bytes_t};
use crate::cursor::{lightning_db_scan_options_t, scan_options};
use crate::handles::{DATABASES, lightning_db_options_t, lightning_db_t};
use crate::options::opening;
use crate::{call, memory, reader};

/// Opens the database in the folder `path`; makes it, with missing parent folders, if there is none.
/// `options` may be NULL and is only read: it stays the caller's. On unix a path is any bytes, elsewhere
/// UTF-8.
///
/// Returns a handle for `lightning_db_destroy`, or NULL. Blocks for some syncs and the replay of the log.
/// Errors: InvalidArgument (options), NotADatabase, Locked (open elsewhere, also in this process), Mismatch,
/// Corruption, UnsupportedVersion, PermissionDenied, NoSpace, OutOfMemory, Io.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_create(
    path: *const c_char,
    options: *const lightning_db_options_t,
) -> *mut lightning_db_t {
    // SAFETY: as the header says.
    call::pointer(|| unsafe { open(path, options, None) })
}

/// As `lightning_db_create`, for a database that must exist. Errors: also NotFound.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_open(
    path: *const c_char,
    options: *const lightning_db_options_t,
) -> *mut lightning_db_t {
    // SAFETY: as the header says.
    call::pointer(|| unsafe { open(path, options, Some("rw")) })
}

/// Opens a database that must exist for reads alone: the committed state of this moment. Writes nothing, and works
/// beside a process that has it open, also this one; every write is ReadOnly. Errors: as `lightning_db_open`, but
/// for Locked; TimedOut if the writer changed the files again and again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_open_read_only(
    path: *const c_char,
    options: *const lightning_db_options_t,
) -> *mut lightning_db_t {
    // SAFETY: as the header says.
    call::pointer(|| unsafe { open(path, options, Some("r")) })
}

unsafe fn open(
    path: *const c_char,
    options: *const lightning_db_options_t,
    mode: Option<&str>,
) -> Result<*mut lightning_db_t> {
    // SAFETY: as the header says.
    let path = unsafe { arguments::path(path, "path") }?;
    let mut opening = opening(options)?;
    if let Some(mode) = mode {
        opening.set("mode", OptionValue::Text(mode))?;
    }
    DATABASES.insert(Store::from(opening.open(path)?))
}

/// The database, if this handle of it opened it: the handle of a keyspace lives and ends alone.
fn opened(store: &Store) -> Option<Database> {
    store.keyspace().is_none().then(|| store.database().clone())
}

fn close(handle: *const lightning_db_t) -> Result<()> {
    let closed = match DATABASES.with(handle, |store| Ok(opened(store))) {
        Ok(Some(db)) => return db.close(),
        Ok(None) => DATABASES.end(handle),
        Err(error) => Err(error),
    };
    // Closing again does nothing.
    if DATABASES.has_ended(handle)? { Ok(()) } else { closed }
}

/// Closes the database: every later call on it and on its keyspaces, batches, scans, snapshots and transactions
/// is Closed. Waits for running commits, writes what is in memory and releases the folder. The handle stays to
/// be freed by `lightning_db_destroy`. Closing again does nothing. The handle of a keyspace is closed alone.
///
/// Errors: the failure that halted the database, or one of the last writes; it is closed all the same, and
/// what was acknowledged is found by the next open.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_close(db: *mut lightning_db_t) -> c_int {
    call::status(|| close(db))
}

/// Closes the database if it is open, and frees the handle: any later use of it is Closed. The files stay. The
/// handle of a keyspace is freed alone. NULL is fine. Errors: as `lightning_db_close`, and Closed for a handle that was freed before; it is freed
/// whatever is returned.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_destroy(db: *mut lightning_db_t) -> c_int {
    call::cleanup(db, || {
        // Kept beyond the handle, so that its error can be told. A handle that was closed alone has none.
        let opened = DATABASES.with(db, |store| Ok(opened(store)));
        DATABASES.remove(db)?;
        opened.ok().flatten().map_or(Ok(()), |db| db.close())
    })
}

/// Puts a value at the default level of the database. Blocks for the sync at that level, and while flush is
/// far behind. Errors: InvalidArgument (key or value too long), NoSpace, Halted, Closed, Io.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_put(
    db: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
    value: *const c_char,
    value_len: usize,
) -> c_int {
    // SAFETY: as the header says.
    unsafe { lightning_db_put_with(db, key, key_len, value, value_len, 0) }
}

/// As `lightning_db_put`, acknowledged as `level` says: one of `enum lightning_db_level`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_put_with(
    db: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
    value: *const c_char,
    value_len: usize,
    level: c_int,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (key, value) = unsafe { (arguments::key(key, key_len)?, arguments::value(value, value_len)?) };
        let level = arguments::level(level)?;
        DATABASES.with(db, |store| write::put(store, key, value, level))
    })
}

/// As `lightning_db_put_with`, but waits at most `timeout_ms` milliseconds while flush and compaction are behind:
/// TimedOut then, and nothing is written. The sync of a strong write is waited for all the same. A negative number
/// is InvalidArgument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_put_within(
    db: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
    value: *const c_char,
    value_len: usize,
    level: c_int,
    timeout_ms: i64,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (key, value) = unsafe { (arguments::key(key, key_len)?, arguments::value(value, value_len)?) };
        let how = arguments::how(level, timeout_ms)?;
        DATABASES.with(db, |store| write::put(store, key, value, how))
    })
}

/// Deletes a key at the default level of the database; an absent key is no error. Else as `lightning_db_put`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_delete(
    db: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
) -> c_int {
    // SAFETY: as the header says.
    unsafe { lightning_db_delete_with(db, key, key_len, 0) }
}

/// As `lightning_db_delete`, acknowledged as `level` says: one of `enum lightning_db_level`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_delete_with(
    db: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
    level: c_int,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let key = unsafe { arguments::key(key, key_len) }?;
        let level = arguments::level(level)?;
        DATABASES.with(db, |store| write::delete(store, key, level))
    })
}

/// As `lightning_db_delete_with`, but waits as `lightning_db_put_within` does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_delete_within(
    db: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
    level: c_int,
    timeout_ms: i64,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let key = unsafe { arguments::key(key, key_len) }?;
        let how = arguments::how(level, timeout_ms)?;
        DATABASES.with(db, |store| write::delete(store, key, how))
    })
}

/// The value of a key: a copy for `lightning_db_free_value`, with a 0 behind it that `*value_len` does not
/// count. NULL if the key is absent, and then `lightning_db_last_error_code()` is 0; or on an error, and then
/// it is not. `value_len` may be NULL. Blocks only for a read of the disk. Errors: InvalidArgument (key too
/// long), Closed, Corruption, OutOfMemory, Io.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_get(
    db: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
    value_len: *mut usize,
) -> *mut c_char {
    // SAFETY: as the header says.
    unsafe { reader::get(&DATABASES, db, key, key_len, value_len) }
}

/// Copies the value of a key into `buffer` and sets `*value_len` to its length. NotFound if the key is
/// absent, or the keyspace was dropped: `lightning_db_last_error_is_absent_key()` tells them apart; InvalidArgument if the value has more than `capacity` bytes: then nothing is copied, and
/// `*value_len` is the capacity that is needed (it is 0 with every other error). Allocates nothing. `buffer`
/// may be NULL if `capacity` is 0. Errors: as `lightning_db_get`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_get_into(
    db: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
    buffer: *mut c_char,
    capacity: usize,
    value_len: *mut usize,
) -> c_int {
    // SAFETY: as the header says.
    unsafe { reader::get_into(&DATABASES, db, key, key_len, (buffer, capacity), value_len) }
}

/// The values of `count` keys, all as of one instant. `*values` becomes an array of `count` entries in the
/// order of the keys, for `lightning_db_free_values`; an entry whose `data` is NULL says that the key is
/// absent, and behind the bytes of the others stands a 0 that `len` does not count. On an error `*values` is
/// NULL; one bad key fails all. Errors: as `lightning_db_get`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_get_many(
    db: *mut lightning_db_t,
    keys: *const lightning_db_bytes_t,
    count: usize,
    values: *mut *mut lightning_db_bytes_t,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let values = unsafe { Out::required(values, "values") }?;
        values.set(std::ptr::null_mut());
        // SAFETY: as the header says.
        let keys = unsafe { arguments::keys(keys, count) }?;
        let found = DATABASES.with(db, |store| store.get_batch(&keys))?;
        values.set(memory::copy_all(&found)?);
        Ok(())
    })
}

/// Sets `*count` to how many entries a scan with these options gives; NULL options are all. Exact, and as much work as
/// walking over their keys. Errors: as `lightning_db_scan_new`; then it is 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_count(
    db: *mut lightning_db_t,
    options: *const lightning_db_scan_options_t,
    count: *mut u64,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let count = unsafe { Out::required(count, "number of entries") }?;
        count.set(0);
        // SAFETY: as the header says.
        let options = unsafe { scan_options(options) }?;
        count.set(DATABASES.with(db, |store| store.count(options))?);
        Ok(())
    })
}

/// Sets `*bytes` to about how many bytes of tables on disk the entries of such a scan take; NULL options are all.
/// What is in memory only does not count (`lightning_db_flush` brings it to disk), nor do direction and limit. Reads a
/// few pages of tables, no entries.
/// Errors: as `lightning_db_scan_new`; then it is 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_approximate_size(
    db: *mut lightning_db_t,
    options: *const lightning_db_scan_options_t,
    bytes: *mut u64,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let bytes = unsafe { Out::required(bytes, "number of bytes") }?;
        bytes.set(0);
        // SAFETY: as the header says.
        let options = unsafe { scan_options(options) }?;
        bytes.set(DATABASES.with(db, |store| store.approximate_size(options))?);
        Ok(())
    })
}

/// Sets `*present` to whether the key is present. Errors: as `lightning_db_get`; then it is false.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_contains(
    db: *mut lightning_db_t,
    key: *const c_char,
    key_len: usize,
    present: *mut bool,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let present = unsafe { Out::required(present, "answer") }?;
        present.set(false);
        // SAFETY: as the header says.
        let key = unsafe { arguments::key(key, key_len) }?;
        present.set(DATABASES.with(db, |store| store.contains(key))?);
        Ok(())
    })
}
