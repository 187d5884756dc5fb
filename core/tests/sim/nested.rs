//! A recovery is cut like everything else, and so is the recovery of that.

use std::sync::Arc;

use lightning_db::vfs::{Keep, MemoryVfs, Tear};
use lightning_db::{ConsistencyLevel, Database};

use crate::common::{FOLDER, Random};
use crate::recover::{Image, first_seed, images, keeps, left, recover, scale};
use crate::run::{Excuse, Run, config};
use crate::script::{STRONG, Step, everything, put};
use crate::tally::Tally;

/// What is done in the run that is cut: opened, written, closed.
fn reopening() -> Vec<Step> {
    vec![Step::Wait(0), Step::Write(vec![put("default", "nested", vec![7; 40])], STRONG)]
}

/// The images of the recovery of what a crash has left.
fn images_of_recovery(image: &Image, keep: Keep) -> Vec<Image> {
    let disk = image.disk.crash(keep);
    let mut run = Run::go_on(disk.clone(), image.history.clone(), left(keep), Excuse::None);
    images(&disk, &mut run, &reopening())
}

fn inner_keeps(seed: u64) -> Vec<Keep> {
    vec![Keep::All, Keep::Durable, Keep::Any(seed), Keep::Hole(seed), Keep::Torn(Tear::Sector, seed)]
}

#[test]
fn a_recovery_that_is_cut_at_every_call_starts_again() {
    let disk = MemoryVfs::with_seed(first_seed());
    let outer = images(&disk, &mut Run::new(disk.clone(), Excuse::None), &everything());
    let mut random = Random(first_seed());
    let (mut recoveries, mut twice, mut thrice) = (0, Tally::default(), Tally::default());
    let step = (12 / scale()).max(1);
    for image in outer.iter().filter(|image| image.call % step == first_seed() % step) {
        let all = keeps(image.call ^ first_seed(), 1);
        // A kill, and one of the other disks.
        for keep in [Keep::All, all[1 + random.below(all.len() as u64 - 1) as usize]] {
            recoveries += 1;
            for inner in images_of_recovery(image, keep) {
                let place = || format!("cut before call {} {keep:?}, then {}", image.call, inner.call);
                for kept in inner_keeps(random.next()) {
                    twice.add(recover(&inner, kept), || format!("{} {kept:?}", place()));
                }
                if twice.is_full() || thrice.is_full() {
                    break;
                }
                if random.below(80) > 0 {
                    continue;
                }
                for third in images_of_recovery(&inner, Keep::Any(random.0)) {
                    let kept = Keep::Any(random.next());
                    let place = || format!("{}, then {} {kept:?}", place(), third.call);
                    thrice.add(recover(&third, kept), place);
                }
            }
        }
    }
    twice.tell(&format!("disks of {recoveries} recoveries that were cut"), 2_000);
    thrice.tell("disks of their recoveries that were cut again", 200);
}

/// Whether a recovery finds the end of a log torn, and drops it.
fn is_torn(disk: &MemoryVfs) -> bool {
    let db = Database::open_on(Arc::new(disk.crash(Keep::All)), FOLDER.as_ref(), config(), false);
    db.is_ok_and(|db| db.recovery_report().dropped_log_bytes > 0)
}

#[test]
fn a_torn_end_of_a_log_stays_dropped_wherever_its_recovery_is_cut() {
    let disk = MemoryVfs::with_seed(first_seed());
    let write =
        |nth: u8, level| Step::Write(vec![put("default", format!("k{nth:02}"), vec![nth; 900])], level);
    let mut steps = vec![write(0, STRONG)];
    steps.extend((1..8).map(|nth| write(nth, ConsistencyLevel::Quorum)));
    let outer = images(&disk, &mut Run::new(disk.clone(), Excuse::None), &steps);
    let tears = (0..).flat_map(|seed| [Tear::Byte, Tear::Sector].map(|tear| Keep::Torn(tear, seed)));
    let (mut torn, mut all) = (0, Tally::default());
    for (image, keep) in outer.iter().flat_map(|image| tears.clone().take(8).map(move |keep| (image, keep))) {
        if torn == 16 * scale() || !is_torn(&image.disk.crash(keep)) {
            continue;
        }
        torn += 1;
        for inner in images_of_recovery(image, keep) {
            for kept in [Keep::All, Keep::Durable] {
                all.add(recover(&inner, kept), || {
                    format!("{keep:?} before call {}, then {}", image.call, inner.call)
                });
            }
        }
    }
    all.tell(&format!("recoveries of {torn} torn logs that were cut"), 300);
}
