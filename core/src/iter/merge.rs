//! Merge of sorted cursors: the sources stand in a list sorted by their current record, so that a
//! source that stays in front costs one comparison a step.

use crate::base::comparator::KeyOrder;
use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::record::Record;
use crate::iter::Cursor;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// One cursor over several. Where two sources stand on the same key and sequence, the one given first
/// comes first (in either direction). Turning round re-seeks all sources.
pub struct MergeCursor {
    sources: Vec<Box<dyn Cursor>>,
    /// Indices of the valid sources, the one in front last.
    queue: Vec<usize>,
    order: KeyOrder,
    direction: Direction,
}

impl MergeCursor {
    /// Merges `sources`, which are all sorted by `order`.
    pub fn new(order: KeyOrder, sources: Vec<Box<dyn Cursor>>) -> Self {
        MergeCursor {
            queue: Vec::with_capacity(sources.len()),
            sources,
            order,
            direction: Direction::Forward,
        }
    }

    fn position(
        &mut self,
        direction: Direction,
        mut seek: impl FnMut(&mut dyn Cursor) -> Result<()>,
    ) -> Result<()> {
        self.queue.clear();
        self.direction = direction;
        for source in &mut self.sources {
            seek(source.as_mut())?;
        }
        for index in (0..self.sources.len()).rev() {
            if self.sources[index].valid() {
                self.enqueue(index);
            }
        }
        Ok(())
    }

    /// Puts a source where its record belongs, searching from the front.
    fn enqueue(&mut self, index: usize) {
        let mut at = self.queue.len();
        while at > 0 && !self.comes_first(index, self.queue[at - 1]) {
            at -= 1;
        }
        self.queue.insert(at, index);
    }

    fn comes_first(&self, a: usize, b: usize) -> bool {
        let (ra, rb) = (self.sources[a].record(), self.sources[b].record());
        let order = self.order.compare_records((ra.key, ra.sequence), (rb.key, rb.sequence));
        match self.direction {
            Direction::Forward => order.then(a.cmp(&b)).is_lt(),
            Direction::Backward => order.reverse().then(a.cmp(&b)).is_lt(),
        }
    }

    fn step(&mut self, direction: Direction) -> Result<()> {
        if self.direction != direction {
            self.turn(direction)?;
        }
        let Some(&front) = self.queue.last() else { return Ok(()) };
        let moved = match direction {
            Direction::Forward => self.sources[front].next(),
            Direction::Backward => self.sources[front].prev(),
        };
        if let Err(error) = moved {
            self.queue.clear();
            return Err(error);
        }
        self.requeue_front(front);
        Ok(())
    }

    fn requeue_front(&mut self, front: usize) {
        let valid = self.sources[front].valid();
        let len = self.queue.len();
        if valid && (len == 1 || self.comes_first(front, self.queue[len - 2])) {
            return;
        }
        self.queue.pop();
        if valid {
            self.enqueue(front);
        }
    }

    /// Stands on the same record again, ready to move the other way.
    fn turn(&mut self, direction: Direction) -> Result<()> {
        let Some(&front) = self.queue.last() else { return Ok(()) };
        let record = self.sources[front].record();
        let (key, sequence) = (record.key.to_vec(), record.sequence);
        let others = |cursor: &mut dyn Cursor| match direction {
            Direction::Forward => cursor.seek(&key, sequence),
            Direction::Backward => cursor.seek_before(&key, sequence),
        };
        self.position(direction, others)?;
        if direction == Direction::Backward {
            self.sources[front].seek(&key, sequence)?;
            self.queue.retain(|&index| index != front);
            self.enqueue(front);
        }
        Ok(())
    }
}

impl Cursor for MergeCursor {
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

    fn next(&mut self) -> Result<()> {
        self.step(Direction::Forward)
    }

    fn prev(&mut self) -> Result<()> {
        self.step(Direction::Backward)
    }

    fn valid(&self) -> bool {
        !self.queue.is_empty()
    }

    #[inline]
    fn record(&self) -> Record<'_> {
        match self.queue.last() {
            Some(&front) => self.sources[front].record(),
            None => unreachable!("record() of an invalid cursor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::record::RecordKind;
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
            moves in proptest::collection::vec((0u8..6, proptest::collection::vec(0u8..3, 0..3), 1u64..50), 1..60),
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
                for cursor in [&mut merge as &mut dyn Cursor, &mut model] {
                    match kind {
                        0 => cursor.seek_first().unwrap(),
                        1 => cursor.seek_last().unwrap(),
                        2 => cursor.seek(&key, sequence).unwrap(),
                        3 => cursor.seek_before(&key, sequence).unwrap(),
                        4 if cursor.valid() => cursor.next().unwrap(),
                        5 if cursor.valid() => cursor.prev().unwrap(),
                        _ => {}
                    }
                }
                prop_assert_eq!(merge.valid(), model.valid());
                if model.valid() { prop_assert_eq!(merge.record(), model.record()); }
            }
        }
    }
}
