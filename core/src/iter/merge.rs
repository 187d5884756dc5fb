//! Merge of sorted cursors: the sources stand in a list sorted by their current record, so that a
//! source that stays in front costs one comparison a step.

use crate::base::comparator::KeyOrder;
use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::record::{Record, RecordKind};
use crate::iter::{Cursor, NOWHERE};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// Steps that a source has stayed in front before a run of it is looked for, if there are others: a run is worth its look
/// where it is long.
const STAYS: usize = 3;

/// One cursor over several. Where two sources stand on the same key and sequence, the one given first
/// comes first (in either direction). Turning round re-seeks all sources.
pub struct MergeCursor<C = Box<dyn Cursor>> {
    sources: Vec<C>,
    /// The valid sources, the one in front last.
    queue: Vec<Place>,
    order: KeyOrder,
    bytewise: bool,
    direction: Direction,
    /// Steps in which the source in front has stayed there.
    stays: usize,
}

/// A source, by its index, and where it stands.
#[derive(Clone, Copy)]
struct Place {
    /// The first bytes of its key, zero padded, as a number that sorts like them; 0 in an order that is not bytewise. Equal
    /// heads do not mean equal keys.
    head: u64,
    source: usize,
}

impl<C: Cursor> MergeCursor<C> {
    /// Merges `sources`, which are all sorted by `order`.
    pub fn new(order: KeyOrder, sources: Vec<C>) -> Self {
        MergeCursor {
            queue: Vec::with_capacity(sources.len()),
            sources,
            bytewise: order.is_bytewise(),
            order,
            direction: Direction::Forward,
            stays: 0,
        }
    }

    fn position(&mut self, direction: Direction, mut seek: impl FnMut(&mut C) -> Result<()>) -> Result<()> {
        self.queue.clear();
        (self.direction, self.stays) = (direction, 0);
        for source in &mut self.sources {
            seek(source)?;
        }
        for index in (0..self.sources.len()).rev() {
            if self.sources[index].valid() {
                self.enqueue(index);
            }
        }
        Ok(())
    }

    /// Where a valid source stands.
    #[inline]
    fn place(&self, source: usize) -> Place {
        let head = if self.bytewise { head(self.sources[source].key()) } else { 0 };
        Place { head, source }
    }

    /// Puts a source where its record belongs, searching from the front.
    fn enqueue(&mut self, source: usize) {
        let place = self.place(source);
        let mut at = self.queue.len();
        while at > 0 && !self.comes_first(place, self.queue[at - 1]) {
            at -= 1;
        }
        self.queue.insert(at, place);
    }

    #[inline]
    fn comes_first(&self, a: Place, b: Place) -> bool {
        match (a.head == b.head, self.direction) {
            (false, Direction::Forward) => a.head < b.head,
            (false, Direction::Backward) => a.head > b.head,
            (true, _) => self.comes_first_by_record(a.source, b.source),
        }
    }

    #[inline(never)]
    fn comes_first_by_record(&self, a: usize, b: usize) -> bool {
        let record = |source: usize| (self.sources[source].key(), self.sources[source].version().1);
        let order = self.order.compare_records(record(a), record(b));
        match self.direction {
            Direction::Forward => order.then(a.cmp(&b)).is_lt(),
            Direction::Backward => order.reverse().then(a.cmp(&b)).is_lt(),
        }
    }

    #[inline]
    fn step(&mut self, direction: Direction, step: impl FnOnce(&mut C) -> Result<()>) -> Result<()> {
        if self.direction != direction {
            self.turn(direction)?;
        }
        let Some(&Place { source: front, .. }) = self.queue.last() else { return Ok(()) };
        if let Err(error) = step(&mut self.sources[front]) {
            self.queue.clear();
            return Err(error);
        }
        self.requeue_front(front);
        Ok(())
    }

    #[inline]
    fn requeue_front(&mut self, front: usize) {
        if !self.sources[front].valid() {
            self.queue.pop();
            return;
        }
        // Alone it needs no head: nobody looks at that before another source comes in, which takes a seek.
        let &[.., second, _] = &self.queue[..] else { return };
        let place = self.place(front);
        if self.comes_first(place, second) {
            if let Some(last) = self.queue.last_mut() {
                *last = place;
            }
            self.stays += 1;
            return;
        }
        self.queue.pop();
        self.enqueue(front);
        self.stays = 0;
    }

    /// Whether the source behind the front one stands on the same key.
    #[inline]
    fn second_has_same_key(&self) -> bool {
        let &[.., second, front] = &self.queue[..] else { return false };
        second.head == front.head && self.sources[second.source].key() == self.sources[front.source].key()
    }

    /// Takes the source behind the front one past its key.
    #[inline(never)]
    fn pass_second(&mut self) -> Result<()> {
        let Some(at) = self.queue.len().checked_sub(2) else { return Ok(()) };
        let Place { source, .. } = self.queue.remove(at);
        if let Err(error) = self.sources[source].next_key() {
            self.queue.clear();
            return Err(error);
        }
        if self.sources[source].valid() {
            self.enqueue(source);
        }
        Ok(())
    }

    /// Stands on the same record again, ready to move the other way.
    fn turn(&mut self, direction: Direction) -> Result<()> {
        let Some(&Place { source: front, .. }) = self.queue.last() else { return Ok(()) };
        let record = self.sources[front].record();
        let (key, sequence) = (record.key.to_vec(), record.sequence);
        let others = |cursor: &mut C| match direction {
            Direction::Forward => cursor.seek(&key, sequence),
            Direction::Backward => cursor.seek_before(&key, sequence),
        };
        self.position(direction, others)?;
        if direction == Direction::Backward {
            self.sources[front].seek(&key, sequence)?;
            self.queue.retain(|place| place.source != front);
            self.enqueue(front);
        }
        Ok(())
    }
}

/// The first bytes of a key as a number.
#[inline]
fn head(key: &[u8]) -> u64 {
    match key.first_chunk() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => key.iter().rev().fold(0, |head, byte| head >> 8 | u64::from(*byte) << 56),
    }
}

impl<C: Cursor> Cursor for MergeCursor<C> {
    fn seek_first(&mut self) -> Result<()> {
        self.position(Direction::Forward, |cursor| cursor.seek_first())
    }

    fn seek_last(&mut self) -> Result<()> {
        self.position(Direction::Backward, |cursor| cursor.seek_last())
    }

    fn seek(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        self.position(Direction::Forward, |cursor| cursor.seek(key, sequence))
    }

    fn seek_before(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
        self.position(Direction::Backward, |cursor| cursor.seek_before(key, sequence))
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        self.step(Direction::Forward, C::next)
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        self.step(Direction::Backward, C::prev)
    }

    /// First the others leave the key: so nobody has to keep a copy of it.
    #[inline]
    fn next_key(&mut self) -> Result<()> {
        if self.direction != Direction::Forward {
            self.turn(Direction::Forward)?;
        }
        while self.second_has_same_key() {
            self.pass_second()?;
        }
        self.step(Direction::Forward, C::next_key)
    }

    #[inline]
    fn is_newest(&self) -> bool {
        let Some(front) = self.queue.last() else { return false };
        self.direction == Direction::Backward
            && !self.second_has_same_key()
            && self.sources[front.source].is_newest()
    }

    /// As long as the source in front stays in front. The heads in the queue do not follow a run: behind it the one in front
    /// lies farther from the second than it really is, but never on its key.
    fn run(&self, forward: bool, until: Option<&[u8]>) -> usize {
        let Some(front) = self.queue.last() else { return 0 };
        if (self.direction == Direction::Forward) != forward || self.queue.len() > 1 && self.stays < STAYS {
            return 0;
        }
        let source = &self.sources[front.source];
        let run = source.run(forward, until);
        match self.queue.len().checked_sub(2).and_then(|at| self.queue.get(at)) {
            Some(second) if run > 0 => run.min(source.run(forward, Some(self.sources[second.source].key()))),
            _ => run,
        }
    }

    #[inline]
    fn walk(&mut self, forward: bool) -> (RecordKind, SequenceNumber) {
        match self.queue.last() {
            Some(front) => self.sources[front.source].walk(forward),
            None => NOWHERE,
        }
    }

    fn run_of_puts(&self) -> Option<SequenceNumber> {
        self.queue.last().and_then(|front| self.sources[front.source].run_of_puts())
    }

    #[inline]
    fn walk_to_put(&mut self, forward: bool) -> (&[u8], &[u8]) {
        match self.queue.last() {
            Some(front) => self.sources[front.source].walk_to_put(forward),
            None => (&[], &[]),
        }
    }

    #[inline]
    fn valid(&self) -> bool {
        !self.queue.is_empty()
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.queue.last().map_or(&[], |front| self.sources[front.source].key())
    }

    #[inline]
    fn version(&self) -> (RecordKind, SequenceNumber) {
        self.queue.last().map_or(NOWHERE, |front| self.sources[front.source].version())
    }

    #[inline]
    fn record(&self) -> Record<'_> {
        match self.queue.last() {
            Some(front) => self.sources[front.source].record(),
            None => unreachable!("record() of an invalid cursor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A cursor over a sorted list.
    struct ListCursor {
        records: Vec<(Vec<u8>, SequenceNumber)>,
        at: Option<usize>,
    }

    impl ListCursor {
        fn rank(&self, key: &[u8], sequence: SequenceNumber) -> usize {
            self.records
                .partition_point(|r| KeyOrder::Bytewise.compare_records((&r.0, r.1), (key, sequence)).is_lt())
        }
        fn at(&mut self, index: Option<usize>) -> Result<()> {
            self.at = index.filter(|&i| i < self.records.len());
            Ok(())
        }
    }

    impl Cursor for ListCursor {
        fn seek_first(&mut self) -> Result<()> {
            self.at(Some(0))
        }
        fn seek_last(&mut self) -> Result<()> {
            self.at(self.records.len().checked_sub(1))
        }
        fn seek(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
            self.at(Some(self.rank(key, sequence)))
        }
        fn seek_before(&mut self, key: &[u8], sequence: SequenceNumber) -> Result<()> {
            self.at(self.rank(key, sequence).checked_sub(1))
        }
        fn next(&mut self) -> Result<()> {
            self.at(self.at.map(|i| i + 1))
        }
        fn prev(&mut self) -> Result<()> {
            self.at(self.at.and_then(|i| i.checked_sub(1)))
        }
        fn valid(&self) -> bool {
            self.at.is_some()
        }
        fn record(&self) -> Record<'_> {
            let (key, sequence) = &self.records[self.at.unwrap()];
            Record { key, sequence: *sequence, kind: RecordKind::Put, value: b"" }
        }
        fn is_newest(&self) -> bool {
            let at = self.at.unwrap();
            at == 0 || self.records[at - 1].0 != self.records[at].0
        }
        fn run(&self, forward: bool, until: Option<&[u8]>) -> usize {
            let at = self.at.unwrap();
            let key = |at: usize| &self.records[at].0[..];
            let near =
                |at: usize| until.is_none_or(|until| if forward { key(at) < until } else { key(at) > until });
            match forward {
                true => {
                    (at + 1..self.records.len()).take_while(|&at| key(at) != key(at - 1) && near(at)).count()
                }
                false => (1..at).rev().take_while(|&at| key(at) != key(at - 1) && near(at)).count(),
            }
        }
        fn walk(&mut self, forward: bool) -> (RecordKind, SequenceNumber) {
            if forward {
                self.next().unwrap()
            } else {
                self.prev().unwrap()
            }
            (RecordKind::Put, self.record().sequence)
        }
        fn walk_to_put(&mut self, forward: bool) -> (&[u8], &[u8]) {
            self.walk(forward);
            (self.key(), b"")
        }
    }

    fn sorted(mut records: Vec<(Vec<u8>, SequenceNumber)>) -> Vec<(Vec<u8>, SequenceNumber)> {
        records.sort_by(|a, b| KeyOrder::Bytewise.compare_records((&a.0, a.1), (&b.0, b.1)));
        records.dedup();
        records
    }

    proptest! {
        #[test]
        fn a_merge_walks_like_one_sorted_list(
            records in proptest::collection::vec((proptest::collection::vec(0u8..3, 0..3), 1u64..50, 0usize..4), 0..60),
            moves in proptest::collection::vec((0u8..9, proptest::collection::vec(0u8..3, 0..3), 1u64..50), 1..60),
        ) {
            let model_records = sorted(records.iter().map(|r| (r.0.clone(), r.1)).collect());
            let mut parts = vec![Vec::new(); 4];
            for record in &model_records {
                let part = records.iter().find(|r| r.0 == record.0 && r.1 == record.1).unwrap().2;
                parts[part].push(record.clone());
            }
            let sources = parts.into_iter()
                .map(|p| Box::new(ListCursor { records: sorted(p), at: None }) as Box<dyn Cursor>).collect();
            let mut merge = MergeCursor::new(KeyOrder::Bytewise, sources);
            let mut model = ListCursor { records: model_records, at: None };
            for (kind, key, sequence) in moves {
                // Backward a run begins at the newest version of a key.
                let forward = kind == 7;
                let runs = kind >= 7 && merge.valid() && (forward || merge.is_newest());
                let steps = if runs { merge.run(forward, Some(&key)) } else { 0 };
                for step in 0..steps {
                    let before = model.record().key.to_vec();
                    if step % 2 == 0 {
                        prop_assert_eq!(merge.walk(forward).1, merge.record().sequence);
                    } else {
                        let key = merge.walk_to_put(forward).0.to_vec();
                        prop_assert_eq!(&key[..], merge.record().key);
                    }
                    if forward { model.next().unwrap() } else { model.prev().unwrap() }
                    prop_assert_eq!(merge.record(), model.record());
                    prop_assert!(model.record().key != before && (model.record().key < &key[..]) == forward);
                    prop_assert!(forward || model.is_newest());
                }
                for cursor in [&mut merge as &mut dyn Cursor, &mut model] {
                    match kind {
                        0 => cursor.seek_first().unwrap(),
                        1 => cursor.seek_last().unwrap(),
                        2 => cursor.seek(&key, sequence).unwrap(),
                        3 => cursor.seek_before(&key, sequence).unwrap(),
                        4 if cursor.valid() => cursor.next().unwrap(),
                        5 if cursor.valid() => cursor.prev().unwrap(),
                        6 if cursor.valid() => cursor.next_key().unwrap(),
                        _ => {}
                    }
                }
                prop_assert_eq!(merge.valid(), model.valid());
                if model.valid() {
                    prop_assert_eq!(merge.record(), model.record());
                    prop_assert!(!merge.is_newest() || model.is_newest());
                }
            }
        }
    }
}
