//! Key ranges.

use std::ops::Bound;

use crate::base::comparator::KeyOrder;

/// The first bytes of a key, zero padded, as a number: in bytewise order, keys in order have such numbers in order.
#[inline]
pub fn head(key: &[u8]) -> u64 {
    if let Some(head) = key.first_chunk() {
        return u64::from_be_bytes(*head);
    }
    let mut head = [0; 8];
    head.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(head)
}

/// A range of keys, with every kind of bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// Where it starts.
    pub start: Bound<Vec<u8>>,
    /// Where it ends.
    pub end: Bound<Vec<u8>>,
}

impl KeyRange {
    /// All keys.
    pub fn all() -> Self {
        KeyRange { start: Bound::Unbounded, end: Bound::Unbounded }
    }

    /// Inclusive start, exclusive end; `None` is open.
    pub fn half_open(start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Self {
        KeyRange {
            start: start.map_or(Bound::Unbounded, Bound::Included),
            end: end.map_or(Bound::Unbounded, Bound::Excluded),
        }
    }

    /// All keys with a prefix, in bytewise order.
    pub fn prefix(prefix: &[u8]) -> Self {
        KeyRange {
            start: Bound::Included(prefix.to_vec()),
            end: prefix_end(prefix).map_or(Bound::Unbounded, Bound::Excluded),
        }
    }

    /// The keys that lie in both ranges, in bytewise order.
    pub fn intersect_bytewise(&self, other: KeyRange) -> KeyRange {
        let start_of = |range: &KeyRange, key: &[u8]| !range.is_before(&KeyOrder::Bytewise, key);
        let end_of = |range: &KeyRange, key: &[u8]| !range.is_after(&KeyOrder::Bytewise, key);
        // A bound of `other` counts if it is the narrower one: its key lies within the bound of `self`.
        let start = match &other.start {
            Bound::Included(key) | Bound::Excluded(key) if start_of(self, key) => other.start,
            _ => self.start.clone(),
        };
        let end = match &other.end {
            Bound::Included(key) | Bound::Excluded(key) if end_of(self, key) => other.end,
            _ => self.end.clone(),
        };
        KeyRange { start, end }
    }

    /// Whether `key` is in front of the range.
    #[inline]
    pub fn is_before(&self, order: &KeyOrder, key: &[u8]) -> bool {
        match &self.start {
            Bound::Included(start) => order.compare(key, start).is_lt(),
            Bound::Excluded(start) => order.compare(key, start).is_le(),
            Bound::Unbounded => false,
        }
    }

    /// Whether `key` is behind the range.
    #[inline]
    pub fn is_after(&self, order: &KeyOrder, key: &[u8]) -> bool {
        match &self.end {
            Bound::Included(end) => order.compare(key, end).is_gt(),
            Bound::Excluded(end) => order.compare(key, end).is_ge(),
            Bound::Unbounded => false,
        }
    }

    /// Whether `key` lies in the range.
    pub fn contains(&self, order: &KeyOrder, key: &[u8]) -> bool {
        !self.is_before(order, key) && !self.is_after(order, key)
    }

    /// Whether no key can lie in the range.
    pub fn is_empty(&self, order: &KeyOrder) -> bool {
        match (&self.start, &self.end) {
            (Bound::Included(start), Bound::Included(end)) => order.compare(start, end).is_gt(),
            (
                Bound::Included(start) | Bound::Excluded(start),
                Bound::Included(end) | Bound::Excluded(end),
            ) => order.compare(start, end).is_ge(),
            _ => false,
        }
    }
}

/// The smallest key behind all keys with `prefix`; `None` if there is none.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bounds() -> impl Strategy<Value = Bound<Vec<u8>>> {
        prop_oneof![
            Just(Bound::Unbounded),
            (0u8..8).prop_map(|key| Bound::Included(vec![key])),
            (0u8..8).prop_map(|key| Bound::Excluded(vec![key])),
        ]
    }

    fn ranges() -> impl Strategy<Value = KeyRange> {
        (bounds(), bounds()).prop_map(|(start, end)| KeyRange { start, end })
    }

    proptest! {
        #[test]
        fn a_prefix_range_holds_exactly_its_keys(prefix in proptest::collection::vec(250u8..=255, 0..4),
                                                 key in proptest::collection::vec(250u8..=255, 0..6)) {
            let range = KeyRange::prefix(&prefix);
            prop_assert_eq!(range.contains(&KeyOrder::Bytewise, &key), key.starts_with(&prefix));
        }

        #[test]
        fn an_intersection_holds_what_both_hold(a in ranges(), b in ranges(), key in 0u8..8) {
            let order = KeyOrder::Bytewise;
            let both = a.contains(&order, &[key]) && b.contains(&order, &[key]);
            prop_assert_eq!(a.intersect_bytewise(b).contains(&order, &[key]), both);
        }
    }

    #[test]
    fn empty_ranges_are_known() {
        let order = KeyOrder::Bytewise;
        let range = |a: &[u8], b: &[u8]| KeyRange::half_open(Some(a.to_vec()), Some(b.to_vec()));
        assert!(range(b"b", b"a").is_empty(&order));
        assert!(range(b"a", b"a").is_empty(&order));
        assert!(!range(b"a", b"b").is_empty(&order));
        assert!(!KeyRange::all().is_empty(&order));
    }
}
