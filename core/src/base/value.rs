//! A value handed to the caller: an own copy, small ones without an allocation.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::base::error::Result;
use crate::base::memory;

/// Longer values are on the heap: what is copied from hand to hand is at most two cache lines.
const INLINE: usize = 118;
/// A copy of more bytes may fail for want of memory, and takes a second allocation to find out.
const LARGE: usize = 64 << 10;

/// The bytes of a value. Cheap to clone; reads as `&[u8]`; keeps nothing of the database alive.
///
/// ```
/// let value = lightning_db::Value::from(&b"world"[..]);
/// assert_eq!(&value[..], b"world");
/// ```
#[derive(Clone)]
pub struct Value(Repr);

#[derive(Clone)]
enum Repr {
    Inline(u8, [u8; INLINE]),
    Shared(Arc<[u8]>),
    Large(Arc<Vec<u8>>),
}

impl Value {
    /// Makes an empty value a copy of `bytes`. Errors: `OutOfMemory`.
    #[inline]
    pub(crate) fn fill(&mut self, bytes: &[u8]) -> Result<()> {
        if let Repr::Inline(len, inline) = &mut self.0
            && let Some(place) = inline.get_mut(..bytes.len())
        {
            place.copy_from_slice(bytes);
            *len = bytes.len() as u8;
            return Ok(());
        }
        *self = Self::copy(bytes)?;
        Ok(())
    }

    /// An own copy, to be made where it stays: it is large to be handed on. Errors: `OutOfMemory`.
    #[inline]
    pub fn copy(bytes: &[u8]) -> Result<Self> {
        match bytes.len() {
            0..=LARGE => Ok(bytes.into()),
            _ => Ok(Value(Repr::Large(Arc::new(memory::copy(bytes)?)))),
        }
    }
}

/// Empty.
impl Default for Value {
    #[inline]
    fn default() -> Self {
        Value(Repr::Inline(0, [0; INLINE]))
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        if bytes.len() <= INLINE {
            let mut inline = [0; INLINE];
            inline[..bytes.len()].copy_from_slice(bytes);
            Value(Repr::Inline(bytes.len() as u8, inline))
        } else {
            Value(Repr::Shared(bytes.into()))
        }
    }
}

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(len, bytes) => &bytes[..usize::from(*len)],
            Repr::Shared(bytes) => bytes,
            Repr::Large(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Value> for Vec<u8> {
    fn from(value: Value) -> Self {
        value.to_vec()
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Value {
    fn eq(&self, other: &T) -> bool {
        self[..] == *other.as_ref()
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back() {
        for len in [0, 1, INLINE - 1, INLINE, INLINE + 1, 1000, LARGE, LARGE + 1] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let value = Value::from(&bytes[..]);
            assert_eq!(value, bytes);
            assert_eq!(Value::copy(&bytes).unwrap(), bytes);
            let mut filled = Value::default();
            filled.fill(&bytes).unwrap();
            assert_eq!(filled, bytes);
            assert_eq!(Vec::from(value.clone()), bytes);
        }
    }
}
