//! Holds results against what a step expects.

use std::fmt::Debug;

use lightning_db_bindings::{Error, ErrorKind, Figure};
use serde_json::Value;

use crate::cases::{Bytes, Entry, Figures, Only, Scan};
use crate::handles::Pair;

/// Errors: what was not as expected.
pub type Verdict = Result<(), String>;

/// Number and name.
pub fn kind(error: &Error, name: &str) -> Verdict {
    let kind = ErrorKind::ALL.iter().find(|kind| kind.name() == name);
    let kind = kind.ok_or_else(|| format!("no error is named {name}"))?;
    match (error.kind().name(), error.code()) == (name, kind.code()) {
        true => Ok(()),
        false => Err(format!("not {name}: {error}")),
    }
}

/// A `Corruption` says where it is.
pub fn place(error: &Error) -> Verdict {
    let known = error.file().is_some() && error.offset().is_some();
    match error.kind() == ErrorKind::Corruption && !known {
        true => Err(format!("no file or no offset: {error}")),
        false => Ok(()),
    }
}

pub fn same<T: PartialEq + Debug>(found: T, expected: Option<T>) -> Verdict {
    match expected {
        Some(expected) if expected == found => Ok(()),
        Some(expected) => Err(format!("{} in place of {}", short(found), short(expected))),
        None => Err(format!("{} in place of an error", short(found))),
    }
}

fn short(value: impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

/// A value, or none.
pub fn value(is: &Option<Bytes>) -> Option<Vec<u8>> {
    is.as_ref().map(Bytes::get)
}

pub fn pair((key, value): &(Bytes, Bytes)) -> Pair {
    (key.get(), value.get())
}

pub fn entries(found: Vec<Pair>, scan: &Scan) -> Verdict {
    if let Some(either) = &scan.either {
        let verdicts = either.iter().map(|is| same_entries(found.clone(), is, scan.only));
        return verdicts.reduce(Result::or).unwrap_or_else(|| Err("nothing to choose from".to_owned()));
    }
    match &scan.is {
        Some(is) => same_entries(found, is, scan.only),
        None => same(found.len(), scan.count),
    }
}

fn same_entries(found: Vec<Pair>, is: &[Entry], only: Option<Only>) -> Verdict {
    let both = |entry: &Entry| match entry {
        Entry::Both(key, value) => Ok((key.get(), value.get())),
        Entry::One(_) => Err("one thing for an entry of two".to_owned()),
    };
    let one = |entry: &Entry| match entry {
        Entry::One(bytes) => Ok(bytes.get()),
        Entry::Both(..) => Err("two things for an entry of one".to_owned()),
    };
    let one_of = |found: Vec<Vec<u8>>| same(found, Some(is.iter().map(one).collect::<Result<_, _>>()?));
    match only {
        None => same(found, Some(is.iter().map(both).collect::<Result<_, _>>()?)),
        Some(Only::Keys) => one_of(found.into_iter().map(|pair| pair.0).collect()),
        Some(Only::Values) => one_of(found.into_iter().map(|pair| pair.1).collect()),
    }
}

pub fn figure(name: &str, found: Option<&Figure>, is: &Value) -> Verdict {
    let found = match found {
        Some(Figure::Count(count)) => Value::from(*count),
        Some(Figure::Ratio(ratio)) => Value::from(*ratio),
        Some(Figure::Counts(counts)) => Value::from(counts.clone()),
        Some(Figure::Text(text)) => Value::from(text.clone()),
        None => return Err(format!("there is no figure {name}")),
    };
    same((name, &found), Some((name, is)))
}

/// Some figures by their values, and some by their smallest ones.
pub fn figures(found: &[(&str, Figure)], is: &Figures, at_least: &Figures) -> Verdict {
    let named = |name: &str| found.iter().find(|(own, _)| *own == name).map(|(_, figure)| figure);
    is.iter().try_for_each(|(name, is)| figure(name, named(name), is))?;
    at_least.iter().try_for_each(|(name, least)| {
        let found = match named(name) {
            Some(Figure::Count(count)) => *count as f64,
            Some(Figure::Ratio(ratio)) => *ratio,
            _ => return Err(format!("there is no number {name}")),
        };
        match least.as_f64() {
            Some(least) if found >= least => Ok(()),
            _ => Err(format!("{name} is {found}, less than {least}")),
        }
    })
}

pub fn between(found: u64, least: Option<u64>, most: Option<u64>) -> Verdict {
    match least.is_none_or(|least| least <= found) && most.is_none_or(|most| found <= most) {
        true => Ok(()),
        false => Err(format!("{found} in place of {least:?} to {most:?}")),
    }
}
