//! Which versions of a key may go: a pure decision over sorted records.

use crate::base::error::Result;
use crate::base::ids::SequenceNumber;
use crate::base::planted::{Plant, planted};
use crate::base::record::{Record, RecordKind};

/// Judges records in order (by key, newest first). A version is kept if a reader at one of the
/// boundaries sees it, or if it is newer than all of them.
pub struct Retention {
    boundaries: Vec<SequenceNumber>,
    bottom: bool,
    key: Option<Vec<u8>>,
    /// The boundary served by the last version of `key`; versions behind it for the same one are hidden.
    served: Option<usize>,
    /// At the bottom: a tombstone of `key` that is kept only if it hides a version that is kept.
    tombstone: Option<SequenceNumber>,
}

impl Retention {
    /// `boundaries`: rising sequence numbers at which somebody reads, the last one being what is visible
    /// now. `bottom`: no older version of these keys exists outside of what is judged.
    pub fn new(boundaries: &[SequenceNumber], bottom: bool) -> Self {
        Retention { boundaries: boundaries.to_vec(), bottom, key: None, served: None, tombstone: None }
    }

    /// Hands to `keep` what is to be written for the record: nothing, itself, or a tombstone and itself.
    pub fn judge(
        &mut self,
        record: Record<'_>,
        mut keep: impl FnMut(Record<'_>) -> Result<()>,
    ) -> Result<()> {
        if self.key.as_deref() != Some(record.key) {
            let key = self.key.get_or_insert_default();
            key.clear();
            key.extend_from_slice(record.key);
            self.served = None;
            self.tombstone = None;
        }
        let boundary = self.boundaries.partition_point(|&boundary| boundary < record.sequence);
        if boundary == self.boundaries.len() {
            return keep(record);
        }
        if self.served == Some(boundary) {
            return Ok(());
        }
        self.served = Some(boundary);
        if planted(Plant::TombstoneEarly) && record.kind == RecordKind::Delete {
            return Ok(());
        }
        if !self.bottom {
            return keep(record);
        }
        match record.kind {
            // Of several in a row the oldest one says it all.
            RecordKind::Delete => self.tombstone = Some(record.sequence),
            RecordKind::Put => {
                if let Some(sequence) = self.tombstone.take() {
                    keep(Record { sequence, kind: RecordKind::Delete, value: b"", ..record })?;
                }
                let seen_by_all = boundary == 0;
                keep(Record { sequence: if seen_by_all { 0 } else { record.sequence }, ..record })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Stored = (Vec<u8>, SequenceNumber, RecordKind);

    fn run(records: &[Stored], boundaries: &[SequenceNumber], bottom: bool) -> Vec<Stored> {
        let mut retention = Retention::new(boundaries, bottom);
        let mut kept = Vec::new();
        for (key, sequence, kind) in records {
            let record = Record { key, sequence: *sequence, kind: *kind, value: b"" };
            let keep = |r: Record<'_>| {
                kept.push((r.key.to_vec(), r.sequence, r.kind));
                Ok(())
            };
            retention.judge(record, keep).unwrap();
        }
        kept
    }

    /// The identity of the put that a reader at `at` sees: rank of the version among the key's puts.
    fn seen(records: &[Stored], at: SequenceNumber) -> BTreeMap<Vec<u8>, RecordKind> {
        let mut seen = BTreeMap::new();
        for (key, sequence, kind) in records.iter().rev() {
            if *sequence <= at {
                seen.insert(key.clone(), *kind);
            }
        }
        seen.retain(|_, kind| *kind == RecordKind::Put);
        seen
    }

    proptest! {
        #[test]
        fn readers_at_every_boundary_see_the_same(
            mut raw in proptest::collection::vec((0u8..4, any::<bool>()), 1..40),
            marks in proptest::collection::vec(1u64..45, 0..5),
            bottom: bool,
        ) {
            let mut records: Vec<Stored> = raw.drain(..).enumerate().map(|(i, (key, put))| {
                (vec![key], i as u64 + 1, if put { RecordKind::Put } else { RecordKind::Delete })
            }).collect();
            let visible = records.len() as u64;
            let mut boundaries: Vec<_> = marks.into_iter().filter(|&m| m < visible).collect();
            boundaries.push(visible);
            boundaries.sort_unstable();
            boundaries.dedup();
            records.push((vec![1], visible + 1, RecordKind::Put));
            records.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
            let kept = run(&records, &boundaries, bottom);
            for &at in boundaries.iter().chain([&(visible + 1)]) {
                prop_assert_eq!(seen(&kept, at), seen(&records, at), "at {}", at);
            }
            let per_key = kept.iter().filter(|r| r.0 == [0]).count();
            prop_assert!(per_key <= boundaries.len(), "hidden versions stay");
            for (at, record) in kept.iter().enumerate() {
                let hides = kept.get(at + 1).is_some_and(|next| next.0 == record.0 && next.2 == RecordKind::Put);
                let needed = !bottom || record.2 == RecordKind::Put || record.1 > visible || hides;
                prop_assert!(needed, "a tombstone that hides nothing stays: {:?}", record);
            }
        }
    }

    #[test]
    fn the_bottom_keeps_one_version_without_a_sequence_and_no_tombstone() {
        let records = [
            (b"a".to_vec(), 9, RecordKind::Put),
            (b"a".to_vec(), 3, RecordKind::Put),
            (b"b".to_vec(), 8, RecordKind::Delete),
            (b"b".to_vec(), 2, RecordKind::Put),
        ];
        assert_eq!(run(&records, &[9], true), [(b"a".to_vec(), 0, RecordKind::Put)]);
        assert_eq!(run(&records, &[9], false).len(), 2);
        // A snapshot at 1 sees neither; one at 5 sees both puts, so that the tombstone stays.
        assert_eq!(run(&records, &[1, 9], true), [records[0].clone(),]);
        assert_eq!(run(&records, &[5, 9], true).len(), 4);
    }
}
