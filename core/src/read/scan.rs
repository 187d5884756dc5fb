//! Ordered scans, forward or backward, of what one reader sees.

use std::any::Any;
use std::ops::Bound;

use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, Result};
use crate::base::ids::{KeyspaceId, MAX_SEQUENCE, SequenceNumber};
use crate::base::key::KeyRange;
use crate::base::memory;
use crate::base::planted::{Plant, planted};
use crate::base::record::RecordKind;
use crate::btree::ReadAhead;
use crate::health::Health;
use crate::iter::{Cursor, MergeCursor};
use crate::metrics::Tally;
use crate::read::scan_options::ScanOptions;
use crate::sync::Arc;
use crate::version::{Source, Version};
use crate::view::View;

/// In front of all versions of a key.
const NEWEST: SequenceNumber = SequenceNumber::MAX;
/// Behind all versions of a key.
const OLDEST: SequenceNumber = 0;

/// What a scan reads from.
pub struct ScanSource {
    /// Memtables and tables.
    pub view: Arc<View>,
    /// Whose records.
    pub keyspace: KeyspaceId,
    /// As of when.
    pub sequence: SequenceNumber,
    /// Ends the scan with `Closed` when the database is closed.
    pub health: Arc<Health>,
    /// Writes of the transaction that scans.
    pub own: Option<OwnWrites>,
    /// Reads pages ahead of the scan.
    pub read_ahead: Option<Arc<ReadAhead>>,
    /// Keeps the database open while the scan lives.
    pub keep: KeepAlive,
}

/// Whatever must live as long as its holder.
pub type KeepAlive = Option<Arc<dyn Any + Send + Sync>>;

/// Writes that a transaction has not committed, numbered above [`MAX_SEQUENCE`].
pub struct OwnWrites {
    /// Over the writes.
    pub cursor: Box<dyn Cursor>,
    /// Number of the last one that the scan shows.
    pub last: SequenceNumber,
}

/// Entries in key order, as of the instant at which the scan began. Holds the tables it reads; drop it
/// when done. Not shared between threads, but may move from one to another.
///
/// As an iterator it yields own copies; [`Scan::next_entry`] lends. After an error it is at its end.
pub struct Scan {
    cursor: MergeCursor<Source>,
    order: KeyOrder,
    range: Arc<KeyRange>,
    prefix: Option<Vec<u8>>,
    reverse: bool,
    keys_only: bool,
    left: usize,
    /// Steps that [`Cursor::walk`] takes to entries in the range; at most `left`.
    run: usize,
    /// They lead to puts that the scan shows: [`Cursor::walk_to_put`] takes them too.
    run_of_puts: bool,
    hit_limit: bool,
    sequence: SequenceNumber,
    own_last: SequenceNumber,
    health: Arc<Health>,
    tally: Tally,
    /// Keeps the tables' files.
    _version: Arc<Version>,
    _keep: KeepAlive,
    place: Place,
    /// Key and value of an entry that is [`Place::Copied`].
    key: Vec<u8>,
    value: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// The cursor stands on the entry.
    OnEntry,
    /// The cursor stands on a record that is not seen.
    Hidden,
    /// Backward: the cursor stands in front of all versions of the entry, which was copied.
    Copied,
    End,
}

impl Scan {
    pub(crate) fn new(source: ScanSource, options: ScanOptions) -> Result<Scan> {
        let view = &source.view;
        let levels = view.version.space(source.keyspace).ok_or_else(View::gone)?;
        let order = levels.order().clone();
        let own_last = source.own.as_ref().map_or(0, |own| own.last);
        let mut sources: Vec<_> = source.own.into_iter().map(|own| Source::Other(own.cursor)).collect();
        for set in std::iter::once(&view.active).chain(&view.sealed) {
            if let Some(memtable) = set.space(source.keyspace).filter(|memtable| !memtable.is_empty()) {
                sources.push(Source::Memtable(memtable.cursor()));
            }
        }
        let range = Arc::new(options.walked_range(&order));
        let limit = options.limit.unwrap_or(usize::MAX);
        levels.add_cursors(source.read_ahead.as_ref().map(|ahead| (ahead, &range, limit)), &mut sources)?;
        let empty = range.is_empty(&order);
        Ok(Scan {
            cursor: MergeCursor::new(order.clone(), sources),
            order,
            range,
            prefix: options.prefix,
            reverse: options.reverse,
            keys_only: options.keys_only,
            left: limit,
            run: 0,
            run_of_puts: false,
            hit_limit: false,
            sequence: source.sequence,
            own_last,
            tally: Tally::of_scan(&source.health.meters),
            health: source.health,
            _version: Arc::clone(&view.version),
            _keep: source.keep,
            place: if empty { Place::End } else { Place::Start },
            key: Vec::new(),
            value: Vec::new(),
        })
    }

    /// Moves to the next entry and lends its key and value until the next call; `None` at the end.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// db.put(b"a", b"1")?;
    /// let mut scan = db.scan(None, None)?;
    /// let mut bytes = 0;
    /// while let Some((key, value)) = scan.next_entry()? {
    ///     bytes += key.len() + value.len();
    /// }
    /// assert_eq!(bytes, 2);
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    #[inline]
    pub fn next_entry(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        if self.run_of_puts && self.run > 0 && self.health.may_read() {
            (self.run, self.left) = (self.run - 1, self.left - 1);
            self.tally.step(true);
            let (key, value) = self.cursor.walk_to_put(!self.reverse);
            return Ok(Some((key, if self.keys_only { &[] } else { value })));
        }
        self.step()?;
        Ok(self.entry())
    }

    /// Walks to the end; the number of entries on the way.
    pub(crate) fn count_rest(&mut self) -> Result<u64> {
        let mut count = 0;
        while self.step()? {
            count += 1;
        }
        Ok(count)
    }

    /// Moves to the next entry; `false` at the end.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<bool> {
        let found = self.advance().map_err(|error| self.fail(error))?;
        self.tally.step(found);
        Ok(found)
    }

    #[cold]
    fn fail(&mut self, error: Error) -> Error {
        self.place = Place::End;
        self.health.closed_or(error)
    }

    /// The current entry.
    #[inline]
    pub(crate) fn entry(&self) -> Option<(&[u8], &[u8])> {
        let (key, value) = match self.place {
            Place::OnEntry => {
                let record = self.cursor.record();
                (record.key, record.value)
            }
            Place::Copied => (&self.key[..], &self.value[..]),
            Place::Start | Place::Hidden | Place::End => return None,
        };
        Some((key, if self.keys_only { &[] } else { value }))
    }

    /// The key of the current entry; empty if there is none.
    pub(crate) fn key(&self) -> &[u8] {
        self.entry().map_or(&[], |(key, _)| key)
    }

    #[inline]
    fn advance(&mut self) -> Result<bool> {
        if self.place == Place::End {
            return Ok(false);
        }
        self.health.check_read()?;
        while self.run > 0 {
            self.run -= 1;
            let (kind, sequence) = self.cursor.walk(!self.reverse);
            if !self.sees(sequence) {
                // Forward, an older version may be seen. Backward there is none.
                self.place = Place::Hidden;
                break;
            }
            if kind == RecordKind::Put {
                self.left -= 1;
                return Ok(true);
            }
        }
        if self.left == 0 {
            self.hit_limit = true;
            self.place = Place::End;
            return Ok(false);
        }
        self.left -= 1;
        self.step_from_key()
    }

    fn step_from_key(&mut self) -> Result<bool> {
        self.run = 0;
        self.place = if self.reverse { self.advance_backward()? } else { self.advance_forward()? };
        if self.place == Place::OnEntry {
            let bound = if self.reverse { &self.range.start } else { &self.range.end };
            let until = match bound {
                Bound::Included(key) | Bound::Excluded(key) => Some(&key[..]),
                Bound::Unbounded => None,
            };
            self.run = self.cursor.run(!self.reverse, until).min(self.left);
            self.run_of_puts = self.cursor.run_of_puts().is_some_and(|sequence| self.sees(sequence));
        }
        Ok(self.place != Place::End)
    }

    fn advance_forward(&mut self) -> Result<Place> {
        match (self.place, &self.range.start) {
            (Place::OnEntry, _) => self.cursor.next_key()?,
            (Place::Start, Bound::Included(start) | Bound::Excluded(start)) => {
                self.cursor.seek(start, NEWEST)?
            }
            (Place::Start, Bound::Unbounded) => self.cursor.seek_first()?,
            (Place::Hidden | Place::Copied | Place::End, _) => {}
        }
        while self.cursor.valid() {
            if self.range.is_after(&self.order, self.cursor.key()) {
                return Ok(Place::End);
            }
            let (kind, sequence) = self.cursor.version();
            if !self.sees(sequence) {
                self.cursor.next()?;
                continue;
            }
            if kind == RecordKind::Put && self.wanted(self.cursor.key()) {
                return Ok(Place::OnEntry);
            }
            self.cursor.next_key()?;
        }
        Ok(Place::End)
    }

    fn advance_backward(&mut self) -> Result<Place> {
        match self.place {
            Place::Start => {
                match &self.range.end {
                    Bound::Included(end) => self.cursor.seek_before(end, OLDEST)?,
                    Bound::Excluded(end) => self.cursor.seek_before(end, NEWEST)?,
                    Bound::Unbounded => self.cursor.seek_last()?,
                }
                self.step_over_oldest()?;
            }
            Place::OnEntry => self.cursor.prev()?,
            Place::Hidden | Place::Copied | Place::End => {}
        }
        while self.cursor.valid() {
            if self.range.is_before(&self.order, self.cursor.key()) {
                return Ok(Place::End);
            }
            if self.cursor.is_newest() {
                let (kind, sequence) = self.cursor.version();
                let live = kind == RecordKind::Put && self.sees(sequence);
                if live && self.wanted(self.cursor.key()) {
                    return Ok(Place::OnEntry);
                }
                self.cursor.prev()?;
            } else if self.copy_backward()? && self.wanted(&self.key) {
                return Ok(Place::Copied);
            }
        }
        Ok(Place::End)
    }

    /// Walks the versions of a key from the oldest to the newest one that is seen, which is copied; whether that has a value.
    /// The cursor then stands in front of the key.
    fn copy_backward(&mut self) -> Result<bool> {
        self.key.clear();
        self.key.extend_from_slice(self.cursor.record().key);
        let mut live = false;
        while self.cursor.valid() {
            let record = self.cursor.record();
            if record.key != self.key {
                break;
            }
            if self.sees(record.sequence) {
                live = record.kind == RecordKind::Put;
                if !self.keys_only {
                    self.value.clear();
                    memory::append(&mut self.value, record.value)?;
                }
            }
            self.cursor.prev()?;
        }
        Ok(live)
    }

    /// A record of an included end key may itself have sequence 0 and so lie at the seek position.
    fn step_over_oldest(&mut self) -> Result<()> {
        let Bound::Included(end) = &self.range.end else { return Ok(()) };
        self.cursor.seek(end, OLDEST)?;
        if self.cursor.valid() && self.cursor.record().key == &end[..] {
            return Ok(());
        }
        self.cursor.seek_before(end, OLDEST)
    }

    /// Whether the scan shows a record: one committed at or below its instant, or the transaction's own.
    #[inline]
    fn sees(&self, record: SequenceNumber) -> bool {
        record <= self.sequence || (MAX_SEQUENCE < record && record <= self.own_last)
    }

    /// Whether the scan ended because of its limit, not because there is no more.
    pub(crate) fn hit_limit(&self) -> bool {
        self.hit_limit
    }

    #[inline]
    fn wanted(&self, key: &[u8]) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| key.starts_with(prefix))
            && !matches!(&self.range.start, Bound::Excluded(start) if start == key)
    }
}

impl Iterator for Scan {
    type Item = Result<(Vec<u8>, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_entry() {
            Ok(entry) => entry.map(|(key, value)| Ok((key.to_vec(), memory::copy(value)?))),
            Err(_) if planted(Plant::ScanEndsEarly) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl std::iter::FusedIterator for Scan {}
