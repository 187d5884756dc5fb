//! Which codec the pages of each level have, and that pages of every codec are read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use lightning_db::{Database, LSMConfig, LightningDbConfig};

/// Bytes of a file header, in front of the first page.
const FILE_HEADER: usize = 64;
/// Where the header of a page names its codec.
const CODEC: usize = 12;

fn config(upper: u8, bottom: u8) -> LightningDbConfig {
    LightningDbConfig {
        compression_type: bottom,
        lsm_config: LSMConfig { upper_compression_type: upper, ..Default::default() },
        ..Default::default()
    }
}

/// The codecs of the first pages of all tables, of which none may be on its way out.
fn codecs(folder: &Path) -> BTreeSet<u8> {
    let tables = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let tables = tables.filter(|path| path.extension().is_some_and(|extension| extension == "table"));
    tables.map(|path| fs::read(path).unwrap()[FILE_HEADER + CODEC]).collect()
}

fn entries() -> Vec<(Vec<u8>, Vec<u8>)> {
    (0..2000u32)
        .map(|i| (i.to_be_bytes().to_vec(), format!("value number {i} ").repeat(3).into_bytes()))
        .collect()
}

#[test]
fn each_level_has_the_codec_that_it_was_given() {
    for (upper, bottom) in [(0, 1), (1, 2), (2, 3), (3, 1), (2, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::create(folder.path(), config(upper, bottom)).unwrap();
        db.put_batch(&entries()).unwrap();
        db.flush().unwrap();
        assert_eq!(codecs(folder.path()), [upper].into());
        db.put(b"behind", b"").unwrap();
        db.compact_lsm().unwrap();
        db.close().unwrap();
        assert_eq!(codecs(folder.path()), [bottom].into());
    }
}

#[test]
fn without_compression_all_pages_are_raw() {
    let folder = tempfile::tempdir().unwrap();
    let db =
        Database::create(folder.path(), LightningDbConfig { compression_enabled: false, ..config(1, 1) })
            .unwrap();
    db.put_batch(&entries()).unwrap();
    db.flush().unwrap();
    assert_eq!(codecs(folder.path()), [0].into());
    db.compact_lsm().unwrap();
    db.close().unwrap();
    assert_eq!(codecs(folder.path()), [0].into());
}

#[test]
fn pages_of_every_codec_are_read_whatever_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let (mut expected, all) = (Vec::new(), entries());
    for (codec, part) in [0, 1, 2, 3].into_iter().zip(all.chunks(500)) {
        let mut config = config(codec, 2);
        config.lsm_config.level0_file_num_compaction_trigger = 64;
        let db = Database::create(folder.path(), config).unwrap();
        db.put_batch(part).unwrap();
        db.flush().unwrap();
        expected.extend_from_slice(part);
        assert_eq!(common::entries(&db), expected);
        db.close().unwrap();
    }
    assert_eq!(codecs(folder.path()), [0, 1, 2, 3].into());
}

#[test]
fn a_higher_level_of_zstd_makes_smaller_tables() {
    let size = |compression_level| {
        let folder = tempfile::tempdir().unwrap();
        let config = LightningDbConfig { compression_level, page_size: 64 << 10, ..config(2, 1) };
        let db = Database::create(folder.path(), config).unwrap();
        let words = |i: u32| {
            (0..20).map(|j| format!("{:x} ", i.wrapping_mul(2_654_435_761) >> (j % 9))).collect::<String>()
        };
        db.put_batch(&(0..5000u32).map(|i| (i.to_be_bytes(), words(i))).collect::<Vec<_>>()).unwrap();
        db.compact_lsm().unwrap();
        db.stats().unwrap().total_size
    };
    assert!(size(15) < size(1));
}
