//! What was cached of the inputs of a compaction comes back as pages of its outputs.
//!
//! The first reads behind a compaction would find nothing in the cache of what they found there before it. It takes no more of the cache
//! than its inputs had: a page goes for each that comes.

use crate::base::ids::KeyspaceId;
use crate::btree::TableMeta;
use crate::catalogue::Catalogue;
use crate::sync::Arc;
use crate::version::TableHandle;

/// Pages between two calls of `go_on`.
const ASK_EVERY: usize = 64;

/// Brings in the leaves of `outputs`, which the current version has in `level`, that hold the first keys of the cached leaves of
/// `inputs`; those go. Ends when `go_on` says so, or at an error, which the next read of the page meets too.
pub fn refill<'a>(
    catalogue: &Catalogue,
    (keyspace, level): (KeyspaceId, usize),
    inputs: impl Iterator<Item = &'a Arc<TableHandle>>,
    outputs: &[Arc<TableMeta>],
    mut go_on: impl FnMut() -> bool,
) {
    let tables = catalogue.tables();
    let version = Arc::clone(&catalogue.view().load().version);
    let Some(levels) = version.space(keyspace) else { return };
    let is_output =
        |handle: &&Arc<TableHandle>| outputs.iter().any(|meta| meta.number == handle.meta().number);
    let outputs: Vec<_> = levels.level(level).iter().filter(is_output).collect();
    for (at, entry) in tables.cached_of(inputs.map(|handle| handle.meta().number)).iter().enumerate() {
        if at.is_multiple_of(ASK_EVERY) && !go_on() {
            return;
        }
        let Some(key) = tables.give_up(entry) else { continue };
        let ends_before =
            |handle: &&Arc<TableHandle>| handle.order().compare(&handle.meta().largest_key, &key).is_lt();
        let Some(handle) = outputs.get(outputs.partition_point(ends_before)) else { continue };
        if handle.table().and_then(|table| table.bring_in(&key, entry.used)).is_err() {
            return;
        }
    }
    let open = outputs.iter().filter_map(|handle| handle.opened());
    let _ = open.into_iter().try_for_each(|table| table.bring_in_filter());
}
