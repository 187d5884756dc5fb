//! Scans.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::c_int;
use std::ptr::{self, addr_of};

use lightning_db_bindings::{Bounds, Cursor, Error, Result, ScanOptions};

use crate::arguments::{self, Out, lightning_db_bytes_t};
use crate::handles::{DATABASES, SCANS, lightning_db_scan_t, lightning_db_t};
use crate::{call, reader};

/// The limit of a scan without one.
pub const LIGHTNING_DB_NO_LIMIT: u64 = u64::MAX;

/// What a scan gives. Begin with `LIGHTNING_DB_SCAN_OPTIONS` (all entries in rising order) and set what you
/// need. A bound whose `data` is NULL is no bound; the empty key as a bound is `""` with length 0. A side has
/// one bound at most. The bytes are copied by the call that begins the scan. Later versions add fields at the
/// end.
#[repr(C)]
pub struct lightning_db_scan_options_t {
    /// `sizeof(lightning_db_scan_options_t)`.
    pub struct_size: usize,
    /// At most so many entries.
    pub limit: u64,
    /// Keys behind this one.
    pub gt: lightning_db_bytes_t,
    /// This key and those behind it.
    pub gte: lightning_db_bytes_t,
    /// Keys in front of this one.
    pub lt: lightning_db_bytes_t,
    /// This key and those in front of it.
    pub lte: lightning_db_bytes_t,
    /// Of these, keys that start so.
    pub prefix: lightning_db_bytes_t,
    /// From the last key to the first.
    pub reverse: bool,
}

/// A struct of a version with so many bytes of further fields is taken, if they are all zero.
const MAX_FURTHER: usize = 4096;

/// The engine's form of the options; NULL is everything. Errors: `InvalidArgument`.
///
/// # Safety
/// `options` is NULL or has as many readable bytes as its `struct_size` says, and the bytes of its bounds are
/// readable.
pub unsafe fn scan_options(options: *const lightning_db_scan_options_t) -> Result<ScanOptions> {
    if options.is_null() {
        return Ok(ScanOptions::all());
    }
    const KNOWN: usize = size_of::<lightning_db_scan_options_t>();
    // SAFETY: the size is the first field.
    let size = unsafe { addr_of!((*options).struct_size).read_unaligned() };
    // SAFETY: the struct says that it has bytes beyond those that are known here.
    let further = || (KNOWN..size).all(|at| unsafe { options.cast::<u8>().add(at).read() } == 0);
    if !(KNOWN..=KNOWN + MAX_FURTHER).contains(&size) || !further() {
        return Err(Error::invalid(format!(
            "scan options of {size} bytes, {KNOWN} of them known: begin with LIGHTNING_DB_SCAN_OPTIONS, set no other field"
        )));
    }
    // SAFETY: the struct has all fields that are known here. What C calls a bool is read as a number: it may
    // be any.
    unsafe {
        let reverse = addr_of!((*options).reverse).cast::<u8>().read() != 0;
        let limit = addr_of!((*options).limit).read_unaligned();
        Bounds {
            gt: arguments::bound(addr_of!((*options).gt).read_unaligned(), "bound gt")?,
            gte: arguments::bound(addr_of!((*options).gte).read_unaligned(), "bound gte")?,
            lt: arguments::bound(addr_of!((*options).lt).read_unaligned(), "bound lt")?,
            lte: arguments::bound(addr_of!((*options).lte).read_unaligned(), "bound lte")?,
            prefix: arguments::bound(addr_of!((*options).prefix).read_unaligned(), "prefix")?,
            reverse,
            limit: (limit != LIGHTNING_DB_NO_LIMIT).then(|| usize::try_from(limit).unwrap_or(usize::MAX)),
        }
    }
    .options()
}

/// Lends the next entry; at the end the key is [`NONE`].
#[inline]
fn next(
    cursor: &mut Cursor,
    key: &Out<lightning_db_bytes_t>,
    value: &Out<lightning_db_bytes_t>,
) -> Result<()> {
    let Some((found, lent)) = cursor.next_entry()? else {
        key.set(NONE);
        return Ok(());
    };
    key.set(lightning_db_bytes_t { data: found.as_ptr().cast(), len: found.len() });
    value.set(lightning_db_bytes_t { data: lent.as_ptr().cast(), len: lent.len() });
    Ok(())
}

const NONE: lightning_db_bytes_t = lightning_db_bytes_t { data: ptr::null(), len: 0 };
const EMPTY: lightning_db_bytes_t = lightning_db_bytes_t { data: c"".as_ptr(), len: 0 };

/// Begins a scan of the database as it is now; NULL options are all entries in rising order. For
/// `lightning_db_scan_free`. NULL on an error: InvalidArgument (options), Closed, Corruption, Io. A scan
/// keeps the files that it reads; free it when done.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_scan_new(
    db: *mut lightning_db_t,
    options: *const lightning_db_scan_options_t,
) -> *mut lightning_db_scan_t {
    // SAFETY: as the header says.
    unsafe { reader::scan(&DATABASES, db, options) }
}

/// Moves to the next entry and lends its key and value, which are not copied and end without a 0: they are
/// valid until the next call on this scan, from whichever thread. `value` may be NULL. At the end `key->data`
/// is NULL. On an error it is not, so a loop that does not look at the status cannot take an error for the
/// end; every later call returns that error again. Several threads may use a scan, if they agree on who uses
/// what is lent.
///
/// Errors: Closed, also when the database was closed behind entries that were given; Corruption, Io.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_scan_next(
    scan: *mut lightning_db_scan_t,
    key: *mut lightning_db_bytes_t,
    value: *mut lightning_db_bytes_t,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (key, value) = unsafe { (Out::required(key, "key")?, Out::optional(value)) };
        key.set(EMPTY);
        value.set(EMPTY);
        SCANS.with(scan, |cursor| next(cursor, &key, &value))
    })
}

/// The error that ended the scan, again; 0 if there was none so far. Errors: also Closed for a scan that was
/// freed.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_scan_status(scan: *mut lightning_db_scan_t) -> c_int {
    call::status(|| SCANS.with(scan, |cursor| cursor.status()))
}

/// Frees the scan and what it lent. NULL is fine. Errors: Closed if it was freed before.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_scan_free(scan: *mut lightning_db_scan_t) -> c_int {
    call::free(&SCANS, scan)
}
