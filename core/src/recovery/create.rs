//! Creation: every step may be cut; the rename of `CURRENT` makes the database.

use std::path::Path;

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::{self, FileKind, LOCK};
use crate::base::header::FileHeader;
use crate::base::ids::{FileNumber, SequenceNumber};
use crate::base::planted::{Plant, planted};
use crate::manifest::{Edit, Manifest, State};
use crate::sync::Arc;
use crate::vfs::{Vfs, sync_folder};
use crate::wal::LogWriter;

const FIRST_MANIFEST: FileNumber = 1;
const FIRST_LOG: FileNumber = 2;
const FIRST_SEQUENCE: SequenceNumber = 1;

/// Makes a database in a folder that holds nothing but its lock and what a cut creation left.
pub fn create(vfs: &Arc<dyn Vfs>, folder: &Path, mut state: State) -> Result<()> {
    remove_left_overs(&**vfs, folder)?;
    let database_id = random_id(&**vfs, folder)?;
    let header = FileHeader {
        kind: FileKind::Log,
        database_id,
        number: FIRST_LOG,
        first_sequence: FIRST_SEQUENCE,
        previous_log: 0,
    };
    LogWriter::create(&**vfs, folder, header)?;
    let edit = Edit { logs_added: vec![FIRST_LOG], next_file: Some(FIRST_LOG + 1), ..Edit::default() };
    state.apply(&edit).map_err(|problem| Error::new(ErrorKind::Internal, problem))?;
    state.clean = true;
    // Before there is a database: who opens it does not ask whether its folder is durable.
    if !planted(Plant::ParentUnsynced) {
        sync_folder(&**vfs, folder.parent().unwrap_or(folder))?;
    }
    Manifest::publish(vfs, folder, database_id, FIRST_MANIFEST, &state)?;
    Ok(())
}

fn remove_left_overs(vfs: &dyn Vfs, folder: &Path) -> Result<()> {
    let names = vfs.list(folder).map_err(|error| Error::io("list", folder, error))?;
    for name in names.iter().filter(|name| *name != LOCK && filename::is_ours(name)) {
        let file = folder.join(name);
        vfs.remove(&file).map_err(|error| Error::io("remove", &file, error))?;
    }
    Ok(())
}

/// A random number that is not 0: zeroed space never carries a right checksum.
fn random_id(vfs: &dyn Vfs, folder: &Path) -> Result<u64> {
    let mut bytes = [0; 8];
    vfs.random(&mut bytes).map_err(|error| Error::io("random numbers for", folder, error))?;
    Ok(u64::from_le_bytes(bytes).max(1))
}
