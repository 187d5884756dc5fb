//! A kill in the middle: a child process writes, is killed, and what it was promised is looked for.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use lightning_db::{ConsistencyLevel, Database};
use lightning_db_examples::{Outcome, Victim, say, thousands};

use crate::report::duration;
use crate::{Demo, check, config};

const PREFIX: &str = "crash/";
/// How long the child writes before it is killed: from this, to as much again.
const TIME: Duration = Duration::from_millis(300);

fn record(number: u64) -> (String, String) {
    (format!("{PREFIX}{number:010}"), format!("record {number} of a process that was killed"))
}

/// The child: writes numbered records at `Quorum` and says each number when it is acknowledged.
pub fn write_until_killed(folder: &Path) -> Outcome {
    let db = Database::open(folder, config())?;
    for number in 1.. {
        let (key, value) = record(number);
        say(0, number, false)?;
        db.put_with_consistency(key.as_bytes(), value.as_bytes(), ConsistencyLevel::Quorum)?;
        say(0, number, true)?;
    }
    Ok(())
}

/// The parent: kills the child, opens the database again and checks all of it.
pub fn kill_and_recover(demo: &mut Demo) -> Outcome {
    demo.db.close()?;
    let folder = demo.database_folder();
    let child = Victim::start([OsStr::new("--crash-writer"), folder.as_os_str()], 1)?;
    child.wait_for_first_write();
    let extra = TIME.mul_f64(demo.random.below(1000) as f64 / 1000.0);
    let said = child.kill_after(TIME + extra)?.first().copied().unwrap_or_default();

    let start = Instant::now();
    demo.db = Database::open(&folder, config())?;
    let recovery = start.elapsed();

    let scan = demo.db.scan_prefix(PREFIX.as_bytes())?;
    let survived = check::numbered("records of the killed process", scan, record)?;
    check::holds("the killed process wrote something", said.acknowledged > 0)?;
    check::holds("every acknowledged record survived the kill", said.acknowledged <= survived)?;
    check::holds("no record survived that was not sent", survived <= said.sent)?;
    for number in 1..=survived {
        let (key, value) = record(number);
        demo.model.insert(key.into_bytes(), value.into_bytes());
    }
    check::same_records("database after the kill", demo.db.scan(None, None)?, &demo.model)?;

    let checked = format!(
        "killed; {} acknowledged at Quorum, 0 lost, no hole; reopened in {}; every other record equal",
        thousands(said.acknowledged as usize),
        duration(recovery)
    );
    demo.report.row("kill and recovery", survived as usize, TIME + extra, &checked);
    Ok(())
}
