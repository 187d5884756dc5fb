//! Every kind of file damaged in every way: each read is right, or a `Corruption` that names file and offset. Each case
//! is judged on a database opened for it, then checked and repaired.
//!
//! `LIGHTNING_DB_LONG=1` flips each byte by several masks, and repairs each case.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "damage/judge.rs"]
mod judge;
#[path = "damage/kinds.rs"]
mod kinds;
#[path = "damage/mend.rs"]
mod mend;
#[path = "damage/sample.rs"]
mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use common::{FOLDER, entries};
use judge::{Outcome, judge, judge_read_only};
use kinds::{Changes, cut, flipped, grown, misdirected, misplaced, overwritten};
use lightning_db::vfs::{Keep, MemoryVfs};
use lightning_db::{Database, ErrorKind};
use mend::{Mended, all, mend, repair};
use sample::{BACKUP, LEAF, Left, Page, STRONG, Sample, config, pages};

fn is_long() -> bool {
    std::env::var_os("LIGHTNING_DB_LONG").is_some()
}

/// How many cases ended how.
#[derive(Debug, Default)]
struct Tally {
    damages: u32,
    right: u32,
    refused: u32,
    partly: u32,
    tails: u32,
    read_only: u32,
    checked: u32,
    repaired: u32,
    unknown: u32,
}

impl Tally {
    /// Tries one case; each `mend_each`th is read only, checked and repaired too.
    fn try_one(&mut self, sample: &Sample, changes: &Changes, mend_each: u32) -> Outcome {
        let damaged = sample.copy();
        changes.apply(&damaged, FOLDER);
        let outcome = judge(sample, &damaged.crash(Keep::All), &changes.damage);
        match &outcome {
            Outcome::Right => self.right += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Partly(_) => self.partly += 1,
            Outcome::Tail(_) => self.tails += 1,
        }
        if self.damages.is_multiple_of(if is_long() { 1 } else { mend_each }) {
            judge_read_only(sample, &damaged, &changes.damage);
            self.read_only += 1;
            self.checked += 1;
            match mend(sample, &damaged, &changes.damage, &outcome) {
                Mended::Repaired => self.repaired += 1,
                Mended::Unknown => self.unknown += 1,
                Mended::Whole => {}
            }
        }
        self.damages += 1;
        outcome
    }

    fn print(&self, what: &str) {
        let Tally { damages, right, refused, partly, tails, read_only, checked, repaired, unknown } = self;
        println!(
            "{what}: {damages} damages, 0 bad: {right} of no effect, {refused} refused at open, {partly} with errors \
             at reads, {tails} dropped as a tail; {read_only} read only; {checked} checked, {repaired} repaired, \
             {unknown} that say no database"
        );
    }
}

/// Every byte flipped, every length, runs overwritten: what is common to all kinds of files.
fn in_place(sample: &Sample, name: &str, bytes: &[u8]) -> Vec<Changes> {
    let masks: &[u8] = if is_long() { &[0x01, 0x10, 0x80, 0xff] } else { &[0x41] };
    let mut all: Vec<Changes> = Vec::new();
    for at in places(sample, name, bytes) {
        all.extend(masks.iter().map(|mask| flipped(name, bytes, at, *mask)));
        all.push(cut(name, bytes, at));
    }
    all.extend(overwritten(name, bytes));
    all.extend(grown(name, bytes));
    all
}

/// All of a file; of the zeros that were written ahead of a log, and which mean nothing, a few.
fn places(sample: &Sample, name: &str, bytes: &[u8]) -> Vec<usize> {
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let is_ahead = name.ends_with(".log") && sample.left == Left::Killed;
    let end = if is_ahead { used } else { bytes.len() };
    (0..end).chain((end..bytes.len()).step_by(509)).collect()
}

fn samples() -> [Sample; 2] {
    [Left::Closed, Left::Killed].map(|left| Sample::new(left == Left::Closed, left).unwrap())
}

#[test]
fn current_damaged_anywhere_is_found() {
    for sample in samples() {
        let mut tally = Tally::default();
        let bytes = &sample.files()["CURRENT"];
        for changes in in_place(&sample, "CURRENT", bytes) {
            let outcome = tally.try_one(&sample, &changes, 5);
            assert_eq!(outcome, Outcome::Refused, "{}", changes.damage);
        }
        tally.print(&format!("CURRENT, {:?}", sample.left));
    }
}

#[test]
fn a_manifest_damaged_anywhere_is_found_or_lacks_what_nobody_knew() {
    for sample in samples() {
        let mut tally = Tally::default();
        let files = sample.files();
        for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".manifest")) {
            for mut changes in in_place(&sample, name, bytes) {
                // An edit that was lost shows by the files that it named.
                changes.damage.may_show_elsewhere = true;
                tally.try_one(&sample, &changes, 7);
            }
        }
        tally.print(&format!("manifest, {:?}", sample.left));
        assert!(tally.refused > tally.damages / 2, "{tally:?}");
    }
}

/// Chunks of an undamaged log: where each begins, and its length.
fn chunks(log: &[u8]) -> Vec<(usize, usize)> {
    let (mut at, mut chunks) = (64, Vec::new());
    while at + 20 <= log.len() && log[at + 8] != 0 {
        let len = 20 + u32::from_le_bytes(log[at + 4..at + 8].try_into().unwrap()) as usize;
        chunks.push((at, len));
        at += len;
    }
    chunks
}

/// Whatever was synced before the last commits is never taken for a torn tail, and what is dropped is reported.
#[test]
fn a_log_damaged_anywhere_is_found_or_is_a_tail_that_was_never_synced() {
    for sample in samples() {
        let mut tally = Tally::default();
        let files = sample.files();
        let (name, bytes) = files.iter().find(|(name, _)| name.ends_with(".log")).unwrap();
        let chunks = chunks(bytes);
        let commits: Vec<_> = chunks.iter().filter(|chunk| chunk.1 > 20).collect();
        assert_eq!(commits.len(), sample.states.len() - 1);
        let mut all = in_place(&sample, name, bytes);
        all.extend(misdirected(name, bytes, &chunks));
        for mut changes in all {
            let changed = changes.files[0].1.as_ref().unwrap();
            let is_cut = changed.len() < bytes.len();
            let is_between = is_cut && chunks.iter().any(|chunk| chunk.0 == changed.len());
            changes.damage.is_cut_at_a_boundary = is_between;
            let first = bytes.iter().zip(changed).position(|(was, is)| was != is).unwrap_or(changed.len());
            // Nothing behind it is left that could tell.
            let is_gone = is_cut || changed[first..].iter().all(|byte| *byte == 0);
            let outcome = tally.try_one(&sample, &changes, 9);
            if sample.left == Left::Killed
                && !is_gone
                && first < commits[STRONG - 1].0 + commits[STRONG - 1].1
                && changed.len() == bytes.len()
                && changed[commits[STRONG].0..] == bytes[commits[STRONG].0..]
            {
                assert_eq!(outcome, Outcome::Refused, "{}: below the durable mark", changes.damage);
            }
            if let Outcome::Tail(found) = outcome {
                let whole = commits.iter().filter(|chunk| chunk.0 + chunk.1 <= first).count();
                assert_eq!(found, whole, "{}: commits before the damage", changes.damage);
            }
        }
        tally.print(&format!("log, {:?}", sample.left));
        assert!(tally.refused > 300, "{tally:?}");
    }
}

/// What a damage of each leaf costs: the gets that fail.
type Costs = BTreeMap<(String, usize), BTreeSet<(bool, Vec<u8>)>>;

fn tables(compressed: bool) {
    let sample = Sample::new(compressed, Left::Closed).unwrap();
    let (mut tally, mut costs, mut unseen) = (Tally::default(), Costs::new(), 0);
    let files = sample.files();
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".table")) {
        let pages = pages(bytes);
        assert!(pages.iter().any(|page| page.kind == 4), "a filter");
        for changes in in_place(&sample, name, bytes) {
            let outcome = tally.try_one(&sample, &changes, 31);
            note_cost(&changes, bytes, &pages, name, &outcome, &mut costs);
            unseen += u32::from(outcome == Outcome::Right);
        }
        let blocks: Vec<_> = pages.iter().map(|page| (page.start, page.len)).collect();
        let sectors = (0..bytes.len() / 512).map(|nth| (nth * 512, 512)).collect::<Vec<_>>();
        let moved = [misdirected(name, bytes, &blocks), misdirected(name, bytes, &sectors)];
        for changes in moved.into_iter().flatten() {
            assert_ne!(tally.try_one(&sample, &changes, 31), Outcome::Right, "{}", changes.damage);
        }
    }
    tally.print(if compressed { "table, compressed" } else { "table, raw" });
    // No key is lost with two leaves of one table.
    let leaves: Vec<_> = costs.iter().collect();
    for (nth, (one, cost)) in leaves.iter().enumerate() {
        for (two, other) in leaves[nth + 1..].iter().filter(|(two, _)| two.0 == one.0) {
            assert!(cost.is_disjoint(other), "{one:?} and {two:?} cost {cost:?} and {other:?}");
        }
    }
    println!("{} leaves; {unseen} damages that no read met", leaves.len());
    assert!(leaves.len() > 6 && tally.partly > 1000, "{tally:?}");
}

/// A flip in a leaf costs the same keys wherever in the leaf it is.
fn note_cost(
    changes: &Changes,
    bytes: &[u8],
    pages: &[Page],
    name: &str,
    outcome: &Outcome,
    costs: &mut Costs,
) {
    let changed = changes.files[0].1.as_ref().unwrap();
    let places = || (0..bytes.len()).filter(|&at| bytes[at] != *changed.get(at).unwrap_or(&!bytes[at]));
    if changed.len() != bytes.len() || places().count() != 1 {
        return;
    }
    let at = places().next().unwrap();
    let page = pages.iter().find(|page| (page.start..page.start + page.len).contains(&at));
    let Some(page) = page.filter(|page| page.kind == LEAF) else { return };
    let cost = match outcome {
        Outcome::Partly(cost) => cost.clone(),
        other => panic!("{}: {other:?}", changes.damage),
    };
    let known = costs.entry((name.to_owned(), page.start)).or_insert_with(|| cost.clone());
    assert_eq!(*known, cost, "{}: as elsewhere in its page", changes.damage);
}

#[test]
fn a_raw_table_damaged_anywhere_costs_the_keys_of_the_page() {
    tables(false);
}

#[test]
fn a_compressed_table_damaged_anywhere_costs_the_keys_of_the_page() {
    tables(true);
}

/// Blocks of a file in another file of the same kind, at the same offset.
#[test]
fn blocks_of_another_table_do_not_pass() {
    let sample = Sample::new(false, Left::Closed).unwrap();
    let files = sample.files();
    let mut tally = Tally::default();
    let tables: Vec<_> = files.iter().filter(|(name, _)| name.ends_with(".table")).collect();
    for (name, bytes) in &tables {
        for (other, others) in tables.iter().filter(|(other, _)| other != name) {
            let end = bytes.len().min(others.len());
            let blocks = (0..end - 64).step_by(64).flat_map(|start| [64, 512].map(|len| (start, len)));
            for (start, len) in blocks.filter(|(start, len)| start + len <= end) {
                let mut changed = (*bytes).clone();
                changed[start..start + len].copy_from_slice(&others[start..start + len]);
                if changed == **bytes {
                    continue;
                }
                let what = format!("with {len} bytes at {start} of {other}");
                let damage = kinds::Damage::of(name, what);
                let changes = Changes { damage, files: vec![((*name).clone(), Some(changed))] };
                assert_ne!(tally.try_one(&sample, &changes, 11), Outcome::Right, "{}", changes.damage);
            }
        }
    }
    tally.print("table, with blocks of another");
}

#[test]
fn files_missing_swapped_doubled_and_renamed_are_found() {
    for sample in samples() {
        let mut tally = Tally::default();
        let files = sample.files();
        let files: Vec<_> = files.iter().collect();
        for changes in misplaced(&files) {
            tally.try_one(&sample, &changes, 3);
        }
        tally.print(&format!("files misplaced, {:?}", sample.left));
        assert!(tally.damages > 100, "{tally:?}");
    }
}

/// Restores a backup: whole, or refused, and then its target is no database.
fn restored(disk: &MemoryVfs) -> lightning_db::Result<Database> {
    let vfs = Arc::new(disk.clone());
    Database::restore_on(vfs, Path::new("/restored"), Path::new(BACKUP), config(true))
}

#[test]
fn a_backup_damaged_anywhere_is_not_restored() {
    let sample = Sample::new(true, Left::Closed).unwrap();
    let expected = entries(&restored(&sample.copy()).unwrap());
    let files = sample.files_in(BACKUP);
    let (mut damages, mut refused) = (0, 0);
    for (name, bytes) in &files {
        let step = if is_long() || bytes.len() < 1000 { 1 } else { 5 };
        let mut all: Vec<Changes> =
            (0..bytes.len()).step_by(step).map(|at| flipped(name, bytes, at, 0x41)).collect();
        all.extend((0..bytes.len()).step_by(step).map(|at| cut(name, bytes, at)));
        all.extend(overwritten(name, bytes));
        all.extend(grown(name, bytes));
        all.extend(
            misplaced(&files.iter().collect::<Vec<_>>())
                .into_iter()
                .filter(|all| all.damage.files[0] == *name),
        );
        for changes in all {
            let disk = sample.copy();
            changes.apply(&disk, BACKUP);
            damages += 1;
            match restored(&disk) {
                Ok(db) => {
                    // A file that belongs to nobody.
                    assert!(changes.damage.may_show_elsewhere, "{}", changes.damage);
                    assert_eq!(entries(&db), expected, "{}", changes.damage);
                }
                Err(error) => {
                    refused += 1;
                    let kinds = [ErrorKind::Corruption, ErrorKind::NotFound];
                    assert!(kinds.contains(&error.kind()), "{}: {error}", changes.damage);
                    assert!(error.file().is_some(), "{}: {error}", changes.damage);
                    let vfs = Arc::new(disk.clone());
                    let opened = Database::open_on(vfs, Path::new("/restored"), config(true), false);
                    assert!(opened.is_err(), "{}: half of a restore was opened", changes.damage);
                }
            }
        }
    }
    println!("BACKUP and its files: {damages} damages, 0 bad: {refused} refused");
    assert!(refused > 1000);
}

/// A repair of files swapped, doubled and missing, cut at calls of it and run again.
#[test]
fn a_cut_repair_of_misplaced_files_is_run_again() {
    let sample = Sample::new(true, Left::Closed).unwrap();
    let files = sample.files();
    let files: Vec<_> = files.iter().collect();
    let mut cuts = 0;
    for changes in misplaced(&files).iter().step_by(9) {
        let damaged = sample.copy();
        changes.apply(&damaged, FOLDER);
        let uncut = damaged.crash(Keep::All);
        if repair(&sample, &uncut).is_err() {
            continue;
        }
        let expected = all(&sample, &uncut).unwrap();
        for call in (0..).step_by(4) {
            let disk = damaged.crash(Keep::All);
            disk.cut_at(call);
            let outcome = repair(&sample, &disk);
            if disk.calls() <= call {
                break;
            }
            let place = format!("{}, cut at {call}: {:?}", changes.damage, outcome.err());
            for keep in [Keep::All, Keep::Durable] {
                let left = disk.crash(keep);
                repair(&sample, &left).unwrap_or_else(|error| panic!("{place}: {error}"));
                assert_eq!(
                    all(&sample, &left).unwrap_or_else(|error| panic!("{place}: {error}")),
                    expected,
                    "{place}"
                );
                cuts += 1;
            }
        }
    }
    println!("repairs cut: {cuts} disks, 0 bad");
    assert!(cuts > 100);
}
