//! Which tables make up the database, level by level.

mod level_cursor;
mod levels;
mod obsolete;
mod table;

use std::collections::{BTreeMap, HashMap};

use crate::base::comparator::KeyOrder;
use crate::base::ids::{FileNumber, KeyspaceId};
use crate::base::limits::LEVELS;
use crate::btree::TableContext;
use crate::codec::Compression;
use crate::manifest::{KeyspaceState, State};
use crate::sync::Arc;

pub use level_cursor::LevelCursor;
pub use levels::Levels;
pub use obsolete::Obsolete;
pub use table::TableHandle;

/// The tables of all keyspaces at one instant.
#[derive(Default)]
pub struct Version {
    spaces: BTreeMap<KeyspaceId, Arc<Levels>>,
}

/// What a version needs to make handles for new tables.
pub struct VersionContext {
    /// Where the tables are.
    pub tables: Arc<TableContext>,
    /// Where files go that nobody needs.
    pub obsolete: Arc<Obsolete>,
    /// The order of each keyspace.
    pub orders: BTreeMap<KeyspaceId, KeyOrder>,
    /// Target size of the pages of new tables, in bytes.
    pub page_size: usize,
    /// How the pages of new tables are compressed, but for those of the deepest level.
    pub upper: Compression,
    /// How the pages of new tables of the deepest level are compressed.
    pub bottom: Compression,
}

impl Version {
    /// The version that `state` describes. Handles of tables that stay are taken over; those of tables
    /// that went are told to remove their file.
    pub fn next(&self, context: &VersionContext, state: &State) -> Version {
        let mut old: HashMap<FileNumber, &Arc<TableHandle>> =
            self.tables().map(|handle| (handle.meta().number, handle)).collect();
        let mut spaces = BTreeMap::new();
        for (id, space) in &state.keyspaces {
            let order = context.orders.get(id).cloned().unwrap_or(KeyOrder::Bytewise);
            spaces.insert(*id, Arc::new(levels_of(context, space, order, &mut old)));
        }
        for handle in old.into_values() {
            handle.drop_file();
        }
        Version { spaces }
    }

    /// The tables of a keyspace.
    #[inline]
    pub fn space(&self, id: KeyspaceId) -> Option<&Arc<Levels>> {
        self.spaces.get(&id)
    }

    /// All keyspaces with their tables.
    pub fn spaces(&self) -> impl Iterator<Item = (KeyspaceId, &Arc<Levels>)> {
        self.spaces.iter().map(|(id, levels)| (*id, levels))
    }

    /// Most tables in level 0 of a keyspace.
    pub fn most_level0_tables(&self) -> usize {
        self.spaces.values().map(|levels| levels.level(0).len()).max().unwrap_or(0)
    }

    /// Every table.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<TableHandle>> {
        self.spaces.values().flat_map(|levels| levels.tables())
    }
}

fn levels_of(
    context: &VersionContext,
    space: &KeyspaceState,
    order: KeyOrder,
    old: &mut HashMap<FileNumber, &Arc<TableHandle>>,
) -> Levels {
    let mut levels: [Vec<Arc<TableHandle>>; LEVELS] = Default::default();
    for (level, metas) in levels.iter_mut().zip(&space.levels) {
        for meta in metas {
            let handle = old.remove(&meta.number).cloned().unwrap_or_else(|| {
                let (tables, obsolete) = (Arc::clone(&context.tables), Arc::clone(&context.obsolete));
                Arc::new(TableHandle::new(Arc::clone(meta), order.clone(), tables, obsolete))
            });
            level.push(handle);
        }
    }
    Levels::new(order, levels)
}
