//! What is kept of an inner page besides its bytes: slots of its children, and a sample of its heads, in which a search finds the
//! few among which it ends.

use std::ops::Range;

use crate::btree::format::HEAD_LEN;
use crate::btree::page::Page;
use crate::cache::Slots;
use crate::prefetch::prefetch;
use crate::sync::Arc;

/// Heads for each one of the sample: a cache line of them.
const STRIDE: usize = 8;

pub(super) struct Children {
    /// Finds them, by their indexes.
    pub(super) slots: Arc<Slots<Page>>,
    sample: Box<[u64]>,
}

impl Children {
    pub(super) fn of(heads: &[[u8; HEAD_LEN]]) -> Self {
        let sample = heads.iter().step_by(STRIDE).map(|head| u64::from_be_bytes(*head));
        Children { slots: Slots::new(heads.len()), sample: sample.collect() }
    }

    /// Bytes of memory.
    pub(super) fn weight(&self, count: usize) -> usize {
        count * Slots::<Page>::SIZE + size_of_val(&*self.sample)
    }

    /// Where a search begins to read.
    pub(super) fn content(&self) -> *const u8 {
        self.sample.as_ptr().cast()
    }

    /// Of rising `heads`, those that a search for the first one not below `head` need look at: none in front is not below, and
    /// the one behind is not, if there is one. What stands there is on its way.
    #[inline]
    pub(super) fn narrow(&self, heads: &[[u8; HEAD_LEN]], head: u64) -> Range<usize> {
        let sample = self.sample.partition_point(|own| *own < head) * STRIDE;
        let range = sample.saturating_sub(STRIDE).min(heads.len())..sample.min(heads.len());
        prefetch(heads.as_ptr().wrapping_add(range.start).cast(), 2);
        self.slots.prefetch(range.start);
        self.slots.prefetch(range.end.saturating_sub(1));
        range
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_left_of_a_search_holds_its_end(
            mut heads in proptest::collection::vec(0u64..60, 1..40),
            head in 0u64..62,
        ) {
            heads.sort_unstable();
            let heads: Vec<_> = heads.iter().map(|head| head.to_be_bytes()).collect();
            let end = heads.partition_point(|own| u64::from_be_bytes(*own) < head);
            let left = Children::of(&heads).narrow(&heads, head);
            prop_assert!(left.start <= end && end <= left.end && left.end <= heads.len());
            prop_assert!(left.len() <= STRIDE);
        }
    }
}
