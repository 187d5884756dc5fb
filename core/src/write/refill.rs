//! What a flush has written comes into the cache if what it updates is there: both are read together.

use crate::btree::TableMeta;
use crate::catalogue::Catalogue;
use crate::sync::Arc;
use crate::version::Levels;

/// Brings in all of `tables` that the current version has in level 0, if at least half as many bytes of pages that were used are cached of the
/// tables of their keyspace as these have in their files. Ends when `go_on` says so, or at an error, which the next read of the page meets too.
pub fn refill_flushed(catalogue: &Catalogue, tables: &[Arc<TableMeta>], go_on: &dyn Fn() -> bool) {
    for fresh in tables {
        let version = Arc::clone(&catalogue.view().load().version);
        let Some(levels) = version.space(fresh.keyspace) else { continue };
        let mut level0 = levels.level(0).iter();
        let Some(handle) = level0.find(|handle| handle.meta().number == fresh.number) else { continue };
        if !is_in_memory(catalogue, levels, fresh) || !go_on() {
            continue;
        }
        let brought = handle.table().and_then(|table| {
            table.bring_in_filter()?;
            table.bring_in_all(go_on)
        });
        if brought.is_err() {
            return;
        }
    }
}

fn is_in_memory(catalogue: &Catalogue, levels: &Levels, fresh: &TableMeta) -> bool {
    let others = || levels.tables().map(|handle| handle.meta()).filter(|meta| meta.number != fresh.number);
    let on_disk: u64 = others().map(|meta| meta.size).sum();
    let cached = catalogue.tables().cached_of(others().map(|meta| meta.number));
    let used = cached.iter().filter(|entry| entry.used).count() as u64;
    on_disk > 0 && used.saturating_mul(levels.space().page_size as u64) >= on_disk / 2
}
