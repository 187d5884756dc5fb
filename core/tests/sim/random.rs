//! Long random runs with all faults mixed. A run that fails is made shorter, and printed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lightning_db::BackgroundWork;
use lightning_db::ConsistencyLevel::{Eventual, Quorum, Strong};
use lightning_db::vfs::{Keep, Leaves, MemoryVfs};

use crate::common::Random;
use crate::model::{History, Left};
use crate::recover::{first_seed, keeps, left, recover_with, scale};
use crate::run::{Excuse, Run};
use crate::script::{self, Step};

/// What is done, or happens to the disk.
#[derive(Clone, Debug)]
enum Item {
    Do(Step),
    /// The call that is so far ahead fails.
    Fail(u64, i32, Leaves),
    /// All from the one so far ahead fail.
    FailFrom(u64, i32, Leaves),
    FailRead(u64, i32),
    FailReadsFrom(u64, i32),
    /// So much room is left.
    Full(u64),
    /// Nothing fails any more, and there is room.
    Heal,
    /// The machine stops before the call that is so far ahead.
    Crash(u64, Keep),
}

const ERRORS: [i32; 3] = [5, 28, 24];

fn plan(seed: u64, len: usize) -> Vec<Item> {
    let mut random = Random(seed);
    let mut steps = script::random(seed, len).into_iter();
    let mut items = Vec::new();
    while items.len() < len {
        let error = ERRORS[random.below(3) as usize];
        let ahead = random.below(12);
        let leaves = [Leaves::Nothing, Leaves::Part(random.next()), Leaves::All][random.below(3) as usize];
        items.push(match random.below(40) {
            0 => Item::Fail(ahead, error, leaves),
            1 if random.below(3) == 0 => Item::FailFrom(ahead, error, leaves),
            2 => Item::FailRead(random.below(60), error),
            3 if random.below(6) == 0 => Item::FailReadsFrom(random.below(60), error),
            4 if random.below(3) == 0 => Item::Full(random.below(6_000)),
            5..8 => Item::Heal,
            8 | 9 => {
                let all = keeps(random.next() >> 20, 1);
                Item::Crash(ahead * 2, all[random.below(all.len() as u64) as usize])
            }
            _ => Item::Do(steps.next().unwrap_or(Step::Flush)),
        });
    }
    items
}

/// One disk after the other, each with what the crash of the last one has left.
struct World {
    seed: u64,
    disk: MemoryVfs,
    run: Run,
    cut: Option<(u64, Keep)>,
    told: Told,
}

/// What has happened in a run.
#[derive(Clone, Copy, Default)]
struct Told {
    changes: usize,
    crashes: usize,
    failures: usize,
    gave_up: usize,
}

impl Told {
    fn add(&mut self, other: Told) {
        self.changes += other.changes;
        self.crashes += other.crashes;
        self.failures += other.failures;
        self.gave_up += other.gave_up;
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let disk = MemoryVfs::with_seed(seed);
        let run = Self::run(&disk, History::default(), Left::Killed);
        World { seed, disk, run, cut: None, told: Told::default() }
    }

    fn run(disk: &MemoryVfs, history: History, left: Left) -> Run {
        let mut run = Run::go_on(disk.clone(), history, left, Excuse::FailedCall);
        run.reads_all = false;
        run
    }

    fn go(&mut self, item: &Item) -> Result<(), String> {
        if self.run.gave_up {
            return Ok(());
        }
        let (calls, reads) = (self.disk.calls(), self.disk.reads());
        match *item {
            Item::Do(ref step) => self.run.step(step)?,
            Item::Fail(ahead, error, leaves) => self.disk.fail_call_with(calls + ahead, error, leaves),
            Item::FailFrom(ahead, error, leaves) => self.disk.fail_from(calls + ahead, error, leaves),
            Item::FailRead(ahead, error) => self.disk.fail_read(reads + ahead, error),
            Item::FailReadsFrom(ahead, error) => self.disk.fail_reads_from(reads + ahead, error),
            Item::Full(room) => self.disk.set_room(room),
            Item::Heal => self.heal(),
            Item::Crash(ahead, keep) if self.cut.is_none() => {
                self.disk.cut_at(calls + ahead);
                self.cut = Some((calls + ahead, keep));
            }
            Item::Crash(..) => {}
        }
        match self.cut {
            Some((cut, keep)) if self.disk.calls() > cut => {
                self.crash(keep);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn heal(&mut self) {
        self.disk.heal();
        self.disk.set_space(None);
    }

    fn count(&mut self) {
        let changes = self.run.history().sent();
        let (failures, gave_up) = (self.run.failed, usize::from(self.run.gave_up));
        self.told.add(Told { changes: 0, crashes: 1, failures, gave_up });
        self.told.changes = self.told.changes.max(changes);
    }

    fn crash(&mut self, keep: Keep) {
        self.count();
        let disk = self.disk.crash(keep);
        let history = self.run.history().clone();
        self.run = Self::run(&disk, history, left(keep));
        (self.disk, self.cut) = (disk, None);
    }

    /// All that was acknowledged is there, and the database works.
    fn end(&mut self) -> Result<(), String> {
        if self.run.gave_up {
            self.count();
            return Ok(());
        }
        let mut random = Random(self.seed ^ 0xe0d);
        let all = keeps(random.next() >> 20, 1);
        self.crash(all[random.below(all.len() as u64) as usize]);
        self.heal();
        let history = self.run.history().clone();
        // `crash` has taken the power-cut into account.
        recover_with(&self.disk, &history, Left::Killed, Excuse::None)
    }
}

/// What is wrong with a plan; what has happened.
fn outcome(seed: u64, plan: &[Item]) -> (Option<String>, Told) {
    let mut told = Told::default();
    let work = || {
        let mut world = World::new(seed);
        for (number, item) in plan.iter().enumerate() {
            world.go(item).map_err(|why| format!("item {number} {item:?}: {why}"))?;
        }
        let end = world.end().map_err(|why| format!("at the end: {why}"));
        told = world.told;
        end
    };
    let why = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome.err(),
        Err(panic) => Some(match panic.downcast_ref::<String>() {
            Some(message) => format!("panic: {message}"),
            None => "panic".to_owned(),
        }),
    };
    (why, told)
}

/// A shorter plan that fails too: halves are left out, then quarters, and so on.
fn shorten(mut plan: Vec<Item>, fails: impl Fn(&[Item]) -> bool) -> Vec<Item> {
    let mut piece = plan.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < plan.len() {
            let mut less = plan.clone();
            less.drain(at..(at + piece).min(plan.len()));
            if fails(&less) {
                plan = less;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    plan
}

/// Items of a run.
const ITEMS: usize = 160;

/// Panics if a run fails, with a shorter one.
fn check(seed: u64) -> Told {
    let plan = plan(seed, ITEMS);
    let (why, told) = outcome(seed, &plan);
    if why.is_some() {
        let short = shorten(plan, |less| outcome(seed, less).0.is_some());
        let why = outcome(seed, &short).0.unwrap_or_default();
        let lines: Vec<_> = short.iter().map(|item| format!("  {item:?}")).collect();
        panic!("seed {seed}: {why}\nSIM_SEED={seed}, in {} items:\n{}", short.len(), lines.join("\n"));
    }
    told
}

#[test]
fn random_runs_with_all_faults_lose_nothing() {
    let seeds = first_seed()..first_seed() + 1_000 * scale();
    let mut all = Told::default();
    seeds.clone().for_each(|seed| all.add(check(seed)));
    let items = ITEMS * seeds.clone().count();
    let Told { changes, crashes, failures, gave_up } = all;
    println!(
        "random: seeds {seeds:?}, {items} items, {changes} changes, {crashes} crashes, {failures} calls told that \
         they failed, {gave_up} given up by a repair that could not read, 0 bad"
    );
}

/// What was left of a random run: behind syncs that failed and dropped what they were to write, an opening removed a log, and
/// after a power cut the manifest named it.
#[test]
fn a_log_is_removed_only_once_the_manifest_is_on_the_disk() {
    let put = |space, key, len: u8| vec![script::put(space, key, vec![len; usize::from(len)])];
    let delete = |space, key| vec![script::delete(space, key)];
    let items = [
        Item::Do(Step::Write(put("tmp", "k20", 255), Quorum)),
        Item::FailFrom(2, 5, Leaves::All),
        Item::Do(Step::Transact(delete("default", "k06"), Eventual)),
        Item::Do(Step::Flush),
        Item::Do(Step::Transact(put("default", "k25", 217), Strong)),
        Item::Crash(8, Keep::Hole(4_467_061_564_219_000)),
        Item::Do(Step::Transact(put("default", "k38", 255), Eventual)),
        Item::FailFrom(1, 28, Leaves::Part(10_522_277_143_792_344_604)),
        Item::Do(Step::Abort(put("default", "k03", 137))),
        Item::Do(Step::Write(delete("default", "k12"), Quorum)),
        Item::Do(Step::Write(put("default", "k25", 187), Eventual)),
        Item::Do(Step::Work(BackgroundWork::Sync)),
        Item::Do(Step::Make("tmp")),
        Item::Do(Step::Transact(put("default", "k38", 139), Quorum)),
        Item::Do(Step::Write(delete("tmp", "k34"), Quorum)),
        Item::Do(Step::Work(BackgroundWork::Sync)),
        Item::Fail(5, 5, Leaves::Part(2_023_226_648_643_741_393)),
        Item::Do(Step::Work(BackgroundWork::Flush)),
        Item::Crash(10, Keep::Names),
        Item::Do(Step::Write(put("default", "k28", 154), Quorum)),
    ];
    assert_eq!(outcome(1399, &items).0, None);
}

/// What was left of a random run: the sync of the folder in which the folder of backups was made failed, and the next backup
/// took that folder as it was.
#[test]
fn a_backup_lies_in_a_folder_that_is_on_the_disk() {
    let write = || Item::Do(Step::Write(vec![script::put("default", "k18", vec![7; 20])], Strong));
    let items = [
        Item::Do(Step::Release),
        Item::Fail(1, 5, Leaves::Nothing),
        Item::Do(Step::Backup),
        Item::Do(Step::Backup),
        Item::Crash(0, Keep::Durable),
        write(),
        write(),
    ];
    assert_eq!(outcome(1, &items).0, None);
}

/// The search for a shorter plan works: it ends with the two items that matter.
#[test]
fn a_plan_that_fails_is_made_short() {
    let matters = |item: &Item| matches!(item, Item::Full(7) | Item::Heal);
    let fails = |plan: &[Item]| plan.iter().filter(|item| matters(item)).count() == 2;
    let mut plan: Vec<_> = (0..50).map(|n| Item::FailRead(n, 5)).collect();
    plan[11] = Item::Full(7);
    plan[40] = Item::Heal;
    let short = shorten(plan, |less| fails(less));
    assert!(short.len() == 2 && short.iter().all(matters), "{short:?}");
}
