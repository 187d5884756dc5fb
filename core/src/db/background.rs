//! The threads of an open database: deferred log writes, flush, compaction.

use std::time::Duration;

use crate::base::error::{Error, ErrorKind, Result};
use crate::engine::Engine;
use crate::health::BackgroundJob;
use crate::sync::{Arc, Ordering};
use crate::vfs::VfsThread;

/// An `Eventual` commit waits about this long in memory before it goes to the log.
const DEFER: Duration = Duration::from_millis(1);

/// A thread looks at its work at least this often.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

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
        let mut jobs: Vec<(String, Work)> =
            vec![("lightning-log".into(), write_deferred), ("lightning-flush".into(), flush)];
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
        self.engine.writer.flush.notify();
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
        match engine.writer.write_deferred().and_then(|()| engine.writer.sync_ahead()) {
            Ok(()) => engine.health.note(BackgroundJob::Log, None),
            Err(error) => {
                // A full disk: the records stay in memory and in order until there is room.
                note(engine, BackgroundJob::Log, error);
                engine.writer.deferred.notify();
            }
        }
    }
}

fn flush(engine: &Engine) {
    while !stopped(engine) {
        engine.writer.flush.wait(LOOK_AGAIN);
        if engine.health.is_halted() {
            return;
        }
        let sealed = engine.writer.seal_if_old();
        match sealed.and_then(|()| flush_all(engine)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Closed => return,
            Err(error) => note(engine, BackgroundJob::Flush, error),
        }
        engine.catalogue.remove_obsolete();
    }
}

fn flush_all(engine: &Engine) -> Result<()> {
    while !stopped(engine) && engine.flush_one()? {}
    Ok(())
}

/// The database is at rest if for a whole wait nothing was flushed and no compaction ended.
fn compact(engine: &Engine) {
    while !stopped(engine) {
        let flushes = engine.flushes.load(Ordering::Acquire);
        let woken = engine.compact.wait(LOOK_AGAIN);
        if engine.health.is_halted() {
            return;
        }
        match compact_all_due(engine, (!woken).then_some(flushes)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Closed || stopped(engine) => return,
            Err(error) => note(engine, BackgroundJob::Compaction, error),
        }
    }
}

/// Compacts while something is due; at rest also to free space, as long as nothing is flushed.
fn compact_all_due(engine: &Engine, at_rest_since: Option<u64>) -> Result<()> {
    let at_rest = || at_rest_since == Some(engine.flushes.load(Ordering::Acquire));
    while !stopped(engine) && engine.compact_one(at_rest())? {
        engine.writer.flush.notify();
    }
    Ok(())
}

/// Tells stalled writers and `stats` what is wrong, and lets some time pass before the next attempt.
fn note(engine: &Engine, job: BackgroundJob, error: Error) {
    engine.health.note(job, Some(error));
    engine.writer.room.notify();
    engine.catalogue.tables().vfs.sleep(BACK_OFF);
}
