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
    pub fn of(tables: &[Arc<TableHandle>]) -> Self {
        let span =
            |meta: &TableMeta| Span { smallest: head(&meta.smallest_key), largest: head(&meta.largest_key) };
        Spans(tables.iter().map(|handle| span(handle.meta())).collect())
    }

    /// Whether the table of an index may hold `key`, whose head is `head`, as far as that tells.
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
        if !order.is_bytewise() {
            let ends_before =
                |handle: &Arc<TableHandle>| order.compare(&handle.meta().largest_key, key).is_lt();
            let at = tables.partition_point(ends_before);
            return tables.get(at).filter(|handle| handle.meta().spans(order, key));
        }
        let head = head(key);
        let mut at = self.0.partition_point(|span| span.largest < head);
        while self.0.get(at)?.largest == head && tables.get(at)?.meta().largest_key[..] < *key {
            at += 1;
        }
        let (span, handle) = (self.0.get(at)?, tables.get(at)?);
        let begins = span.smallest < head || span.smallest == head && handle.meta().smallest_key[..] <= *key;
        begins.then_some(handle)
    }
}
