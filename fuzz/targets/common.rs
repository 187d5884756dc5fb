//! What the tests of the engine share, as far as the targets use it.
#![allow(dead_code, unused_imports, missing_docs)]

#[path = "../../core/tests/common/alone.rs"]
pub mod alone;
#[path = "../../core/tests/common/forward.rs"]
pub mod forward;

pub const FOLDER: &str = "/db";

/// One input in eight is written to, compacted and repaired too, which takes as long as many reads.
pub fn is_thorough(bytes: &[u8]) -> bool {
    crc32fast::hash(bytes).is_multiple_of(8)
}

/// A target that damages the first file of the shared database whose name has these characters.
#[macro_export]
macro_rules! fuzz_files_named {
    ($name:literal) => {
        #[path = "../../core/tests/hostile/drive.rs"]
        mod drive;
        #[path = "../../core/tests/hostile/seal.rs"]
        mod seal;

        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
            if let Some(target) = drive::shared().iter().find(|target| target.name().contains($name)) {
                target.drive(bytes, common::is_thorough(bytes));
            }
        });
    };
}
