//! Syncs of tables in the making on a thread of their own, so that who writes them waits for the disk at the end only.

use std::collections::VecDeque;

use crate::base::error::{Error, Result};
use crate::btree::TableSyncer;
use crate::sync::{Arc, Condvar, Mutex};
use crate::vfs::{Vfs, VfsThread};

/// Tables to be synced one after the other. What is left when it is dropped is not synced any more.
pub struct TableSyncs {
    vfs: Arc<dyn Vfs>,
    shared: Arc<Shared>,
    thread: Option<Box<dyn VfsThread>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is work, or the end has come.
    work: Condvar,
    /// Nothing is left to do.
    idle: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<TableSyncer>,
    running: bool,
    closed: bool,
    /// The first error: behind it nothing is synced, for a later success would say nothing.
    failed: Option<Error>,
}

impl TableSyncs {
    /// None yet; the thread is started for the first one.
    pub fn new(vfs: &Arc<dyn Vfs>) -> Self {
        TableSyncs { vfs: Arc::clone(vfs), shared: Arc::default(), thread: None }
    }

    /// Whether there was anything to do so far.
    pub fn has_begun(&self) -> bool {
        self.thread.is_some()
    }

    /// Whether a table waits for its sync, or is in it.
    pub fn is_busy(&self) -> bool {
        let state = self.shared.state.lock();
        state.running || !state.queue.is_empty()
    }

    /// Syncs what is written so far, soon; without a thread at once.
    pub fn push(&mut self, syncer: TableSyncer) -> Result<()> {
        if self.thread.is_none() {
            let shared = Arc::clone(&self.shared);
            match self.vfs.spawn("lightning-ingest", Box::new(move || run(&shared))) {
                Ok(thread) => self.thread = Some(thread),
                Err(_) => return syncer.sync(),
            }
        }
        self.shared.state.lock().queue.push_back(syncer);
        self.shared.work.notify_one();
        Ok(())
    }

    /// Waits until all is synced. The first error of any.
    pub fn wait(&self) -> Result<()> {
        let mut state = self.shared.state.lock();
        while state.failed.is_none() && (state.running || !state.queue.is_empty()) {
            self.shared.idle.wait(&mut state);
        }
        state.failed.clone().map_or(Ok(()), Err)
    }
}

impl Drop for TableSyncs {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        state.queue.clear();
        drop(state);
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}

fn run(shared: &Shared) {
    let mut state = shared.state.lock();
    while !state.closed {
        let Some(syncer) = state.queue.pop_front() else {
            shared.idle.notify_all();
            shared.work.wait(&mut state);
            continue;
        };
        state.running = true;
        drop(state);
        let synced = syncer.sync();
        drop(syncer);
        state = shared.state.lock();
        state.running = false;
        if let Err(error) = synced {
            state.failed = Some(error);
            state.queue.clear();
            break;
        }
    }
    shared.idle.notify_all();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::comparator::KeyOrder;
    use crate::base::ids::KeyspaceId;
    use crate::base::record::{Record, RecordKind};
    use crate::btree::{TableBuilder, TableOptions};
    use crate::codec::Compression;
    use crate::vfs::{Call, MemoryVfs, RecordingVfs};

    fn table(vfs: &Arc<dyn Vfs>, number: u64) -> TableBuilder {
        let options = TableOptions {
            database_id: 1,
            number,
            keyspace: KeyspaceId::DEFAULT,
            order: KeyOrder::Bytewise,
            page_size: 4096,
            compression: Compression::NONE,
        };
        let mut builder = TableBuilder::create(vfs, std::path::Path::new("/"), options).unwrap();
        builder.add(Record { key: b"a", sequence: 0, kind: RecordKind::Put, value: b"1" }).unwrap();
        builder
    }

    #[test]
    fn all_is_synced_when_the_wait_ends() {
        let recording = RecordingVfs::new(Arc::new(MemoryVfs::with_seed(1)));
        let vfs: Arc<dyn Vfs> = Arc::new(recording.clone());
        let mut syncs = TableSyncs::new(&vfs);
        assert!(!syncs.has_begun() && !syncs.is_busy());
        for number in 1..=5 {
            let builder = table(&vfs, number);
            let syncer = builder.syncer();
            builder.finish_unsynced().unwrap();
            syncs.push(syncer).unwrap();
        }
        syncs.wait().unwrap();
        assert!(syncs.has_begun() && !syncs.is_busy());
        let synced = recording.count(|call| matches!(call, Call::SyncAll { .. }));
        assert_eq!(synced, 5);
    }

    #[test]
    fn the_first_failure_stays_and_ends_all() {
        let memory = MemoryVfs::with_seed(1);
        let vfs: Arc<dyn Vfs> = Arc::new(memory.clone());
        let mut syncs = TableSyncs::new(&vfs);
        let builders: Vec<_> = (1..=3).map(|number| table(&vfs, number)).collect();
        memory.fail_call(memory.calls(), 5);
        for builder in &builders {
            syncs.push(builder.syncer()).unwrap();
        }
        assert!(syncs.wait().is_err());
        syncs.push(builders[0].syncer()).unwrap();
        assert!(syncs.wait().is_err(), "a later success says nothing");
    }
}
