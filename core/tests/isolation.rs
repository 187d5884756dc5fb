//! Isolation: histories of many threads, also of processes that are killed, are judged; and so is the judge.
//!
//! The anomalies one by one, as every language runs them, stand in `bindings/conformance/isolation.json`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "isolation/history.rs"]
mod history;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::child::Child;
use common::{Random, open, small_config, wait_until};
use history::Op::{Append, Read};
use history::{Anomaly, Done, End, Op, anomalies};
use lightning_db::vfs::MemoryVfs;
use lightning_db::{ConsistencyLevel, Database, ErrorKind, Isolation, Result, Transaction};

const LEVELS: [Isolation; 2] = [Isolation::Serializable, Isolation::Snapshot];

/// A history of committed transactions, each of a session of its own.
fn committed(transactions: &[&[Op]]) -> Vec<Done> {
    let sessions = transactions.iter().zip(0..);
    sessions.map(|(ops, session)| Done { session, ops: ops.to_vec(), end: End::Committed }).collect()
}

#[track_caller]
fn convicts(history: &[Done], of: &[Anomaly]) {
    let found: Vec<_> = anomalies(history).into_keys().collect();
    assert_eq!(found, of);
}

#[test]
fn bad_histories_are_convicted_by_name() {
    let read = |key, list: &[u64]| Read(key, list.to_vec());
    let last = [read(1, &[1, 2]), read(2, &[3, 4])];
    convicts(&committed(&[&[Append(1, 1), Append(2, 3)], &[Append(1, 2), Append(2, 4)], &last]), &[]);
    let dirty = [Append(1, 1), Append(2, 4)];
    convicts(&committed(&[&dirty, &[Append(1, 2), Append(2, 3)], &last]), &[Anomaly::G0]);
    let circle = [Append(1, 1), read(2, &[2])];
    let ends = [read(1, &[1]), read(2, &[2])];
    convicts(&committed(&[&circle, &[Append(2, 2), read(1, &[1])], &ends]), &[Anomaly::G1c]);
    let skew = [read(1, &[]), read(2, &[2])];
    convicts(&committed(&[&skew, &[Append(1, 1), Append(2, 2)], &ends]), &[Anomaly::GSingle]);
    let lost_update = [read(1, &[]), Append(1, 1)];
    let both = [read(1, &[1, 2])];
    convicts(&committed(&[&lost_update, &[read(1, &[]), Append(1, 2)], &both]), &[Anomaly::GSingle]);
    let write_skew = [read(1, &[]), Append(2, 2)];
    convicts(&committed(&[&write_skew, &[read(2, &[]), Append(1, 1)], &ends]), &[Anomaly::G2]);
    let half = [read(1, &[1])];
    convicts(&committed(&[&[Append(1, 1), Append(1, 2)], &half, &both]), &[Anomaly::G1b, Anomaly::GSingle]);
    convicts(&committed(&[&[Append(1, 1)], &[read(1, &[])]]), &[Anomaly::Lost]);
    convicts(
        &committed(&[&[Append(1, 1)], &[Append(1, 2)], &both, &[read(1, &[2, 1])]]),
        &[Anomaly::Incompatible],
    );
    convicts(
        &committed(&[&[Append(1, 1)], &[read(1, &[1]), read(1, &[])]]),
        &[Anomaly::GSingle, Anomaly::Incompatible],
    );
    convicts(&committed(&[&[Append(1, 1), read(1, &[])], &half]), &[Anomaly::Incompatible]);
    convicts(&committed(&[&[Append(1, 1)], &[read(1, &[1, 9])]]), &[Anomaly::Incompatible]);
    let mut aborted = committed(&[&[Append(1, 1)], &half]);
    aborted[0].end = End::Aborted;
    convicts(&aborted, &[Anomaly::G1a]);
    aborted[0].end = End::Unknown;
    convicts(&aborted, &[]);
    // A session does not go back.
    let mut back = committed(&[&[Append(1, 1)], &half, &[read(1, &[])]]);
    back[2].session = back[1].session;
    convicts(&back, &[Anomaly::GSingle]);
}

/// The elements of a list, as they are stored.
fn elements(stored: &[u8]) -> Vec<u64> {
    stored.chunks_exact(8).map(|element| u64::from_le_bytes(element.try_into().unwrap())).collect()
}

fn read_list(tx: &Transaction, key: u64) -> Result<Vec<u64>> {
    Ok(tx.get(key.to_be_bytes())?.map_or(Vec::new(), |stored| elements(&stored)))
}

/// Lists that are in use at once; they give way to others, so that none gets long.
const LISTS: u64 = 5;

/// The plan of a random transaction over the lists that are in use now: what it reads and appends to.
fn plan(random: &mut Random, begun: u64, element: u64) -> Vec<Op> {
    let first = begun / 40 * LISTS;
    let plan = (0..=random.below(4)).map(|step| {
        let key = first + random.below(LISTS);
        if random.below(2) == 0 { Append(key, element + step) } else { Read(key, Vec::new()) }
    });
    plan.collect()
}

/// Does what is planned; what was read is filled in. Lists are read by get, and now and then by scan.
fn carry_out(tx: &Transaction, ops: &mut [Op], random: &mut Random) -> Result<()> {
    for op in ops {
        match op {
            Append(key, element) => {
                let mut list = read_list(tx, *key)?;
                list.push(*element);
                let stored: Vec<u8> = list.iter().flat_map(|element| element.to_le_bytes()).collect();
                tx.put(key.to_be_bytes(), stored)?;
            }
            Read(key, list) if random.below(3) == 0 => {
                let mut scan =
                    tx.scan(Some(key.to_be_bytes().to_vec()), Some((*key + 1).to_be_bytes().to_vec()))?;
                *list = scan.next().transpose()?.map_or(Vec::new(), |(_, stored)| elements(&stored));
            }
            Read(key, list) => *list = read_list(tx, *key)?,
        }
    }
    Ok(())
}

/// What sessions share.
#[derive(Default)]
struct Bench {
    begun: AtomicU64,
    /// Commits that were a conflict.
    refused: AtomicU64,
}

/// One session: `count` transactions, told to `note` before their commit, which may be the last that is heard of them,
/// and behind it.
fn session(
    db: &Database,
    bench: &Bench,
    (isolation, level): (Isolation, ConsistencyLevel),
    (session, count): (u64, u64),
    mut note: impl FnMut(u64, Done),
) {
    let mut random = Random(session);
    for nth in 0..count {
        let number = session << 32 | nth;
        let mut ops = plan(&mut random, bench.begun.fetch_add(1, Ordering::Relaxed), number << 3);
        let tx = db.transaction_with(isolation).unwrap();
        carry_out(&tx, &mut ops, &mut random).unwrap();
        std::thread::yield_now();
        let mut done = Done { session, ops, end: End::Unknown };
        note(number, done.clone());
        if random.below(20) == 0 {
            tx.abort();
            done.end = End::Aborted;
        } else {
            done.end = match tx.commit_with(level) {
                Ok(()) => End::Committed,
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    bench.refused.fetch_add(1, Ordering::Relaxed);
                    End::Aborted
                }
                Err(error) => panic!("{error}"),
            };
        }
        note(number, done);
    }
}

/// Reads every list, as the last transaction of a history.
fn read_all(db: &Database, session: u64) -> Done {
    let entries = db.scan(None, None).unwrap().map(Result::unwrap);
    let read = |(key, stored): (Vec<u8>, Vec<u8>)| {
        Read(u64::from_be_bytes(key.try_into().unwrap()), elements(&stored))
    };
    Done {
        session,
        ops: entries.map(|(key, value)| read((key.to_vec(), value.to_vec()))).collect(),
        end: End::Committed,
    }
}

/// The transactions of some threads, each as it ended, in the order of the sessions; and how many were refused.
fn run(db: &Database, isolation: Isolation, sessions: std::ops::Range<u64>, count: u64) -> (Vec<Done>, u64) {
    let (bench, history) = (Bench::default(), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        let threads: Vec<_> = sessions
            .map(|id| {
                let (bench, history) = (&bench, &history);
                let note = |number, done| drop(history.lock().unwrap().insert(number, done));
                let levels =
                    (isolation, [ConsistencyLevel::Eventual, ConsistencyLevel::Quorum][id as usize % 2]);
                scope.spawn(move || session(db, bench, levels, (id, count), note))
            })
            .collect();
        // Tables and snapshots move beside the sessions.
        while threads.iter().any(|thread| !thread.is_finished()) {
            db.flush().unwrap();
            db.compact_lsm().unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    (history.into_inner().unwrap().into_values().collect(), bench.refused.into_inner())
}

fn count_of(history: &[Done], end: End) -> usize {
    history.iter().filter(|done| done.end == end).count()
}

fn print(what: &str, isolation: Isolation, history: &[Done], found: &BTreeMap<Anomaly, usize>) {
    println!(
        "{what}, {isolation:?}: {} transactions, {} committed, {} aborted, {} unknown; {found:?}",
        history.len(),
        count_of(history, End::Committed),
        count_of(history, End::Aborted),
        count_of(history, End::Unknown),
    );
}

/// Snapshot isolation allows write skew, and the judge finds it; nothing else.
#[test]
fn threads_leave_a_history_that_their_level_allows() {
    let rounds = if std::env::var_os("LIGHTNING_DB_LONG").is_some() { 100 } else { 2 };
    let mut write_skews = 0;
    for isolation in LEVELS {
        let mut transactions = 0;
        for round in 0..rounds {
            let db = open(&MemoryVfs::with_seed(round)).unwrap();
            let (mut history, refused) = run(&db, isolation, round * 8..round * 8 + 4, 500);
            history.push(read_all(&db, u64::MAX));
            let mut found = anomalies(&history);
            print(&format!("threads, sessions from {}", round * 8), isolation, &history, &found);
            transactions += history.len();
            if isolation == Isolation::Snapshot {
                write_skews += u32::from(found.remove(&Anomaly::G2).is_some());
            }
            assert_eq!(found, BTreeMap::new(), "{isolation:?}");
            assert!(refused > 10, "the sessions do not meet: {refused}");
        }
        println!("threads, {isolation:?}: {transactions} transactions judged, 0 bad");
    }
    assert!(write_skews > 0, "write skew at snapshot isolation was not found");
}

/// What a child process prints of a transaction, and reads back.
fn line_of(number: u64, done: &Done) -> String {
    let ops = done.ops.iter().map(|op| match op {
        Append(key, element) => format!("a {key} {element}"),
        Read(key, list) => list.iter().fold(format!("r {key}"), |line, element| format!("{line} {element}")),
    });
    let end = ["committed", "aborted", "unknown"][done.end as usize];
    format!("tx {number} {} {end};{}", done.session, ops.collect::<Vec<_>>().join(";"))
}

fn parse_line(line: &str) -> Option<(u64, Done)> {
    let mut parts = line.strip_prefix("tx ")?.split(';');
    let head: Vec<_> = parts.next()?.split(' ').collect();
    let end = match *head.get(2)? {
        "committed" => End::Committed,
        "aborted" => End::Aborted,
        _ => End::Unknown,
    };
    let op = |part: &str| {
        let (kind, numbers) = part.split_once(' ')?;
        let numbers: Option<Vec<u64>> = numbers.split(' ').map(|number| number.parse().ok()).collect();
        let (key, rest) = numbers?.split_first().map(|(key, rest)| (*key, rest.to_vec()))?;
        Some(if kind == "a" { Append(key, *rest.first()?) } else { Read(key, rest) })
    };
    let ops: Option<Vec<_>> = parts.map(op).collect();
    Some((head.first()?.parse().ok()?, Done { session: head.get(1)?.parse().ok()?, ops: ops?, end }))
}

#[test]
fn lines_of_transactions_are_read_back() {
    let done =
        Done { session: 3, ops: vec![Append(1, 2), Read(4, vec![5, 6]), Read(7, vec![])], end: End::Aborted };
    let (number, read) = parse_line(&line_of(9, &done)).unwrap();
    assert_eq!((number, read.session, read.ops, read.end), (9, 3, done.ops.clone(), End::Aborted));
    assert!(parse_line("test result: ok").is_none());
}

const CHILD: &str = "LIGHTNING_DB_ISOLATION_CHILD";
/// Transactions that a process commits before it is killed, at least.
const COMMITTED: u64 = 200;

/// The child: sessions over a folder until it is killed.
fn child(order: &str) {
    let (round, path) = order.split_once(':').unwrap();
    let round: u64 = round.parse().unwrap();
    let isolation = LEVELS[(round % 2) as usize];
    let db = Database::create(Path::new(path), small_config()).unwrap();
    // Lists that earlier rounds left are used again.
    let bench = Bench { begun: AtomicU64::new(round / 2 * 40), ..Bench::default() };
    let note = |number, done: Done| {
        let line = line_of(number, &done);
        println!("{line}");
    };
    std::thread::scope(|scope| {
        for id in 1..=3 {
            let (db, bench) = (&db, &bench);
            let levels = (isolation, [ConsistencyLevel::Strong, ConsistencyLevel::Quorum][id as usize % 2]);
            scope.spawn(move || session(db, bench, levels, (round << 8 | id, u64::MAX), note));
        }
    });
}

/// Each list of a killed process goes on in the next one. What was acknowledged is there, and what was under way is there whole or
/// not at all.
#[test]
fn processes_that_are_killed_leave_a_history_that_their_level_allows() {
    if let Ok(order) = std::env::var(CHILD) {
        return child(&order);
    }
    let rounds = if std::env::var_os("LIGHTNING_DB_LONG").is_some() { 100 } else { 6 };
    for (nth, isolation) in LEVELS.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = BTreeMap::new();
        for round in 0..rounds / 2 {
            let order = format!("{}:{}", round * 2 + nth, folder.path().join("db").display());
            let test = "processes_that_are_killed_leave_a_history_that_their_level_allows";
            let mut process = Child::of_this_test(test, CHILD, &order);
            let lines = process.lines();
            let committed = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&committed);
            let count = move |(_, done): &(u64, Done)| {
                counted.fetch_add(u64::from(done.end == End::Committed), Ordering::Relaxed);
            };
            let reader = std::thread::spawn(move || {
                lines.filter_map(|line| parse_line(&line)).inspect(count).collect::<Vec<_>>()
            });
            let enough = COMMITTED + 20 * round as u64;
            wait_until("enough transactions", || committed.load(Ordering::Relaxed) >= enough);
            process.kill();
            history.extend(reader.join().unwrap());
            let db = Database::open(folder.path().join("db"), small_config()).unwrap();
            let last = read_all(&db, u64::MAX);
            history.insert(u64::MAX - rounds as u64 + round as u64, last);
            db.close().unwrap();
        }
        let history: Vec<_> = history.into_values().collect();
        let mut found = anomalies(&history);
        print(&format!("processes killed {} times", rounds / 2), isolation, &history, &found);
        let unknown = history.iter().filter(|done| done.end == End::Unknown);
        let sessions: BTreeSet<_> = unknown.map(|done| done.session).collect();
        assert_eq!(count_of(&history, End::Unknown), sessions.len(), "one at a time in each session");
        assert!(sessions.len() <= 3 * rounds as usize / 2);
        if isolation == Isolation::Snapshot {
            found.remove(&Anomaly::G2);
        }
        assert_eq!(found, BTreeMap::new(), "{isolation:?}");
    }
}

/// Every row of the table in the documentation is a case that every language runs, at both levels.
#[test]
fn the_table_of_anomalies_is_that_of_the_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let (table, cases) = (read("docs/isolation.md"), read("bindings/conformance/isolation.json"));
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let rows = rows.filter(|(name, _)| name.contains(", "));
    let rows: BTreeMap<_, _> = rows.collect();
    let named = cases.lines().filter_map(|line| line.trim().strip_prefix("{ \"name\": \"")?.split_once('"'));
    let mut cases = BTreeSet::new();
    for (name, _) in named {
        let (anomaly, level) = name.rsplit_once(", ").unwrap();
        assert!(["serializable", "snapshot"].contains(&level), "{name}");
        assert!(rows.contains_key(anomaly), "not in the table: {anomaly}");
        cases.insert(name);
    }
    assert_eq!(cases.len(), 2 * rows.len());
}
