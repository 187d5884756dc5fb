//! The bytes of a log are pinned.

use super::*;

/// Header, a `Full` chunk, a `Mark` chunk, a `Full` chunk without payload.
const GOLDEN: &str = concat!(
    "4c4442574c4f470063cffcbd0100000088776655443322110700000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "540b0646030000000100000040000000000000006f6e65",
    "238d6e1400000000050000005700000000000000",
    "fa95de2d00000000010000005700000000000000",
);

#[test]
fn the_bytes_of_a_log_are_pinned() {
    let sample = sample(&[(b"one".to_vec(), true), (vec![], false)]);
    let hex: String = sample.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, GOLDEN);
}
