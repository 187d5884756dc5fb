//! Check and repair, and what they report.
#![allow(unsafe_code, reason = "exported functions that take pointers of C")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{self, addr_of};

use lightning_db_bindings::{
    CheckProgress, CheckReport, Error, ErrorKind, Finding, Opening, Result, check, repair,
};

use crate::arguments::{self, Out, lightning_db_bytes_t};
use crate::handles::{REPORTS, lightning_db_options_t, lightning_db_report_t};
use crate::options::opening;
use crate::{call, memory};

/// List of a report: what is damaged, missing or contradictory; after a repair: what was.
pub const LIGHTNING_DB_PROBLEMS: c_int = 0;
/// List of a report: what is worth knowing and no damage, such as tails that a crash tore.
pub const LIGHTNING_DB_NOTES: c_int = 1;
/// List of a report: what is gone after a repair. An older value of such a key, or a deleted one, may show again.
pub const LIGHTNING_DB_LOST: c_int = 2;
/// List of a report: where the files that a repair has replaced are now.
pub const LIGHTNING_DB_SET_ASIDE: c_int = 3;

/// Offset of a finding without one, and number of its records if that is not known.
pub const LIGHTNING_DB_UNKNOWN: u64 = u64::MAX;

/// Something about a place of a file. Begin with `LIGHTNING_DB_FINDING`. What it points to is the report's. Later
/// versions add fields at the end.
#[repr(C)]
pub struct lightning_db_finding_t {
    /// `sizeof(lightning_db_finding_t)`.
    pub struct_size: usize,
    /// The file.
    pub file: *const c_char,
    /// Where in it, in bytes; or `LIGHTNING_DB_UNKNOWN`.
    pub offset: u64,
    /// What was expected, or is said.
    pub what: *const c_char,
    /// The keyspace; NULL where it is not one's.
    pub keyspace: *const c_char,
    /// Keys from here ... `data` is NULL if they are not known.
    pub first_key: lightning_db_bytes_t,
    /// ... to here, inclusive, may be concerned.
    pub last_key: lightning_db_bytes_t,
    /// How many records; or `LIGHTNING_DB_UNKNOWN`.
    pub records: u64,
}

/// Is told how many of how many bytes a check or a repair has looked at, with the `user` pointer that was given. Called
/// in the thread of the check. Neither an exception nor `longjmp` may leave it.
pub type lightning_db_on_check_t =
    Option<unsafe extern "C" fn(bytes_done: u64, bytes_total: u64, user: *mut c_void)>;

/// A report with its texts as C reads them.
pub struct Report {
    ok: bool,
    text: CString,
    figures: [(&'static str, u64); 10],
    lists: [Vec<Found>; 4],
}

#[derive(Default)]
struct Found {
    file: CString,
    offset: Option<u64>,
    what: CString,
    keyspace: Option<CString>,
    keys: [Option<Vec<u8>>; 2],
    records: Option<u64>,
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        Found {
            file: path_text(&finding.file),
            offset: finding.offset,
            what: text(&finding.what),
            keyspace: finding.keyspace.as_deref().map(text),
            keys: [finding.first_key, finding.last_key],
            records: finding.records,
        }
    }
}

fn text(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

fn path_text(path: &Path) -> CString {
    CString::new(path.as_os_str().as_encoded_bytes()).unwrap_or_default()
}

impl Found {
    fn lend(&self) -> lightning_db_finding_t {
        let key = |key: &Option<Vec<u8>>| match key {
            Some(key) if key.is_empty() => lightning_db_bytes_t { data: c"".as_ptr(), len: 0 },
            Some(key) => lightning_db_bytes_t { data: key.as_ptr().cast(), len: key.len() },
            None => lightning_db_bytes_t { data: ptr::null(), len: 0 },
        };
        let Found { file, offset, what, keyspace, keys: [first, last], records } = self;
        lightning_db_finding_t {
            struct_size: size_of::<lightning_db_finding_t>(),
            file: file.as_ptr(),
            offset: offset.unwrap_or(LIGHTNING_DB_UNKNOWN),
            what: what.as_ptr(),
            keyspace: keyspace.as_ref().map_or(ptr::null(), |keyspace| keyspace.as_ptr()),
            first_key: key(first),
            last_key: key(last),
            records: records.unwrap_or(LIGHTNING_DB_UNKNOWN),
        }
    }
}

impl From<CheckReport> for Report {
    fn from(report: CheckReport) -> Self {
        let (ok, text) = (report.is_ok(), text(&report.to_string()));
        let (repaired, repair) = (report.repair.is_some(), report.repair.unwrap_or_default());
        let found = |list: Vec<Finding>| list.into_iter().map(Found::from).collect::<Vec<_>>();
        let aside = repair.set_aside.iter().map(|path| Found { file: path_text(path), ..Found::default() });
        let lists = [found(report.problems), found(report.notes), found(repair.lost), aside.collect()];
        let len = |list: c_int| lists.get(list as usize).map_or(0, |list| list.len() as u64);
        let figures = [
            ("files", report.files),
            ("bytes", report.bytes),
            ("pages", report.pages),
            ("records", report.records),
            ("problems", len(LIGHTNING_DB_PROBLEMS)),
            ("notes", len(LIGHTNING_DB_NOTES)),
            ("repaired", repaired.into()),
            ("salvaged_records", repair.salvaged_records),
            ("lost", len(LIGHTNING_DB_LOST)),
            ("set_aside", len(LIGHTNING_DB_SET_ASIDE)),
        ];
        Report { ok, text, figures, lists }
    }
}

type Examine = fn(&Path, Opening, OnCheck) -> Result<CheckReport>;

/// The caller's function with its pointer.
struct OnCheck {
    on_progress: lightning_db_on_check_t,
    user: *mut c_void,
}

// SAFETY: both are used in the thread of the check alone.
unsafe impl Send for OnCheck {}
// SAFETY: as above.
unsafe impl Sync for OnCheck {}

impl OnCheck {
    fn call(&self, progress: CheckProgress) {
        if let Some(on_progress) = self.on_progress {
            // SAFETY: the caller gives a function of this type, for its pointer.
            unsafe { on_progress(progress.done, progress.total, self.user) }
        }
    }
}

unsafe fn examine(
    path: *const c_char,
    options: *const lightning_db_options_t,
    on_check: OnCheck,
    work: Examine,
) -> *mut lightning_db_report_t {
    call::pointer(|| {
        // SAFETY: as the header says.
        let path = unsafe { arguments::path(path, "path") }?;
        REPORTS.insert(work(path, opening(options)?, on_check)?.into())
    })
}

/// Reads every byte of the database in the folder `path`, which nobody has open, and reports what is wrong. Changes
/// nothing. `options` may be NULL; comparators of yours must be in them. `on_progress` may be NULL. Blocks for as
/// long as reading all files takes.
///
/// Returns a report for `lightning_db_report_free`. Damage is no error. NULL on an error: Locked (open), NotFound,
/// NotADatabase, InvalidArgument (options), Mismatch (comparator), UnsupportedVersion, PermissionDenied, Io, OutOfMemory;
/// Corruption if nothing says which database this is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_check(
    path: *const c_char,
    options: *const lightning_db_options_t,
    on_progress: lightning_db_on_check_t,
    user: *mut c_void,
) -> *mut lightning_db_report_t {
    let work: Examine = |path, opening, on_check| check(path, opening, move |done| on_check.call(done));
    // SAFETY: as the header says.
    unsafe { examine(path, options, OnCheck { on_progress, user }, work) }
}

/// Checks a database and mends it, also one that does not open. Every record is kept whose page or commit is whole;
/// the report says what is lost. Files that were replaced are moved to the folder `lost` in the database. If nothing
/// is wrong nothing is changed. A repair that was cut, or failed, must be run again before the database can be
/// opened. Needs room for a second copy of what is written anew. Where newer records of a key are lost, an older
/// value, or a deleted one, may show again. Else as `lightning_db_check`. Errors: also NoSpace.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_repair(
    path: *const c_char,
    options: *const lightning_db_options_t,
    on_progress: lightning_db_on_check_t,
    user: *mut c_void,
) -> *mut lightning_db_report_t {
    let work: Examine = |path, opening, on_check| repair(path, opening, move |done| on_check.call(done));
    // SAFETY: as the header says.
    unsafe { examine(path, options, OnCheck { on_progress, user }, work) }
}

/// Sets `*ok` to whether nothing is wrong or, behind a repair, was. Errors: Closed; then it is false.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_report_is_ok(
    report: *mut lightning_db_report_t,
    ok: *mut bool,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let ok = unsafe { Out::required(ok, "answer") }?;
        ok.set(false);
        ok.set(REPORTS.with(report, |report| Ok(report.ok))?);
        Ok(())
    })
}

/// Sets `*value` to a number of the report: `files`, `bytes`, `pages` and `records` that were looked at (records of
/// all versions); how many findings there are in its lists, `problems`, `notes`, `lost` and `set_aside`; `repaired`
/// (1 if anything had to be done) and `salvaged_records` (of damaged files, written anew). On an error it is left alone:
/// InvalidArgument (unknown name), Closed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_report_int(
    report: *mut lightning_db_report_t,
    name: *const c_char,
    value: *mut u64,
) -> c_int {
    call::status(|| {
        // SAFETY: as the header says.
        let (value, name) =
            unsafe { (Out::required(value, "number")?, arguments::text(name, "name of the number")?) };
        value.set(REPORTS.with(report, |report| {
            let known = report.figures.iter().find(|(known, _)| *known == name);
            known.map(|(_, number)| *number).ok_or_else(|| Error::invalid(format!("unknown number {name:?}")))
        })?);
        Ok(())
    })
}

/// Fills `*finding` with a finding of a list, `LIGHTNING_DB_PROBLEMS` and the like, by its number from 0. What it
/// points to is valid until the report is freed. Errors: NotFound behind the last one; InvalidArgument (list, struct),
/// Closed. Then `*finding` is left alone.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_report_finding(
    report: *mut lightning_db_report_t,
    list: c_int,
    index: usize,
    finding: *mut lightning_db_finding_t,
) -> c_int {
    call::status(|| {
        const KNOWN: usize = size_of::<lightning_db_finding_t>();
        if finding.is_null() {
            return Err(Error::invalid("the place for the finding is NULL"));
        }
        // SAFETY: the size is the first field.
        let size = unsafe { addr_of!((*finding).struct_size).read_unaligned() };
        if size < KNOWN {
            return Err(Error::invalid(format!(
                "a finding of {size} bytes: begin with LIGHTNING_DB_FINDING"
            )));
        }
        REPORTS.with(report, |report| {
            let list = usize::try_from(list).ok().and_then(|list| report.lists.get(list));
            let list = list.ok_or_else(|| Error::invalid("there is no such list of findings"))?;
            let behind = || Error::new(ErrorKind::NotFound, format!("the list has {} findings", list.len()));
            let found = list.get(index).ok_or_else(behind)?.lend();
            // A struct of a later version keeps its size, and its further fields as they were.
            let found = lightning_db_finding_t { struct_size: size, ..found };
            // SAFETY: the struct has all fields that are known here.
            unsafe { finding.write_unaligned(found) };
            Ok(())
        })
    })
}

/// The whole report as a text of some lines, for `lightning_db_free_value`. NULL on an error: Closed, OutOfMemory.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_report_text(report: *mut lightning_db_report_t) -> *mut c_char {
    call::pointer(|| REPORTS.with(report, |report| memory::copy(report.text.as_bytes())))
}

/// Frees the report and what it lent. NULL is fine. Errors: Closed if it was freed before.
#[unsafe(no_mangle)]
pub extern "C" fn lightning_db_report_free(report: *mut lightning_db_report_t) -> c_int {
    call::free(&REPORTS, report)
}
