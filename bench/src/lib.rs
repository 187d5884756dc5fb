//! Lightning DB and its peers, side by side: the same records, the same order of work, the same durability.
//!
//! `data` and `plan` say what is asked, `model` what must come back, `engine` and `peers` who is asked, `rows`
//! what is measured, `run` in which order, `report` how it is shown.

pub mod baseline;
pub mod cgroup;
pub mod counts;
pub mod data;
pub mod engine;
pub mod floor;
pub mod flushes;
pub mod goals;
pub mod large;
pub mod machine;
pub mod meter;
pub mod model;
pub mod peers;
pub mod plan;
pub mod record;
pub mod report;
pub mod rows;
pub mod run;
