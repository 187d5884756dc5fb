//! Background threads that panic, and callers' jobs beside a close.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{open, open_with, small_config, wait_until};
use lightning_db::vfs::MemoryVfs;
use lightning_db::{Comparator, ConsistencyLevel, Database, ErrorKind, LightningDbConfig};

/// Panics once in the thread of that name, and makes the thread `caller` wait while `hold` is set.
struct Bad {
    panic_in: &'static str,
    armed: AtomicBool,
    hold: Arc<AtomicBool>,
    waits: Arc<AtomicBool>,
}

impl Comparator for Bad {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or_default();
        if name == self.panic_in && self.armed.swap(false, Ordering::SeqCst) {
            panic!("as the test wants");
        }
        while name == "caller" && self.hold.load(Ordering::SeqCst) {
            self.waits.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(1));
        }
        a.cmp(b)
    }

    fn name(&self) -> &str {
        "bad"
    }
}

fn open_bad(
    disk: &MemoryVfs,
    panic_in: &'static str,
    hold: &Arc<AtomicBool>,
    waits: &Arc<AtomicBool>,
) -> Database {
    let mut config = small_config();
    let (armed, hold, waits) = (AtomicBool::new(true), Arc::clone(hold), Arc::clone(waits));
    config.comparator = Some(Box::new(Bad { panic_in, armed, hold, waits }));
    open_with(disk, config).unwrap()
}

/// Without its thread no flush or compaction would end, and writers would wait for ever.
#[test]
fn a_panic_in_the_background_halts_instead_of_hanging() {
    for thread in ["lightning-flush", "lightning-compact"] {
        let db = open_bad(&MemoryVfs::default(), thread, &Arc::default(), &Arc::default());
        let mut i = 0u32;
        let error = loop {
            match db.put_with_consistency(i.to_be_bytes(), [1; 400], ConsistencyLevel::Quorum) {
                Ok(()) => i += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Halted, "{thread}");
        assert!(db.get(0u32.to_be_bytes()).unwrap().is_some(), "reads go on");
    }
}

/// A compaction that a caller runs changes the folder at its end: close waits for it.
#[test]
fn the_folder_is_not_free_while_a_callers_compaction_runs() {
    let (hold, waits) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let disk = MemoryVfs::default();
    let db = open_bad(&disk, "", &hold, &waits);
    for value in [b"1", b"2"] {
        db.put_batch(&[(b"a", value), (b"b", value), (b"c", value)]).unwrap();
        db.compact_lsm().unwrap();
    }
    db.put(b"b", b"3").unwrap();
    db.flush().unwrap();
    hold.store(true, Ordering::SeqCst);
    let (one, other) = (db.clone(), db.clone());
    let caller = std::thread::Builder::new().name("caller".into()).spawn(move || one.compact_lsm()).unwrap();
    wait_until("the compaction compares", || waits.load(Ordering::SeqCst));
    let closer = std::thread::spawn(move || other.close());
    wait_until("the close has begun", || !db.is_open());
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(open(&disk).unwrap_err().kind(), ErrorKind::Locked);
    hold.store(false, Ordering::SeqCst);
    let _ = caller.join().unwrap();
    closer.join().unwrap().unwrap();
    let db = open_bad(&disk, "", &hold, &waits);
    assert_eq!(db.get(b"b").unwrap().unwrap(), b"3");
}

/// A seal would have to sync it all while every commit waits.
#[test]
fn much_that_is_not_synced_is_synced_in_the_background() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), LightningDbConfig::default()).unwrap();
    let (before, value) = (db.get_metrics().unwrap().log_syncs, vec![7; 1 << 20]);
    db.put_with_consistency("a", &value, ConsistencyLevel::Quorum).unwrap();
    for key in 0..5u8 {
        assert_eq!(db.get_metrics().unwrap().log_syncs, before, "nothing much yet");
        db.put_with_consistency([key], &value[..1 << 10], ConsistencyLevel::Quorum).unwrap();
    }
    for key in 0..5u8 {
        db.put_with_consistency([key], &value, ConsistencyLevel::Quorum).unwrap();
    }
    wait_until("a sync", || db.get_metrics().unwrap().log_syncs > before);
    db.close().unwrap();
}
