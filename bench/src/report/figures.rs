//! Figures for people.

use crate::goals::Unit;

/// A figure with its unit.
pub fn shown(unit: Unit, value: f64) -> String {
    match unit {
        Unit::PerSecond => rate(value),
        Unit::Seconds => seconds(value),
        Unit::Bytes => bytes(value),
    }
}

fn rate(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{} M/s", digits(value / 1e6)),
        value if value >= 1e4 => format!("{} k/s", digits(value / 1e3)),
        value => format!("{}/s", digits(value)),
    }
}

fn seconds(value: f64) -> String {
    match value {
        value if value >= 1.0 => format!("{} s", digits(value)),
        value if value >= 1e-3 => format!("{} ms", digits(value * 1e3)),
        value => format!("{} µs", digits(value * 1e6)),
    }
}

/// Bytes, in powers of ten.
pub fn bytes(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{} GB", digits(value / 1e9)),
        value => format!("{} MB", digits(value / 1e6)),
    }
}

/// Three digits that count.
pub fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        let cases = [
            (Unit::PerSecond, 12_345_678.0, "12.3 M/s"),
            (Unit::PerSecond, 123_456.0, "123 k/s"),
            (Unit::PerSecond, 1234.4, "1234/s"),
            (Unit::Seconds, 0.0021, "2.10 ms"),
            (Unit::Seconds, 0.0000215, "21.5 µs"),
            (Unit::Bytes, 210_400_000.0, "210 MB"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(shown(unit, value), text);
        }
    }
}
