//! What a reader sees at one instant: memtables, tables, and the last visible sequence number.

use arc_swap::{ArcSwap, Guard};

use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, ErrorKind};
use crate::base::ids::{FileNumber, KeyspaceId, SequenceNumber};
use crate::base::per_keyspace::PerKeyspace;
use crate::memtable::{Chunks, Memtable};
use crate::sync::{Arc, AtomicU64, AtomicUsize, Ordering};
use crate::version::{Space, Version};

/// The memtables of all keyspaces for one stretch of the log; sealed and flushed together.
pub struct MemSet {
    /// Logs that hold the same records, oldest first; removed once the set is flushed.
    pub logs: Vec<FileNumber>,
    spaces: PerKeyspace<Arc<Memtable>>,
    counts: Arc<Counts>,
    chunks: Arc<Chunks>,
}

/// What a set has in common with the one that takes its place when a keyspace comes or goes.
#[derive(Default)]
struct Counts {
    last_sequence: AtomicU64,
    memory: AtomicUsize,
}

impl MemSet {
    /// An empty set with a memtable for each keyspace.
    pub fn new(logs: Vec<FileNumber>, orders: impl IntoIterator<Item = (KeyspaceId, KeyOrder)>) -> Self {
        Self::with_chunks(logs, orders, &Arc::default())
    }

    /// As [`MemSet::new`], with memory that this set leaves when it is gone.
    pub fn next(
        &self,
        logs: Vec<FileNumber>,
        orders: impl IntoIterator<Item = (KeyspaceId, KeyOrder)>,
    ) -> Self {
        Self::with_chunks(logs, orders, &self.chunks)
    }

    fn with_chunks(
        logs: Vec<FileNumber>,
        orders: impl IntoIterator<Item = (KeyspaceId, KeyOrder)>,
        chunks: &Arc<Chunks>,
    ) -> Self {
        let memtable = |order| Arc::new(Memtable::with_chunks(order, chunks));
        let spaces = orders.into_iter().map(|(id, order)| (id, memtable(order))).collect();
        MemSet { logs, spaces, counts: Arc::default(), chunks: Arc::clone(chunks) }
    }

    /// Memory for its memtables and those of the sets behind it.
    pub fn chunks(&self) -> &Arc<Chunks> {
        &self.chunks
    }

    /// The same memtables and one more, which is empty. Writes into one set are seen in both.
    pub fn with_space(&self, id: KeyspaceId, order: KeyOrder) -> MemSet {
        let mut spaces = self.spaces.clone();
        spaces.insert(id, Arc::new(Memtable::with_chunks(order, &self.chunks)));
        self.with_spaces(spaces)
    }

    /// The same memtables but one. Called by the writer.
    pub fn without_space(&self, id: KeyspaceId) -> MemSet {
        let mut spaces = self.spaces.clone();
        spaces.remove(id);
        self.with_spaces(spaces)
    }

    fn with_spaces(&self, spaces: PerKeyspace<Arc<Memtable>>) -> MemSet {
        let (counts, chunks) = (Arc::clone(&self.counts), Arc::clone(&self.chunks));
        MemSet { logs: self.logs.clone(), spaces, counts, chunks }
    }

    /// The memtable of a keyspace.
    #[inline]
    pub fn space(&self, id: KeyspaceId) -> Option<&Arc<Memtable>> {
        self.spaces.get(id)
    }

    /// All memtables, by keyspace.
    pub fn spaces(&self) -> impl Iterator<Item = (KeyspaceId, &Arc<Memtable>)> {
        self.spaces.iter()
    }

    /// The newest sequence number in the set, 0 if it is empty.
    pub fn last_sequence(&self) -> SequenceNumber {
        self.counts.last_sequence.load(Ordering::Acquire)
    }

    /// Notes the newest sequence number; called by the writer.
    pub fn set_last_sequence(&self, sequence: SequenceNumber) {
        self.counts.last_sequence.store(sequence, Ordering::Release);
    }

    /// Bytes of memory taken, as of the last [`MemSet::count_memory`]: asked at every commit, whatever the number of
    /// keyspaces.
    pub fn memory_usage(&self) -> usize {
        self.counts.memory.load(Ordering::Relaxed)
    }

    /// Notes that memtables have taken so many bytes more; called by the writer.
    pub fn add_memory(&self, bytes: usize) {
        self.counts.memory.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts the memory of all memtables; called by the writer.
    pub fn count_memory(&self) {
        let bytes = self.spaces.iter().map(|(_, memtable)| memtable.memory_usage()).sum();
        self.counts.memory.store(bytes, Ordering::Relaxed);
    }

    /// Whether nothing was written to it.
    pub fn is_empty(&self) -> bool {
        self.last_sequence() == 0
    }
}

/// Memtables and tables at one instant. Immutable but for the inserts of the one writer into `active`.
pub struct View {
    /// Rises with each seal; see [`ViewCell::latest`].
    pub generation: u64,
    /// Takes writes.
    pub active: Arc<MemSet>,
    /// Waiting to be flushed, newest first.
    pub sealed: Vec<Arc<MemSet>>,
    /// The tables.
    pub version: Arc<Version>,
}

impl View {
    /// The same with other tables, and without the memtables that went into them.
    pub fn with_version(&self, version: Arc<Version>, flushed: Option<&Arc<MemSet>>) -> View {
        let keep = |set: &&Arc<MemSet>| !flushed.is_some_and(|gone| Arc::ptr_eq(gone, set));
        View {
            generation: self.generation,
            active: Arc::clone(&self.active),
            sealed: self.sealed.iter().filter(keep).cloned().collect(),
            version,
        }
    }

    /// The same with another active set over the same log.
    pub fn with_active(self, active: Arc<MemSet>) -> View {
        View { active, ..self }
    }

    /// A keyspace by its name.
    pub fn named(&self, name: &str) -> Option<&Arc<Space>> {
        self.spaces().find(|space| space.meta.name == name)
    }

    /// All keyspaces that take writes.
    pub fn spaces(&self) -> impl Iterator<Item = &Arc<Space>> {
        // One that is being made has no memtable yet.
        let ready = |(id, _): &(KeyspaceId, _)| self.active.space(*id).is_some();
        self.version.spaces().filter(ready).map(|(_, levels)| levels.space())
    }

    /// The error of a read in a keyspace that has no active memtable.
    #[cold]
    pub fn gone() -> Error {
        Error::new(ErrorKind::NotFound, "the keyspace was dropped")
    }

    /// The same with the active memtables sealed and `active` in their stead.
    pub fn sealed_with(&self, active: Arc<MemSet>) -> View {
        let mut sealed = self.sealed.clone();
        if !self.active.is_empty() {
            sealed.insert(0, Arc::clone(&self.active));
        }
        View { generation: self.generation + 1, active, sealed, version: Arc::clone(&self.version) }
    }
}

/// The current view and the last visible sequence number.
pub struct ViewCell {
    current: ArcSwap<View>,
    generation: AtomicU64,
    visible: AtomicU64,
}

impl ViewCell {
    /// Starts with a view in which everything up to `visible` is seen.
    pub fn new(view: View, visible: SequenceNumber) -> Self {
        ViewCell {
            generation: AtomicU64::new(view.generation),
            current: ArcSwap::from_pointee(view),
            visible: AtomicU64::new(visible),
        }
    }

    /// The current view. A reader at a held sequence number uses this.
    pub fn load(&self) -> Guard<Arc<View>> {
        self.current.load()
    }

    /// The last visible sequence number.
    #[inline]
    pub fn visible(&self) -> SequenceNumber {
        self.visible.load(Ordering::Acquire)
    }

    /// A view and a sequence number that fit each other without holding the number.
    ///
    /// The view is taken first: its tables were made for readers at or below what was visible then, so
    /// nothing that the later number needs is gone. The number may lie behind a seal that the view does
    /// not know, with its records in memtables that are missing from it: the generation tells.
    #[inline]
    pub fn latest(&self) -> (Guard<Arc<View>>, SequenceNumber) {
        loop {
            let view = self.current.load();
            let visible = self.visible.load(Ordering::Acquire);
            if self.generation.load(Ordering::Acquire) <= view.generation {
                return (view, visible);
            }
        }
    }

    /// Replaces the view. Callers are serialised by the catalogue's lock.
    pub fn store(&self, view: View) {
        let generation = view.generation;
        self.current.store(Arc::new(view));
        self.generation.store(generation, Ordering::Release);
    }

    /// Makes everything up to `sequence` visible. Called in the commit section only.
    #[inline]
    pub fn publish(&self, sequence: SequenceNumber) {
        debug_assert!(sequence >= self.visible.load(Ordering::Relaxed));
        self.visible.store(sequence, Ordering::Release);
    }
}
