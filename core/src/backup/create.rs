//! Making a backup: flush, pin the tables, copy them, describe them.

use std::path::Path;

use crate::backup::description::{BackupInfo, Description};
use crate::backup::files;
use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, Result};
use crate::base::filename::{BACKUP, CURRENT, FileKind, UNFINISHED};
use crate::btree::{Table, TableContext};
use crate::engine::Engine;
use crate::manifest::{Manifest, State};
use crate::vfs::sync_folder;

/// Copies all that is committed now into `target`, a folder that is absent, empty, or left by a cut
/// attempt. Writers go on. Every page of the copy is read back and verified.
pub fn create_backup(engine: &Engine, target: &Path) -> Result<BackupInfo> {
    let tables = engine.catalogue.tables();
    let vfs = &tables.vfs;
    let unfinished = format!("{BACKUP}{UNFINISHED}");
    engine.health.check_read()?;
    let _lock = files::begin_folder(&**vfs, target, &unfinished, Some(BACKUP))?;
    engine.flush()?;
    // The view keeps the tables from being removed while they are copied.
    let (state, view) = engine.catalogue.pin();
    let mut state = without_logs(state);
    let copies = TableContext::uncached(vfs, target, tables.database_id, &tables.meters);
    let of_copy = |error: Error| match error.file().is_some_and(|file| file.starts_with(target)) {
        true => error.advise("this disk did not keep what was written: make the backup on another one"),
        false => error,
    };
    let mut copied = Vec::new();
    for (id, space) in &state.keyspaces {
        for meta in space.levels.iter().flatten() {
            let name = FileKind::Table.name(meta.number);
            copied.push(files::copy(&**vfs, &name, &tables.folder, target).map_err(of_copy)?);
            // The keyspace may be dropped meanwhile: the view has it.
            let order = view.version.space(*id).map_or(KeyOrder::Bytewise, |levels| levels.order().clone());
            let verify =
                |context: &TableContext| Table::open(context, meta, order.clone())?.verify(&mut |_| {});
            // What is damaged in the source is damaged in the copy: the source is to be named then.
            verify(&copies).map_err(|error| verify(tables).err().unwrap_or(of_copy(error)))?;
        }
    }
    let number = state.next_file;
    state.next_file += 1;
    Manifest::publish(vfs, target, tables.database_id, number, &state)?;
    for name in [FileKind::Manifest.name(number), CURRENT.to_owned()] {
        copied.push(files::describe(&**vfs, &name, target)?);
    }
    let description = Description {
        timestamp: vfs.now().as_secs(),
        sequence: state.last_sequence,
        database_id: tables.database_id,
        manifest: number,
        files: copied,
    };
    finish(engine, target, &unfinished, &description)?;
    let id = target.file_name().unwrap_or(target.as_os_str()).to_string_lossy().into_owned();
    Ok(description.info(id))
}

/// The rename makes it a backup.
fn finish(engine: &Engine, target: &Path, unfinished: &str, description: &Description) -> Result<()> {
    let vfs = &*engine.catalogue.tables().vfs;
    let (from, to) = (target.join(unfinished), target.join(BACKUP));
    files::fill(vfs, &from, &description.encode())?;
    sync_folder(vfs, target)?;
    vfs.rename(&from, &to).map_err(|error| Error::io("rename", &from, error))?;
    sync_folder(vfs, target)
}

/// A backup has no logs: everything in it is in tables.
fn without_logs(mut state: State) -> State {
    state.logs.clear();
    state.clean = true;
    state
}
