//! Reads of what is visible now.

use crate::base::error::Result;
use crate::base::ids::KeyspaceId;
use crate::base::lookup::{Lookup, Reach};
use crate::base::value::Value;
use crate::db::database::Database;
use crate::read::{Scan, ScanOptions};

impl Database {
    /// The value of `key`, or `None`. Sees every write that was acknowledged before the call, at every
    /// level. Errors: `InvalidArgument` (key too long), `Closed`, `Corruption`, `Io`.
    #[inline]
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Value>> {
        self.engine().get_value(KeyspaceId::DEFAULT, None, key.as_ref())
    }

    /// Lends the value of `key` to `use_value` without a copy; `None` if the key is absent. `use_value`
    /// should be short: it keeps the memory that it reads from being reclaimed. Errors: as [`Database::get`].
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// db.put(b"a", b"123")?;
    /// assert_eq!(db.get_with(b"a", |value| value.len())?, Some(3));
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    #[inline]
    pub fn get_with<R>(
        &self,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        self.engine().get(KeyspaceId::DEFAULT, None, key.as_ref(), use_value)
    }

    /// As [`Database::get_with`], without waiting for a disk: [`Lookup::NotCached`] if the answer is not in
    /// memory. For callers that hold something that others wait for, such as the lock of an interpreter.
    /// Errors: as [`Database::get`].
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// use lightning_db::Lookup;
    /// db.put(b"a", b"123")?;
    /// assert_eq!(db.get_cached(b"a", |value| value.len())?, Lookup::Found(3));
    /// db.flush()?; // The table is opened by the first read that may go to the disk.
    /// assert_eq!(db.get_cached(b"a", |value| value.len())?, Lookup::NotCached);
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    #[inline]
    pub fn get_cached<R>(
        &self,
        key: impl AsRef<[u8]>,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        self.engine().lookup(KeyspaceId::DEFAULT, None, key.as_ref(), Reach::Memory, use_value)
    }

    /// Whether `key` is present. Errors: as [`Database::get`].
    pub fn contains(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        Ok(self.get_with(key, |_| ())?.is_some())
    }

    /// How many entries a scan with `options` gives: exact, and as much work as walking them without their
    /// values. Errors: as [`Database::scan`].
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// use lightning_db::ScanOptions;
    /// db.put_batch(&[("a", "1"), ("b", "2")])?;
    /// assert_eq!(db.count(ScanOptions::all())?, 2);
    /// assert_eq!(db.count(ScanOptions::prefix("a"))?, 1);
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn count(&self, options: ScanOptions) -> Result<u64> {
        self.scan_with(options.keys_only())?.count_rest()
    }

    /// About how many bytes of tables the keys of `options` take on disk; what is in memtables is not
    /// counted, nor are direction and limit looked at. Exact to some pages, so 0 for a small range. Reads a few pages of each
    /// table that lies across a bound. Errors: as
    /// [`Database::get`].
    pub fn approximate_size(&self, options: &ScanOptions) -> Result<u64> {
        self.engine().approximate_size(options)
    }

    /// The values of several keys, all as of one instant, in the order of the keys. Errors: as
    /// [`Database::get`]; one bad key fails all.
    pub fn get_batch<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Vec<Option<Value>>> {
        self.engine().get_many(KeyspaceId::DEFAULT, keys)
    }

    /// Entries from `start` (inclusive) to `end` (exclusive) in rising order; `None` is open. Errors, also
    /// those of each step: `Closed`, `Corruption`, `Io`.
    pub fn scan(&self, start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Result<Scan> {
        self.scan_with(ScanOptions::half_open(start, end))
    }

    /// Entries whose key starts with `prefix`, in rising order. Errors: as [`Database::scan`].
    pub fn scan_prefix(&self, prefix: impl AsRef<[u8]>) -> Result<Scan> {
        self.scan_with(ScanOptions::prefix(prefix))
    }

    /// Entries from the last one in front of `end` down to `start` (inclusive); `None` is open. Errors: as
    /// [`Database::scan`].
    pub fn scan_reverse(&self, start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Result<Scan> {
        self.scan_with(ScanOptions::half_open(start, end).reverse())
    }

    /// Entries in a range of any kind, in rising order. Errors: as [`Database::scan`].
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// db.put_batch(&[(b"a", b"1"), (b"b", b"2"), (b"c", b"3")])?;
    /// let keys: Vec<_> = db.range("a"..="b")?.map(|entry| entry.unwrap().0).collect();
    /// assert_eq!(keys, [b"a".to_vec(), b"b".to_vec()]);
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn range<K: AsRef<[u8]>>(&self, range: impl std::ops::RangeBounds<K>) -> Result<Scan> {
        self.scan_with(ScanOptions::range(range))
    }

    /// Entries as the options say. Errors: as [`Database::scan`].
    pub fn scan_with(&self, options: ScanOptions) -> Result<Scan> {
        self.engine().scan(None, options, self.keep_alive())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::hash_key;
    use crate::cache::pin;
    use crate::read::{absence_is_expected, is_surely_absent};
    use crate::sync::Arc;
    use crate::vfs::MemoryVfs;

    #[test]
    fn behind_an_absent_key_the_filters_alone_answer_for_the_next() {
        let vfs = Arc::new(MemoryVfs::default());
        let db = Database::open_on(vfs, "/db".as_ref(), Default::default(), true).unwrap();
        db.put_batch(&[("a", "1"), ("z", "1")]).unwrap();
        db.compact_lsm().unwrap();
        db.put_batch(&[("b", "2"), ("z", "2")]).unwrap();
        db.flush().unwrap();
        db.put("c", "3").unwrap();
        // Filters are read by the first look at them.
        assert_eq!(db.get("o").unwrap(), None);
        let absent = |key: &str| {
            let view = db.engine().catalogue.view().load();
            let key = key.as_bytes();
            is_surely_absent(&view, KeyspaceId::DEFAULT, key, hash_key(key), &pin().unwrap())
        };
        for (key, is_there) in
            [("p", false), ("a", true), ("q", false), ("b", true), ("r", false), ("c", true)]
        {
            assert_eq!(db.get(key).unwrap().is_some(), is_there);
            assert_eq!(absence_is_expected(), !is_there, "{key}");
            assert_eq!(absent(key), !is_there, "{key}");
        }
    }
}
