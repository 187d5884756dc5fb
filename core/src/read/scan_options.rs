//! What a scan is asked for.

use std::ops::{Bound, RangeBounds};

use crate::base::comparator::KeyOrder;
use crate::base::key::KeyRange;
use crate::sync::Arc;
use crate::version::Space;

/// What to scan: bounds of every kind, direction, and how much.
///
/// ```
/// use lightning_db::ScanOptions;
/// let options = ScanOptions::range(b"a".to_vec()..=b"f".to_vec()).reverse().limit(10);
/// assert_eq!(options, ScanOptions::range(b"a".to_vec()..=b"f".to_vec()).limit(10).reverse());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanOptions {
    pub(crate) range: KeyRange,
    pub(crate) prefix: Option<Vec<u8>>,
    pub(crate) reverse: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) keys_only: bool,
    /// `None`: the default one.
    pub(crate) keyspace: Option<Arc<Space>>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self::all()
    }
}

impl ScanOptions {
    /// All keys.
    pub fn all() -> Self {
        ScanOptions {
            range: KeyRange::all(),
            prefix: None,
            reverse: false,
            limit: None,
            keys_only: false,
            keyspace: None,
        }
    }

    /// Inclusive start, exclusive end; `None` is open.
    pub(crate) fn half_open(start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Self {
        ScanOptions { range: KeyRange::half_open(start, end), ..Self::all() }
    }

    /// The keys in a range. A range whose start lies behind its end is empty.
    pub fn range<K: AsRef<[u8]>>(range: impl RangeBounds<K>) -> Self {
        let own = |bound: Bound<&K>| bound.map(|key| key.as_ref().to_vec());
        let range = KeyRange { start: own(range.start_bound()), end: own(range.end_bound()) };
        ScanOptions { range, ..Self::all() }
    }

    /// The keys that start with `prefix`.
    pub fn prefix(prefix: impl AsRef<[u8]>) -> Self {
        ScanOptions { prefix: Some(prefix.as_ref().to_vec()), ..Self::all() }
    }

    /// Of these, only keys that start with `prefix`.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// use lightning_db::ScanOptions;
    /// db.put_batch(&[(b"a1", b""), (b"a2", b""), (b"b1", b"")])?;
    /// let from_a2 = db.scan_with(ScanOptions::range("a2"..).with_prefix("a"))?;
    /// assert_eq!(from_a2.count(), 1);
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn with_prefix(mut self, prefix: impl AsRef<[u8]>) -> Self {
        self.prefix = Some(prefix.as_ref().to_vec());
        self
    }

    /// From the last key to the first.
    pub fn reverse(mut self) -> Self {
        self.reverse = true;
        self
    }

    /// At most this many entries.
    pub fn limit(mut self, entries: usize) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Keys alone: every value is given as empty, and not touched.
    pub fn keys_only(mut self) -> Self {
        self.keys_only = true;
        self
    }

    /// The range to walk: a prefix is one in bytewise order only; other orders filter.
    pub(crate) fn walked_range(&self, order: &KeyOrder) -> KeyRange {
        match &self.prefix {
            Some(prefix) if order.is_bytewise() => self.range.intersect_bytewise(KeyRange::prefix(prefix)),
            _ => self.range.clone(),
        }
    }
}
