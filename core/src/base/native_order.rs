//! Orders of keys that every language can name.

use std::cmp::Ordering;

use crate::base::comparator::Comparator;

/// A comparator that the engine brings along. Set it as
/// [`comparator`](crate::LightningDbConfig::comparator), or by name as the option `comparator`. A database that was
/// made with one is opened without naming it again.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// use lightning_db::{Database, LightningDbConfig, NativeOrder};
/// let config = LightningDbConfig { comparator: Some(Box::new(NativeOrder::Decimal)), ..Default::default() };
/// let db = Database::create(folder.path(), config)?;
/// db.put_batch(&[("10", ""), ("9", ""), ("-1", "")])?;
/// let keys: Vec<_> = db.scan(None, None)?.map(|entry| String::from_utf8(entry.unwrap().0).unwrap()).collect();
/// assert_eq!(keys, ["-1", "9", "10"]);
/// # Ok::<(), lightning_db::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NativeOrder {
    /// By unsigned bytes, a prefix in front of what it starts: the default.
    Bytewise,
    /// [`NativeOrder::Bytewise`] from the other end.
    ReverseBytewise,
    /// Unsigned big-endian integers of any length.
    Unsigned,
    /// Signed (two's complement) big-endian integers of any length; the empty key is 0.
    Signed,
    /// Decimal integers in ASCII, of any length, with or without a sign; all other keys behind them, bytewise.
    Decimal,
}

impl NativeOrder {
    /// All of them.
    pub const ALL: [NativeOrder; 5] =
        [Self::Bytewise, Self::ReverseBytewise, Self::Unsigned, Self::Signed, Self::Decimal];

    /// The one with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }
}

impl Comparator for NativeOrder {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        match self {
            NativeOrder::Bytewise => a.cmp(b),
            NativeOrder::ReverseBytewise => b.cmp(a),
            NativeOrder::Unsigned => magnitude(a, 0).cmp(&magnitude(b, 0)),
            NativeOrder::Signed => signed(a, b),
            NativeOrder::Decimal => match (Decimal::read(a), Decimal::read(b)) {
                (Some(a), Some(b)) => a.cmp(&b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => a.cmp(b),
            },
        }
    }

    fn name(&self) -> &str {
        match self {
            NativeOrder::Bytewise => "bytewise",
            NativeOrder::ReverseBytewise => "reverse-bytewise",
            NativeOrder::Unsigned => "unsigned",
            NativeOrder::Signed => "signed",
            NativeOrder::Decimal => "decimal",
        }
    }
}

/// Digits without leading ones that say nothing: of two such numbers the longer is the larger.
fn magnitude(digits: &[u8], nothing: u8) -> (usize, &[u8]) {
    let start = digits.iter().position(|&digit| digit != nothing).unwrap_or(digits.len());
    let digits = &digits[start..];
    (digits.len(), digits)
}

fn signed(a: &[u8], b: &[u8]) -> Ordering {
    let negative = |key: &[u8]| key.first().is_some_and(|byte| byte & 0x80 != 0);
    match (negative(a), negative(b)) {
        (false, false) => magnitude(a, 0).cmp(&magnitude(b, 0)),
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (true, true) => {
            // Behind the sign bytes, more digits are further down and larger digits further up.
            let ((a_len, a), (b_len, b)) = (magnitude(a, 0xff), magnitude(b, 0xff));
            b_len.cmp(&a_len).then_with(|| a.cmp(b))
        }
    }
}

/// A decimal integer.
#[derive(PartialEq, Eq)]
struct Decimal<'a> {
    negative: bool,
    magnitude: (usize, &'a [u8]),
}

impl<'a> Decimal<'a> {
    fn read(key: &'a [u8]) -> Option<Self> {
        let (sign, digits) = match key {
            [sign @ (b'+' | b'-'), digits @ ..] => (*sign, digits),
            digits => (b'+', digits),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let magnitude = magnitude(digits, b'0');
        Some(Decimal { negative: sign == b'-' && magnitude.0 > 0, magnitude })
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude.cmp(&other.magnitude),
            (true, true) => other.magnitude.cmp(&self.magnitude),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unsigned_value(key: &[u8]) -> u128 {
        key.iter().fold(0, |value, &byte| value << 8 | u128::from(byte))
    }

    fn signed_value(key: &[u8]) -> i128 {
        let start = if key.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
        key.iter().fold(start, |value, &byte| value << 8 | i128::from(byte))
    }

    fn keys() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0u8), Just(0xff), Just(0x80), any::<u8>()], 0..9)
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof!["[+-]?0{0,3}[0-9]{1,20}", "[+-]?[0-9a]{0,3}"]
    }

    proptest! {
        #[test]
        fn integers_are_ordered_by_value(a in keys(), b in keys()) {
            let value = (unsigned_value(&a).cmp(&unsigned_value(&b)), signed_value(&a).cmp(&signed_value(&b)));
            prop_assert_eq!((NativeOrder::Unsigned.compare(&a, &b), NativeOrder::Signed.compare(&a, &b)), value);
        }

        #[test]
        fn decimals_are_ordered_by_value(a in texts(), b in texts()) {
            let compared = NativeOrder::Decimal.compare(a.as_bytes(), b.as_bytes());
            let expected = match (a.parse::<i128>(), b.parse::<i128>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(&b),
            };
            prop_assert_eq!(compared, expected);
        }

        #[test]
        fn every_order_is_total(a in keys(), b in keys(), c in keys()) {
            for order in NativeOrder::ALL {
                prop_assert_eq!(order.compare(&a, &b), order.compare(&b, &a).reverse());
                let mut sorted = [&a, &b, &c];
                sorted.sort_by(|a, b| order.compare(a, b));
                prop_assert!(order.compare(sorted[0], sorted[2]).is_le());
            }
        }
    }

    #[test]
    fn names_lead_back() {
        for order in NativeOrder::ALL {
            assert_eq!(NativeOrder::named(order.name()), Some(order));
        }
        assert_eq!(NativeOrder::named("Bytewise"), None);
    }
}
