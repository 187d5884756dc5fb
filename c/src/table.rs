//! Handles: numbers in the clothes of pointers, checked at every use.
//!
//! A handle is `generation | index | kind` and is never dereferenced. The index leads to a slot that lives as
//! long as the process; an object in it knows its whole handle. So a handle that was freed, is of another
//! kind or was never given is told apart from a good one, and no use of it is undefined.

use std::marker::PhantomData;
use std::ptr;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use lightning_db_bindings::{Error, ErrorKind, Result, closed};
use parking_lot::Mutex;

const KIND_BITS: u32 = 4;
const INDEX_BITS: u32 = if usize::BITS == 64 { 24 } else { 16 };
const GENERATION_SHIFT: u32 = KIND_BITS + INDEX_BITS;
/// A generation comes back after so many objects in one slot: 2^36, or 2^12 where pointers are short.
const GENERATIONS: usize = 1 << (usize::BITS - GENERATION_SHIFT);
/// Slots of the first chunk; each next chunk has twice as many as the one before.
const FIRST_CHUNK: usize = 64;
const CHUNKS: usize = (INDEX_BITS - FIRST_CHUNK.trailing_zeros()) as usize;
const CAPACITY: usize = FIRST_CHUNK * ((1 << CHUNKS) - 1);

/// What a handle stands for. Never 0, so that no handle is NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Database = 1,
    Options,
    Batch,
    Scan,
    Snapshot,
    Transaction,
    Figures,
    Report,
    Ingest,
}

impl Kind {
    const ALL: [Kind; 9] = [
        Kind::Database,
        Kind::Options,
        Kind::Batch,
        Kind::Scan,
        Kind::Snapshot,
        Kind::Transaction,
        Kind::Figures,
        Kind::Report,
        Kind::Ingest,
    ];

    fn name(self) -> &'static str {
        match self {
            Kind::Database => "database",
            Kind::Options => "options",
            Kind::Batch => "batch",
            Kind::Scan => "scan",
            Kind::Snapshot => "snapshot",
            Kind::Transaction => "transaction",
            Kind::Figures => "figures",
            Kind::Report => "report",
            Kind::Ingest => "ingest",
        }
    }

    fn of(id: usize) -> Option<Kind> {
        let number = id & ((1 << KIND_BITS) - 1);
        Kind::ALL.into_iter().find(|kind| *kind as usize == number)
    }
}

/// A place for one object at a time.
pub trait Slot {
    /// What it holds.
    type Object;

    /// A place without an object.
    fn empty() -> Self;
    /// Takes an object in, into an empty place.
    fn fill(&self, id: usize, object: Self::Object);
    /// Empties the place if it holds what `id` names; whoever still uses the object is not disturbed, or
    /// waited for.
    fn take(&self, id: usize) -> bool;
}

/// An object that many threads use at once. Finding it takes no lock.
pub struct Shared<T>(ArcSwapOption<Entry<T>>);

/// An object with its whole handle.
struct Entry<T> {
    id: usize,
    /// `None` once it has ended: the handle still has to be freed.
    object: Option<T>,
}

impl<T> Slot for Shared<T> {
    type Object = T;

    fn empty() -> Self {
        Shared(ArcSwapOption::empty())
    }

    fn fill(&self, id: usize, object: T) {
        self.0.store(Some(Arc::new(Entry { id, object: Some(object) })));
    }

    fn take(&self, id: usize) -> bool {
        self.replace(id, |_| true, None)
    }
}

impl<T> Shared<T> {
    /// Puts `next` in place of the object that `id` names and `is_wanted` takes. The object is dropped with
    /// its last user.
    fn replace(&self, id: usize, is_wanted: impl Fn(&Entry<T>) -> bool, next: Option<Arc<Entry<T>>>) -> bool {
        loop {
            let current = self.0.load();
            if !current.as_deref().is_some_and(|entry| entry.id == id && is_wanted(entry)) {
                return false;
            }
            let found = self.0.compare_and_swap(&current, next.clone());
            if ptr_of(&found) == ptr_of(&current) {
                return true;
            }
        }
    }
}

fn ptr_of<T>(entry: &Option<Arc<Entry<T>>>) -> *const Entry<T> {
    entry.as_ref().map_or(ptr::null(), Arc::as_ptr)
}

/// An object that one call at a time uses; others wait. A panic in a call has been told as `Internal`; what it
/// left behind stays in use.
pub struct Locked<T>(Mutex<Option<(usize, T)>>);

impl<T> Slot for Locked<T> {
    type Object = T;

    fn empty() -> Self {
        Locked(Mutex::new(None))
    }

    fn fill(&self, id: usize, object: T) {
        *self.0.lock() = Some((id, object));
    }

    fn take(&self, id: usize) -> bool {
        let mut place = self.0.lock();
        let taken = place.take_if(|(known, _)| *known == id);
        drop(place);
        taken.is_some() // Dropped behind the lock: it may be long.
    }
}

/// All objects of one kind, behind handles of type `*mut H`.
pub struct Table<H, S> {
    kind: Kind,
    chunks: [OnceLock<Box<[S]>>; CHUNKS],
    free: Mutex<Free>,
    handle: PhantomData<fn(*mut H)>,
}

/// Slots without an object.
struct Free {
    /// Slots from here on have never been used.
    unused: usize,
    /// Index and next generation of the others.
    list: Vec<(usize, usize)>,
}

impl<H, T> Table<H, Shared<T>> {
    /// Runs a call on the object, which lives at least as long as the call. Errors: `InvalidArgument` (no
    /// handle of this kind), `Closed` (freed or ended), and those of the call.
    #[inline]
    pub fn with<R>(&self, handle: *const H, call: impl FnOnce(&T) -> Result<R>) -> Result<R> {
        let id = handle.addr();
        let entry = self.slot(id)?.0.load();
        match entry.as_deref() {
            Some(Entry { id: known, object: Some(object) }) if *known == id => call(object),
            _ => Err(self.closed()),
        }
    }

    /// Whether the object has ended, and its handle has not been freed. Errors: `InvalidArgument`.
    pub fn has_ended(&self, handle: *const H) -> Result<bool> {
        let id = handle.addr();
        let entry = self.slot(id)?.0.load();
        Ok(entry.as_deref().is_some_and(|entry| entry.id == id && entry.object.is_none()))
    }

    /// Drops the object when its last call is done, and keeps the handle, which is `Closed` from now on.
    /// Errors: as [`Table::with`].
    pub fn end(&self, handle: *const H) -> Result<()> {
        let id = handle.addr();
        let ended = Arc::new(Entry { id, object: None });
        match self.slot(id)?.replace(id, |entry| entry.object.is_some(), Some(ended)) {
            true => Ok(()),
            false => Err(self.closed()),
        }
    }
}

impl<H, T> Table<H, Locked<T>> {
    /// Runs a call on the object when no other call does. Errors: `InvalidArgument` (no handle of this kind),
    /// `Closed` (freed), and those of the call.
    #[inline]
    pub fn with<R>(&self, handle: *const H, call: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let id = handle.addr();
        match self.slot(id)?.0.lock().as_mut() {
            Some((known, object)) if *known == id => call(object),
            _ => Err(self.closed()),
        }
    }
}

impl<H, S: Slot> Table<H, S> {
    pub const fn new(kind: Kind) -> Self {
        let free = Free { unused: 0, list: Vec::new() };
        let chunks = [const { OnceLock::new() }; CHUNKS];
        Table { kind, chunks, free: Mutex::new(free), handle: PhantomData }
    }

    /// Takes an object in. Errors: `OutOfMemory` if there are too many.
    pub fn insert(&self, object: S::Object) -> Result<*mut H> {
        let (index, generation) = self.claim()?;
        let id = generation << GENERATION_SHIFT | index << KIND_BITS | self.kind as usize;
        self.slot(id)?.fill(id, object);
        Ok(ptr::without_provenance_mut(id))
    }

    /// Takes an object out and frees its handle. Errors: `InvalidArgument`, `Closed` (freed before).
    pub fn remove(&self, handle: *const H) -> Result<()> {
        let id = handle.addr();
        if !self.slot(id)?.take(id) {
            return Err(self.closed());
        }
        let generation = ((id >> GENERATION_SHIFT) + 1) % GENERATIONS;
        self.free.lock().list.push((index_of(id), generation));
        Ok(())
    }

    /// Index and generation for a new object, with a slot that is there.
    fn claim(&self) -> Result<(usize, usize)> {
        let mut free = self.free.lock();
        if let Some(used) = free.list.pop() {
            return Ok(used);
        }
        let index = free.unused;
        let Some((chunk, _)) = place(index) else {
            let message = format!("{CAPACITY} handles of kind {} are open: free some", self.kind.name());
            return Err(Error::new(ErrorKind::OutOfMemory, message));
        };
        if let Some(slots) = self.chunks.get(chunk) {
            slots.get_or_init(|| (0..FIRST_CHUNK << chunk).map(|_| S::empty()).collect());
        }
        free.unused += 1;
        Ok((index, 0))
    }

    #[inline]
    fn slot(&self, id: usize) -> Result<&S> {
        let known = id & ((1 << KIND_BITS) - 1) == self.kind as usize;
        let slot = place(index_of(id)).filter(|_| known).and_then(|(chunk, offset)| {
            let slots: &[S] = self.chunks.get(chunk)?.get()?;
            slots.get(offset)
        });
        slot.ok_or_else(|| self.not_this_kind(id))
    }

    #[cold]
    fn closed(&self) -> Error {
        closed(self.kind.name())
    }

    #[cold]
    fn not_this_kind(&self, id: usize) -> Error {
        let name = self.kind.name();
        Error::invalid(match Kind::of(id) {
            _ if id == 0 => format!("the {name} handle is NULL"),
            Some(kind) if kind != self.kind => format!("not a {name} handle, but a {} handle", kind.name()),
            _ => format!("not a {name} handle"),
        })
    }
}

#[inline]
fn index_of(id: usize) -> usize {
    (id >> KIND_BITS) & ((1 << INDEX_BITS) - 1)
}

/// Chunk of a slot, and its offset there.
#[inline]
fn place(index: usize) -> Option<(usize, usize)> {
    if index >= CAPACITY {
        return None;
    }
    let shifted = index + FIRST_CHUNK;
    let chunk = (shifted.ilog2() - FIRST_CHUNK.ilog2()) as usize;
    Some((chunk, shifted - (FIRST_CHUNK << chunk)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    struct H;

    fn kind_of<R: std::fmt::Debug>(result: Result<R>) -> ErrorKind {
        result.unwrap_err().kind()
    }

    #[test]
    fn places_are_dense_and_end() {
        let mut expected = (0..CHUNKS).flat_map(|chunk| (0..FIRST_CHUNK << chunk).map(move |i| (chunk, i)));
        assert!((0..100_000).all(|index| place(index) == expected.next()));
        assert_eq!(place(CAPACITY - 1), Some((CHUNKS - 1, (FIRST_CHUNK << (CHUNKS - 1)) - 1)));
        assert_eq!(place(CAPACITY), None);
    }

    #[test]
    fn a_freed_handle_stays_closed_when_its_slot_is_used_again() {
        let table: Table<H, Shared<u32>> = Table::new(Kind::Snapshot);
        let other: Table<H, Locked<u32>> = Table::new(Kind::Scan);
        let mut seen = HashSet::new();
        let mut before: Option<(*mut H, *mut H)> = None;
        for number in 0..1000 {
            let (handle, exclusive) = (table.insert(number).unwrap(), other.insert(number).unwrap());
            assert!(seen.insert(handle) && seen.insert(exclusive) && !handle.is_null());
            assert_eq!(table.with(handle, |value| Ok(*value)).unwrap(), number);
            assert_eq!(other.with(exclusive, |value| Ok(*value)).unwrap(), number);
            if let Some((before, exclusive_before)) = before {
                assert_eq!(index_of(before.addr()), index_of(handle.addr()));
                assert_eq!(kind_of(table.with(before, |_| Ok(()))), ErrorKind::Closed);
                assert_eq!(kind_of(table.end(before)), ErrorKind::Closed);
                assert_eq!(kind_of(table.remove(before)), ErrorKind::Closed);
                assert_eq!(kind_of(other.with(exclusive_before, |_| Ok(()))), ErrorKind::Closed);
                assert_eq!(kind_of(other.remove(exclusive_before)), ErrorKind::Closed);
            }
            table.remove(handle).unwrap();
            other.remove(exclusive).unwrap();
            before = Some((handle, exclusive));
        }
    }

    #[test]
    fn many_objects_have_handles_of_their_own() {
        let table: Table<H, Locked<usize>> = Table::new(Kind::Batch);
        let handles: Vec<_> = (0..1000).map(|number| table.insert(number).unwrap()).collect();
        for (number, handle) in handles.iter().enumerate() {
            assert_eq!(table.with(*handle, |value| Ok(*value)).unwrap(), number);
        }
    }

    #[test]
    fn an_ended_object_is_dropped_and_its_handle_freed_once() {
        let table: Table<H, Shared<Arc<u32>>> = Table::new(Kind::Transaction);
        let object = Arc::new(1);
        let handle = table.insert(Arc::clone(&object)).unwrap();
        table.end(handle).unwrap();
        assert_eq!(Arc::strong_count(&object), 1);
        assert_eq!(kind_of(table.with(handle, |_| Ok(()))), ErrorKind::Closed);
        assert_eq!(kind_of(table.end(handle)), ErrorKind::Closed);
        assert!(table.has_ended(handle).unwrap());
        table.remove(handle).unwrap();
        assert!(!table.has_ended(handle).unwrap());
        assert_eq!(kind_of(table.remove(handle)), ErrorKind::Closed);
    }

    #[test]
    fn a_call_that_runs_keeps_what_another_thread_frees() {
        let table: Table<H, Shared<Arc<u32>>> = Table::new(Kind::Database);
        let object = Arc::new(1);
        let handle = table.insert(Arc::clone(&object)).unwrap();
        let seen = table.with(handle, |value| {
            table.remove(handle)?;
            assert_eq!(Arc::strong_count(&object), 2);
            Ok(**value)
        });
        assert_eq!((seen.unwrap(), Arc::strong_count(&object)), (1, 1));
    }

    #[test]
    fn what_is_no_handle_of_the_table_is_said() {
        let table: Table<H, Locked<()>> = Table::new(Kind::Scan);
        let handle = table.insert(()).unwrap();
        let other: Table<H, Shared<()>> = Table::new(Kind::Snapshot);
        for (wrong, word) in
            [(0, "NULL"), (handle.addr(), "scan"), (usize::MAX, "snapshot"), (16, "snapshot")]
        {
            let error = other.with(ptr::without_provenance(wrong), |()| Ok(())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn an_object_is_freed_once_among_threads() {
        let table: Table<H, Shared<u32>> = Table::new(Kind::Snapshot);
        for number in 0..200 {
            let id = table.insert(number).unwrap().addr();
            let freed = std::thread::scope(|scope| {
                let free = || usize::from(table.remove(ptr::without_provenance(id)).is_ok());
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(free)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
            });
            assert_eq!(freed, 1);
        }
    }
}
