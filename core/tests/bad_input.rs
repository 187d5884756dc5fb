//! Bad input of every kind: a typed error that names the thing, nothing written, no panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use lightning_db::{
    Comparator, Database, Error, ErrorKind, LightningDbConfig, MAX_KEY_LEN, MAX_VALUE_LEN, OptionValue,
    WriteBatch,
};

fn refused<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, names: &str) {
    let error = result.expect_err(names);
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(names), "{error} does not name {names}");
}

fn create(path: &Path) -> Result<Database, Error> {
    Database::create(path, LightningDbConfig::default())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn oversize_keys_and_values_are_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let db = create(folder.path()).unwrap();
    let (long_key, long_value) = (vec![0; MAX_KEY_LEN + 1], vec![0; MAX_VALUE_LEN + 1]);
    refused(db.put(&long_key, b""), ErrorKind::InvalidArgument, "65536");
    refused(db.put(b"", &long_value), ErrorKind::InvalidArgument, "1073741825");
    refused(db.get(&long_key), ErrorKind::InvalidArgument, "65536");
    refused(db.delete(&long_key), ErrorKind::InvalidArgument, "65536");
    let tx = db.transaction().unwrap();
    refused(tx.put(&long_key, b""), ErrorKind::InvalidArgument, "65536");
    refused(tx.get(&long_key), ErrorKind::InvalidArgument, "65536");
    let mut batch = WriteBatch::new();
    refused(batch.put(&long_key, b""), ErrorKind::InvalidArgument, "65536");
    assert_eq!(db.scan(None, None).unwrap().count(), 0);
    db.put(vec![7; MAX_KEY_LEN], b"longest").unwrap();
    db.put(b"", b"empty key").unwrap();
    db.put(b"empty value", b"").unwrap();
    assert_eq!(db.get(b"").unwrap().unwrap(), b"empty key");
    assert_eq!(db.get(b"empty value").unwrap().unwrap(), b"");
    assert_eq!(db.get(vec![7; MAX_KEY_LEN]).unwrap().unwrap(), b"longest");
}

#[test]
fn options_out_of_range_are_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    for (name, value) in [("page_size", 1000), ("page_size", 256), ("cache_size", 0), ("memtable_size", 1)] {
        let mut config = LightningDbConfig::default();
        config.set(name, OptionValue::Integer(value)).unwrap();
        refused(Database::create(&path, config), ErrorKind::InvalidArgument, name);
    }
    assert!(!path.exists());
}

#[test]
fn paths_that_hold_something_else_are_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"text").unwrap();
    refused(create(&file), ErrorKind::NotADatabase, "file");
    let notes = folder.path().join("notes");
    fs::create_dir(&notes).unwrap();
    fs::write(notes.join("todo.txt"), b"text").unwrap();
    refused(create(&notes), ErrorKind::NotADatabase, "todo.txt");
    assert_eq!(names(&notes), ["todo.txt"]);
    let absent = folder.path().join("absent");
    refused(Database::open(&absent, LightningDbConfig::default()), ErrorKind::NotFound, "absent");
    assert!(!absent.exists());
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    refused(Database::open(&empty, LightningDbConfig::default()), ErrorKind::NotFound, "empty");
    assert!(names(&empty).is_empty());
}

#[test]
fn a_second_opener_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared");
    let db = create(&path).unwrap();
    refused(create(&path), ErrorKind::Locked, "shared");
    refused(Database::open(&path, LightningDbConfig::default()), ErrorKind::Locked, "shared");
    db.put(b"k", b"v").unwrap();
    db.close().unwrap();
    assert!(create(&path).unwrap().get(b"k").unwrap().is_some());
}

#[test]
fn a_closed_handle_says_so_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let db = create(folder.path()).unwrap();
    db.put(b"k", b"v").unwrap();
    let (snapshot, tx) = (db.snapshot().unwrap(), db.transaction().unwrap());
    let mut scan = db.scan(None, None).unwrap();
    let id = db.begin_transaction().unwrap();
    let other = db.clone();
    db.close().unwrap();
    db.close().unwrap();
    let closed = ErrorKind::Closed;
    refused(db.get(b"k"), closed, "closed");
    refused(other.put(b"k", b"v"), closed, "closed");
    refused(db.delete(b"k"), closed, "closed");
    refused(db.get_batch(&[b"k"]), closed, "closed");
    refused(snapshot.get(b"k"), closed, "closed");
    refused(tx.get(b"k"), closed, "closed");
    refused(tx.put(b"k", b"v"), closed, "closed");
    refused(tx.commit(), closed, "closed");
    refused(scan.next().unwrap(), closed, "closed");
    assert!(scan.next().is_none(), "fused behind the error");
    refused(db.put_tx(id, b"k", b"v"), closed, "ended");
    refused(db.begin_transaction(), closed, "closed");
    refused(db.flush(), closed, "closed");
    refused(db.compact_lsm(), closed, "closed");
    refused(db.stats(), closed, "closed");
    refused(db.clear_cache(), closed, "closed");
    refused(db.snapshot().map(drop), closed, "closed");
}

struct Renamed(&'static str);

impl Comparator for Renamed {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        a.cmp(b)
    }
    fn name(&self) -> &str {
        self.0
    }
}

#[test]
fn another_comparator_is_refused() {
    let with = |name| LightningDbConfig { comparator: Some(Box::new(Renamed(name))), ..Default::default() };
    let folder = tempfile::tempdir().unwrap();
    Database::create(folder.path(), with("mine")).unwrap().close().unwrap();
    refused(Database::create(folder.path(), with("other")), ErrorKind::Mismatch, "mine");
    refused(create(folder.path()), ErrorKind::Mismatch, "must be given");
    Database::create(folder.path(), with("mine")).unwrap();
}

/// Cuts, flips and removes each file of a small database in turn.
#[test]
fn damaged_files_are_named() {
    let source = tempfile::tempdir().unwrap();
    {
        let db = create(source.path()).unwrap();
        for i in 0..2_000u32 {
            db.put_with_consistency(i.to_be_bytes(), [5; 100], lightning_db::ConsistencyLevel::Quorum)
                .unwrap();
        }
        db.flush().unwrap();
        db.put(b"logged", b"not flushed").unwrap();
        db.close().unwrap();
    }
    for name in names(source.path()).iter().filter(|name| *name != "LOCK") {
        for damage in ["removed", "emptied", "cut", "flipped"] {
            let copy = tempfile::tempdir().unwrap();
            for file in names(source.path()) {
                fs::copy(source.path().join(&file), copy.path().join(&file)).unwrap();
            }
            let path = copy.path().join(name);
            let mut bytes = fs::read(&path).unwrap();
            match damage {
                "removed" => fs::remove_file(&path).unwrap(),
                "emptied" => fs::write(&path, b"").unwrap(),
                "cut" => fs::write(&path, &bytes[..bytes.len() / 2]).unwrap(),
                _ => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                    fs::write(&path, &bytes).unwrap();
                }
            }
            let read = create(copy.path()).and_then(|db| db.scan(None, None)?.collect::<Result<Vec<_>, _>>());
            let error = read.map(|entries| entries.len()).expect_err(&format!("{name} {damage}"));
            assert_eq!(error.kind(), ErrorKind::Corruption, "{name} {damage}: {error}");
            // A manifest that lost its end is found out by the files that it no longer names rightly.
            let named = error.file().unwrap().file_name().unwrap().to_str().unwrap();
            assert!(named == name || name.ends_with(".manifest"), "{name} {damage}: {error}");
            assert!(error.offset().is_some(), "{name} {damage}: {error}");
        }
    }
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path()).unwrap().close().unwrap();
    let current = folder.path().join("CURRENT");
    let mut bytes = fs::read(&current).unwrap();
    bytes[12..16].copy_from_slice(&2u32.to_le_bytes());
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[0; 24]);
    crc.update(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.finalize().to_le_bytes());
    fs::write(&current, &bytes).unwrap();
    refused(create(folder.path()), ErrorKind::UnsupportedVersion, "CURRENT");
}

#[cfg(unix)]
#[test]
fn a_folder_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("readonly");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o500)).unwrap();
    // Root may write everywhere: there is nothing to refuse then.
    if fs::write(path.join("probe"), b"").is_ok() {
        return;
    }
    refused(create(&path), ErrorKind::PermissionDenied, "readonly");
    assert!(names(&path).is_empty());
}

#[test]
fn backups_in_the_wrong_place_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let db = create(&path).unwrap();
    let engine = lightning_db::BackupEngine::new(&db);
    refused(engine.create_backup(path.join("inside/backup")), ErrorKind::InvalidArgument, "inside");
    assert!(!path.join("inside").exists());
    refused(engine.create_backup(&path), ErrorKind::InvalidArgument, "db");
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("letter.txt"), b"text").unwrap();
    refused(engine.create_backup(&taken), ErrorKind::AlreadyExists, "taken");
    assert_eq!(names(&taken), ["letter.txt"]);
    refused(engine.list_backups(folder.path().join("absent")), ErrorKind::NotFound, "absent");
    refused(Database::restore(folder.path().join("r"), &taken), ErrorKind::NotFound, "taken");
    let backup = folder.path().join("backups/one");
    engine.create_backup(&backup).unwrap();
    refused(Database::restore(&taken, &backup), ErrorKind::AlreadyExists, "taken");
    refused(create(&backup), ErrorKind::NotADatabase, "restore it");
    assert_eq!(engine.list_backups(folder.path().join("backups")).unwrap().len(), 1);
}

#[test]
fn a_wrong_kind_of_value_is_told_what_is_wanted() {
    let mut config = LightningDbConfig::default();
    refused(
        config.set("cache_size", OptionValue::Text("64MiB")),
        ErrorKind::InvalidArgument,
        "a whole number",
    );
    refused(config.set("default_level", OptionValue::Text("weak")), ErrorKind::InvalidArgument, "quorum");
    refused(config.set("sync_writes", OptionValue::Integer(1)), ErrorKind::InvalidArgument, "true or false");
    refused(config.set("cachesize", OptionValue::Integer(1)), ErrorKind::InvalidArgument, "cache_size");
}

#[test]
fn the_estimate_of_keys_counts_puts_less_deletes() {
    let folder = tempfile::tempdir().unwrap();
    let db = create(folder.path()).unwrap();
    assert!(db.recovery_report().clean, "a new database");
    for i in 0..100u8 {
        db.put_with_consistency([i], b"", lightning_db::ConsistencyLevel::Quorum).unwrap();
    }
    for i in 0..40u8 {
        db.delete_with_consistency([i], lightning_db::ConsistencyLevel::Quorum).unwrap();
    }
    assert_eq!(db.stats().unwrap().total_keys, 60);
    db.compact_lsm().unwrap();
    assert_eq!(db.stats().unwrap().total_keys, 60);
}

#[test]
fn an_empty_path_is_refused_by_its_name() {
    refused(create(Path::new("")), ErrorKind::InvalidArgument, "path is empty");
    let folder = tempfile::tempdir().unwrap();
    let backup = lightning_db::BackupEngine::new(&create(folder.path()).unwrap());
    refused(backup.create_backup(""), ErrorKind::InvalidArgument, "path is empty");
    refused(Database::restore("", folder.path()), ErrorKind::InvalidArgument, "path is empty");
}

/// The copy is only as damaged as its source, which is where somebody must look.
#[test]
fn a_backup_of_a_damaged_table_names_the_table_and_not_its_copy() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("db");
    let db = create(&source).unwrap();
    db.put_batch(&(0..1000u32).map(|i| (i.to_be_bytes(), [7; 50])).collect::<Vec<_>>()).unwrap();
    db.flush().unwrap();
    let table = names(&source).into_iter().find(|name| name.ends_with(".table")).unwrap();
    let mut bytes = std::fs::read(source.join(&table)).unwrap();
    bytes[200] ^= 1;
    std::fs::write(source.join(&table), bytes).unwrap();
    let error = lightning_db::BackupEngine::new(&db).create_backup(folder.path().join("copy")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.file().unwrap().starts_with(source.canonicalize().unwrap()), "{error}");
}

/// A backup is no database that could be repaired.
#[test]
fn a_damaged_backup_is_named_and_its_user_sent_to_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    let db = create(&folder.path().join("db")).unwrap();
    db.put_batch(&(0..1000u32).map(|i| (i.to_be_bytes(), [7; 50])).collect::<Vec<_>>()).unwrap();
    lightning_db::BackupEngine::new(&db).create_backup(&backup).unwrap();
    for name in names(&backup).iter().filter(|name| *name != "LOCK") {
        let path = backup.join(name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for damaged in [Some(&flipped[..]), Some(&whole[..whole.len() / 2]), None] {
            match damaged {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None if name == "BACKUP" => continue,
                None => fs::remove_file(&path).unwrap(),
            }
            let error = Database::restore(folder.path().join("restored"), &backup).unwrap_err();
            assert_eq!(error.file(), Some(&*path), "{error}");
            refused::<()>(Err(error), ErrorKind::Corruption, "; the backup is damaged: use another one");
        }
        fs::write(&path, whole).unwrap();
    }
    Database::restore(folder.path().join("restored"), &backup).unwrap();
}

#[test]
fn a_cache_larger_than_any_memory_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let config = || LightningDbConfig { cache_size: isize::MAX as usize, ..Default::default() };
    refused(Database::create(folder.path(), config()), ErrorKind::OutOfMemory, "no memory");
    create(folder.path()).unwrap();
}
