//! Files that somebody has made on purpose: whatever is in them, under right checksums, costs at most an error and memory
//! in proportion to the file.
//!
//! `LIGHTNING_DB_LONG=1` makes a hundred times as many. The targets in `fuzz/` drive the same calls by coverage.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
// An allocator that counts.
#![allow(unsafe_code)]

mod common;
#[path = "hostile/drive.rs"]
mod drive;
#[path = "hostile/seal.rs"]
mod seal;

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::Random;
use drive::{Target, targets};
use seal::Kind;

/// Counts what is allocated, and the most that was at once.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is that of the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a small database takes that is open, checked and repaired, memtables and buffers for the most part: about 1 MiB.
/// A forged page may stand for some more.
const MOST_BYTES: usize = 8 << 20;
const MOST_TIME: Duration = Duration::from_secs(20);

const NUMBERS: [u64; 12] =
    [0, 1, 2, 127, 128, 255, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 55, u64::MAX];

/// One small change, of the kinds that a forger would try.
fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    let len = bytes.len() as u64;
    if len < 2 {
        return bytes.push(random.next() as u8);
    }
    let at = random.below(len) as usize;
    let run = (1 + random.below(24) as usize).min(bytes.len() - at);
    match random.below(9) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = NUMBERS[random.below(12) as usize] as u8,
        2 | 3 => {
            let number = NUMBERS[random.below(12) as usize].wrapping_add(random.below(3)).to_le_bytes();
            let width = [2, 4, 8][random.below(3) as usize].min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&number[..width]);
        }
        4 => {
            // A varint of a number, over what is there.
            let mut number = NUMBERS[random.below(12) as usize];
            for byte in &mut bytes[at..] {
                *byte = number as u8 & 0x7f | if number > 0x7f { 0x80 } else { 0 };
                number >>= 7;
                if number == 0 {
                    break;
                }
            }
        }
        5 => {
            let from = random.below(len - run as u64 + 1) as usize;
            bytes.copy_within(from..from + run, at);
        }
        6 => bytes[at..at + run].fill(random.next() as u8),
        7 => {
            // The length of the file stays: the rest moves, and the end, which has a place of its own, too.
            bytes[at..].rotate_left(run / 2);
        }
        _ => {
            let more = bytes[at..at + run].to_vec();
            bytes.splice(at..at, more);
        }
    }
}

fn try_forgeries(target: &Target, count: u64, seed: u64) {
    let (mut slowest, mut most) = (Duration::ZERO, 0);
    for nth in 0..count {
        let mut random = Random(seed << 32 | nth);
        let mut bytes = target.bytes.clone();
        (0..=random.below(4)).for_each(|_| change(&mut bytes, &mut random));
        if target.kind == Kind::Table && random.below(4) > 0 {
            // Else the manifest's size of it tells at once.
            bytes.resize(target.bytes.len(), 0);
        }
        let (before, begun) = (LIVE.load(Ordering::Relaxed), Instant::now());
        PEAK.store(before, Ordering::Relaxed);
        target.drive(&bytes, true);
        slowest = slowest.max(begun.elapsed());
        most = most.max(PEAK.load(Ordering::Relaxed).saturating_sub(before));
        let what = || format!("{}, seed {seed}, forgery {nth}", target.name());
        assert!(begun.elapsed() < MOST_TIME, "{}: {:?}", what(), begun.elapsed());
        assert!(most < MOST_BYTES, "{}: {most} bytes", what());
    }
    println!(
        "{}: {count} forgeries, 0 bad; at most {} KiB and {slowest:?}; seed {seed}",
        target.name(),
        most >> 10
    );
}

/// One test at a time, for one counts the memory of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn forged_files_cost_an_error_at_most() {
    let _alone = alone();
    let each = if std::env::var_os("LIGHTNING_DB_LONG").is_some() { 40_000 } else { 250 };
    let targets = targets().unwrap();
    assert!(targets.len() >= 12, "{} targets", targets.len());
    for target in &targets {
        // What is forged of nothing is as it was.
        let mut same = target.bytes.clone();
        target.seal(&mut same);
        assert_eq!(same, target.bytes, "{}: checksums", target.name());
        try_forgeries(target, each, 1);
    }
    println!("{} forgeries in all", targets.len() as u64 * each);
}

/// What the targets in `fuzz/` begin with: paths under `fuzz/seeds`, and bytes.
fn seeds() -> Vec<(PathBuf, Vec<u8>)> {
    let mut tables = 0;
    let seed = |target: Target| {
        let name = target.name();
        let kinds = [
            ("CURRENT", "current"),
            (".manifest", "manifest"),
            (".log", "log"),
            (".table", "table"),
            ("BACKUP", "backup"),
        ];
        let (_, kind) = kinds.into_iter().find(|(ending, _)| name.contains(ending)).unwrap();
        let mut bytes = target.bytes;
        if kind == "table" {
            bytes.insert(0, tables);
            tables += 1;
        }
        (Path::new(kind).join(format!("{tables:02}")), bytes)
    };
    targets().unwrap().into_iter().map(seed).collect()
}

/// Writes the seeds if it is told to. A table of another length would be cut or filled up by its target, and never read.
#[test]
fn seeds_of_the_fuzz_targets_are_those_of_today() {
    let _alone = alone();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    for (path, bytes) in seeds() {
        let path = folder.join(path);
        if std::env::var_os("LIGHTNING_DB_SEEDS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        let old = std::fs::read(&path).unwrap();
        assert_eq!(old.len(), bytes.len(), "{}: write the seeds anew", path.display());
    }
}
