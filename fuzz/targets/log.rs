//! `.log`, with right checksums.
#![no_main]

#[macro_use]
#[path = "common.rs"]
mod common;

fuzz_files_named!(".log");
