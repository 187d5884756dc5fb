//! Flush, compaction, cache, backup and restore.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{c_char, c_int};

use lightning_db_bindings::{backup, restore};

use crate::handles::{DATABASES, lightning_db_t};
use crate::{arguments, call};

/// Writes all memtables to tables. Blocks until done. Errors: NoSpace, Halted, Closed, Io.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_flush(db: *mut lightning_db_t) -> c_int {
    call::status(|| DATABASES.with(db, |db| db.flush()))
}

/// Flushes, then merges all tables into one level, without old versions that nobody can see. Reads and writes
/// go on. Blocks until done; needs room for a second copy of the data. Errors: NoSpace, Corruption, Halted,
/// Closed, Io; Cancelled when another thread closes the database.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_compact(db: *mut lightning_db_t) -> c_int {
    call::status(|| DATABASES.with(db, |db| db.compact_lsm()))
}

/// Empties the cache of pages and rows. Errors: Closed.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_clear_cache(db: *mut lightning_db_t) -> c_int {
    call::status(|| DATABASES.with(db, |db| db.clear_cache()))
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
        DATABASES.with(db, |db| backup(db, target))
    })
}

/// Makes a database of the backup in the folder `source`, in the folder `target`, which is absent or empty,
/// and leaves it closed. Every byte is verified. Blocks until done; a restore that was cut can be run again.
/// Errors: NotFound (no finished backup), AlreadyExists (target), Corruption, and as `lightning_db_create`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_restore(source: *const c_char, target: *const c_char) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let source = unsafe { arguments::path(source, "source of the restore") }?;
        // SAFETY: as the header says.
        let target = unsafe { arguments::path(target, "target of the restore") }?;
        restore(source, target)
    })
}
