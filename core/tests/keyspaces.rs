//! Keyspaces: their names and handles, from their making to their drop.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::spaces::{all, kind, ordered};
use common::{names, open, open_with, small_config, wait_until};
use lightning_db::vfs::{Keep, MemoryVfs};
use lightning_db::{
    Comparator, ConsistencyLevel, Database, ErrorKind, Keyspace, KeyspaceOptions, NativeOrder, Result,
    ScanOptions, WriteBatch,
};

#[test]
fn keyspaces_are_made_listed_found_and_dropped_by_name() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    assert_eq!(db.list_keyspaces().unwrap(), ["default"]);
    let b = db.create_keyspace("b", KeyspaceOptions::default()).unwrap();
    let a = db.create_keyspace("a", KeyspaceOptions::default()).unwrap();
    assert_eq!(db.list_keyspaces().unwrap(), ["a", "b", "default"]);
    assert_eq!((a.name(), b.name()), ("a", "b"));
    for (name, expected) in [
        ("a", ErrorKind::AlreadyExists),
        ("default", ErrorKind::AlreadyExists),
        ("", ErrorKind::InvalidArgument),
        (&"x".repeat(256), ErrorKind::InvalidArgument),
    ] {
        assert_eq!(kind(db.create_keyspace(name, KeyspaceOptions::default())), Some(expected), "{name}");
    }
    for options in [
        KeyspaceOptions { page_size: Some(1000), ..Default::default() },
        KeyspaceOptions { compression_type: Some(4), ..Default::default() },
        KeyspaceOptions { compression_level: Some(0), ..Default::default() },
    ] {
        assert_eq!(kind(db.create_keyspace("c", options)), Some(ErrorKind::InvalidArgument));
    }
    assert_eq!(kind(db.keyspace("c")), Some(ErrorKind::NotFound));
    assert_eq!(kind(db.drop_keyspace("c")), Some(ErrorKind::NotFound));
    assert_eq!(kind(db.drop_keyspace("default")), Some(ErrorKind::InvalidArgument));

    db.keyspace("default").unwrap().put("k", "of the default").unwrap();
    a.put("k", "of a").unwrap();
    b.put("k", "of b").unwrap();
    assert_eq!(db.get("k").unwrap().unwrap(), b"of the default");
    assert_eq!(db.keyspace("a").unwrap().get("k").unwrap().unwrap(), b"of a");
    assert_eq!(db.stats().unwrap().total_keys, 3);
    db.drop_keyspace("b").unwrap();
    assert_eq!(db.stats().unwrap().total_keys, 2);
    assert_eq!(db.list_keyspaces().unwrap(), ["a", "default"]);
    db.close().unwrap();
    assert_eq!(kind(a.get("k")), Some(ErrorKind::Closed));
    assert_eq!(kind(db.list_keyspaces()), Some(ErrorKind::Closed));
    assert_eq!(kind(db.create_keyspace("d", KeyspaceOptions::default())), Some(ErrorKind::Closed));
    assert_eq!(kind(db.drop_keyspace("a")), Some(ErrorKind::Closed));
}

#[test]
fn every_call_on_a_keyspace_is_one_on_its_keys() {
    let db = open(&MemoryVfs::default()).unwrap();
    let ks = db.create_keyspace("n", ordered(NativeOrder::Decimal)).unwrap();
    db.put("10", "elsewhere").unwrap();
    ks.put_batch(&[("10", "ten"), ("9", "nine"), ("100", "hundred"), ("1", "one")]).unwrap();
    ks.put_with_consistency("7", "seven", ConsistencyLevel::Eventual).unwrap();
    ks.delete("1").unwrap();
    let keys = |scan: Result<lightning_db::Scan>| -> Vec<String> {
        scan.unwrap().map(|entry| String::from_utf8(entry.unwrap().0).unwrap()).collect()
    };
    assert_eq!(keys(ks.scan(None, None)), ["7", "9", "10", "100"]);
    assert_eq!(keys(ks.scan_reverse(Some(b"8".to_vec()), Some(b"100".to_vec()))), ["10", "9"]);
    assert_eq!(keys(ks.scan_prefix("1")), ["10", "100"]);
    assert_eq!(keys(ks.range("9"..="10")), ["9", "10"]);
    assert_eq!(keys(db.scan_with(ScanOptions::all().in_keyspace(&ks).limit(1))), ["7"]);
    assert_eq!((ks.count(ScanOptions::all()).unwrap(), db.count(ScanOptions::all()).unwrap()), (4, 1));
    assert_eq!(db.count(ScanOptions::all().in_keyspace(&ks)).unwrap(), 4);
    let found = ks.get_batch(&["9", "1", "100"]).unwrap();
    let found: Vec<_> = found.iter().map(|value| value.as_deref()).collect();
    assert_eq!(found, [Some(&b"nine"[..]), None, Some(b"hundred")]);
    assert!(ks.contains("7").unwrap() && !ks.contains("1").unwrap());
    assert_eq!(ks.get_with("10", <[u8]>::len).unwrap(), Some(3));
    assert_eq!(ks.get_cached("10", <[u8]>::len).unwrap(), lightning_db::Lookup::Found(3));
    ks.delete_batch(&["7", "9"]).unwrap();
    ks.delete_with_consistency("10", ConsistencyLevel::Quorum).unwrap();
    assert_eq!(keys(ks.scan(None, None)), ["100"]);
    db.flush().unwrap();
    assert_eq!(ks.approximate_size(&ScanOptions::all()).unwrap(), {
        db.approximate_size(&ScanOptions::all().in_keyspace(&ks)).unwrap()
    });
    assert!(ks.approximate_size(&ScanOptions::all()).unwrap() > 0);
    db.delete("10").unwrap();
    db.compact_lsm().unwrap();
    assert_eq!(db.approximate_size(&ScanOptions::all()).unwrap(), 0);
    assert_eq!(keys(ks.scan(None, None)), ["100"]);
}

#[test]
fn handles_of_others_and_of_dropped_keyspaces_are_refused() {
    let (disk, other) = (MemoryVfs::default(), open(&MemoryVfs::default()).unwrap());
    let db = open(&disk).unwrap();
    let ks = db.create_keyspace("k", KeyspaceOptions::default()).unwrap();
    let foreign = other.create_keyspace("k", KeyspaceOptions::default()).unwrap();
    ks.put("key", "value").unwrap();

    let wrong = Some(ErrorKind::InvalidArgument);
    let mut batch = WriteBatch::new();
    batch.put_in(&foreign, "key", "foreign").unwrap();
    assert_eq!(kind(batch.put_in(&ks, "key", "both")), wrong);
    assert_eq!(kind(db.write(&batch)), wrong);
    batch.clear();
    batch.put_in(&ks, "key", "after the clear").unwrap();
    db.write(&batch).unwrap();
    let (snapshot, tx) = (db.snapshot().unwrap(), db.transaction().unwrap());
    let options = |keyspace: &Keyspace| ScanOptions::all().in_keyspace(keyspace);
    let refused = |keyspace: &Keyspace, expected| {
        assert_eq!(kind(snapshot.get_in(keyspace, "key")), expected);
        assert_eq!(kind(snapshot.get_cached_in(keyspace, "key", |_| ())), expected);
        assert_eq!(kind(snapshot.scan_with(options(keyspace))), expected);
        assert_eq!(kind(tx.get_in(keyspace, "key")), expected);
        assert_eq!(kind(tx.get_cached_in(keyspace, "key", |_| ())), expected);
        assert_eq!(kind(tx.put_in(keyspace, "key", "")), expected);
        assert_eq!(kind(tx.delete_in(keyspace, "key")), expected);
        assert_eq!(kind(tx.scan_with(options(keyspace))), expected);
        assert_eq!(kind(db.scan_with(options(keyspace))), expected);
        assert_eq!(kind(db.count(options(keyspace))), expected);
        assert_eq!(kind(db.approximate_size(&options(keyspace))), expected);
    };
    refused(&foreign, wrong);
    assert_eq!(snapshot.get_in(&ks, "key").unwrap().unwrap(), b"after the clear");
    // Read often enough to be kept as a row.
    for _ in 0..4 {
        assert!(ks.contains("key").unwrap());
    }
    db.drop_keyspace("k").unwrap();
    let gone = Some(ErrorKind::NotFound);
    refused(&ks, gone);
    assert_eq!((kind(ks.get("key")), kind(ks.put("key", ""))), (gone, gone));
    assert_eq!((kind(ks.delete("key")), kind(ks.get_batch(&["key"]))), (gone, gone));
    assert_eq!((kind(ks.scan(None, None)), kind(db.write(&batch))), (gone, gone));
    assert_eq!(kind(batch.put_in(&ks, "key", "")), gone);
    let again = db.create_keyspace("k", KeyspaceOptions::default()).unwrap();
    assert_eq!((all(&again).len(), kind(ks.get("key"))), (0, gone));
    refused(&ks, gone);
    drop((snapshot, tx));
    let old = db.keyspace("k").unwrap();
    db.close().unwrap();
    let db = open(&disk).unwrap();
    assert_eq!(kind(db.scan_with(ScanOptions::all().in_keyspace(&old))), wrong);
}

/// The records of a dropped keyspace wait in the log, in sealed memtables, in tables.
#[test]
fn a_name_that_is_used_again_starts_empty_after_every_kind_of_reopen() {
    for step in 0..8 {
        let disk = MemoryVfs::with_seed(step);
        let db = open(&disk).unwrap();
        let old = db.create_keyspace("k", KeyspaceOptions::default()).unwrap();
        let kept = db.create_keyspace("kept", KeyspaceOptions::default()).unwrap();
        old.put("old", "1").unwrap();
        kept.put("kept", "1").unwrap();
        if step & 1 != 0 {
            db.flush().unwrap();
            old.put("older", "2").unwrap();
        }
        db.drop_keyspace("k").unwrap();
        if step & 2 != 0 {
            let new = db.create_keyspace("k", ordered(NativeOrder::ReverseBytewise)).unwrap();
            new.put("new", "3").unwrap();
        }
        let db = if step & 4 != 0 {
            db.close().unwrap();
            open(&disk).unwrap()
        } else {
            open(&disk.crash(Keep::Durable)).unwrap()
        };
        if step & 2 != 0 {
            assert_eq!(all(&db.keyspace("k").unwrap()), [(b"new".to_vec(), b"3".to_vec())]);
        } else {
            assert_eq!(db.list_keyspaces().unwrap(), ["default", "kept"]);
        }
        assert_eq!(all(&db.keyspace("kept").unwrap()).len(), 1);
        // Ids are not used again, also when the last one was dropped before the reopening.
        let another = db.create_keyspace("another", KeyspaceOptions::default()).unwrap();
        assert!(all(&another).is_empty());
        another.put("x", "").unwrap();
        db.flush().unwrap();
        db.compact_lsm().unwrap();
        assert_eq!(all(&another).len(), 1);
        assert_eq!(all(&db.keyspace("kept").unwrap()).len(), 1);
    }
}

#[test]
fn a_scan_outlives_its_keyspace_and_the_files_go_with_it() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    let ks = db.create_keyspace("k", KeyspaceOptions::default()).unwrap();
    let tables = || names(&disk, ".table").len();
    for part in 0..3u32 {
        for i in 0..200u32 {
            ks.put_with_consistency((i * 3 + part).to_be_bytes(), [7; 50], ConsistencyLevel::Quorum).unwrap();
        }
        if part < 2 {
            db.flush().unwrap();
        }
    }
    let mut scan = ks.scan(None, None).unwrap();
    assert!(scan.next_entry().unwrap().is_some());
    db.drop_keyspace("k").unwrap();
    assert!(tables() > 0, "the scan reads them");
    assert_eq!(scan.count(), 599);
    wait_until("a background thread removes the files", || tables() == 0);
}

#[test]
fn two_hundred_keyspaces() {
    let disk = MemoryVfs::default();
    // Each keyspace that is written to takes some 24 KiB at least.
    let mut config = small_config();
    config.lsm_config.memtable_size = 4 << 20;
    let db = open_with(&disk, config).unwrap();
    let spaces: Vec<_> = (0..200)
        .map(|i| {
            let order = NativeOrder::ALL[i % 5];
            db.create_keyspace(format!("keyspace {i:03}"), ordered(order)).unwrap()
        })
        .collect();
    let before = db.stats().unwrap().memtable_bytes;
    assert_eq!(before, 0, "an idle keyspace takes no memory for records");
    spaces[7].put("k", "").unwrap();
    let one = db.stats().unwrap().memtable_bytes;
    assert!(one > 0 && one < 1 << 20, "{one}");
    for round in 0..20u32 {
        for (i, ks) in spaces.iter().enumerate() {
            ks.put_with_consistency(round.to_string(), format!("{i} {round}"), ConsistencyLevel::Eventual)
                .unwrap();
        }
    }
    for i in (0..200).step_by(3) {
        db.drop_keyspace(spaces[i].name()).unwrap();
    }
    db.flush().unwrap();
    let check = |db: &Database| {
        assert_eq!(db.list_keyspaces().unwrap().len(), 200 - 67 + 1);
        for (i, name) in spaces.iter().map(|ks| ks.name()).enumerate().filter(|(i, _)| i % 3 != 0) {
            let ks = db.keyspace(name).unwrap();
            let found = all(&ks);
            assert_eq!(found.len(), if i == 7 { 21 } else { 20 }, "{i}");
            let order = NativeOrder::ALL[i % 5];
            assert!(found.is_sorted_by(|a, b| order.compare(&a.0, &b.0).then_with(|| a.0.cmp(&b.0)).is_lt()));
            assert_eq!(ks.get("13").unwrap().unwrap(), format!("{i} 13").as_bytes());
        }
    };
    check(&db);
    db.compact_lsm().unwrap();
    check(&db);
    db.close().unwrap();
    check(&open(&disk).unwrap());
}
