//! Group commit: commits that reach the section at the same time are made by the first that enters it.
//!
//! Nobody waits for company: a commit that finds the section free goes through by itself, and takes along
//! what stands in the queue. One that finds it busy leaves a copy in the queue and waits for the section;
//! when it enters, its commit has mostly been made by another.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::config::ConsistencyLevel;
use crate::base::error::{Error, ErrorKind, Result};
use crate::batch::WriteBatch;
use crate::metrics::{Counter, Timed, Timer};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering, looks, spin_loop};
use crate::write::commit::{Checked, Member, Section, Writer};
use crate::write::group_sync::Position;
use crate::write::stall::Waiter;

/// A batch larger than this is not copied for another thread: it waits for the section.
const MAX_COPIED_BYTES: usize = 64 << 10;

/// A section that is busy is tried so often before a commit goes into the queue: most are short.
const TRIES: usize = looks(100);

/// A commit in the queue looks so often whether it is made, or the section free, before it goes to sleep: to be woken takes
/// longer than most commits, and the one in the section pays for it.
const LOOKS: usize = looks(400);

/// A group that has this many bytes takes no further member.
const MAX_GROUP_BYTES: usize = 1 << 20;

/// Commits that wait for the section, oldest first.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<VecDeque<Arc<Request>>>,
    /// Their number, to be looked at without the lock.
    len: AtomicUsize,
}

/// A commit that any thread in the section may make.
struct Request {
    batch: WriteBatch,
    level: ConsistencyLevel,
    check: Option<Checked>,
    /// Set inside the section.
    outcome: Mutex<Option<Result<Position>>>,
    /// Set behind it.
    done: AtomicBool,
}

impl Request {
    fn new(batch: WriteBatch, level: ConsistencyLevel, check: Option<Checked>) -> Arc<Self> {
        Arc::new(Request { batch, level, check, outcome: Mutex::new(None), done: AtomicBool::new(false) })
    }

    fn member(&self) -> Member<'_> {
        Member::new(&self.batch, self.level, self.check.as_ref())
    }

    /// Keeps the first outcome.
    fn end(&self, outcome: impl FnOnce() -> Option<Result<Position>>) {
        let mut own = self.outcome.lock();
        if own.is_none() {
            *own = outcome();
        }
        self.done.store(own.is_some(), Ordering::Release);
    }

    fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }
}

/// Requests that were taken from the queue. Those without an outcome fail when this is dropped: whoever
/// took them has panicked.
struct Taken(Vec<Arc<Request>>);

impl Drop for Taken {
    fn drop(&mut self) {
        for request in &self.0 {
            let panicked = "the thread that made this commit panicked";
            request.end(|| Some(Err(Error::new(ErrorKind::Internal, panicked))));
        }
    }
}

impl Queue {
    fn push(&self, request: &Arc<Request>) {
        let mut waiting = self.waiting.lock();
        waiting.push_back(Arc::clone(request));
        self.len.store(waiting.len(), Ordering::Release);
    }

    /// Takes a request back; `false` if a thread in the section has taken it.
    fn withdraw(&self, request: &Arc<Request>) -> bool {
        let mut waiting = self.waiting.lock();
        let place = waiting.iter().position(|other| Arc::ptr_eq(other, request));
        let withdrawn = place.and_then(|place| waiting.remove(place)).is_some();
        self.len.store(waiting.len(), Ordering::Release);
        withdrawn
    }

    /// Takes the oldest requests, up to a group's worth. Called inside the section.
    fn take(&self) -> Taken {
        let mut taken = Vec::new();
        if self.len.load(Ordering::Acquire) == 0 {
            return Taken(taken);
        }
        let mut waiting = self.waiting.lock();
        let mut bytes = 0;
        while bytes < MAX_GROUP_BYTES
            && let Some(request) = waiting.pop_front()
        {
            bytes += request.batch.size();
            taken.push(request);
        }
        self.len.store(waiting.len(), Ordering::Release);
        Taken(taken)
    }
}

impl Writer {
    /// Commits a batch: all of it or nothing. Visible to readers before it is synced, acknowledged (this
    /// call returns) as `level` says. Blocks while flush and compaction are behind.
    pub fn commit(&self, batch: &WriteBatch, level: ConsistencyLevel) -> Result<()> {
        self.commit_within(batch, level, None)
    }

    /// As [`Writer::commit`]; `TimedOut`, with nothing written, if back pressure lasts longer than `patience`.
    pub fn commit_within(
        &self,
        batch: &WriteBatch,
        level: ConsistencyLevel,
        patience: Option<Duration>,
    ) -> Result<()> {
        self.health.check_write()?;
        if batch.is_empty() {
            return Ok(());
        }
        self.check_instance(batch)?;
        let timer = self.health.meters.begin(Timed::Write);
        let mut waiter = self.keep_pace(batch.size(), patience)?;
        let outcome = match self.section_at_once() {
            Some(mut section) => self.lead(&mut section, Member::new(batch, level, None)),
            None if batch.size() > MAX_COPIED_BYTES => {
                let mut section = self.section_with_room(&mut waiter, || false)?;
                self.lead(&mut section, Member::new(batch, level, None))
            }
            None => self.join(&Request::new(batch.clone(), level, None), &mut waiter),
        };
        drop(waiter);
        self.acknowledge(outcome?, level)?;
        self.count(timer, (batch.len(), batch.size()), level);
        Ok(())
    }

    /// Commits what a transaction has written, if what it has read is unchanged. As [`Writer::commit`].
    pub fn commit_checked(&self, batch: WriteBatch, level: ConsistencyLevel, check: Checked) -> Result<()> {
        self.health.check_write()?;
        if batch.is_empty() {
            return Ok(());
        }
        let timer = self.health.meters.begin(Timed::Write);
        let written = (batch.len(), batch.size());
        let mut waiter = self.keep_pace(batch.size(), None)?;
        if !self.options.group_transactions {
            self.commit_by_itself(Member::new(&batch, level, Some(&check)), waiter)?;
        } else {
            let outcome = match self.section_at_once() {
                Some(mut section) => self.lead(&mut section, Member::new(&batch, level, Some(&check))),
                None => self.join(&Request::new(batch, level, Some(check)), &mut waiter),
            };
            drop(waiter);
            self.acknowledge(outcome?, level)?;
        }
        self.count(timer, written, level);
        Ok(())
    }

    fn check_instance(&self, batch: &WriteBatch) -> Result<()> {
        match batch.instance() {
            Some(instance) if instance != self.catalogue.instance() => {
                let message = "the batch names keyspaces of another database, or of an earlier opening";
                Err(Error::invalid(message))
            }
            _ => Ok(()),
        }
    }

    fn count(&self, timer: Timer<'_>, (records, bytes): (usize, usize), level: ConsistencyLevel) {
        timer.end(match level {
            ConsistencyLevel::Strong => Counter::WritesStrong,
            ConsistencyLevel::Quorum => Counter::WritesQuorum,
            ConsistencyLevel::Eventual => Counter::WritesEventual,
        });
        self.health.meters.add(Counter::WriteRecords, records as u64);
        self.health.meters.add(Counter::WriteBytes, bytes as u64);
    }

    /// A log write, and at `Strong` a sync, for one commit and for no other.
    fn commit_by_itself(&self, member: Member<'_>, mut waiter: Waiter<'_>) -> Result<()> {
        let level = member.level;
        let mut alone = [member];
        let mut section = self.section_with_room(&mut waiter, || false)?;
        drop(waiter);
        self.commit_group(&mut section, &mut alone);
        drop(section);
        let [member] = alone;
        let position = known(member.outcome)?;
        match level {
            ConsistencyLevel::Strong => self.sync.by_itself(position, &self.health),
            ConsistencyLevel::Quorum | ConsistencyLevel::Eventual => Ok(()),
        }
    }

    fn acknowledge(&self, position: Position, level: ConsistencyLevel) -> Result<()> {
        match level {
            ConsistencyLevel::Strong => self.sync.wait(position, &self.health),
            ConsistencyLevel::Quorum | ConsistencyLevel::Eventual => Ok(()),
        }
    }

    /// The commit section, if it is free now or in a moment, and a commit can begin.
    fn section_at_once(&self) -> Option<MutexGuard<'_, Section>> {
        let mut tries = (0..TRIES).map(|_| {
            spin_loop();
            self.section.try_lock()
        });
        let section = self.section.try_lock().or_else(|| tries.find_map(|section| section))?;
        let ready = self.has_room(&section) && self.health.check_write().is_ok();
        ready.then_some(section)
    }

    /// Makes those that wait, and then one's own commit.
    fn lead(&self, section: &mut Section, own: Member<'_>) -> Result<Position> {
        let taken = self.queue.take();
        if taken.0.is_empty() {
            let mut alone = [own];
            self.commit_group(section, &mut alone);
            let [own] = alone;
            return known(own.outcome);
        }
        self.commit_taken(section, &taken, Some(own)).unwrap_or_else(|| known(None))
    }

    /// Makes the commits that were taken from the queue, and behind them one's own.
    fn commit_taken(
        &self,
        section: &mut Section,
        taken: &Taken,
        own: Option<Member<'_>>,
    ) -> Option<Result<Position>> {
        let has_own = own.is_some();
        let mut members: Vec<_> = taken.0.iter().map(|request| request.member()).chain(own).collect();
        self.commit_group(section, &mut members);
        let own = if has_own { members.pop() } else { None };
        for (request, member) in taken.0.iter().zip(members) {
            request.end(|| member.outcome);
        }
        own.and_then(|own| own.outcome)
    }

    /// Sees to it that a queued commit is made, by whomever.
    fn make_or_wait(&self, request: &Arc<Request>, waiter: &mut Waiter<'_>) -> Result<()> {
        match self.section_with_room(waiter, || request.is_done()) {
            Ok(mut section) => {
                while !request.is_done() {
                    let taken = self.queue.take();
                    if taken.0.is_empty() {
                        break;
                    }
                    self.commit_taken(&mut section, &taken, None);
                }
            }
            Err(error) if self.queue.withdraw(request) => return Err(error),
            // A thread in the section has taken it, and has made it when the section is free.
            Err(_) => drop(self.lock()),
        }
        Ok(())
    }

    /// Queues a commit and sees to it that it is made.
    fn join(&self, request: &Arc<Request>, waiter: &mut Waiter<'_>) -> Result<Position> {
        self.queue.push(request);
        for _ in 0..LOOKS {
            if request.is_done() || !self.section.is_locked() {
                break;
            }
            spin_loop();
        }
        if !request.is_done() {
            self.make_or_wait(request, waiter)?;
        }
        let outcome = request.outcome.lock().take();
        known(outcome)
    }
}

fn known(outcome: Option<Result<Position>>) -> Result<Position> {
    outcome.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "a commit was lost on its way")))
}
