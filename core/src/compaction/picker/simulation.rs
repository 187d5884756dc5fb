//! The picker over many workloads, with sets of numbers for tables: no disk.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::base::comparator::KeyOrder;
use crate::base::ids::{FileNumber, KeyspaceId, SequenceNumber};
use crate::btree::Kept;

/// Bytes of a record.
const RECORD: u64 = 100;
/// Records of a memtable, and of a table.
const MEMTABLE: usize = 200;
const TABLE: usize = 100;

const LIMITS: Limits = Limits {
    level0_trigger: 4,
    smallest_level: MEMTABLE as u64 * RECORD / 16,
    table_bytes: TABLE as u64 * RECORD,
};

/// Key and reversed sequence number, to whether it is a put.
type Records = BTreeMap<(u32, std::cmp::Reverse<SequenceNumber>), bool>;

struct Lsm {
    levels: Vec<Vec<(Arc<TableMeta>, Records)>>,
    memtable: Records,
    held: Vec<SequenceNumber>,
    sequence: SequenceNumber,
    next: FileNumber,
    put: u64,
    written: u64,
    claims: Vec<Claim>,
    largest_job: u64,
}

impl Lsm {
    fn new() -> Self {
        Lsm {
            levels: vec![Vec::new(); LEVELS],
            memtable: Records::new(),
            held: Vec::new(),
            sequence: 0,
            next: 1,
            put: 0,
            written: 0,
            claims: Vec::new(),
            largest_job: 0,
        }
    }

    fn shape(&self) -> LevelShape<'_> {
        let metas =
            |tables: &Vec<(Arc<TableMeta>, _)>| tables.iter().map(|table| Arc::clone(&table.0)).collect();
        LevelShape {
            order: &KeyOrder::Bytewise,
            levels: self.levels.iter().map(metas).collect(),
            held: &self.held,
            claims: self.claims.clone(),
            limits: LIMITS,
            one_codec: true,
        }
    }

    /// As `Retention`, less the look-ahead.
    fn retain(&self, records: Records, bottom: bool) -> Records {
        let mut kept = Records::new();
        let mut last = None;
        for ((key, sequence), put) in records {
            let boundary = self.held.partition_point(|&held| held < sequence.0);
            if last == Some((key, boundary)) {
                continue;
            }
            last = Some((key, boundary));
            if bottom && boundary == 0 && !put {
                continue;
            }
            let sequence = if bottom && boundary == 0 { 0 } else { sequence.0 };
            kept.insert((key, std::cmp::Reverse(sequence)), put);
        }
        kept
    }

    fn table(&mut self, records: Records) -> (Arc<TableMeta>, Records) {
        let keys: BTreeSet<_> = records.keys().map(|(key, _)| *key).collect();
        let kept = (records.len() - keys.len()) as u64;
        let sequences = || records.keys().map(|(_, sequence)| sequence.0);
        let (smallest, largest) = (sequences().min().unwrap(), sequences().max().unwrap());
        let held = self.held.partition_point(|&held| held < largest) as u64;
        let snapshots = if kept > 0 { held } else { 0 };
        self.written += records.len() as u64 * RECORD;
        self.next += 1;
        let meta = TableMeta {
            number: self.next,
            keyspace: KeyspaceId::DEFAULT,
            size: records.len() as u64 * RECORD,
            entries: records.len() as u64,
            tombstones: records.values().filter(|put| !**put).count() as u64,
            smallest_sequence: smallest,
            largest_sequence: largest,
            smallest_key: keys.first().unwrap().to_be_bytes().to_vec(),
            largest_key: keys.last().unwrap().to_be_bytes().to_vec(),
            kept: Kept { records: kept, bytes: kept * RECORD, snapshots },
            committed_at: None,
        };
        (Arc::new(meta), records)
    }

    fn write(&mut self, key: u32, put: bool) {
        self.sequence += 1;
        self.put += RECORD;
        self.memtable.insert((key, std::cmp::Reverse(self.sequence)), put);
        if self.memtable.len() >= MEMTABLE {
            self.flush();
            // The background keeps up.
            while let Some(pick) = pick(&self.shape()) {
                self.run(&pick.job);
            }
        }
    }

    fn flush(&mut self) {
        let records = std::mem::take(&mut self.memtable);
        let records = self.retain(records, false);
        if !records.is_empty() {
            let table = self.table(records);
            self.levels[0].insert(0, table);
        }
    }

    fn run(&mut self, job: &Job) {
        let mut records = Records::new();
        let mut moved = Vec::new();
        for (level, tables) in self.levels.iter_mut().enumerate() {
            let (inputs, rest): (Vec<_>, Vec<_>) =
                tables.drain(..).partition(|(meta, _)| job.inputs.contains(&(level, meta.number)));
            *tables = rest;
            moved.extend(inputs.iter().cloned());
            records.extend(inputs.into_iter().flat_map(|(_, records)| records));
        }
        assert_eq!(moved.len(), job.inputs.len(), "an input is missing: {job:?}");
        let made = match job.moves {
            true => moved,
            false => self.merge(records, job.bottom),
        };
        let level = &mut self.levels[job.output_level];
        level.extend(made);
        level.sort_by(|a, b| a.0.smallest_key.cmp(&b.0.smallest_key));
        let apart = |pair: &[(Arc<TableMeta>, Records)]| pair[0].0.largest_key < pair[1].0.smallest_key;
        assert!(level.windows(2).all(apart), "level {} overlaps behind {job:?}", job.output_level);
    }

    fn merge(&mut self, records: Records, bottom: bool) -> Vec<(Arc<TableMeta>, Records)> {
        self.largest_job = self.largest_job.max(records.len() as u64 * RECORD);
        let mut made = Vec::new();
        let mut open = Records::new();
        for (at, put) in self.retain(records, bottom) {
            if open.len() >= TABLE && open.last_key_value().is_some_and(|(last, _)| last.0 != at.0) {
                made.push(std::mem::take(&mut open));
            }
            open.insert(at, put);
        }
        made.extend((!open.is_empty()).then_some(open));
        made.into_iter().map(|records| self.table(records)).collect()
    }

    /// Flushes, and works off all that is due at rest. The number of jobs.
    fn rest(&mut self) -> usize {
        self.flush();
        for jobs in 0.. {
            let shape = self.shape();
            let Some(next) = pick(&shape).or_else(|| pick_at_rest(&shape)) else { return jobs };
            self.run(&next.job);
            self.check_order();
            assert!(jobs < 10_000, "never at rest: {:?}", next.job);
        }
        unreachable!()
    }

    /// Of two versions of a key the one that is found first is the newer one.
    fn check_order(&self) {
        let mut seen: BTreeMap<u32, SequenceNumber> = BTreeMap::new();
        for (_, records) in self.levels.iter().flatten() {
            for (key, sequence) in records.keys() {
                let newest = seen.entry(*key).or_insert(SequenceNumber::MAX);
                assert!(sequence.0 < *newest, "key {key} has {} under {newest}", sequence.0);
                *newest = sequence.0;
            }
        }
    }

    fn bytes(&self) -> u64 {
        self.levels.iter().flatten().map(|(meta, _)| meta.size).sum()
    }
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Live keys of a workload against the bytes at rest, and what was written for each byte put.
fn check(name: &str, allowed_writes: f64, work: impl FnOnce(&mut dyn FnMut(u32, bool))) {
    let mut lsm = Lsm::new();
    let mut live = BTreeSet::new();
    work(&mut |key, put| {
        lsm.write(key, put);
        if put {
            live.insert(key)
        } else {
            live.remove(&key)
        };
    });
    let jobs = lsm.rest();
    let live = live.len() as u64 * RECORD;
    let (space, writes) = (lsm.bytes() as f64 / live.max(1) as f64, lsm.written as f64 / lsm.put as f64);
    println!("{name}: space {space:.2}, written {writes:.1} times, {jobs} jobs at rest, live {live}");
    assert!(lsm.bytes() as f64 <= 1.3 * live as f64, "{name}: {space} times the live data");
    assert!(writes < allowed_writes, "{name}: {writes} bytes written for each one put");
    assert_eq!(lsm.rest(), 0, "{name}: at rest it stays at rest");
}

#[test]
fn space_and_writes_are_bounded_under_many_workloads() {
    for keys in [1, 10, 150, 1_000, 10_000] {
        let mut state = u64::from(keys);
        check(&format!("10 overwrites of {keys} keys"), 22.0, |write| {
            (0..keys).for_each(|key| write(key, true));
            (0..10 * keys).for_each(|_| write(next(&mut state) as u32 % keys, true));
        });
        check(&format!("{keys} keys deleted"), 22.0, |write| {
            (0..keys).for_each(|key| write(key, true));
            (0..keys).for_each(|key| write(key.wrapping_mul(7919) % keys, false));
            (0..keys).for_each(|key| write(key, false));
        });
        check(&format!("a small range of {keys} keys"), 22.0, |write| {
            (0..keys).for_each(|key| write(key, true));
            (0..5 * keys).for_each(|_| write(next(&mut state) as u32 % keys.div_ceil(100), true));
        });
        check(&format!("half of {keys} keys deleted and put"), 22.0, |write| {
            (0..6 * keys)
                .for_each(|_| write(next(&mut state) as u32 % keys, next(&mut state).is_multiple_of(2)));
        });
    }
    check("rising keys", 3.0, |write| (0..15_000).for_each(|key| write(key, true)));
    check("falling keys", 3.0, |write| (0..15_000).rev().for_each(|key| write(key, true)));
    check("a queue", 6.0, |write| {
        for key in 0..15_000u32 {
            write(key, true);
            if let Some(old) = key.checked_sub(3_000) {
                write(old, false);
            }
        }
    });
}

#[test]
fn what_a_snapshot_pinned_is_reclaimed_behind_it() {
    let mut lsm = Lsm::new();
    for key in 0..3_000 {
        lsm.write(key, true);
    }
    lsm.held = vec![lsm.sequence];
    for round in 0..3 {
        (0..3_000).for_each(|key| lsm.write(key, round < 2 || key % 2 == 0));
        if round == 0 {
            lsm.held.push(lsm.sequence);
        }
    }
    lsm.rest();
    let (pinned, bytes) = (lsm.shape().space().pinned, lsm.bytes());
    assert!(bytes >= 750_000, "the snapshots see 600,000 bytes: {bytes}");
    assert!((300_000..=bytes).contains(&pinned), "{pinned} of {bytes}");
    lsm.held.remove(0);
    lsm.rest();
    assert!(lsm.bytes() <= 690_000, "one snapshot less: {}", lsm.bytes());
    lsm.held.clear();
    assert!(lsm.rest() > 0);
    assert!(lsm.bytes() as f64 <= 1.3 * 150_000.0, "{}", lsm.bytes());
    assert_eq!(lsm.shape().space().pinned, 0);
}

/// Many jobs at once, ended in random order.
#[test]
fn concurrent_jobs_keep_the_levels_sound() {
    let (mut state, mut most) = (1, 0);
    for seed in 0..2 {
        state += seed;
        let mut lsm = Lsm::new();
        (0..20_000).for_each(|key| lsm.write(key, true));
        let mut running: Vec<Job> = Vec::new();
        let mut ended_jobs = 0;
        for step in 0..12_000u32 {
            lsm.sequence += 1;
            // One part of the keys after the other.
            let key = step / 1_200 % 5 * 4_000 + next(&mut state) as u32 % 4_000;
            lsm.memtable.insert((key, std::cmp::Reverse(lsm.sequence)), !next(&mut state).is_multiple_of(5));
            if lsm.memtable.len() >= MEMTABLE {
                lsm.flush();
            }
            if step % 50 == 0 {
                while running.len() < 4
                    && let Some(pick) = pick(&lsm.shape())
                {
                    lsm.claims.push(pick.job.claim.clone());
                    running.push(pick.job);
                }
                most = most.max(running.len());
                if !running.is_empty() && next(&mut state).is_multiple_of(4) {
                    let ended = next(&mut state) as usize % running.len();
                    lsm.claims.remove(ended);
                    let job = running.remove(ended);
                    lsm.run(&job);
                    ended_jobs += 1;
                    if ended_jobs % 8 == 0 {
                        lsm.check_order();
                    }
                }
            }
        }
        lsm.check_order();
    }
    assert!(most >= 2, "never two at once");
}
