//! Reading ahead of scans: threads bring pages into the cache before a scan comes to them.
//!
//! A scan never waits for a page that nobody reads yet: it takes that out of the queue and reads it itself. An error met
//! ahead is dropped; the scan meets it again if it gets there.

use std::collections::VecDeque;

use crate::btree::format::{PageKind, PagePointer};
use crate::btree::page::Page;
use crate::btree::table::Table;
use crate::sync::{Arc, AtomicU64, Condvar, Mutex, MutexGuard, Ordering};
use crate::vfs::{Vfs, VfsThread};

/// The threads that read ahead for all scans of a database, and what they have to do.
pub struct ReadAhead {
    vfs: Arc<dyn Vfs>,
    distance: usize,
    workers: usize,
    lanes: AtomicU64,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// There is work, or the end has come.
    work: Condvar,
    /// A page was read.
    done: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// What the threads are reading: lane, file and offset.
    running: Vec<(LaneId, u64, u64)>,
    threads: Vec<Box<dyn VfsThread>>,
    idle: usize,
    closed: bool,
}

type LaneId = u64;

struct Job {
    lane: LaneId,
    table: Arc<Table>,
    pointer: PagePointer,
    kind: PageKind,
}

impl ReadAhead {
    /// Reads up to `distance` pages ahead of each source of a scan, on up to `workers` threads.
    pub fn new(vfs: Arc<dyn Vfs>, distance: usize, workers: usize) -> Arc<Self> {
        let shared = Shared { state: Mutex::default(), work: Condvar::new(), done: Condvar::new() };
        Arc::new(ReadAhead { vfs, distance, workers, lanes: AtomicU64::new(0), shared: Arc::new(shared) })
    }

    /// A lane for one source of a scan.
    pub fn lane(self: &Arc<Self>) -> Lane {
        let id = self.lanes.fetch_add(1, Ordering::Relaxed);
        Lane { ahead: Arc::clone(self), id, used: false }
    }

    /// Forgets what is to be read and ends the threads.
    pub fn close(&self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        let jobs = std::mem::take(&mut state.queue);
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        self.shared.work.notify_all();
        drop(jobs);
        threads.into_iter().for_each(|thread| thread.join());
    }

    /// Starts a thread if there is more to do than those at hand can take on.
    fn start_thread(&self, state: &mut State) {
        if state.idle >= state.queue.len() || state.threads.len() >= self.workers {
            return;
        }
        let shared = Arc::clone(&self.shared);
        // Without it the scan reads everything itself.
        if let Ok(thread) = self.vfs.spawn("lightning-ahead", Box::new(move || run(&shared))) {
            state.threads.push(thread);
        }
    }
}

/// What is read ahead for one source of a scan. Nothing of it goes on once it is dropped.
pub struct Lane {
    ahead: Arc<ReadAhead>,
    id: LaneId,
    used: bool,
}

impl Lane {
    /// How many pages to be ahead.
    pub(super) fn distance(&self) -> usize {
        self.ahead.distance
    }

    /// Queues pages of a table.
    pub(super) fn request(&mut self, table: &Arc<Table>, pages: &[(PagePointer, PageKind)]) {
        let (ahead, shared) = (&self.ahead, &self.ahead.shared);
        let mut state = shared.state.lock();
        if state.closed || pages.is_empty() {
            return;
        }
        self.used = true;
        let job = |&(pointer, kind)| Job { lane: self.id, table: Arc::clone(table), pointer, kind };
        state.queue.extend(pages.iter().map(job));
        ahead.start_thread(&mut state);
        let (idle, queued) = (state.idle, state.queue.len());
        drop(state);
        match idle.min(queued) {
            0 => {}
            1 => shared.work.notify_one(),
            _ => shared.work.notify_all(),
        }
    }

    /// Before the scan reads a page that was not in the cache. `true`: a thread was just reading it, and has.
    pub(super) fn claim(&self, table: &Table, pointer: PagePointer) -> bool {
        let page = (table.number(), pointer.offset);
        let mut state = self.ahead.shared.state.lock();
        let is_same = |job: &Job| job.lane == self.id && (job.table.number(), job.pointer.offset) == page;
        if let Some(at) = state.queue.iter().position(is_same) {
            // It is the first of this lane: whatever is in front of it was passed by.
            state.queue.remove(at);
            return false;
        }
        let mut waited = false;
        while state.running.iter().any(|(_, file, offset)| (*file, *offset) == page) {
            self.ahead.shared.done.wait(&mut state);
            waited = true;
        }
        // The thread may have been done before the lock was taken.
        waited || table.is_cached(pointer)
    }

    /// Forgets what is to be read, and waits until nothing is being read.
    pub(super) fn cancel(&mut self) {
        if !std::mem::take(&mut self.used) {
            return;
        }
        let mut state = self.ahead.shared.state.lock();
        let jobs = std::mem::take(&mut state.queue);
        let (gone, kept): (VecDeque<_>, VecDeque<_>) = jobs.into_iter().partition(|job| job.lane == self.id);
        state.queue = kept;
        while state.running.iter().any(|(lane, _, _)| *lane == self.id) {
            self.ahead.shared.done.wait(&mut state);
        }
        drop(state);
        drop(gone);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// A thread's life.
fn run(shared: &Shared) {
    let mut state = shared.state.lock();
    while !state.closed {
        let Some(job) = state.queue.pop_front() else {
            state.idle += 1;
            shared.work.wait(&mut state);
            state.idle -= 1;
            continue;
        };
        let page = (job.lane, job.table.number(), job.pointer.offset);
        if state.running.iter().any(|(_, file, offset)| (*file, *offset) == (page.1, page.2)) {
            continue; // for another scan
        }
        state.running.push(page);
        drop(state);
        let running = Running { shared, page };
        // The table is let go before the lane hears that its page is there.
        read(job);
        state = running.end();
    }
}

fn read(job: Job) {
    let _page: Option<Arc<Page>> = job.table.page(job.pointer, job.kind).ok();
}

/// A page that is being read; told to those that wait when that ends, however it ends.
struct Running<'a> {
    shared: &'a Shared,
    page: (LaneId, u64, u64),
}

impl<'a> Running<'a> {
    fn end(self) -> MutexGuard<'a, State> {
        let shared = self.shared;
        drop(self);
        shared.state.lock()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        if let Some(at) = state.running.iter().position(|page| *page == self.page) {
            state.running.swap_remove(at);
        }
        drop(state);
        self.shared.done.notify_all();
    }
}
