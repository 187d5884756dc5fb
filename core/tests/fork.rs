//! A process that was made by `fork` has copies of its parent's handles, and none of its threads: every call on them says so, and
//! neither that nor dropping them does anything to the parent's database.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
// Making a process without starting a program takes a call of the system.
#![allow(unsafe_code)]

mod common;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::{open, small_config};
use lightning_db::vfs::MemoryVfs;
use lightning_db::{
    BackupEngine, ConsistencyManager, Database, ErrorKind, KeyspaceOptions, Result, WriteBatch,
};

/// One test at a time: a child has what the other one's threads were doing.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs this in a child, which ends behind it, and waits for that, a minute at most. What it returns is what went wrong.
fn in_child(work: impl FnOnce() -> std::result::Result<(), String>) {
    // SAFETY: the child calls what this process could call, and ends without going back to the test's own threads.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let wrong = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(what)) => Some(what),
            Err(_) => Some("a panic".into()),
        };
        if let Some(what) = &wrong {
            eprintln!("in the child: {what}");
        }
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(i32::from(wrong.is_some())) };
    }
    let (mut status, limit) = (0, Instant::now() + Duration::from_secs(60));
    // SAFETY: asks for the child that was just made.
    while unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == 0 {
        if Instant::now() > limit {
            // SAFETY: nobody has waited for the child yet.
            unsafe { libc::kill(child, libc::SIGKILL) };
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(status, 0, "the child's status");
}

fn forked<T>(what: &str, result: Result<T>) -> std::result::Result<(), String> {
    match result {
        Err(error) if error.kind() == ErrorKind::Forked => Ok(()),
        Err(error) => Err(format!("{what}: {error}")),
        Ok(_) => Err(format!("{what}: went through")),
    }
}

/// Every call on every kind of handle.
fn every_call(db: &Database) -> impl FnOnce() -> std::result::Result<(), String> + use<> {
    let keyspace = db.create_keyspace("other", KeyspaceOptions::default()).unwrap();
    let (snapshot, tx) = (db.snapshot().unwrap(), db.transaction().unwrap());
    tx.put(b"k", b"of the transaction").unwrap();
    let mut scan = db.scan(None, None).unwrap();
    let [mut ingest, another] = [b"i", b"j"].map(|key| {
        let mut ingest = db.begin_ingest().unwrap();
        ingest.add(key, b"v").unwrap();
        ingest
    });
    let backup = BackupEngine::new(db);
    let (id, other) = (db.begin_transaction().unwrap(), db.clone());
    let mut batch = WriteBatch::new();
    batch.put(b"k", b"of the batch").unwrap();
    let db = db.clone();
    move || {
        forked("get", db.get(b"k"))?;
        forked("get again", db.get_cached(b"k", |value| value.len()))?;
        forked("get_batch", db.get_batch(&[b"k"]))?;
        forked("put", db.put(b"k", b"of the child"))?;
        forked("delete", db.delete(b"k"))?;
        forked("write", db.write(&batch))?;
        forked("scan", db.scan(None, None))?;
        forked("a scan's next", scan.next().unwrap_or_else(|| Err(lightning_db::Error::invalid("ended"))))?;
        forked("snapshot", db.snapshot())?;
        forked("a snapshot's get", snapshot.get(b"k"))?;
        forked("transaction", db.transaction())?;
        forked("a transaction's get", tx.get(b"k"))?;
        forked("a transaction's put", tx.put(b"x", b""))?;
        forked("commit", tx.commit())?;
        forked("a transaction by number", db.put_tx(id, b"k", b""))?;
        forked("keyspace", db.keyspace("other"))?;
        forked("a keyspace's get", keyspace.get(b"k"))?;
        forked("drop_keyspace", db.drop_keyspace("other"))?;
        forked("an ingest's add", ingest.add(b"j", b"v"))?;
        forked("an ingest's finish", another.finish())?;
        forked("begin_ingest", db.begin_ingest())?;
        forked("flush", db.flush())?;
        forked("compact_lsm", db.compact_lsm())?;
        forked("stats", db.stats())?;
        forked("clear_cache", db.clear_cache())?;
        forked("create_backup", backup.create_backup("/never"))?;
        forked("close", db.close())?;
        if db.is_open() {
            return Err("it is said to be open".into());
        }
        drop((scan, snapshot, backup, keyspace, db, other));
        Ok(())
    }
}

#[test]
fn every_call_in_a_child_is_refused_and_the_parent_goes_on() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let db = Database::create(&path, small_config()).unwrap();
    db.put(b"k", b"of the parent").unwrap();
    db.flush().unwrap();
    let calls = every_call(&db);
    let own = folder.path().join("own");
    in_child(|| {
        calls()?;
        // The parent still has the lock, whatever the child drops.
        match Database::open(&path, small_config()) {
            Err(error) if error.kind() == ErrorKind::Locked => {}
            other => return Err(format!("the parent's folder: {other:?}")),
        }
        let text = |error: lightning_db::Error| error.to_string();
        let mine = Database::create(&own, small_config()).map_err(text)?;
        mine.put(b"k", b"of the child").map_err(text)?;
        mine.close().map_err(text)
    });
    assert_eq!(db.get(b"k").unwrap().unwrap(), b"of the parent");
    assert_eq!(Database::open(&path, small_config()).unwrap_err().kind(), ErrorKind::Locked);
    db.put(b"k", b"of the parent again").unwrap();
    db.flush().unwrap();
    db.close().unwrap();
    assert!(ConsistencyManager::new().check(&path).unwrap().is_ok());
    let db = Database::open(&path, small_config()).unwrap();
    assert_eq!(db.get(b"k").unwrap().unwrap(), b"of the parent again");
    assert_eq!(Database::open(&own, small_config()).unwrap().get(b"k").unwrap().unwrap(), b"of the child");
}

/// A child of a child, and one that was made before its own database was opened.
#[test]
fn a_database_belongs_to_the_process_that_opened_it() {
    let _alone = alone();
    let disk = MemoryVfs::default();
    let parents = open(&disk).unwrap();
    parents.put(b"k", b"v").unwrap();
    in_child(|| {
        let text = |error: lightning_db::Error| error.to_string();
        let childs = open(&MemoryVfs::default()).map_err(text)?;
        childs.put(b"k", b"v").map_err(text)?;
        in_child(|| {
            forked("the parent's", parents.get(b"k"))?;
            forked("the child's", childs.get(b"k"))
        });
        childs.get(b"k").map(drop).map_err(text)?;
        forked("the parent's", parents.get(b"k"))
    });
    assert!(parents.get(b"k").unwrap().is_some());
}
