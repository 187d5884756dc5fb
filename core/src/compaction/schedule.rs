//! Which compactions are running, so that several can at once.

use crate::base::error::Error;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::compaction::shape::{Claim, Job};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use crate::version::Version;

use std::time::Duration;

/// The compactions of a database that are running.
#[derive(Default)]
pub struct Schedule {
    running: Mutex<Running>,
    ended: Condvar,
}

/// What is known under the lock of a [`Schedule`].
#[derive(Default)]
pub struct Running {
    jobs: Vec<(u64, KeyspaceId, Claim)>,
    next: u64,
    /// Callers that wait for room for a job of theirs: background jobs stand back.
    waiting: usize,
    /// Keyspaces with a damaged table: their tables cannot be merged, now or later.
    damaged: Vec<(KeyspaceId, Error)>,
    /// The tables and held sequence numbers for which nothing was to do at rest.
    settled: Option<(Weak<Version>, Vec<SequenceNumber>)>,
}

/// A running job; it ends when this is dropped.
pub struct Ticket {
    schedule: Arc<Schedule>,
    id: u64,
}

impl Schedule {
    /// What is running. While the lock is held no job begins or ends.
    pub fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock()
    }

    /// Begins a job that was picked under the lock.
    pub fn begin(self: &Arc<Self>, running: &mut Running, keyspace: KeyspaceId, job: &Job) -> Ticket {
        let id = running.next;
        running.next += 1;
        running.jobs.push((id, keyspace, job.claim.clone()));
        Ticket { schedule: Arc::clone(self), id }
    }

    /// Waits until some job has ended, at most `limit`. Background jobs do not begin meanwhile.
    pub fn wait(&self, running: &mut MutexGuard<'_, Running>, limit: Duration) {
        running.waiting += 1;
        self.ended.wait_for(running, limit);
        running.waiting -= 1;
    }

    /// Waits until nothing runs.
    pub fn drain(&self) {
        let mut running = self.lock();
        while !running.jobs.is_empty() {
            self.ended.wait(&mut running);
        }
    }
}

impl Running {
    /// What the jobs of a keyspace have taken.
    pub fn claims(&self, keyspace: KeyspaceId) -> Vec<Claim> {
        let own = self.jobs.iter().filter(|(_, id, _)| *id == keyspace);
        own.map(|(_, _, claim)| claim.clone()).collect()
    }

    /// Jobs that are running.
    pub fn count(&self) -> usize {
        self.jobs.len()
    }

    /// Whether a caller waits for its turn.
    pub fn is_waited_for(&self) -> bool {
        self.waiting > 0
    }

    /// Notes that a table of a keyspace is damaged.
    pub fn note_damage(&mut self, keyspace: KeyspaceId, error: Error) {
        if self.damage(Some(keyspace)).is_none() {
            self.damaged.push((keyspace, error));
        }
    }

    /// The damage of a keyspace, or of any.
    pub fn damage(&self, keyspace: Option<KeyspaceId>) -> Option<&Error> {
        let mut damaged = self.damaged.iter().filter(|(id, _)| keyspace.is_none_or(|wanted| wanted == *id));
        damaged.next().map(|(_, error)| error)
    }

    /// Whether nothing was to do at rest for this version.
    pub fn is_settled(&self, version: &Arc<Version>, held: &[SequenceNumber]) -> bool {
        self.settled
            .as_ref()
            .is_some_and(|(known, at)| std::ptr::eq(known.as_ptr(), Arc::as_ptr(version)) && at == held)
    }

    /// Notes that nothing is to do at rest for this version.
    pub fn note_settled(&mut self, version: &Arc<Version>, held: &[SequenceNumber]) {
        self.settled = Some((Arc::downgrade(version), held.to_vec()));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.schedule.lock().jobs.retain(|(id, ..)| *id != self.id);
        self.schedule.ended.notify_all();
    }
}
