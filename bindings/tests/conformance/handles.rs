//! The handles of a case, as a face keeps them.

use lightning_db_bindings::{
    Bounds, Cursor, Error, ErrorKind, Exclusive, Handle, Page, Read, Result, Snapshot, Store, Transaction,
    View, Within, WriteBatch,
};

/// How entries of scans are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    Entries,
    Pages,
}

pub enum Item {
    Database(Store),
    Keyspace(Handle<Store>),
    Snapshot(Store, View<Snapshot>),
    Transaction(Store, View<Transaction>),
    Batch(Store, Exclusive<WriteBatch>),
    Entries(Exclusive<Entries>),
    /// The transaction of a `transact` that is over.
    Ended,
}

/// What can be read from and written to, for the time of one step.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    Store(&'a Store),
    Snapshot(&'a Store, &'a Within<Snapshot>),
    Transaction(&'a Store, &'a Within<Transaction>),
}

impl Item {
    pub fn close(&self) -> Result<()> {
        match self {
            Item::Database(store) => return store.database().close(),
            Item::Keyspace(handle) => drop(handle.take()),
            Item::Snapshot(_, view) => view.close(),
            Item::Transaction(_, view) => view.close(),
            Item::Batch(_, handle) => drop(handle.take()),
            Item::Entries(handle) => drop(handle.take()),
            Item::Ended => {}
        }
        Ok(())
    }
}

impl Source<'_> {
    pub fn get(self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let value = match self {
            Source::Store(store) => store.get_copy(key),
            Source::Snapshot(_, snapshot) => snapshot.get_copy(key),
            Source::Transaction(_, tx) => tx.get_copy(key),
        };
        Ok(value?.map(|value| value.to_vec()))
    }
}

pub fn ended() -> Error {
    Error::new(ErrorKind::Closed, "the transaction is closed")
}

/// A cursor with what it has read ahead.
pub struct Entries {
    store: Store,
    cursor: Cursor,
    reading: Reading,
    page: Page,
    next: usize,
}

pub type Pair = (Vec<u8>, Vec<u8>);

impl Entries {
    pub fn open(source: Source<'_>, bounds: &Bounds<'_>, reading: Reading) -> Result<Self> {
        let options = bounds.options()?;
        let (store, cursor) = match source {
            Source::Store(store) => (store, store.cursor(options)?),
            Source::Snapshot(store, snapshot) => (store, snapshot.cursor(options)?),
            Source::Transaction(store, tx) => (store, tx.cursor(options)?),
        };
        Ok(Entries { store: store.clone(), cursor, reading, page: Page::new(), next: 0 })
    }

    pub fn next(&mut self) -> Result<Option<Pair>> {
        let owned = |(key, value): (&[u8], &[u8])| (key.to_vec(), value.to_vec());
        if self.reading == Reading::Entries {
            return Ok(self.cursor.next_entry()?.map(owned));
        }
        if !self.store.database().is_open() {
            return Err(Error::new(ErrorKind::Closed, "the database is closed"));
        }
        if self.next == self.page.len() {
            self.cursor.fill(&mut self.page, true)?;
            self.next = 0;
        }
        self.next += usize::from(self.next < self.page.len());
        Ok(self.next.checked_sub(1).and_then(|index| self.page.entry(index)).map(owned))
    }

    pub fn all(&mut self) -> Result<Vec<Pair>> {
        let mut pairs = Vec::new();
        while let Some(pair) = self.next()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

/// Bytes of the bounds in a step.
pub struct Range {
    /// gt, gte, lt, lte, prefix.
    pub sides: [Option<Vec<u8>>; 5],
    pub reverse: bool,
    pub limit: Option<usize>,
}

impl Range {
    pub fn bounds(&self) -> Bounds<'_> {
        let [gt, gte, lt, lte, prefix] = self.sides.each_ref().map(Option::as_deref);
        Bounds { gt, gte, lt, lte, prefix, reverse: self.reverse, limit: self.limit }
    }
}
