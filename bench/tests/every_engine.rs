//! Every engine takes every row, with few records, and is checked on the way.

use std::fs;
use std::process::Command;

use lightning_db_bench::goals::ROWS;
use lightning_db_bench::peers::{self, OURS, Peer};
use lightning_db_bench::record::{Comparison, EngineRun};
use lightning_db_bench::report;
use lightning_db_bench::rows::Extent;
use lightning_db_bench::run::Course;

fn small_run(peer: Peer) -> EngineRun {
    let folder = tempfile::tempdir().expect("a folder");
    let extent = Extent { records: 20_000, read_seconds: 0.02, write_seconds: 0.2 };
    let course = Course { peer, extent: &extent, cache: 8 << 20, folder: folder.path(), progress: &|_| () };
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
