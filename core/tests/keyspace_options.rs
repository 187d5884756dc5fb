//! What keyspaces are made with: their own order of keys, page size, codec and compression level.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use common::spaces::{all, kind, ordered};
use common::still::Still;
use common::{Random, open, open_with, small_config};
use lightning_db::vfs::{MemoryVfs, OsVfs, Vfs};
use lightning_db::{
    BackupEngine, Comparator, ConsistencyLevel, Database, ErrorKind, KeyspaceOptions, LSMConfig,
    LightningDbConfig, NativeOrder, ScanOptions,
};

/// By the length of the key.
struct ByLength;

impl Comparator for ByLength {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        a.len().cmp(&b.len())
    }
    fn name(&self) -> &str {
        "by length"
    }
}

fn by_length() -> KeyspaceOptions {
    KeyspaceOptions { comparator: Some(Box::new(ByLength)), ..Default::default() }
}

fn knows_by_length() -> LightningDbConfig {
    LightningDbConfig { comparators: vec![Box::new(ByLength)], ..small_config() }
}

#[test]
fn an_own_comparator_is_found_by_name_at_the_next_open() {
    let disk = MemoryVfs::default();
    let db = open(&disk).unwrap();
    let ks = db.create_keyspace("lengths", by_length()).unwrap();
    let decimal = db.create_keyspace("numbers", ordered(NativeOrder::Decimal)).unwrap();
    for key in ["ccc", "bb", "a", "dddd"] {
        ks.put(key, "").unwrap();
        decimal.put(key.len().to_string(), "").unwrap();
    }
    db.flush().unwrap();
    ks.put("zz", "").unwrap();
    db.close().unwrap();

    let error = open(&disk).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    let text = error.to_string();
    assert!(text.contains("lengths") && text.contains("by length"), "{text}");
    let db = open_with(&disk, knows_by_length()).unwrap();
    let keys: Vec<_> = all(&db.keyspace("lengths").unwrap()).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [&b"a"[..], b"bb", b"zz", b"ccc", b"dddd"]);
    assert_eq!(all(&db.keyspace("numbers").unwrap()).len(), 4);

    BackupEngine::new(&db).create_backup("/backup").unwrap();
    let restore = |config| {
        let vfs: std::sync::Arc<dyn Vfs> = std::sync::Arc::new(disk.clone());
        Database::restore_on(vfs, Path::new("/restored"), Path::new("/backup"), config)
    };
    assert_eq!(kind(restore(small_config())), Some(ErrorKind::Mismatch));
    assert_eq!(all(&restore(knows_by_length()).unwrap().keyspace("lengths").unwrap()).len(), 5);
}

/// Bytes of a file header, in front of the first page.
const FILE_HEADER: usize = 64;

/// Codec and raw length of the first page of each table, in the order in which they were made.
fn first_pages(folder: &Path) -> Vec<(u8, u32)> {
    let tables = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut tables: Vec<_> =
        tables.filter(|path| path.extension().is_some_and(|extension| extension == "table")).collect();
    tables.sort();
    let page = |path| {
        let bytes = fs::read(path).unwrap();
        let header = &bytes[FILE_HEADER..FILE_HEADER + 16];
        (header[12], u32::from_le_bytes(header[8..12].try_into().unwrap()))
    };
    tables.into_iter().map(page).collect()
}

fn compressible() -> Vec<(Vec<u8>, String)> {
    (0..3000u32).map(|i| (i.to_be_bytes().to_vec(), format!("value number {i} ").repeat(3))).collect()
}

#[test]
fn each_keyspace_has_its_page_size_and_codec_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let config = |upper| LightningDbConfig {
        lsm_config: LSMConfig { upper_compression_type: upper, ..Default::default() },
        ..Default::default()
    };
    let open = |config| Database::open_on(Still::over(OsVfs), folder.path(), config, true).unwrap();
    let db = open(config(2));
    let made = [(Some(512), Some(1)), (Some(65_536), Some(3)), (None, Some(0)), (None, None)];
    for (i, (page_size, compression_type)) in made.into_iter().enumerate() {
        let options = KeyspaceOptions { page_size, compression_type, ..Default::default() };
        db.create_keyspace(i.to_string(), options).unwrap();
    }
    let fill = |db: &Database| {
        db.put_batch(&compressible()).unwrap();
        for i in 0..made.len() {
            db.keyspace(i.to_string()).unwrap().put_batch(&compressible()).unwrap();
        }
        db.flush().unwrap();
    };
    fill(&db);
    // A flush writes a table for each keyspace, in the order of their making.
    let codecs = |pages: &[(u8, u32)]| pages.iter().map(|(codec, _)| *codec).collect::<Vec<_>>();
    let full = |pages: &[(u8, u32)]| {
        let near = |len: u32, full: u32| len <= full && len > full * 3 / 4;
        let sizes = [4096, 512, 65_536, 4096, 4096];
        assert!(pages.iter().zip(sizes).all(|((_, len), size)| near(*len, size)), "{pages:?}");
    };
    let pages = first_pages(folder.path());
    assert_eq!(codecs(&pages), [2, 2, 2, 0, 2], "the upper levels");
    full(&pages);
    db.close().unwrap();

    // The keyspaces stay as they were made, the default one follows the configuration.
    let changed = LightningDbConfig { compression_type: 3, compression_level: 9, ..config(1) };
    let db = open(changed);
    fill(&db);
    let upper: Vec<_> = first_pages(folder.path()).split_off(5);
    assert_eq!(codecs(&upper), [1, 1, 1, 0, 1]);
    db.compact_lsm().unwrap();
    db.close().unwrap();
    let pages = first_pages(folder.path());
    assert_eq!(codecs(&pages), [3, 1, 3, 0, 2], "the deepest level");
    full(&pages);
}

#[test]
fn the_level_of_a_keyspace_is_kept() {
    let size = |level| {
        let folder = tempfile::tempdir().unwrap();
        let options = KeyspaceOptions {
            compression_type: Some(1),
            compression_level: Some(level),
            page_size: Some(64 << 10),
            ..Default::default()
        };
        let db = Database::create(folder.path(), LightningDbConfig::default()).unwrap();
        db.create_keyspace("k", options).unwrap();
        db.close().unwrap();
        let db = Database::open(folder.path(), LightningDbConfig::default()).unwrap();
        let words = |i: u32| {
            (0..20).map(|j| format!("{:x} ", i.wrapping_mul(2_654_435_761) >> (j % 9))).collect::<String>()
        };
        let ks = db.keyspace("k").unwrap();
        ks.put_batch(&(0..5000u32).map(|i| (i.to_be_bytes(), words(i))).collect::<Vec<_>>()).unwrap();
        db.compact_lsm().unwrap();
        db.stats().unwrap().total_size
    };
    assert!(size(15) < size(1));
}

/// As if it had been renamed, but with another order: the name alone cannot tell.
#[test]
fn a_comparator_that_has_changed_is_noticed_at_the_first_read() {
    struct Changed;
    impl Comparator for Changed {
        fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
            // The first and the last key are where they were.
            let rank = |key: &[u8]| key.len().pow(2) % 11;
            rank(a).cmp(&rank(b))
        }
        fn name(&self) -> &str {
            "by length"
        }
    }
    for (entries, compact) in [(5, false), (2000, true)] {
        let disk = MemoryVfs::default();
        let db = open(&disk).unwrap();
        let ks = db.create_keyspace("k", by_length()).unwrap();
        let mut random = Random(1);
        for i in 0..entries {
            let len = 1 + if entries < 10 { i } else { random.below(6) };
            let key: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
            ks.put_with_consistency(key, [0; 20], ConsistencyLevel::Eventual).unwrap();
        }
        db.flush().unwrap();
        if compact {
            db.compact_lsm().unwrap();
        }
        db.close().unwrap();
        let config = LightningDbConfig { comparators: vec![Box::new(Changed)], ..small_config() };
        let db = open_with(&disk, config).unwrap();
        let count = |db: &Database| db.keyspace("k").unwrap().count(ScanOptions::all());
        assert_eq!(kind(count(&db)), Some(ErrorKind::Mismatch));
        drop(db);
        assert!(count(&open_with(&disk, knows_by_length()).unwrap()).is_ok());
    }
}
