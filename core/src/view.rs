//! What a reader sees at one instant: memtables, tables, and the last visible sequence number.

use arc_swap::{ArcSwap, Guard};

use crate::base::comparator::KeyOrder;
use crate::base::ids::{FileNumber, KeyspaceId, SequenceNumber};
use crate::memtable::Memtable;
use crate::sync::{Arc, AtomicU64, Ordering};
use crate::version::Version;

/// The memtables of all keyspaces for one stretch of the log; sealed and flushed together.
pub struct MemSet {
    /// Logs that hold the same records, oldest first; removed once the set is flushed.
    pub logs: Vec<FileNumber>,
    spaces: Vec<(KeyspaceId, Arc<Memtable>)>,
    last_sequence: AtomicU64,
    tombstones: AtomicU64,
}

impl MemSet {
    /// An empty set with a memtable for each keyspace.
    pub fn new(logs: Vec<FileNumber>, orders: impl IntoIterator<Item = (KeyspaceId, KeyOrder)>) -> Self {
        let spaces = orders.into_iter().map(|(id, order)| (id, Arc::new(Memtable::new(order)))).collect();
        MemSet { logs, spaces, last_sequence: AtomicU64::new(0), tombstones: AtomicU64::new(0) }
    }

    /// The memtable of a keyspace.
    #[inline]
    pub fn space(&self, id: KeyspaceId) -> Option<&Arc<Memtable>> {
        self.spaces.iter().find(|(space, _)| *space == id).map(|(_, memtable)| memtable)
    }

    /// All memtables, by keyspace.
    pub fn spaces(&self) -> &[(KeyspaceId, Arc<Memtable>)] {
        &self.spaces
    }

    /// The newest sequence number in the set, 0 if it is empty.
    pub fn last_sequence(&self) -> SequenceNumber {
        self.last_sequence.load(Ordering::Acquire)
    }

    /// Notes the newest sequence number; called by the writer.
    pub fn set_last_sequence(&self, sequence: SequenceNumber) {
        self.last_sequence.store(sequence, Ordering::Release);
    }

    /// Tombstones in the set.
    pub fn tombstones(&self) -> u64 {
        self.tombstones.load(Ordering::Relaxed)
    }

    /// Notes more tombstones; called by the writer.
    pub fn add_tombstones(&self, count: u64) {
        self.tombstones.fetch_add(count, Ordering::Relaxed);
    }

    /// Bytes of memory taken.
    pub fn memory_usage(&self) -> usize {
        self.spaces.iter().map(|(_, memtable)| memtable.memory_usage()).sum()
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
