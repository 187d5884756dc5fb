//! Does a script to a database, keeps its history, and compares after every step.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lightning_db::vfs::{OpenMode, Vfs};
use lightning_db::{
    BackgroundWork, BackupEngine, ConsistencyLevel, ConsistencyManager, Database, Error, ErrorKind,
    KeyspaceOptions, LightningDbConfig, Result, ScanOptions, Snapshot, WriteBatch,
};

use crate::common::small_config;
use crate::model::{Change, DEFAULT, Entries, History, Left, Op, State};
use crate::script::Step;
use crate::stepped::Stepped;

/// Where things are, under the root.
pub const DATABASE: &str = "db";
pub const BACKUP: &str = "backups/one";
pub const RESTORED: &str = "restored";

/// Shared with who looks at the disk in the middle of a call.
pub type Shared = Arc<Mutex<History>>;

/// Which errors a fault explains.
#[derive(Clone, Copy, PartialEq)]
pub enum Excuse {
    None,
    /// What an error of the operating system becomes. Damage is none: a call that fails damages nothing.
    FailedCall,
}

impl Excuse {
    fn explains(self, error: &Error) -> bool {
        self == Excuse::FailedCall
            && matches!(
                error.kind(),
                ErrorKind::Io
                    | ErrorKind::NoSpace
                    | ErrorKind::OutOfMemory
                    | ErrorKind::Halted
                    | ErrorKind::PermissionDenied
            )
    }
}

/// A database under a script.
pub struct Run {
    pub disk: Stepped,
    pub history: Shared,
    /// Errors that count as the fault's.
    pub excuse: Excuse,
    root: PathBuf,
    /// What the last failure was.
    failure: Option<ErrorKind>,
    db: Option<Database>,
    held: Option<(Snapshot, State)>,
    /// How the database was left, while it is not open.
    left: Left,
    /// Everything is read after each step.
    pub reads_all: bool,
    /// Calls that failed.
    pub failed: usize,
    /// The database was found halted.
    pub halted: bool,
    /// A repair that could not read has set records aside: there is nothing to compare any more.
    pub gave_up: bool,
}

pub fn config() -> LightningDbConfig {
    let mut config = small_config();
    // Reading ahead needs a thread; a write that finds no room in memory would wait for one.
    config.prefetch_enabled = false;
    config.lsm_config.memtable_size = 4 << 20;
    config
}

/// All that a database holds.
pub fn read_state(db: &Database) -> Result<State> {
    let mut state = State::default();
    for name in db.list_keyspaces()? {
        let space = db.keyspace(&name)?;
        let entries: Entries = space.scan(None, None)?.collect::<Result<_>>()?;
        state.0.insert(name, entries);
    }
    Ok(state)
}

/// As [`read_state`], key by key, those that are not there too.
fn read_by_key(db: &Database, expected: &State) -> Result<()> {
    for (name, entries) in &expected.0 {
        let space = db.keyspace(name)?;
        for n in 0..40 {
            let key = format!("k{n:02}").into_bytes();
            let found = space.get(&key)?.map(|value| value.to_vec());
            assert_eq!(found.as_ref(), entries.get(&key), "get {name} k{n:02}");
        }
        for (key, value) in entries {
            let found = space.get(key)?;
            assert_eq!(found.as_deref(), Some(&value[..]), "get {name} {}", key.escape_ascii());
        }
    }
    Ok(())
}

impl Run {
    /// A new database.
    pub fn new(disk: impl Vfs, excuse: Excuse) -> Self {
        Self::go_on(disk, History::default(), Left::Killed, excuse)
    }

    /// One that was left somehow.
    pub fn go_on(disk: impl Vfs, mut history: History, left: Left, excuse: Excuse) -> Self {
        history.was_left(left);
        Run {
            disk: Stepped::over(disk),
            history: Arc::new(Mutex::new(history)),
            excuse,
            root: PathBuf::from("/"),
            failure: None,
            db: None,
            held: None,
            left,
            reads_all: true,
            failed: 0,
            halted: false,
            gave_up: false,
        }
    }

    /// Everything lies under `root`.
    pub fn under(mut self, root: &Path) -> Self {
        self.root = root.to_owned();
        self
    }

    /// Where something is.
    pub fn path(&self, of: &str) -> PathBuf {
        self.root.join(of)
    }

    /// Whether the database is open, and takes no more writes.
    pub fn is_open_and_halted(&mut self) -> bool {
        self.db.is_some() && self.is_halted()
    }

    pub fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn vfs(&self) -> Arc<dyn Vfs> {
        Arc::new(self.disk.clone())
    }

    /// Does all steps, and closes. Errors: what is wrong, and where.
    pub fn all(&mut self, steps: &[Step]) -> std::result::Result<(), String> {
        for (number, step) in steps.iter().enumerate() {
            self.step(step).map_err(|why| format!("step {number} {step:?}: {why}"))?;
        }
        self.end().map_err(|why| format!("at the end: {why}"))
    }

    /// Does one step, on an open database.
    pub fn step(&mut self, step: &Step) -> std::result::Result<(), String> {
        if self.gave_up {
            return Ok(());
        }
        self.open()?;
        if self.db.is_none() {
            return Ok(());
        }
        match step {
            Step::Write(ops, level) => self.change(ops, *level, |run| run.write(ops, *level))?,
            Step::Transact(ops, level) => self.change(ops, *level, |run| run.transact(ops, *level))?,
            Step::Ingest(ops) => self.change(ops, ConsistencyLevel::Strong, |run| run.ingest(ops))?,
            Step::Abort(ops) => drop(self.judge(|run| run.abort(ops))?),
            Step::Make(name) => self.make(name)?,
            Step::Drop(name) => self.drop_space(name)?,
            Step::Flush => self.makes_durable(|run| run.db().flush())?,
            Step::Compact => self.makes_durable(|run| run.db().compact_lsm())?,
            Step::Work(work) => self.work(*work)?,
            Step::Wait(seconds) => self.disk.advance(Duration::from_secs(*seconds)),
            Step::Hold => drop(self.judge(|run| run.hold())?),
            Step::Release => self.held = None,
            Step::Backup => self.back_up()?,
            Step::Restore => self.restore()?,
            Step::Check => self.check()?,
            Step::Repair => self.repair()?,
            Step::Reopen => self.close()?,
            Step::Kill => self.kill(),
        }
        self.open()?;
        if self.reads_all || self.failed > 0 { self.compare() } else { Ok(()) }
    }

    /// Closes the database if it is open.
    pub fn end(&mut self) -> std::result::Result<(), String> {
        if self.db.is_some() { self.close() } else { Ok(()) }
    }

    fn db(&self) -> &Database {
        self.db.as_ref().expect("open")
    }

    /// `None`: it failed, and that is explained.
    fn judge<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> std::result::Result<Option<T>, String> {
        match work(self) {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.excuse.explains(&error) => {
                self.failed += 1;
                self.failure = Some(error.kind());
                Ok(None)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn is_faulty(&self) -> bool {
        self.excuse == Excuse::FailedCall
    }

    /// Opens the database if it is not open; what is found must be one of the states that may be.
    fn open(&mut self) -> std::result::Result<(), String> {
        if self.gave_up || self.db.is_some() || (self.history().damaged && !self.mend()?) {
            return Ok(());
        }
        let opened = self.judge(|run| {
            let db = Database::open_on(run.vfs(), &run.path(DATABASE), config(), true)?;
            read_state(&db).map(|found| (db, found))
        });
        let Some((db, found)) = opened.map_err(|why| format!("it does not open: {why}"))? else {
            return Ok(());
        };
        let mut history = self.history();
        let number = history.find(&found, self.left)?;
        history.settle(number, found);
        drop(history);
        self.db = Some(db);
        Ok(())
    }

    /// What is seen must be the newest state, by scans, key by key, and in the snapshot.
    fn compare(&mut self) -> std::result::Result<(), String> {
        let Some(db) = &self.db else { return Ok(()) };
        let expected = self.history().now().clone();
        let compared = (|| {
            let found = read_state(db)?;
            if found != expected {
                return Ok(Some(format!("seen [{}], expected [{}]", found.brief(), expected.brief())));
            }
            read_by_key(db, &expected)?;
            let Some((snapshot, held)) = &self.held else { return Ok(None) };
            Ok((snapshot_state(db, snapshot, held)? != *held).then(|| "the snapshot has changed".to_owned()))
        })();
        match compared {
            Ok(None) => Ok(()),
            Ok(Some(why)) => Err(why),
            Err(error) if self.excuse.explains(&error) => Ok(()),
            Err(error) => Err(format!("read: {error}")),
        }
    }

    fn batch(&self, ops: &[Op]) -> Result<WriteBatch> {
        let mut batch = WriteBatch::new();
        for op in ops {
            let space = self.db().keyspace(op.space)?;
            match &op.value {
                Some(value) => batch.put_in(&space, &op.key, value)?,
                None => batch.delete_in(&space, &op.key)?,
            }
        }
        Ok(batch)
    }

    fn write(&self, ops: &[Op], level: ConsistencyLevel) -> Result<()> {
        self.db().write_with(&self.batch(ops)?, level)
    }

    fn transact(&self, ops: &[Op], level: ConsistencyLevel) -> Result<()> {
        let tx = self.db().transaction()?;
        self.fill(&tx, ops)?;
        tx.commit_with(level)
    }

    fn fill(&self, tx: &lightning_db::Transaction, ops: &[Op]) -> Result<()> {
        for op in ops {
            let space = self.db().keyspace(op.space)?;
            tx.get_in(&space, &op.key)?;
            match &op.value {
                Some(value) => tx.put_in(&space, &op.key, value)?,
                None => tx.delete_in(&space, &op.key)?,
            }
        }
        Ok(())
    }

    fn abort(&mut self, ops: &[Op]) -> Result<()> {
        let ops = self.known(ops);
        let tx = self.db().transaction()?;
        self.fill(&tx, &ops)
    }

    fn ingest(&self, ops: &[Op]) -> Result<()> {
        let space = self.db().keyspace(ops[0].space)?;
        space.ingest(ops.iter().map(|op| (&op.key, op.value.as_deref().unwrap_or(b"")))).map(drop)
    }

    /// Those in keyspaces that are there.
    fn known(&self, ops: &[Op]) -> Vec<Op> {
        let history = self.history();
        ops.iter().filter(|op| history.now().0.contains_key(op.space)).cloned().collect()
    }

    fn change(
        &mut self,
        ops: &[Op],
        level: ConsistencyLevel,
        work: impl FnOnce(&mut Self) -> Result<()>,
    ) -> std::result::Result<(), String> {
        if self.known(ops).len() < ops.len() {
            return Ok(());
        }
        self.send(Change::Ops(ops.to_vec()), level, work)
    }

    fn make(&mut self, name: &'static str) -> std::result::Result<(), String> {
        if self.history().now().0.contains_key(name) {
            return Ok(());
        }
        let make = |run: &mut Self| run.db().create_keyspace(name, KeyspaceOptions::default()).map(drop);
        self.send(Change::Make(name), ConsistencyLevel::Strong, make)
    }

    fn drop_space(&mut self, name: &'static str) -> std::result::Result<(), String> {
        if !self.history().now().0.contains_key(name) {
            return Ok(());
        }
        self.held = None;
        self.send(Change::Drop(name), ConsistencyLevel::Strong, |run| run.db().drop_keyspace(name))
    }

    /// Makes a change. One that fails is there or not, as far as it can be read; if it is not, and the database goes
    /// on, it is never there.
    fn send(
        &mut self,
        change: Change,
        level: ConsistencyLevel,
        work: impl FnOnce(&mut Self) -> Result<()>,
    ) -> std::result::Result<(), String> {
        self.history().send(change);
        if self.judge(work)?.is_some() {
            self.history().acknowledge(level);
            return Ok(());
        }
        let seen = match read_state(self.db()) {
            Ok(seen) => seen,
            // Nobody knows: who goes on finds out.
            Err(error) if self.excuse.explains(&error) => {
                self.kill();
                return Ok(());
            }
            Err(error) => return Err(format!("read behind a failure: {error}")),
        };
        let (halted, refused) = (self.is_halted(), self.failure == Some(ErrorKind::Halted));
        let mut history = self.history();
        let sent = history.sent();
        if seen == *history.state(sent - 1) {
            // Behind a halt what the disk has is not known until it is opened again; what was refused is not there.
            if !halted || refused {
                history.take_back();
            }
            drop(history);
            if halted {
                self.kill();
            }
            return Ok(());
        }
        if seen != *history.now() {
            return Err(format!("a change that failed left [{}]", seen.brief()));
        }
        match halted {
            true => Ok(()),
            false => Err("a change that failed is there, and the database goes on".to_owned()),
        }
    }

    /// Whether no more writes are taken: a transaction says so, and changes nothing.
    fn is_halted(&mut self) -> bool {
        let is_halted = self.db().transaction().is_err_and(|error| error.kind() == ErrorKind::Halted);
        self.halted |= is_halted;
        is_halted
    }

    fn makes_durable(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<()>,
    ) -> std::result::Result<(), String> {
        match self.judge(work)? {
            Some(()) => self.history().all_durable(),
            None => drop(self.is_halted()),
        }
        Ok(())
    }

    fn work(&mut self, work: BackgroundWork) -> std::result::Result<(), String> {
        let trouble = |run: &Self| run.db().stats().map(|stats| stats.background_error);
        // A note stays until its own job goes on.
        let before = trouble(self).map_err(|error| error.to_string())?.map(|error| error.to_string());
        self.db().work_now(work);
        match trouble(self).map_err(|error| error.to_string())? {
            Some(error) if before.as_ref() == Some(&error.to_string()) => drop(self.is_halted()),
            Some(error) if !self.excuse.explains(&error) => return Err(error.to_string()),
            Some(_) => drop(self.is_halted()),
            None if self.is_halted() => {}
            None if work == BackgroundWork::Log => self.history().all_written(),
            None => {}
        }
        Ok(())
    }

    fn hold(&mut self) -> Result<()> {
        self.held = None;
        let state = self.history().now().clone();
        self.held = Some((self.db().snapshot()?, state));
        Ok(())
    }

    fn back_up(&mut self) -> std::result::Result<(), String> {
        if self.history().backed_up {
            return Ok(());
        }
        let now = self.history().now().clone();
        self.history().backup = Some(now);
        let backup = self.path(BACKUP);
        let made = self.judge(|run| BackupEngine::new(run.db()).create_backup(&backup).map(drop))?;
        let mut history = self.history();
        if made.is_some() {
            history.backed_up = true;
            history.all_durable();
        }
        Ok(())
    }

    /// Restores the backup and compares it.
    fn restore(&mut self) -> std::result::Result<(), String> {
        let there = self.vfs().file_type(&self.path(RESTORED));
        if !self.history().backed_up || there.map_or(true, |found| found.is_some()) {
            return Ok(());
        }
        self.restore_to(RESTORED).map(drop)
    }

    /// `false`: it failed, and that is explained.
    pub fn restore_to(&mut self, target: &str) -> std::result::Result<bool, String> {
        let (target, backup) = (self.path(target), self.path(BACKUP));
        let found = self.judge(|run| {
            let db = Database::restore_on(run.vfs(), &target, &backup, config())?;
            read_state(&db).and_then(|found| db.close().map(|()| found))
        })?;
        let Some(found) = found else { return Ok(false) };
        match self.history().backup == Some(found) {
            true => Ok(true),
            false => Err("the backup holds something else".to_owned()),
        }
    }

    fn check(&mut self) -> std::result::Result<(), String> {
        self.close()?;
        let manager = ConsistencyManager::with_config(config());
        let report = self.judge(|run| manager.check_on(run.vfs(), &run.path(DATABASE)))?;
        match report {
            Some(report) if !report.is_ok() && !self.is_faulty() => Err(report.to_string()),
            _ => Ok(()),
        }
    }

    /// Damages what holds no record, and repairs it: nothing is lost.
    fn repair(&mut self) -> std::result::Result<(), String> {
        self.close()?;
        self.history().damaged = true;
        self.judge(|run| run.damage())?;
        self.mend().map(drop)
    }

    /// `false`: the repair failed, and that is explained. The next open may be refused until it is done.
    fn mend(&mut self) -> std::result::Result<bool, String> {
        let manager = ConsistencyManager::with_config(config());
        let report = self.judge(|run| manager.repair_on(run.vfs(), &run.path(DATABASE)));
        let Some(report) = report.map_err(|why| format!("repair: {why}"))? else { return Ok(false) };
        if report.repair.as_ref().is_some_and(|repair| !repair.lost.is_empty()) {
            // What cannot be read counts as damaged, and is set aside.
            self.gave_up = self.is_faulty();
            let told = format!("a repair lost something: {report}");
            return if self.gave_up { Ok(false) } else { Err(told) };
        }
        self.history().damaged = false;
        Ok(true)
    }

    /// As far as the disk lets it.
    fn damage(&self) -> Result<()> {
        let path = self.path(DATABASE).join("CURRENT");
        let change = || {
            let file = self.disk.open(&path, OpenMode::ReadWrite)?;
            file.write_at(&[0x55], 20)?;
            file.sync_data()
        };
        let _: std::io::Result<()> = change();
        Ok(())
    }

    /// Everything is durable behind a close without an error.
    fn close(&mut self) -> std::result::Result<(), String> {
        self.held = None;
        self.left = Left::Killed;
        let Some(db) = self.db.take() else { return Ok(()) };
        let closed = self.judge(|_| db.close())?;
        if closed.is_some() {
            self.history().all_durable();
        }
        Ok(())
    }

    /// What is in memory is lost.
    fn kill(&mut self) {
        self.held = None;
        self.left = Left::Killed;
        let db = self.db.take();
        self.disk.dead(|| drop(db));
    }
}

/// What a snapshot sees, in the keyspaces that were there.
fn snapshot_state(db: &Database, snapshot: &Snapshot, held: &State) -> Result<State> {
    let mut state = State::default();
    for name in held.0.keys() {
        let options = match name.as_str() {
            DEFAULT => ScanOptions::all(),
            name => ScanOptions::all().in_keyspace(&db.keyspace(name)?),
        };
        state.0.insert(name.clone(), snapshot.scan_with(options)?.collect::<Result<_>>()?);
    }
    Ok(state)
}
