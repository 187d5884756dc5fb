//! Replays the cases of `bindings/conformance` against the engine, as every face does against itself.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a case that cannot be read is a failed test"
)]

#[path = "conformance/bytes.rs"]
mod bytes;
#[path = "conformance/calls.rs"]
mod calls;
#[path = "conformance/cases.rs"]
mod cases;
#[path = "conformance/expect.rs"]
mod expect;
#[path = "conformance/faults.rs"]
mod faults;
#[path = "conformance/files.rs"]
mod files;
#[path = "conformance/handles.rs"]
mod handles;
#[path = "conformance/steps.rs"]
mod steps;

use std::collections::BTreeSet;

use cases::{Case, Step};
use handles::Reading;
use lightning_db_bindings::ErrorKind;

/// Each case runs twice: entries of scans one by one, as Rust and C users take them, and in pages, as the
/// other languages do. A case whose outcome depends on that is no case for every face.
#[test]
fn every_case_passes() {
    let cases = cases::load();
    let verdicts: Vec<_> = std::thread::scope(|scope| {
        let share = |first| cases.iter().skip(first).step_by(THREADS);
        let work = |first| move || share(first).map(failures).collect::<Vec<_>>();
        let threads: Vec<_> = (0..THREADS).map(|first| scope.spawn(work(first))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a runner that does not panic")).collect()
    });
    let steps: usize = cases.iter().map(|case| flat(&case.steps).len()).sum();
    println!("conformance: {} cases, {steps} steps", verdicts.len());
    assert_eq!(verdicts.len(), cases.len(), "cases that were not replayed");
    let failures = verdicts.concat();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// One after the other, as cases share the names of disks.
#[cfg(feature = "faults")]
#[test]
fn every_case_of_faults_passes() {
    let cases = cases::load_faults();
    let failures: Vec<_> = cases.iter().flat_map(failures).collect();
    println!("conformance: {} cases of faults", cases.len());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// Most of a case's time is spent in waiting for the disk.
const THREADS: usize = 4;

/// What went wrong, in each way of reading.
fn failures(case: &Case) -> Vec<String> {
    let run = |reading| {
        let failure = steps::run(case, reading).err()?;
        Some(format!("{} ({reading:?}): {failure}", case.name))
    };
    [Reading::Entries, Reading::Pages].into_iter().filter_map(run).collect()
}

#[test]
fn names_are_unique() {
    let mut names = BTreeSet::new();
    for case in cases::load().into_iter().chain(cases::load_faults()) {
        assert!(!case.name.trim().is_empty(), "a case without a name");
        assert!(names.insert(case.name.clone()), "two cases are named {:?}", case.name);
    }
}

/// What the runner knows, what the cases use and what the page tells are the same.
#[test]
fn every_operation_is_told_and_used() {
    let mut used = BTreeSet::new();
    for case in cases::load().into_iter().chain(cases::load_faults()) {
        used.extend(flat(&case.steps).iter().map(|step| step.op.clone()));
    }
    assert_eq!(used, cases::told());
}

#[test]
fn every_kind_of_error_is_expected_somewhere() {
    let mut expected = BTreeSet::new();
    for case in cases::load() {
        expected.extend(flat(&case.steps).iter().filter_map(|step| step.error.clone()));
    }
    let all: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
    assert_eq!(expected, all);
}

/// Steps with those inside of them.
fn flat<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Vec<&'a Step> {
    steps.into_iter().flat_map(|step| std::iter::once(step).chain(flat(step.inner()))).collect()
}
