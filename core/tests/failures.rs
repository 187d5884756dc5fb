//! Failed calls: what was acknowledged stays, a failed log write or sync halts, a full disk does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::forward::{forward_file, forward_vfs};
use common::{FOLDER, entries, open, small_config, wait_until};
use lightning_db::vfs::{Fault, Keep, MemoryVfs, OpenMode, Vfs, VfsFile};
use lightning_db::{ConsistencyLevel, Database, ErrorKind, Result};

const EIO: i32 = 5;

/// Every call of a run fails once: acknowledged writes are found by the next open, and behind the first
/// error that halts nothing is acknowledged any more.
#[test]
fn one_failed_call_anywhere_loses_nothing_acknowledged() {
    let mut tried = 0;
    for call in 0.. {
        let disk = MemoryVfs::with_seed(call);
        disk.fail_call(call, Fault::Os(EIO));
        let mut acknowledged = Vec::new();
        if let Ok(db) = open(&disk) {
            let mut halted = false;
            for i in 0..60u8 {
                match db.put([i], vec![i; 3_000]) {
                    Ok(()) => {
                        assert!(!halted, "call {call}: acknowledged behind a halt");
                        acknowledged.push(i);
                    }
                    Err(error) => halted |= error.kind() == ErrorKind::Halted,
                }
            }
            for &i in &acknowledged {
                assert_eq!(db.get([i]).unwrap().unwrap(), vec![i; 3_000], "call {call}");
            }
            let _ = db.close();
        }
        tried += 1;
        let reached = disk.calls() > call;
        for keep in [Keep::All, Keep::Durable] {
            let db = open(&disk.crash(keep)).unwrap_or_else(|error| panic!("call {call}, {keep:?}: {error}"));
            for &i in &acknowledged {
                assert_eq!(
                    db.get([i]).unwrap().unwrap(),
                    vec![i; 3_000],
                    "call {call}, {keep:?}: {i} is lost"
                );
            }
        }
        if !reached {
            break;
        }
    }
    println!("{tried} calls failed once");
}

#[test]
fn a_failed_sync_halts_until_reopened() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    db.put(b"a", b"1").unwrap();
    disk.fail_call(disk.calls() + 1, Fault::Os(EIO));
    assert_eq!(db.put(b"b", b"2").unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(db.put(b"c", b"3").unwrap_err().kind(), ErrorKind::Halted);
    assert_eq!(db.transact(|tx| tx.put(b"c", b"3")).unwrap_err().kind(), ErrorKind::Halted);
    assert_eq!(db.flush().unwrap_err().kind(), ErrorKind::Halted);
    assert_eq!(db.get(b"a").unwrap().unwrap(), b"1", "reads go on");
    assert_eq!(db.get(b"b").unwrap().unwrap(), b"2", "what was visible stays visible");
    assert_eq!(db.close().unwrap_err().kind(), ErrorKind::Halted);
    let db = open(&disk).unwrap();
    assert_eq!(db.get(b"a").unwrap().unwrap(), b"1");
    db.put(b"c", b"3").unwrap();
}

/// A disk that does not tell how long its files are, while `failing`.
#[derive(Clone, Debug)]
struct NoLengths {
    disk: MemoryVfs,
    failing: Arc<AtomicBool>,
}

#[derive(Debug)]
struct NoLength {
    file: Arc<dyn VfsFile>,
    failing: Arc<AtomicBool>,
}

impl Vfs for NoLengths {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        Ok(Arc::new(NoLength { file: self.disk.open(path, mode)?, failing: Arc::clone(&self.failing) }))
    }
    forward_vfs!(disk, monotonic, spawn);
}

impl VfsFile for NoLength {
    fn len(&self) -> io::Result<u64> {
        if self.failing.load(Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        self.file.len()
    }
    forward_file!(file, read_at, write_at, sync_data);
}

#[test]
fn a_table_that_cannot_be_opened_now_fails_its_compaction_and_halts_nothing() {
    let (disk, failing) = (MemoryVfs::default(), Arc::new(AtomicBool::new(false)));
    let vfs = Arc::new(NoLengths { disk, failing: Arc::clone(&failing) });
    let db = Database::open_on(vfs, Path::new(FOLDER), small_config(), true).unwrap();
    db.put(b"a", b"1").unwrap();
    db.flush().unwrap();
    failing.store(true, Ordering::Relaxed);
    assert_eq!(db.compact_lsm().unwrap_err().kind(), ErrorKind::Io);
    db.put(b"b", b"2").unwrap();
    failing.store(false, Ordering::Relaxed);
    db.compact_lsm().unwrap();
    assert_eq!(entries(&db).len(), 2);
    db.close().unwrap();
}

#[test]
fn a_failed_log_write_takes_the_commit_back_and_halts() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    db.put(b"a", b"1").unwrap();
    disk.fail_call(disk.calls(), Fault::Os(EIO));
    assert_eq!(db.put(b"b", b"2").unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(db.get(b"b").unwrap(), None);
    assert_eq!(db.put(b"b", b"2").unwrap_err().kind(), ErrorKind::Halted);
    drop(db);
    assert_eq!(entries(&open(&disk).unwrap()).len(), 1);
}

/// Writes as soon as there is room: a flush that began on the full disk may be told of a moment later.
fn with_room(mut write: impl FnMut() -> Result<()>) {
    wait_until("room for a write", || match write() {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
            false
        }
    });
}

fn fill(db: &Database, level: ConsistencyLevel) -> (u32, ErrorKind) {
    for i in 0u32.. {
        if let Err(error) = db.put_with_consistency(i.to_be_bytes(), [7; 900], level) {
            return (i, error.kind());
        }
        assert!(i < 10_000, "the disk never got full");
    }
    unreachable!()
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    for level in [ConsistencyLevel::Strong, ConsistencyLevel::Quorum, ConsistencyLevel::Eventual] {
        let disk = MemoryVfs::default();
        let db = open(&disk).unwrap();
        disk.set_space(Some(40 << 10));
        let (written, kind) = fill(&db, level);
        assert_eq!(kind, ErrorKind::NoSpace, "{level:?}");
        let check = |db: &Database| {
            for i in 0..written {
                assert!(db.get(i.to_be_bytes()).unwrap().is_some(), "{level:?}: {i} of {written} is lost");
            }
        };
        check(&db);
        // Still full but for a new log, manifest and CURRENT: opens, reads.
        if level != ConsistencyLevel::Eventual {
            let again = disk.crash(Keep::All);
            again.set_space(Some(42 << 10));
            match open(&again) {
                Ok(db) => check(&db),
                Err(error) => panic!("does not open while full: {error}"),
            }
        }
        disk.set_space(None);
        with_room(|| db.put(b"room again", b""));
        check(&db);
        db.close().unwrap();
        check(&open(&disk).unwrap());
    }
}

/// A database that was filled to the last byte, with memtables to flush, works again once there is room.
#[test]
fn a_flush_without_room_is_done_later() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    disk.set_space(Some(150 << 10));
    let (written, kind) = fill(&db, ConsistencyLevel::Quorum);
    assert_eq!(kind, ErrorKind::NoSpace);
    disk.set_space(None);
    with_room(|| db.put(b"k", b"v"));
    db.flush().unwrap();
    assert_eq!(entries(&db).len(), written as usize + 1);
    db.close().unwrap();
    assert_eq!(entries(&open(&disk).unwrap()).len(), written as usize + 1);
}

/// A write that has to wait for a flush that finds no room gets `NoSpace`, and waits for nothing.
#[test]
fn a_stalled_write_on_a_full_disk_is_refused() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    let mut batch = lightning_db::WriteBatch::new();
    for i in 0..40u32 {
        batch.put(i.to_be_bytes(), [i as u8; 1_000]).unwrap();
    }
    // Overwrites in place need room in the log only; the flush of what they replace finds none.
    let mut refused = None;
    for room in (0..400u64).step_by(8) {
        disk.set_space(Some(room << 10));
        if let Err(error) = db.write_with(&batch, ConsistencyLevel::Quorum) {
            refused = Some(error.kind());
        }
    }
    assert_eq!(refused, Some(ErrorKind::NoSpace));
    disk.set_space(None);
    with_room(|| db.write(&batch));
    assert_eq!(entries(&db).len(), 40);
}

/// Orders by bytes, and panics on a key that asks for it.
struct Panicky;

impl lightning_db::Comparator for Panicky {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        assert!(a != b"panic" && b != b"panic", "on purpose");
        a.cmp(b)
    }
}

#[test]
fn a_panicking_comparator_halts_and_loses_nothing_acknowledged() {
    let config =
        || lightning_db::LightningDbConfig { comparator: Some(Box::new(Panicky)), ..Default::default() };
    let disk = MemoryVfs::default();
    let db = common::open_with(&disk, config()).unwrap();
    db.put(b"a", b"1").unwrap();
    let put = std::panic::AssertUnwindSafe(|| db.put(b"panic", b"2"));
    assert!(std::panic::catch_unwind(put).is_err());
    assert_eq!(db.put(b"b", b"3").unwrap_err().kind(), ErrorKind::Halted);
    assert_eq!(db.get(b"a").unwrap().unwrap(), b"1");
    drop(db);
}

#[test]
fn a_damaged_table_stops_compaction_and_leaves_other_keys_readable() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    for i in 0..200u32 {
        db.put_with_consistency(i.to_be_bytes(), [3; 200], ConsistencyLevel::Quorum).unwrap();
    }
    db.compact_lsm().unwrap();
    db.close().unwrap();
    let folder = std::path::Path::new(common::FOLDER);
    let names = lightning_db::vfs::Vfs::list(&disk, folder).unwrap();
    let table = names.iter().find(|name| name.ends_with(".table")).unwrap();
    disk.corrupt(folder.join(table), 64 + 40, |byte| *byte ^= 1).unwrap();
    let db = open(&disk).unwrap();
    db.put(100u32.to_be_bytes(), b"to merge with what is damaged").unwrap();
    let error = db.compact_lsm().map(|()| db.get(0u32.to_be_bytes())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    assert!(error.to_string().contains(table.as_str()), "{error}");
    assert!(db.get(199u32.to_be_bytes()).unwrap().is_some(), "another page");
    db.put(b"still", b"written").unwrap();
    db.close().unwrap();
}

/// A full disk at any one call of a seal and flush: only where a sync of the log or of the manifest failed
/// is it unknown what the disk has.
#[test]
fn no_space_at_one_call_of_a_flush_halts_only_for_a_failed_sync() {
    let mut halted = 0;
    for ahead in 0..40 {
        let disk = MemoryVfs::with_seed(ahead);
        let db = open(&disk).unwrap();
        for i in 0..40u32 {
            db.put_with_consistency(i.to_be_bytes(), [i as u8; 700], ConsistencyLevel::Quorum).unwrap();
        }
        disk.fail_call(disk.calls() + ahead, Fault::Os(28));
        let _ = db.flush();
        if let Err(error) = db.put_with_consistency(b"more", b"", ConsistencyLevel::Quorum) {
            let of_a_sync = error.kind() == ErrorKind::Halted && error.to_string().contains("sync ");
            // Late calls are those of this put itself.
            assert!(of_a_sync || (error.kind() == ErrorKind::NoSpace && ahead > 10), "call {ahead}: {error}");
            halted += usize::from(of_a_sync);
        }
        let _ = db.close();
        assert!(entries(&open(&disk.crash(Keep::All)).unwrap()).len() >= 40, "call {ahead}");
    }
    assert!(halted >= 3, "log, manifest at the seal, manifest at the flush: {halted}");
}

/// The manifest is replaced again and again while the disk is full now and then.
#[test]
fn a_full_disk_never_halts() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    let mut random = common::Random(5);
    let mut model = std::collections::BTreeMap::new();
    let mut refused = 0;
    for round in 0..600u32 {
        disk.set_space(if round % 3 == 0 { None } else { Some(random.below(40 << 10)) });
        let (key, value) = (random.below(50).to_be_bytes(), vec![round as u8; random.below(9_000) as usize]);
        match db.put_with_consistency(key, &value, ConsistencyLevel::Quorum) {
            Ok(()) => {
                model.insert(key.to_vec(), value);
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NoSpace, "round {round}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 20, "the disk was never full");
    disk.set_space(None);
    with_room(|| db.put(b"room", b""));
    model.insert(b"room".to_vec(), Vec::new());
    assert!(entries(&db).into_iter().eq(model.clone()));
    db.close().unwrap();
    assert!(entries(&open(&disk).unwrap()).into_iter().eq(model));
}

/// Whatever byte the disk gets full at (log, table, manifest, a new log), it works again without a reopen.
#[test]
fn a_disk_full_at_any_byte_works_again_with_room() {
    for space in (600..5_000).step_by(19) {
        let disk = MemoryVfs::with_seed(space);
        let db = open(&disk).unwrap();
        disk.set_space(Some(space));
        let mut acknowledged = Vec::new();
        for i in 0..24u8 {
            if db.put_with_consistency([i], [i; 97], ConsistencyLevel::Quorum).is_ok() {
                acknowledged.push(i);
            }
            if i % 8 == 7 {
                let _ = db.flush();
            }
        }
        disk.set_space(None);
        with_room(|| db.put(b"room", b""));
        let works = db.compact_lsm();
        works.unwrap_or_else(|error| panic!("space {space}: {error}"));
        db.close().unwrap();
        let db = open(&disk.crash(Keep::Durable)).unwrap();
        for &i in &acknowledged {
            assert_eq!(db.get([i]).unwrap().unwrap(), [i; 97], "space {space}: {i}");
        }
    }
}

/// A manifest cut at the end of an edit looks whole; the log that a lost edit added gives it away.
#[test]
fn a_manifest_that_lost_its_end_is_damage() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    db.put(b"a", b"1").unwrap();
    let path = |disk: &MemoryVfs| {
        let names = disk.list(Path::new(FOLDER)).unwrap();
        Path::new(FOLDER).join(names.into_iter().find(|name| name.ends_with(".manifest")).unwrap())
    };
    let before = disk.read_file(path(&disk)).unwrap();
    let old_log = disk.crash(Keep::All);
    db.flush().unwrap();
    db.put(b"b", b"2").unwrap();
    let dead = disk.crash(Keep::All);
    dead.write_file(path(&dead), &before).unwrap();
    // The flushed log is gone or not, as it happens: here it is there.
    for name in old_log.list(Path::new(FOLDER)).unwrap().iter().filter(|name| name.ends_with(".log")) {
        let file = Path::new(FOLDER).join(name);
        dead.write_file(&file, old_log.read_file(&file).unwrap()).unwrap();
    }
    let error = open(&dead).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().contains(".manifest"), "{error}");
}

/// A closed database, with a few records.
fn closed() -> MemoryVfs {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    (0..10u8).for_each(|i| db.put([i], [i]).unwrap());
    db.close().unwrap();
    disk
}

/// The first change after an opening fails once, at every call, of a full disk or otherwise.
#[test]
fn a_first_change_that_fails_can_be_made_again_or_halts() {
    for fault in [28, EIO] {
        let mut refused = 0;
        for call in 0..40 {
            let disk = closed();
            let db = open(&disk).unwrap();
            disk.fail_call(disk.calls() + call, Fault::Os(fault));
            let first = db.put(b"first", b"");
            let second = db.put(b"second", b"");
            refused += usize::from(first.is_err());
            if let Err(error) = &second {
                let of_its_own = first.is_ok() && !error.to_string().contains("reopen");
                assert!(of_its_own || error.kind() == ErrorKind::Halted, "call {call}: {error}");
            }
            for i in 0..10u8 {
                assert_eq!(db.get([i]).unwrap().unwrap(), [i], "call {call}");
            }
            let _ = db.close();
            for keep in [Keep::All, Keep::Durable] {
                let db = open(&disk.crash(keep)).unwrap_or_else(|error| panic!("call {call}: {error}"));
                assert!(entries(&db).len() >= 10 + usize::from(first.is_ok()) + usize::from(second.is_ok()));
            }
        }
        assert!(refused > 5, "{refused} refused");
    }
}

#[test]
fn a_closed_database_opens_and_is_read_on_a_full_disk() {
    let disk = closed();
    disk.set_space(Some(0));
    let db = open(&disk).unwrap();
    assert_eq!(entries(&db).len(), 10);
    for level in [ConsistencyLevel::Strong, ConsistencyLevel::Quorum] {
        assert_eq!(db.put_with_consistency(b"k", b"", level).unwrap_err().kind(), ErrorKind::NoSpace);
    }
    disk.set_space(None);
    with_room(|| db.put(b"k", b""));
    db.close().unwrap();
    assert_eq!(entries(&open(&disk.crash(Keep::Durable)).unwrap()).len(), 11);
}

/// Zeros ahead of the log take no room that its records need.
#[test]
fn as_many_synced_writes_as_others_fit_on_a_disk() {
    let written = [ConsistencyLevel::Strong, ConsistencyLevel::Quorum].map(|level| {
        let disk = MemoryVfs::default();
        let db = common::open_with(&disk, Default::default()).unwrap();
        disk.set_space(Some(300 << 10));
        fill(&db, level)
    });
    assert_eq!(written[0], written[1]);
}
