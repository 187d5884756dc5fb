//! Flush, compaction, cache, backup and restore.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use lightning_db_bindings::{Error, backup, compact, restore_with};

use crate::handles::{DATABASES, lightning_db_options_t, lightning_db_t};
use crate::options::opening;
use crate::{arguments, call};

/// Writes all memtables to tables. Blocks until done. Errors: NoSpace, Halted, Closed, Io.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_flush(db: *mut lightning_db_t) -> c_int {
    call::status(|| DATABASES.with(db, |store| store.database().flush()))
}

/// Flushes, then merges all tables into one level, without old versions that nobody can see. Reads and writes
/// go on. Blocks until done. Goes piece by piece: needs room for a second copy of some hundred MiB, not of all
/// data. Errors: NoSpace, Corruption, Halted, Closed, Io; Cancelled when another thread closes the database.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_compact(db: *mut lightning_db_t) -> c_int {
    call::status(|| DATABASES.with(db, |store| store.database().compact_lsm()))
}

/// How far a compaction has got. Later versions add fields at the end.
#[repr(C)]
pub struct lightning_db_compaction_t {
    /// Bytes of the tables to be read, as far as is known: may rise, never falls.
    pub bytes_in: u64,
    /// Bytes of them that have been read, or turned out to need no reading: `bytes_in` at the end.
    pub bytes_done: u64,
    /// Tables written.
    pub tables: u64,
}

/// Is told how far a compaction has got, with the `user` pointer that was given. 0 goes on, any other number ends
/// the compaction. `progress` is lent for the call. It must not close the database, and neither an exception nor
/// `longjmp` may leave it.
pub type lightning_db_on_compaction_t =
    Option<unsafe extern "C" fn(progress: *const lightning_db_compaction_t, user: *mut c_void) -> c_int>;

/// As `lightning_db_compact`; calls `on_progress` in this thread, now and then, at the begin and at the end. Errors:
/// also Cancelled when it returned another number than 0: the piece in work is taken back; InvalidArgument (NULL).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_compact_with(
    db: *mut lightning_db_t,
    on_progress: lightning_db_on_compaction_t,
    user: *mut c_void,
) -> c_int {
    call::status(|| {
        let on_progress = on_progress.ok_or_else(|| Error::invalid("the callback is NULL"))?;
        // The callback may free the handle.
        let db = DATABASES.with(db, |store| Ok(store.database().clone()))?;
        compact(&db, |done| {
            let (bytes_in, bytes_done, tables) = (done.bytes_in, done.bytes_done, done.tables);
            let progress = lightning_db_compaction_t { bytes_in, bytes_done, tables };
            // SAFETY: the caller gives a function of this type, for its pointer.
            unsafe { on_progress(&raw const progress, user) == 0 }
        })
    })
}

/// Empties the cache of pages and rows. Errors: Closed.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_clear_cache(db: *mut lightning_db_t) -> c_int {
    call::status(|| DATABASES.with(db, |store| store.database().clear_cache()))
}

/// Copies all that is committed into the folder `target`, which is absent or empty. Writers go on. Blocks
/// until the copy is on stable storage and verified; one that was cut can be made again in the same place.
/// Errors: AlreadyExists, InvalidArgument (a folder inside the database), Locked, NoSpace, Corruption,
/// Halted, Closed, Io.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_backup(db: *mut lightning_db_t, target: *const c_char) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let target = unsafe { arguments::path(target, "target of the backup") }?;
        DATABASES.with(db, |store| backup(store.database(), target))
    })
}

/// Makes a database of the backup in the folder `source`, in the folder `target`, which is absent or empty,
/// and leaves it closed. Every byte is verified. Blocks until done; a restore that was cut can be run again.
/// Errors: NotFound (no finished backup), AlreadyExists (target), Corruption, and as `lightning_db_create`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_restore(source: *const c_char, target: *const c_char) -> c_int {
    // SAFETY: as the header says.
    unsafe { lightning_db_restore_with(source, target, ptr::null()) }
}

/// As `lightning_db_restore`, with options, which may be NULL: a database with comparators of yours needs them.
/// Errors: also Mismatch without them.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_restore_with(
    source: *const c_char,
    target: *const c_char,
    options: *const lightning_db_options_t,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let source = unsafe { arguments::path(source, "source of the restore") }?;
        // SAFETY: as the header says.
        let target = unsafe { arguments::path(target, "target of the restore") }?;
        restore_with(source, target, opening(options)?)
    })
}
