//! Arguments as the languages spell them.

use std::ops::Bound;

use lightning_db::{ConsistencyLevel, Error, Isolation, OptionValue, Result, ScanOptions};

/// A level by its name. Errors: `InvalidArgument`.
pub fn level(name: &str) -> Result<ConsistencyLevel> {
    named("consistency", name, ConsistencyLevel::NAMES)
}

/// An isolation by its name: "serializable" or "snapshot". Errors: `InvalidArgument`.
pub fn isolation(name: &str) -> Result<Isolation> {
    named("isolation", name, Isolation::NAMES)
}

fn named<T: Copy>(what: &str, name: &str, all: &[(&str, T)]) -> Result<T> {
    all.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|(known, _)| *known).collect();
        Error::invalid(format!("{what} {name:?}: known are {}", known.join(", ")))
    })
}

/// A number of a language that has one kind of numbers.
pub fn number(value: f64) -> OptionValue<'static> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value.fract() == 0.0 && (0.0..=EXACT).contains(&value) {
        true => OptionValue::Integer(value as u64),
        false => OptionValue::Seconds(value),
    }
}

/// Which entries a scan gives, in what order and how many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds<'a> {
    /// Keys behind this one.
    pub gt: Option<&'a [u8]>,
    /// This key and those behind it.
    pub gte: Option<&'a [u8]>,
    /// Keys in front of this one.
    pub lt: Option<&'a [u8]>,
    /// This key and those in front of it.
    pub lte: Option<&'a [u8]>,
    /// Of these, keys that start so.
    pub prefix: Option<&'a [u8]>,
    /// From the last to the first.
    pub reverse: bool,
    /// At most so many.
    pub limit: Option<usize>,
}

impl Bounds<'_> {
    /// The engine's form. Errors: `InvalidArgument` if a side has two bounds.
    pub fn options(&self) -> Result<ScanOptions> {
        let start = bound("gt", self.gt, "gte", self.gte)?;
        let end = bound("lt", self.lt, "lte", self.lte)?;
        let mut options = ScanOptions::range::<&[u8]>((start, end));
        if let Some(prefix) = self.prefix {
            options = options.with_prefix(prefix);
        }
        if self.reverse {
            options = options.reverse();
        }
        if let Some(limit) = self.limit {
            options = options.limit(limit);
        }
        Ok(options)
    }
}

fn bound<'a>(
    open_name: &str,
    open: Option<&'a [u8]>,
    closed_name: &str,
    closed: Option<&'a [u8]>,
) -> Result<Bound<&'a [u8]>> {
    match (open, closed) {
        (Some(_), Some(_)) => Err(Error::invalid(format!("{open_name} and {closed_name}: give one of them"))),
        (Some(key), None) => Ok(Bound::Excluded(key)),
        (None, Some(key)) => Ok(Bound::Included(key)),
        (None, None) => Ok(Bound::Unbounded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightning_db::ErrorKind;

    #[test]
    fn names_are_known_or_refused_with_the_known_ones() {
        assert_eq!(level("quorum").unwrap(), ConsistencyLevel::Quorum);
        assert_eq!(isolation("snapshot").unwrap(), Isolation::Snapshot);
        let error = level("Strong").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("strong, quorum, eventual"), "{error}");
    }

    #[test]
    fn numbers_are_whole_where_they_are() {
        assert_eq!(number(8192.0), OptionValue::Integer(8192));
        assert_eq!(number(0.5), OptionValue::Seconds(0.5));
        assert_eq!(number(-1.0), OptionValue::Seconds(-1.0));
        assert!(matches!(number(f64::NAN), OptionValue::Seconds(_)));
    }

    #[test]
    fn a_side_has_one_bound() {
        let both = Bounds { gt: Some(b"a"), gte: Some(b"a"), ..Bounds::default() };
        assert_eq!(both.options().unwrap_err().kind(), ErrorKind::InvalidArgument);
        let one = Bounds { gt: Some(b"a"), lte: Some(b"b"), limit: Some(2), ..Bounds::default() };
        let expected = ScanOptions::range::<&[u8]>((Bound::Excluded(&b"a"[..]), Bound::Included(&b"b"[..])));
        assert_eq!(one.options().unwrap(), expected.limit(2));
    }
}
