//! Instructions of our hot paths, counted by callgrind: they can be compared between commits on a machine that has
//! other work.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::data::{absent_key, value};
use crate::engine::{Change, Digest, Direction, Level, Session, Setup, View};
use crate::peers::Peer;
use crate::rows::key_of;

/// What is counted.
pub const PATHS: &[&str] = &["hot_get", "miss", "put", "scan_step"];

const RECORDS: u32 = 20_000;
/// Keys of the hot gets, each read often enough to be a cached row.
const HOT: u32 = 1_000;
/// Times that the path is taken; it is counted twice, with once and with twice as many, and the difference is the path's.
const TIMES: u32 = 20_000;

/// The work that is counted.
pub fn child(peer: Peer, path: &str, times: u32, folder: &Path) -> Result<()> {
    let setup = Setup { cache: 64 << 20, level: Level::Process };
    let engine = (peer.open)(&folder.join("counts"), &setup)?;
    let put = |index| (key_of(index), Some(value(index, 1)));
    let records: Vec<Change> = (0..RECORDS).map(put).collect();
    engine.session(View::Latest)?.write(&records)?;
    engine.settle()?;
    let mut session = engine.session(View::Latest)?;
    let mut digest = Digest::default();
    for _ in 0..4 {
        (0..HOT).try_for_each(|index| session.get(&key_of(index), &mut digest))?;
    }
    take(session.as_mut(), path, times, &mut digest)?;
    drop(session);
    engine.close()
}

fn take(session: &mut dyn Session, path: &str, times: u32, digest: &mut Digest) -> Result<()> {
    match path {
        "hot_get" => (0..times).try_for_each(|nth| session.get(&key_of(nth % HOT), digest)),
        "miss" => (0..times).try_for_each(|nth| session.get(&absent_key(u64::from(nth)), digest)),
        "put" => (0..times).try_for_each(|nth| session.put(&key_of(nth), &value(nth, 2))),
        "scan_step" => {
            (0..times / RECORDS).try_for_each(|_| session.scan(None, Direction::Forward, usize::MAX, digest))
        }
        _ => bail!("no path is named {path:?}"),
    }
}

/// Instructions that the path takes once.
pub fn counted(peer: Peer, path: &str, folder: &Path) -> Result<f64> {
    let run = |times: u32| -> Result<u64> {
        let scratch = tempfile::tempdir_in(folder)?;
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe()?)
            .args([
                "counts-child",
                "--engine",
                peer.about.name,
                "--path",
                path,
                "--times",
                &times.to_string(),
            ])
            .arg("--folder")
            .arg(scratch.path())
            .output()
            .context("valgrind cannot be run")?;
        let text = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the counted process failed: {text}");
        let line = text.lines().find_map(|line| line.split_once("Collected :"));
        let (_, count) = line.context("callgrind has not said how much it collected")?;
        Ok(count.trim().parse()?)
    };
    let (once, twice) = (run(TIMES)?, run(2 * TIMES)?);
    Ok(twice.saturating_sub(once) as f64 / f64::from(TIMES))
}
