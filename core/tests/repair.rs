//! Check and repair: every kind of file damaged in many ways; what was whole is kept, nothing is invented.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{FOLDER, Random, entries, names, open, open_still, path_of, small_config, wait_until};
use lightning_db::vfs::{Keep, Leaves, MemoryVfs, Vfs};
use lightning_db::{
    CheckReport, ConsistencyLevel, ConsistencyManager, Database, ErrorKind, Finding, LightningDbConfig,
    Result, WriteBatch,
};

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

fn manager() -> ConsistencyManager {
    ConsistencyManager::with_config(small_config())
}

fn check(disk: &MemoryVfs) -> CheckReport {
    manager().check_on(Arc::new(disk.clone()), Path::new(FOLDER)).unwrap()
}

fn repair(disk: &MemoryVfs) -> Result<CheckReport> {
    manager().repair_on(Arc::new(disk.clone()), Path::new(FOLDER))
}

fn files(disk: &MemoryVfs) -> BTreeMap<String, Vec<u8>> {
    let files = names(disk, "").into_iter().filter(|name| name != "lost");
    files.map(|name| (name.clone(), disk.read_file(path_of(&name)).unwrap())).collect()
}

/// A database with everything in it, and all that was ever written.
struct Sample {
    disk: MemoryVfs,
    now: Entries,
    ever: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>,
    /// Keys of which the log has the newest version.
    logged: BTreeSet<Vec<u8>>,
}

impl Sample {
    /// Tables on two levels, one of them several pages high, and a log of batches of three keys.
    fn new(closed: bool) -> Sample {
        let disk = MemoryVfs::with_seed(3);
        let db = open_still(&disk, small_config()).unwrap();
        let (now, ever, logged) = Default::default();
        let mut sample = Sample { disk: disk.clone(), now, ever, logged };
        let mut random = Random(11);
        for round in 0..6u32 {
            for _ in 0..if round == 0 { 160 } else { 40 } {
                sample.write(&db, &mut random, round);
            }
            match round {
                0 => db.compact_lsm().unwrap(),
                5 => {}
                _ => db.flush().unwrap(),
            }
            if round < 5 {
                sample.logged.clear();
            }
        }
        db.put_with_consistency(b"end", b"strong", ConsistencyLevel::Strong).unwrap();
        db.put_with_consistency(b"end", b"last", ConsistencyLevel::Strong).unwrap();
        sample.now.insert(b"end".to_vec(), b"last".to_vec());
        sample.ever.insert(b"end".to_vec(), [b"strong".to_vec(), b"last".to_vec()].into());
        sample.logged.insert(b"end".to_vec());
        wait_until("flushed logs are removed", || names(&disk, ".log").len() == 1);
        if closed {
            db.close().unwrap();
        } else {
            sample.disk = disk.crash(Keep::All);
        }
        assert_eq!(names(&sample.disk, ".log").len(), 1);
        assert!(names(&sample.disk, ".table").len() >= 2);
        sample
    }

    fn write(&mut self, db: &Database, random: &mut Random, round: u32) {
        let mut batch = WriteBatch::new();
        let first = random.below(100) as u32;
        for part in 0..3u32 {
            let key = (first * 3 + part).to_be_bytes().to_vec();
            let value = format!("{round} {first} {}", random.next()).into_bytes();
            if random.below(8) == 0 {
                batch.delete(&key).unwrap();
                self.now.remove(&key);
            } else {
                batch.put(&key, &value).unwrap();
                self.ever.entry(key.clone()).or_default().insert(value.clone());
                self.now.insert(key.clone(), value);
            }
            self.logged.insert(key);
        }
        db.write_with(&batch, ConsistencyLevel::Quorum).unwrap();
    }

    /// After damage and repair: opens, is clean, has what was not reported lost, and nothing else.
    fn judge(&self, disk: &MemoryVfs, report: &CheckReport, what: &str) {
        let again = check(disk);
        assert!(again.is_ok(), "{what}: after the repair: {again}\nwhich said: {report}");
        let db = open(disk).unwrap_or_else(|error| panic!("{what}: {error}\n{report}"));
        let found: Entries = entries(&db).into_iter().collect();
        for (key, value) in &found {
            let known = self.ever.get(key).is_some_and(|values| values.contains(value));
            assert!(known, "{what}: invented {key:?} = {value:?}");
        }
        let lost = report.repair.as_ref().map_or(&[][..], |repair| &repair.lost);
        for key in self.ever.keys() {
            let concerned = lost.iter().any(|finding| match (&finding.first_key, &finding.last_key) {
                (None, None) if finding.file.extension().is_some_and(|kind| kind == "log") => {
                    self.logged.contains(key)
                }
                // The repair does not know whether a file is missing; this test does.
                (None, None) if finding.file == Path::new(FOLDER) => {
                    what.contains(".log removed") || what.contains(".table removed")
                }
                (None, None) => true,
                (first, last) => {
                    first.as_ref().is_none_or(|first| first <= key)
                        && last.as_ref().is_none_or(|last| key <= last)
                }
            });
            if !concerned {
                assert_eq!(found.get(key), self.now.get(key), "{what}: {key:?}\n{report}");
            }
        }
        db.put(b"more", b"").unwrap();
        db.close().unwrap();
        assert!(open(disk).unwrap().contains(b"more").unwrap());
    }
}

fn is_table_damage_told_well(report: &CheckReport, name: &str) -> bool {
    let named = |finding: &Finding| finding.file.file_name().is_some_and(|file| file == name);
    report.problems.iter().any(named)
}

#[test]
fn a_whole_database_is_clean_and_left_alone() {
    for closed in [true, false] {
        let Sample { disk, now, .. } = Sample::new(closed);
        let before = files(&disk);
        let (calls, seen) = (disk.calls(), Arc::new(AtomicU64::new(0)));
        let noted = Arc::clone(&seen);
        let manager = manager().on_progress(move |progress| {
            assert!(progress.done <= progress.total && progress.done >= noted.load(Ordering::Relaxed));
            noted.store(progress.done, Ordering::Relaxed);
        });
        let report = manager.check_on(Arc::new(disk.clone()), Path::new(FOLDER)).unwrap();
        assert!(report.is_ok(), "{report}");
        assert_eq!(seen.swap(0, Ordering::Relaxed), report.bytes);
        assert!(report.pages > 20 && report.records as usize >= now.len() && report.files >= 5, "{report}");
        let report = manager.repair_on(Arc::new(disk.clone()), Path::new(FOLDER)).unwrap();
        assert!(report.is_ok() && report.repair.is_none());
        assert_eq!(disk.calls(), calls, "nothing was changed");
        assert_eq!(files(&disk), before);
        let db = open(&disk).unwrap();
        let error = manager.check_on(Arc::new(disk.clone()), Path::new(FOLDER)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        drop(db);
    }
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let manager = ConsistencyManager::new();
    let kind = |path: &Path| manager.check_and_repair(path).unwrap_err().kind();
    assert_eq!(kind(&folder.path().join("absent")), ErrorKind::NotFound);
    assert_eq!(kind(folder.path()), ErrorKind::NotFound);
    std::fs::write(folder.path().join("notes.txt"), b"text").unwrap();
    assert_eq!(kind(folder.path()), ErrorKind::NotADatabase);
    let path = folder.path().join("db");
    Database::create(&path, LightningDbConfig::default()).unwrap().close().unwrap();
    assert!(manager.check_and_repair(&path).unwrap().is_ok());
}

/// One kind of damage to one file, told by words.
fn damage(disk: &MemoryVfs, name: &str, kind: u64, random: &mut Random) -> String {
    let path = path_of(name);
    let mut bytes = disk.read_file(&path).unwrap();
    let at = random.below(bytes.len().max(1) as u64) as usize;
    match kind {
        0 => {
            bytes[at] ^= 1 << random.below(8);
            disk.write_file(&path, &bytes).unwrap();
            format!("{name} flipped at {at} of {}", bytes.len())
        }
        1 => {
            disk.write_file(&path, &bytes[..at]).unwrap();
            format!("{name} cut to {at} of {}", bytes.len())
        }
        2 => {
            let end = bytes.len().min(at + 1 + random.below(2000) as usize);
            bytes[at..end].fill(0);
            disk.write_file(&path, &bytes).unwrap();
            format!("{name} zeroed from {at} to {end}")
        }
        3 => {
            let end = bytes.len().min(at + 1 + random.below(700) as usize);
            bytes[at..end].iter_mut().for_each(|byte| *byte = random.next() as u8);
            disk.write_file(&path, &bytes).unwrap();
            format!("{name} garbled from {at} to {end}")
        }
        _ => {
            disk.remove(&path).unwrap();
            format!("{name} removed")
        }
    }
}

#[test]
fn every_file_damaged_in_many_ways_is_salvaged() {
    let (mut damages, mut repairs) = (0, 0);
    for closed in [true, false] {
        let sample = Sample::new(closed);
        let mut random = Random(21);
        for name in files(&sample.disk).keys() {
            for round in 0..48 {
                let disk = sample.disk.crash(Keep::All);
                let what = damage(&disk, name, if round == 0 { 4 } else { round % 4 }, &mut random);
                let damaged = disk.read_file(path_of(name)).ok();
                let found = check(&disk);
                let report = repair(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(found.problems, report.problems, "{what}");
                damages += 1;
                if report.is_ok() {
                    // Zeros over zeros, or the unsynced end of the log: a torn tail.
                    let tail = name.ends_with(".log") && !closed;
                    let same = damaged.as_ref() == files(&sample.disk).get(name);
                    assert!(tail || same || name.ends_with(".manifest"), "{what}: not found");
                    let db = open(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
                    drop(db);
                    continue;
                }
                repairs += 1;
                assert!(
                    is_table_damage_told_well(&report, name) || !name.ends_with(".table"),
                    "{what}: {report}"
                );
                let aside = report.repair.as_ref().map_or(&[][..], |repair| &repair.set_aside);
                if let Some(bytes) = damaged {
                    let own = path_of(name);
                    let kept = aside.iter().chain([&own]);
                    let kept = kept.filter_map(|path| disk.read_file(path).ok()).any(|kept| kept == bytes);
                    assert!(kept, "{what}: the damaged file is gone");
                }
                sample.judge(&disk, &report, &what);
            }
        }
    }
    println!("{damages} damages, {repairs} repairs");
    assert!(repairs > 200);
}

/// Wherever it is cut: between two commits, too, what is gone is told.
#[test]
fn a_log_that_was_cut_is_salvaged() {
    let sample = Sample::new(true);
    let name = names(&sample.disk, ".log").remove(0);
    let bytes = sample.disk.read_file(path_of(&name)).unwrap();
    for len in (0..bytes.len()).step_by(7).chain(bytes.len() - 400..bytes.len()) {
        let disk = sample.disk.crash(Keep::All);
        disk.write_file(path_of(&name), &bytes[..len]).unwrap();
        let what = format!("{name} cut to {len} of {}", bytes.len());
        let report = repair(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(!report.is_ok(), "{what}");
        assert!(report.repair.as_ref().is_some_and(|repair| !repair.lost.is_empty()), "{what}: {report}");
        sample.judge(&disk, &report, &what);
    }
}

/// Damage to several files at once, `CURRENT` and the manifest among them.
#[test]
fn many_files_damaged_at_once_are_salvaged() {
    let sample = Sample::new(true);
    for seed in 0..60 {
        let mut random = Random(seed);
        let disk = sample.disk.crash(Keep::All);
        let mut what = format!("seed {seed}");
        for name in files(&disk).into_keys() {
            if random.below(2) == 0 {
                let kind = random.below(5);
                what = format!("{what}, {}", damage(&disk, &name, kind, &mut random));
            }
        }
        let report = match repair(&disk) {
            Ok(report) => report,
            // Every header may be gone: then nobody knows which database this is.
            Err(error) if error.kind() == ErrorKind::Corruption || error.kind() == ErrorKind::NotFound => {
                continue;
            }
            Err(error) => panic!("{what}: {error}"),
        };
        if !report.is_ok() {
            sample.judge(&disk, &report, &what);
        }
    }
}

/// A page in the middle of a table: all others are kept, and the keys of the lost one are named.
#[test]
fn one_lost_page_costs_its_own_records_only() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    let key = |i: u32| i.to_be_bytes();
    (0..2000).for_each(|i| db.put_with_consistency(key(i), [i as u8; 20], ConsistencyLevel::Quorum).unwrap());
    db.compact_lsm().unwrap();
    db.close().unwrap();
    let table = path_of(&names(&disk, ".table")[0]);
    let len = disk.read_file(&table).unwrap().len() as u64;
    let damaged = |at: u64| {
        let disk = disk.crash(Keep::All);
        disk.corrupt(&table, at, |byte| *byte ^= 1).unwrap();
        let report = repair(&disk).unwrap();
        (at, disk, report)
    };
    // An inner page, which may be in the middle, costs nothing.
    let costly = |(_, _, report): &(u64, MemoryVfs, CheckReport)| {
        report.repair.as_ref().is_some_and(|repair| !repair.lost.is_empty())
    };
    let (at, disk, report) =
        (len / 2..).step_by(200).take(5).map(damaged).find(costly).expect("a damaged leaf");
    let lost = &report.repair.as_ref().unwrap().lost;
    let page = lost.iter().find(|finding| finding.offset.is_some()).expect("the page");
    let number = |key: &Option<Vec<u8>>| u32::from_be_bytes(key.as_deref().unwrap().try_into().unwrap());
    let (first, last) = (number(&page.first_key), number(&page.last_key));
    assert!(page.offset.unwrap() <= at && last - first < 200, "{report}");
    let total = lost.iter().find_map(|finding| finding.records).expect("how many");
    let db = open(&disk).unwrap();
    let kept: Vec<_> = entries(&db).into_iter().map(|(key, _)| number(&Some(key))).collect();
    assert_eq!(kept.len() as u64 + total, 2000, "{report}");
    assert!((0..2000).all(|i| kept.binary_search(&i).is_ok() != (first + 1..last).contains(&i)), "{report}");
}

/// Inner pages, footer and properties hold no record.
#[test]
fn a_table_without_its_tree_loses_nothing() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    (0..3000u32)
        .for_each(|i| db.put_with_consistency(i.to_be_bytes(), [7; 30], ConsistencyLevel::Quorum).unwrap());
    db.compact_lsm().unwrap();
    let expected = entries(&db);
    db.close().unwrap();
    let table = path_of(&names(&disk, ".table")[0]);
    let len = disk.read_file(&table).unwrap().len();
    let mut cases = 0;
    for at in [8, 20, 60].into_iter().chain((len - 700..len).step_by(13)) {
        let disk = disk.crash(Keep::All);
        disk.corrupt(&table, at as u64, |byte| *byte ^= 0x10).unwrap();
        let report = repair(&disk).unwrap();
        assert!(!report.is_ok());
        let lost = &report.repair.as_ref().unwrap().lost;
        if lost.is_empty() {
            cases += 1;
            assert_eq!(entries(&open(&disk).unwrap()), expected, "at {at}: {report}");
        }
    }
    assert!(cases > 20, "{cases}");
}

/// Each commit of a damaged log is there whole or not at all, those behind the damage too, and the gap is told.
#[test]
fn commits_behind_damage_are_kept_whole_and_the_gap_is_counted() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    for i in 0..100u32 {
        let mut batch = WriteBatch::new();
        for part in 0..3u8 {
            batch.put([&i.to_be_bytes()[..], &[part]].concat(), [i as u8; 40]).unwrap();
        }
        db.write_with(&batch, ConsistencyLevel::Strong).unwrap();
    }
    db.close().unwrap();
    let log = path_of(&names(&disk, ".log")[0]);
    let len = disk.read_file(&log).unwrap().len() as u64;
    for at in (64..len).step_by(97) {
        let disk = disk.crash(Keep::All);
        disk.corrupt(&log, at, |byte| *byte ^= 4).unwrap();
        let report = repair(&disk).unwrap();
        let lost = &report.repair.as_ref().expect("a repair").lost;
        let db = open(&disk).unwrap();
        let mut commits: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        entries(&db).into_iter().for_each(|(key, _)| *commits.entry(key[..4].to_vec()).or_default() += 1);
        assert!(commits.values().all(|parts| *parts == 3), "at {at}: a torn commit\n{report}");
        assert!(commits.len() >= 99, "at {at}: {} commits\n{report}", commits.len());
        let counted: u64 = lost.iter().filter_map(|finding| finding.records).sum();
        if commits.len() == 99 && commits.contains_key(&99u32.to_be_bytes()[..]) {
            assert_eq!(counted, 3, "at {at}: {report}");
        } else {
            assert!(commits.len() == 100 || !lost.is_empty(), "at {at}: {report}");
        }
    }
}

/// The keys whose values differ, told briefly; empty if none do.
fn differing(found: &[(Vec<u8>, Vec<u8>)], expected: &[(Vec<u8>, Vec<u8>)]) -> String {
    let [found, expected] = [found, expected].map(|entries| entries.iter().collect::<BTreeSet<_>>());
    let keys: BTreeSet<_> = found.symmetric_difference(&expected).map(|(key, _)| key).collect();
    match keys.len() {
        0 => String::new(),
        count => format!("{count} keys differ, first {:02x?}", keys.iter().take(3).collect::<Vec<_>>()),
    }
}

/// A repair cut at every call, by a kill and by a power cut, and run again gives what an uncut one gives.
#[test]
fn a_repair_cut_at_every_call_is_run_again() {
    let sample = Sample::new(true);
    let mut points = 0;
    for (ending, kind) in
        [(".table", 0), (".log", 0), (".manifest", 0), ("CURRENT", 0), ("CURRENT", 4), (".manifest", 1)]
    {
        let damaged = sample.disk.crash(Keep::All);
        let name = names(&damaged, ending).remove(0);
        let what = damage(&damaged, &name, kind, &mut Random(5));
        let bytes = damaged.read_file(path_of(&name)).ok();
        let uncut = damaged.crash(Keep::All);
        let report = repair(&uncut).unwrap();
        assert!(report.repair.is_some(), "{what}: {report}");
        let expected = entries(&open(&uncut).unwrap());
        for call in 0.. {
            let mut done = false;
            for keep in [Keep::All, Keep::Durable] {
                let disk = damaged.crash(Keep::All);
                disk.cut_at(call);
                done = repair(&disk).is_ok() && disk.calls() <= call;
                if done {
                    break;
                }
                points += 1;
                // What the cut left may be damaged too before the repair is run again.
                let worse = disk.crash(keep);
                let flipped = worse.corrupt(path_of("CURRENT"), 20, |byte| *byte ^= 1).is_ok();
                if flipped && !name.ends_with("CURRENT") {
                    repair(&worse).unwrap_or_else(|error| panic!("{what}, cut at {call}, CURRENT: {error}"));
                    let differing = differing(&entries(&open(&worse).unwrap()), &expected);
                    assert!(differing.is_empty(), "{what}, cut at {call}, {keep:?}, CURRENT: {differing}");
                }
                let disk = disk.crash(keep);
                let again =
                    repair(&disk).unwrap_or_else(|error| panic!("{what}, cut at {call}, {keep:?}: {error}"));
                assert!(check(&disk).is_ok(), "{what}, cut at {call}, {keep:?}: {again}");
                let db =
                    open(&disk).unwrap_or_else(|error| panic!("{what}, cut at {call}, {keep:?}: {error}"));
                let differing = differing(&entries(&db), &expected);
                assert!(differing.is_empty(), "{what}, cut at {call}, {keep:?}: {differing}\n{again}");
                drop(db);
                if let Some(bytes) = &bytes {
                    let lost = disk.list(&path_of("lost")).unwrap_or_default();
                    let kept = |name: &String| {
                        disk.read_file(path_of("lost").join(name)).is_ok_and(|kept| kept == *bytes)
                    };
                    assert!(
                        lost.iter().any(kept),
                        "{what}, cut at {call}, {keep:?}: the damaged file is gone"
                    );
                }
            }
            if done {
                break;
            }
        }
    }
    println!("{points} disks");
    assert!(points > 100);
}

#[test]
fn a_folder_in_which_a_repair_was_cut_is_not_opened() {
    let sample = Sample::new(true);
    let table = path_of(&names(&sample.disk, ".table")[0]);
    sample.disk.corrupt(&table, 100, |byte| *byte ^= 1).unwrap();
    let calls = sample.disk.calls();
    sample.disk.cut_at(calls + 6);
    repair(&sample.disk).unwrap_err();
    let disk = sample.disk.crash(Keep::All);
    let error = open(&disk).unwrap_err();
    assert!(error.to_string().contains("repair"), "{error}");
    assert!(!check(&disk).is_ok());
    assert!(repair(&disk).unwrap().repair.is_some());
    open(&disk).unwrap();
}

/// A repair that fails before it has put anything in force, for want of room or of a folder `lost`, leaves a database that
/// could be opened as it was.
#[test]
fn a_repair_that_fails_leaves_the_database_to_be_opened() {
    let sample = Sample::new(true);
    let table = path_of(&names(&sample.disk, ".table")[0]);
    sample.disk.corrupt(&table, 100, |byte| *byte ^= 1).unwrap();
    let before = files(&sample.disk);
    let opens_as_before = |disk: &MemoryVfs, what: &str| {
        assert_eq!(files(disk), before, "{what}");
        open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    };
    let used: u64 = before.values().map(|bytes| bytes.len() as u64).sum();
    let mut failed = 0;
    for room in (0..used).step_by(97) {
        let disk = sample.disk.crash(Keep::All);
        disk.set_space(Some(used + room));
        let Err(error) = repair(&disk) else { break };
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
        disk.set_space(None);
        // The last steps put the repair in force: it is ended by the next one.
        if disk.read_file(path_of("REPAIRING")).is_ok() {
            assert!(repair(&disk).unwrap().repair.is_some(), "{room} bytes of room");
            open(&disk).unwrap();
            continue;
        }
        failed += 1;
        opens_as_before(&disk, &format!("{room} bytes of room"));
    }
    assert!(failed > 3, "{failed}");

    let disk = sample.disk.crash(Keep::All);
    disk.write_file(path_of("lost"), b"a file").unwrap();
    let error = repair(&disk).unwrap_err();
    assert!(error.to_string().contains("lost"), "{error}");
    opens_as_before(&disk, "a file called lost");
}

/// A file of somebody else, laid beside a database that has lost its `CURRENT`, does not make it one that cannot be repaired.
#[test]
fn a_stranger_beside_a_database_without_current_does_not_keep_it_from_being_repaired() {
    let sample = Sample::new(true);
    sample.disk.remove(&path_of("CURRENT")).unwrap();
    sample.disk.write_file(path_of("notes.txt"), b"text").unwrap();
    let error = open(&sample.disk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    let report = repair(&sample.disk).unwrap();
    sample.judge(&sample.disk.crash(Keep::All), &report, "CURRENT missing, and a note");
    assert_eq!(sample.disk.read_file(path_of("notes.txt")).unwrap(), b"text");
}

/// Of a log whose end nobody had recorded, and in which nothing verifies, nobody can say what it held.
#[test]
fn a_log_of_which_nothing_is_left_is_told_to_have_lost_its_commits() {
    let sample = Sample::new(false);
    let name = names(&sample.disk, ".log").remove(0);
    let bytes = sample.disk.read_file(path_of(&name)).unwrap();
    for left in [&[][..], &bytes[..1], &bytes[..63], &vec![0; bytes.len()]] {
        let disk = sample.disk.crash(Keep::All);
        disk.write_file(path_of(&name), left).unwrap();
        let report = repair(&disk).unwrap();
        let lost = &report.repair.as_ref().unwrap().lost;
        assert!(lost.iter().any(|finding| finding.file == path_of(&name)), "{} bytes: {report}", left.len());
        sample.judge(&disk, &report, &format!("{name} of {} bytes", left.len()));
    }
}

/// A marker that cannot be looked at is no marker that is missing: who is told that the folder is no database goes elsewhere.
#[test]
fn a_cut_repair_that_cannot_be_read_is_an_error_of_the_disk() {
    let sample = Sample::new(false);
    let table = path_of(&names(&sample.disk, ".table")[0]);
    sample.disk.corrupt(&table, 100, |byte| *byte ^= 1).unwrap();
    let cut = (sample.disk.calls()..).find_map(|call| {
        let disk = sample.disk.crash(Keep::All);
        disk.fail_from(disk.calls() + call - sample.disk.calls(), 5, Leaves::Nothing);
        repair(&disk).unwrap_err();
        let cut = disk.crash(Keep::All);
        cut.read_file(path_of("REPAIRING")).is_ok().then_some(cut)
    });
    let cut = cut.unwrap();
    let mut failed = 0;
    for read in 0.. {
        let disk = cut.crash(Keep::All);
        let first = disk.reads();
        disk.fail_read(first + read, 5);
        match repair(&disk) {
            Ok(_) if disk.reads() <= first + read => break,
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::Io, "read {read}: {error}"),
        }
        failed += 1;
    }
    assert!(failed > 10, "{failed}");
}

/// A repair that was cut before its marker was whole, and found nothing wrong when it was run again, is over: also behind a power cut.
#[test]
fn a_marker_that_a_repair_takes_away_does_not_come_back() {
    let sample = Sample::new(true);
    for len in [0, 5, 12] {
        let disk = sample.disk.crash(Keep::All);
        disk.write_file(path_of("REPAIRING"), vec![7; len]).unwrap();
        assert_eq!(open(&disk).unwrap_err().kind(), ErrorKind::NotADatabase);
        assert!(repair(&disk).unwrap().is_ok());
        open(&disk.crash(Keep::Durable)).unwrap();
    }
}
