//! Ours against the best peer.

use std::collections::BTreeMap;

use crate::engine::Level;
use crate::goals::{Goal, Row};
use crate::peers::{self, OURS};
use crate::record::Comparison;

/// A peer and its figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best<'a> {
    /// Its name.
    pub engine: &'a str,
    /// In the row's unit.
    pub value: f64,
}

/// How a row went.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    /// The best peer.
    pub best: Option<Best<'a>>,
    /// Ours, as a multiple of what the goal names.
    pub ratio: Option<f64>,
    /// Whether the goal is reached; `None` where nothing is judged.
    pub reached: Option<bool>,
    /// The goal in words.
    pub goal: String,
}

/// Whether a peer's figure counts in a row: one that promises less than the row's level does not.
pub fn counts(engine: &str, row: &Row) -> bool {
    let weaker = peers::named(engine).is_some_and(|peer| peer.about.weaker.is_some());
    engine != OURS && !(weaker && row.level == Some(Level::Process))
}

fn best<'a>(comparison: &'a Comparison, row: &Row) -> Option<Best<'a>> {
    let rows = if row.against.is_empty() { std::slice::from_ref(&row.id) } else { row.against };
    let figures = comparison.engines().into_iter().flat_map(|engine| {
        let counted =
            rows.iter().filter(move |id| crate::goals::named(id).is_some_and(|row| counts(engine, row)));
        counted.filter_map(move |id| Some(Best { engine, value: comparison.median(engine, id)?.value }))
    });
    if row.unit.larger_is_better() {
        figures.max_by(|a, b| a.value.total_cmp(&b.value))
    } else {
        figures.min_by(|a, b| a.value.total_cmp(&b.value))
    }
}

/// Judges a row.
pub fn judge<'a>(comparison: &'a Comparison, row: &Row) -> Verdict<'a> {
    let best = best(comparison, row);
    let ours = comparison.median(OURS, row.id).map(|median| median.value);
    let to_best = ours.zip(best).map(|(ours, best)| ours / best.value).filter(|ratio| ratio.is_finite());
    let (ratio, reached, goal) = match row.goal {
        Goal::Times(goal) => (to_best, to_best.map(|ratio| ratio >= goal), format!("{goal} times")),
        Goal::AtMostTimes(goal) => {
            (to_best, to_best.map(|ratio| ratio <= goal), format!("at most {goal:.1} times"))
        }
        Goal::AtMost(goal) => (
            to_best,
            ours.map(|ours| ours <= goal),
            format!("at most {}", super::figures::shown(row.unit, goal)),
        ),
        Goal::OfFloor(floor, goal) => {
            let ratio = comparison.ratio(OURS, row.id, floor);
            let name = floor.trim_start_matches("floor_");
            (ratio, ratio.map(|ratio| ratio >= goal), format!("{goal} of the floor ({name})"))
        }
        Goal::Shown => (to_best, None, String::new()),
    };
    Verdict { best, ratio, reached, goal }
}

/// The ratio of every judged row, by its name.
pub fn ratios(comparison: &Comparison) -> BTreeMap<String, f64> {
    let judged = crate::goals::ROWS.iter().filter(|row| row.goal != Goal::Shown);
    judged.filter_map(|row| Some((row.id.to_string(), judge(comparison, row).ratio?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goals::named;
    use crate::record::EngineRun;

    fn comparison(figures: &[(&str, &'static str, f64)]) -> Comparison {
        let mut comparison = Comparison::default();
        for (engine, row, value) in figures {
            let mut run = EngineRun { engine: engine.to_string(), ..Default::default() };
            run.keep(row, *value);
            comparison.runs.push(run);
        }
        comparison
    }

    #[test]
    fn the_best_peer_is_the_measure() {
        let figures = [
            (OURS, "get_hot", 9.0),
            ("lmdb", "get_hot", 1.0),
            ("fjall", "get_hot", 0.5),
            ("redb", "get_hot", 0.9),
        ];
        let comparison = comparison(&figures);
        let verdict = judge(&comparison, named("get_hot").expect("a row"));
        assert_eq!(verdict.best, Some(Best { engine: "lmdb", value: 1.0 }));
        assert_eq!((verdict.ratio, verdict.reached), (Some(9.0), Some(true)));
    }

    #[test]
    fn a_peer_that_promises_less_does_not_count() {
        let comparison = comparison(&[(OURS, "put", 3.0), ("rocksdb", "put", 1.0), ("redb", "put", 9.0)]);
        let verdict = judge(&comparison, named("put").expect("a row"));
        assert_eq!(verdict.best.map(|best| best.engine), Some("rocksdb"));
        assert_eq!(verdict.reached, Some(true));
    }

    #[test]
    fn smaller_is_better_for_sizes_and_times() {
        let comparison = comparison(&[(OURS, "size", 3.0), ("rocksdb", "size", 2.0), ("lmdb", "size", 9.0)]);
        let verdict = judge(&comparison, named("size").expect("a row"));
        assert_eq!((verdict.ratio, verdict.reached), (Some(1.5), Some(false)));
    }

    #[test]
    fn ingest_is_held_against_every_sorted_load() {
        let figures = [(OURS, "ingest", 3.0), ("mdbx", "sorted", 2.0), ("mdbx", "ingest", 1.0)];
        let comparison = comparison(&figures);
        let verdict = judge(&comparison, named("ingest").expect("a row"));
        assert_eq!(verdict.ratio, Some(1.5));
    }
}
