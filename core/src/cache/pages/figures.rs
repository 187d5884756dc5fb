//! What the cache holds, and how it was used.

use crate::cache::pages::{Hits, Lane, PageCache};
use crate::cache::slots::Cached;
use crate::sync::Ordering;

/// What the cache holds, and how it was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheFigures {
    /// Bytes of all that is cached, at most the capacity.
    pub bytes: usize,
    /// Bytes of pages of `Priority::Normal`.
    pub leaf_bytes: usize,
    /// Bytes of pages of `Priority::High`: inner pages and filters.
    pub inner_bytes: usize,
    /// Bytes of the memory of rows, and of hints.
    pub row_bytes: usize,
    /// Bytes of what is remembered of evicted pages.
    pub ghost_bytes: usize,
    /// Look-ups of pages that found them.
    pub page_hits: u64,
    /// Look-ups of pages that did not.
    pub page_misses: u64,
}

impl<V: Cached> PageCache<V> {
    /// What is cached, each figure at its own instant.
    pub fn figures(&self) -> CacheFigures {
        let totals = self.balance.totals();
        let pages: usize = totals.bytes.iter().sum();
        let mut figures = CacheFigures {
            bytes: self.usage(),
            leaf_bytes: pages.saturating_sub(totals.high),
            inner_bytes: totals.high,
            row_bytes: self.balance.rows() + self.hints.bytes(),
            ghost_bytes: totals.ghosts,
            ..CacheFigures::default()
        };
        for Lane(shard) in &self.shards {
            let shard = shard.lock();
            figures.page_hits += shard.hits;
            figures.page_misses += shard.misses;
        }
        figures.page_hits += self.hits.iter().map(|Hits(hits)| hits.load(Ordering::Relaxed)).sum::<u64>();
        figures
    }
}
