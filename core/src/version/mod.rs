//! Which tables make up the database, level by level.

mod level_cursor;
mod levels;
mod obsolete;
mod source;
mod space;
mod spans;
mod table;

use std::collections::HashMap;

use crate::base::ids::{FileNumber, KeyspaceId};
use crate::base::limits::LEVELS;
use crate::base::per_keyspace::PerKeyspace;
use crate::btree::TableContext;
use crate::manifest::{KeyspaceState, State};
use crate::sync::Arc;

pub use level_cursor::LevelCursor;
pub use levels::Levels;
pub use obsolete::Obsolete;
pub use source::Source;
pub use space::{Space, SpaceDefaults, new_instance};
pub use table::TableHandle;

/// The tables of all keyspaces at one instant.
#[derive(Default)]
pub struct Version {
    spaces: PerKeyspace<Arc<Levels>>,
}

/// What a version needs to make handles for new tables.
pub struct VersionContext {
    /// Where the tables are.
    pub tables: Arc<TableContext>,
    /// Where files go that nobody needs.
    pub obsolete: Arc<Obsolete>,
    /// What keyspaces are made with.
    pub defaults: SpaceDefaults,
}

impl Version {
    /// The version that `state` describes. Handles of tables that stay are taken over; those of tables
    /// that went are told to remove their file. `new` are the keyspaces that this version does not have.
    pub fn next(&self, context: &VersionContext, state: &State, new: &[Arc<Space>]) -> Version {
        let mut old: HashMap<FileNumber, &Arc<TableHandle>> =
            self.tables().map(|handle| (handle.meta().number, handle)).collect();
        let mut spaces = PerKeyspace::default();
        for (id, tables) in &state.keyspaces {
            let known = self.space(*id).map(|levels| levels.space());
            let space = known.or_else(|| new.iter().find(|space| space.id() == *id));
            debug_assert!(space.is_some(), "a keyspace is made known with the edit that adds it");
            let Some(space) = space.cloned() else { continue };
            spaces.insert(*id, Arc::new(levels_of(context, tables, space, &mut old)));
        }
        for handle in old.into_values() {
            handle.drop_file();
        }
        Version { spaces }
    }

    /// The tables of a keyspace.
    #[inline]
    pub fn space(&self, id: KeyspaceId) -> Option<&Arc<Levels>> {
        self.spaces.get(id)
    }

    /// All keyspaces with their tables.
    pub fn spaces(&self) -> impl Iterator<Item = (KeyspaceId, &Arc<Levels>)> {
        self.spaces.iter()
    }

    /// Most tables in level 0 of a keyspace.
    pub fn most_level0_tables(&self) -> usize {
        self.spaces.iter().map(|(_, levels)| levels.level(0).len()).max().unwrap_or(0)
    }

    /// Every table.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<TableHandle>> {
        self.spaces.iter().flat_map(|(_, levels)| levels.tables())
    }
}

fn levels_of(
    context: &VersionContext,
    state: &KeyspaceState,
    space: Arc<Space>,
    old: &mut HashMap<FileNumber, &Arc<TableHandle>>,
) -> Levels {
    let mut levels: [Vec<Arc<TableHandle>>; LEVELS] = Default::default();
    for (level, metas) in levels.iter_mut().zip(&state.levels) {
        for meta in metas {
            let handle = old.remove(&meta.number).cloned().unwrap_or_else(|| {
                let (tables, obsolete) = (Arc::clone(&context.tables), Arc::clone(&context.obsolete));
                Arc::new(TableHandle::new(Arc::clone(meta), space.order.clone(), tables, obsolete))
            });
            level.push(handle);
        }
    }
    Levels::new(space, levels)
}
