//! The C face: what `include/lightning_db.h` declares.
//!
//! The header is generated from this crate, so the documentation of its exported items is written for users
//! of C and ends up there. A handle is a checked number ([`table`]), every call ends in [`call`], where
//! panics stop and the thread's last error is set.

#![allow(non_camel_case_types, reason = "names of C")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the documentation is that of the header, which says what is owed"
)]

mod arguments;
mod batch;
mod call;
mod comparator;
mod cursor;
mod db;
mod error;
#[cfg(feature = "faults")]
mod faults;
mod figures;
mod handles;
mod ingest;
mod keyspace;
mod memory;
mod options;
mod reader;
mod report;
mod snapshot;
mod stats;
mod table;
mod transact;
mod txn;
mod upkeep;
