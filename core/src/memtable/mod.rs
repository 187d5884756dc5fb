//! In-memory table of recent writes: a B+tree in an arena, with one writer at a time and any number of
//! readers that never wait.

mod arena;
mod budget;
mod chunks;
mod cursor;
mod entries;
mod filter;
mod leaf;
mod node;
mod permutation;
mod search;
mod slots;
mod split;
mod stored;
#[cfg(test)]
mod tests;
mod tree;
mod writer;

use crate::base::comparator::KeyOrder;
use crate::base::ids::SequenceNumber;
use crate::base::record::Record;
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering};

pub use chunks::Chunks;
pub use cursor::MemtableCursor;
pub use tree::ABREAST;
pub use writer::MemtableWriter;

/// Records in order. Nothing is ever taken out; the memory is freed with the table.
pub struct Memtable {
    order: KeyOrder,
    tree: tree::Tree,
    filter: filter::Filter,
    counters: Counters,
    store: Mutex<writer::Store>,
}

/// Written with every insert: on cache lines of their own, away from what readers need.
#[derive(Default)]
#[repr(align(128))]
struct Counters {
    records: AtomicUsize,
    tombstones: AtomicUsize,
    memory: AtomicUsize,
}

impl Memtable {
    /// An empty table. It takes no memory for records before the first insert.
    pub fn new(order: KeyOrder) -> Memtable {
        Self::with_chunks(order, &Arc::default())
    }

    /// As [`Memtable::new`]; the memory will come from `chunks`, and go back there.
    pub fn with_chunks(order: KeyOrder, chunks: &Arc<Chunks>) -> Memtable {
        Memtable {
            order,
            tree: tree::Tree::new(),
            filter: filter::Filter::default(),
            counters: Counters::default(),
            store: Mutex::new(writer::Store::new(chunks)),
        }
    }

    /// The right to insert; waits while another has it.
    pub fn writer(&self) -> MemtableWriter<'_> {
        MemtableWriter::new(self)
    }

    /// The newest version of exactly `key` that is not newer than `sequence`.
    #[inline]
    pub fn get(&self, key: &[u8], sequence: SequenceNumber) -> Option<Record<'_>> {
        let target = search::Target { order: &self.order, key, sequence };
        let record = self.tree.find(&target)?;
        (record.key() == key).then(|| record.lend())
    }

    /// As [`Memtable::get`], of a key with this hash. A key that is not there is seldom searched for.
    #[inline]
    pub fn get_hashed(&self, key: &[u8], hash: u64, sequence: SequenceNumber) -> Option<Record<'_>> {
        if self.may_hold(hash) { self.get(key, sequence) } else { None }
    }

    /// `false`: there is no record of a key with this hash.
    #[inline]
    pub fn may_hold(&self, hash: u64) -> bool {
        self.filter.may_hold(hash)
    }

    /// Asks the processor for what [`Memtable::get_hashed`] reads first.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        self.filter.prefetch(hash);
    }

    /// Bytes taken from the allocator.
    pub fn memory_usage(&self) -> usize {
        self.counters.memory.load(Ordering::Relaxed)
    }

    /// Number of records: all versions, tombstones too.
    pub fn len(&self) -> usize {
        self.counters.records.load(Ordering::Relaxed)
    }

    /// Tombstones among the records.
    pub fn tombstones(&self) -> usize {
        self.counters.tombstones.load(Ordering::Relaxed)
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Between two stores of the writer: readers may find the tree in this state. Tests look at it.
#[inline(always)]
fn between_stores() {
    #[cfg(test)]
    tests::look_between_stores();
}
