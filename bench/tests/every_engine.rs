//! Every engine takes every row, with few records, and is checked on the way.

use std::fs;
use std::process::Command;

use lightning_db_bench::data::value;
use lightning_db_bench::engine::{Change, Digest, Direction, Level, Setup, View};
use lightning_db_bench::goals::ROWS;
use lightning_db_bench::model::{Model, check};
use lightning_db_bench::peers::{self, OURS, Peer};
use lightning_db_bench::record::{Comparison, EngineRun};
use lightning_db_bench::report;
use lightning_db_bench::rows::{Extent, key_of, puts};
use lightning_db_bench::run::Course;

fn small_run(peer: Peer) -> EngineRun {
    let folder = tempfile::tempdir().expect("a folder");
    let extent = Extent { records: 20_000, read_seconds: 0.02, write_seconds: 0.2 };
    let course =
        Course { peer, extent: &extent, cache: 8 << 20, folder: folder.path(), progress: &|_| (), only: &[] };
    let run = course.run();
    assert_eq!(run.failure, None, "{}", peer.about.name);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "{} leaves files", peer.about.name);
    run
}

#[test]
fn every_engine_takes_every_row() {
    let runs: Vec<_> = peers::ALL.iter().map(|peer| small_run(*peer)).collect();
    for run in &runs {
        let missing: Vec<_> = ROWS.iter().filter(|row| !run.figures.contains_key(row.id)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", run.engine);
        assert!(
            run.figures.values().all(|figure| figure.value.is_finite() && figure.value >= 0.0),
            "{run:?}"
        );
    }
    let comparison = Comparison { runs, ..Default::default() };
    let (table, chart) = (report::table(&comparison), report::chart(&comparison).expect("a chart"));
    for peer in peers::ALL {
        assert!(table.contains(peer.about.title) && chart.contains(peer.about.title), "{}", peer.about.title);
        assert!(table.contains(peer.about.settings), "{}", peer.about.title);
    }
    assert!(ROWS.iter().all(|row| table.contains(row.title)));
    let json = serde_json::to_string(&comparison).expect("JSON");
    let read: Comparison = serde_json::from_str(&json).expect("the same");
    assert_eq!(report::table(&read), table);
}

/// Every call of an adapter, against the model; a database is closed and opened in between.
fn hold_against_the_model(peer: Peer, level: Level) {
    const RECORDS: u32 = 3_000;
    let folder = tempfile::tempdir().expect("a folder");
    let setup = Setup { cache: 8 << 20, level };
    let mut model = Model::new();
    let engine = (peer.open)(&folder.path().join("db"), &setup).expect("opens");
    let mut session = engine.session(View::Latest).expect("a session");
    let order: Vec<u32> = (0..RECORDS).collect();
    session.write(&puts(&order, 1)).expect("a batch");
    let doomed: Vec<Change> = order.iter().step_by(3).map(|index| (key_of(*index), None)).collect();
    session.write(&doomed).expect("deletes");
    session.put(&key_of(7), &value(7, 90_000)).expect("a put");
    let mut answers = Digest::default();
    let writes = [(key_of(1), value(1, 90_001)), (key_of(3), value(3, 90_002))];
    session.transaction(&[key_of(7), key_of(6)], &writes, &mut answers).expect("a transaction");
    drop(session);
    engine.close().expect("closes");

    order.iter().for_each(|index| model.put(*index, index + 1));
    order.iter().step_by(3).for_each(|index| model.delete(*index));
    model.put(7, 90_000);
    let mut expected = Digest::default();
    [7, 6].into_iter().for_each(|index| model.get(index, &mut expected));
    model.put(1, 90_001);
    model.put(3, 90_002);

    let engine = (peer.open)(&folder.path().join("db"), &setup).expect("opens again");
    for view in [View::Held, View::Latest] {
        let mut session = engine.session(view).expect("a session");
        for index in &order {
            session.get(&key_of(*index), &mut answers).expect("a get");
            session.get_with(&key_of(*index), &mut answers).expect("a get");
            model.get(*index, &mut expected);
            model.get(*index, &mut expected);
        }
        let keys: Vec<_> = order.iter().map(|index| key_of(*index)).collect();
        session.get_many(&keys, &mut answers).expect("gets");
        order.iter().for_each(|index| model.get(*index, &mut expected));
        for direction in [Direction::Forward, Direction::Backward] {
            for (from, limit) in
                [(None, 100), (None, usize::MAX), (Some(8), 100), (Some(9), 100), (Some(10), usize::MAX)]
            {
                let key = from.map(key_of);
                session.scan(key.as_ref(), direction, limit, &mut answers).expect("a scan");
                model.scan(from, direction, limit, &mut expected);
            }
        }
    }
    check(peer.about.name, &answers, &expected).expect("the same answers");
    engine.settle().expect("settles");
    engine.close().expect("closes");
}

#[test]
fn every_call_of_every_engine_answers_as_the_model() {
    for (peer, level) in peers::ALL.iter().flat_map(|peer| [(peer, Level::Process), (peer, Level::Power)]) {
        hold_against_the_model(*peer, level);
    }
}

#[test]
fn versions_in_the_table_are_those_of_the_lock_file() {
    let lock = include_str!("../Cargo.lock");
    for peer in peers::ALL.iter().filter(|peer| peer.about.name != OURS) {
        let mut words = peer.about.version.split([' ', ',']);
        let (name, version) = (words.next().expect("a crate"), words.next().expect("a version"));
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"");
        assert!(lock.contains(&entry), "{entry}");
    }
}

#[test]
fn our_durable_puts_are_flushed_before_they_return() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: strace is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let status = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["flushes", "--engines", OURS, "--puts", "5", "--data"])
        .arg(folder.path().join("data"))
        .arg("--out")
        .arg(folder.path())
        .status()
        .expect("the program runs");
    assert!(status.success());
    let table = fs::read_to_string(folder.path().join("flushes.md")).expect("a table");
    assert!(table.contains("| Lightning DB | 8 | 40 |"), "{table}");
}
