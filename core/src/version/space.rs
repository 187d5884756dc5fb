//! A keyspace: its name, and what its memtables and tables are made with.

use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::KeyspaceId;
use crate::codec::{Codec, Compression};
use crate::manifest::KeyspaceMeta;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// Databases opened by this process.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// Tells apart the databases that this process has opened, one that was opened again included. Never 0.
pub fn new_instance() -> u64 {
    OPENED.fetch_add(1, Ordering::Relaxed) + 1
}

/// What all keyspaces of an open database have in common, and what the default one is made with.
#[derive(Clone, Debug)]
pub struct SpaceDefaults {
    /// Which open database.
    pub instance: u64,
    /// Target size of the pages of new tables, in bytes.
    pub page_size: usize,
    /// How the pages of new tables are compressed, but for those of the deepest level.
    pub upper: Compression,
    /// How the pages of new tables of the deepest level are compressed.
    pub bottom: Compression,
}

/// A keyspace of an open database. Shared by its handles, and by its levels in each version.
#[derive(Debug)]
pub struct Space {
    /// What the manifest knows of it.
    pub meta: KeyspaceMeta,
    /// The order of its keys.
    pub order: KeyOrder,
    /// Target size of the pages of new tables, in bytes.
    pub page_size: usize,
    upper: Compression,
    bottom: Compression,
    instance: u64,
    dropped: AtomicBool,
}

impl Space {
    /// The default keyspace follows the configuration, the others what they were made with. Errors:
    /// `UnsupportedVersion` for an unknown codec.
    pub fn new(meta: KeyspaceMeta, order: KeyOrder, defaults: &SpaceDefaults) -> Result<Space> {
        let (page_size, bottom) = match meta.id {
            KeyspaceId::DEFAULT => (defaults.page_size, defaults.bottom),
            _ => {
                let codec = Codec::from_byte(meta.codec).ok_or_else(|| {
                    let message =
                        format!("keyspace {:?} has codec {}: use a newer version", meta.name, meta.codec);
                    Error::new(ErrorKind::UnsupportedVersion, message)
                })?;
                (meta.page_size as usize, Compression { codec, level: meta.level.max(1).into() })
            }
        };
        let upper = if bottom.codec == Codec::Raw { Compression::NONE } else { defaults.upper };
        let (instance, dropped) = (defaults.instance, AtomicBool::new(false));
        Ok(Space { meta, order, page_size, upper, bottom, instance, dropped })
    }

    /// Its number.
    #[inline]
    pub fn id(&self) -> KeyspaceId {
        self.meta.id
    }

    /// The open database that it belongs to.
    pub fn instance(&self) -> u64 {
        self.instance
    }

    /// How the pages of a new table are compressed, for the deepest level or another.
    pub fn compression(&self, bottom: bool) -> Compression {
        if bottom { self.bottom } else { self.upper }
    }

    /// Whether it is no more.
    #[inline]
    pub fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::Acquire)
    }

    /// It is no more. Called once the manifest says so.
    pub fn set_dropped(&self) {
        self.dropped.store(true, Ordering::Release);
    }

    /// Its number, for a call on the database `instance`. Errors: `InvalidArgument` if it belongs to another,
    /// `NotFound` if it was dropped.
    #[inline]
    pub fn id_for(&self, instance: u64) -> Result<KeyspaceId> {
        match self.instance == instance {
            true => self.live_id(),
            false => Err(self.of_another()),
        }
    }

    /// Its number. Errors: `NotFound` if it was dropped.
    #[inline]
    pub fn live_id(&self) -> Result<KeyspaceId> {
        match self.is_dropped() {
            false => Ok(self.id()),
            true => Err(self.gone()),
        }
    }

    #[cold]
    fn of_another(&self) -> Error {
        Error::invalid(format!(
            "keyspace {:?} is one of another database, or of an earlier opening",
            self.meta.name
        ))
    }

    #[cold]
    fn gone(&self) -> Error {
        Error::new(ErrorKind::NotFound, format!("keyspace {:?} was dropped", self.meta.name))
    }
}

impl PartialEq for Space {
    fn eq(&self, other: &Self) -> bool {
        (self.instance, self.id()) == (other.instance, other.id())
    }
}

impl Eq for Space {}
