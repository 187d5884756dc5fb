//! `mmap_size`: tables read through maps, as far as it goes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::Arc;

use lightning_db::vfs::{Call, OsVfs, RecordingVfs};
use lightning_db::{Database, ErrorKind, LightningDbConfig, OptionValue};

const RECORDS: u32 = 30_000;

fn key(i: u32) -> [u8; 4] {
    i.wrapping_mul(2_654_435_761).to_be_bytes()
}

/// About 3 MB in tables, of which nothing is cached.
fn filled(mmap_size: Option<u64>) -> (tempfile::TempDir, RecordingVfs, Database) {
    let folder = tempfile::tempdir().unwrap();
    let vfs = RecordingVfs::new(Arc::new(OsVfs));
    let config = LightningDbConfig {
        cache_size: 1 << 20,
        mmap_size,
        compression_enabled: false,
        ..common::small_config()
    };
    let db = Database::open_on(Arc::new(vfs.clone()), folder.path(), config, true).unwrap();
    for chunk in (0..RECORDS).collect::<Vec<_>>().chunks(1000) {
        let entries: Vec<_> = chunk.iter().map(|&i| (key(i), [i as u8; 100])).collect();
        db.put_batch(&entries).unwrap();
    }
    db.compact_lsm().unwrap();
    db.put_batch(&(0..RECORDS / 4).map(|i| (key(i), [i as u8; 100])).collect::<Vec<_>>()).unwrap();
    db.flush().unwrap();
    (folder, vfs, db)
}

/// Maps, and reads of tables, while every record is read.
fn calls_of_reads(vfs: &RecordingVfs, db: &Database) -> (usize, usize) {
    vfs.take();
    for i in 0..RECORDS {
        assert_eq!(db.get(key(i)).unwrap().unwrap(), [i as u8; 100]);
    }
    assert_eq!(common::entries(db).len(), RECORDS as usize);
    let is_table = |path: &std::path::Path| path.extension().is_some_and(|extension| extension == "table");
    let calls = vfs.take();
    let count = |kind: &dyn Fn(&Call) -> bool| calls.iter().filter(|call| kind(call)).count();
    (
        count(&|call| matches!(call, Call::Map { .. })),
        count(&|call| matches!(call, Call::ReadAt { path, .. } if is_table(path))),
    )
}

#[test]
fn option_mmap_size() {
    let (_folder, vfs, db) = filled(Some(1 << 30));
    let (maps, reads) = calls_of_reads(&vfs, &db);
    assert!(maps > 0);
    assert_eq!(reads, 0);
    // A compaction in the background may have replaced tables that were read by new ones, which were not.
    common::wait_until("a map of each table", || {
        assert_eq!(common::entries(&db).len(), RECORDS as usize);
        db.stats().unwrap().mapped_bytes > 3 << 20
    });
    let stats = db.stats().unwrap();
    assert!(stats.tables_per_level.iter().sum::<usize>() > 1, "{stats:?}");
    assert!(stats.cache_bytes <= 1 << 20);
    db.close().unwrap();
}

#[test]
fn a_smaller_budget_maps_a_part_and_reads_the_rest() {
    let (_folder, vfs, db) = filled(Some(1 << 20));
    let (_, reads) = calls_of_reads(&vfs, &db);
    let mapped = db.stats().unwrap().mapped_bytes;
    assert!(reads > 0 && mapped <= 1 << 20, "{reads} reads, {mapped} bytes mapped");
}

#[test]
fn without_the_option_nothing_is_mapped() {
    let (_folder, vfs, db) = filled(None);
    let (maps, reads) = calls_of_reads(&vfs, &db);
    assert!(reads > 0);
    assert_eq!((maps, db.stats().unwrap().mapped_bytes), (0, 0));
}

/// Tables that a compaction replaces give their maps back.
#[test]
fn maps_go_with_their_tables() {
    let (_folder, vfs, db) = filled(Some(1 << 30));
    calls_of_reads(&vfs, &db);
    db.compact_lsm().unwrap();
    calls_of_reads(&vfs, &db);
    let stats = db.stats().unwrap();
    assert!(stats.mapped_bytes <= stats.total_size, "{stats:?}");
}

#[test]
fn the_option_has_a_name_and_a_range() {
    let mut config = LightningDbConfig::default();
    assert_eq!(config.mmap_size, None);
    config.set("mmap_size", OptionValue::Integer(1 << 20)).unwrap();
    assert_eq!(config.mmap_size, Some(1 << 20));
    config.validate().unwrap();
    config.mmap_size = Some((1 << 20) - 1);
    assert_eq!(config.validate().unwrap_err().kind(), ErrorKind::InvalidArgument);
}

/// Handles of a closed database may live on for long: they hold no table open, no map and no page.
#[cfg(target_os = "linux")]
#[test]
fn a_closed_database_lets_go_of_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let open_tables = || {
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
        let targets = descriptors.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
        let is_table = |target: &std::path::PathBuf| {
            target.starts_with(&path) && target.to_string_lossy().contains(".table")
        };
        let mapped = std::fs::read_to_string("/proc/self/maps").unwrap();
        let of_ours = |line: &&str| line.contains(&*path.to_string_lossy());
        (targets.filter(is_table).count(), mapped.lines().filter(of_ours).count())
    };
    for mmap_size in [None, Some(1 << 30)] {
        let config = LightningDbConfig { mmap_size, ..LightningDbConfig::default() };
        let db = Database::create(&path, config).unwrap();
        db.put(b"key", b"value").unwrap();
        db.flush().unwrap();
        let (snapshot, mut scan) = (db.snapshot().unwrap(), db.scan(None, None).unwrap());
        assert!(scan.next().is_some());
        assert_ne!(open_tables(), (0, 0));
        db.close().unwrap();
        assert_eq!(snapshot.get(b"key").unwrap_err().kind(), ErrorKind::Closed);
        assert_eq!(db.list_keyspaces().unwrap_err().kind(), ErrorKind::Closed);
        assert!(scan.next().is_none_or(|entry| entry.is_err()));
        drop(scan);
        assert_eq!(open_tables(), (0, 0), "with {mmap_size:?}");
    }
}
