//! What a folder prepared by somebody else can do: nothing outside of itself. Links are not followed, names are bare, and what
//! is made is private.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use common::small_config;
use lightning_db::{BackupEngine, ConsistencyManager, Database, ErrorKind};

/// A closed database in the folder `db`, its backup in `backup`.
fn prepare(root: &Path) {
    let db = Database::create(root.join("db"), small_config()).unwrap();
    db.put_batch(&(0..200u32).map(|n| (n.to_be_bytes(), [7; 30])).collect::<Vec<_>>()).unwrap();
    db.flush().unwrap();
    BackupEngine::new(&db).create_backup(root.join("backup")).unwrap();
    db.put(b"logged", b"value").unwrap();
    db.close().unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn read_all(db: &Database) -> lightning_db::Result<usize> {
    db.scan(None, None)?.map(|entry| entry.map(drop)).collect::<Result<Vec<_>, _>>().map(|all| all.len())
}

/// Each file of a database as a link to its own content elsewhere: refused, and what it leads to stays as it was.
#[test]
fn no_link_inside_a_database_is_followed() {
    let source = tempfile::tempdir().unwrap();
    prepare(source.path());
    let mut refused = 0;
    for nth in 0..files(&source.path().join("db")).len() {
        let root = tempfile::tempdir().unwrap();
        prepare(root.path());
        let file = files(&root.path().join("db")).remove(nth);
        let elsewhere = root.path().join("elsewhere");
        fs::rename(&file, &elsewhere).unwrap();
        symlink(&elsewhere, &file).unwrap();
        let before = fs::read(&elsewhere).unwrap();
        let open = || Database::open(root.path().join("db"), small_config()).and_then(|db| read_all(&db));
        let error = open().expect_err(&format!("{} was followed", file.display()));
        assert!(error.to_string().contains(file.file_name().unwrap().to_str().unwrap()), "{error}");
        let manager = ConsistencyManager::with_config(small_config());
        if let Ok(report) = manager.check(root.path().join("db")) {
            assert!(!report.is_ok(), "{}: {report}", file.display());
        }
        drop(manager.repair(root.path().join("db")));
        drop(open());
        assert_eq!(fs::read(&elsewhere).unwrap(), before, "written through {}", file.display());
        refused += 1;
    }
    println!("{refused} links, none followed");
    assert!(refused >= 5);
}

/// A pipe, which nobody writes to, in place of each file: an error, without waiting.
#[test]
fn a_pipe_in_place_of_a_file_is_an_error_at_once() {
    let source = tempfile::tempdir().unwrap();
    prepare(source.path());
    for nth in 0..files(&source.path().join("db")).len() {
        let root = tempfile::tempdir().unwrap();
        prepare(root.path());
        let file = files(&root.path().join("db")).remove(nth);
        fs::remove_file(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        let opened = Database::open(root.path().join("db"), small_config()).and_then(|db| read_all(&db));
        assert!(opened.is_err(), "{}", file.display());
        drop(ConsistencyManager::with_config(small_config()).check(root.path().join("db")));
    }
}

/// A description of a backup that names these files, with right checksums.
fn description(names: &[&str]) -> Vec<u8> {
    // Version, time, sequence, database, manifest, count: each a varint behind the version.
    let mut body = vec![1, 0, 0, 0, 1, 1, 1, 1, names.len() as u8];
    for name in names {
        body.push(name.len() as u8);
        body.extend_from_slice(name.as_bytes());
        body.push(1);
        body.extend_from_slice(&crc32fast::hash(b"x").to_le_bytes());
    }
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[0; 24]);
    crc.update(&body);
    [&b"LDBBACKU"[..], &crc.finalize().to_le_bytes(), &body].concat()
}

#[test]
fn a_restore_writes_nothing_outside_of_its_target() {
    let root = tempfile::tempdir().unwrap();
    let (backup, target) = (root.path().join("a/backup"), root.path().join("b/target"));
    fs::create_dir_all(&backup).unwrap();
    fs::create_dir_all(root.path().join("b")).unwrap();
    let absolute = root.path().join("absolute").display().to_string();
    let names = [
        "../escaped",
        "../../escaped",
        absolute.as_str(),
        "sub/000001.table",
        "000001.table/../x",
        "LOCK",
        ".",
        "",
    ];
    for name in names {
        // What it names is there, so that only its name can be the reason.
        for place in [backup.join(name), root.path().join("a/escaped"), root.path().join("escaped")] {
            let _ = fs::write(place, b"x");
        }
        let _ = fs::remove_file(&absolute);
        fs::write(backup.join("BACKUP"), description(&[name])).unwrap();
        let error = Database::restore(&target, &backup).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Corruption, "{name}: {error}");
        assert!(!target.exists() && files(&root.path().join("b")).is_empty(), "{name}");
        assert!(!Path::new(&absolute).exists(), "{name}");
    }
    // The same description with a bare name of ours is read: it fails later.
    fs::write(backup.join("BACKUP"), description(&["000001.table"])).unwrap();
    let error = Database::restore(&target, &backup).unwrap_err();
    assert!(error.file().unwrap().ends_with("000001.table"), "{error}");
}

#[test]
fn links_in_a_backup_and_in_place_of_a_target_are_not_followed() {
    let root = tempfile::tempdir().unwrap();
    prepare(root.path());
    fs::create_dir(root.path().join("real")).unwrap();
    symlink(root.path().join("real"), root.path().join("target")).unwrap();
    let error = Database::restore(root.path().join("target"), root.path().join("backup")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    assert!(files(&root.path().join("real")).is_empty());
    for (nth, file) in files(&root.path().join("backup")).into_iter().enumerate() {
        if file.ends_with("LOCK") {
            continue;
        }
        let elsewhere = root.path().join("elsewhere");
        fs::rename(&file, &elsewhere).unwrap();
        symlink(&elsewhere, &file).unwrap();
        let target = root.path().join(format!("restored{nth}"));
        assert!(Database::restore(&target, root.path().join("backup")).is_err(), "{}", file.display());
        fs::rename(&elsewhere, &file).unwrap();
    }
    Database::restore(root.path().join("restored"), root.path().join("backup")).unwrap();
}

fn assert_private(folder: &Path, seen: &mut usize) {
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    for path in files(folder) {
        *seen += 1;
        if path.is_dir() {
            assert_private(&path, seen);
        } else {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

/// Databases, backups, restored ones, and what a repair leaves: for their owner alone.
#[test]
fn everything_that_is_made_is_private() {
    let root = tempfile::tempdir().unwrap();
    prepare(root.path());
    Database::restore(root.path().join("restored"), root.path().join("backup")).unwrap().close().unwrap();
    let table = files(&root.path().join("db"))
        .into_iter()
        .find(|file| file.extension().is_some_and(|e| e == "table"));
    let table = table.unwrap();
    let mut bytes = fs::read(&table).unwrap();
    bytes[100] ^= 1;
    fs::write(&table, bytes).unwrap();
    let report = ConsistencyManager::with_config(small_config()).repair(root.path().join("db")).unwrap();
    assert!(report.repair.is_some(), "{report}");
    let mut seen = 0;
    for folder in ["db", "backup", "restored"] {
        assert_private(&root.path().join(folder), &mut seen);
    }
    assert!(seen > 12, "{seen} files");
}
