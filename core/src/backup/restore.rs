//! Restoring a backup into a new folder, every byte verified.

use std::path::Path;

use crate::backup::description::Description;
use crate::backup::files;
use crate::base::comparator::GivenOrders;
use crate::base::error::{Error, Result};
use crate::base::filename::{CURRENT, RESTORING};
use crate::btree::{Table, TableContext};
use crate::manifest::{self, orders_of};
use crate::sync::Arc;
use crate::vfs::{Vfs, sync_folder};

/// Copies the backup in `source` to `target`, a folder that is absent, empty, or left by a cut restore.
/// Until the last step `target` is refused by `open`.
pub fn restore(vfs: &Arc<dyn Vfs>, target: &Path, source: &Path, given: &GivenOrders) -> Result<()> {
    let description = Description::read(&**vfs, source).map_err(of_backup)?;
    let _lock = files::begin_folder(&**vfs, target, RESTORING, None)?;
    for expected in &description.files {
        let copied = files::copy(&**vfs, &expected.name, source, target).map_err(|error| {
            let is_of_source = error.file().is_some_and(|file| file.starts_with(source));
            if is_of_source { of_backup(error) } else { error.advise(LOST) }
        })?;
        if copied != *expected {
            let path = source.join(&expected.name);
            return Err(of_backup(Error::corruption(&path, 0, "the file that was backed up")));
        }
    }
    // The copies have the checksums of the backup: what is wrong with them was wrong there.
    verify(vfs, target, given).map_err(of_backup)?;
    sync_folder(&**vfs, target)?;
    let marker = target.join(RESTORING);
    vfs.remove(&marker).map_err(|error| Error::io("remove", &marker, error))?;
    sync_folder(&**vfs, target)
}

/// What to do where the disk did not keep what was copied to it.
const LOST: &str = "this disk did not keep what was written: restore to another one";

fn of_backup(error: Error) -> Error {
    error.advise("the backup is damaged: use another one")
}

/// Reads every page of what was restored.
fn verify(vfs: &Arc<dyn Vfs>, target: &Path, given: &GivenOrders) -> Result<()> {
    let loaded = manifest::load(&**vfs, target)?.ok_or_else(|| {
        Error::corruption(&target.join(CURRENT), 0, "this file, which is missing from the backup")
    })?;
    let orders = orders_of(&loaded.state, given, target)?;
    let context = TableContext::uncached(vfs, target, loaded.database_id, &Arc::default());
    for (id, order) in orders.iter() {
        for meta in
            loaded.state.keyspaces.get(&id).into_iter().flat_map(|space| space.levels.iter().flatten())
        {
            Table::open(&context, meta, order.clone())?.verify(&mut |_| {})?;
        }
    }
    Ok(())
}
