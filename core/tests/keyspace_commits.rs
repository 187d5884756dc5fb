//! Commits across keyspaces: batches and transactions, also while keyspaces come and go.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use common::open;
use common::spaces::{all, kind, ordered};
use lightning_db::vfs::MemoryVfs;
use lightning_db::{ConsistencyLevel, ErrorKind, KeyspaceOptions, NativeOrder, ScanOptions, WriteBatch};

#[test]
fn a_batch_across_keyspaces_is_seen_whole() {
    let db = open(&MemoryVfs::default()).unwrap();
    let spaces: Vec<_> =
        (0..4).map(|i| db.create_keyspace(format!("k{i}"), KeyspaceOptions::default()).unwrap()).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = || {
            let mut last = 0;
            while !stop.load(Ordering::Relaxed) {
                let snapshot = db.snapshot().unwrap();
                let in_each: Vec<_> = spaces
                    .iter()
                    .map(|ks| snapshot.get_in(ks, "n").unwrap().map(|value| value.to_vec()))
                    .collect();
                assert!(in_each.iter().all(|value| *value == in_each[0]), "{in_each:?}");
                assert_eq!(snapshot.get("n").unwrap().map(|value| value.to_vec()), in_each[0]);
                let number =
                    in_each[0].as_ref().map_or(0, |n| u32::from_be_bytes(n[..4].try_into().unwrap()));
                assert!(number >= last);
                last = number;
            }
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        for n in 1..2_000u32 {
            let mut batch = WriteBatch::new();
            let value = [&n.to_be_bytes()[..], &[0; 60]].concat();
            batch.put("n", &value).unwrap();
            spaces.iter().for_each(|ks| batch.put_in(ks, "n", &value).unwrap());
            db.write_with(&batch, ConsistencyLevel::Eventual).unwrap();
            if n % 500 == 0 {
                db.flush().unwrap();
            }
        }
        stop.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn a_transaction_conflicts_by_keyspace() {
    let db = open(&MemoryVfs::default()).unwrap();
    let [a, b] = ["a", "b"].map(|name| db.create_keyspace(name, ordered(NativeOrder::Decimal)).unwrap());
    let conflict = |read: &dyn Fn(&lightning_db::Transaction), write: &dyn Fn()| {
        let tx = db.transaction().unwrap();
        read(&tx);
        write();
        tx.put_in(&b, "mark", "").unwrap();
        kind(tx.commit())
    };
    let clash = Some(ErrorKind::Conflict);
    let get_a = |tx: &lightning_db::Transaction| drop(tx.get_in(&a, "1").unwrap());
    assert_eq!(conflict(&get_a, &|| a.put("1", "").unwrap()), clash);
    assert_eq!(conflict(&get_a, &|| b.put("1", "").unwrap()), None);
    assert_eq!(conflict(&get_a, &|| db.put("1", "").unwrap()), None);
    let scan_a = |tx: &lightning_db::Transaction| {
        let options = ScanOptions::range("5".."10").in_keyspace(&a);
        assert!(tx.scan_with(options).unwrap().all(|entry| entry.is_ok()));
    };
    assert_eq!(conflict(&scan_a, &|| a.put("9", "").unwrap()), clash, "between 5 and 10 as numbers are");
    assert_eq!(conflict(&scan_a, &|| a.put("50", "").unwrap()), None);
    assert_eq!(conflict(&scan_a, &|| b.put("9", "").unwrap()), None);
    let scan_in_a = |tx: &lightning_db::Transaction| {
        let bounds = (Some(b"5".to_vec()), Some(b"10".to_vec()));
        assert_eq!(tx.scan_in(&a, bounds.0, bounds.1).unwrap().count(), 1, "9");
    };
    assert_eq!(conflict(&scan_in_a, &|| a.put("8", "").unwrap()), clash);
    assert_eq!(conflict(&get_a, &|| db.drop_keyspace("a").unwrap()), clash);
}

#[test]
fn a_transaction_reads_its_own_writes_in_each_keyspace() {
    let db = open(&MemoryVfs::default()).unwrap();
    let ks = db.create_keyspace("k", ordered(NativeOrder::ReverseBytewise)).unwrap();
    ks.put_batch(&[("a", "1"), ("b", "1"), ("c", "1")]).unwrap();
    db.put("a", "default").unwrap();
    let tx = db.transaction().unwrap();
    tx.put_in(&ks, "bb", "2").unwrap();
    tx.delete_in(&ks, "c").unwrap();
    tx.delete("a").unwrap();
    assert_eq!(tx.get("a").unwrap(), None);
    assert_eq!(tx.get_in(&ks, "a").unwrap().unwrap(), b"1");
    assert_eq!(tx.get_in(&ks, "bb").unwrap().unwrap(), b"2");
    let keys =
        |scan: lightning_db::TransactionScan| -> Vec<_> { scan.map(|entry| entry.unwrap().0).collect() };
    let options = ScanOptions::all().in_keyspace(&ks);
    assert_eq!(keys(tx.scan_with(options.clone()).unwrap()), [&b"bb"[..], b"b", b"a"]);
    assert_eq!(keys(tx.scan_in(&ks, Some(b"b".to_vec()), None).unwrap()), [b"b", b"a"]);
    assert!(keys(tx.scan(None, None).unwrap()).is_empty());
    let older = db.snapshot().unwrap();
    assert_eq!(all(&ks).len(), 3);
    tx.commit().unwrap();
    assert_eq!((all(&ks).len(), db.get("a").unwrap()), (3, None));
    let old: Vec<_> = older.scan_in(&ks, None, None).unwrap().map(|entry| entry.unwrap().0).collect();
    assert_eq!(old, [b"c", b"b", b"a"]);

    let tx = db.transaction().unwrap();
    tx.put_in(&ks, "lost", "").unwrap();
    tx.put("lost", "").unwrap();
    db.drop_keyspace("k").unwrap();
    assert_eq!(kind(tx.commit()), Some(ErrorKind::NotFound));
    assert_eq!(db.get("lost").unwrap(), None, "all or nothing");
}

#[test]
fn threads_write_while_another_makes_and_drops() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    let rounds = 40;
    let start = Barrier::new(4);
    let kept = db.create_keyspace("kept", KeyspaceOptions::default()).unwrap();
    let (stop, pairs) = (AtomicBool::new(false), std::sync::atomic::AtomicU32::new(0));
    std::thread::scope(|scope| {
        for thread in 0..3u32 {
            let (db, kept, start, stop, pairs) = (&db, &kept, &start, &stop, &pairs);
            scope.spawn(move || {
                start.wait();
                for n in 0u32.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let Ok(ks) = db.keyspace("come and go") else { continue };
                    let key = (u64::from(thread) << 32 | u64::from(n)).to_be_bytes();
                    let mut batch = WriteBatch::new();
                    let value = [1; 300];
                    let added = batch.put_in(&ks, key, value).and_then(|()| batch.put_in(kept, key, value));
                    match added.and_then(|()| db.write_with(&batch, ConsistencyLevel::Eventual)) {
                        Ok(()) => {
                            pairs.fetch_add(1, Ordering::Relaxed);
                            match ks.get(key) {
                                Ok(value) => assert!(value.is_some(), "seen, or the keyspace is gone"),
                                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
                            }
                        }
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                            assert!(!kept.contains(key).unwrap(), "all or nothing");
                        }
                    }
                }
            });
        }
        start.wait();
        for round in 0..rounds {
            let ks = db.create_keyspace("come and go", KeyspaceOptions::default()).unwrap();
            let before = pairs.load(Ordering::Relaxed);
            while pairs.load(Ordering::Relaxed) < before + 20 {
                std::thread::yield_now();
            }
            if round % 4 == 0 {
                db.flush().unwrap();
            }
            assert!(ks.count(ScanOptions::all()).unwrap() > 0);
            db.drop_keyspace("come and go").unwrap();
            assert_eq!(kind(ks.get("k")), Some(ErrorKind::NotFound));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let total = u64::from(pairs.load(Ordering::Relaxed));
    assert_eq!(kept.count(ScanOptions::all()).unwrap(), total);
    db.compact_lsm().unwrap();
    assert_eq!(kept.count(ScanOptions::all()).unwrap(), total);
    db.close().unwrap();
    let db = open(&disk).unwrap();
    assert_eq!(db.list_keyspaces().unwrap(), ["default", "kept"]);
    assert_eq!(db.keyspace("kept").unwrap().count(ScanOptions::all()).unwrap(), total);
}
