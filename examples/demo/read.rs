//! Reading: gets, scans both ways, and a query through the index by position.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use lightning_db::Result;
use lightning_db_examples::cities::{City, DEGREE, Position, country_prefix, position_of, position_prefix};
use lightning_db_examples::{Outcome, thousands};

use crate::{Demo, check};

const HITS: usize = 10_000;
const ABSENT: usize = 1_000;
const BOXES: usize = 100;
/// From the middle of a box to its sides: one degree.
const HALF_BOX: i64 = DEGREE;

/// Random keys that are there, and some that are not.
pub fn point_gets(demo: &mut Demo) -> Outcome {
    let mut keys = Vec::with_capacity(HITS + ABSENT);
    for number in 0..HITS + ABSENT {
        let key = demo.cities[demo.random.below(demo.cities.len())].key();
        // A neighbour of a city's key: one more letter.
        keys.push(if number < HITS { key } else { key + "-" });
    }
    demo.random.shuffle(&mut keys);

    let start = Instant::now();
    let values = keys.iter().map(|key| demo.db.get(key)).collect::<Result<Vec<_>>>()?;
    let time = start.elapsed();
    for (key, value) in keys.iter().zip(&values) {
        let expected = demo.model.get(key.as_bytes());
        check::equal(&format!("get {key}"), value.as_deref(), expected.map(Vec::as_slice))?;
    }
    let checked = format!("{} values equal, {} absent keys absent", thousands(HITS), thousands(ABSENT));
    demo.report.row("point gets", keys.len(), time, &checked);
    Ok(())
}

/// Number of cities by country.
fn countries(cities: &[City]) -> BTreeMap<&str, usize> {
    let mut countries = BTreeMap::new();
    for city in cities {
        *countries.entry(city.country.as_str()).or_default() += 1;
    }
    countries
}

/// Bounds that hold all cities of a country: `0` is the letter behind `/`.
fn country_bounds(country: &str) -> (Vec<u8>, Vec<u8>) {
    let start = country_prefix(country).into_bytes();
    let mut end = start.clone();
    end.pop();
    end.push(b'/' + 1);
    (start, end)
}

/// All cities of each country, by prefix.
pub fn country_scans(demo: &mut Demo) -> Outcome {
    let countries = countries(&demo.cities);
    let mut records = 0;
    let start = Instant::now();
    for (country, cities) in &countries {
        let (from, to) = country_bounds(country);
        let what = format!("prefix scan of {country}");
        let scan = demo.db.scan_prefix(&from)?;
        let count = check::same_records(&what, scan, demo.model.range(from..to))?;
        check::equal(&what, count, *cities)?;
        records += count;
    }
    let checked = format!("{} countries: counts and bytes equal", countries.len());
    demo.report.row("prefix scans", records, start.elapsed(), &checked);
    Ok(())
}

/// All cities of each country, last first.
pub fn reverse_scans(demo: &mut Demo) -> Outcome {
    let countries = countries(&demo.cities);
    let mut records = 0;
    let start = Instant::now();
    for country in countries.keys() {
        let (from, to) = country_bounds(country);
        let what = format!("reverse scan of {country}");
        let scan = demo.db.scan_reverse(Some(from.clone()), Some(to.clone()))?;
        records += check::same_records(&what, scan, demo.model.range(from..to).rev())?;
    }
    let checked = format!("{} countries: order and bytes equal", countries.len());
    demo.report.row("reverse scans", records, start.elapsed(), &checked);
    Ok(())
}

/// Cities in boxes around random cities, through the index.
pub fn box_queries(demo: &mut Demo) -> Outcome {
    let mut found = 0;
    let mut time = Duration::ZERO;
    for _ in 0..BOXES {
        let middle = demo.cities[demo.random.below(demo.cities.len())].position;
        let start = Instant::now();
        let in_box = cities_in_box(demo, middle)?;
        time += start.elapsed();

        let expected = demo.cities.iter().filter(|city| is_in_box(city.position, middle));
        let expected: BTreeSet<Vec<u8>> = expected.map(|city| city.key().into_bytes()).collect();
        let what = format!("box around {}, {}", middle.north - 90 * DEGREE, middle.east - 180 * DEGREE);
        check::equal(&format!("{what}: cities"), in_box.len(), expected.len())?;
        check::holds(&format!("{what}: same cities"), in_box == expected)?;
        found += in_box.len();
    }
    let checked = format!("{BOXES} boxes of 2 by 2 degrees: same cities as by looking at all");
    demo.report.row("box queries", found, time, &checked);
    Ok(())
}

fn is_in_box(position: Position, middle: Position) -> bool {
    (position.north - middle.north).abs() <= HALF_BOX && (position.east - middle.east).abs() <= HALF_BOX
}

/// For each row of the index that the box touches, the entries from its west to its east side; then each
/// city itself, as rows are taller than the box.
fn cities_in_box(demo: &Demo, middle: Position) -> Outcome<BTreeSet<Vec<u8>>> {
    let rows = (middle.north - HALF_BOX).max(0) / DEGREE..=(middle.north + HALF_BOX) / DEGREE;
    let west = (middle.east - HALF_BOX).max(0);
    let mut found = BTreeSet::new();
    for row in rows {
        let from = position_prefix(row, west).into_bytes();
        let to = position_prefix(row, middle.east + HALF_BOX + 1).into_bytes();
        for entry in demo.db.scan(Some(from), Some(to))? {
            let (_, key) = entry?;
            let value = demo.db.get(&key)?.ok_or("the index names a city that is not there")?;
            if is_in_box(position_of(&value)?, middle) {
                found.insert(key);
            }
        }
    }
    Ok(found)
}

/// Everything, both ways, against the model.
pub fn full_scans(demo: &mut Demo) -> Outcome {
    let start = Instant::now();
    let forward = check::same_records("full scan", demo.db.scan(None, None)?, &demo.model)?;
    let backward = demo.db.scan_reverse(None, None)?;
    let backward = check::same_records("full reverse scan", backward, demo.model.iter().rev())?;
    demo.report.row(
        "full scans",
        forward + backward,
        start.elapsed(),
        "every record equal, forward and backward",
    );
    Ok(())
}
