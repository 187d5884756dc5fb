//! The conflict check of optimistic transactions: what was committed since the oldest open one began.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

use crate::base::comparator::KeyOrder;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::key::KeyRange;
use crate::base::limits::CONFLICT_WINDOW_BYTES;
use crate::sync::Arc;

/// What a transaction has read and must find unchanged at its commit.
#[derive(Clone, Debug, Default)]
pub struct ReadSet {
    /// Single keys, found or not.
    pub keys: BTreeSet<(KeyspaceId, Vec<u8>)>,
    /// Ranges that were scanned.
    pub ranges: Vec<(KeyspaceId, KeyRange)>,
}

impl ReadSet {
    /// The keyspaces of what was read; one may come twice.
    fn keyspaces(&self) -> impl Iterator<Item = KeyspaceId> {
        let behind = |id: KeyspaceId| Some((KeyspaceId(id.0.checked_add(1)?), Vec::new()));
        let first = |from: (KeyspaceId, Vec<u8>)| self.keys.range(from..).next().map(|(id, _)| *id);
        let of_keys = std::iter::successors(first((KeyspaceId::DEFAULT, Vec::new())), move |id| {
            behind(*id).and_then(first)
        });
        of_keys.chain(self.ranges.iter().map(|(id, _)| *id))
    }
}

type WindowKey = (KeyspaceId, Arc<[u8]>);

/// A key of a commit.
struct Noted {
    sequence: SequenceNumber,
    key: WindowKey,
    /// The commit that changed it before, if the window had one.
    previous: Option<SequenceNumber>,
}

/// From the first to the last key, both included.
#[derive(Clone, Debug)]
pub struct Span {
    /// Whose.
    pub keyspace: KeyspaceId,
    /// The first key.
    pub first: Vec<u8>,
    /// The last key.
    pub last: Vec<u8>,
}

impl Span {
    fn contains(&self, order: &KeyOrder, key: &[u8]) -> bool {
        order.compare(&self.first, key).is_le() && order.compare(key, &self.last).is_le()
    }

    fn meets(&self, order: &KeyOrder, range: &KeyRange) -> bool {
        !range.is_empty(order) && !range.is_after(order, &self.first) && !range.is_before(order, &self.last)
    }

    fn cost(&self) -> usize {
        self.first.len() + self.last.len() + ENTRY_OVERHEAD
    }
}

/// Estimated bytes of bookkeeping for one key, in both collections.
const ENTRY_OVERHEAD: usize = 160;

/// Keys of recent commits with the sequence number of the last one. Kept only while transactions are
/// open; lives inside the commit section.
pub struct ConflictWindow {
    open: BTreeMap<SequenceNumber, usize>,
    open_count: usize,
    last: BTreeMap<WindowKey, SequenceNumber>,
    queue: VecDeque<Noted>,
    /// Ingests: all keys from the first to the last of each count as changed. Oldest first.
    ingests: VecDeque<(SequenceNumber, Span)>,
    bytes: usize,
    limit: usize,
    /// Commits at or below this are not in the window.
    floor: SequenceNumber,
}

impl Default for ConflictWindow {
    fn default() -> Self {
        Self::with_limit(CONFLICT_WINDOW_BYTES)
    }
}

impl ConflictWindow {
    /// A window that keeps about `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        let (open, last, queue, ingests) = Default::default();
        ConflictWindow { open, open_count: 0, last, queue, ingests, bytes: 0, limit, floor: 0 }
    }

    /// A transaction begins; everything up to `sequence` is visible to it.
    pub fn begin(&mut self, sequence: SequenceNumber) {
        if self.open.is_empty() {
            self.floor = sequence;
        }
        *self.open.entry(sequence).or_default() += 1;
        self.open_count += 1;
    }

    /// A transaction that began at `sequence` ends, one way or the other.
    pub fn end(&mut self, sequence: SequenceNumber) {
        if let Some(count) = self.open.get_mut(&sequence) {
            *count -= 1;
            self.open_count -= 1;
            if *count == 0 {
                self.open.remove(&sequence);
            }
        }
        match self.open.first_key_value() {
            Some((&oldest, _)) => self.forget(|first, _| first <= oldest),
            None => {
                self.last.clear();
                self.queue.clear();
                self.ingests.clear();
                self.bytes = 0;
            }
        }
    }

    /// Transactions that are open.
    pub fn open_count(&self) -> usize {
        self.open_count
    }

    /// Notes that `key` was committed at `sequence`. Sequences rise from call to call.
    pub fn record(&mut self, sequence: SequenceNumber, keyspace: KeyspaceId, key: &[u8]) {
        if self.open.is_empty() {
            return;
        }
        let key: WindowKey = (keyspace, key.into());
        self.bytes += cost(&key);
        let previous = self.last.insert(key.clone(), sequence);
        self.queue.push_back(Noted { sequence, key, previous });
        let limit = self.limit;
        self.forget(|_, bytes| bytes > limit);
    }

    /// Takes back what was recorded behind `to`, by commits that failed. Their sequence numbers come again.
    pub fn rollback(&mut self, to: SequenceNumber) {
        while let Some(Noted { key, previous, .. }) = self.queue.pop_back_if(|newest| newest.sequence > to) {
            self.bytes -= cost(&key);
            match previous.filter(|&previous| previous > self.floor) {
                Some(previous) => self.last.insert(key, previous),
                None => self.last.remove(&key),
            };
        }
        self.floor = self.floor.min(to);
    }

    /// Notes that keys were ingested at `sequence`. Sequences rise from call to call.
    pub fn record_ingest(&mut self, sequence: SequenceNumber, span: Span) {
        if self.open.is_empty() {
            return;
        }
        self.bytes += span.cost();
        self.ingests.push_back((sequence, span));
        let limit = self.limit;
        self.forget(|_, bytes| bytes > limit);
    }

    /// Drops entries from the old end while `gone(sequence, bytes)` holds.
    fn forget(&mut self, gone: impl Fn(SequenceNumber, usize) -> bool) {
        loop {
            let (key, ingest) = (self.queue.front(), self.ingests.front());
            let (key, ingest) = (key.map(|noted| noted.sequence), ingest.map(|(sequence, _)| *sequence));
            let Some(oldest) = key.into_iter().chain(ingest).min() else { return };
            if !gone(oldest, self.bytes) {
                return;
            }
            self.floor = self.floor.max(oldest);
            if ingest == Some(oldest) {
                self.bytes -= self.ingests.pop_front().map_or(0, |(_, span)| span.cost());
            } else if let Some(Noted { sequence, key, .. }) = self.queue.pop_front() {
                self.bytes -= cost(&key);
                if self.last.get(&key) == Some(&sequence) {
                    self.last.remove(&key);
                }
            }
        }
    }

    /// The newest ingests first, back to `since`.
    fn ingests_behind(&self, since: SequenceNumber, keyspace: KeyspaceId) -> impl Iterator<Item = &Span> {
        let newest_first = self.ingests.iter().rev();
        newest_first
            .take_while(move |(sequence, _)| *sequence > since)
            .map(|(_, span)| span)
            .filter(move |span| span.keyspace == keyspace)
    }

    /// What of `reads` was changed behind `since`: a sentence for the error, or `None`. `order_of` knows the keyspaces
    /// that there are: to drop one changes all that was read in it.
    pub fn conflict<'o>(
        &self,
        reads: &ReadSet,
        since: SequenceNumber,
        order_of: impl Fn(KeyspaceId) -> Option<&'o KeyOrder>,
    ) -> Option<String> {
        if reads.keys.is_empty() && reads.ranges.is_empty() {
            return None;
        }
        if since < self.floor {
            return Some("the transaction is older than the window of recent commits".into());
        }
        if reads.keyspaces().any(|keyspace| order_of(keyspace).is_none()) {
            return Some("a keyspace that was read has been dropped".into());
        }
        for (keyspace, key) in &reads.keys {
            let key: WindowKey = (*keyspace, key.as_slice().into());
            if self.last.get(&key).is_some_and(|&sequence| sequence > since) {
                return Some(format!("key \"{}\" was changed by another commit", key.1.escape_ascii()));
            }
            let mut ingests = self.ingests_behind(since, *keyspace).peekable();
            if ingests.peek().is_some() {
                let Some(order) = order_of(*keyspace) else { continue };
                if ingests.any(|span| span.contains(order, &key.1)) {
                    return Some(format!("key \"{}\" is among keys ingested since", key.1.escape_ascii()));
                }
            }
        }
        for (keyspace, range) in &reads.ranges {
            let Some(order) = order_of(*keyspace) else { continue };
            if self.ingests_behind(since, *keyspace).any(|span| span.meets(order, range)) {
                return Some("a scanned range has keys ingested since".into());
            }
            if let Some(key) = self.changed_in(*keyspace, range, since, order) {
                return Some(format!(
                    "key \"{}\" in a scanned range was changed by another commit",
                    key.escape_ascii()
                ));
            }
        }
        None
    }

    fn changed_in(
        &self,
        keyspace: KeyspaceId,
        range: &KeyRange,
        since: SequenceNumber,
        order: &KeyOrder,
    ) -> Option<&[u8]> {
        if range.is_empty(order) {
            return None;
        }
        let start = match &range.start {
            Bound::Included(start) | Bound::Excluded(start) if order.is_bytewise() => start.as_slice().into(),
            _ => Arc::from(&[][..]),
        };
        self.last
            .range((keyspace, start)..)
            .take_while(|((space, key), _)| {
                *space == keyspace && !(order.is_bytewise() && range.is_after(order, key))
            })
            .find(|((_, key), sequence)| **sequence > since && range.contains(order, key))
            .map(|((_, key), _)| &**key)
    }
}

fn cost(key: &WindowKey) -> usize {
    key.1.len() + ENTRY_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: KeyspaceId = KeyspaceId::DEFAULT;

    fn reads(keys: &[&[u8]], ranges: &[(&[u8], &[u8])]) -> ReadSet {
        ReadSet {
            keys: keys.iter().map(|key| (SPACE, key.to_vec())).collect(),
            ranges: ranges
                .iter()
                .map(|(a, b)| (SPACE, KeyRange::half_open(Some(a.to_vec()), Some(b.to_vec()))))
                .collect(),
        }
    }

    fn conflicts(window: &ConflictWindow, reads: &ReadSet, since: SequenceNumber) -> bool {
        window.conflict(reads, since, |_| Some(&KeyOrder::Bytewise)).is_some()
    }

    #[test]
    fn only_what_was_read_and_changed_later_conflicts() {
        let mut window = ConflictWindow::default();
        window.begin(10);
        window.record(11, SPACE, b"b");
        assert!(conflicts(&window, &reads(&[b"b"], &[]), 10));
        assert!(!conflicts(&window, &reads(&[b"b"], &[]), 11));
        assert!(!conflicts(&window, &reads(&[b"a", b"c"], &[]), 10));
        assert!(conflicts(&window, &reads(&[], &[(b"a", b"c")]), 10));
        assert!(!conflicts(&window, &reads(&[], &[(b"a", b"b")]), 10));
        assert!(!conflicts(&window, &reads(&[], &[(b"c", b"d"), (b"z", b"a")]), 10));
    }

    #[test]
    fn ranges_follow_a_custom_order() {
        struct Reverse;
        impl crate::base::comparator::Comparator for Reverse {
            fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
                b.cmp(a)
            }
        }
        let order = KeyOrder::Custom(Arc::new(Reverse));
        let mut window = ConflictWindow::default();
        window.begin(0);
        window.record(1, SPACE, b"m");
        let hit = reads(&[], &[(b"z", b"a")]);
        assert!(window.conflict(&hit, 0, |_| Some(&order)).is_some());
        let miss = reads(&[], &[(b"m0", b"m")]);
        assert!(window.conflict(&miss, 0, |_| Some(&order)).is_none());
    }

    #[test]
    fn a_keyspace_that_was_read_and_dropped_conflicts() {
        let mut window = ConflictWindow::default();
        window.begin(0);
        let read = |keyspaces: &[u32]| ReadSet {
            keys: keyspaces.iter().map(|id| (KeyspaceId(*id), b"k".to_vec())).collect(),
            ranges: Vec::new(),
        };
        let there = |id: KeyspaceId| (id.0 != 7).then_some(&KeyOrder::Bytewise);
        assert!(window.conflict(&read(&[0, 3, 7, 9]), 0, there).is_some());
        assert!(window.conflict(&read(&[0, 3, 6, 8, u32::MAX]), 0, there).is_none());
        let mut scanned = read(&[]);
        scanned.ranges.push((KeyspaceId(7), KeyRange::all()));
        assert!(window.conflict(&scanned, 0, there).is_some());
    }

    #[test]
    fn a_transaction_older_than_the_window_conflicts() {
        let mut window = ConflictWindow::with_limit(3 * (ENTRY_OVERHEAD + 1));
        window.begin(0);
        for sequence in 1..=4 {
            window.record(sequence, SPACE, &[sequence as u8]);
        }
        assert!(conflicts(&window, &reads(&[b"other"], &[]), 0));
        assert!(!conflicts(&window, &reads(&[b"other"], &[]), 1));
        assert!(!conflicts(&window, &reads(&[], &[]), 0), "what reads nothing cannot conflict");
    }

    #[test]
    fn what_is_taken_back_leaves_the_window_as_it_was() {
        let mut window = ConflictWindow::with_limit(4 * (ENTRY_OVERHEAD + 1));
        window.begin(0);
        window.record(1, SPACE, b"a");
        window.record(2, SPACE, b"b");
        window.record(3, SPACE, b"a");
        window.record(4, SPACE, b"c");
        window.rollback(2);
        assert!(conflicts(&window, &reads(&[b"a"], &[]), 0), "as of its first commit");
        assert!(!conflicts(&window, &reads(&[b"a", b"c"], &[]), 1));
        assert!(conflicts(&window, &reads(&[b"b"], &[]), 1));
        for sequence in 3..9 {
            window.record(sequence, SPACE, &[sequence as u8]);
        }
        window.rollback(2);
        assert!(conflicts(&window, &reads(&[b"z"], &[]), 1), "1 and 2 were pushed out");
        assert!(!conflicts(&window, &reads(&[b"z", b"a", &[8]], &[]), 2));
        assert_eq!((window.bytes, window.last.len()), (0, 0));
    }

    #[test]
    fn a_key_committed_again_stays_when_its_first_entry_goes() {
        let mut window = ConflictWindow::default();
        window.begin(0);
        window.begin(1);
        window.record(1, SPACE, b"k");
        window.record(2, SPACE, b"k");
        window.end(0);
        assert!(conflicts(&window, &reads(&[b"k"], &[]), 1));
        window.end(1);
        assert_eq!((window.bytes, window.open_count()), (0, 0));
    }

    #[test]
    fn an_ingest_changes_all_from_its_first_to_its_last_key() {
        let mut window = ConflictWindow::with_limit(1000);
        let span =
            |first: &[u8], last: &[u8]| Span { keyspace: SPACE, first: first.into(), last: last.into() };
        window.begin(10);
        window.record_ingest(11, span(b"c", b"e"));
        for (key, hit) in [(b"b", false), (b"c", true), (b"d", true), (b"e", true), (b"f", false)] {
            assert_eq!(conflicts(&window, &reads(&[key], &[]), 10), hit, "{key:?}");
            assert!(!conflicts(&window, &reads(&[key], &[]), 11));
        }
        assert!(conflicts(&window, &reads(&[], &[(b"a", b"cc")]), 10));
        assert!(conflicts(&window, &reads(&[], &[(b"e", b"x")]), 10));
        assert!(!conflicts(&window, &reads(&[], &[(b"a", b"c"), (b"ee", b"x"), (b"d", b"d")]), 10));
        window.begin(12);
        window.record(13, SPACE, b"k");
        window.end(10);
        assert_eq!(window.ingests.len(), 0);
        for sequence in 14..40 {
            window.record_ingest(sequence, span(b"m", b"n"));
        }
        assert!(window.bytes <= 1000, "bounded");
        assert!(conflicts(&window, &reads(&[b"a"], &[]), 12), "older than the window");
        window.end(12);
        assert_eq!((window.bytes, window.ingests.len()), (0, 0));
    }

    #[test]
    fn nothing_is_kept_while_no_transaction_is_open() {
        let mut window = ConflictWindow::default();
        window.record(1, SPACE, b"k");
        assert_eq!(window.bytes, 0);
        window.begin(1);
        assert!(!conflicts(&window, &reads(&[b"k"], &[]), 1));
    }
}
