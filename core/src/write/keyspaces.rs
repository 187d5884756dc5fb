//! Making and dropping keyspaces.

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::KeyspaceId;
use crate::base::planted::{Plant, planted};
use crate::manifest::{Edit, KeyspaceMeta};
use crate::sync::Arc;
use crate::version::Space;
use crate::view::View;
use crate::write::commit::Writer;

impl Writer {
    /// Makes a keyspace; `make` gives it the id that is free. Durable when this returns. Commits go on but for a moment.
    /// Errors: `AlreadyExists`; `TooMany` when the ids are used up.
    pub fn create_keyspace(
        &self,
        name: &str,
        make: impl FnOnce(KeyspaceId) -> Result<Space>,
    ) -> Result<Arc<Space>> {
        let _naming = self.catalogue.naming();
        self.health.check_write()?;
        if self.catalogue.view().load().named(name).is_some() {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("keyspace {name:?} is there already: get it by its name"),
            ));
        }
        let id = self.catalogue.next_keyspace();
        let Some(next_keyspace) = id.0.checked_add(1) else {
            return Err(Error::new(ErrorKind::TooMany, "the ids of keyspaces are used up"));
        };
        let space = Arc::new(make(id)?);
        let KeyspaceMeta { level, .. } = space.meta;
        let edit = Edit {
            next_keyspace: Some(next_keyspace),
            keyspaces_added: vec![space.meta.clone()],
            keyspace_levels: vec![(id, level)],
            ..Edit::default()
        };
        let new = [Arc::clone(&space)];
        self.catalogue.apply_with(edit, &new, |view, version| view.with_version(version, None))?;
        self.make_ready(&space);
        Ok(space)
    }

    /// Gives a keyspace that the manifest has an active memtable: from here on it is seen.
    fn make_ready(&self, space: &Space) {
        let mut section = self.lock();
        // A seal may have come between, with memtables for all that the version has.
        if section.active.space(space.id()).is_none() {
            let active = Arc::new(section.active.with_space(space.id(), space.order.clone()));
            let seen = Arc::clone(&active);
            self.catalogue
                .change_view(|view| view.with_version(Arc::clone(&view.version), None).with_active(seen));
            section.active = active;
        }
    }

    /// Drops a keyspace with all that is in it, inside the commit section: no commit to it comes later. What was
    /// committed before is made durable first, for it may be a copy of what goes.
    pub fn drop_keyspace(&self, name: &str) -> Result<()> {
        let _naming = self.catalogue.naming();
        self.health.check_read()?;
        let space = self.catalogue.view().load().named(name).cloned();
        let Some(space) = space else {
            let missing = Error::new(ErrorKind::NotFound, format!("there is no keyspace {name:?}"));
            return Err(self.health.closed_or(missing));
        };
        if space.id() == KeyspaceId::DEFAULT {
            return Err(Error::invalid(format!("keyspace {name:?} cannot be dropped")));
        }
        let mut section = self.lock();
        self.health.check_write()?;
        if !planted(Plant::DropUnsynced) {
            self.write_log(&mut section)?;
            self.sync_log(&section)?;
        }
        let active = Arc::new(section.active.without_space(space.id()));
        let seen = Arc::clone(&active);
        let edit = Edit { keyspaces_dropped: vec![space.id()], ..Edit::default() };
        let change = |view: &View, version| view.with_version(version, None).with_active(seen);
        self.catalogue.apply(edit, change)?;
        space.set_dropped();
        active.count_memory();
        section.active = active;
        Ok(())
    }
}
