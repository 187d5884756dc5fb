//! Figures, as they are kept in the JSON file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A figure of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// In the row's unit.
    pub value: f64,
    /// Processor seconds of threads of the engine's own for each second, where that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<f64>,
}

/// What one engine did in one run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EngineRun {
    /// Name of the engine.
    pub engine: String,
    /// By name of the row.
    pub figures: BTreeMap<String, Figure>,
    /// Why it stopped before the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl EngineRun {
    /// Keeps a figure.
    pub fn keep(&mut self, row: &'static str, value: f64) {
        debug_assert!(crate::goals::named(row).is_some(), "{row}");
        self.figures.insert(row.into(), Figure { value, background: None });
    }

    /// Keeps a figure with the background work beside it.
    pub fn keep_with_background(&mut self, row: &'static str, value: f64, background: f64) {
        self.figures.insert(row.into(), Figure { value, background: Some(background) });
    }
}

/// How a comparison was made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Conditions {
    /// Records loaded.
    pub records: usize,
    /// Bytes of cache of each engine.
    pub cache: usize,
    /// Seconds for which a read row runs.
    pub read_seconds: f64,
    /// Seconds after which a write row ends, done or not.
    pub write_seconds: f64,
    /// Processor, memory, system, file system.
    pub machine: String,
    /// Commit of the project.
    pub commit: String,
    /// When it began, UTC.
    pub began: String,
    /// How long all took.
    pub wall_seconds: f64,
}

/// A whole comparison.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// How it was made.
    pub conditions: Conditions,
    /// Every engine of every run, in the order in which they ran.
    pub runs: Vec<EngineRun>,
}

/// A figure over all runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Median {
    /// The median.
    pub value: f64,
    /// From the smallest to the largest run, as a share of the median.
    pub spread: f64,
    /// How many runs there were.
    pub runs: usize,
}

/// The median of some figures.
pub fn median(mut values: Vec<f64>) -> Option<Median> {
    values.sort_by(f64::total_cmp);
    let (first, last) = (*values.first()?, *values.last()?);
    let (runs, middle) = (values.len(), values.len() / 2);
    let value =
        if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
    Some(Median { value, spread: if value == 0.0 { 0.0 } else { (last - first) / value }, runs })
}

impl Comparison {
    /// Names of the engines, in the order of the first run.
    pub fn engines(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for run in &self.runs {
            if !names.contains(&run.engine.as_str()) {
                names.push(&run.engine);
            }
        }
        names
    }

    fn of<'a>(&'a self, engine: &'a str, row: &'a str) -> impl Iterator<Item = &'a Figure> {
        let runs = self.runs.iter().filter(move |run| run.engine == engine);
        runs.filter_map(move |run| run.figures.get(row))
    }

    /// The median of an engine in a row.
    pub fn median(&self, engine: &str, row: &str) -> Option<Median> {
        median(self.of(engine, row).map(|figure| figure.value).collect())
    }

    /// The median of the background work of an engine in a row.
    pub fn background(&self, engine: &str, row: &str) -> Option<f64> {
        median(self.of(engine, row).filter_map(|figure| figure.background).collect())
            .map(|median| median.value)
    }

    /// The median of the ratio of two rows of an engine, each run by itself.
    pub fn ratio(&self, engine: &str, row: &str, to: &str) -> Option<f64> {
        let runs = self.runs.iter().filter(|run| run.engine == engine);
        let ratios = runs.filter_map(|run| Some(run.figures.get(row)?.value / run.figures.get(to)?.value));
        median(ratios.collect()).map(|median| median.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(Median { value: 2.0, spread: 1.0, runs: 3 }));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]).map(|median| median.value), Some(2.5));
    }
}
