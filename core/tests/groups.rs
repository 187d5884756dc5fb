//! Group commit: what is shared, and who fails with whom.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use common::held_log::HeldLogVfs;
use common::{FOLDER, entries, small_config, wait_until};
use lightning_db::vfs::{Call, Fault, Keep, RecordingVfs, Vfs};
use lightning_db::{ConsistencyLevel, Database, ErrorKind, Result, Transaction};

/// Commits that pile up behind one whose log write is held.
const CROWD: usize = 6;

struct Scene {
    db: Database,
    vfs: HeldLogVfs,
    calls: RecordingVfs,
}

impl Scene {
    fn new(optimized: bool, sync_time: Duration) -> Self {
        let vfs = HeldLogVfs::new(sync_time);
        let calls = RecordingVfs::new(Arc::new(vfs.clone()));
        let mut config = small_config();
        config.lsm_config.memtable_size = 1 << 20;
        config.use_optimized_transactions = optimized;
        let shared: Arc<dyn Vfs> = Arc::new(calls.clone());
        Scene { db: Database::open_on(shared, Path::new(FOLDER), config, true).unwrap(), vfs, calls }
    }

    /// Holds the log write of one commit, lets `works` run, each on a thread of its own, until they wait for
    /// it, then lets all go on. What they returned, and the log writes and syncs from the held one on.
    fn crowd<'a>(
        &'a self,
        works: Vec<Box<dyn FnOnce() -> Result<()> + Send + 'a>>,
        at_the_gate: impl FnOnce(),
    ) -> (Vec<Result<()>>, usize, usize) {
        self.calls.take();
        self.vfs.gate.close();
        let ready = &Barrier::new(works.len() + 1);
        let outcomes = std::thread::scope(|scope| {
            let first =
                scope.spawn(|| self.db.put_with_consistency(b"first", b"1", ConsistencyLevel::Quorum));
            self.vfs.gate.wait_for_write();
            let threads: Vec<_> = works
                .into_iter()
                .map(|work| {
                    scope.spawn(move || {
                        ready.wait();
                        work()
                    })
                })
                .collect();
            ready.wait();
            // Mostly enough for all of them to come to the section that the first one is in.
            std::thread::sleep(Duration::from_millis(50));
            at_the_gate();
            self.vfs.gate.open();
            first.join().unwrap().unwrap();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let made = self.calls.take();
        let is_log = |path: &Path| path.extension().is_some_and(|extension| extension == "log");
        let count = |wanted: &dyn Fn(&Call) -> bool| made.iter().filter(|call| wanted(call)).count();
        let writes = count(&|call| matches!(call, Call::WriteAt { path, .. } if is_log(path)));
        let syncs = count(&|call| matches!(call, Call::SyncData { path } if is_log(path)));
        (outcomes, writes, syncs)
    }

    /// A transaction that has written a key of its own.
    fn writing(&self, key: u8) -> Transaction {
        let tx = self.db.transaction().unwrap();
        tx.get([key]).unwrap();
        tx.put([key], b"written").unwrap();
        tx
    }
}

/// Makes a crowd again and again until one is in time: a thread that comes late is not in the group.
fn in_time(scene: impl FnMut() -> bool) {
    wait_until("a crowd that is in time", scene);
}

fn commits<'a>(
    transactions: Vec<Transaction>,
    level: ConsistencyLevel,
) -> Vec<Box<dyn FnOnce() -> Result<()> + Send + 'a>> {
    transactions.into_iter().map(|tx| Box::new(move || tx.commit_with(level)) as _).collect()
}

#[test]
fn transactions_that_commit_at_once_share_a_log_write_and_a_sync() {
    for (optimized, level) in [
        (true, ConsistencyLevel::Strong),
        (false, ConsistencyLevel::Strong),
        (true, ConsistencyLevel::Quorum),
        (false, ConsistencyLevel::Quorum),
    ] {
        in_time(|| {
            let scene = Scene::new(optimized, Duration::from_millis(1));
            let transactions = (0..CROWD as u8).map(|key| scene.writing(key)).collect();
            let (outcomes, writes, syncs) = scene.crowd(commits(transactions, level), || ());
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
            assert_eq!(entries(&scene.db).len(), CROWD + 1);
            let strong = level == ConsistencyLevel::Strong;
            if !optimized {
                assert_eq!((writes, syncs), (1 + CROWD, if strong { CROWD } else { 0 }), "{level:?}");
                return true;
            }
            assert_eq!(syncs > 0, strong);
            // One write for the held commit and one for the group.
            writes == 2 && syncs <= 1
        });
    }
}

#[test]
fn writes_without_a_transaction_are_grouped_whatever_the_option_says() {
    in_time(|| {
        let scene = Scene::new(false, Duration::ZERO);
        let put = |key: u8, level| {
            let db = &scene.db;
            Box::new(move || db.put_with_consistency([key], [key], level)) as _
        };
        let levels = [ConsistencyLevel::Eventual, ConsistencyLevel::Quorum, ConsistencyLevel::Strong];
        let works = (0..CROWD as u8).map(|key| put(key, levels[usize::from(key) % 3])).collect();
        let (outcomes, writes, syncs) = scene.crowd(works, || ());
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        let expected: Vec<_> = (0..CROWD as u8).map(|key| (vec![key], vec![key])).collect();
        assert_eq!(entries(&scene.db)[..CROWD], expected);
        writes == 2 && syncs == 1
    });
}

#[test]
fn who_conflicts_inside_a_group_fails_alone() {
    let scene = Scene::new(true, Duration::ZERO);
    let mut transactions: Vec<_> = (0..3).map(|key| scene.writing(key)).collect();
    // Three that read and write one key: whichever is first in the group wins.
    transactions.extend((0..3).map(|_| scene.writing(9)));
    let (outcomes, ..) = scene.crowd(commits(transactions, ConsistencyLevel::Quorum), || ());
    assert!(outcomes[..3].iter().all(Result::is_ok), "{outcomes:?}");
    let lost: Vec<_> = outcomes[3..].iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(lost.len(), 2, "{outcomes:?}");
    assert!(lost.iter().all(|error| error.kind() == ErrorKind::Conflict), "{lost:?}");
    assert_eq!(entries(&scene.db).len(), 5);
}

#[test]
fn a_log_write_that_fails_takes_the_whole_group_back() {
    let scene = Scene::new(true, Duration::ZERO);
    // Reads what the group writes, and stays open: the window of recent commits must forget the group.
    let onlooker = scene.db.transaction().unwrap();
    (0..CROWD as u8).for_each(|key| assert_eq!(onlooker.get([key]).unwrap(), None));
    onlooker.put(b"onlooker", b"1").unwrap();
    let transactions = (0..CROWD as u8).map(|key| scene.writing(key)).collect();
    let disk = &scene.vfs.disk;
    // The held write is made; those behind it find the disk full.
    let fill = || (1..20).for_each(|call| disk.fail_call(disk.calls() + call, Fault::Os(28)));
    let (outcomes, ..) = scene.crowd(commits(transactions, ConsistencyLevel::Strong), fill);
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().unwrap_err().kind()).collect();
    // A cut of the tail fails too, and halts; whoever came behind it is told so.
    assert!(kinds.iter().all(|kind| matches!(kind, ErrorKind::NoSpace | ErrorKind::Halted)), "{kinds:?}");
    assert_eq!(entries(&scene.db).len(), 1, "only the held one is visible");
    drop((onlooker, scene.db));
    let found = scene.vfs.disk.crash(Keep::All);
    assert_eq!(entries(&common::open(&found).unwrap()).len(), 1);
}

#[test]
fn a_group_that_found_no_room_leaves_nothing_behind() {
    // One write is for most of them.
    in_time(|| fails_without_room() >= CROWD / 2);
}

/// How many of a crowd find no room, of whom nothing may be left.
fn fails_without_room() -> usize {
    let scene = Scene::new(true, Duration::ZERO);
    let onlooker = scene.db.transaction().unwrap();
    (0..CROWD as u8).for_each(|key| assert_eq!(onlooker.get([key]).unwrap(), None));
    onlooker.put(b"onlooker", b"1").unwrap();
    let transactions = (0..CROWD as u8).map(|key| scene.writing(key)).collect();
    let disk = &scene.vfs.disk;
    let fill = || disk.fail_call(disk.calls() + 1, Fault::Os(28));
    let (outcomes, ..) = scene.crowd(commits(transactions, ConsistencyLevel::Quorum), fill);
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert_eq!(entries(&scene.db).len(), 1 + CROWD - failed, "who was told of a failure is not there");
    let committed = outcomes.iter().any(Result::is_ok);
    match onlooker.commit() {
        Ok(()) => assert!(!committed),
        Err(error) => assert!(committed && error.kind() == ErrorKind::Conflict, "{error}"),
    }
    scene.db.put(b"later", b"1").unwrap();
    failed
}

/// In lock-step, each sync lets go of all and the next one has all of them again.
#[test]
fn strong_commits_share_syncs_and_by_themselves_do_not() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 20;
    for optimized in [true, false] {
        in_time(|| {
            let scene = Scene::new(optimized, Duration::from_millis(2));
            scene.calls.take();
            std::thread::scope(|scope| {
                for thread in 0..THREADS as u8 {
                    let db = &scene.db;
                    scope.spawn(move || {
                        (0..ROUNDS as u8)
                            .for_each(|round| db.transact(|tx| tx.put([thread, round], b"v")).unwrap());
                    });
                }
            });
            let syncs = scene.calls.count(|call| matches!(call, Call::SyncData { .. }));
            assert_eq!(entries(&scene.db).len(), THREADS * ROUNDS);
            if !optimized {
                assert_eq!(syncs, THREADS * ROUNDS);
            }
            !optimized || syncs <= THREADS * ROUNDS * 3 / 4
        });
    }
}
