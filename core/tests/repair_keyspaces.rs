//! Check and repair of a database with several keyspaces, each with an order of its own, and of ingested tables.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use common::{FOLDER, Random, entries, names, open, open_still, open_with, path_of, small_config};
use lightning_db::vfs::{Keep, MemoryVfs, Vfs};
use lightning_db::{
    CheckReport, Comparator, ConsistencyLevel, ConsistencyManager, Database, ErrorKind, Finding, Keyspace,
    KeyspaceOptions, LightningDbConfig, NativeOrder, WriteBatch,
};

/// By the last byte, then the others.
struct ByLastByte;

impl Comparator for ByLastByte {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.last().cmp(&b.last()).then_with(|| a.cmp(b))
    }
    fn name(&self) -> &str {
        "by last byte"
    }
}

/// By id.
const NAMES: [&str; 4] = ["default", "numbers", "back", "own"];

fn options(id: usize) -> KeyspaceOptions {
    let comparator: Option<Box<dyn Comparator>> = match id {
        1 => Some(Box::new(NativeOrder::Decimal)),
        2 => Some(Box::new(NativeOrder::ReverseBytewise)),
        3 => Some(Box::new(ByLastByte)),
        _ => None,
    };
    KeyspaceOptions { comparator, page_size: (id == 2).then_some(1024), ..Default::default() }
}

fn compare(id: usize, a: &[u8], b: &[u8]) -> Ordering {
    let number = |key: &[u8]| std::str::from_utf8(key).unwrap().parse::<u64>().unwrap();
    match id {
        1 => number(a).cmp(&number(b)),
        2 => b.cmp(a),
        3 => ByLastByte.compare(a, b),
        _ => a.cmp(b),
    }
}

fn config() -> LightningDbConfig {
    LightningDbConfig { comparators: vec![Box::new(ByLastByte)], ..small_config() }
}

fn manager() -> ConsistencyManager {
    ConsistencyManager::with_config(config())
}

fn repair(disk: &MemoryVfs) -> CheckReport {
    manager().repair_on(Arc::new(disk.clone()), Path::new(FOLDER)).unwrap()
}

/// What is lost, without the sums over tables whose lost pages are named too.
fn lost(report: &CheckReport) -> Vec<&Finding> {
    let lost = report.repair.as_ref().map_or(&[][..], |repair| &repair.lost);
    let has_pages = |sum: &Finding| lost.iter().any(|page| page.file == sum.file && page.offset.is_some());
    lost.iter().filter(|finding| !(finding.what.contains("were kept") && has_pages(finding))).collect()
}

/// Keyspace and key.
type Place = (usize, Vec<u8>);

struct Sample {
    disk: MemoryVfs,
    now: BTreeMap<Place, Vec<u8>>,
    ever: BTreeMap<Place, BTreeSet<Vec<u8>>>,
    /// Of which the log has the newest version.
    logged: BTreeSet<Place>,
}

impl Sample {
    /// Tables by ingest, flush and compaction, an ingest between commits, a dropped keyspace, and a log.
    fn new() -> Sample {
        let disk = MemoryVfs::with_seed(5);
        let db = open_still(&disk, config()).unwrap();
        let spaces: Vec<_> = (1..NAMES.len()).map(|id| db.create_keyspace(NAMES[id], options(id))).collect();
        let gone = db.create_keyspace("gone", KeyspaceOptions::default()).unwrap();
        let mut all = vec![db.keyspace("default").unwrap()];
        all.extend(spaces.into_iter().map(Result::unwrap));
        let (now, ever, logged) = Default::default();
        let mut sample = Sample { disk: disk.clone(), now, ever, logged };
        let mut random = Random(9);
        for i in 0..50u32 {
            gone.put(i.to_be_bytes(), "dropped").unwrap();
        }
        for round in 0..5 {
            for (id, keyspace) in all.iter().enumerate() {
                sample.ingest(keyspace, id, round, &mut random);
                db.flush().unwrap();
                sample.logged.clear();
            }
            sample.write(&db, &all, round, &mut random);
            match round {
                0 => db.compact_lsm().unwrap(),
                2 => {
                    db.drop_keyspace("gone").unwrap();
                    db.compact_lsm().unwrap();
                }
                3 => db.flush().unwrap(),
                _ => {}
            }
        }
        db.close().unwrap();
        assert!(names(&disk, ".table").len() > 8 && sample.logged.len() > 20);
        sample
    }

    fn note(&mut self, place: Place, value: Vec<u8>) {
        self.ever.entry(place.clone()).or_default().insert(value.clone());
        self.now.insert(place, value);
    }

    fn ingest(&mut self, keyspace: &Keyspace, id: usize, round: u64, random: &mut Random) {
        let (first, stride) = (random.below(60), 1 + random.below(3));
        let mut keys: Vec<_> = (0..70).map(|i| (first + i * stride).to_string().into_bytes()).collect();
        keys.sort_by(|a, b| compare(id, a, b));
        let value = format!("ingested {id} {round} {}", random.next()).into_bytes();
        keyspace.ingest(keys.iter().map(|key| (key, &value))).unwrap();
        keys.into_iter().for_each(|key| self.note((id, key), value.clone()));
    }

    /// Batches that span the keyspaces.
    fn write(&mut self, db: &Database, all: &[Keyspace], round: u64, random: &mut Random) {
        for _ in 0..25 {
            let mut batch = WriteBatch::new();
            for (id, keyspace) in all.iter().enumerate() {
                let key = random.below(250).to_string().into_bytes();
                if random.below(6) == 0 {
                    batch.delete_in(keyspace, &key).unwrap();
                    self.now.remove(&(id, key.clone()));
                } else {
                    let value = format!("put {id} {round} {}", random.next()).into_bytes();
                    batch.put_in(keyspace, &key, &value).unwrap();
                    self.note((id, key.clone()), value);
                }
                self.logged.insert((id, key));
            }
            db.write_with(&batch, ConsistencyLevel::Quorum).unwrap();
        }
    }

    fn is_concerned(&self, finding: &Finding, named: &[String], place: &Place) -> bool {
        let (id, key) = place;
        if finding.keyspace.as_ref().is_some_and(|name| *name != named[*id]) {
            return false;
        }
        match (&finding.first_key, &finding.last_key) {
            // Names of keyspaces, and files that only a lost edit named: none is missing here.
            (None, None) if finding.file == Path::new(FOLDER) => false,
            (None, None) if finding.file.extension().is_some_and(|kind| kind == "log") => {
                self.logged.contains(place)
            }
            (first, last) => {
                first.as_ref().is_none_or(|first| compare(*id, first, key).is_le())
                    && last.as_ref().is_none_or(|last| compare(*id, key, last).is_le())
            }
        }
    }

    /// Opens, is clean, and has in each keyspace, in its order, what was not reported lost, and nothing else. Gives back
    /// how many keys differ from what they were.
    fn judge(&self, disk: &MemoryVfs, report: &CheckReport, what: &str) -> usize {
        let again = manager().check_on(Arc::new(disk.clone()), Path::new(FOLDER)).unwrap();
        assert!(again.is_ok(), "{what}: after the repair: {again}\nwhich said: {report}");
        let db = open_with(disk, config()).unwrap_or_else(|error| panic!("{what}: {error}\n{report}"));
        let listed = db.list_keyspaces().unwrap();
        let is_named = |id: &usize| listed.iter().any(|name| name == NAMES[*id]);
        let name = |id: usize| if is_named(&id) { NAMES[id].into() } else { format!("keyspace-{id}") };
        let named: Vec<String> = (0..NAMES.len()).map(name).collect();
        if !what.contains(".manifest") {
            let mut sorted = NAMES;
            sorted.sort_unstable();
            assert_eq!(listed, sorted, "{what}\n{report}");
        }
        let mut found = BTreeMap::new();
        for (id, name) in named.iter().enumerate() {
            // Without a name or a record nothing tells of a keyspace.
            let Ok(keyspace) = db.keyspace(name) else { continue };
            let entries: Vec<_> = keyspace.scan(None, None).unwrap().map(Result::unwrap).collect();
            let rises = entries.is_sorted_by(|(a, _), (b, _)| compare(id, a, b).is_lt());
            assert!(rises, "{what}: {name} is not in order");
            found.extend(entries.into_iter().map(|(key, value)| ((id, key), value)));
        }
        for (place, value) in &found {
            let known = self.ever.get(place).is_some_and(|values| values.contains(value));
            assert!(known, "{what}: invented {place:?} = {}", value.escape_ascii());
        }
        let lost = lost(report);
        let is_lost = |place: &&Place| lost.iter().any(|finding| self.is_concerned(finding, &named, place));
        let differs = |place: &&Place| found.get(*place) != self.now.get(*place);
        let differing: Vec<_> = self.ever.keys().filter(differs).collect();
        if let Some(place) = differing.iter().find(|place| !is_lost(place)) {
            panic!("{what}: {place:?} differs and is not reported\n{report}");
        }
        differing.len()
    }
}

fn damage(disk: &MemoryVfs, name: &str, kind: u64, random: &mut Random) -> String {
    let path = path_of(name);
    let mut bytes = disk.read_file(&path).unwrap();
    let at = random.below(bytes.len() as u64) as usize;
    match kind {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes.truncate(at),
        _ => {
            let end = bytes.len().min(at + 1 + random.below(900) as usize);
            bytes[at..end].fill(random.next() as u8);
        }
    }
    disk.write_file(&path, &bytes).unwrap();
    format!("{name}: kind {kind} at {at}")
}

#[test]
fn each_keyspace_is_salvaged_in_its_own_order_and_under_its_name() {
    let sample = Sample::new();
    let whole = manager().check_on(Arc::new(sample.disk.clone()), Path::new(FOLDER)).unwrap();
    assert!(whole.is_ok(), "{whole}");
    assert_eq!(sample.judge(&sample.disk.crash(Keep::All), &whole, "nothing"), 0);
    let mut random = Random(4);
    let mut repairs = 0;
    for name in names(&sample.disk, "") {
        for round in 0..if name.ends_with(".table") { 4 } else { 36 } {
            let disk = sample.disk.crash(Keep::All);
            let what = damage(&disk, &name, round % 3, &mut random);
            let report = repair(&disk);
            if report.is_ok() {
                continue;
            }
            repairs += 1;
            let differing = sample.judge(&disk, &report, &what) as u64;
            // A flipped bit damages one page: no more than its records.
            if name.ends_with(".table") && round % 3 == 0 {
                let all = report.repair.iter().flat_map(|repair| &repair.lost);
                let records: u64 = all.filter_map(|finding| finding.records).sum();
                assert!(differing <= records && records < 60, "{what}: {differing} keys\n{report}");
            }
        }
    }
    assert!(repairs > 150, "{repairs}");
}

#[test]
fn several_files_damaged_at_once_are_salvaged_in_all_keyspaces() {
    let sample = Sample::new();
    for seed in 0..60 {
        let mut random = Random(seed);
        let disk = sample.disk.crash(Keep::All);
        let mut what = format!("seed {seed}");
        for name in names(&disk, "") {
            if random.below(4) == 0 {
                what = format!("{what}, {}", damage(&disk, &name, random.below(3), &mut random));
            }
        }
        let report = repair(&disk);
        if !report.is_ok() {
            sample.judge(&disk, &report, &what);
        }
    }
}

#[test]
fn a_repair_needs_the_comparators_of_all_keyspaces() {
    let sample = Sample::new();
    let without = ConsistencyManager::with_config(small_config());
    let error = without.check_on(Arc::new(sample.disk.clone()), Path::new(FOLDER)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert!(error.to_string().contains("own") && error.to_string().contains("by last byte"), "{error}");
}

/// Its records have no sequence number in the file: the edit that says it may be read behind damage.
#[test]
fn an_ingested_table_keeps_its_place_if_its_edit_can_be_read() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    db.close().unwrap();
    let db = open_still(&disk, small_config()).unwrap();
    // Written by the flush that the end of the ingest asks for, to a file with a higher number.
    let mut ingest = db.begin_ingest().unwrap();
    for i in 100..200u32 {
        ingest.add(i.to_string(), "ingested").unwrap();
    }
    db.put("150", "older").unwrap();
    ingest.finish().unwrap();
    let expected = entries(&db);
    db.close().unwrap();
    assert_eq!(expected.len(), 100);
    let manifest = path_of(&names(&disk, ".manifest")[0]);
    disk.corrupt(&manifest, 45, |byte| *byte ^= 1).unwrap();
    let report = repair(&disk);
    assert!(!report.is_ok());
    assert_eq!(entries(&open(&disk).unwrap()), expected, "{report}");
}

/// Without an edit the numbers of the files give the place.
#[test]
fn an_ingested_table_without_a_manifest_is_newer_than_older_files() {
    let disk = MemoryVfs::default();
    let db = open_still(&disk, small_config()).unwrap();
    for (from, value) in [(0, "old"), (3, "ingested"), (6, "new")] {
        let entries: Vec<_> = (from..9 + from).map(|i| (format!("{i:02}"), value)).collect();
        if value == "ingested" {
            db.ingest(entries).unwrap();
        } else {
            db.put_batch(&entries).unwrap();
            db.flush().unwrap();
        }
    }
    let expected = entries(&db);
    db.close().unwrap();
    let tables = names(&disk, ".table").len();
    assert_eq!(tables, 3, "else this tests nothing");
    disk.remove(&path_of(&names(&disk, ".manifest")[0])).unwrap();
    let report = repair(&disk);
    assert!(lost(&report).iter().any(|finding| finding.what.contains("ingested")), "{report}");
    assert_eq!(entries(&open(&disk).unwrap()), expected, "{report}");
}
