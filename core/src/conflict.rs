//! The conflict check of optimistic transactions: what was committed since the oldest open one began.

mod open;
mod reads;
mod recent;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::base::comparator::KeyOrder;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::key::KeyRange;
use crate::base::limits::CONFLICT_WINDOW_BYTES;

use recent::{ENTRY_OVERHEAD, RecentKeys};

pub use open::{OpenTransactions, Spare};
pub use reads::ReadSet;

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

/// So many ranges are compared with every key; of more, each is looked for among the keys in order.
const FEW_RANGES: usize = 4;

/// Keys of recent commits. Kept only while commits are watched; lives inside the commit section.
pub struct ConflictWindow {
    watching: bool,
    keys: RecentKeys,
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
        let (keys, ingests) = Default::default();
        ConflictWindow { watching: false, keys, ingests, bytes: 0, limit, floor: 0 }
    }

    /// Whether commits note their keys.
    pub fn is_watching(&self) -> bool {
        self.watching
    }

    /// Commits behind `visible` are going to be noted.
    pub fn watch(&mut self, visible: SequenceNumber) {
        self.watching = true;
        self.floor = visible;
    }

    /// Drops what no transaction needs.
    pub fn drop_spare(&mut self, spare: Spare) {
        match spare {
            Spare::UpTo(needless) => self.forget(|first, _| first <= needless),
            Spare::All => {
                self.watching = false;
                self.keys.clear();
                self.ingests.clear();
                self.bytes = 0;
            }
        }
    }

    /// Notes that `key` was committed at `sequence`. Sequences rise from call to call.
    pub fn record(&mut self, sequence: SequenceNumber, keyspace: KeyspaceId, key: &[u8]) {
        if !self.watching {
            return;
        }
        self.bytes += self.keys.push(sequence, keyspace, key);
        let limit = self.limit;
        self.forget(|_, bytes| bytes > limit);
    }

    /// Takes back what was recorded behind `to`, by commits that failed. Their sequence numbers come again.
    pub fn rollback(&mut self, to: SequenceNumber) {
        while let Some(cost) = self.keys.pop_newer(to) {
            self.bytes -= cost;
        }
        self.floor = self.floor.min(to);
    }

    /// Notes that keys were ingested at `sequence`. Sequences rise from call to call.
    pub fn record_ingest(&mut self, sequence: SequenceNumber, span: Span) {
        if !self.watching {
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
            let (key, ingest) = (self.keys.oldest(), self.ingests.front().map(|(sequence, _)| *sequence));
            let Some(oldest) = key.into_iter().chain(ingest).min() else { return };
            if !gone(oldest, self.bytes) {
                return;
            }
            self.floor = self.floor.max(oldest);
            self.bytes -= match ingest == Some(oldest) {
                true => self.ingests.pop_front().map_or(0, |(_, span)| span.cost()),
                false => self.keys.pop_oldest(),
            };
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
        if reads.is_empty() {
            return None;
        }
        if since < self.floor {
            return Some("the transaction is older than the window of recent commits".into());
        }
        if reads.keyspaces().any(|keyspace| order_of(keyspace).is_none()) {
            return Some("a keyspace that was read has been dropped".into());
        }
        for (keyspace, key) in reads.keys() {
            if self.keys.is_newer(keyspace, key, since) {
                return Some(format!("key \"{}\" was changed by another commit", key.escape_ascii()));
            }
            let mut ingests = self.ingests_behind(since, keyspace).peekable();
            if ingests.peek().is_some() {
                let Some(order) = order_of(keyspace) else { continue };
                if ingests.any(|span| span.contains(order, key)) {
                    return Some(format!("key \"{}\" is among keys ingested since", key.escape_ascii()));
                }
            }
        }
        self.conflict_of_ranges(reads, since, order_of)
    }

    fn conflict_of_ranges<'o>(
        &self,
        reads: &ReadSet,
        since: SequenceNumber,
        order_of: impl Fn(KeyspaceId) -> Option<&'o KeyOrder>,
    ) -> Option<String> {
        let mut in_order = KeysInOrder::default();
        for (keyspace, range) in &reads.ranges {
            let Some(order) = order_of(*keyspace) else { continue };
            if range.is_empty(order) {
                continue;
            }
            if self.ingests_behind(since, *keyspace).any(|span| span.meets(order, range)) {
                return Some("a scanned range has keys ingested since".into());
            }
            let found = match reads.ranges.len() <= FEW_RANGES {
                true => self.keys.newer(*keyspace, since).find(|key| range.contains(order, key)),
                false => {
                    in_order.of(*keyspace, order, || self.keys.newer(*keyspace, since)).first_in(range, order)
                }
            };
            if let Some(key) = found {
                return Some(format!(
                    "key \"{}\" in a scanned range was changed by another commit",
                    key.escape_ascii()
                ));
            }
        }
        None
    }
}

/// The keys of one keyspace, in order.
#[derive(Default)]
struct KeysInOrder<'k> {
    keyspace: Option<KeyspaceId>,
    keys: Vec<&'k [u8]>,
}

impl<'k> KeysInOrder<'k> {
    /// Those of a keyspace: they stay until another one is asked for.
    fn of<I: Iterator<Item = &'k [u8]>>(
        &mut self,
        keyspace: KeyspaceId,
        order: &KeyOrder,
        keys: impl FnOnce() -> I,
    ) -> &Self {
        if self.keyspace.replace(keyspace) != Some(keyspace) {
            self.keys = keys().collect();
            self.keys.sort_unstable_by(|a, b| order.compare(a, b));
        }
        self
    }

    fn first_in(&self, range: &KeyRange, order: &KeyOrder) -> Option<&'k [u8]> {
        let first = self.keys.partition_point(|key| range.is_before(order, key));
        self.keys.get(first).copied().filter(|key| range.contains(order, key))
    }
}
