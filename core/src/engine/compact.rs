//! Compactions of an open database: those that are due, and those that a caller asks for.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::limits::LEVELS;
use crate::compaction::{self, Job, LevelShape, Pick, Piece, SpaceUse, Sweep, Ticket};
use crate::engine::Engine;
use crate::health::BackgroundJob;
use crate::sync::{Arc, Ordering};
use crate::version::Levels;

/// A caller whose compaction has to wait for another one looks again this often.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How far a compaction of everything has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactionProgress {
    /// Bytes of the tables to be read, as far as is known: may rise, as what is written on one level may be
    /// read again on the next, and never falls.
    pub bytes_in: u64,
    /// Bytes of them that have been read, or turned out to need no reading: never falls, and is `bytes_in` at the end.
    pub bytes_done: u64,
    /// Tables written.
    pub tables: u64,
}

/// Is told how far a compaction has got, and may end it.
type OnProgress<'a> = dyn FnMut(CompactionProgress) -> ControlFlow<()> + 'a;

/// A job that is running.
struct Taken {
    keyspace: KeyspaceId,
    levels: Arc<Levels>,
    job: Job,
    ticket: Ticket,
}

impl Taken {
    fn bytes_of_level(&self, wanted: impl Fn(usize) -> bool) -> u64 {
        let inputs = self.job.inputs.iter().filter(|(level, _)| wanted(*level));
        let size = |(level, number): &(usize, u64)| {
            let tables = self.levels.level(*level).iter();
            tables.map(|handle| handle.meta()).find(|meta| meta.number == *number).map_or(0, |meta| meta.size)
        };
        inputs.map(size).sum()
    }

    fn entries(&self) -> u64 {
        let tables = self.levels.tables().map(|handle| handle.meta());
        let is_input = |number| self.job.inputs.iter().any(|(_, input)| *input == number);
        tables.filter(|meta| is_input(meta.number)).map(|meta| meta.entries).sum()
    }
}

impl Engine {
    /// Runs the most urgent compaction that can begin now. `at_rest`: if none is due, one that frees space.
    /// `false`: there is none.
    pub fn compact_one(&self, at_rest: bool) -> Result<bool> {
        let Some(taken) = self.take_due(at_rest)? else { return Ok(false) };
        let stopped = || self.stop.load(Ordering::Acquire);
        match self.run_job(taken, &mut |_| if stopped() { Err(cancelled()) } else { Ok(()) }) {
            // A keyspace that was dropped needs no compaction.
            Err(error) if error.kind() == ErrorKind::Cancelled && !stopped() => Ok(true),
            result => result.map(|_| true),
        }
    }

    fn take_due(&self, at_rest: bool) -> Result<Option<Taken>> {
        let mut running = self.schedule.lock();
        self.health.check_write()?;
        if running.is_waited_for() {
            return Ok(None);
        }
        let view = Arc::clone(&self.catalogue.view().load());
        let held = self.held();
        let most_urgent = |pick: &dyn Fn(&LevelShape<'_>) -> Option<Pick>| {
            let sound = view.version.spaces().filter(|(id, _)| running.damage(Some(*id)).is_none());
            sound
                .filter_map(|(id, levels)| {
                    let shape = LevelShape { claims: running.claims(id), ..self.shape_of(levels, &held) };
                    pick(&shape).map(|pick| (id, levels, pick))
                })
                .max_by(|a, b| a.2.urgency.total_cmp(&b.2.urgency))
                .map(|(id, levels, pick)| (id, Arc::clone(levels), pick.job))
        };
        let mut found = most_urgent(&|shape| compaction::pick(shape));
        if found.is_none() && at_rest && !running.is_settled(&view.version, &held) {
            found = most_urgent(&compaction::pick_at_rest);
            if found.is_none() && running.count() == 0 {
                running.note_settled(&view.version, &held);
            }
        }
        Ok(found.map(|(keyspace, levels, job)| {
            let ticket = self.schedule.begin(&mut running, keyspace, &job);
            Taken { keyspace, levels, job, ticket }
        }))
    }

    /// Flushes, then merges all tables of each keyspace into its deepest level, piece by piece. Blocks until
    /// done, or until `progress` breaks it off.
    pub fn compact_all(&self, progress: &mut OnProgress<'_>) -> Result<()> {
        self.flush()?;
        let before = self.catalogue.new_file_number();
        let ids: Vec<_> = self.catalogue.view().load().version.spaces().map(|(id, _)| id).collect();
        // Counted once: for each piece, it would take the square of the number of keyspaces.
        let sweeps = ids.into_iter().map(|id| (id, Sweep::new(before)));
        let sweeps: Vec<_> = sweeps.map(|(id, sweep)| (id, self.bytes_left(id, &sweep), sweep)).collect();
        let mut of_others: u64 = sweeps.iter().map(|(_, bytes, _)| bytes).sum();
        let mut so_far = CompactionProgress::default();
        for (keyspace, at_begin, mut sweep) in sweeps {
            of_others -= at_begin;
            loop {
                let left = of_others + self.bytes_left(keyspace, &sweep);
                so_far.bytes_in = so_far.bytes_in.max(so_far.bytes_done + left);
                // What is neither left nor was read is done: another job was faster, or it was not met.
                so_far.bytes_done = so_far.bytes_in - left;
                self.report(so_far, progress)?;
                if !self.compact_piece(keyspace, &mut sweep, &mut so_far, progress)? {
                    break;
                }
            }
        }
        so_far.bytes_done = so_far.bytes_in;
        self.report(so_far, progress)
    }

    fn report(&self, so_far: CompactionProgress, progress: &mut OnProgress<'_>) -> Result<()> {
        match progress(so_far) {
            ControlFlow::Continue(()) if !self.stop.load(Ordering::Acquire) => Ok(()),
            _ => Err(cancelled()),
        }
    }

    fn bytes_left(&self, keyspace: KeyspaceId, sweep: &Sweep) -> u64 {
        let view = self.catalogue.view().load();
        let levels = view.version.space(keyspace);
        levels.map_or(0, |levels| sweep.bytes_left(&self.shape_of(levels, &[])))
    }

    /// Runs the next piece of a keyspace; `false`: there is none.
    fn compact_piece(
        &self,
        keyspace: KeyspaceId,
        sweep: &mut Sweep,
        so_far: &mut CompactionProgress,
        progress: &mut OnProgress<'_>,
    ) -> Result<bool> {
        let Some(taken) = self.take_piece(keyspace, sweep)? else { return Ok(false) };
        let Some(taken) = taken else { return Ok(true) };
        let (start, bytes, entries) = (*so_far, taken.bytes_of_level(|_| true), taken.entries());
        let mut watch = |seen: u64| {
            let part = u128::from(bytes) * u128::from(seen.min(entries)) / u128::from(entries.max(1));
            so_far.bytes_done = start.bytes_done + u64::try_from(part).unwrap_or(bytes);
            so_far.bytes_in = so_far.bytes_in.max(so_far.bytes_done);
            self.report(*so_far, progress)
        };
        let written = match self.run_job(taken, &mut watch) {
            // The keyspace was dropped: there is nothing more to merge in it.
            Err(error) if error.kind() == ErrorKind::Cancelled && self.is_gone(keyspace) => {
                return Ok(false);
            }
            result => result?,
        };
        so_far.bytes_done = start.bytes_done + bytes;
        so_far.tables += written as u64;
        Ok(true)
    }

    fn is_gone(&self, keyspace: KeyspaceId) -> bool {
        self.catalogue.view().load().version.space(keyspace).is_none()
    }

    /// `None`: all is merged. `Some(None)`: waited for another compaction, nothing taken yet.
    fn take_piece(&self, keyspace: KeyspaceId, sweep: &mut Sweep) -> Result<Option<Option<Taken>>> {
        let mut running = self.schedule.lock();
        self.health.check_write().map_err(|error| match error.kind() {
            ErrorKind::Closed => cancelled(),
            _ => error,
        })?;
        let view = Arc::clone(&self.catalogue.view().load());
        let Some(levels) = view.version.space(keyspace) else { return Ok(None) };
        let held = self.held();
        let shape = LevelShape { claims: running.claims(keyspace), ..self.shape_of(levels, &held) };
        match sweep.next(&shape, || self.catalogue.new_file_number()) {
            Piece::Run(job) => {
                let ticket = self.schedule.begin(&mut running, keyspace, &job);
                let levels = Arc::clone(levels);
                Ok(Some(Some(Taken { keyspace, levels, job, ticket })))
            }
            Piece::Wait => {
                self.schedule.wait(&mut running, LOOK_AGAIN);
                Ok(Some(None))
            }
            Piece::Done => Ok(None),
        }
    }

    /// Runs a job and notes what came of it. The tables written.
    fn run_job(&self, taken: Taken, watch: &mut dyn FnMut(u64) -> Result<()>) -> Result<usize> {
        let clock = || self.catalogue.tables().vfs.monotonic();
        let (began, from_level0) = (clock(), taken.bytes_of_level(|level| level == 0));
        let Taken { keyspace, levels, job, ticket } = taken;
        let space = (keyspace, &*levels);
        let written = compaction::run(&self.catalogue, &self.snapshots, space, (&job, self.limits), watch);
        // The inputs go, as far as nobody else reads them, before the job ends.
        drop(levels);
        self.catalogue.remove_obsolete();
        let written = written.inspect_err(|error| self.note_failure(keyspace, error))?;
        if self.schedule.lock().damage(None).is_none() {
            self.health.note(BackgroundJob::Compaction, None);
        }
        self.writer.note_compacted(from_level0, clock().saturating_sub(began));
        drop(ticket);
        // What was in the way of another thread is no more.
        self.compact.notify();
        Ok(written)
    }

    fn note_failure(&self, keyspace: KeyspaceId, error: &Error) {
        self.health.halt_unless_undone(error);
        if error.kind() == ErrorKind::Corruption {
            self.schedule.lock().note_damage(keyspace, error.clone());
        }
    }

    fn shape_of<'a>(&self, levels: &'a Levels, held: &'a [SequenceNumber]) -> LevelShape<'a> {
        let level = |level| levels.level(level).iter().map(|handle| Arc::clone(handle.meta())).collect();
        LevelShape {
            order: levels.order(),
            levels: (0..LEVELS).map(level).collect(),
            held,
            claims: Vec::new(),
            limits: self.limits,
            one_codec: levels.space().compression(true) == levels.space().compression(false),
        }
    }

    /// Held sequence numbers below what is visible now.
    fn held(&self) -> Vec<SequenceNumber> {
        let mut boundaries = self.snapshots.boundaries(self.catalogue.view());
        boundaries.pop();
        boundaries
    }

    /// Bytes of all tables, live, dead and pinned: estimated.
    pub fn space(&self) -> SpaceUse {
        let view = Arc::clone(&self.catalogue.view().load());
        let held = self.held();
        let mut sum = SpaceUse::default();
        for (_, levels) in view.version.spaces() {
            let space = self.shape_of(levels, &held).space();
            sum.total += space.total;
            sum.dead += space.dead;
            sum.pinned += space.pinned;
        }
        sum
    }
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the compaction was stopped")
}
