//! Compaction of real databases: space at rest, several at once, progress, and writes that have to wait.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::gate::{Gate, GateVfs, Opener};
use common::{
    FOLDER, Random, entries, names, open, open_still, open_with, path_of, small_config, wait_until,
};
use lightning_db::vfs::{Call, Fault, Keep, MemoryVfs, RecordingVfs, Vfs};
use lightning_db::{ConsistencyLevel, Database, ErrorKind, LightningDbConfig, WriteBatch};

/// Values that no codec makes smaller.
fn value(random: &mut Random, size: usize) -> Vec<u8> {
    (0..size).map(|_| random.next() as u8).collect()
}

fn put_all(db: &Database, keys: impl Iterator<Item = u32>, random: &mut Random) {
    for key in keys {
        let value = value(random, 100);
        db.put_with_consistency(key.to_be_bytes(), value, ConsistencyLevel::Eventual).unwrap();
    }
}

fn table_bytes(disk: &dyn Vfs) -> u64 {
    let size = |name: &String| match disk.file_type(&path_of(name)).unwrap() {
        Some(lightning_db::vfs::FileType::File(size)) => size,
        _ => 0,
    };
    names(disk, ".table").iter().map(size).sum()
}

/// Whether no table comes or goes for longer than the background waits before it takes the database to rest.
fn stays_the_same(disk: &MemoryVfs) -> bool {
    let tables = || names(disk, ".table");
    let before = tables();
    std::thread::sleep(Duration::from_millis(1_500));
    tables() == before
}

/// At rest, without a compaction by hand, tables take at most 1.3 times what one leaves.
fn check_space(name: &str, work: impl FnOnce(&Database, &mut Random)) {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    work(&db, &mut Random(7));
    let model = entries(&db);
    db.flush().unwrap();
    let live: u64 = model.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
    // Sequence numbers, page headers and inner pages of pages of 512 bytes; some hundred bytes a table.
    let allowed = live * 13 / 10 + live / 8 + 4_096;
    wait_until(&format!("{name} at rest within {allowed} bytes"), || {
        table_bytes(&disk) <= allowed && stays_the_same(&disk)
    });
    assert_eq!(entries(&db), model, "{name}");
    let at_rest = table_bytes(&disk);
    db.compact_lsm().unwrap();
    wait_until("removal of the inputs", || stays_the_same(&disk));
    let compacted = table_bytes(&disk);
    println!("{name}: {at_rest} at rest, {compacted} compacted, {live} live");
    assert!(at_rest <= compacted * 13 / 10 + 1_024, "{name}: {at_rest} at rest, {compacted} compacted");
    assert_eq!(entries(&db), model, "{name}");
    db.close().unwrap();
    assert_eq!(entries(&open(&disk).unwrap()), model, "{name}");
}

#[test]
fn overwrites_take_little_space_at_rest() {
    for keys in [300, 6_000] {
        check_space("overwrites", |db, random| {
            put_all(db, 0..keys, random);
            let picks: Vec<_> = (0..10 * keys).map(|_| random.below(keys.into()) as u32).collect();
            put_all(db, picks.into_iter(), random);
        });
    }
}

#[test]
fn overwrites_of_one_range_take_little_space_at_rest() {
    check_space("one range", |db, random| {
        put_all(db, 0..4_000, random);
        (0..40).for_each(|_| put_all(db, 500..1_000, random));
    });
}

#[test]
fn deletes_of_everything_leave_nothing() {
    check_space("deletes", |db, random| {
        put_all(db, 0..5_000, random);
        (0..5_000u32).for_each(|key| {
            db.delete_with_consistency(key.to_be_bytes(), ConsistencyLevel::Eventual).unwrap()
        });
    });
}

#[test]
fn a_released_snapshot_gives_back_what_it_pinned() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    let random = &mut Random(3);
    put_all(&db, 0..4_000, random);
    let snapshot = db.snapshot().unwrap();
    let before: Vec<_> = snapshot.scan(None, None).unwrap().map(Result::unwrap).collect();
    put_all(&db, 0..4_000, random);
    (2_000..4_000u32).for_each(|key| db.delete(key.to_be_bytes()).unwrap());
    db.compact_lsm().unwrap();
    wait_until("what is live and pinned alone", || table_bytes(&disk) < 900_000);
    let stats = db.stats().unwrap();
    assert!((350_000..700_000).contains(&stats.pinned_bytes), "4,000 old records: {stats:?}");
    assert!((200_000..400_000).contains(&stats.live_bytes), "{stats:?}");
    let seen: Vec<_> = snapshot.scan(None, None).unwrap().map(Result::unwrap).collect();
    assert!(seen == before);
    drop(snapshot);
    wait_until("no write, and the space is free", || table_bytes(&disk) < 300_000);
    let stats = db.stats().unwrap();
    assert!(stats.pinned_bytes < 10_000 && stats.dead_bytes < 60_000, "{stats:?}");
    assert_eq!(entries(&db).len(), 2_000);
}

/// What a snapshot pinned is known to the next open, which has no snapshots.
#[test]
fn a_reopened_database_gives_back_what_snapshots_pinned() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    let random = &mut Random(3);
    put_all(&db, 0..3_000, random);
    let snapshot = db.snapshot().unwrap();
    put_all(&db, 0..3_000, random);
    db.compact_lsm().unwrap();
    db.close().unwrap();
    drop((snapshot, db));
    assert!(table_bytes(&disk) > 600_000);
    let db = open(&disk).unwrap();
    wait_until("old versions go", || table_bytes(&disk) < 450_000);
    assert_eq!(entries(&db).len(), 3_000);
}

#[test]
fn a_running_scan_pins_files() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    put_all(&db, 0..2_000, &mut Random(1));
    db.flush().unwrap();
    let mut scan = db.scan(None, None).unwrap();
    scan.next().unwrap().unwrap();
    put_all(&db, 0..2_000, &mut Random(2));
    db.compact_lsm().unwrap();
    assert!(db.stats().unwrap().pinned_bytes > 100_000, "{:?}", db.stats());
    drop(scan);
    wait_until("the files are free", || db.stats().unwrap().pinned_bytes == 0);
}

fn config_with(threads: usize) -> LightningDbConfig {
    let mut config = small_config();
    config.lsm_config.max_background_compactions = threads;
    config
}

/// Tables of many old versions, due for a rewrite one beside the other, which waits at the gate.
fn much_to_rewrite(threads: usize, gate: &Arc<Gate>) -> Database {
    let vfs: Arc<dyn Vfs> = Arc::new(GateVfs::new(MemoryVfs::default(), Arc::clone(gate)));
    let db = Database::open_on(vfs, Path::new(FOLDER), config_with(threads), true).unwrap();
    let random = &mut Random(3);
    put_all(&db, 0..16_000, random);
    let snapshot = db.snapshot().unwrap();
    put_all(&db, 0..16_000, random);
    db.compact_lsm().unwrap();
    gate.meet(threads.max(2));
    drop(snapshot);
    db
}

/// As many compactions run at once as there are threads.
#[test]
fn option_max_background_compactions() {
    for threads in [1, 2] {
        let gate = Arc::new(Gate::for_threads("lightning-compact"));
        let db = much_to_rewrite(threads, &gate);
        let _opener = Opener(Arc::clone(&gate));
        wait_until("a rewrite", || gate.most_inside() >= threads);
        if threads == 1 {
            std::thread::sleep(Duration::from_millis(1_500));
        }
        assert_eq!(gate.most_inside(), threads);
        gate.open();
        wait_until("all is rewritten", || db.stats().unwrap().dead_bytes < 100_000);
        assert_eq!(entries(&db).len(), 16_000);
        db.close().unwrap();
    }
}

/// Compactions are held up, so that level 0 fills and writes stop.
#[test]
fn a_write_with_a_deadline_gives_up_and_leaves_nothing() {
    let gate = Arc::new(Gate::for_threads("lightning-compact"));
    let vfs: Arc<dyn Vfs> = Arc::new(GateVfs::new(MemoryVfs::default(), Arc::clone(&gate)));
    let db = Database::open_on(vfs, Path::new(FOLDER), small_config(), true).unwrap();
    let _opener = Opener(Arc::clone(&gate));
    gate.meet(usize::MAX);
    let random = &mut Random(9);
    let level = ConsistencyLevel::Quorum;
    let mut refused = None;
    for key in 0..100_000u32 {
        let mut batch = WriteBatch::new();
        batch.put(key.to_be_bytes(), value(random, 400)).unwrap();
        batch.put(b"both", key.to_be_bytes()).unwrap();
        if let Err(error) = db.write_within(&batch, level, Duration::from_millis(100)) {
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
            // The flush was behind, or level 0 is full.
            wait_until("the flush", || db.stats().unwrap().sealed_memtables == 0);
            if db.write_within(&batch, level, Duration::from_millis(100)).is_err() {
                refused = Some(key);
                break;
            }
        }
    }
    let refused = refused.unwrap();
    assert_eq!(db.get(refused.to_be_bytes()).unwrap(), None);
    assert_eq!(db.get(b"both").unwrap().unwrap(), (refused - 1).to_be_bytes());
    let stats = db.stats().unwrap();
    assert!(stats.write_stalls > 0 && stats.write_stall_seconds > 0.05, "{stats:?}");
    assert_eq!(stats.stalled_writes, 0);
    let other = db.clone();
    let waits = std::thread::spawn(move || other.put_with_consistency(b"waits", [7; 70_000], level));
    wait_until("a stalled write is seen", || db.stats().unwrap().stalled_writes == 1);
    gate.open();
    waits.join().unwrap().unwrap();
    assert_eq!(db.stats().unwrap().stalled_writes, 0);
    assert!(db.get(b"waits").unwrap().is_some());
}

fn tables_on(disk: &MemoryVfs) -> usize {
    names(disk, ".table").len()
}

#[test]
fn progress_rises_to_the_end_and_everything_is_in_one_level() {
    let disk = MemoryVfs::default();
    let db = open_still(&disk, small_config()).unwrap();
    let random = &mut Random(5);
    put_all(&db, 0..20_000, random);
    let picks: Vec<_> = (0..4_000).map(|_| random.below(20_000) as u32).collect();
    put_all(&db, picks.into_iter(), random);
    let (mut seen, mut last) = (Vec::new(), None);
    db.compact_with(|progress| {
        assert!(progress.bytes_done <= progress.bytes_in, "{progress:?}");
        last = Some(progress);
        seen.push(progress.bytes_done);
        ControlFlow::Continue(())
    })
    .unwrap();
    let last = last.unwrap();
    assert!(seen.is_sorted() && seen.len() > 10, "{seen:?}");
    assert!(last.bytes_done == last.bytes_in && last.bytes_in > 2_000_000 && last.tables > 2, "{last:?}");
    let stats = db.stats().unwrap();
    let levels: Vec<_> = stats.tables_per_level.iter().filter(|tables| **tables > 0).collect();
    assert_eq!(levels.len(), 1, "{stats:?}");
    assert_eq!((stats.dead_bytes, entries(&db).len()), (0, 20_000));
}

/// Tables that the new keys do not meet stay unread: they must not fall out of the total.
#[test]
fn progress_does_not_fall_where_less_is_read_than_was_thought() {
    let disk = MemoryVfs::default();
    let db = open_still(&disk, small_config()).unwrap();
    put_all(&db, 0..20_000, &mut Random(5));
    db.compact_lsm().unwrap();
    put_all(&db, 20_000..20_010, &mut Random(6));
    let mut seen = Vec::new();
    db.compact_with(|progress| {
        seen.push((progress.bytes_in, progress.bytes_done));
        ControlFlow::Continue(())
    })
    .unwrap();
    let (totals, done): (Vec<_>, Vec<_>) = seen.iter().copied().unzip();
    assert!(totals.is_sorted() && done.is_sorted(), "{seen:?}");
    assert!(totals[0] > 1_000_000 && totals.last() == done.last(), "{seen:?}");
}

#[test]
fn a_cancelled_compaction_leaves_no_trace() {
    let disk = MemoryVfs::default();
    let mut config = small_config();
    config.lsm_config.level0_file_num_compaction_trigger = 64;
    let db = open_with(&disk, config).unwrap();
    for call in [1, 2, 5, 11] {
        // Where the caller has to wait for a processor, the database merges at rest and leaves nothing to do.
        let error = (0..20).find_map(|_| {
            put_all(&db, 0..4_000, &mut Random(call));
            let mut calls = 0;
            let compacted = db.compact_with(|_| {
                calls += 1;
                if calls > call { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            compacted.err()
        });
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Cancelled), "call {call}");
        let known = || db.stats().unwrap().tables_per_level.iter().sum::<usize>();
        wait_until("only tables of the database", || tables_on(&disk) == known());
        assert_eq!(entries(&db).len(), 4_000);
    }
    db.put(b"goes on", b"").unwrap();
    db.compact_lsm().unwrap();
}

/// It would wait for the compaction that waits for it.
#[test]
fn a_close_within_the_progress_of_a_compaction_is_refused() {
    let db = open_still(&MemoryVfs::default(), small_config()).unwrap();
    let other = open_still(&MemoryVfs::default(), small_config()).unwrap();
    put_all(&db, 0..8_000, &mut Random(1));
    let mut calls = 0;
    db.compact_with(|_| {
        calls += 1;
        assert_eq!(db.close().unwrap_err().kind(), ErrorKind::InvalidArgument);
        // The database of an inner compaction may not be closed in it, nor that of the outer one.
        other
            .compact_with(|_| {
                assert!(db.close().is_err() && other.close().is_err());
                ControlFlow::Continue(())
            })
            .unwrap();
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(calls > 3, "{calls}");
    assert_eq!(entries(&db).len(), 8_000);
    let closed = db.compact_with(|_| {
        other.close().unwrap();
        ControlFlow::Break(())
    });
    assert_eq!(closed.unwrap_err().kind(), ErrorKind::Cancelled);
    db.close().unwrap();
}

#[test]
fn a_close_cancels_a_compaction() {
    let gate = Arc::new(Gate::for_threads("caller"));
    let vfs: Arc<dyn Vfs> = Arc::new(GateVfs::new(MemoryVfs::default(), Arc::clone(&gate)));
    // Nothing is merged before the caller does it.
    let mut config = small_config();
    config.lsm_config.level0_file_num_compaction_trigger = 64;
    let db = Database::open_on(vfs, Path::new(FOLDER), config, true).unwrap();
    put_all(&db, 0..8_000, &mut Random(1));
    db.flush().unwrap();
    let _opener = Opener(Arc::clone(&gate));
    gate.meet(usize::MAX);
    let (one, other) = (db.clone(), db.clone());
    let caller = std::thread::Builder::new().name("caller".into()).spawn(move || one.compact_lsm()).unwrap();
    wait_until("the compaction runs", || gate.most_inside() > 0);
    let closer = std::thread::spawn(move || other.close());
    wait_until("the close has begun", || !db.is_open());
    gate.open();
    assert_eq!(caller.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    closer.join().unwrap().unwrap();
}

/// Bytes written to tables for each byte put.
fn write_amplification(keys: impl Iterator<Item = u32>) -> f64 {
    let calls = RecordingVfs::new(Arc::new(MemoryVfs::default()));
    let vfs: Arc<dyn Vfs> = Arc::new(calls.clone());
    let db = Database::open_on(vfs, Path::new(FOLDER), small_config(), true).unwrap();
    let mut put = 0;
    for key in keys {
        put_all(&db, [key].into_iter(), &mut Random(key.into()));
        put += 104;
    }
    db.flush().unwrap();
    wait_until("rest", || db.stats().unwrap().tables_per_level[0] < 2);
    let is_table = |path: &Path| path.extension().is_some_and(|extension| extension == "table");
    let written = calls.take().into_iter().map(|call| match call {
        Call::WriteAt { path, len, .. } if is_table(&path) => len as u64,
        _ => 0,
    });
    written.sum::<u64>() as f64 / f64::from(put)
}

#[test]
fn rising_keys_are_written_about_twice() {
    let times = write_amplification(0..30_000);
    println!("rising keys are written {times:.2} times");
    assert!(times < 3.2, "{times}");
}

#[test]
fn random_keys_are_written_some_times() {
    let mut random = Random(1);
    let times = write_amplification((0..40_000).map(|_| random.below(15_000) as u32));
    println!("random keys are written {times:.2} times");
    assert!(times < 22.0, "{times}");
}

/// A table that moves is in force before and behind the edit: a full disk in between must not take it away.
#[test]
fn a_full_disk_at_any_call_of_a_move_loses_nothing() {
    let loaded = MemoryVfs::default();
    let db = open(&loaded).unwrap();
    put_all(&db, 0..24_000, &mut Random(1));
    db.compact_lsm().unwrap();
    db.close().unwrap();
    let mut moved = 0;
    for ahead in 0..60 {
        let disk = loaded.crash(Keep::All);
        let db = open(&disk).unwrap();
        disk.fail_call(disk.calls() + ahead, Fault::Os(28));
        // One part of the keys after the other: tables over the deepest level that are apart.
        for part in 0..6u32 {
            let mut batch = WriteBatch::new();
            (part * 600..part * 600 + 600)
                .for_each(|key| batch.put(key.to_be_bytes(), [part as u8; 100]).unwrap());
            let _ = db.write_with(&batch, ConsistencyLevel::Quorum).and_then(|()| db.flush());
        }
        // The move is done by a thread that may have to wait for a processor, and not at all if the call that failed was one of it.
        let middle = || db.stats().unwrap().tables_per_level[1..6].iter().sum::<usize>();
        let is_there = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(2));
            middle() > 0
        });
        moved += usize::from(is_there);
        let before = entries(&db);
        let _ = db.close();
        let db = open(&disk).unwrap();
        assert!(entries(&db) == before && before.len() == 24_000, "call {ahead}");
    }
    assert!(moved > 10, "tables moved {moved} times");
}

/// Snapshots, writes and compactions of all kinds at once: each snapshot goes on seeing what it saw.
#[test]
fn snapshots_see_the_same_during_compactions() {
    let disk = MemoryVfs::default();
    let mut config = config_with(3);
    config.cache_size = 4 << 20;
    let db = open_with(&disk, config).unwrap();
    let random = &mut Random(11);
    let mut model = std::collections::BTreeMap::new();
    let mut held = Vec::new();
    for round in 0..60u32 {
        for _ in 0..500 {
            let key = (random.below(4_000) as u32).to_be_bytes().to_vec();
            if random.below(4) == 0 {
                db.delete_with_consistency(&key, ConsistencyLevel::Eventual).unwrap();
                model.remove(&key);
            } else {
                let value = value(random, 60);
                db.put_with_consistency(&key, &value, ConsistencyLevel::Eventual).unwrap();
                model.insert(key, value);
            }
        }
        match random.below(4) {
            0 => held.push((db.snapshot().unwrap(), model.clone())),
            1 if !held.is_empty() => drop(held.swap_remove(random.below(held.len() as u64) as usize)),
            2 if round % 5 == 0 => db.compact_lsm().unwrap(),
            _ => {}
        }
        for (snapshot, model) in &held {
            let seen = snapshot.scan(None, None).unwrap().map(Result::unwrap);
            assert!(seen.eq(model.clone()), "round {round}");
        }
    }
    held.clear();
    assert!(entries(&db).into_iter().eq(model.clone()));
    db.close().unwrap();
    assert!(entries(&open(&disk).unwrap()).into_iter().eq(model));
}

/// What is older than the interval is in tables, so that the next open does not replay it.
#[test]
fn the_replay_at_open_is_bounded_by_the_checkpoint_interval() {
    let disk = MemoryVfs::default();
    let mut config = small_config();
    config.lsm_config.memtable_size = 16 << 20;
    config.consistency_config.checkpoint_interval = Duration::from_secs(30);
    let db = open_with(&disk, config).unwrap();
    put_all(&db, 0..3_000, &mut Random(1));
    disk.advance(Duration::from_secs(31));
    wait_until("the flush of what is old", || db.stats().unwrap().tables_per_level.iter().sum::<usize>() > 0);
    wait_until("the log is gone", || {
        let names = disk.list(Path::new(FOLDER)).unwrap();
        names.iter().filter(|name| name.ends_with(".log")).count() == 1
    });
    db.put(b"young", b"").unwrap();
    let dead = disk.crash(Keep::All);
    let db = open(&dead).unwrap();
    assert_eq!(db.recovery_report().replayed_records, 1);
    assert_eq!(entries(&db).len(), 3_001);
}

/// Figures: `cargo test --release -p lightning_db --test compaction -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement: some hundred MiB"]
fn figures_of_overwrites_of_ten_times_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = LightningDbConfig::default();
    config.lsm_config.memtable_size = 8 << 20;
    let db = Database::create(folder.path().join("db"), config).unwrap();
    let (random, keys) = (&mut Random(1), 500_000u64);
    let mut times = Vec::new();
    for round in 0..11 {
        for i in 0..keys {
            let key = if round == 0 { i } else { random.below(keys) };
            let value = value(random, 100);
            let began = Instant::now();
            db.put_with_consistency(key.to_be_bytes(), value, ConsistencyLevel::Quorum).unwrap();
            times.push(began.elapsed());
        }
    }
    times.sort_unstable();
    let stats = db.stats().unwrap();
    println!(
        "puts: p50 {:?}, p99.9 {:?}, longest {:?}",
        times[times.len() / 2],
        times[times.len() / 1000 * 999],
        times.last()
    );
    println!(
        "stalls: {} writes, {:.2} s; {:?}",
        stats.write_stalls, stats.write_stall_seconds, stats.tables_per_level
    );
    db.flush().unwrap();
    let mut last = 0;
    wait_until("rest", || {
        std::thread::sleep(Duration::from_secs(2));
        std::mem::replace(&mut last, db.stats().unwrap().live_bytes) == last
    });
    let stats = db.stats().unwrap();
    let at_rest = stats.live_bytes + stats.dead_bytes;
    db.compact_lsm().unwrap();
    let compacted = db.stats().unwrap().live_bytes;
    println!("at rest {at_rest}, compacted {compacted}: {:.2}", at_rest as f64 / compacted as f64);
    assert!(at_rest as f64 <= 1.3 * compacted as f64);
}
