//! What is done to a database: one fixed script that uses everything, and random ones by seed.

use lightning_db::{BackgroundWork, ConsistencyLevel};

use crate::common::Random;
use crate::model::{DEFAULT, Op};
use ConsistencyLevel::{Eventual, Quorum, Strong};

/// For who has no other level to choose.
pub const STRONG: ConsistencyLevel = Strong;

/// One thing that is done.
#[derive(Clone, Debug)]
pub enum Step {
    /// A batch of one or more writes.
    Write(Vec<Op>, ConsistencyLevel),
    /// The same in a transaction that reads each key first.
    Transact(Vec<Op>, ConsistencyLevel),
    /// A transaction that is given up.
    Abort(Vec<Op>),
    Make(&'static str),
    Drop(&'static str),
    /// Sorted entries, past the log.
    Ingest(Vec<Op>),
    Flush,
    Compact,
    Work(BackgroundWork),
    /// So many seconds pass.
    Wait(u64),
    /// Holds a snapshot, in place of one that is held.
    Hold,
    Release,
    Backup,
    /// The backup is restored, opened and read.
    Restore,
    /// Closed, checked, and opened again.
    Check,
    /// Closed, a byte of `CURRENT` changed, repaired, and opened again.
    Repair,
    /// Closed and opened again.
    Reopen,
    /// Opened again without a close, as after a kill.
    Kill,
}

pub fn put(space: &'static str, key: impl AsRef<[u8]>, value: Vec<u8>) -> Op {
    Op { space, key: key.as_ref().to_vec(), value: Some(value) }
}

pub fn delete(space: &'static str, key: impl AsRef<[u8]>) -> Op {
    Op { space, key: key.as_ref().to_vec(), value: None }
}

/// Bytes that tell which write they are of.
fn value(of: u32, len: usize) -> Vec<u8> {
    let mut random = Random(u64::from(of));
    let words = std::iter::repeat_with(|| random.next().to_le_bytes());
    let mut bytes = format!("value {of} ").into_bytes();
    bytes.extend(words.flatten().take(len));
    bytes
}

/// Every kind of work once, and what follows from another in that order.
pub fn everything() -> Vec<Step> {
    use BackgroundWork::{Compaction, Flush as FlushWork, Log, Rest, Sync};
    let d = DEFAULT;
    let many = |space, keys: std::ops::Range<u32>, of: u32, len: usize| -> Vec<Op> {
        keys.map(|n| put(space, format!("k{n:02}"), value(of + n, len))).collect()
    };
    let one = |key: &str, of: u32, len: usize| vec![put(d, key, value(of, len))];
    let mut steps = vec![
        Step::Write(one("a", 1, 20), Strong),
        Step::Write(one("b", 2, 700), Quorum),
        Step::Write(one("b", 50, 700), Quorum),
        Step::Write(one("d", 51, 700), Quorum),
        Step::Write(one("d", 52, 20), Quorum),
        Step::Write(one("c", 3, 20), Eventual),
        Step::Work(Log),
        Step::Write(many(d, 0..8, 100, 60), Strong),
        Step::Transact(one("c", 4, 30), Quorum),
        Step::Make("ks"),
        Step::Transact([many("ks", 0..6, 200, 200), one("b", 5, 10)].concat(), Strong),
        Step::Hold,
        Step::Write(vec![delete(d, "a"), delete("ks", "k03")], Eventual),
        Step::Write(one("big", 6, 9_000), Eventual),
        Step::Flush,
        Step::Abort(one("never", 7, 10)),
    ];
    // A log that is synced by small records gets zeros ahead.
    steps.extend((0..4).map(|n| Step::Write(one("big", 10 + n, 6_000), Strong)));
    steps.extend([
        Step::Write(many(d, 4..12, 300, 300), Quorum),
        Step::Work(Sync),
        Step::Write(one("c", 20, 40), Eventual),
        Step::Wait(61),
        Step::Work(FlushWork),
        Step::Work(Compaction),
        Step::Ingest(many(d, 6..16, 400, 120)),
        Step::Write(vec![delete(d, "k07"), put(d, "d", value(21, 50))], Strong),
        Step::Backup,
        Step::Write((0..10).map(|n| delete(d, format!("k{n:02}"))).collect(), Quorum),
        Step::Compact,
        Step::Release,
        Step::Write(many(d, 8..14, 500, 90), Eventual),
        Step::Flush,
        Step::Work(Rest),
        Step::Make("tmp"),
        Step::Write([many("tmp", 0..5, 600, 80), one("e", 22, 10)].concat(), Quorum),
        Step::Drop("tmp"),
        Step::Ingest(many("ks", 2..9, 700, 150)),
        Step::Work(FlushWork),
        Step::Reopen,
        Step::Write(one("f", 23, 100), Quorum),
        Step::Write(one("f", 53, 600), Quorum),
        Step::Write(one("f", 54, 10), Quorum),
        Step::Write(one("g", 24, 5_000), Eventual),
        Step::Work(Log),
        Step::Kill,
        Step::Transact(one("g", 25, 10), Strong),
        Step::Restore,
        Step::Repair,
        Step::Make("tmp"),
        Step::Write([many("tmp", 3..7, 800, 40), vec![delete(d, "f")]].concat(), Strong),
        Step::Check,
        Step::Write(one("h", 26, 10), Quorum),
        Step::Flush,
        Step::Compact,
        Step::Write(one("i", 27, 10), Eventual),
    ]);
    steps
}

/// What is done behind a recovery: writes at each level, a flush, a compaction.
pub fn afterwards() -> Vec<Step> {
    let one = |key: &str, of: u32| vec![put(DEFAULT, key, value(of, 30))];
    vec![
        Step::Write(one("after", 900), Strong),
        Step::Write(one("after that", 901), Quorum),
        Step::Work(BackgroundWork::Flush),
        Step::Write(one("after", 902), Eventual),
        Step::Flush,
        Step::Reopen,
    ]
}

/// A random script of so many steps.
pub fn random(seed: u64, steps: usize) -> Vec<Step> {
    let mut random = Random(seed ^ 0x5c71_97f3);
    (0..steps).map(|step| random_step(&mut random, step as u32)).collect()
}

fn random_step(random: &mut Random, number: u32) -> Step {
    use BackgroundWork::{Compaction, Flush as FlushWork, Log, Rest, Sync};
    let level = [Strong, Quorum, Eventual][random.below(3) as usize];
    let works = [Log, Sync, FlushWork, Compaction, Rest];
    match random.below(100) {
        0..40 => Step::Write(random_ops(random, number), level),
        40..50 => Step::Transact(random_ops(random, number), level),
        50..52 => Step::Abort(random_ops(random, number)),
        52..54 => Step::Make(["ks", "tmp"][random.below(2) as usize]),
        54..55 => Step::Drop(["ks", "tmp"][random.below(2) as usize]),
        55..59 => Step::Ingest(random_sorted(random, number)),
        59..65 => Step::Flush,
        65..68 => Step::Compact,
        68..84 => Step::Work(works[random.below(5) as usize]),
        84..86 => Step::Wait(61),
        86..89 => Step::Hold,
        89..91 => Step::Release,
        91..92 => Step::Backup,
        92..93 => Step::Restore,
        93..94 => Step::Check,
        94..95 => Step::Repair,
        95..98 => Step::Reopen,
        _ => Step::Kill,
    }
}

fn random_ops(random: &mut Random, number: u32) -> Vec<Op> {
    let count = if random.below(4) == 0 { 1 + random.below(12) } else { 1 };
    (0..count)
        .map(|nth| {
            let space = [DEFAULT, DEFAULT, "ks", "tmp"][random.below(4) as usize];
            let key = format!("k{:02}", random.below(40));
            let len = if random.below(20) == 0 { random.below(9_000) } else { random.below(300) };
            match random.below(4) {
                0 => delete(space, key),
                _ => put(space, key, value(number * 100 + nth as u32, len as usize)),
            }
        })
        .collect()
}

fn random_sorted(random: &mut Random, number: u32) -> Vec<Op> {
    let space = [DEFAULT, "ks"][random.below(2) as usize];
    let first = random.below(30) as u32;
    let keys = first..first + 1 + random.below(12) as u32;
    keys.map(|n| put(space, format!("k{n:02}"), value(number * 100 + n, 80))).collect()
}
