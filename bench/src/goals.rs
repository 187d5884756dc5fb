//! The rows of the table, and what is to be reached in each.

use crate::engine::Level;

/// What a row's figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Operations a second: the more the better.
    PerSecond,
    /// Seconds: the fewer the better.
    Seconds,
    /// Bytes: the fewer the better.
    Bytes,
}

impl Unit {
    /// Whether a larger figure is a better one.
    pub fn larger_is_better(self) -> bool {
        self == Unit::PerSecond
    }
}

/// What is to be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// So many times the best peer.
    Times(f64),
    /// At most so many times the best peer.
    AtMostTimes(f64),
    /// At most so much, whatever peers do.
    AtMost(f64),
    /// So many times the floor of that row.
    OfFloor(&'static str, f64),
    /// Shown, not judged.
    Shown,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name in the JSON file.
    pub id: &'static str,
    /// Its name in the table.
    pub title: &'static str,
    /// What the figure counts.
    pub unit: Unit,
    /// What is to be reached.
    pub goal: Goal,
    /// Rows of a peer of which the best one counts; empty: this one.
    pub against: &'static [&'static str],
    /// The level of the writes that are timed.
    pub level: Option<Level>,
}

const PROCESS: Option<Level> = Some(Level::Process);
const POWER: Option<Level> = Some(Level::Power);

const fn row(id: &'static str, title: &'static str, level: Option<Level>, goal: Goal) -> Row {
    Row { id, title, unit: Unit::PerSecond, goal, against: &[], level }
}

const fn of(unit: Unit, row: Row) -> Row {
    Row { unit, ..row }
}

/// Floor of durable writes that grow a file.
pub const FLOOR_APPEND: &str = "floor_append";
/// Floor of durable writes over blocks that were written before.
pub const FLOOR_PREALLOCATED: &str = "floor_preallocated";

/// All rows, in the order of the table.
pub const ROWS: &[Row] = &[
    row("get_hot", "get, 10,000 hot keys", None, Goal::Times(8.0)),
    row("get_uniform", "get, uniform over all", None, Goal::Times(2.5)),
    row("get_zipf", "get, Zipf 0.99", None, Goal::Times(3.0)),
    row("get_absent", "get, absent key", None, Goal::Times(1.5)),
    row("get_uniform_2", "get, uniform, 2 threads", None, Goal::Times(2.5)),
    row("multi_get", "multi_get of 100, uniform", None, Goal::Times(4.0)),
    row("scan_forward", "scan all, forward", None, Goal::Times(1.3)),
    row("scan_backward", "scan all, backward", None, Goal::Times(1.3)),
    row("seek", "seek + 100 entries", None, Goal::Times(1.5)),
    row("seek_updated", "seek + 100 entries, right after random updates", None, Goal::Times(1.5)),
    row("put", "put one by one, not synced, random order", PROCESS, Goal::Times(3.0)),
    row("batch", "batches of 1,000, random order", PROCESS, Goal::Times(2.5)),
    row("sorted", "batches of 1,000, sorted", PROCESS, Goal::Times(1.0)),
    Row {
        against: &["sorted", "ingest"],
        ..row("ingest", "sorted load, the fastest way", None, Goal::Times(1.5))
    },
    row("overwrite", "random overwrites one by one", PROCESS, Goal::Times(3.0)),
    row("transaction", "transaction of 2 gets + 2 puts, not synced", PROCESS, Goal::Times(5.0)),
    row("delete", "delete all, batches of 1,000", PROCESS, Goal::Times(2.0)),
    row("durable_1", "durable put, 1 thread", POWER, Goal::OfFloor(FLOOR_PREALLOCATED, 0.97)),
    row("durable_8", "durable put, 8 threads", POWER, Goal::OfFloor(FLOOR_APPEND, 5.5)),
    row("ycsb_a", "YCSB A: half reads, half updates", PROCESS, Goal::Times(2.5)),
    row("ycsb_b", "YCSB B: 95 % reads, 5 % updates", PROCESS, Goal::Times(2.5)),
    row("ycsb_c", "YCSB C: reads", None, Goal::Times(2.5)),
    row("ycsb_d", "YCSB D: 95 % reads of the latest, 5 % inserts", PROCESS, Goal::Times(2.5)),
    row("ycsb_e", "YCSB E: 95 % short scans, 5 % inserts", PROCESS, Goal::Times(1.3)),
    row("ycsb_f", "YCSB F: half reads, half read-modify-writes", PROCESS, Goal::Times(2.0)),
    row("ycsb_a_2", "YCSB A, 2 threads", PROCESS, Goal::Times(3.0)),
    row("ycsb_b_2", "YCSB B, 2 threads", PROCESS, Goal::Times(3.0)),
    of(Unit::Bytes, row("size", "size at rest after random load", None, Goal::AtMostTimes(1.0))),
    of(Unit::Seconds, row("open", "open a cleanly closed database", None, Goal::AtMost(0.002))),
    of(Unit::Seconds, row("first_get", "first get after it", None, Goal::AtMost(0.005))),
    row("get_with", "get, uniform, the value lent", None, Goal::Shown),
    row("get_latest", "get, uniform, a read transaction each", None, Goal::Shown),
    row("get_updated", "get, uniform, right after random updates", None, Goal::Shown),
    row("scan_updated", "scan all, forward, right after random updates", None, Goal::Shown),
    row("put_settled", "put one by one + settle", PROCESS, Goal::Shown),
    row("batch_settled", "batches, random order + settle", PROCESS, Goal::Shown),
    row("sorted_settled", "batches, sorted + settle", PROCESS, Goal::Shown),
    row("ingest_settled", "sorted load, the fastest way + settle", None, Goal::Shown),
    of(Unit::Seconds, row("pause_p999", "overwrites flat out: 99.9 % of puts within", PROCESS, Goal::Shown)),
    of(Unit::Seconds, row("pause_max", "overwrites flat out: longest put", PROCESS, Goal::Shown)),
    of(Unit::Bytes, row("burst_memory", "overwrites flat out: growth of memory", PROCESS, Goal::Shown)),
    of(Unit::Seconds, row("busy_p50", "get beside overwrites flat out: half within", None, Goal::Shown)),
    of(Unit::Seconds, row("busy_p99", "get beside overwrites flat out: 99 % within", None, Goal::Shown)),
    of(Unit::Seconds, row("busy_p999", "get beside overwrites flat out: 99.9 % within", None, Goal::Shown)),
    row("scan_tombstones", "scan all, 9 of 10 records just deleted", None, Goal::Shown),
    row(FLOOR_APPEND, "floor: write 130 bytes + fdatasync, appended", POWER, Goal::Shown),
    row(FLOOR_PREALLOCATED, "floor: write 130 bytes + fdatasync, preallocated", POWER, Goal::Shown),
];

/// The row of a name.
pub fn named(id: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_known() {
        let names: HashSet<_> = ROWS.iter().map(|row| row.id).collect();
        assert_eq!(names.len(), ROWS.len());
        assert!(ROWS.iter().flat_map(|row| row.against).all(|id| names.contains(id)));
    }
}
