//! `BACKUP`, with right checksums.
#![no_main]

#[path = "common.rs"]
mod common;
#[path = "../../core/tests/hostile/drive.rs"]
mod drive;
#[path = "../../core/tests/hostile/seal.rs"]
mod seal;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(target) = drive::shared().iter().find(|target| target.name().contains("BACKUP")) {
        target.drive(bytes, common::is_thorough(bytes));
    }
});
