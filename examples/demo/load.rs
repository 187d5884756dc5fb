//! Loading: batches of 1,000 records; a city and its index entry are always in the same batch.

use std::io::IsTerminal;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use lightning_db::WriteBatch;
use lightning_db_examples::{Outcome, thousands};

use crate::{Demo, check};

const CITIES_OF_A_BATCH: usize = 500;

/// Loads all cities.
pub fn load(demo: &mut Demo) -> Outcome {
    let bar = progress_bar(demo.cities.len() as u64);
    let start = Instant::now();
    for cities in demo.cities.chunks(CITIES_OF_A_BATCH) {
        let mut batch = WriteBatch::new();
        for city in cities {
            let (key, index) = (city.key(), city.position_key());
            batch.put(&key, &city.value)?;
            batch.put(&index, &key)?;
            demo.model.insert(index.into_bytes(), key.clone().into_bytes());
            demo.model.insert(key.into_bytes(), city.value.clone());
        }
        demo.db.write(&batch)?;
        bar.inc(cities.len() as u64);
    }
    let time = start.elapsed();
    bar.finish_and_clear();

    // Two cities under one key would make the model smaller than the data set.
    check::equal("load: distinct keys", demo.model.len(), 2 * demo.cities.len())?;
    let batches = demo.cities.len().div_ceil(CITIES_OF_A_BATCH);
    let checked = format!("each city and its index entry; {} batches on stable storage", thousands(batches));
    demo.report.row("load", demo.model.len(), time, &checked);
    Ok(())
}

/// Shown only to a person.
fn progress_bar(cities: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("load {bar:40} {human_pos} of {human_len} cities, {eta} left");
    ProgressBar::new(cities).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
