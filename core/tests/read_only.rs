//! Read-only opens: beside writers, without one, on what is damaged; and nothing is ever written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use common::child::Child;
use common::{FOLDER, entries, open, small_config};
use lightning_db::vfs::{Call, Keep, MemoryVfs, OpenMode, RecordingVfs, Vfs};
use lightning_db::{
    BackupEngine, ConsistencyLevel, Database, ErrorKind, LSMConfig, LightningDbConfig, Result, ScanOptions,
    WriteBatch,
};

fn read_only(disk: &MemoryVfs) -> Result<Database> {
    Database::open_read_only_on(Arc::new(disk.clone()), Path::new(FOLDER), small_config())
}

fn refused<T>(result: Result<T>, kind: ErrorKind) {
    match result {
        Ok(_) => panic!("not {kind:?}"),
        Err(error) => assert_eq!(error.kind(), kind, "{error}"),
    }
}

/// A live writer with tables on two levels, sealed and unsealed logs.
fn writer(disk: &MemoryVfs) -> Database {
    let db = open(disk).unwrap();
    for round in 0..3u32 {
        for i in 0..200u32 {
            db.put_with_consistency(i.to_be_bytes(), round.to_be_bytes(), ConsistencyLevel::Quorum).unwrap();
        }
        db.flush().unwrap();
        if round == 0 {
            db.compact_lsm().unwrap();
        }
    }
    for i in 100..300u32 {
        db.put_with_consistency(i.to_be_bytes(), b"log", ConsistencyLevel::Quorum).unwrap();
    }
    db.delete(5u32.to_be_bytes()).unwrap();
    db
}

#[test]
fn a_reader_sees_what_was_committed_when_it_was_opened() {
    let disk = MemoryVfs::default();
    let db = writer(&disk);
    let expected = entries(&db);
    let reader = read_only(&disk).unwrap();
    let other = read_only(&disk).unwrap();
    db.put(b"later", b"").unwrap();
    db.compact_lsm().unwrap();
    assert_eq!(entries(&reader), expected, "tables that the writer has dropped stay readable");
    assert_eq!(entries(&other), expected);
    assert_eq!(reader.count(ScanOptions::all()).unwrap(), expected.len() as u64);
    assert!(reader.get(5u32.to_be_bytes()).unwrap().is_none());
    assert!(reader.stats().unwrap().memtable_bytes > 0, "replayed logs count as memtables");
    assert!(reader.stats().unwrap().total_size > 0);
    assert!(read_only(&disk).unwrap().contains(b"later").unwrap());
    drop(reader);
    db.close().unwrap();
    let reader = read_only(&disk).unwrap();
    assert_eq!(entries(&reader).len(), expected.len() + 1, "without a writer");
    drop(other);
    let db = open(&disk).unwrap();
    assert_eq!(entries(&db).len(), expected.len() + 1, "a reader is in no writer's way");
}

#[test]
fn levels_of_another_handle_are_seen_once_its_log_file_has_them() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    db.put_with_consistency(b"a", b"", ConsistencyLevel::Quorum).unwrap();
    assert!(read_only(&disk).unwrap().contains(b"a").unwrap());
    db.put_with_consistency(b"b", b"", ConsistencyLevel::Eventual).unwrap();
    db.put_with_consistency(b"c", b"", ConsistencyLevel::Quorum).unwrap();
    assert!(read_only(&disk).unwrap().contains(b"b").unwrap(), "a later commit writes it first");
}

#[test]
fn every_change_is_refused_and_every_read_works() {
    let disk = MemoryVfs::default();
    let db = writer(&disk);
    let reader = read_only(&disk).unwrap();
    let kind = ErrorKind::ReadOnly;
    refused(reader.put(b"k", b"v"), kind);
    refused(reader.delete(b"k"), kind);
    refused(reader.put_batch(&[(b"k", b"v")]), kind);
    refused(reader.delete_batch(&[b"k"]), kind);
    refused(reader.write(&WriteBatch::new()), kind);
    refused(reader.flush(), kind);
    refused(reader.compact_lsm(), kind);
    refused(reader.transact(|tx| tx.put(b"k", b"v")), kind);
    refused(BackupEngine::new(&reader).create_backup("/backup"), kind);
    assert!(disk.file_type(Path::new("/backup")).unwrap().is_none());
    let tx = reader.transaction().unwrap();
    refused(tx.put(b"k", b"v"), kind);
    refused(tx.delete(b"k"), kind);
    assert_eq!(tx.get(7u32.to_be_bytes()).unwrap().unwrap(), 2u32.to_be_bytes());
    tx.commit().unwrap();
    let id = reader.begin_transaction().unwrap();
    refused(reader.put_tx(id, b"k", b"v"), kind);
    reader.commit_transaction(id).unwrap();
    let snapshot = reader.snapshot().unwrap();
    assert_eq!(snapshot.get(150u32.to_be_bytes()).unwrap().unwrap(), b"log");
    assert_eq!(reader.get_batch(&[7u32.to_be_bytes()]).unwrap().len(), 1);
    reader.clear_cache().unwrap();
    assert_eq!(entries(&reader), entries(&db));
    reader.close().unwrap();
    reader.close().unwrap();
    refused(reader.get(b"k"), ErrorKind::Closed);
    refused(reader.put(b"k", b"v"), ErrorKind::Closed);
}

/// Nothing but reading: with the writer alive, with it closed, and when it was killed.
#[test]
fn a_reader_issues_no_call_that_changes_or_locks_anything() {
    let disk = MemoryVfs::default();
    let db = writer(&disk);
    let killed = disk.crash(Keep::All);
    let record = |disk: &MemoryVfs, alone: bool| {
        let calls = disk.calls();
        let vfs = RecordingVfs::new(Arc::new(disk.clone()));
        let reader =
            Database::open_read_only_on(Arc::new(vfs.clone()), Path::new(FOLDER), small_config()).unwrap();
        assert_eq!(entries(&reader).len(), 299);
        reader.get(1u32.to_be_bytes()).unwrap();
        reader.close().unwrap();
        let reads =
            |call: &Call| matches!(call, Call::Open { mode: OpenMode::Read, .. } | Call::ReadAt { .. });
        let others: Vec<_> = vfs.take().into_iter().filter(|call| !reads(call)).collect();
        assert_eq!(others, []);
        assert!(!alone || disk.calls() == calls, "not even one that failed");
    };
    record(&disk, false);
    db.close().unwrap();
    record(&disk, true);
    record(&killed, true);
}

#[test]
fn what_cannot_be_read_is_said_and_not_mended() {
    let disk = MemoryVfs::default();
    refused(read_only(&disk), ErrorKind::NotFound);
    let cut = MemoryVfs::default();
    cut.cut_at(6);
    open(&cut).unwrap_err();
    let cut = cut.crash(Keep::All);
    let names = cut.list(Path::new(FOLDER)).unwrap();
    refused(read_only(&cut), ErrorKind::NotFound);
    assert_eq!(cut.list(Path::new(FOLDER)).unwrap(), names);
    drop(writer(&disk));
    // Behind a crash copy no compaction of the writer takes the damaged table away.
    let disk = disk.crash(Keep::All);
    let mut refusals = 0;
    for name in disk.list(Path::new(FOLDER)).unwrap().into_iter().filter(|name| name.ends_with(".table")) {
        let table = Path::new(FOLDER).join(name);
        let bytes = disk.read_file(&table).unwrap();
        disk.write_file(&table, &bytes[..bytes.len() - 1]).unwrap();
        if let Err(error) = read_only(&disk) {
            assert_eq!((error.kind(), error.file()), (ErrorKind::Corruption, Some(&*table)));
            refusals += 1;
        }
        disk.write_file(&table, &bytes).unwrap();
    }
    assert!(refusals > 0, "a table of the manifest is among them");
    read_only(&disk).unwrap();
}

/// A log whose last write is half done ends in front of it.
#[test]
fn a_write_that_is_under_way_is_not_seen() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    let key = |i: u32| i.to_be_bytes();
    (0..50).for_each(|i| db.put_with_consistency(key(i), [7; 50], ConsistencyLevel::Quorum).unwrap());
    let before = disk.crash(Keep::All);
    db.put_with_consistency(b"last", [9; 500], ConsistencyLevel::Quorum).unwrap();
    let log = before.list(Path::new(FOLDER)).unwrap().into_iter().rfind(|name| name.ends_with(".log"));
    let log = Path::new(FOLDER).join(log.unwrap());
    let (short, long) = (before.read_file(&log).unwrap(), disk.read_file(&log).unwrap());
    for len in (short.len()..long.len()).step_by(7) {
        before.write_file(&log, &long[..len]).unwrap();
        let reader = read_only(&before).unwrap();
        assert_eq!(entries(&reader).len(), 50, "{len} bytes");
        assert_eq!(before.read_file(&log).unwrap().len(), len);
    }
    before.write_file(&log, &long).unwrap();
    assert_eq!(entries(&read_only(&before).unwrap()).len(), 51);
}

const CHILD: &str = "LIGHTNING_READ_ONLY_CHILD";
const KEYS: [&[u8]; 3] = [b"a", b"m", b"z"];

fn busy_config() -> LightningDbConfig {
    LightningDbConfig {
        lsm_config: LSMConfig {
            memtable_size: 64 << 10,
            level0_file_num_compaction_trigger: 1,
            ..Default::default()
        },
        ..small_config()
    }
}

/// Commits number after number, each to three keys and a key of its own, flushing and compacting always.
fn write_for_ever(db: &Database, committed: impl Fn(u64)) -> Result<()> {
    for number in 1u64.. {
        let mut batch = WriteBatch::new();
        for key in KEYS {
            batch.put(key, number.to_be_bytes())?;
        }
        batch.put(number.to_be_bytes(), [number as u8; 100])?;
        db.write_with(&batch, ConsistencyLevel::Quorum)?;
        committed(number);
        if number.is_multiple_of(40) {
            db.flush()?;
        }
        if number.is_multiple_of(300) {
            db.compact_lsm()?;
        }
    }
    Ok(())
}

/// Judges a reader: all keys of one instant, and none missing before it. Returns that instant.
fn judge(reader: &Database) -> u64 {
    let number = |key: &[u8]| {
        reader.get(key).unwrap().map_or(0, |value| u64::from_be_bytes(value.as_ref().try_into().unwrap()))
    };
    let at = number(KEYS[0]);
    for key in KEYS {
        assert_eq!(number(key), at, "a torn batch");
    }
    let all = reader.count(ScanOptions::all()).unwrap();
    assert_eq!(all.saturating_sub(KEYS.len() as u64), at, "a hole, or more than there was");
    at
}

/// No test by itself: the process that writes.
#[test]
fn child_that_writes() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let db = Database::create(folder, busy_config()).unwrap();
    write_for_ever(&db, |number| println!("committed {number}")).unwrap();
}

#[test]
fn opens_beside_a_process_that_writes_flushes_and_compacts_all_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Child::of_this_test("child_that_writes", CHILD, folder.path());
    let committed = Arc::new(AtomicU64::new(0));
    let lines = child.lines();
    let listener = std::thread::spawn({
        let committed = Arc::clone(&committed);
        move || {
            for line in lines {
                if let Some(number) = line.strip_prefix("committed ") {
                    committed.store(number.parse().unwrap(), Ordering::Release);
                }
            }
        }
    });
    while committed.load(Ordering::Acquire) == 0 {
        assert!(child.runs(), "the child ended by itself");
        std::thread::yield_now();
    }
    let mut opens = 0;
    let mut held = None;
    while opens < 60 || committed.load(Ordering::Acquire) < 2000 {
        let known = committed.load(Ordering::Acquire);
        let reader = Database::open_read_only(folder.path(), small_config()).unwrap();
        let seen = judge(&reader);
        assert!(seen >= known, "{known} were committed before the open, which saw {seen}");
        opens += 1;
        if opens % 10 == 1
            && let Some((older, instant)) = held.replace((reader, seen))
        {
            assert_eq!(judge(&older), instant, "what a reader sees does not move");
        }
        assert!(child.runs(), "the writer was disturbed");
    }
    child.kill();
    listener.join().unwrap();
    let last = committed.load(Ordering::Acquire);
    let reader = Database::open_read_only(folder.path(), small_config()).unwrap();
    assert!(judge(&reader) >= last, "beside nobody");
    let db = Database::open(folder.path(), small_config()).unwrap();
    assert_eq!(judge(&db), judge(&reader), "the writer's recovery finds the same");
    println!("{opens} opens beside {last} commits");
}

#[test]
fn opens_beside_threads_of_the_same_process() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), busy_config()).unwrap();
    let (stop, committed) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let note = |number| {
                committed.store(number, Ordering::Release);
                assert!(!stop.load(Ordering::Acquire), "stop");
            };
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| write_for_ever(&db, note)));
            assert!(ended.is_err() && stop.load(Ordering::Acquire), "{:?}", ended.ok());
        });
        for _ in 0..30 {
            let known = committed.load(Ordering::Acquire);
            let reader = Database::open_read_only(folder.path(), small_config()).unwrap();
            assert!(judge(&reader) >= known);
        }
        stop.store(true, Ordering::Release);
    });
    assert!(judge(&db) > 0);
}

#[cfg(unix)]
#[test]
fn a_folder_without_write_permission_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let db = Database::create(&path, small_config()).unwrap();
    db.put(b"k", b"v").unwrap();
    db.close().unwrap();
    let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    set(0o500);
    let reader = Database::open_read_only(&path, small_config());
    set(0o700);
    assert!(reader.unwrap().contains(b"k").unwrap());
}
