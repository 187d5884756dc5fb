//! Several keyspaces against a model: random steps with orders, page sizes and codecs of their own, batches and
//! transactions across them, drops, names used again, and every kind of reopening.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use common::{Random, open_with, small_config};
use lightning_db::vfs::{Keep, MemoryVfs, Vfs};
use lightning_db::{
    BackupEngine, Comparator, ConsistencyLevel, Database, ErrorKind, Keyspace, KeyspaceOptions,
    LightningDbConfig, NativeOrder, ScanOptions, Snapshot, WriteBatch,
};

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// A keyspace of the model.
#[derive(Clone)]
struct Space {
    order: usize,
    entries: Entries,
}

/// A keyspace, a key, and its new value if it is to have one.
type Write = (String, Vec<u8>, Option<Vec<u8>>);

/// By name.
type Model = BTreeMap<String, Space>;

/// By the last byte.
struct ByLast;

impl Comparator for ByLast {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.last().cmp(&b.last())
    }
    fn name(&self) -> &str {
        "by the last byte"
    }
}

const ORDERS: usize = 6;

fn comparator(order: usize) -> Box<dyn Comparator> {
    match NativeOrder::ALL.get(order) {
        Some(native) => Box::new(*native),
        None => Box::new(ByLast),
    }
}

fn config() -> LightningDbConfig {
    LightningDbConfig { comparators: vec![Box::new(ByLast)], ..small_config() }
}

struct Run {
    random: Random,
    disk: MemoryVfs,
    db: Database,
    model: Model,
    snapshots: Vec<(Snapshot, Model)>,
    /// Handles of keyspaces that were dropped since the last opening.
    stale: Vec<Keyspace>,
    written: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let disk = MemoryVfs::with_seed(seed);
        let db = open_with(&disk, config()).unwrap();
        let default = Space { order: 0, entries: Entries::new() };
        let model = Model::from([("default".to_owned(), default)]);
        let random = Random(seed);
        Run { random, disk, db, model, snapshots: Vec::new(), stale: Vec::new(), written: 0 }
    }

    fn key(&mut self) -> Vec<u8> {
        match self.random.below(3) {
            0 => (self.random.below(300) as i64 - 150).to_string().into_bytes(),
            1 => {
                (0..self.random.below(4)).map(|_| [0, 1, 0x80, 0xff][self.random.below(4) as usize]).collect()
            }
            _ => format!("key{:03}", self.random.below(200)).into_bytes(),
        }
    }

    fn value(&mut self) -> Vec<u8> {
        self.written += 1;
        let len = self.random.below(400) as usize;
        self.written.to_le_bytes().into_iter().cycle().take(len).collect()
    }

    fn name(&mut self) -> String {
        let at = self.random.below(self.model.len() as u64) as usize;
        self.model.keys().nth(at).unwrap().clone()
    }

    fn handle(&self, name: &str) -> Keyspace {
        self.db.keyspace(name).unwrap()
    }

    fn create(&mut self) {
        let name = format!("keyspace {}", self.random.below(6));
        let order = self.random.below(ORDERS as u64) as usize;
        let options = KeyspaceOptions {
            comparator: Some(comparator(order)),
            page_size: Some(512 << self.random.below(4)),
            compression_type: Some(self.random.below(4) as u8),
            compression_level: Some(1 + self.random.below(3) as i32),
        };
        match self.db.create_keyspace(&name, options) {
            Ok(_) => {
                let space = Space { order, entries: Entries::new() };
                assert!(self.model.insert(name, space).is_none());
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::AlreadyExists);
                assert!(self.model.contains_key(&name));
            }
        }
    }

    fn drop_one(&mut self) {
        let name = self.name();
        if name != "default" {
            self.stale.push(self.handle(&name));
            self.db.drop_keyspace(&name).unwrap();
            self.model.remove(&name);
        }
    }

    /// Writes to one or more keyspaces, the same to the model.
    fn writes(&mut self, count: u64) -> Vec<Write> {
        (0..count)
            .map(|_| {
                let (name, key) = (self.name(), self.key());
                let value = (self.random.below(4) > 0).then(|| self.value());
                (name, key, value)
            })
            .collect()
    }

    fn apply(model: &mut Model, writes: &[Write]) {
        for (name, key, value) in writes {
            let entries = &mut model.get_mut(name).unwrap().entries;
            match value {
                Some(value) => entries.insert(key.clone(), value.clone()),
                None => entries.remove(key),
            };
        }
    }

    fn batch(&mut self) {
        let count = 1 + self.random.below(12);
        let writes = self.writes(count);
        let mut batch = WriteBatch::new();
        for (name, key, value) in &writes {
            let ks = self.handle(name);
            match value {
                Some(value) => batch.put_in(&ks, key, value).unwrap(),
                None => batch.delete_in(&ks, key).unwrap(),
            }
        }
        let level = ConsistencyLevel::NAMES[self.random.below(3) as usize].1;
        self.db.write_with(&batch, level).unwrap();
        Self::apply(&mut self.model, &writes);
    }

    fn put(&mut self) {
        let (name, key, value) = (self.name(), self.key(), self.value());
        let ks = self.handle(&name);
        ks.put_with_consistency(&key, &value, ConsistencyLevel::Quorum).unwrap();
        assert_eq!(ks.get(&key).unwrap().unwrap(), value);
        Self::apply(&mut self.model, &[(name, key, Some(value))]);
    }

    /// A transaction that reads and scans in some keyspaces and writes to others, while another commit may change what
    /// it has read.
    fn transaction(&mut self) {
        let tx = self.db.transaction().unwrap();
        let mut inner = self.model.clone();
        let count = 1 + self.random.below(6);
        let writes = self.writes(count);
        for (name, key, value) in &writes {
            let ks = self.handle(name);
            match value {
                Some(value) => tx.put_in(&ks, key, value).unwrap(),
                None => tx.delete_in(&ks, key).unwrap(),
            }
        }
        Self::apply(&mut inner, &writes);
        let (read_name, read_key) = (self.name(), self.key());
        let seen = tx.get_in(&self.handle(&read_name), &read_key).unwrap();
        assert_eq!(seen.as_deref(), inner[&read_name].entries.get(&read_key).map(|value| &value[..]));
        let own = writes.iter().any(|(name, key, _)| (name, key) == (&read_name, &read_key));
        let scanned = self.name();
        let all = tx.scan_with(ScanOptions::all().in_keyspace(&self.handle(&scanned))).unwrap();
        let all: Vec<_> = all.map(|entry| entry.unwrap()).collect();
        assert_eq!(all, sorted(&inner[&scanned]));
        let mut conflict = false;
        if self.random.below(2) == 0 {
            let (name, key, value) = (self.name(), self.key(), self.value());
            self.handle(&name).put(&key, &value).unwrap();
            conflict = name == scanned || (name == read_name && key == read_key && !own);
            Self::apply(&mut self.model, &[(name, key, Some(value))]);
        }
        match tx.commit() {
            Ok(()) => {
                assert!(!conflict);
                Self::apply(&mut self.model, &writes);
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Conflict);
                assert!(conflict);
            }
        }
    }

    fn scan(&mut self) {
        let name = self.name();
        let (mut a, mut b) = (self.key(), self.key());
        let space = &self.model[&name];
        let order = comparator(space.order);
        let by = |a: &[u8], b: &[u8]| order.compare(a, b).then_with(|| a.cmp(b));
        if by(&a, &b).is_gt() {
            std::mem::swap(&mut a, &mut b);
        }
        let mut expected = sorted(space);
        expected.retain(|(key, _)| by(key, &a).is_ge() && by(key, &b).is_lt());
        let ks = self.handle(&name);
        let found: Vec<_> =
            ks.scan(Some(a.clone()), Some(b.clone())).unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(found, expected);
        expected.reverse();
        let found: Vec<_> = ks.scan_reverse(Some(a), Some(b)).unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(found, expected);
    }

    fn take_snapshot(&mut self) {
        let snapshot = self.db.snapshot().unwrap();
        self.snapshots.push((snapshot, self.model.clone()));
        if self.snapshots.len() > 3 {
            self.snapshots.remove(0);
        }
    }

    /// A snapshot shows the keyspaces that are there still as they were; what was made later under the same name is
    /// empty in it.
    fn check_snapshots(&self) {
        for (snapshot, model) in &self.snapshots {
            for name in self.model.keys() {
                let ks = self.handle(name);
                let all = snapshot.scan_with(ScanOptions::all().in_keyspace(&ks)).unwrap();
                let all: Vec<_> = all.map(|entry| entry.unwrap()).collect();
                let then = model.get(name).filter(|_| !self.is_remade(name));
                assert!(then.is_none_or(|space| all == sorted(space)), "{name}");
                for (key, value) in all.iter().take(5) {
                    assert_eq!(snapshot.get_in(&ks, key).unwrap().unwrap(), *value);
                }
            }
        }
    }

    fn is_remade(&self, name: &str) -> bool {
        self.stale.iter().any(|ks| ks.name() == name)
    }

    fn check_all(&self) {
        let names: Vec<_> = self.model.keys().cloned().collect();
        let mut listed = self.db.list_keyspaces().unwrap();
        listed.sort();
        assert_eq!(listed, names);
        for (name, space) in &self.model {
            let ks = self.handle(name);
            let all: Vec<_> = ks.scan(None, None).unwrap().map(|entry| entry.unwrap()).collect();
            assert_eq!(all, sorted(space), "{name}");
            for (key, value) in space.entries.iter().step_by(7) {
                assert_eq!(ks.get(key).unwrap().unwrap(), *value);
            }
            assert_eq!(ks.get("never written").unwrap(), None);
        }
        for ks in &self.stale {
            assert_eq!(ks.get("k").unwrap_err().kind(), ErrorKind::NotFound);
        }
    }

    fn reopened(&mut self, disk: MemoryVfs) {
        self.snapshots.clear();
        self.stale.clear();
        self.db = open_with(&disk, config()).unwrap();
        self.disk = disk;
        self.check_all();
    }

    fn crash(&mut self, keep: Keep) {
        // One `Strong` write makes all before it durable.
        self.db.put("synced", "").unwrap();
        Self::apply(&mut self.model, &[("default".into(), b"synced".to_vec(), Some(Vec::new()))]);
        let disk = self.disk.crash(keep);
        self.reopened(disk);
    }

    /// A restored copy holds what the database holds.
    fn restore(&mut self) {
        self.written += 1;
        let [source, target] = ["backup", "restored"].map(|name| format!("/{name} {}", self.written));
        BackupEngine::new(&self.db).create_backup(&source).unwrap();
        let vfs: Arc<dyn Vfs> = Arc::new(self.disk.clone());
        let db = Database::restore_on(vfs, Path::new(&target), Path::new(&source), config()).unwrap();
        let own = std::mem::replace(&mut self.db, db);
        let (snapshots, stale) = (std::mem::take(&mut self.snapshots), std::mem::take(&mut self.stale));
        self.check_all();
        self.db.close().unwrap();
        (self.db, self.snapshots, self.stale) = (own, snapshots, stale);
    }

    fn step(&mut self) {
        match self.random.below(1000) {
            0..=19 => self.create(),
            20..=29 => self.drop_one(),
            30..=39 => self.db.flush().unwrap(),
            40..=43 => self.db.compact_lsm().unwrap(),
            44..=47 => {
                self.db.close().unwrap();
                self.reopened(self.disk.clone());
            }
            48..=50 => self.crash(Keep::All),
            51..=53 => self.crash(Keep::Durable),
            54..=56 => self.restore(),
            57..=66 => self.take_snapshot(),
            67..=76 => self.check_snapshots(),
            77..=84 => self.check_all(),
            85..=184 => self.scan(),
            185..=284 => self.transaction(),
            285..=584 => self.batch(),
            _ => self.put(),
        }
    }
}

fn sorted(space: &Space) -> Vec<(Vec<u8>, Vec<u8>)> {
    let order = comparator(space.order);
    let mut all: Vec<_> = space.entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    all.sort_by(|(a, _), (b, _)| order.compare(a, b).then_with(|| a.cmp(b)));
    all
}

#[test]
fn random_steps_in_several_keyspaces_match_the_model() {
    for seed in 1..=6 {
        println!("seed {seed}");
        let mut run = Run::new(seed);
        for _ in 0..2_000 {
            run.step();
        }
        run.check_snapshots();
        run.check_all();
        run.db.close().unwrap();
    }
}
