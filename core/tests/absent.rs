//! A key that is there is found behind one that is not, wherever it lies: after an absent key the filters are asked first.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use common::gate::{Gate, GateVfs, Opener};
use common::{FOLDER, Random, open, small_config, wait_until};
use lightning_db::vfs::{MemoryVfs, Vfs};
use lightning_db::{ConsistencyLevel, Database, KeyspaceOptions};

fn put(db: &Database, key: &str) {
    db.put_with_consistency(key, key, ConsistencyLevel::Eventual).unwrap();
}

/// Whether a key is found right behind one that is nowhere; asked twice, for the first time may leave something.
#[track_caller]
fn check(db: &Database, key: &str, is_there: bool) {
    let expected = is_there.then(|| key.as_bytes().to_vec());
    for _ in 0..2 {
        assert_eq!(db.get("nowhere").unwrap(), None);
        assert_eq!(db.get(key).unwrap().map(|value| value.to_vec()), expected, "{key}");
        assert_eq!(db.get("nowhere").unwrap(), None);
        let snapshot = db.snapshot().unwrap();
        assert_eq!(snapshot.get(key).unwrap().map(|value| value.to_vec()), expected, "{key}");
    }
}

#[test]
fn a_key_is_found_in_each_place_behind_one_that_is_nowhere() {
    let gate = Arc::new(Gate::for_threads("lightning-flush"));
    let vfs: Arc<dyn Vfs> = Arc::new(GateVfs::new(MemoryVfs::default(), Arc::clone(&gate)));
    let db = Database::open_on(vfs, Path::new(FOLDER), small_config(), true).unwrap();
    put(&db, "deep");
    put(&db, "deleted deep");
    db.compact_lsm().unwrap();
    put(&db, "level 0");
    db.delete_with_consistency("deleted deep", ConsistencyLevel::Eventual).unwrap();
    db.flush().unwrap();
    let _opener = Opener(Arc::clone(&gate));
    gate.meet(usize::MAX);
    put(&db, "sealed");
    let mut filler = 0;
    while db.stats().unwrap().sealed_memtables == 0 {
        put(&db, &format!("filler {filler}"));
        filler += 1;
    }
    put(&db, "active");
    for key in ["deep", "level 0", "sealed", "active"] {
        check(&db, key, true);
    }
    check(&db, "deleted deep", false);
    put(&db, "nowhere else");
    check(&db, "nowhere else", true);
    db.delete_with_consistency("active", ConsistencyLevel::Eventual).unwrap();
    check(&db, "active", false);
    gate.open();
    wait_until("the flush", || db.stats().unwrap().sealed_memtables == 0);
    db.ingest([("ingested", "ingested")]).unwrap();
    for key in ["ingested", "sealed", "nowhere else"] {
        check(&db, key, true);
    }
    let other = db.create_keyspace("other", KeyspaceOptions::default()).unwrap();
    assert_eq!(other.get("deep").unwrap(), None);
    other.put("deep", "another").unwrap();
    assert_eq!(other.get("deep").unwrap().unwrap(), b"another");
    check(&db, "deep", true);
    db.drop_keyspace("other").unwrap();
    assert_eq!(db.get("nowhere").unwrap(), None);
    assert!(other.get("deep").is_err());
}

/// What one thread has written is found by another that was told so, whatever it last looked for.
#[test]
fn what_was_acknowledged_is_found_by_a_thread_that_finds_nothing_else() {
    const ROUNDS: u32 = 4_000;
    let db = open(&MemoryVfs::default()).unwrap();
    let (acknowledge, acknowledged) = sync_channel(0);
    let writer = thread::spawn({
        let db = db.clone();
        move || {
            for round in 0..ROUNDS {
                // Some 40 rounds fill a memtable: what was written lies in ever other places.
                db.put_with_consistency(round.to_be_bytes(), [7; 1500], ConsistencyLevel::Eventual).unwrap();
                // Who listens has failed if it is gone.
                let Ok(()) = acknowledge.send(round) else { return };
            }
        }
    });
    let (mut rounds, random) = (0, &mut Random(5));
    for round in acknowledged {
        assert_eq!(db.get(round.to_le_bytes().repeat(2)).unwrap(), None);
        assert!(db.get(round.to_be_bytes()).unwrap().is_some(), "{round}");
        assert_eq!(db.get(b"nowhere").unwrap(), None);
        let older = random.below(u64::from(round) + 1) as u32;
        assert!(db.get(older.to_be_bytes()).unwrap().is_some(), "{older} in round {round}");
        rounds += 1;
    }
    writer.join().unwrap();
    assert_eq!(rounds, ROUNDS);
}
