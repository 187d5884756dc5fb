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

type WindowKey = (KeyspaceId, Arc<[u8]>);

/// Estimated bytes of bookkeeping for one key, in both collections.
const ENTRY_OVERHEAD: usize = 160;

/// Keys of recent commits with the sequence number of the last one. Kept only while transactions are
/// open; lives inside the commit section.
pub struct ConflictWindow {
    open: BTreeMap<SequenceNumber, usize>,
    open_count: usize,
    last: BTreeMap<WindowKey, SequenceNumber>,
    queue: VecDeque<(SequenceNumber, WindowKey)>,
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
        let (open, last, queue) = Default::default();
        ConflictWindow { open, open_count: 0, last, queue, bytes: 0, limit, floor: 0 }
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
        self.last.insert(key.clone(), sequence);
        self.queue.push_back((sequence, key));
        let limit = self.limit;
        self.forget(|_, bytes| bytes > limit);
    }

    /// Drops entries from the old end while `gone(sequence, bytes)` holds.
    fn forget(&mut self, gone: impl Fn(SequenceNumber, usize) -> bool) {
        while let Some((sequence, _)) = self.queue.front() {
            if !gone(*sequence, self.bytes) {
                return;
            }
            let Some((sequence, key)) = self.queue.pop_front() else { return };
            self.bytes -= cost(&key);
            self.floor = self.floor.max(sequence);
            if self.last.get(&key) == Some(&sequence) {
                self.last.remove(&key);
            }
        }
    }

    /// What of `reads` was changed behind `since`: a sentence for the error, or `None`.
    pub fn conflict(
        &self,
        reads: &ReadSet,
        since: SequenceNumber,
        order_of: impl Fn(KeyspaceId) -> KeyOrder,
    ) -> Option<String> {
        if reads.keys.is_empty() && reads.ranges.is_empty() {
            return None;
        }
        if since < self.floor {
            return Some("the transaction is older than the window of recent commits".into());
        }
        for (keyspace, key) in &reads.keys {
            let key: WindowKey = (*keyspace, key.as_slice().into());
            if self.last.get(&key).is_some_and(|&sequence| sequence > since) {
                return Some(format!("key \"{}\" was changed by another commit", key.1.escape_ascii()));
            }
        }
        for (keyspace, range) in &reads.ranges {
            let order = order_of(*keyspace);
            if let Some(key) = self.changed_in(*keyspace, range, since, &order) {
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
        window.conflict(reads, since, |_| KeyOrder::Bytewise).is_some()
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
        assert!(window.conflict(&hit, 0, |_| order.clone()).is_some());
        let miss = reads(&[], &[(b"m0", b"m")]);
        assert!(window.conflict(&miss, 0, |_| order.clone()).is_none());
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
    fn nothing_is_kept_while_no_transaction_is_open() {
        let mut window = ConflictWindow::default();
        window.record(1, SPACE, b"k");
        assert_eq!(window.bytes, 0);
        window.begin(1);
        assert!(!conflicts(&window, &reads(&[b"k"], &[]), 1));
    }
}
