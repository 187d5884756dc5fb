//! Scans that cross the boundary many entries at a time.

use lightning_db::{Error, Result, Scan, TransactionScan, memory};

/// A page is full behind the entry that brings it to so many bytes.
const MAX_BYTES: usize = 64 << 10;
/// Entries of the first page of a scan outside of transactions.
const FIRST_ENTRIES: usize = 8;

/// Entries of a scan in a row: their bytes, key and value by turns, and where each ends.
#[derive(Clone, Debug, Default)]
pub struct Page {
    bytes: Vec<u8>,
    ends: Vec<[usize; 2]>,
}

impl Page {
    /// Entries of the largest page.
    pub const MAX_ENTRIES: usize = 512;

    /// An empty page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no entries: the scan is at its end.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Keys and values by turns.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// For each entry, where in [`Page::bytes`] its key and its value end.
    pub fn ends(&self) -> &[[usize; 2]] {
        &self.ends
    }

    /// Key and value of an entry.
    pub fn entry(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let [key_end, value_end] = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |ends| ends[1]);
        Some((self.bytes.get(start..key_end)?, self.bytes.get(key_end..value_end)?))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(2 * MAX_BYTES);
        self.ends.clear();
    }

    /// Errors: `OutOfMemory`; the page is unchanged then.
    fn push(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let room = key.len() + value.len();
        self.bytes.try_reserve(room).map_err(|_| memory::short_of(room))?;
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.ends.push([key_end, self.bytes.len()]);
        Ok(())
    }
}

/// A scan of a database, a snapshot or a transaction.
pub struct Cursor {
    source: Source,
    /// Entries of the next page: grows, so that a scan that is left early has not read far ahead.
    next_entries: usize,
    /// What ended the scan. Told again at every later call: a loop that tries again must not take an error for
    /// the end.
    failure: Option<Error>,
}

enum Source {
    Plain(Box<Scan>),
    Transaction(Box<TransactionScan>),
}

impl From<Scan> for Cursor {
    fn from(scan: Scan) -> Self {
        Cursor { source: Source::Plain(Box::new(scan)), next_entries: FIRST_ENTRIES, failure: None }
    }
}

impl From<TransactionScan> for Cursor {
    /// What such a scan walks counts as read, so it starts with single entries.
    fn from(scan: TransactionScan) -> Self {
        Cursor { source: Source::Transaction(Box::new(scan)), next_entries: 1, failure: None }
    }
}

impl Cursor {
    /// Moves to the next entry and lends it; `None` at the end. An error ends the scan and is told again. Not to be mixed with [`Cursor::fill`].
    pub fn next_entry(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        self.status()?;
        let next = match &mut self.source {
            Source::Plain(scan) => scan.next_entry(),
            Source::Transaction(scan) => scan.next_entry(),
        };
        next.inspect_err(|error| self.failure = Some(error.clone()))
    }

    /// The error that ended the scan, if one has.
    #[inline]
    pub fn status(&self) -> Result<()> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// Raises the number of entries of the next page, for a caller to whom pages are dear. Without effect on a
    /// scan of a transaction, where what is walked counts as read.
    pub fn read_ahead(&mut self, entries: usize) {
        if matches!(self.source, Source::Plain(_)) {
            self.next_entries = self.next_entries.max(entries).min(Page::MAX_ENTRIES);
        }
    }

    /// Fills a page with the next entries; an empty page is the end. `values`: false leaves the values out.
    /// An error comes behind all entries in front of it, and again at every later call.
    pub fn fill(&mut self, page: &mut Page, values: bool) -> Result<()> {
        page.clear();
        let entries = self.next_entries;
        self.next_entries = (entries * 2).min(Page::MAX_ENTRIES);
        while page.len() < entries && page.bytes.len() < MAX_BYTES {
            let added = match self.next_entry() {
                Ok(Some((key, value))) => page.push(key, if values { value } else { b"" }),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            if let Err(error) = added {
                self.failure.get_or_insert_with(|| error.clone());
                if page.is_empty() {
                    return Err(error);
                }
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightning_db::{Database, ErrorKind};

    #[test]
    fn pages_give_every_entry_once() {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::create(folder.path(), Default::default()).unwrap();
        let entries: Vec<_> =
            (0..3000u32).map(|i| (i.to_be_bytes().to_vec(), vec![7; i as usize % 90])).collect();
        db.put_batch(&entries).unwrap();
        let tx = db.transaction().unwrap();
        let cursors =
            [Cursor::from(db.scan(None, None).unwrap()), Cursor::from(tx.scan(None, None).unwrap())];
        for (mut cursor, first) in cursors.into_iter().zip([FIRST_ENTRIES, 1]) {
            let (mut page, mut seen, mut sizes) = (Page::new(), Vec::new(), Vec::new());
            loop {
                cursor.fill(&mut page, true).unwrap();
                if page.is_empty() {
                    break;
                }
                sizes.push(page.len());
                let owned = |(key, value): (&[u8], &[u8])| (key.to_vec(), value.to_vec());
                seen.extend((0..page.len()).filter_map(|index| page.entry(index)).map(owned));
            }
            assert_eq!(seen, entries);
            assert_eq!((sizes[0], sizes[1]), (first, 2 * first));
            assert!(sizes.iter().all(|&size| size <= Page::MAX_ENTRIES));
        }
    }

    #[test]
    fn a_larger_page_may_be_expected_outside_of_transactions() {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::create(folder.path(), Default::default()).unwrap();
        db.put_batch(&(0..1000u32).map(|i| (i.to_be_bytes(), b"")).collect::<Vec<_>>()).unwrap();
        let tx = db.transaction().unwrap();
        let plain = || Cursor::from(db.scan(None, None).unwrap());
        let first = |mut cursor: Cursor, expected: usize| {
            let mut page = Page::new();
            cursor.read_ahead(expected);
            cursor.fill(&mut page, true).unwrap();
            page.len()
        };
        assert_eq!([first(plain(), 100), first(plain(), 0)], [100, FIRST_ENTRIES]);
        assert_eq!(first(plain(), usize::MAX), Page::MAX_ENTRIES);
        assert_eq!(first(Cursor::from(tx.scan(None, None).unwrap()), 100), 1);
    }

    #[test]
    fn an_error_comes_behind_the_entries_in_front_of_it_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::create(folder.path(), Default::default()).unwrap();
        db.put(b"a", vec![1; MAX_BYTES]).unwrap();
        db.put(b"b", b"2").unwrap();
        let mut cursor = Cursor::from(db.scan(None, None).unwrap());
        let mut page = Page::new();
        cursor.fill(&mut page, true).unwrap();
        assert_eq!((page.len(), page.entry(0).unwrap().1.len()), (1, MAX_BYTES));
        cursor.status().unwrap();
        db.close().unwrap();
        for _ in 0..2 {
            assert_eq!(cursor.fill(&mut page, true).unwrap_err().kind(), ErrorKind::Closed);
            assert!(page.is_empty());
            assert_eq!(cursor.next_entry().unwrap_err().kind(), ErrorKind::Closed);
            assert_eq!(cursor.status().unwrap_err().kind(), ErrorKind::Closed);
        }
    }
}
