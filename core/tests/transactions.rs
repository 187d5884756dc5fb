//! Transactions and threads: conflicts where there must be, none where there must not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use common::{Random, entries, open};
use lightning_db::vfs::MemoryVfs;
use lightning_db::{ConsistencyLevel, Database, ErrorKind, Isolation, WriteBatch};

fn fresh() -> Database {
    open(&MemoryVfs::default()).unwrap()
}

fn conflict(result: lightning_db::Result<()>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(error.is_retryable());
}

#[test]
fn disjoint_transactions_commit_while_a_third_stays_open() {
    let db = fresh();
    let third = db.transaction().unwrap();
    third.get(b"c").unwrap();
    let (a, b) = (db.transaction().unwrap(), db.transaction().unwrap());
    for (tx, key) in [(&a, b"a"), (&b, b"b")] {
        assert_eq!(tx.get(key).unwrap(), None);
        tx.put(key, b"1").unwrap();
    }
    a.commit().unwrap();
    b.commit().unwrap();
    db.put(b"d", b"blind").unwrap();
    third.put(b"c", b"1").unwrap();
    third.commit().unwrap();
    assert_eq!(entries(&db).len(), 4);
}

#[test]
fn a_lost_update_is_a_conflict() {
    let db = fresh();
    db.put(b"k", b"0").unwrap();
    let (a, b) = (db.transaction().unwrap(), db.transaction().unwrap());
    for tx in [&a, &b] {
        tx.get(b"k").unwrap();
        tx.put(b"k", b"1").unwrap();
    }
    a.commit().unwrap();
    conflict(b.commit());
    let tx = db.transaction().unwrap();
    tx.get(b"k").unwrap();
    tx.put(b"other", b"1").unwrap();
    db.put(b"k", b"blind writes count").unwrap();
    conflict(tx.commit());
}

#[test]
fn a_transaction_that_has_ended_gives_up_its_place_and_its_snapshot_whoever_keeps_it() {
    let mut config = common::small_config();
    config.max_active_transactions = 2;
    let db = common::open_with(&MemoryVfs::default(), config).unwrap();
    db.put(b"k", b"0").unwrap();
    let counts = || db.stats().map(|stats| (stats.active_transactions, stats.snapshots)).unwrap();
    let (mut kept, mut scans) = (Vec::new(), Vec::new());
    for round in 0..12 {
        let tx = std::sync::Arc::new(db.transaction().unwrap());
        assert_eq!(tx.get(b"k").unwrap().as_deref(), Some(&b"0"[..]));
        tx.put(b"own", b"1").unwrap();
        let mut scan = tx.scan(None, None).unwrap();
        assert_eq!(counts(), (1, 1));
        match round % 4 {
            0 => tx.commit_shared(None).unwrap(),
            1 => tx.abort_shared().unwrap(),
            2 => {
                db.put(b"k", b"0").unwrap();
                conflict(tx.commit_shared(None));
            }
            // Dropped while a scan of it goes on.
            _ => {}
        }
        match round % 4 {
            3 => drop(tx),
            _ => {
                assert_eq!(tx.get(b"k").unwrap_err().kind(), ErrorKind::Closed);
                assert_eq!(tx.abort_shared().unwrap_err().kind(), ErrorKind::Closed);
                kept.push(tx);
            }
        }
        assert_eq!(counts(), (0, 0), "round {round}");
        assert_eq!(scan.next().unwrap().unwrap().0, b"k");
        scans.push(scan);
    }
    drop((kept, scans));
    assert_eq!(counts(), (0, 0));
}

/// What a read that runs sees must not be reclaimed when another thread ends its transaction.
#[test]
fn a_read_that_runs_keeps_the_snapshot_of_its_transaction() {
    let db = fresh();
    db.put(b"k", b"0").unwrap();
    let tx = db.transaction().unwrap();
    let counts = || db.stats().map(|stats| (stats.active_transactions, stats.snapshots)).unwrap();
    let during = tx.get_with(b"k", |_| {
        std::thread::scope(|scope| scope.spawn(|| tx.abort_shared()).join().unwrap()).unwrap();
        counts()
    });
    assert_eq!((during.unwrap(), counts()), (Some((0, 1)), (0, 0)));
}

/// A transaction may begin while a commit is under way that has not noted its keys, as nobody was there to ask.
#[test]
fn a_transaction_that_begins_beside_a_commit_knows_of_it() {
    let (db, stop) = (fresh(), AtomicBool::new(false));
    db.put_with_consistency(b"k", 0u64.to_le_bytes(), ConsistencyLevel::Quorum).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let tx = db.transaction().unwrap();
                let value = tx.get(b"k").unwrap().unwrap();
                // Unchanged: what is put here again must not take back a put that came between.
                tx.put(b"k", value).unwrap();
                let outcome = tx.commit_with(ConsistencyLevel::Quorum);
                assert!(outcome.is_ok() || outcome.is_err_and(|error| error.kind() == ErrorKind::Conflict));
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        let put = |batch: &WriteBatch| db.write_with(batch, ConsistencyLevel::Quorum).unwrap();
        let (mut long, mut short) = (WriteBatch::new(), WriteBatch::new());
        short.put(b"other", b"").unwrap();
        let taken_back = (1..=300u64).find(|number| {
            long.clear();
            long.put(b"k", number.to_le_bytes()).unwrap();
            (0..1000u32).for_each(|key| long.put(key.to_le_bytes(), b"").unwrap());
            put(&long);
            let is_taken_back = (0..1000).any(|_| db.get(b"k").unwrap().unwrap()[..] != number.to_le_bytes());
            // Enough for commits not to be watched any more.
            (0..150).for_each(|_| put(&short));
            is_taken_back
        });
        stop.store(true, Ordering::Relaxed);
        assert_eq!(taken_back, None, "an acknowledged put");
    });
}

#[test]
fn write_skew_is_a_conflict_unless_snapshot_isolation_was_asked_for() {
    for (isolation, allowed) in [(Isolation::Serializable, false), (Isolation::Snapshot, true)] {
        let db = fresh();
        let (a, b) = (db.transaction_with(isolation).unwrap(), db.transaction_with(isolation).unwrap());
        for tx in [&a, &b] {
            tx.get(b"x").unwrap();
            tx.get(b"y").unwrap();
        }
        a.put(b"x", b"1").unwrap();
        b.put(b"y", b"1").unwrap();
        a.commit().unwrap();
        assert_eq!(b.commit().is_ok(), allowed);
    }
}

#[test]
fn snapshot_isolation_refuses_two_writers_of_a_key() {
    let db = fresh();
    let begin = || db.transaction_with(Isolation::Snapshot).unwrap();
    let (a, b) = (begin(), begin());
    a.put(b"x", b"1").unwrap();
    b.put(b"x", b"2").unwrap();
    a.commit().unwrap();
    conflict(b.commit());
}

#[test]
fn phantoms_are_conflicts_only_in_what_was_walked() {
    let db = fresh();
    db.put_batch(&[(b"b", b""), (b"d", b""), (b"f", b"")]).unwrap();
    let phantom = |key: &[u8], walk: &dyn Fn(&lightning_db::Transaction)| {
        let tx = db.transaction().unwrap();
        walk(&tx);
        tx.put(b"z", b"result").unwrap();
        db.put(key, b"phantom").unwrap();
        let outcome = tx.commit();
        db.delete(key).unwrap();
        outcome.is_err()
    };
    let all = |tx: &lightning_db::Transaction| {
        assert_eq!(tx.scan(Some(b"a".to_vec()), Some(b"e".to_vec())).unwrap().count(), 2);
    };
    let first = |tx: &lightning_db::Transaction| drop(tx.scan(None, None).unwrap().next());
    let last = |tx: &lightning_db::Transaction| {
        drop(tx.scan_reverse(None, Some(b"e".to_vec())).unwrap().next());
    };
    assert!(phantom(b"c", &all) && phantom(b"a", &all) && phantom(b"d0", &all));
    assert!(!phantom(b"e", &all) && !phantom(b"g", &all));
    assert!(phantom(b"a", &first) && !phantom(b"c", &first));
    assert!(phantom(b"d5", &last) && !phantom(b"c", &last));
}

#[test]
fn reads_alone_never_conflict_and_aborted_writes_never_show() {
    let db = fresh();
    let tx = db.transaction().unwrap();
    tx.get(b"k").unwrap();
    db.put(b"k", b"1").unwrap();
    assert_eq!(tx.get(b"k").unwrap(), None, "one instant");
    tx.commit().unwrap();
    let tx = db.transaction().unwrap();
    tx.put(b"k", b"2").unwrap();
    tx.abort();
    assert_eq!(db.get(b"k").unwrap().unwrap(), b"1");
}

#[test]
fn a_scan_in_a_transaction_does_not_show_later_writes_of_its_own() {
    let db = fresh();
    let tx = db.transaction().unwrap();
    tx.put(b"a", b"1").unwrap();
    let scan = tx.scan(None, None).unwrap();
    tx.put(b"b", b"2").unwrap();
    tx.put(b"a", b"changed").unwrap();
    let seen: Vec<_> = scan.map(Result::unwrap).collect();
    assert_eq!(seen, [(b"a".to_vec(), b"1".to_vec())]);
}

#[test]
fn transactions_by_number_are_bounded_and_end() {
    let mut config = common::small_config();
    config.max_active_transactions = 3;
    let db = common::open_with(&MemoryVfs::default(), config).unwrap();
    let ids: Vec<_> = (0..3).map(|_| db.begin_transaction().unwrap()).collect();
    let error = db.begin_transaction().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooMany);
    assert!(error.to_string().contains("max_active_transactions"));
    assert_eq!(db.stats().unwrap().active_transactions, 3);
    db.put_tx(ids[0], b"k", b"v").unwrap();
    assert_eq!(db.get_tx(ids[0], b"k").unwrap().unwrap(), b"v");
    db.commit_transaction(ids[0]).unwrap();
    assert_eq!(db.commit_transaction(ids[0]).unwrap_err().kind(), ErrorKind::Closed);
    db.abort_transaction(ids[1]).unwrap();
    assert_eq!(db.get_tx(ids[1], b"k").unwrap_err().kind(), ErrorKind::Closed);
    db.delete_tx(ids[2], b"k").unwrap();
    db.begin_transaction().unwrap();
}

/// A thread that ends without a word leaves its number open: the figures show it, and others can end it.
#[test]
fn an_abandoned_number_is_seen_and_can_be_ended() {
    let db = fresh();
    let other = db.clone();
    let id = std::thread::spawn(move || {
        let id = other.begin_transaction().unwrap();
        other.put_tx(id, b"k", b"v").unwrap();
        id
    });
    let id = id.join().unwrap();
    let stats = db.stats().unwrap();
    assert_eq!((stats.active_transactions, stats.snapshots), (1, 1));
    assert_eq!(db.get(b"k").unwrap(), None);
    db.abort_transaction(id).unwrap();
    let stats = db.stats().unwrap();
    assert_eq!((stats.active_transactions, stats.snapshots), (0, 0));
    db.begin_transaction().unwrap();
    db.close().unwrap();
}

/// Money moves between accounts from several threads; readers always see the same total.
#[test]
fn transfers_from_several_threads_keep_the_total() {
    const ACCOUNTS: u64 = 8;
    const TRANSFERS: u64 = 300;
    let db = fresh();
    for account in 0..ACCOUNTS {
        db.put(account.to_be_bytes(), 1_000u64.to_be_bytes()).unwrap();
    }
    let amount = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().unwrap());
    let done = AtomicBool::new(false);
    let start = Barrier::new(5);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|seed| {
                let (db, start) = (&db, &start);
                scope.spawn(move || {
                    let mut random = Random(seed);
                    start.wait();
                    for _ in 0..TRANSFERS {
                        let from = random.below(ACCOUNTS);
                        let to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
                        db.transact(|tx| {
                            let left = amount(&tx.get(from.to_be_bytes())?.unwrap());
                            let right = amount(&tx.get(to.to_be_bytes())?.unwrap());
                            let moved = left.min(7);
                            tx.put(from.to_be_bytes(), (left - moved).to_be_bytes())?;
                            tx.put(to.to_be_bytes(), (right + moved).to_be_bytes())
                        })
                        .unwrap();
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            start.wait();
            while !done.load(Ordering::Acquire) {
                let total: u64 = entries(&db).iter().map(|(_, v)| amount(v)).sum();
                assert_eq!(total, ACCOUNTS * 1_000);
            }
        });
        for worker in workers {
            worker.join().unwrap();
        }
        done.store(true, Ordering::Release);
    });
    assert_eq!(db.stats().unwrap().active_transactions, 0);
}

/// Batches from one thread, point reads and scans from others: a batch is seen whole or not at all, and
/// never goes back, while memtables are sealed, flushed and compacted underneath.
#[test]
fn readers_see_batches_whole_while_tables_move() {
    const KEYS: u64 = 40;
    const ROUNDS: u64 = 400;
    let db = fresh();
    let write = |round: u64| {
        let mut batch = WriteBatch::new();
        for key in 0..KEYS {
            let mut value = round.to_be_bytes().to_vec();
            value.resize(100, key as u8);
            batch.put(key.to_be_bytes(), value).unwrap();
        }
        db.write_with(&batch, ConsistencyLevel::Quorum).unwrap();
    };
    let round_of = |value: &[u8]| u64::from_be_bytes(value[..8].try_into().unwrap());
    write(0);
    let written = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for reader in 0..3u64 {
            let (db, written) = (&db, &written);
            scope.spawn(move || {
                let mut last = 0;
                while last < ROUNDS {
                    let before = written.load(Ordering::Acquire);
                    let rounds: Vec<u64> = if reader == 0 {
                        let keys: Vec<_> = (0..KEYS).map(u64::to_be_bytes).collect();
                        db.get_batch(&keys).unwrap().iter().map(|v| round_of(v.as_ref().unwrap())).collect()
                    } else {
                        let scan =
                            if reader == 1 { db.scan(None, None) } else { db.scan_reverse(None, None) };
                        scan.unwrap().map(|entry| round_of(&entry.unwrap().1)).collect()
                    };
                    assert_eq!(rounds.len() as u64, KEYS);
                    assert!(rounds.iter().all(|round| *round == rounds[0]), "torn batch: {rounds:?}");
                    assert!(rounds[0] >= before.max(last), "went back from {before} to {}", rounds[0]);
                    last = rounds[0];
                }
            });
        }
        for round in 1..=ROUNDS {
            write(round);
            written.store(round, Ordering::Release);
        }
    });
    assert!(db.stats().unwrap().tables_per_level.iter().sum::<usize>() > 0, "nothing was flushed");
}

#[test]
fn scans_and_transactions_keep_the_database_open() {
    let disk = MemoryVfs::default();
    let (scan, tx) = {
        let db = open(&disk).unwrap();
        db.put(b"k", b"v").unwrap();
        (db.scan(None, None).unwrap(), db.transaction().unwrap())
    };
    assert_eq!(open(&disk).unwrap_err().kind(), ErrorKind::Locked);
    assert_eq!(scan.count(), 1);
    tx.put(b"l", b"w").unwrap();
    tx.commit().unwrap();
    assert_eq!(entries(&open(&disk).unwrap()).len(), 2);
}

/// A compaction that runs while another thread closes the database must change no file any more once the
/// next opener has the folder.
#[test]
fn a_close_beside_a_compaction_leaves_the_files_to_the_next_opener() {
    for round in 0..150u64 {
        let disk = MemoryVfs::with_seed(round);
        let db = open(&disk).unwrap();
        let mut random = Random(round);
        for i in 0..150u32 {
            let value: Vec<u8> = (0..300).map(|_| random.next() as u8).collect();
            db.put_with_consistency(i.to_be_bytes(), value, ConsistencyLevel::Quorum).unwrap();
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for i in 0..3u32 {
                    let _ = db.put(i.to_be_bytes(), b"x");
                    let _ = db.compact_lsm();
                    let _ = db.flush();
                }
            });
            std::thread::sleep(std::time::Duration::from_micros(300 + 41 * (round % 60)));
            db.close().unwrap();
            let next = open(&disk).unwrap();
            assert_eq!(entries(&next).len(), 150, "round {round}");
            next.close().unwrap();
        });
        assert_eq!(entries(&open(&disk).unwrap()).len(), 150, "round {round}");
    }
}

#[test]
fn handles_go_anywhere() {
    fn shared<T: Send + Sync + 'static>() {}
    fn sent<T: Send + 'static>() {}
    shared::<Database>();
    shared::<lightning_db::Snapshot>();
    shared::<lightning_db::Transaction>();
    shared::<lightning_db::BackupEngine>();
    shared::<WriteBatch>();
    shared::<lightning_db::Error>();
    shared::<lightning_db::Value>();
    sent::<lightning_db::Scan>();
    sent::<lightning_db::TransactionScan>();
}

/// Interleaved transactions against the serial order of their commits: what a committed one has read must
/// be what it would read at the instant of its commit, behind all that committed before.
#[test]
fn committed_transactions_are_as_if_run_one_by_one() {
    type Entries = Vec<(Vec<u8>, Vec<u8>)>;
    enum Read {
        Key(Vec<u8>, Option<Vec<u8>>),
        From(Vec<u8>, Entries),
    }
    let (mut committed, mut refused) = (0, 0);
    for seed in 0..60 {
        let mut random = Random(seed);
        let db = fresh();
        let mut model = std::collections::BTreeMap::<Vec<u8>, Vec<u8>>::new();
        let mut open: Vec<(lightning_db::Transaction, Vec<Read>, Entries)> = Vec::new();
        for step in 0..400u64 {
            let key = vec![b'a' + random.below(6) as u8];
            let at = random.below(open.len().max(1) as u64) as usize;
            match random.below(10) {
                0 | 1 if open.len() < 4 => open.push((db.transaction().unwrap(), Vec::new(), Vec::new())),
                2..=4 if !open.is_empty() => {
                    let (tx, reads, own) = &mut open[at];
                    // Own writes hide what is read below them.
                    if own.iter().all(|(written, _)| *written != key) {
                        let value = tx.get(&key).unwrap().map(Vec::from);
                        reads.push(Read::Key(key, value));
                    }
                }
                5 if !open.is_empty() && open[at].2.is_empty() => {
                    let (tx, reads, _) = &mut open[at];
                    let seen = tx.scan(Some(key.clone()), None).unwrap().map(Result::unwrap).collect();
                    reads.push(Read::From(key, seen));
                }
                6 | 7 if !open.is_empty() => {
                    let (tx, _, own) = &mut open[at];
                    tx.put(&key, step.to_be_bytes()).unwrap();
                    own.push((key, step.to_be_bytes().to_vec()));
                }
                8 if !open.is_empty() => {
                    let (tx, reads, own) = open.swap_remove(at);
                    let writes = !own.is_empty();
                    match tx.commit() {
                        Ok(()) if writes => {
                            let fresh = |read: &Read| match read {
                                Read::Key(key, value) => model.get(key) == value.as_ref(),
                                Read::From(key, seen) => {
                                    let now = model.range(key.clone()..);
                                    now.map(|(k, v)| (k.clone(), v.clone())).eq(seen.iter().cloned())
                                }
                            };
                            assert!(reads.iter().all(fresh), "seed {seed}, step {step}: a stale read");
                            model.extend(own);
                            committed += 1;
                        }
                        Ok(()) => {}
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Conflict);
                            refused += 1;
                        }
                    }
                }
                9 if random.below(3) == 0 => {
                    db.put_with_consistency(&key, step.to_be_bytes(), ConsistencyLevel::Quorum).unwrap();
                    model.insert(key, step.to_be_bytes().to_vec());
                }
                _ => {}
            }
        }
        drop(open);
        assert!(entries(&db).into_iter().eq(model), "seed {seed}");
    }
    assert!(committed > 200 && refused > 200, "{committed} committed, {refused} refused");
}
