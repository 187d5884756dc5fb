//! The open databases of the process: all that open the same folder share one engine.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lightning_db_bindings::{Database, Error, ErrorKind, Opening, Result, Store};

use crate::commits::Commits;
use crate::options::Options;

static SLOTS: Mutex<Option<HashMap<PathBuf, Arc<Slot>>>> = Mutex::new(None);

/// A database and its thread.
pub struct Engine {
    pub store: Store,
    /// The same as the stores of writes that go nowhere else.
    pub alone: Arc<[Store]>,
    pub commits: Commits,
}

impl Engine {
    fn start(database: Database) -> Result<Arc<Engine>> {
        let store = Store::from(database);
        let commits = Commits::start(store.clone())?;
        Ok(Arc::new(Engine { alone: Arc::from([store.clone()]), store, commits }))
    }

    fn close(&self) -> Result<()> {
        self.commits.stop();
        self.store.database().close()
    }
}

/// The place of one folder. Its lock is held while the folder is opened or closed.
#[derive(Default)]
struct Slot(Mutex<Option<Shared>>);

struct Shared {
    engine: Arc<Engine>,
    options: Options,
    leases: usize,
    identity: Option<Identity>,
}

/// A share of an engine; the last one to be released closes it.
pub struct Lease {
    pub engine: Arc<Engine>,
    /// `None`: the engine is not shared.
    place: Option<(PathBuf, Arc<Slot>)>,
    is_released: bool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the database in a folder, or takes a share of the one that is open there. Options that are given must then be
/// those in force. One that is only read is not shared: it sees what was committed at its own opening. One on a disk of the
/// tests is not either: a path says nothing about it. Errors: as of the engine; `InvalidArgument` for other options.
pub fn open(path: &Path, options: Options) -> Result<Lease> {
    if options.is_read_only() || options.is_on_test_disk() {
        return Ok(Lease { engine: start(path, &options)?, place: None, is_released: false });
    }
    let key = real(path)?;
    let slot = Arc::clone(locked(&SLOTS).get_or_insert_default().entry(key.clone()).or_default());
    let outcome = share(&slot, path, options);
    match outcome {
        Ok(engine) => Ok(Lease { engine, place: Some((key, slot)), is_released: false }),
        Err(error) => {
            forget(&key, &slot);
            Err(error)
        }
    }
}

fn share(slot: &Slot, path: &Path, options: Options) -> Result<Arc<Engine>> {
    let mut place = locked(&slot.0);
    if let Some(shared) = place.as_mut() {
        if shared.identity != identity(path) {
            let message = format!("{}: was replaced while the database is open", path.display());
            return Err(Error::new(ErrorKind::Locked, message).with_file(path));
        }
        shared.options.check_compatible(&options)?;
        shared.leases += 1;
        return Ok(Arc::clone(&shared.engine));
    }
    let engine = start(path, &options)?;
    *place = Some(Shared { engine: Arc::clone(&engine), options, leases: 1, identity: identity(path) });
    Ok(engine)
}

fn start(path: &Path, options: &Options) -> Result<Arc<Engine>> {
    let mut opening = Opening::new();
    options.apply(&mut opening)?;
    Engine::start(opening.open(path)?)
}

/// Removes the place of a folder if nobody uses it.
fn forget(key: &Path, slot: &Arc<Slot>) {
    let mut slots = locked(&SLOTS);
    // The table's share and ours: new ones are made under the table's lock.
    if Arc::strong_count(slot) == 2 && locked(&slot.0).is_none() {
        slots.get_or_insert_default().remove(key);
    }
}

impl Lease {
    /// Gives the share back. The last one waits for queued writes and closes the database. Errors: as of its `close`.
    pub fn release(mut self) -> Result<()> {
        self.give_back()
    }

    fn give_back(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.is_released, true) {
            return Ok(());
        }
        let Some((key, slot)) = &self.place else { return self.engine.close() };
        let mut place = locked(&slot.0);
        let is_last = place.as_mut().is_none_or(|shared| {
            shared.leases -= 1;
            shared.leases == 0
        });
        let mut outcome = Ok(());
        if is_last {
            *place = None;
            outcome = self.engine.close();
        }
        drop(place);
        forget(key, slot);
        outcome
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Nobody is left to tell; what was acknowledged is in the log.
        let _ = self.give_back();
    }
}

/// What tells a folder from another one that has taken its place.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let found = path.metadata().ok()?;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}

/// The path without links, also of a folder that is not there yet.
fn real(path: &Path) -> Result<PathBuf> {
    let failed =
        |error| Error::new(ErrorKind::Io, format!("resolve {}: {error}", path.display())).with_file(path);
    let mut known = std::path::absolute(path).map_err(failed)?;
    let mut missing: Vec<OsString> = Vec::new();
    loop {
        if let Ok(real) = known.canonicalize() {
            return Ok(missing.iter().rev().fold(real, |path, name| path.join(name)));
        }
        let name = known.file_name().map(OsString::from);
        match (name, known.parent()) {
            (Some(name), Some(parent)) => {
                missing.push(name);
                known = parent.to_owned();
            }
            // The engine says what is wrong with it.
            _ => return Ok(path.to_owned()),
        }
    }
}
