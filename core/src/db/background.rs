//! The threads of an open database: deferred log writes, syncs, flush, memory, compaction.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::base::error::{Error, ErrorKind, Result};
use crate::db::database::Database;
use crate::engine::Engine;
use crate::health::BackgroundJob;
use crate::memtable::Chunks;
use crate::sync::{Arc, Ordering};
use crate::vfs::VfsThread;

/// An `Eventual` commit waits about this long in memory before it goes to the log.
const DEFER: Duration = Duration::from_millis(1);

/// A thread looks at its work at least this often.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// The database is at rest if for so long little is written ...
const REST: Duration = Duration::from_millis(100);

/// ... that is, no more than the smallest level may hold, divided by this.
const LITTLE: u64 = 2;

/// A failed job is not tried again sooner than this.
const BACK_OFF: Duration = Duration::from_millis(100);

/// What a thread does until it is stopped.
type Work = fn(&Engine);

/// The running threads.
pub(super) struct Background {
    engine: Arc<Engine>,
    threads: Vec<Box<dyn VfsThread>>,
}

impl Background {
    /// Starts the threads. If one cannot be started, those that run are stopped again.
    pub fn start(engine: &Arc<Engine>, compactions: usize) -> Result<Self> {
        let mut background = Background { engine: Arc::clone(engine), threads: Vec::new() };
        let mut jobs: Vec<(String, Work)> = vec![
            ("lightning-log".into(), write_deferred),
            ("lightning-sync".into(), sync_ahead),
            ("lightning-flush".into(), flush),
            ("lightning-memory".into(), prepare_memory),
        ];
        for number in 1..=compactions {
            let suffix = if number > 1 { format!("-{number}") } else { String::new() };
            jobs.push((format!("lightning-compact{suffix}"), compact));
        }
        for (name, job) in jobs {
            let engine = Arc::clone(engine);
            let vfs = &background.engine.catalogue.tables().vfs;
            match vfs.spawn(&name, Box::new(move || run(&engine, job))) {
                Ok(thread) => background.threads.push(thread),
                Err(error) => {
                    background.stop();
                    return Err(Error::io("start a thread for", &engine_folder(&background.engine), error));
                }
            }
        }
        engine.writer.flush.notify();
        engine.compact.notify();
        Ok(background)
    }

    /// Ends the threads and waits for them. A running flush is finished, a compaction is abandoned.
    pub fn stop(&mut self) {
        self.engine.stop.store(true, Ordering::Release);
        self.engine.writer.deferred.notify();
        self.engine.writer.ahead().notify();
        self.engine.writer.flush.notify();
        chunks_of(&self.engine).few().notify();
        self.engine.compact.notify();
        for thread in self.threads.drain(..) {
            thread.join();
        }
    }
}

/// A panic (of a comparator) halts: without this thread, writers would wait for ever.
fn run(engine: &Engine, job: Work) {
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(engine))).is_err() {
        engine.health.halt(&Error::new(ErrorKind::Internal, "a background thread panicked"));
        engine.writer.room.notify();
    }
}

fn engine_folder(engine: &Engine) -> std::path::PathBuf {
    engine.catalogue.tables().folder.clone()
}

fn stopped(engine: &Engine) -> bool {
    engine.stop.load(Ordering::Acquire)
}

fn write_deferred(engine: &Engine) {
    while !stopped(engine) {
        engine.writer.deferred.wait(LOOK_AGAIN);
        engine.catalogue.tables().vfs.sleep(DEFER);
        if stopped(engine) || engine.health.is_halted() {
            return;
        }
        write_deferred_now(engine);
    }
}

fn write_deferred_now(engine: &Engine) {
    match engine.writer.write_deferred() {
        Ok(()) => engine.health.note(BackgroundJob::Log, None),
        Err(error) => {
            // A full disk: the records stay in memory and in order until there is room.
            note(engine, BackgroundJob::Log, error);
            engine.writer.deferred.notify();
        }
    }
}

/// Syncs the log while it is written, so that who seals it waits for little.
fn sync_ahead(engine: &Engine) {
    while !stopped(engine) {
        let is_due = engine.writer.ahead().wait(LOOK_AGAIN);
        if stopped(engine) || engine.health.is_halted() {
            return;
        }
        // A failure halts the database.
        if is_due && engine.writer.sync_ahead().is_err() {
            return;
        }
    }
}

/// Keeps memory at hand for writes, and none for long that they do not need.
fn prepare_memory(engine: &Engine) {
    let chunks = chunks_of(engine);
    while !stopped(engine) {
        let is_due = chunks.few().wait(LOOK_AGAIN);
        if stopped(engine) || engine.health.is_halted() {
            return;
        }
        if is_due {
            chunks.prepare();
        }
        chunks.trim(engine.catalogue.tables().vfs.monotonic());
    }
}

fn chunks_of(engine: &Engine) -> Arc<Chunks> {
    Arc::clone(engine.catalogue.view().load().active.chunks())
}

fn flush(engine: &Engine) {
    while !stopped(engine) {
        engine.writer.flush.wait(LOOK_AGAIN);
        if engine.health.is_halted() || flush_now(engine).is_break() {
            return;
        }
    }
}

/// What is old or sealed is flushed, and files that nobody needs go. `Break`: the database is closed.
fn flush_now(engine: &Engine) -> ControlFlow<()> {
    let sealed = engine.writer.seal_if_old();
    match sealed.and_then(|()| flush_all(engine)) {
        Ok(()) => engine.refill_flushed(),
        Err(error) if error.kind() == ErrorKind::Closed => return ControlFlow::Break(()),
        Err(error) => note(engine, BackgroundJob::Flush, error),
    }
    engine.catalogue.remove_obsolete();
    ControlFlow::Continue(())
}

fn flush_all(engine: &Engine) -> Result<()> {
    while !stopped(engine) && engine.flush_one()? {}
    Ok(())
}

fn compact(engine: &Engine) {
    let mut settled = false;
    while !stopped(engine) {
        let before = Written::by(engine);
        let woken = engine.compact.wait(if settled { LOOK_AGAIN } else { REST });
        if engine.health.is_halted() {
            return;
        }
        let rests = !woken && before.is_about(&Written::by(engine));
        match compact_all_due(engine, rests.then_some(before.flushes)) {
            Ok(()) => settled = rests,
            Err(error) if error.kind() == ErrorKind::Closed || stopped(engine) => return,
            Err(error) => note(engine, BackgroundJob::Compaction, error),
        }
    }
}

/// Work of the background threads, to be done by a test whose `Vfs` starts no threads: one turn of a thread that has
/// been woken.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackgroundWork {
    /// Writes what `Eventual` commits left in memory.
    Log,
    /// Syncs the log.
    Sync,
    /// Flushes what is old or sealed, and removes files.
    Flush,
    /// Compacts what is due.
    Compaction,
    /// Compacts what a database at rest does.
    Rest,
}

impl Database {
    /// Does some background work in the calling thread.
    #[doc(hidden)]
    pub fn work_now(&self, work: BackgroundWork) {
        let engine = &**self.engine();
        if stopped(engine) || engine.health.is_halted() {
            return;
        }
        match work {
            BackgroundWork::Log => write_deferred_now(engine),
            // A failure halts the database.
            BackgroundWork::Sync => drop(engine.writer.sync_ahead()),
            BackgroundWork::Flush => drop(flush_now(engine)),
            BackgroundWork::Compaction | BackgroundWork::Rest => {
                let rests = work == BackgroundWork::Rest;
                let since = rests.then(|| engine.flushes.load(Ordering::Acquire));
                if let Err(error) = compact_all_due(engine, since) {
                    note(engine, BackgroundJob::Compaction, error);
                }
            }
        }
    }
}

/// What has been written at some instant.
struct Written {
    flushes: u64,
    sealed: usize,
    active_bytes: usize,
    little: u64,
}

impl Written {
    fn by(engine: &Engine) -> Self {
        let view = engine.catalogue.view().load();
        Written {
            flushes: engine.flushes.load(Ordering::Acquire),
            sealed: view.sealed.len(),
            active_bytes: view.active.memory_usage(),
            little: engine.limits.smallest_level / LITTLE,
        }
    }

    /// Whether little has been written since and nothing waits for its flush: the database is at rest.
    fn is_about(&self, now: &Written) -> bool {
        let flushed = (self.flushes, now.sealed) != (now.flushes, 0);
        !flushed && now.active_bytes.saturating_sub(self.active_bytes) as u64 <= self.little
    }
}

/// Compacts while something is due; at rest also what is not urgent, as long as nothing is flushed.
fn compact_all_due(engine: &Engine, at_rest_since: Option<u64>) -> Result<()> {
    let at_rest = || at_rest_since == Some(engine.flushes.load(Ordering::Acquire));
    while !stopped(engine) && engine.compact_one(at_rest())? {
        engine.writer.flush.notify();
    }
    Ok(())
}

/// Tells stalled writers and `stats` what is wrong, and lets some time pass before the next attempt.
fn note(engine: &Engine, job: BackgroundJob, error: Error) {
    if error.kind() == ErrorKind::NoSpace {
        engine.writer.give_back();
    }
    engine.health.note(job, Some(error));
    engine.writer.room.notify();
    engine.catalogue.tables().vfs.sleep(BACK_OFF);
}
