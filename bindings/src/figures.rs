//! Statistics, metrics and memory by name.

use lightning_db::{Database, MemoryStats, Metrics, Result, Stats};

use crate::handle::not_open;

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// A count, or bytes.
    Count(u64),
    /// A number that is no count: a share from 0 to 1, a rate, a time.
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
        ("live_bytes", Figure::Count(stats.live_bytes)),
        ("dead_bytes", Figure::Count(stats.dead_bytes)),
        ("pinned_bytes", Figure::Count(stats.pinned_bytes)),
        ("cache_hit_rate", Figure::Ratio(stats.cache_hit_rate)),
        ("cache_bytes", count(stats.cache_bytes)),
        ("mapped_bytes", Figure::Count(stats.mapped_bytes)),
        ("memtable_bytes", count(stats.memtable_bytes)),
        ("sealed_memtables", count(stats.sealed_memtables)),
        ("stalled_writes", count(stats.stalled_writes)),
        ("write_stalls", Figure::Count(stats.write_stalls)),
        ("write_stall_seconds", Figure::Ratio(stats.write_stall_seconds)),
        (
            "tables_per_level",
            Figure::Counts(stats.tables_per_level.iter().map(|&tables| tables as u64).collect()),
        ),
        ("active_transactions", count(stats.active_transactions)),
        ("snapshots", count(stats.snapshots)),
        ("background_error", Figure::Text(stats.background_error.as_ref().map(ToString::to_string))),
    ]
}

impl From<lightning_db::Figure> for Figure {
    fn from(figure: lightning_db::Figure) -> Self {
        match figure {
            lightning_db::Figure::Count(count) => Figure::Count(count),
            lightning_db::Figure::Number(number) => Figure::Ratio(number),
        }
    }
}

/// All figures, by the names of the fields of [`Metrics`].
pub fn metrics(metrics: &Metrics) -> Vec<(&'static str, Figure)> {
    metrics.figures().map(|(name, figure)| (name, figure.into())).collect()
}

/// What a database keeps in memory. Errors: `Closed`, `Forked`.
pub fn memory_stats(db: &Database) -> Result<MemoryStats> {
    db.memory_stats().ok_or_else(|| not_open(db))
}

/// All figures, by the names of the fields of [`MemoryStats`].
pub fn memory(memory: &MemoryStats) -> Vec<(&'static str, Figure)> {
    memory.figures().map(|(name, figure)| (name, figure.into())).collect()
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
        assert!(Stats::meanings().map(|(name, _)| name).eq(names));
    }

    #[test]
    fn metrics_and_memory_come_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let db = lightning_db::Database::create(folder.path().join("db"), Default::default()).unwrap();
        db.put("a", "1").unwrap();
        let found = metrics(&db.get_metrics().unwrap());
        assert!(found.contains(&("writes", Figure::Count(1))), "{found:?}");
        assert!(
            found
                .iter()
                .any(|(name, figure)| *name == "write_ops_per_sec" && matches!(figure, Figure::Ratio(_)))
        );
        let found = memory(&db.memory_stats().unwrap());
        assert!(found.iter().any(|(name, figure)| *name == "memtable_bytes" && *figure != Figure::Count(0)));
    }
}
