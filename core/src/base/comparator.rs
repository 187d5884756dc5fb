//! The order of keys: a comparator, then the bytes, so that keys are equal only if their bytes are.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::base::ids::SequenceNumber;
use crate::base::native_order::NativeOrder;

/// A user's order of keys.
///
/// It must be a total preorder that never changes for the life of the database. Keys that it calls
/// equal are told apart by their bytes. It is called from many threads and must not panic.
///
/// ```
/// use lightning_db::Comparator;
/// struct ByLength;
/// impl Comparator for ByLength {
///     fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering { a.len().cmp(&b.len()) }
/// }
/// assert!(ByLength.name().ends_with("ByLength"));
/// ```
pub trait Comparator: Send + Sync + 'static {
    /// Orders two keys.
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering;

    /// Stored in the database; opening with another name is [`Mismatch`](crate::ErrorKind::Mismatch). Give a text of your
    /// own: the default is the type's path, which changes when the type is renamed or moved.
    fn name(&self) -> &str {
        std::any::type_name::<Self>()
    }
}

impl From<Box<dyn Comparator>> for KeyOrder {
    /// One that has the name of a native order is taken for it.
    fn from(comparator: Box<dyn Comparator>) -> Self {
        KeyOrder::native(comparator.name()).unwrap_or_else(|| KeyOrder::Custom(comparator.into()))
    }
}

/// The orders of keys that an opener brings along.
#[derive(Clone, Debug, Default)]
pub struct GivenOrders {
    /// For the default keyspace.
    pub default: Option<KeyOrder>,
    /// For keyspaces, found by name.
    pub named: Vec<KeyOrder>,
}

impl GivenOrders {
    /// The order of a name, if it is native or given.
    pub fn named(&self, name: &str) -> Option<KeyOrder> {
        let given = self.named.iter().chain(&self.default);
        KeyOrder::native(name).or_else(|| given.into_iter().find(|order| order.name() == name).cloned())
    }
}

/// The order in force for a keyspace.
#[derive(Clone)]
pub enum KeyOrder {
    /// By unsigned bytes.
    Bytewise,
    /// By a user's comparator, then by unsigned bytes.
    Custom(Arc<dyn Comparator>),
}

impl KeyOrder {
    /// The native order of a name.
    pub fn native(name: &str) -> Option<Self> {
        NativeOrder::named(name).map(|order| match order {
            NativeOrder::Bytewise => KeyOrder::Bytewise,
            other => KeyOrder::Custom(Arc::new(other)),
        })
    }

    /// Orders two keys.
    #[inline]
    pub fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        match self {
            KeyOrder::Bytewise => a.cmp(b),
            KeyOrder::Custom(comparator) => comparator.compare(a, b).then_with(|| a.cmp(b)),
        }
    }

    /// Orders two records: by key, then the newer sequence first.
    #[inline]
    pub fn compare_records(&self, a: (&[u8], SequenceNumber), b: (&[u8], SequenceNumber)) -> Ordering {
        self.compare(a.0, b.0).then_with(|| b.1.cmp(&a.1))
    }

    /// Whether key heads and shortened separators may be used.
    pub fn is_bytewise(&self) -> bool {
        matches!(self, KeyOrder::Bytewise)
    }

    /// The name stored in the database.
    pub fn name(&self) -> &str {
        match self {
            KeyOrder::Bytewise => NativeOrder::Bytewise.name(),
            KeyOrder::Custom(comparator) => comparator.name(),
        }
    }
}

impl fmt::Debug for KeyOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
