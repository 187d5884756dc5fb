//! Ingest: sorted entries straight to tables, seen whole or not at all, in their place among the commits.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Random, entries, names, open, open_still, open_with, small_config};
use lightning_db::vfs::{Keep, MemoryVfs, Vfs};
use lightning_db::{
    BackupEngine, ConsistencyLevel, Database, ErrorKind, IngestReport, LightningDbConfig, NativeOrder,
    Snapshot, WriteBatch,
};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn key(number: u64) -> Vec<u8> {
    format!("key{number:05}").into_bytes()
}

fn tables(disk: &MemoryVfs) -> usize {
    names(disk, ".table").len()
}

fn numbers(range: std::ops::Range<u64>, value: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    range.map(move |number| (key(number), value.to_vec()))
}

struct Run {
    disk: MemoryVfs,
    db: Database,
    model: Model,
    snapshots: Vec<(Snapshot, Model)>,
    reverse: bool,
    random: Random,
}

impl Run {
    fn config(reverse: bool) -> LightningDbConfig {
        let mut config = small_config();
        if reverse {
            config.comparator = Some(Box::new(NativeOrder::ReverseBytewise));
        }
        config
    }

    fn new(seed: u64, reverse: bool) -> Self {
        let disk = MemoryVfs::with_seed(seed);
        let db = open_with(&disk, Self::config(reverse)).unwrap();
        Run { disk, db, model: Model::new(), snapshots: Vec::new(), reverse, random: Random(seed) }
    }

    fn sorted(&self, model: &Model) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all: Vec<_> = model.clone().into_iter().collect();
        if self.reverse {
            all.reverse();
        }
        all
    }

    fn value(&mut self) -> Vec<u8> {
        let stamp = self.random.next().to_le_bytes();
        let size = self.random.below(200) as usize;
        stamp.iter().copied().cycle().take(size).collect()
    }

    fn ingest(&mut self) {
        let (start, stride) = (self.random.below(400), 1 + self.random.below(4));
        let count = 1 + self.random.below(150);
        let mut part = Model::new();
        for i in 0..count {
            let value = self.value();
            part.insert(key(start + i * stride), value);
        }
        let sorted = self.sorted(&part);
        let report = self.db.ingest(sorted).unwrap();
        assert_eq!((report.entries, report.tables), (count, 1));
        self.model.extend(part);
    }

    fn transaction(&mut self) {
        let tx = self.db.transaction().unwrap();
        let (read, write) = (key(self.random.below(500)), key(self.random.below(500)));
        assert_eq!(tx.get(&read).unwrap().as_deref(), self.model.get(&read).map(|value| &value[..]));
        if self.random.below(2) == 0 {
            let before = self.model.clone();
            self.ingest();
            let seen: Vec<_> = tx.scan(None, None).unwrap().map(Result::unwrap).collect();
            assert_eq!(seen, self.sorted(&before), "a transaction sees what was there when it began");
            tx.put(&write, b"lost").unwrap();
            assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict);
            return;
        }
        tx.put(&write, b"tx").unwrap();
        tx.commit().unwrap();
        self.model.insert(write, b"tx".to_vec());
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..=9 => self.ingest(),
            10..=15 => self.transaction(),
            16..=18 => self.db.flush().unwrap(),
            19 => self.db.compact_lsm().unwrap(),
            20..=22 => {
                let snapshot = self.db.snapshot().unwrap();
                self.snapshots.push((snapshot, self.model.clone()));
            }
            23..=25 if !self.snapshots.is_empty() => drop(self.snapshots.remove(0)),
            26 => {
                self.snapshots.clear();
                self.db.close().unwrap();
                self.db = open_with(&self.disk, Self::config(self.reverse)).unwrap();
            }
            27 => {
                self.snapshots.clear();
                self.db.put(b"synced", b"").unwrap();
                self.model.insert(b"synced".to_vec(), Vec::new());
                let keep = if self.random.below(2) == 0 { Keep::All } else { Keep::Durable };
                self.disk = self.disk.crash(keep);
                self.db = open_with(&self.disk, Self::config(self.reverse)).unwrap();
            }
            28..=60 => {
                let (key, value) = (key(self.random.below(600)), self.value());
                self.db.put_with_consistency(&key, &value, ConsistencyLevel::Quorum).unwrap();
                self.model.insert(key, value);
            }
            61..=75 => {
                let key = key(self.random.below(600));
                self.db.delete_with_consistency(&key, ConsistencyLevel::Eventual).unwrap();
                self.model.remove(&key);
            }
            _ => {
                let key = key(self.random.below(600));
                let found = self.db.get(&key).unwrap();
                assert_eq!(found.as_deref(), self.model.get(&key).map(|value| &value[..]));
            }
        }
    }

    fn check(&self) {
        assert_eq!(entries(&self.db), self.sorted(&self.model));
        let backward: Vec<_> = self.db.scan_reverse(None, None).unwrap().map(Result::unwrap).collect();
        assert!(backward.into_iter().rev().eq(self.sorted(&self.model)));
        let keys: Vec<_> = (0..1000).map(key).collect();
        let found = self.db.get_batch(&keys).unwrap();
        for (key, found) in keys.iter().zip(found) {
            assert_eq!(found.as_deref(), self.model.get(key).map(|value| &value[..]));
            assert_eq!(self.db.get(key).unwrap().as_deref(), self.model.get(key).map(|value| &value[..]));
        }
        for (snapshot, model) in &self.snapshots {
            let seen: Vec<_> = snapshot.scan(None, None).unwrap().map(Result::unwrap).collect();
            assert_eq!(seen, self.sorted(model));
            let at = key(self.snapshots.len() as u64 * 37 % 600);
            assert_eq!(snapshot.get(&at).unwrap().as_deref(), model.get(&at).map(|value| &value[..]));
        }
    }
}

#[test]
fn random_steps_with_ingests_match_the_model() {
    for seed in 1..=8 {
        println!("seed {seed}");
        let mut run = Run::new(seed, seed % 4 == 0);
        for step in 0..800 {
            run.step();
            if step % 50 == 0 {
                run.check();
            }
        }
        run.check();
        run.snapshots.clear();
        run.db.compact_lsm().unwrap();
        run.check();
    }
}

/// What was there before, an ingest over it, and a look at what a cut leaves: all of it or nothing.
#[test]
fn an_ingest_cut_at_every_call_is_whole_or_nothing() {
    let (before, count) = (60, 900);
    let fresh = || {
        let disk = MemoryVfs::with_seed(3);
        let db = open(&disk).unwrap();
        db.ingest(numbers(0..before, b"old")).unwrap();
        db.put(key(1), b"newer").unwrap();
        db.close().unwrap();
        disk.crash(Keep::All)
    };
    let mut seen = [0; 2];
    for call in 0.. {
        for keep in [Keep::All, Keep::Durable] {
            let disk = fresh();
            disk.cut_at(call);
            let mut acknowledged = false;
            if let Ok(db) = open(&disk) {
                acknowledged = db.ingest(numbers(0..count, b"all of it")).is_ok();
                drop(db.close());
            }
            if acknowledged && disk.calls() <= call {
                assert!(seen[0] > 10 && seen[1] > 3, "{seen:?}");
                return;
            }
            let db =
                open(&disk.crash(keep)).unwrap_or_else(|error| panic!("cut at {call}, {keep:?}: {error}"));
            let found = entries(&db);
            let whole = found.len() as u64 == count;
            assert!(whole || !acknowledged, "cut at {call}, {keep:?}: acknowledged and gone");
            if whole {
                assert!(found.iter().all(|(_, value)| value == b"all of it"));
            } else {
                assert_eq!(found.len() as u64, before, "cut at {call}, {keep:?}");
                assert_eq!(db.get(key(1)).unwrap().unwrap(), b"newer");
            }
            seen[usize::from(whole)] += 1;
            db.ingest(numbers(0..count, b"again")).unwrap();
            assert!(entries(&db).iter().all(|(_, value)| value == b"again"));
        }
    }
}

#[test]
fn what_is_refused_changes_nothing_and_leaves_no_file() {
    let disk = MemoryVfs::with_seed(1);
    let db = open(&disk).unwrap();
    db.put(b"a", b"1").unwrap();
    let files = tables(&disk);
    let kind = |result: lightning_db::Result<IngestReport>| result.unwrap_err().kind();
    assert_eq!(kind(db.ingest([("b", "1"), ("a", "2")])), ErrorKind::InvalidArgument);
    assert_eq!(kind(db.ingest([("b", "1"), ("b", "2")])), ErrorKind::InvalidArgument);
    assert_eq!(kind(db.ingest([(vec![0; 65_536], "")])), ErrorKind::InvalidArgument);
    let error = db.ingest(numbers(0..5000, &[7; 50]).chain([(b"a".to_vec(), vec![])])).unwrap_err();
    assert!(error.to_string().contains("must rise"), "{error}");
    let mut ingest = db.begin_ingest().unwrap();
    ingest.add(b"x", b"1").unwrap();
    assert!(ingest.add(b"c", b"1").is_err());
    assert_eq!(ingest.add(b"y", b"1").unwrap_err().kind(), ErrorKind::Closed, "it has ended");
    assert_eq!(ingest.finish().unwrap_err().kind(), ErrorKind::Closed);
    let mut ingest = db.begin_ingest().unwrap();
    ingest.add(b"x", b"1").unwrap();
    ingest.abort();
    assert_eq!(db.ingest([("x", ""); 0]).unwrap(), IngestReport::default());
    assert_eq!(entries(&db), [(b"a".to_vec(), b"1".to_vec())]);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        db.ingest((0..10u8).map(|i| if i < 9 { ([i], "") } else { std::panic::resume_unwind(Box::new(i)) }))
    }));
    assert!(panicked.is_err());
    db.flush().unwrap();
    assert_eq!(tables(&disk), files + 1, "that of the flush");
}

#[test]
fn a_full_disk_or_a_failing_one_leaves_everything_as_it_was() {
    let config = || {
        let mut config = small_config();
        config.lsm_config.level0_file_num_compaction_trigger = 64;
        config
    };
    for call in 0.. {
        let disk = MemoryVfs::with_seed(5);
        let db = open_with(&disk, config()).unwrap();
        db.put(b"a", b"1").unwrap();
        db.flush().unwrap();
        disk.fail_call(call, std::io::ErrorKind::StorageFull);
        let outcome = db.ingest(numbers(0..500, b"value"));
        match &outcome {
            Ok(_) => assert_eq!(entries(&db).len(), 501),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NoSpace, "{call}: {error}");
                assert_eq!(entries(&db).len(), 1);
                if let Err(halted) = db.put(b"b", b"2") {
                    // A failed sync leaves open what the disk has.
                    assert!(halted.to_string().contains("sync"), "{halted}");
                    drop(db);
                    let found = entries(&open_with(&disk, config()).unwrap()).len();
                    assert!(found == 1 || found == 501, "{found}");
                    continue;
                }
                db.flush().unwrap();
                assert_eq!(tables(&disk), 2, "call {call}");
                db.ingest(numbers(0..500, b"value")).unwrap();
                assert_eq!(entries(&db).len(), 502);
            }
        }
        let _ = db.close();
        assert!(entries(&open(&disk.crash(Keep::All)).unwrap()).len() >= 501);
        if outcome.is_ok() && disk.calls() <= call {
            return;
        }
    }
}

#[test]
fn transactions_that_read_among_the_keys_conflict_and_no_others() {
    let db = open(&MemoryVfs::with_seed(1)).unwrap();
    db.put(key(5), b"").unwrap();
    let outcome = |read: u64| {
        let tx = db.transaction().unwrap();
        tx.get(key(read)).unwrap();
        tx.put(b"other", b"").unwrap();
        db.ingest(numbers(10..20, b"")).unwrap();
        tx.commit().map_err(|error| error.kind())
    };
    assert_eq!([outcome(5), outcome(25)], [Ok(()), Ok(())]);
    for read in [10, 15, 19] {
        assert_eq!(outcome(read), Err(ErrorKind::Conflict));
    }
    let tx = db.transaction().unwrap();
    assert_eq!(tx.scan_prefix("key0001").unwrap().count(), 10);
    tx.put(b"other", b"").unwrap();
    db.ingest(numbers(11..12, b"")).unwrap();
    assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(db.stats().unwrap().active_transactions, 0);
}

/// Rows in memory that an ingest makes old are never given again.
#[test]
fn rows_in_memory_change_with_an_ingest() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    for round in 0..20u8 {
        db.ingest(numbers(0..50, &[round; 20])).unwrap();
        for _ in 0..4 {
            for at in 0..50 {
                assert_eq!(db.get(key(at)).unwrap().unwrap(), [round; 20]);
            }
        }
    }
}

/// Readers see whole ingests only and never go back; writers and a compaction go on all the while.
#[test]
fn readers_see_whole_ingests_beside_writers() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path(), small_config()).unwrap();
    let rounds = 40u64;
    let done = AtomicBool::new(false);
    db.ingest(numbers(0..200, &0u64.to_be_bytes())).unwrap();
    std::thread::scope(|scope| {
        for reader in 0..2 {
            let (db, done) = (&db, &done);
            scope.spawn(move || {
                let mut random = Random(reader);
                let round = |value: &[u8]| u64::from_be_bytes(value.try_into().unwrap());
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let keys: Vec<_> = (0..5).map(|_| key(random.below(200))).collect();
                    let batch = db.get_batch(&keys).unwrap();
                    let seen: Vec<_> = batch.iter().map(|value| round(value.as_ref().unwrap())).collect();
                    assert!(seen.iter().all(|round| *round == seen[0]), "{seen:?}");
                    let single = round(&db.get(&keys[0]).unwrap().unwrap());
                    assert!(last <= seen[0] && seen[0] <= single);
                    last = single;
                    let snapshot = db.snapshot().unwrap();
                    let mut all =
                        snapshot.scan(Some(key(0)), Some(key(200))).unwrap().map(|e| round(&e.unwrap().1));
                    let first = all.next().unwrap();
                    assert!(first >= last && all.all(|round| round == first));
                }
            });
        }
        let writer = scope.spawn(|| {
            let mut written = 0u64;
            while !done.load(Ordering::Relaxed) {
                let mut batch = WriteBatch::new();
                batch.put(format!("writer{:04}", written % 3000), [1; 100]).unwrap();
                db.write_with(&batch, ConsistencyLevel::Quorum).unwrap();
                written += 1;
            }
            written
        });
        for round in 1..=rounds {
            db.ingest(numbers(0..200, &round.to_be_bytes())).unwrap();
            if round % 10 == 0 {
                db.compact_lsm().unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > rounds, "writers go on between ingests");
    });
    assert_eq!(db.get(key(7)).unwrap().unwrap(), rounds.to_be_bytes());
}

#[test]
fn tables_go_as_deep_as_nothing_is_in_their_way() {
    let disk = MemoryVfs::with_seed(1);
    let config = LightningDbConfig { compression_enabled: false, ..small_config() };
    let db = open_still(&disk, config).unwrap();
    let levels = || db.stats().unwrap().tables_per_level;
    db.ingest(numbers(100..200, b"1")).unwrap();
    assert_eq!(levels(), [0, 0, 0, 0, 0, 0, 1]);
    db.ingest(numbers(200..300, b"2")).unwrap();
    assert_eq!(levels(), [0, 0, 0, 0, 0, 0, 2]);
    db.ingest(numbers(150..160, b"3")).unwrap();
    assert_eq!(levels(), [0, 0, 0, 0, 0, 1, 2]);
    db.ingest(numbers(155..156, b"4")).unwrap();
    assert_eq!(levels(), [0, 0, 0, 0, 1, 1, 2]);
    let value = |at| db.get(key(at)).unwrap().unwrap().to_vec();
    assert_eq!([value(120), value(150), value(155), value(250)], [b"1", b"3", b"4", b"2"]);
    db.put(key(155), b"5").unwrap();
    db.ingest(numbers(1000..3000, &[1; 300])).unwrap();
    assert!(levels()[6] >= 3, "nothing is in its way");
    assert_eq!([value(155), value(156)], [b"5", b"3"]);
    db.compact_lsm().unwrap();
    assert_eq!(db.stats().unwrap().total_keys, 2200);
    assert_eq!([value(155), value(156)], [b"5", b"3"]);
}

#[test]
fn a_large_ingest_makes_several_tables_and_a_backup_has_them() {
    let disk = MemoryVfs::with_seed(1);
    let mut config = small_config();
    config.compression_enabled = false;
    config.page_size = 4096;
    let db = open_with(&disk, config).unwrap();
    let value = [9; 4000];
    let report = db.ingest(numbers(0..20_000, &value)).unwrap();
    assert_eq!((report.entries, report.tables), (20_000, 3));
    assert!(report.bytes > 80_000_000);
    db.put(key(3), b"after").unwrap();
    BackupEngine::new(&db).create_backup("/backups/one").unwrap();
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let restored =
        Database::restore_on(vfs, Path::new("/restored"), Path::new("/backups/one"), small_config()).unwrap();
    for db in [&restored, &db] {
        db.ingest(numbers(5..6, b"last")).unwrap();
        assert_eq!(db.get(key(3)).unwrap().unwrap(), b"after");
        assert_eq!(db.get(key(5)).unwrap().unwrap(), b"last");
        assert_eq!(db.get(key(19_999)).unwrap().unwrap(), value);
        assert_eq!(db.count(lightning_db::ScanOptions::all()).unwrap(), 20_000);
    }
}

#[test]
fn a_close_ends_an_ingest_and_removes_its_files() {
    let disk = MemoryVfs::with_seed(1);
    let db = open(&disk).unwrap();
    let mut ingest = db.begin_ingest().unwrap();
    for number in 0..100 {
        ingest.add(key(number), b"").unwrap();
    }
    assert_eq!(tables(&disk), 1);
    db.close().unwrap();
    assert_eq!(tables(&disk), 0);
    assert_eq!(ingest.add(key(200), b"").unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(ingest.finish().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(db.begin_ingest().err().unwrap().kind(), ErrorKind::Closed);
    assert!(entries(&open(&disk).unwrap()).is_empty());
}

#[test]
fn an_ingest_keeps_its_database_open() {
    let disk = MemoryVfs::with_seed(1);
    let db = open(&disk).unwrap();
    let mut ingest = db.begin_ingest().unwrap();
    drop(db);
    ingest.add(b"a", b"1").unwrap();
    ingest.finish().unwrap();
    assert_eq!(entries(&open(&disk).unwrap()).len(), 1);
}
