//! The thread of an engine that commits: what comes while it works is committed together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use lightning_db_bindings::{
    ConsistencyLevel, Error, ErrorKind, Result, Store, WriteBatch, closed, guard, packed, write,
};

use crate::delivery::{Completion, Delivery};

/// Writes are committed together up to so many bytes.
const GROUP_BYTES: usize = 1 << 20;

/// Work for the thread, done in the order in which it is given.
enum Work {
    Write(Write, Reply),
    Run(Box<dyn FnOnce() + Send>),
}

/// Packed writes, to be committed whole or not at all.
pub struct Write {
    pub bytes: Vec<u8>,
    /// Those that the packed writes name by index.
    pub stores: Arc<[Store]>,
    pub level: Option<ConsistencyLevel>,
    /// Back pressure is waited for no longer.
    pub deadline: Option<Instant>,
}

/// Whom to tell.
pub enum Reply {
    /// A promise.
    Promise(f64, Arc<Delivery>),
    /// A thread that waits.
    Thread(SyncSender<Result<()>>),
}

/// Work of one handle that has not been done.
pub type Outstanding = Arc<AtomicUsize>;

/// The queue in front of the thread.
pub struct Commits {
    queue: Mutex<Option<Sender<(Work, Outstanding)>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Commits {
    /// Starts the thread of a database.
    pub fn start(store: Store) -> Result<Commits> {
        let (queue, work) = channel();
        let thread = Builder::new()
            .name("lightning commits".into())
            .spawn(move || run(&store, &work))
            .map_err(|error| Error::new(ErrorKind::OutOfMemory, format!("no thread for commits: {error}")))?;
        Ok(Commits { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    fn give(&self, work: Work, outstanding: &Outstanding) -> Result<()> {
        outstanding.fetch_add(1, Ordering::AcqRel);
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let given = queue.as_ref().and_then(|queue| queue.send((work, Arc::clone(outstanding))).ok());
        given.ok_or_else(|| {
            outstanding.fetch_sub(1, Ordering::AcqRel);
            closed("database")
        })
    }

    /// Commits packed writes behind all that was given before.
    pub fn write(&self, write: Write, reply: Reply, outstanding: &Outstanding) -> Result<()> {
        self.give(Work::Write(write, reply), outstanding)
    }

    /// Runs a call behind all that was given before, and waits for it.
    pub fn wait(
        &self,
        call: impl FnOnce() -> Result<()> + Send + 'static,
        outstanding: &Outstanding,
    ) -> Result<()> {
        let (sender, receiver) = sync_channel(1);
        let work = move || {
            // The one who waits is there until it has the answer.
            let _ = sender.send(guard(call));
        };
        self.give(Work::Run(Box::new(work)), outstanding)?;
        receiver.recv().unwrap_or_else(|_| Err(closed("database")))
    }

    /// Runs a call behind all that was given before. It does not panic.
    pub fn then(&self, call: impl FnOnce() + Send + 'static, outstanding: &Outstanding) -> Result<()> {
        self.give(Work::Run(Box::new(call)), outstanding)
    }

    /// Takes no more work; returns when all that was given is done.
    pub fn stop(&self) {
        *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Every piece of its work is guarded.
            let _ = thread.join();
        }
    }
}

fn run(store: &Store, work: &Receiver<(Work, Outstanding)>) {
    let mut group = Group::default();
    while let Ok(first) = work.recv() {
        for (next, outstanding) in std::iter::once(first).chain(work.try_iter()) {
            match next {
                Work::Write(write, reply) => {
                    if !group.takes(&write) {
                        group.commit(store);
                    }
                    group.add(write, (reply, outstanding));
                }
                Work::Run(call) => {
                    group.commit(store);
                    let _ = guard(|| {
                        call();
                        Ok(())
                    });
                    outstanding.fetch_sub(1, Ordering::AcqRel);
                }
            }
        }
        group.commit(store);
    }
}

/// Writes that are committed together.
#[derive(Default)]
struct Group {
    writes: Vec<Write>,
    /// Whom to tell of each.
    askers: Vec<(Reply, Outstanding)>,
    bytes: usize,
    batch: WriteBatch,
}

impl Group {
    fn takes(&self, write: &Write) -> bool {
        let fits = self.bytes + write.bytes.len() <= GROUP_BYTES;
        // One that has a deadline waits alone: the others would have to go without it.
        let alike = |first: &Write| {
            first.level == write.level && first.deadline.is_none() && write.deadline.is_none()
        };
        self.writes.first().is_none_or(|first| fits && alike(first))
    }

    fn add(&mut self, write: Write, asker: (Reply, Outstanding)) {
        self.bytes += write.bytes.len();
        self.writes.push(write);
        self.askers.push(asker);
    }

    fn commit(&mut self, store: &Store) {
        let outcome = match self.writes.as_slice() {
            [] => return,
            writes => commit_all(store, writes, &mut self.batch),
        };
        self.bytes = 0;
        let is_group = self.writes.len() > 1;
        for (write, (reply, outstanding)) in self.writes.drain(..).zip(self.askers.drain(..)) {
            let own = match &outcome {
                Err(error) if is_group && is_of_one(error) => commit_all(store, &[write], &mut self.batch),
                other => other.clone(),
            };
            outstanding.fetch_sub(1, Ordering::AcqRel);
            reply.send(own);
        }
        if self.batch.size() > GROUP_BYTES {
            self.batch = WriteBatch::new();
        }
    }
}

/// Whether one write of a group may be to blame, while nothing has been changed: the others get another chance.
fn is_of_one(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidArgument | ErrorKind::NotFound | ErrorKind::NoSpace | ErrorKind::OutOfMemory
    )
}

fn commit_all(store: &Store, writes: &[Write], batch: &mut WriteBatch) -> Result<()> {
    guard(|| {
        batch.clear();
        for write in writes {
            packed::unpack(&write.bytes, batch, &write.stores)?;
        }
        match writes.first() {
            Some(first) => write::write(store, batch, how(first.level, first.deadline)),
            None => Ok(()),
        }
    })
}

/// How a write is made now that has this level and deadline.
pub fn how(level: Option<ConsistencyLevel>, deadline: Option<Instant>) -> write::How {
    let patience = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    write::How { level, patience }
}

impl Reply {
    fn send(self, outcome: Result<()>) {
        match self {
            Reply::Promise(ticket, delivery) => {
                delivery.send([Completion { ticket, outcome: outcome.map(|()| None) }]);
            }
            Reply::Thread(sender) => {
                // The one who waits is there until it has the answer.
                let _ = sender.send(outcome);
            }
        }
    }
}
