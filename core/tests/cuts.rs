//! Creation, recovery, close, backup and restore cut at every call: the next open works, and nothing that
//! was acknowledged is gone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{FOLDER, entries, open};
use lightning_db::vfs::{Keep, MemoryVfs, Vfs};
use lightning_db::{
    BackupEngine, ConsistencyLevel, Database, KeyspaceOptions, LightningDbConfig, NativeOrder, Result,
    WriteBatch,
};

const KEEPS: [Keep; 2] = [Keep::All, Keep::Durable];

/// Calls `work` on fresh copies of a disk, cut at call 0, 1, 2 ... until it gets through, and hands each
/// disk that a cut left behind to `check`. Returns the number of cuts.
fn cut_everywhere(
    fresh: impl Fn() -> MemoryVfs,
    work: impl Fn(&MemoryVfs) -> Result<()>,
    check: impl Fn(MemoryVfs, u64, Keep),
) -> u64 {
    for call in 0.. {
        for keep in KEEPS {
            let disk = fresh();
            disk.cut_at(call);
            let outcome = work(&disk);
            if outcome.is_ok() && disk.calls() <= call {
                return call;
            }
            check(disk.crash(keep), call, keep);
        }
    }
    0
}

fn create(disk: &MemoryVfs) -> Result<()> {
    open(disk)?.close()
}

#[test]
fn creation_cut_at_every_call_is_done_again() {
    let points = cut_everywhere(MemoryVfs::default, create, |disk, call, keep| {
        let db = open(&disk).unwrap_or_else(|error| panic!("cut at {call}, {keep:?}: {error}"));
        assert!(entries(&db).is_empty());
        db.put(b"k", b"v").unwrap();
        db.close().unwrap();
        assert_eq!(entries(&open(&disk.crash(Keep::Durable)).unwrap()).len(), 1);
    });
    println!("creation: {points} calls cut, {} disks", points * 2);
    assert!(points > 10);
}

/// Whatever creations were killed before it, a database that has acknowledged something is in a durable folder.
#[test]
fn a_database_whose_creation_was_killed_twice_survives_a_power_cut() {
    let path = Path::new("/deep/er/db");
    let make =
        |disk: &MemoryVfs| Database::open_on(Arc::new(disk.clone()), path, common::small_config(), true);
    let killed_at = |disk: &MemoryVfs, call: u64| {
        disk.cut_at(call);
        let made = make(disk).is_ok();
        (disk.crash(Keep::All), made)
    };
    let mut tried = 0;
    for first in 0.. {
        let (once, made) = killed_at(&MemoryVfs::default(), first);
        for second in 0.. {
            let (twice, made_then) = killed_at(&once.crash(Keep::All), second);
            let db = make(&twice).unwrap();
            db.put(b"k", b"v").unwrap();
            let cut = twice.crash(Keep::Durable);
            drop(db);
            let found = make(&cut).unwrap().get(b"k").unwrap();
            assert!(found.is_some(), "killed at {first} and {second}: an acknowledged write is lost");
            tried += 1;
            if made_then {
                break;
            }
        }
        if made {
            break;
        }
    }
    println!("creations killed twice: {tried}");
    assert!(tried > 50);
}

/// A killed database with tables or sealed logs (as far as the flush had got), and a torn tail.
fn killed(records: u32) -> MemoryVfs {
    let disk = MemoryVfs::with_seed(7);
    let db = open(&disk).unwrap();
    for i in 0..records {
        db.put_with_consistency(i.to_be_bytes(), [i as u8; 100], ConsistencyLevel::Quorum).unwrap();
    }
    db.put(b"last", b"durable").unwrap();
    let dead = disk.crash(Keep::All);
    db.close().unwrap();
    let log = dead.list(Path::new(FOLDER)).unwrap().into_iter().rfind(|name| name.ends_with(".log"));
    let path = Path::new(FOLDER).join(log.unwrap());
    let mut bytes = dead.read_file(&path).unwrap();
    bytes.extend_from_slice(&[7; 33]);
    dead.write_file(&path, &bytes).unwrap();
    dead
}

#[test]
fn recovery_cut_at_every_call_starts_again() {
    let records = 900;
    let dead = killed(records);
    let points = cut_everywhere(
        || dead.crash(Keep::All),
        |disk| open(disk).map(|db| drop(db.close())),
        |disk, call, keep| {
            let db = open(&disk).unwrap_or_else(|error| panic!("cut at {call}, {keep:?}: {error}"));
            assert_eq!(entries(&db).len(), records as usize + 1, "cut at {call}, {keep:?}");
            db.put(b"more", b"").unwrap();
            db.close().unwrap();
            assert_eq!(entries(&open(&disk.crash(Keep::Durable)).unwrap()).len(), records as usize + 2);
        },
    );
    println!("recovery: {points} calls cut, {} disks", points * 2);
    assert!(points > 10);
}

/// A killed process leaves its log in the operating system's memory; the recovery relies on it, and must
/// make it durable first.
#[test]
fn a_power_cut_behind_the_recovery_of_a_killed_process_loses_nothing() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    for i in 0..300u32 {
        db.put_with_consistency(i.to_be_bytes(), [1; 20], ConsistencyLevel::Quorum).unwrap();
    }
    let killed = disk.crash(Keep::All);
    drop(db);
    let db = open(&killed).unwrap();
    let cut = killed.crash(Keep::Durable);
    drop(db);
    assert_eq!(entries(&open(&cut).unwrap()).len(), 300);
}

/// A recovery that is cut, then cut again at every call: only the second one may get through.
#[test]
fn recovery_cut_twice_starts_again() {
    let dead = killed(700);
    let mut tried = 0;
    for first in (0..24).step_by(3) {
        let once = dead.crash(Keep::All);
        once.cut_at(first);
        drop(open(&once));
        let once = once.crash(Keep::Durable);
        tried += cut_everywhere(
            || once.crash(Keep::All),
            |disk| open(disk).map(|db| drop(db.close())),
            |disk, call, keep| {
                let db = open(&disk)
                    .unwrap_or_else(|error| panic!("cuts at {first} and {call}, {keep:?}: {error}"));
                assert_eq!(entries(&db).len(), 701);
            },
        );
    }
    println!("recovery cut twice: {tried} pairs");
}

#[test]
fn writing_cut_at_every_call_keeps_what_was_acknowledged() {
    for call in 0.. {
        let disk = MemoryVfs::with_seed(call);
        disk.cut_at(call);
        let mut acknowledged = 0;
        if let Ok(db) = open(&disk) {
            while acknowledged < 40 && db.put([acknowledged], vec![acknowledged; 4_000]).is_ok() {
                acknowledged += 1;
            }
            drop(db.close());
        }
        for keep in KEEPS {
            let found = entries(&open(&disk.crash(keep)).unwrap());
            let len = found.len() as u8;
            assert!(len >= acknowledged, "cut at {call}: {acknowledged} acknowledged, {len} found");
            assert!(found.iter().enumerate().all(|(i, (key, _))| key[..] == [i as u8]), "a prefix");
        }
        if disk.calls() <= call {
            break;
        }
    }
}

/// A database that was closed properly, with records in tables or in a log.
fn closed(records: u32) -> MemoryVfs {
    let disk = MemoryVfs::with_seed(11);
    let db = open(&disk).unwrap();
    for i in 0..records {
        db.put_with_consistency(i.to_be_bytes(), [i as u8; 100], ConsistencyLevel::Quorum).unwrap();
    }
    db.close().unwrap();
    disk.crash(Keep::Durable)
}

/// The first change of an opened database makes its log and manifest.
#[test]
fn the_first_change_cut_at_every_call_is_made_or_not() {
    for records in [0, 20, 4_000] {
        let before = closed(records);
        let acknowledged = std::cell::Cell::new(false);
        let points = cut_everywhere(
            || before.crash(Keep::All),
            |disk| {
                acknowledged.set(false);
                let db = open(disk)?;
                assert_eq!(entries(&db).len(), records as usize);
                let put = db.put(b"new", b"value");
                acknowledged.set(put.is_ok());
                put.and(db.close())
            },
            |disk, call, keep| {
                let db = open(&disk).unwrap_or_else(|error| panic!("cut at {call}, {keep:?}: {error}"));
                let found = entries(&db).len() - records as usize;
                let least = usize::from(acknowledged.get());
                assert!((least..=1).contains(&found), "cut at {call}, {keep:?}: {found} found");
                db.put(b"more", b"").unwrap();
                db.close().unwrap();
                let again = open(&disk.crash(Keep::Durable)).unwrap();
                assert_eq!(entries(&again).len(), records as usize + found + 1);
            },
        );
        println!("first change over {records} records: {points} calls cut");
        assert!(points > 10);
    }
}

fn with_backup() -> (MemoryVfs, Database) {
    let disk = MemoryVfs::with_seed(9);
    let db = open(&disk).unwrap();
    for i in 0..500u32 {
        db.put_with_consistency(i.to_be_bytes(), [1; 50], ConsistencyLevel::Quorum).unwrap();
    }
    (disk, db)
}

fn restore(disk: &MemoryVfs) -> Result<Database> {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    Database::restore_on(vfs, Path::new("/restored"), Path::new("/backups/one"), LightningDbConfig::default())
}

#[test]
fn a_backup_cut_at_every_call_is_whole_or_not_one() {
    let points = cut_everywhere(
        || {
            let (disk, db) = with_backup();
            db.close().unwrap();
            disk.crash(Keep::All)
        },
        |disk| {
            let db = open(disk)?;
            BackupEngine::new(&db).create_backup("/backups/one")?;
            db.close()
        },
        |disk, call, keep| {
            let before = restore(&disk);
            if let Ok(db) = &before {
                assert_eq!(entries(db).len(), 500, "cut at {call}, {keep:?}: a backup that is not whole");
            }
            let db = open(&disk).unwrap();
            assert_eq!(entries(&db).len(), 500);
            if before.is_err() {
                BackupEngine::new(&db).create_backup("/backups/one").unwrap();
                assert_eq!(entries(&restore(&disk).unwrap()).len(), 500);
            }
        },
    );
    println!("backup: {points} calls cut, {} disks", points * 2);
}

#[test]
fn a_restore_cut_at_every_call_is_whole_or_refused() {
    let (disk, db) = with_backup();
    BackupEngine::new(&db).create_backup("/backups/one").unwrap();
    db.close().unwrap();
    let points = cut_everywhere(
        || disk.crash(Keep::All),
        |disk| restore(disk).and_then(|db| db.close()),
        |disk, call, keep| {
            let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
            let found = Database::open_on(vfs, Path::new("/restored"), LightningDbConfig::default(), false);
            match found {
                Ok(db) => assert_eq!(entries(&db).len(), 500, "cut at {call}, {keep:?}"),
                Err(_) => assert_eq!(entries(&restore(&disk).unwrap()).len(), 500),
            }
        },
    );
    println!("restore: {points} calls cut, {} disks", points * 2);
}

/// A power cut may leave any of the names that were not synced: never the lock of a restore without its marker, which
/// would be a folder for a new database.
#[test]
fn a_restore_whose_power_is_cut_is_whole_or_refused() {
    let (disk, db) = with_backup();
    BackupEngine::new(&db).create_backup("/backups/one").unwrap();
    db.close().unwrap();
    for call in 0.. {
        let cut = disk.crash(Keep::All);
        cut.cut_at(call);
        let is_done = restore(&cut).is_ok();
        for seed in 0..24 {
            let left = cut.crash(Keep::Any(seed));
            let vfs: Arc<dyn Vfs> = Arc::new(left);
            let found = Database::open_on(vfs, Path::new("/restored"), LightningDbConfig::default(), false);
            if let Ok(db) = found {
                assert_eq!(entries(&db).len(), 500, "cut at {call}, seed {seed}");
            }
        }
        if is_done {
            assert!(call > 10);
            return;
        }
    }
}

/// What the work on keyspaces got done before it was cut, step by step.
const STEPS: usize = 9;

/// Makes, fills and drops keyspaces; `done` counts the steps that were acknowledged.
fn keyspace_steps(disk: &MemoryVfs, done: &mut usize) -> Result<()> {
    let db = open(disk)?;
    *done = 1;
    let order = || KeyspaceOptions { comparator: Some(Box::new(NativeOrder::Decimal)), ..Default::default() };
    let a = db.create_keyspace("a", order())?;
    *done = 2;
    let b = db.create_keyspace("b", KeyspaceOptions::default())?;
    *done = 3;
    let mut batch = WriteBatch::new();
    for n in 0..20u32 {
        batch.put(n.to_string(), "")?;
        batch.put_in(&a, n.to_string(), "of the first a")?;
        batch.put_in(&b, n.to_string(), "")?;
    }
    db.write_with(&batch, ConsistencyLevel::Strong)?;
    *done = 4;
    db.flush()?;
    *done = 5;
    // A copy at a weaker level, and the original dropped.
    db.put_with_consistency("copy", "of a", ConsistencyLevel::Eventual)?;
    db.drop_keyspace("a")?;
    *done = 6;
    let again = db.create_keyspace("a", KeyspaceOptions::default())?;
    *done = 7;
    again.put("x", "of the second a")?;
    *done = 8;
    db.close()?;
    *done = 9;
    Ok(())
}

/// What is found is what was acknowledged, or one step more.
fn check_keyspaces(db: &Database, done: usize, place: &str) {
    let names = db.list_keyspaces().unwrap();
    let of = |name| names.iter().any(|found| found == name).then(|| db.keyspace(name).unwrap());
    let (a, b) = (of("a"), of("b"));
    let keys = |ks: &Option<lightning_db::Keyspace>| -> Vec<_> {
        ks.iter().flat_map(|ks| ks.scan(None, None).unwrap()).map(|entry| entry.unwrap()).collect()
    };
    let (in_a, in_b) = (keys(&a), keys(&b));
    let copied = db.get("copy").unwrap().is_some();
    let in_default = entries(db).len() - usize::from(copied);
    // One of the states behind a step, `done` or the next one.
    let state = match (a.is_some(), b.is_some(), in_b.len(), in_a.len(), copied) {
        (false, false, 0, 0, false) => 0..=1,
        (true, false, 0, 0, false) => 2..=2,
        (true, true, 0, 0, false) => 3..=3,
        (true, true, 20, 20, _) => 4..=5,
        (false, true, 20, 0, true) => 6..=6,
        (true, true, 20, 0, true) => 7..=7,
        (true, true, 20, 1, true) => 8..=STEPS,
        other => panic!("{place}, {done} done: {other:?}"),
    };
    assert!(state.contains(&done) || state.contains(&(done + 1)), "{place}: {done} done, found {state:?}");
    assert_eq!(in_default, in_b.len(), "{place}: a batch is whole");
    let expected: &[u8] = if in_a.len() == 20 { b"of the first a" } else { b"of the second a" };
    assert!(in_a.iter().all(|(_, value)| value == expected), "{place}");
    if in_a.len() == 20 {
        assert_eq!(in_a[2].0, b"2", "{place}: in the order of numbers");
    }
}

#[test]
fn keyspaces_made_and_dropped_are_there_or_not_wherever_they_are_cut() {
    for call in 0.. {
        let mut finished = false;
        for keep in KEEPS {
            let disk = MemoryVfs::with_seed(3);
            disk.cut_at(call);
            let mut done = 0;
            let outcome = keyspace_steps(&disk, &mut done);
            finished = outcome.is_ok() && disk.calls() <= call;
            let place = format!("cut at {call}, {keep:?}");
            let disk = disk.crash(keep);
            let db = open(&disk).unwrap_or_else(|error| panic!("{place}: {error}"));
            check_keyspaces(&db, done, &place);
            let new = db.create_keyspace("new", KeyspaceOptions::default()).unwrap();
            assert_eq!(new.scan(None, None).unwrap().count(), 0, "{place}");
            db.drop_keyspace("new").unwrap();
            db.close().unwrap();
            check_keyspaces(&open(&disk).unwrap(), done, &place);
        }
        if finished {
            println!("keyspaces: {call} calls cut");
            assert!(call > 30);
            return;
        }
    }
}
