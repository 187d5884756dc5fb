//! Comparison of answers with what they must be.

use std::fmt::Debug;

use lightning_db_examples::Outcome;

/// A record, as a scan gives it.
pub type Entry = lightning_db::Result<(Vec<u8>, Vec<u8>)>;

/// Fails unless two things are equal.
pub fn equal<T: PartialEq + Debug>(what: &str, actual: T, expected: T) -> Outcome {
    if actual == expected {
        Ok(())
    } else {
        Err(format!("{what}: got {actual:?}, expected {expected:?}").into())
    }
}

/// Fails unless a condition holds.
pub fn holds(what: &str, condition: bool) -> Outcome {
    if condition { Ok(()) } else { Err(format!("{what}: does not hold").into()) }
}

/// Fails unless a scan gives exactly the expected records in their order; the number of records.
pub fn same_records<'a>(
    what: &str,
    scan: impl IntoIterator<Item = Entry>,
    expected: impl IntoIterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>,
) -> Outcome<usize> {
    let mut expected = expected.into_iter();
    let mut count = 0;
    for entry in scan {
        let (key, value) = entry?;
        if expected.next() != Some((&key, &value)) {
            return Err(format!("{what}: record {count}: unexpected {}", show(&key, &value)).into());
        }
        count += 1;
    }
    match expected.next() {
        Some((key, value)) => Err(format!("{what}: record {count}: missing {}", show(key, value)).into()),
        None => Ok(count),
    }
}

fn show(key: &[u8], value: &[u8]) -> String {
    format!("{} = {}", String::from_utf8_lossy(key), String::from_utf8_lossy(value))
}

/// Fails unless the records of a prefix are those of the numbers from 1 on, without a hole; the last number.
pub fn numbered(
    what: &str,
    scan: impl IntoIterator<Item = Entry>,
    record: impl Fn(u64) -> (String, String),
) -> Outcome<u64> {
    let mut last = 0;
    for entry in scan {
        let (key, value) = entry?;
        last += 1;
        let (expected_key, expected_value) = record(last);
        if (&key[..], &value[..]) != (expected_key.as_bytes(), expected_value.as_bytes()) {
            let got = show(&key, &value);
            return Err(format!("{what}: got {got}, expected {expected_key} = {expected_value}").into());
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn record(number: u64) -> (String, String) {
        (format!("k{number}"), format!("v{number}"))
    }

    fn entries(numbers: &[u64]) -> Vec<Entry> {
        let records = numbers.iter().map(|&number| record(number));
        records.map(|(key, value)| Ok((key.into_bytes(), value.into_bytes()))).collect()
    }

    #[test]
    fn a_difference_is_named() {
        let model: BTreeMap<Vec<u8>, Vec<u8>> = entries(&[1, 2, 3]).into_iter().map(Result::unwrap).collect();
        let compare = |numbers: &[u64]| same_records("scan", entries(numbers), &model);
        assert_eq!(compare(&[1, 2, 3]).unwrap(), 3);
        for (numbers, message) in [
            (&[1, 3][..], "scan: record 1: unexpected k3 = v3"),
            (&[1, 2], "scan: record 2: missing k3 = v3"),
            (&[1, 2, 3, 4], "scan: record 3: unexpected k4 = v4"),
            (&[2, 1, 3], "scan: record 0: unexpected k2 = v2"),
            (&[], "scan: record 0: missing k1 = v1"),
        ] {
            assert_eq!(compare(numbers).unwrap_err().to_string(), message);
        }
        assert!(equal("number", 1, 2).is_err() && equal("number", 1, 1).is_ok());
        assert!(holds("truth", false).is_err() && holds("truth", true).is_ok());
    }

    #[test]
    fn a_hole_is_named() {
        assert_eq!(numbered("numbers", entries(&[1, 2, 3]), record).unwrap(), 3);
        assert_eq!(numbered("numbers", entries(&[]), record).unwrap(), 0);
        for numbers in [&[2, 3][..], &[1, 3], &[1, 1]] {
            assert!(numbered("numbers", entries(numbers), record).is_err(), "{numbers:?}");
        }
    }
}
