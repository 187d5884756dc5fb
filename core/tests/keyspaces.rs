//! Keyspaces: their names and handles, their own order, pages and codec, and what spans them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use common::still::Still;
use common::{FOLDER, Random, open, open_with, small_config, wait_until};
use lightning_db::vfs::{Keep, MemoryVfs, OsVfs, Vfs};
use lightning_db::{
    BackupEngine, Comparator, ConsistencyLevel, Database, ErrorKind, Keyspace, KeyspaceOptions, LSMConfig,
    LightningDbConfig, NativeOrder, Result, ScanOptions, WriteBatch,
};

fn ordered(order: NativeOrder) -> KeyspaceOptions {
    KeyspaceOptions { comparator: Some(Box::new(order)), ..Default::default() }
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn all(keyspace: &Keyspace) -> Vec<(Vec<u8>, Vec<u8>)> {
    keyspace.scan(None, None).unwrap().map(Result::unwrap).collect()
}

/// By the length of the key.
struct ByLength;

impl Comparator for ByLength {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        a.len().cmp(&b.len())
    }
    fn name(&self) -> &str {
        "by length"
    }
}

fn by_length() -> KeyspaceOptions {
    KeyspaceOptions { comparator: Some(Box::new(ByLength)), ..Default::default() }
}

fn knows_by_length() -> LightningDbConfig {
    LightningDbConfig { comparators: vec![Box::new(ByLength)], ..small_config() }
}

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
fn an_own_comparator_is_found_by_name_at_the_next_open() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    let ks = db.create_keyspace("lengths", by_length()).unwrap();
    let decimal = db.create_keyspace("numbers", ordered(NativeOrder::Decimal)).unwrap();
    for key in ["ccc", "bb", "a", "dddd"] {
        ks.put(key, "").unwrap();
        decimal.put(key.len().to_string(), "").unwrap();
    }
    db.flush().unwrap();
    ks.put("zz", "").unwrap();
    db.close().unwrap();

    let error = open(&disk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    let text = error.to_string();
    assert!(text.contains("lengths") && text.contains("by length"), "{text}");
    let db = open_with(&disk, knows_by_length()).unwrap();
    let keys: Vec<_> = all(&db.keyspace("lengths").unwrap()).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [&b"a"[..], b"bb", b"zz", b"ccc", b"dddd"]);
    assert_eq!(all(&db.keyspace("numbers").unwrap()).len(), 4);

    BackupEngine::new(&db).create_backup("/backup").unwrap();
    let restore = |config| {
        let vfs: std::sync::Arc<dyn Vfs> = std::sync::Arc::new(disk.clone());
        Database::restore_on(vfs, Path::new("/restored"), Path::new("/backup"), config)
    };
    assert_eq!(kind(restore(small_config())), Some(ErrorKind::Mismatch));
    assert_eq!(all(&restore(knows_by_length()).unwrap().keyspace("lengths").unwrap()).len(), 5);
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
    let tables = || {
        let names = disk.list(Path::new(FOLDER)).unwrap();
        names.into_iter().filter(|name| name.ends_with(".table")).count()
    };
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
    assert!(keys(tx.scan(None, None).unwrap()).is_empty());
    assert_eq!(all(&ks).len(), 3);
    tx.commit().unwrap();
    assert_eq!((all(&ks).len(), db.get("a").unwrap()), (3, None));

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

/// Bytes of a file header, in front of the first page.
const FILE_HEADER: usize = 64;

/// Codec and raw length of the first page of each table, in the order in which they were made.
fn first_pages(folder: &Path) -> Vec<(u8, u32)> {
    let tables = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut tables: Vec<_> =
        tables.filter(|path| path.extension().is_some_and(|extension| extension == "table")).collect();
    tables.sort();
    let page = |path| {
        let bytes = fs::read(path).unwrap();
        let header = &bytes[FILE_HEADER..FILE_HEADER + 16];
        (header[12], u32::from_le_bytes(header[8..12].try_into().unwrap()))
    };
    tables.into_iter().map(page).collect()
}

fn compressible() -> Vec<(Vec<u8>, String)> {
    (0..3000u32).map(|i| (i.to_be_bytes().to_vec(), format!("value number {i} ").repeat(3))).collect()
}

#[test]
fn each_keyspace_has_its_page_size_and_codec_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let config = |upper| LightningDbConfig {
        lsm_config: LSMConfig { upper_compression_type: upper, ..Default::default() },
        ..Default::default()
    };
    let open = |config| Database::open_on(Still::over(OsVfs), folder.path(), config, true).unwrap();
    let db = open(config(2));
    let made = [(Some(512), Some(1)), (Some(65_536), Some(3)), (None, Some(0)), (None, None)];
    for (i, (page_size, compression_type)) in made.into_iter().enumerate() {
        let options = KeyspaceOptions { page_size, compression_type, ..Default::default() };
        db.create_keyspace(i.to_string(), options).unwrap();
    }
    let fill = |db: &Database| {
        db.put_batch(&compressible()).unwrap();
        for i in 0..made.len() {
            db.keyspace(i.to_string()).unwrap().put_batch(&compressible()).unwrap();
        }
        db.flush().unwrap();
    };
    fill(&db);
    // A flush writes a table for each keyspace, in the order of their making.
    let codecs = |pages: &[(u8, u32)]| pages.iter().map(|(codec, _)| *codec).collect::<Vec<_>>();
    let full = |pages: &[(u8, u32)]| {
        let near = |len: u32, full: u32| len <= full && len > full * 3 / 4;
        let sizes = [4096, 512, 65_536, 4096, 4096];
        assert!(pages.iter().zip(sizes).all(|((_, len), size)| near(*len, size)), "{pages:?}");
    };
    let pages = first_pages(folder.path());
    assert_eq!(codecs(&pages), [2, 2, 2, 0, 2], "the upper levels");
    full(&pages);
    db.close().unwrap();

    // The keyspaces stay as they were made, the default one follows the configuration.
    let changed = LightningDbConfig { compression_type: 3, compression_level: 9, ..config(1) };
    let db = open(changed);
    fill(&db);
    let upper: Vec<_> = first_pages(folder.path()).split_off(5);
    assert_eq!(codecs(&upper), [1, 1, 1, 0, 1]);
    db.compact_lsm().unwrap();
    db.close().unwrap();
    let pages = first_pages(folder.path());
    assert_eq!(codecs(&pages), [3, 1, 3, 0, 2], "the deepest level");
    full(&pages);
}

#[test]
fn the_level_of_a_keyspace_is_kept() {
    let size = |level| {
        let folder = tempfile::tempdir().unwrap();
        let options = KeyspaceOptions {
            compression_type: Some(1),
            compression_level: Some(level),
            page_size: Some(64 << 10),
            ..Default::default()
        };
        let db = Database::create(folder.path(), LightningDbConfig::default()).unwrap();
        db.create_keyspace("k", options).unwrap();
        db.close().unwrap();
        let db = Database::open(folder.path(), LightningDbConfig::default()).unwrap();
        let words = |i: u32| {
            (0..20).map(|j| format!("{:x} ", i.wrapping_mul(2_654_435_761) >> (j % 9))).collect::<String>()
        };
        let ks = db.keyspace("k").unwrap();
        ks.put_batch(&(0..5000u32).map(|i| (i.to_be_bytes(), words(i))).collect::<Vec<_>>()).unwrap();
        db.compact_lsm().unwrap();
        db.stats().unwrap().total_size
    };
    assert!(size(15) < size(1));
}

/// As if it had been renamed, but with another order: the name alone cannot tell.
#[test]
fn a_comparator_that_has_changed_is_noticed_at_the_first_read() {
    struct Changed;
    impl Comparator for Changed {
        fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
            // The first and the last key are where they were.
            let rank = |key: &[u8]| key.len().pow(2) % 11;
            rank(a).cmp(&rank(b))
        }
        fn name(&self) -> &str {
            "by length"
        }
    }
    for (entries, compact) in [(5, false), (2000, true)] {
        let disk = MemoryVfs::default();
        let db = open(&disk).unwrap();
        let ks = db.create_keyspace("k", by_length()).unwrap();
        let mut random = Random(1);
        for i in 0..entries {
            let len = 1 + if entries < 10 { i } else { random.below(6) };
            let key: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
            ks.put_with_consistency(key, [0; 20], ConsistencyLevel::Eventual).unwrap();
        }
        db.flush().unwrap();
        if compact {
            db.compact_lsm().unwrap();
        }
        db.close().unwrap();
        let config = LightningDbConfig { comparators: vec![Box::new(Changed)], ..small_config() };
        let db = open_with(&disk, config).unwrap();
        let count = |db: &Database| db.keyspace("k").unwrap().count(ScanOptions::all());
        assert_eq!(kind(count(&db)), Some(ErrorKind::Mismatch));
        drop(db);
        assert!(count(&open_with(&disk, knows_by_length()).unwrap()).is_ok());
    }
}
