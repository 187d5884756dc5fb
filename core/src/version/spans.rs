//! Where tables begin and end, in few cache lines: the heads of their first and last keys.

use crate::base::comparator::KeyOrder;
use crate::base::key::head;
use crate::btree::TableMeta;
use crate::sync::Arc;
use crate::version::table::TableHandle;

/// Spans of the tables of a level, in their order; of use in bytewise order only.
pub struct Spans(Box<[Span]>);

/// Heads of the first and the last key.
struct Span {
    smallest: u64,
    largest: u64,
}

impl Spans {
    /// Of the tables of a level.
    pub fn of<'a>(tables: impl Iterator<Item = &'a TableMeta>) -> Self {
        let span =
            |meta: &TableMeta| Span { smallest: head(&meta.smallest_key), largest: head(&meta.largest_key) };
        Spans(tables.map(span).collect())
    }

    /// Whether the table of an index may hold a key with this head, as far as that tells.
    #[inline]
    pub fn may_hold(&self, index: usize, head: u64) -> bool {
        self.0.get(index).is_none_or(|span| span.smallest <= head && head <= span.largest)
    }

    /// The one table of a sorted level that may hold `key`.
    #[inline]
    pub fn table_for<'a>(
        &self,
        tables: &'a [Arc<TableHandle>],
        order: &KeyOrder,
        key: &[u8],
    ) -> Option<&'a Arc<TableHandle>> {
        if order.is_bytewise() {
            let meta_of = |index| tables.get(index).map(|handle: &Arc<TableHandle>| &**handle.meta());
            return self.index_for(key, meta_of).and_then(|index| tables.get(index));
        }
        let ends_before = |handle: &Arc<TableHandle>| order.compare(&handle.meta().largest_key, key).is_lt();
        let at = tables.partition_point(ends_before);
        tables.get(at).filter(|handle| handle.meta().spans(order, key))
    }

    /// Its index, in bytewise order. Whole keys are compared where heads are equal.
    #[inline]
    fn index_for<'a>(&self, key: &[u8], meta_of: impl Fn(usize) -> Option<&'a TableMeta>) -> Option<usize> {
        let head = head(key);
        let mut at = self.0.partition_point(|span| span.largest < head);
        while self.0.get(at)?.largest == head && meta_of(at)?.largest_key[..] < *key {
            at += 1;
        }
        let smallest = self.0.get(at)?.smallest;
        let begins = smallest < head || smallest == head && meta_of(at)?.smallest_key[..] <= *key;
        begins.then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::KeyspaceId;
    use crate::btree::Kept;
    use proptest::prelude::*;

    fn meta(smallest_key: Vec<u8>, largest_key: Vec<u8>) -> TableMeta {
        let (number, keyspace, kept) = (1, KeyspaceId::DEFAULT, Kept::default());
        let (size, entries, tombstones, smallest_sequence, largest_sequence) = Default::default();
        TableMeta {
            number,
            keyspace,
            size,
            entries,
            tombstones,
            smallest_sequence,
            largest_sequence,
            smallest_key,
            largest_key,
            kept,
            committed_at: None,
        }
    }

    /// Keys that often share their first eight bytes.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        (0usize..11, proptest::collection::vec(0u8..2, 0..4))
            .prop_map(|(zeros, tail)| [&[0; 10][..zeros.min(10)], &tail].concat())
    }

    proptest! {
        #[test]
        fn heads_lead_to_the_table_that_whole_keys_lead_to(
            ends in proptest::collection::btree_set(key(), 2..12),
            keys in proptest::collection::vec(key(), 1..20),
        ) {
            let ends: Vec<_> = ends.into_iter().collect();
            let metas: Vec<_> = ends.chunks_exact(2).map(|ends| meta(ends[0].clone(), ends[1].clone())).collect();
            let spans = Spans::of(metas.iter());
            for key in keys.iter().chain(&ends) {
                let expected = metas.iter().position(|meta| meta.spans(&KeyOrder::Bytewise, key));
                prop_assert_eq!(spans.index_for(key, |index| metas.get(index)), expected);
                let may_hold = (0..metas.len()).filter(|index| spans.may_hold(*index, head(key)));
                prop_assert!(expected.is_none_or(|expected| may_hold.into_iter().any(|index| index == expected)));
            }
        }
    }
}
