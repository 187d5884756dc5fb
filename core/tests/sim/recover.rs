//! Disks that crashes leave: captured at every call, and recovered.

use std::path::Path;
use std::sync::{Arc, Mutex};

use lightning_db::Database;
use lightning_db::vfs::{Keep, MemoryVfs, Tear, Vfs};

use crate::model::{History, Left};
use crate::run::{BACKUP, Excuse, RESTORED, Run, config, read_state};
use crate::script::{Step, afterwards};

/// A disk in front of a call, and what was sent by then.
#[derive(Clone)]
pub struct Image {
    pub call: u64,
    pub disk: MemoryVfs,
    pub history: History,
}

/// How many times as much is tried as in a test run.
pub fn scale() -> u64 {
    number_of("SIM_SCALE").unwrap_or(1)
}

/// Where seeds begin.
pub fn first_seed() -> u64 {
    number_of("SIM_SEED").unwrap_or(1)
}

fn number_of(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// Does a script on a disk, and keeps an image in front of every call, and one behind all.
pub fn images(disk: &MemoryVfs, run: &mut Run, steps: &[Step]) -> Vec<Image> {
    let images = Arc::new(Mutex::new(Vec::new()));
    let (kept, history) = (Arc::clone(&images), Arc::clone(&run.history));
    disk.watch(Some(Arc::new(move |disk: &MemoryVfs, call| {
        let history = history.lock().unwrap().clone();
        kept.lock().unwrap().push(Image { call, disk: disk.crash(Keep::All), history });
    })));
    run.all(steps).unwrap_or_else(|why| panic!("without a fault: {why}"));
    disk.watch(None);
    let mut images = std::mem::take(&mut *images.lock().unwrap());
    images.push(Image { call: disk.calls(), disk: disk.crash(Keep::All), history: run.history().clone() });
    images
}

/// The disks that a crash may leave at one place: each kind, and `some` disks by seed of those that have one.
pub fn keeps(seed: u64, some: u64) -> Vec<Keep> {
    let mut keeps = vec![Keep::All, Keep::Durable, Keep::Names, Keep::Sizes];
    for nth in 0..some {
        let seed = seed.wrapping_mul(1_000).wrapping_add(nth);
        let tear = [Tear::Byte, Tear::Sector, Tear::Page];
        keeps.extend([Keep::Prefix(seed), Keep::Hole(seed), Keep::Any(seed), Keep::Any(seed ^ 0xffff)]);
        keeps.extend(tear.map(|tear| Keep::Torn(tear, seed)));
    }
    keeps
}

/// How a disk that is kept so counts: what a failed sync has dropped is lost as in a power cut.
pub fn left(keep: Keep) -> Left {
    if keep == Keep::All { Left::Killed } else { Left::PowerCut }
}

/// Recovers what a crash has left, without help, compares, writes, and opens again.
pub fn recover(image: &Image, keep: Keep) -> Result<(), String> {
    recover_with(&image.disk.crash(keep), &image.history, left(keep), Excuse::None)
}

/// As [`recover`], of a disk.
pub fn recover_with(disk: &MemoryVfs, history: &History, left: Left, excuse: Excuse) -> Result<(), String> {
    let mut run = Run::go_on(disk.clone(), history.clone(), left, excuse);
    run.step(&Step::Wait(0))?;
    check_backup(&mut run)?;
    run.all(&afterwards())?;
    // What was closed is durable.
    let history = run.history().clone();
    let mut again = Run::go_on(disk.crash(Keep::Durable), history, Left::PowerCut, excuse);
    again.all(&[Step::Wait(0)]).map_err(|why| format!("the second time: {why}"))
}

/// A backup that was acknowledged is whole; one that was not is whole or refused. So is what was restored.
fn check_backup(run: &mut Run) -> Result<(), String> {
    let history = run.history().clone();
    if history.backup.is_none() {
        return Ok(());
    }
    let is_there =
        |path: &str| run.disk.file_type(&Path::new("/").join(path)).is_ok_and(|found| found.is_some());
    let (restored, is_backup) = (is_there(RESTORED), is_there(&format!("{BACKUP}/BACKUP")));
    if history.backed_up && !is_backup {
        return Err("the backup is gone".to_owned());
    }
    if restored {
        let vfs: Arc<dyn Vfs> = Arc::new(run.disk.clone());
        let found = Database::open_on(vfs, &Path::new("/").join(RESTORED), config(), false);
        match found.and_then(|db| read_state(&db)) {
            Ok(found) if Some(&found) != history.backup.as_ref() => {
                return Err("restored: not the backup".to_owned());
            }
            Ok(_) => {}
            Err(_) => drop(run.restore_to(RESTORED).map_err(|why| format!("restored again: {why}"))?),
        }
    } else if is_backup {
        run.restore_to("again").map_err(|why| format!("restored: {why}"))?;
    }
    Ok(())
}
