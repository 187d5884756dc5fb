//! The one place where the set of files changes: edit to the manifest, new version, new view.

mod first_change;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::ids::{FileNumber, KeyspaceId, SequenceNumber};
use crate::btree::{TableBuilder, TableContext, TableOptions};
use crate::health::{Health, Unfinished};
use crate::manifest::{self, Edit, Manifest, State};
use crate::sync::{Arc, AtomicU64, Mutex, MutexGuard, Ordering};
use crate::version::{Space, Version, VersionContext};
use crate::view::{MemSet, View, ViewCell};
use crate::wal::LogWriter;

pub use first_change::FirstChange;

/// No manifest below this many bytes is replaced by a new one with the state alone.
const MANIFEST_BYTES: u64 = 1 << 20;

/// The files of an open database, on disk and as readers see them.
pub struct Catalogue {
    context: VersionContext,
    health: Arc<Health>,
    view: ViewCell,
    next_file: AtomicU64,
    /// Held while a keyspace is made or dropped.
    naming: Mutex<()>,
    inner: Mutex<Inner>,
}

struct Inner {
    manifest: Manifest,
    state: State,
    /// To be done before anything changes.
    first_change: Option<FirstChange>,
    /// The log that it has made, for its writer.
    first_log: Option<LogWriter>,
    /// Length above which the manifest is replaced, in bytes.
    replace_above: u64,
    /// The files belong to the next opener.
    closed: bool,
}

/// A manifest may grow to some times the state that it began with.
fn replace_above(manifest: &Manifest) -> u64 {
    MANIFEST_BYTES.max(4 * manifest.len())
}

impl Catalogue {
    /// Of a database whose manifest was just published with `state`, or will be with the first change; `active` takes
    /// the writes, `sealed` (newest first) waits to be flushed.
    pub fn new(
        context: VersionContext,
        health: Arc<Health>,
        (manifest, state, first_change): (Manifest, State, Option<FirstChange>),
        spaces: &[Arc<Space>],
        active: Arc<MemSet>,
        sealed: Vec<Arc<MemSet>>,
        visible: SequenceNumber,
    ) -> Self {
        let version = Arc::new(Version::default().next(&context, &state, spaces));
        let view = View { generation: 0, active, sealed, version };
        let mut catalogue = Self::with_view(context, health, (manifest, state), view, visible);
        catalogue.inner.get_mut().first_change = first_change;
        catalogue
    }

    /// As [`Catalogue::new`], with the version that `state` describes.
    pub fn with_view(
        context: VersionContext,
        health: Arc<Health>,
        (manifest, state): (Manifest, State),
        view: View,
        visible: SequenceNumber,
    ) -> Self {
        let view = ViewCell::new(view, visible);
        let next_file = AtomicU64::new(state.next_file);
        Catalogue {
            context,
            health,
            view,
            next_file,
            naming: Mutex::new(()),
            inner: Mutex::new(Inner {
                replace_above: replace_above(&manifest),
                closed: false,
                manifest,
                state,
                first_change: None,
                first_log: None,
            }),
        }
    }

    /// What readers see.
    pub fn view(&self) -> &ViewCell {
        &self.view
    }

    /// Whether the database takes reads and writes.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Where the tables are, and how they are read.
    pub fn tables(&self) -> &Arc<TableContext> {
        &self.context.tables
    }

    /// What versions are made with.
    pub fn context(&self) -> &VersionContext {
        &self.context
    }

    /// Which open database this is, for handles of keyspaces.
    #[inline]
    pub fn instance(&self) -> u64 {
        self.context.defaults.instance
    }

    /// A keyspace. Errors: `NotFound` if it was dropped, `Closed`.
    pub fn space(&self, keyspace: KeyspaceId) -> Result<Arc<Space>> {
        let space = self.view.load().version.space(keyspace).map(|levels| Arc::clone(levels.space()));
        space.ok_or_else(|| self.health.closed_or(View::gone()))
    }

    /// The right to make and drop keyspaces.
    pub fn naming(&self) -> MutexGuard<'_, ()> {
        self.naming.lock()
    }

    /// The id of the keyspace that is made next.
    pub fn next_keyspace(&self) -> KeyspaceId {
        KeyspaceId(self.inner.lock().state.next_keyspace)
    }

    /// A number for a new file.
    pub fn new_file_number(&self) -> FileNumber {
        self.next_file.fetch_add(1, Ordering::Relaxed)
    }

    /// An empty set of memtables that is logged in `log`.
    pub fn new_memset(&self, log: FileNumber) -> Arc<MemSet> {
        let view = self.view.load();
        let orders = view.version.spaces().map(|(id, levels)| (id, levels.order().clone()));
        Arc::new(view.active.next(vec![log], orders))
    }

    /// Starts a new table of a keyspace, for its deepest level or another.
    pub fn new_table(&self, space: &Space, bottom: bool) -> Result<TableBuilder> {
        let tables = &self.context.tables;
        let options = TableOptions {
            database_id: tables.database_id,
            number: self.new_file_number(),
            keyspace: space.id(),
            order: space.order.clone(),
            page_size: space.page_size,
            compression: space.compression(bottom),
        };
        TableBuilder::create(&tables.vfs, &tables.folder, options)
    }

    /// Removes finished tables that the manifest never heard of.
    pub fn discard(&self, numbers: impl IntoIterator<Item = FileNumber>) {
        for number in numbers {
            self.context.obsolete.add(FileKind::Table, number);
        }
    }

    /// The state that the manifest describes, and a view that keeps its tables from being removed.
    pub fn pin(&self) -> (State, Arc<View>) {
        let inner = self.inner.lock();
        (inner.state.clone(), Arc::clone(&self.view.load()))
    }

    /// Makes `edit` durable, then shows readers the view that `change` makes of the present one and the
    /// new version. An error halts the database, for what the disk has is not known; but not `NoSpace`,
    /// which leaves everything as it was: the files that the edit names are discarded then.
    ///
    /// What a job has done for a keyspace that was dropped meanwhile is left out.
    pub fn apply(&self, edit: Edit, change: impl FnOnce(&View, Arc<Version>) -> View) -> Result<()> {
        self.apply_with(edit, &[], change)
    }

    /// As [`Catalogue::apply`], for an edit that adds the keyspaces `new`.
    pub fn apply_with(
        &self,
        edit: Edit,
        new: &[Arc<Space>],
        change: impl FnOnce(&View, Arc<Version>) -> View,
    ) -> Result<()> {
        self.apply_locked(&mut self.inner.lock(), edit, new, change)
    }

    fn apply_locked(
        &self,
        inner: &mut Inner,
        mut edit: Edit,
        new: &[Arc<Space>],
        change: impl FnOnce(&View, Arc<Version>) -> View,
    ) -> Result<()> {
        if inner.closed {
            return Err(Error::new(ErrorKind::Closed, "the database is closed"));
        }
        self.leave_out_dropped(&inner.state, &mut edit);
        let logs = edit.logs_added.iter().map(|number| (FileKind::Log, *number));
        let added: Vec<_> = logs.chain(edit.new_tables().map(|number| (FileKind::Table, number))).collect();
        let applied = self.begin_in(inner).and_then(|()| self.apply_edit(inner, edit, new, change));
        applied.inspect_err(|error| {
            let unsure = inner.first_change.is_none() && inner.manifest.is_halted();
            if error.kind() == ErrorKind::NoSpace && !unsure {
                added.into_iter().for_each(|(kind, number)| self.context.obsolete.add(kind, number));
            } else {
                self.health.halt(error);
            }
        })
    }

    /// As [`Catalogue::apply`], of an edit to the tables of a keyspace. `Cancelled`, and the files that the
    /// edit names are discarded, if the keyspace was dropped meanwhile.
    pub fn apply_to(
        &self,
        keyspace: KeyspaceId,
        edit: Edit,
        change: impl FnOnce(&View, Arc<Version>) -> View,
    ) -> Result<()> {
        let mut inner = self.inner.lock();
        if inner.state.keyspaces.contains_key(&keyspace) {
            return self.apply_locked(&mut inner, edit, &[], change);
        }
        self.discard(edit.new_tables());
        Err(Error::new(ErrorKind::Cancelled, "the keyspace was dropped"))
    }

    fn apply_edit(
        &self,
        inner: &mut Inner,
        mut edit: Edit,
        new: &[Arc<Space>],
        change: impl FnOnce(&View, Arc<Version>) -> View,
    ) -> Result<()> {
        edit.next_file = Some(self.next_file.load(Ordering::Relaxed));
        let mut state = inner.state.clone();
        state.apply(&edit).map_err(|problem| Error::new(ErrorKind::Internal, problem))?;
        inner.manifest.append(&edit)?;
        let unfinished = Unfinished::new(&self.health, "an edit of the manifest could not be applied");
        inner.state = state;
        let view = self.view.load();
        let version = Arc::new(view.version.next(&self.context, &inner.state, new));
        self.view.store(change(&view, version));
        drop(view);
        unfinished.done();
        // The edit is in force whatever becomes of the new manifest.
        if inner.manifest.len() > inner.replace_above
            && let Err(error) = self.replace_manifest(inner)
        {
            self.health.halt(&error);
        }
        Ok(())
    }

    fn leave_out_dropped(&self, state: &State, edit: &mut Edit) {
        let exists = |id: &KeyspaceId| state.keyspaces.contains_key(id);
        edit.tables_removed.retain(|(id, _)| exists(id));
        edit.tables_added.retain(|(_, meta)| {
            let wanted = exists(&meta.keyspace);
            if !wanted {
                self.context.obsolete.add(FileKind::Table, meta.number);
            }
            wanted
        });
    }

    /// Shows readers another view over the same files.
    pub fn change_view(&self, change: impl FnOnce(&View) -> View) {
        let inner = self.inner.lock();
        if !inner.closed {
            let view = self.view.load();
            self.view.store(change(&view));
        }
    }

    /// A new manifest with the state alone. A full disk leaves the old one in force, to grow on.
    fn replace_manifest(&self, inner: &mut Inner) -> Result<()> {
        let number = self.new_file_number();
        inner.state.next_file = self.next_file.load(Ordering::Relaxed);
        let tables = &self.context.tables;
        let (vfs, folder) = (&tables.vfs, &tables.folder);
        match Manifest::publish(vfs, folder, tables.database_id, number, &inner.state) {
            Ok(fresh) => {
                inner.replace_above = replace_above(&fresh);
                let old = std::mem::replace(&mut inner.manifest, fresh);
                self.context.obsolete.add(FileKind::Manifest, old.number());
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::NoSpace => {
                if manifest::in_force(&**vfs, folder)? != Some(inner.manifest.number()) {
                    return Err(error);
                }
                self.context.obsolete.add(FileKind::Manifest, number);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Changes no file any more: they belong to the next opener.
    pub fn close(&self) {
        self.inner.lock().closed = true;
    }

    /// Forgets tables and memtables, behind [`Catalogue::close`]: handles of a closed database may live on for long. A
    /// read that is under way has a view of its own, or finds no keyspace.
    pub fn let_go(&self) {
        let _inner = self.inner.lock();
        let generation = self.view.load().generation;
        let active = Arc::new(MemSet::new(Vec::new(), []));
        self.view.store(View { generation, active, sealed: Vec::new(), version: Arc::default() });
    }

    /// Removes files that nobody needs; returns how many went.
    pub fn remove_obsolete(&self) -> usize {
        if self.inner.lock().closed {
            return 0;
        }
        let tables = &self.context.tables;
        let removed = self.context.obsolete.remove_all(&*tables.vfs, &tables.folder);
        tables.meters.files_removed(removed);
        removed
    }
}
