//! Keyspaces: handles, and the calls that make, find and drop them.

use std::fmt;

use crate::base::comparator::KeyOrder;
use crate::base::config::{ConsistencyLevel, LightningDbConfig};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::KeyspaceId;
use crate::base::keyspace_options::{KeyspaceOptions, check_name};
use crate::base::lookup::{Lookup, Reach};
use crate::base::value::Value;
use crate::batch::{delete_of, put_of};
use crate::codec::Codec;
use crate::db::database::{Database, Owner};
use crate::db::writes::{write_all, write_one};
use crate::engine::Engine;
use crate::manifest::KeyspaceMeta;
use crate::read::{Scan, ScanOptions};
use crate::sync::Arc;
use crate::version::{Space, SpaceDefaults};

/// A keyspace (elsewhere: column family): keys with an order, page size and codec of their own, in tables of their
/// own. Batches, snapshots and transactions span the keyspaces of a database.
///
/// Clones share it; it may be used from any number of threads, and keeps the database open as [`Database`] does. When the
/// keyspace has been dropped, every call on its handles is `NotFound`; a scan that runs goes on.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
/// use lightning_db::{KeyspaceOptions, NativeOrder, WriteBatch};
/// let options = KeyspaceOptions { comparator: Some(Box::new(NativeOrder::Decimal)), ..Default::default() };
/// let scores = db.create_keyspace("scores", options)?;
/// scores.put_batch(&[("10", "ten"), ("9", "nine")])?;
/// assert_eq!(scores.scan(None, None)?.next().unwrap()?.0, b"9");
///
/// let mut batch = WriteBatch::new();
/// batch.put("log:1", "10 is gone")?;
/// batch.delete_in(&scores, "10")?;
/// db.write(&batch)?;
/// # Ok::<(), lightning_db::Error>(())
/// ```
#[derive(Clone)]
pub struct Keyspace {
    pub(super) owner: Arc<Owner>,
    pub(super) space: Arc<Space>,
}

impl Database {
    /// Makes a keyspace. It is on stable storage when this returns. Errors: `AlreadyExists`, `InvalidArgument` (a name that
    /// is empty or longer than 255 bytes, an option out of range), `NoSpace`, `Halted`, `Closed`, `Io`.
    pub fn create_keyspace(&self, name: impl AsRef<str>, options: KeyspaceOptions) -> Result<Keyspace> {
        let name = name.as_ref();
        check_name(name)?;
        options.validate()?;
        let engine = self.engine();
        let defaults = &engine.catalogue.context().defaults;
        let make = |id| make_space(id, name, options, defaults);
        let space = engine.writer.create_keyspace(name, make)?;
        Ok(Keyspace { owner: Arc::clone(&self.owner), space })
    }

    /// The keyspace of a name; `default` is the one that the calls of [`Database`] use. Errors: `NotFound`, `Closed`.
    pub fn keyspace(&self, name: impl AsRef<str>) -> Result<Keyspace> {
        let (name, engine) = (name.as_ref(), self.engine());
        engine.health.check_read()?;
        let space = engine.catalogue.view().load().named(name).cloned();
        let missing = || Error::new(ErrorKind::NotFound, format!("there is no keyspace {name:?}: create it"));
        let space = space.ok_or_else(|| engine.health.closed_or(missing()))?;
        Ok(Keyspace { owner: Arc::clone(&self.owner), space })
    }

    /// The names of all keyspaces, sorted; `default` is among them. Errors: `Closed`.
    pub fn list_keyspaces(&self) -> Result<Vec<String>> {
        let engine = self.engine();
        engine.health.check_read()?;
        let view = engine.catalogue.view().load();
        let mut names: Vec<_> = view.spaces().map(|space| space.meta.name.clone()).collect();
        names.sort();
        // One that was closed meanwhile has none.
        engine.health.check_read()?;
        Ok(names)
    }

    /// Drops a keyspace with all that is in it, for all its handles, and makes durable what was committed before. Its tables
    /// are removed when the last scan of them is gone. Errors: `NotFound`, `InvalidArgument` for `default`, `NoSpace`, `Halted`,
    /// `Closed`, `Io`.
    pub fn drop_keyspace(&self, name: impl AsRef<str>) -> Result<()> {
        let engine = self.engine();
        engine.writer.drop_keyspace(name.as_ref())?;
        engine.catalogue.remove_obsolete();
        Ok(())
    }
}

/// What is not asked for is taken from the configuration of the database, for good.
fn make_space(
    id: KeyspaceId,
    name: &str,
    options: KeyspaceOptions,
    defaults: &SpaceDefaults,
) -> Result<Space> {
    let order = options.comparator.map_or(KeyOrder::Bytewise, KeyOrder::from);
    let level = options.compression_level.unwrap_or(match defaults.bottom.codec {
        Codec::Raw => LightningDbConfig::default().compression_level,
        _ => defaults.bottom.level,
    });
    let meta = KeyspaceMeta {
        id,
        name: name.to_owned(),
        comparator: order.name().to_owned(),
        page_size: options.page_size.unwrap_or(defaults.page_size) as u32,
        codec: options.compression_type.unwrap_or(defaults.bottom.codec as u8),
        level: level as u8,
    };
    Space::new(meta, order, defaults)
}

impl Keyspace {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.space.meta.name
    }

    fn engine(&self) -> &Arc<Engine> {
        &self.owner.engine
    }

    /// Its number, for a call on the open database `instance`. Errors: `InvalidArgument`, `NotFound`.
    pub(super) fn id_for(&self, instance: u64) -> Result<KeyspaceId> {
        self.space.id_for(instance)
    }

    /// Its number. Errors: `NotFound`.
    #[inline]
    pub(super) fn id(&self) -> Result<KeyspaceId> {
        self.space.live_id()
    }

    /// As [`Database::get`]. Errors, as those of all calls: also `NotFound` once the keyspace was dropped.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Value>> {
        self.engine().get_value(self.id()?, None, key.as_ref())
    }

    /// As [`Database::get_with`].
    #[inline]
    pub fn get_with<R>(
        &self,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        self.engine().get(self.id()?, None, key.as_ref(), use_value)
    }

    /// As [`Database::get_cached`].
    #[inline]
    pub fn get_cached<R>(
        &self,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        self.engine().lookup(self.id()?, None, key.as_ref(), Reach::Memory, use_value)
    }

    /// As [`Database::contains`].
    pub fn contains(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.get_with(key, |_| ())?.is_some())
    }

    /// As [`Database::get_batch`].
    pub fn get_batch<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Vec<Option<Value>>> {
        self.engine().get_many(self.id()?, keys)
    }

    /// As [`Database::put`].
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        self.put_with_consistency(key, value, self.engine().default_level)
    }

    /// As [`Database::put_with_consistency`].
    pub fn put_with_consistency(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        level: ConsistencyLevel,
    ) -> Result<()> {
        write_one(self.engine(), put_of(self.id()?, key.as_ref(), value.as_ref()), level)
    }

    /// As [`Database::delete`].
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<()> {
        self.delete_with_consistency(key, self.engine().default_level)
    }

    /// As [`Database::delete_with_consistency`].
    pub fn delete_with_consistency(&self, key: impl AsRef<[u8]>, level: ConsistencyLevel) -> Result<()> {
        write_one(self.engine(), delete_of(self.id()?, key.as_ref()), level)
    }

    /// As [`Database::put_batch`].
    pub fn put_batch<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, entries: &[(K, V)]) -> Result<()> {
        let id = self.id()?;
        write_all(self.engine(), entries.iter().map(|(key, value)| put_of(id, key.as_ref(), value.as_ref())))
    }

    /// As [`Database::delete_batch`].
    pub fn delete_batch<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<()> {
        let id = self.id()?;
        write_all(self.engine(), keys.iter().map(|key| delete_of(id, key.as_ref())))
    }

    /// As [`Database::scan`].
    pub fn scan(&self, start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Result<Scan> {
        self.scan_with(ScanOptions::half_open(start, end))
    }

    /// As [`Database::scan_prefix`].
    pub fn scan_prefix(&self, prefix: impl AsRef<[u8]>) -> Result<Scan> {
        self.scan_with(ScanOptions::prefix(prefix))
    }

    /// As [`Database::scan_reverse`].
    pub fn scan_reverse(&self, start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Result<Scan> {
        self.scan_with(ScanOptions::half_open(start, end).reverse())
    }

    /// As [`Database::range`].
    pub fn range<K: AsRef<[u8]>>(&self, range: impl std::ops::RangeBounds<K>) -> Result<Scan> {
        self.scan_with(ScanOptions::range(range))
    }

    /// As [`Database::scan_with`], in this keyspace whatever the options name.
    pub fn scan_with(&self, options: ScanOptions) -> Result<Scan> {
        let options = options.in_keyspace(self);
        self.engine().scan(None, options, Some(Arc::clone(&self.owner) as _))
    }

    /// As [`Database::count`], in this keyspace.
    pub fn count(&self, options: ScanOptions) -> Result<u64> {
        self.scan_with(options.keys_only())?.count_rest()
    }

    /// As [`Database::approximate_size`], in this keyspace.
    pub fn approximate_size(&self, options: &ScanOptions) -> Result<u64> {
        self.engine().approximate_size(&options.clone().in_keyspace(self))
    }
}

impl fmt::Debug for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyspace").field("name", &self.name()).finish_non_exhaustive()
    }
}
