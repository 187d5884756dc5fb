//! The cities of the world: the data set of the demonstrations, and its keys.
//!
//! `city/<country>/<name>/<ordinal>` holds a city; names repeat within a country, so an ordinal follows.
//! `pos/<row>/<longitude>/<country>/<name>/<ordinal>` is the index by position: a row is one degree of
//! latitude, the longitude is in steps of 0.00001 degree. Both are counted from the south-west corner of
//! the map and padded with zeros, so that the order of the keys is the order on the map.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Outcome;

/// Prefix of all cities.
pub const CITY: &str = "city/";
/// Steps of a coordinate in one degree.
pub const DEGREE: i64 = 100_000;

/// A row of the file.
#[derive(Deserialize)]
struct Row {
    name: String,
    country: String,
    #[serde(flatten)]
    details: Details,
}

/// The value of a city, as JSON.
#[derive(Deserialize, Serialize)]
struct Details {
    lat: String,
    lng: String,
    admin1: String,
    admin2: String,
}

/// A city as it is stored.
pub struct City {
    /// Two letters.
    pub country: String,
    /// The key behind its prefix: country, name and ordinal.
    pub tail: String,
    /// The stored value.
    pub value: Vec<u8>,
    /// Where it is.
    pub position: Position,
}

/// A place on the map, in steps from the south-west corner.
#[derive(Clone, Copy)]
pub struct Position {
    /// Steps from the south pole.
    pub north: i64,
    /// Steps from the antimeridian.
    pub east: i64,
}

impl City {
    /// Key of the city.
    pub fn key(&self) -> String {
        format!("{CITY}{}", self.tail)
    }

    /// Key of its entry in the index by position.
    pub fn position_key(&self) -> String {
        format!("{}/{}", position_prefix(self.position.north / DEGREE, self.position.east), self.tail)
    }
}

/// Start of the index entries of one row and longitude.
pub fn position_prefix(row: i64, east: i64) -> String {
    format!("pos/{row:03}/{east:08}")
}

/// Key prefix of all cities of a country.
pub fn country_prefix(country: &str) -> String {
    format!("{CITY}{country}/")
}

/// Reads the file, at most `limit` records; it must have `expected` ones.
pub fn read(file: &Path, limit: Option<usize>, expected: Option<usize>) -> Outcome<Vec<City>> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let reader = BufReader::new(File::open(file).map_err(|error| named(&error))?);
    let mut rows: Vec<Row> = serde_json::from_reader(reader).map_err(|error| named(&error))?;
    if let Some(expected) = expected.filter(|&expected| expected != rows.len()) {
        return Err(named(&format!("{} records, expected {expected}", rows.len())).into());
    }
    rows.truncate(limit.unwrap_or(usize::MAX));
    if rows.is_empty() {
        return Err(named(&"no records").into());
    }

    let mut ordinals: HashMap<(String, String), usize> = HashMap::new();
    let mut cities = Vec::with_capacity(rows.len());
    for Row { name, country, details } in rows {
        let position = position(&details).ok_or_else(|| named(&format!("{name}: no position")))?;
        let ordinal = ordinals.entry((country.clone(), name.clone())).or_default();
        let tail = format!("{country}/{name}/{ordinal:04}");
        *ordinal += 1;
        cities.push(City { country, tail, value: serde_json::to_vec(&details)?, position });
    }
    Ok(cities)
}

/// The position in a stored value.
pub fn position_of(value: &[u8]) -> Outcome<Position> {
    let details: Details = serde_json::from_slice(value)?;
    position(&details).ok_or_else(|| "a stored city has no position".into())
}

fn position(details: &Details) -> Option<Position> {
    let steps = |text: &str, limit: i64| {
        let degrees: f64 = text.parse().ok()?;
        let steps = (degrees * DEGREE as f64).round() as i64 + limit * DEGREE;
        (0..=2 * limit * DEGREE).contains(&steps).then_some(steps)
    };
    Some(Position { north: steps(&details.lat, 90)?, east: steps(&details.lng, 180)? })
}
