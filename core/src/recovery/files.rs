//! The files that an opening finds: what must be there, what must go, what must become durable.

use std::collections::HashSet;
use std::path::Path;

use crate::base::error::{Error, Result};
use crate::base::filename::{self, FileKind, UNFINISHED};
use crate::base::ids::FileNumber;
use crate::base::memory;
use crate::base::planted::{Plant, planted};
use crate::manifest::{Loaded, State};
use crate::vfs::{OpenMode, Vfs, VfsFile, sync_folder};
use crate::wal::LogReader;

/// Every file that the manifest names is there, and it names every log that holds a record.
pub(super) fn check(vfs: &dyn Vfs, folder: &Path, loaded: &Loaded, names: &[String]) -> Result<()> {
    let state = &loaded.state;
    let wanted = state
        .tables()
        .map(|(_, meta)| FileKind::Table.name(meta.number))
        .chain(state.logs.keys().map(|number| FileKind::Log.name(*number)));
    for name in wanted {
        if names.binary_search(&name).is_err() {
            return Err(Error::missing(&folder.join(name)));
        }
    }
    check_newer_logs(vfs, folder, loaded, names)
}

/// A log takes records only once the manifest names it durably. A newer one that holds a record and is not
/// named shows that the manifest has lost its end, which its own bytes cannot show. A state without logs is
/// what a repair has written: the logs that it replaced, all older, stand there until it has set them aside.
pub(super) fn check_newer_logs(
    vfs: &dyn Vfs,
    folder: &Path,
    loaded: &Loaded,
    names: &[String],
) -> Result<()> {
    let newest = loaded.state.logs.keys().next_back().copied().unwrap_or(loaded.number);
    for name in names {
        let Some((FileKind::Log, number)) = FileKind::parse(name).filter(|(_, number)| *number > newest)
        else {
            continue;
        };
        let log = LogReader::open(vfs, folder, FileKind::Log, Some(loaded.database_id), number, None);
        // What cannot be read is what a cut creation of a log left.
        if let Ok(mut log) = log
            && let Ok(Some(_)) = log.next(&mut Vec::new())
        {
            let manifest = folder.join(FileKind::Manifest.name(loaded.number));
            return Err(Error::corruption(
                &manifest,
                0,
                format!("an edit that adds {name}, which has records"),
            ));
        }
    }
    Ok(())
}

/// Removes numbered and unfinished files that the manifest in force does not name. The manifest is made
/// durable first, so that no older one that names them comes back. What cannot be removed now is found
/// again at the next open.
pub(super) fn remove_orphans(vfs: &dyn Vfs, folder: &Path, loaded: &Loaded, names: &[String]) -> Result<()> {
    let mut kept: HashSet<(FileKind, FileNumber)> =
        loaded.state.tables().map(|(_, meta)| (FileKind::Table, meta.number)).collect();
    kept.extend(loaded.state.logs.keys().map(|number| (FileKind::Log, *number)));
    kept.insert((FileKind::Manifest, loaded.number));
    let orphan = |name: &&String| match FileKind::parse(name) {
        Some(file) => !kept.contains(&file),
        None => filename::is_ours(name) && name.ends_with(UNFINISHED),
    };
    let orphans: Vec<_> = names.iter().filter(orphan).collect();
    if orphans.is_empty() {
        return Ok(());
    }
    let path = folder.join(FileKind::Manifest.name(loaded.number));
    let manifest = vfs.open(&path, OpenMode::ReadWrite).map_err(|error| Error::io("open", &path, error))?;
    let end = manifest.len().map_err(|error| Error::io("read the length of", &path, error))?;
    write_again(&*manifest, &path, end)?;
    manifest.sync_all().map_err(|error| Error::io("sync", &path, error))?;
    sync_folder(vfs, folder)?;
    for name in orphans {
        let _ = vfs.remove(&folder.join(name));
    }
    Ok(())
}

/// Removes the logs and the manifest that the new manifest has replaced. What cannot be removed now is an
/// orphan at the next open.
pub(super) fn remove_replaced(vfs: &dyn Vfs, folder: &Path, names: &[String], state: &State) {
    for (kind, number) in replaced(names, state) {
        let _ = vfs.remove(&folder.join(kind.name(number)));
    }
}

/// Of the files that were there, the manifest, and the logs that the state does not name any more.
pub(super) fn replaced(names: &[String], state: &State) -> impl Iterator<Item = (FileKind, FileNumber)> {
    names.iter().filter_map(|name| FileKind::parse(name)).filter(|(kind, number)| match kind {
        FileKind::Manifest => true,
        FileKind::Log => !state.logs.contains_key(number),
        FileKind::Table => false,
    })
}

/// A log that was read, and is about to be relied on.
pub(super) fn make_durable(vfs: &dyn Vfs, folder: &Path, number: FileNumber, end: u64) -> Result<()> {
    if planted(Plant::RecoveredUnsynced) {
        return Ok(());
    }
    let path = folder.join(FileKind::Log.name(number));
    let file = vfs.open(&path, OpenMode::ReadWrite).map_err(|error| Error::io("open", &path, error))?;
    write_again(&*file, &path, end)?;
    file.sync_data().map_err(|error| Error::io("sync", &path, error))
}

/// What was read may be in the operating system's memory alone. A sync that failed before may have left it there as if it
/// were on the disk, and no later one would bring it there: so the same bytes are written again.
fn write_again(file: &dyn VfsFile, path: &Path, end: u64) -> Result<()> {
    const PIECE: u64 = 256 << 10;
    let mut buffer = memory::zeroed(PIECE.min(end) as usize)?;
    for offset in (0..end).step_by(PIECE as usize) {
        let piece = &mut buffer[..PIECE.min(end - offset) as usize];
        file.read_at(piece, offset).map_err(|error| Error::io("read", path, error))?;
        file.write_at(piece, offset).map_err(|error| Error::io("write", path, error))?;
    }
    Ok(())
}
