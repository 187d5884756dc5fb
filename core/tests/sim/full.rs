//! The disk gets full at every call: writes are refused, reads go on, and all goes on when there is room.

use lightning_db::vfs::{Keep, MemoryVfs};
use lightning_db::{Database, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use crate::model::Left;
use crate::recover::{first_seed, recover_with, scale};
use crate::run::{DATABASE, Excuse, Run, config, read_state};
use crate::script::{Step, everything};
use crate::stepped::Stepped;
use crate::tally::Tally;

/// Steps that are done while there is no room.
const WITHOUT_ROOM: usize = 12;

/// From `call` on `room` bytes are free, for some steps; then there is room again.
fn survive(call: u64, room: u64) -> Result<usize, String> {
    let disk = MemoryVfs::with_seed(first_seed());
    let mut run = Run::new(disk.clone(), Excuse::FailedCall);
    run.reads_all = false;
    let fill = move |disk: &MemoryVfs, number| {
        if number == call {
            disk.set_room(room);
        }
    };
    disk.watch(Some(Arc::new(fill)));
    let (mut full, mut healed, mut refused) = (0, false, 0);
    for step in everything() {
        run.step(&step).map_err(|why| format!("{step:?}: {why}"))?;
        full += usize::from(disk.calls() > call && !healed);
        if full == WITHOUT_ROOM {
            refused = run.failed;
            reads_go_on(&disk, &mut run)?;
            disk.set_space(None);
            (run.excuse, healed) = (Excuse::None, true);
            // What was refused is not refused any more.
            run.step(&Step::Flush).map_err(|why| format!("with room: {why}"))?;
        }
        full += usize::from(full == WITHOUT_ROOM);
    }
    disk.watch(None);
    disk.set_space(None);
    run.excuse = Excuse::None;
    run.end()?;
    if run.halted {
        return Err("a full disk has halted it".to_owned());
    }
    let history = run.history().clone();
    recover_with(&disk.crash(Keep::Durable), &history, Left::PowerCut, Excuse::None)?;
    Ok(refused)
}

/// A killed database on a full disk opens, or says that there is no room; read-only it opens.
fn reads_go_on(disk: &MemoryVfs, run: &mut Run) -> Result<(), String> {
    let killed = disk.crash(Keep::All);
    killed.set_room(0);
    let (history, path) = (run.history().clone(), run.path(DATABASE));
    if history.damaged || !killed.read_file(path.join("CURRENT")).is_ok_and(|bytes| !bytes.is_empty()) {
        return Ok(());
    }
    let open = |read_only: bool| {
        let vfs = Arc::new(Stepped::over(killed.clone()));
        let db = match read_only {
            true => Database::open_read_only_on(vfs, &path, config())?,
            false => Database::open_on(vfs, Path::new(&path), config(), false)?,
        };
        read_state(&db)
    };
    for read_only in [true, false] {
        match open(read_only) {
            Ok(found) => drop(history.find(&found, Left::Killed)?),
            Err(error) if !read_only && error.kind() == ErrorKind::NoSpace => {}
            Err(error) => return Err(format!("opened while full, read-only: {read_only}: {error}")),
        }
    }
    Ok(())
}

#[test]
fn a_disk_that_is_full_for_a_while_loses_nothing_and_halts_nothing() {
    let disk = MemoryVfs::with_seed(first_seed());
    Run::new(disk.clone(), Excuse::None).all(&everything()).unwrap();
    let (mut tally, mut refused) = (Tally::default(), 0);
    for call in 0..disk.calls() {
        for nth in 0..scale().min(8) {
            let room = [0, 1, 30, 100, 600, 2_500, 5_000][((call + nth) % 7) as usize];
            let outcome = survive(call, room);
            refused += u64::from(matches!(outcome, Ok(refused) if refused > 0));
            tally.add(outcome.map(drop), || format!("{room} bytes free from call {call} on"));
        }
        if tally.is_full() {
            break;
        }
    }
    tally.tell("full disks", 400);
    println!("  writes were refused in {refused} of them");
    assert!(refused > tally.tried / 2);
}
