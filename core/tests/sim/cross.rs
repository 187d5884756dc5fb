//! The simulated disk beside a real one: the same script makes the same calls with the same bytes in the same order, and the
//! operating system gets them as its own calls in that order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use lightning_db::vfs::{MemoryVfs, OsVfs, Vfs};

use crate::run::{Excuse, Run};
use crate::script::everything;
use crate::stepped::{Stepped, Traced, What};

/// Names the folder that a child works in.
const IN_CHILD: &str = "SIM_CROSS_CHECK";

/// Does the script under a folder; the calls, with paths from there.
pub fn calls(disk: impl Vfs, root: &Path) -> Vec<Traced> {
    let mut run = Run::new(MemoryVfs::default(), Excuse::None).under(root);
    run.disk = Stepped::over(disk).with_random(7);
    run.disk.begin_trace();
    run.all(&everything()).unwrap();
    let mut calls = run.disk.take_trace();
    for call in &mut calls {
        // The report of a repair names files with their folders.
        if call.path.extension().is_some_and(|extension| extension == "txt") {
            call.bytes.clear();
        }
        call.from = call.from.strip_prefix(root).unwrap_or(&call.from).to_owned();
        call.path = call.path.strip_prefix(root).map_or_else(|_| "above".into(), Path::to_owned);
    }
    calls
}

/// The calls on a simulated disk, under a folder that is there.
fn simulated() -> Vec<Traced> {
    let (disk, root) = (MemoryVfs::default(), Path::new("/folder"));
    disk.create_dir(root).unwrap();
    calls(disk, root)
}

pub fn real_folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    (folder, root)
}

fn kinds(calls: &[Traced]) -> BTreeMap<What, usize> {
    let mut kinds = BTreeMap::new();
    calls.iter().for_each(|call| *kinds.entry(call.what).or_insert(0) += 1);
    kinds
}

#[test]
fn a_real_disk_gets_the_same_calls() {
    let (_folder, root) = real_folder();
    let (real, simulated) = (calls(OsVfs, &root), simulated());
    for (number, (a, b)) in real.iter().zip(&simulated).enumerate() {
        assert!(a == b, "call {number}: real {:?} {:?}, simulated {:?} {:?}", a.what, a.path, b.what, b.path);
    }
    assert_eq!(real.len(), simulated.len());
    println!("cross-check: {} calls alike, with their bytes: {:?}", real.len(), kinds(&real));
}

/// Not a test of its own: what the cross-check runs under the tracer.
#[test]
fn in_a_child() {
    if let Ok(root) = std::env::var(IN_CHILD) {
        calls(OsVfs, Path::new(&root));
    }
}

/// What the operating system was asked for, from a trace of the process.
#[test]
fn the_operating_system_gets_them_in_that_order() {
    // Containers often forbid it to trace.
    let trial = Command::new("strace").args(["-f", "-e", "trace=none", "true"]).output();
    if !trial.is_ok_and(|trial| trial.status.success()) {
        println!("cross-check: strace is not here, or may not trace");
        return;
    }
    let (folder, root) = real_folder();
    let log = folder.path().with_extension("strace");
    let program = std::env::current_exe().unwrap();
    let wanted = "trace=openat,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,rmdir";
    let status = Command::new("strace")
        .args(["-f", "-y", "-s", "0", "-e", wanted, "-o"])
        .arg(&log)
        .arg(&program)
        .args(["--exact", "cross::in_a_child"])
        .env(IN_CHILD, &root)
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    let mut real: Vec<_> = text.lines().filter_map(|line| system_call(line, &root)).collect();
    // A lock file is opened each time, and made once.
    let mut locks = BTreeSet::new();
    real.retain(|(what, path)| *what != What::Lock || locks.insert(path.clone()));
    let simulated = simulated();
    // Room is not asked for on a real disk. A call that fails changes nothing on either.
    let expected = simulated.iter().filter(|call| call.done && call.what != What::Preallocate);
    let expected: Vec<_> = expected.map(|call| (call.what, call.path.clone())).collect();
    for (number, (a, b)) in real.iter().zip(&expected).enumerate() {
        assert!(a == b, "call {number}: system {a:?}, simulated {b:?}");
    }
    assert_eq!(real.len(), expected.len());
    println!("cross-check: {} system calls in the order of the simulated ones", real.len());
}

/// A line of the trace as a call of the disk; `None` for what changes and syncs nothing there.
fn system_call(line: &str, root: &Path) -> Option<(What, PathBuf)> {
    let (call, result) = line.rsplit_once(" = ")?;
    let call = call.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let (name, arguments) = call.split_once('(')?;
    if result.starts_with('-') {
        return None;
    }
    let of_file = || arguments.split_once('<')?.1.split_once('>').map(|(path, _)| PathBuf::from(path));
    let named = |nth: usize| arguments.split('"').nth(2 * nth + 1).map(PathBuf::from);
    let is_folder = |path: &Path| {
        path.extension().is_none()
            && !["CURRENT", "LOCK", "BACKUP", "RESTORING", "REPAIRING"]
                .iter()
                .any(|name| path.ends_with(name))
    };
    let (what, path) = match name {
        "openat" if arguments.contains("O_CREAT") && arguments.contains("O_EXCL") => {
            (What::Create, named(0)?)
        }
        "openat" if arguments.contains("O_CREAT") => (What::Lock, named(0)?),
        "pwrite64" => (What::Write, of_file()?),
        "ftruncate" => (What::SetLen, of_file()?),
        "fdatasync" => (What::SyncData, of_file()?),
        "fsync" if is_folder(&of_file()?) => (What::SyncDir, of_file()?),
        "fsync" => (What::SyncAll, of_file()?),
        "rename" | "renameat" | "renameat2" => (What::Rename, named(1)?),
        "unlink" | "unlinkat" => (What::Remove, named(0)?),
        "mkdir" => (What::CreateDir, named(0)?),
        "rmdir" => (What::RemoveDir, named(0)?),
        _ => return None,
    };
    match path.strip_prefix(root) {
        Ok(path) => Some((what, path.to_owned())),
        Err(_) if root.parent() == Some(&*path) => Some((what, "above".into())),
        Err(_) => None,
    }
}
