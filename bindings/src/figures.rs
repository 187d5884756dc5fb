//! Statistics by name.

use lightning_db::Stats;

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// A count, or bytes.
    Count(u64),
    /// From 0 to 1.
    Ratio(f64),
    /// A count for each level.
    Counts(Vec<u64>),
    /// A sentence, or nothing.
    Text(Option<String>),
}

/// All figures, by the names of the fields of [`Stats`].
pub fn figures(stats: &Stats) -> Vec<(&'static str, Figure)> {
    let count = |value: usize| Figure::Count(value as u64);
    vec![
        ("total_keys", Figure::Count(stats.total_keys)),
        ("total_size", Figure::Count(stats.total_size)),
        ("cache_hit_rate", Figure::Ratio(stats.cache_hit_rate)),
        ("cache_bytes", count(stats.cache_bytes)),
        ("memtable_bytes", count(stats.memtable_bytes)),
        ("sealed_memtables", count(stats.sealed_memtables)),
        (
            "tables_per_level",
            Figure::Counts(stats.tables_per_level.iter().map(|&tables| tables as u64).collect()),
        ),
        ("active_transactions", count(stats.active_transactions)),
        ("snapshots", count(stats.snapshots)),
        ("background_error", Figure::Text(stats.background_error.as_ref().map(ToString::to_string))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_figure() {
        let fields = format!("{:?}", Stats::default());
        let names: Vec<_> = figures(&Stats::default()).into_iter().map(|(name, _)| name).collect();
        let expected = names.iter().filter(|name| fields.contains(&format!("{name}: "))).count();
        assert_eq!((names.len(), names.len()), (expected, fields.matches(": ").count()));
    }
}
