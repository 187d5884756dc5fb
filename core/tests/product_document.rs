//! The calls of the product's document, in the forms that it shows, each with a look at what they did. What had to be
//! mended stands in `docs/decisions/0002-errata.md`; `docs/contract-tests.md` lists which test shows what.
#![allow(clippy::unwrap_used, clippy::field_reassign_with_default, reason = "called as the document calls")]

use std::path::PathBuf;
use std::time::Duration;

use lightning_db::{
    BackupEngine, Comparator, ConsistencyConfig, ConsistencyLevel, ConsistencyManager, Database, ErrorKind,
    LSMConfig, LightningDbConfig,
};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A folder that is gone at the end, and a path in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mydb");
    (folder, path)
}

fn fresh() -> (tempfile::TempDir, Database) {
    let (folder, path) = place();
    (folder, Database::create(path, LightningDbConfig::default()).unwrap())
}

#[test]
fn basic_usage() -> Outcome {
    let (_folder, path) = place();
    let db = Database::create(path.to_str().unwrap(), LightningDbConfig::default())?;
    db.put(b"greeting", b"salve")?;
    let found = db.get(b"greeting")?;
    assert_eq!(found.as_deref(), Some(&b"salve"[..]));
    db.delete(b"greeting")?;
    assert!(db.get(b"greeting")?.is_none());
    Ok(())
}

/// Moves an amount between two accounts; the one mend is the place where the text is parsed.
fn transfer(db: &Database, from: &[u8], to: &[u8], amount: u64) -> Outcome {
    let tx = db.begin_transaction()?;
    let source =
        db.get_tx(tx, from)?.and_then(|v| std::str::from_utf8(&v).ok()?.parse::<u64>().ok()).unwrap_or(0);
    let target =
        db.get_tx(tx, to)?.and_then(|v| std::str::from_utf8(&v).ok()?.parse::<u64>().ok()).unwrap_or(0);
    if source < amount {
        db.abort_transaction(tx)?;
        return Err("too little".into());
    }
    db.put_tx(tx, from, (source - amount).to_string().as_bytes())?;
    db.put_tx(tx, to, (target + amount).to_string().as_bytes())?;
    db.commit_transaction(tx)?;
    Ok(())
}

#[test]
fn transactions() -> Outcome {
    let (_folder, db) = fresh();
    db.put(b"ann", b"70")?;
    transfer(&db, b"ann", b"bob", 30)?;
    let text = |key: &[u8]| db.get(key).unwrap().unwrap().to_vec();
    assert_eq!((text(b"ann"), text(b"bob")), (b"40".to_vec(), b"30".to_vec()));
    assert_eq!(transfer(&db, b"ann", b"bob", 41).unwrap_err().to_string(), "too little");
    assert_eq!((text(b"ann"), text(b"bob")), (b"40".to_vec(), b"30".to_vec()));
    assert_eq!(db.stats()?.active_transactions, 0);
    // What was read has changed meanwhile.
    let tx = db.begin_transaction()?;
    db.get_tx(tx, b"ann")?;
    db.delete_tx(tx, b"ann")?;
    transfer(&db, b"ann", b"bob", 1)?;
    assert_eq!(db.commit_transaction(tx).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(text(b"ann"), b"39");
    Ok(())
}

#[test]
fn batch_operations() -> Outcome {
    let (_folder, db) = fresh();
    let pairs = vec![
        (b"city:1".to_vec(), b"Rome".to_vec()),
        (b"city:2".to_vec(), b"Oslo".to_vec()),
        (b"city:3".to_vec(), b"Lima".to_vec()),
    ];
    db.put_batch(&pairs)?;
    let keys = vec![b"city:1".to_vec(), b"city:2".to_vec()];
    let values = db.get_batch(&keys)?;
    assert_eq!(values.len(), 2);
    assert_eq!(values[0].as_deref(), Some(&b"Rome"[..]));
    assert_eq!(values[1].as_deref(), Some(&b"Oslo"[..]));
    db.delete_batch(&keys)?;
    assert!(db.get_batch(&keys)?.iter().all(Option::is_none));
    assert_eq!(db.get(b"city:3")?.as_deref(), Some(&b"Lima"[..]));
    Ok(())
}

#[test]
fn range_queries() -> Outcome {
    let (_folder, db) = fresh();
    for number in 0..30 {
        db.put(format!("city:{number:02}"), format!("name {number}"))?;
    }
    db.put(b"zoo", b"behind")?;
    let iter = db.scan(Some(b"city:".to_vec()), Some(b"city:~".to_vec()))?;
    let mut lines = Vec::new();
    for result in iter {
        let (key, value) = result?;
        lines.push(format!("{}: {}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&value)));
    }
    assert_eq!((lines.len(), lines[7].as_str()), (30, "city:07: name 7"));

    let iter = db.scan_prefix(b"city:")?;
    let mut keys = Vec::new();
    for result in iter.take(10) {
        let (key, _) = result?;
        keys.push(key);
    }
    assert_eq!((keys.len(), keys[9].as_slice()), (10, &b"city:09"[..]));

    let iter = db.scan_reverse(None, None)?;
    let mut backwards = Vec::new();
    for result in iter.take(5) {
        let (key, _) = result?;
        backwards.push(key);
    }
    let expected: [&[u8]; 5] = [b"zoo", b"city:29", b"city:28", b"city:27", b"city:26"];
    assert!(backwards.iter().map(Vec::as_slice).eq(expected));
    Ok(())
}

/// That each field does something is shown by `options.rs`; here, that the literal makes a database that works.
#[test]
fn configuration() -> Outcome {
    let config = LightningDbConfig {
        page_size: 4096,
        cache_size: 100 * 1024 * 1024,
        mmap_size: Some(1024 * 1024 * 1024),
        compression_enabled: true,
        compression_type: 1,
        max_active_transactions: 1000,
        use_optimized_transactions: true,
        prefetch_enabled: true,
        prefetch_distance: 8,
        prefetch_workers: 2,
        consistency_config: ConsistencyConfig {
            default_level: ConsistencyLevel::Strong,
            sync_writes: true,
            checkpoint_interval: Duration::from_secs(60),
        },
        ..Default::default()
    };
    let (_folder, path) = place();
    works(Database::create(path, config)?)
}

/// Through memtable, table and a reopening.
fn works(db: Database) -> Outcome {
    for round in 0..3u32 {
        for number in 0..500u32 {
            db.put_with_consistency(number.to_be_bytes(), [round as u8; 100], ConsistencyLevel::Quorum)?;
        }
        db.flush()?;
    }
    db.compact_lsm()?;
    let path = db.path().to_owned();
    db.close()?;
    let db = Database::open(path, LightningDbConfig::default())?;
    assert_eq!(db.scan(None, None)?.count(), 500);
    assert_eq!(db.get(499u32.to_be_bytes())?.as_deref(), Some(&[2; 100][..]));
    Ok(())
}

/// The leading digits; what has none is 0.
fn parse_number(bytes: &[u8]) -> u64 {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

struct NumericComparator;

impl Comparator for NumericComparator {
    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        let a_num = parse_number(a);
        let b_num = parse_number(b);
        a_num.cmp(&b_num)
    }
}

#[test]
fn custom_comparators() -> Outcome {
    let numeric = || {
        let mut config = LightningDbConfig::default();
        config.comparator = Some(Box::new(NumericComparator));
        config
    };
    let (_folder, path) = place();
    let db = Database::create(&path, numeric())?;
    for key in ["100", "9", "20", "1000"] {
        db.put(key, b"")?;
    }
    db.flush()?;
    let keys: Vec<_> =
        db.scan(None, None)?.map(|entry| entry.map(|(key, _)| key)).collect::<Result<_, _>>()?;
    assert!(keys.iter().map(Vec::as_slice).eq([&b"9"[..], b"20", b"100", b"1000"]));
    db.close()?;
    let other = Database::open(&path, LightningDbConfig::default()).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Mismatch);
    assert!(Database::open(&path, numeric())?.get("20")?.is_some());
    Ok(())
}

/// What each level keeps is shown by `levels.rs`.
#[test]
fn consistency_levels() -> Outcome {
    let (_folder, db) = fresh();
    db.put_with_consistency(b"one", b"data", ConsistencyLevel::Strong)?;
    db.put_with_consistency(b"two", b"data", ConsistencyLevel::Eventual)?;
    db.put_with_consistency(b"three", b"data", ConsistencyLevel::Quorum)?;
    assert_eq!(db.scan(None, None)?.count(), 3);
    Ok(())
}

#[test]
fn metrics() -> Outcome {
    let (_folder, path) = place();
    let db = Database::create(&path, LightningDbConfig::default())?;
    db.put_batch(&(0..1000u32).map(|i| (i.to_be_bytes(), [1; 100])).collect::<Vec<_>>())?;
    db.compact_lsm()?;
    for _ in 0..2 {
        assert_eq!(db.scan(None, None)?.count(), 1000);
    }
    let stats = db.stats()?;
    let text = format!("{} {} {:.2}", stats.total_keys, stats.total_size, stats.cache_hit_rate * 100.0);
    assert!(text.starts_with("1000 "), "{text}");
    assert!(stats.total_size > 1000 && stats.cache_hit_rate > 0.0 && stats.cache_hit_rate <= 1.0, "{text}");
    let metrics = db.get_metrics()?;
    assert!(metrics.write_ops_per_sec > 0.0 && metrics.read_ops_per_sec >= 0.0);
    assert!(metrics.avg_read_latency_us >= 0.0);
    Ok(())
}

#[test]
fn backup_and_restore() -> Outcome {
    let (folder, db) = fresh();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    db.put(b"kept", b"1")?;
    let backup_engine = BackupEngine::new(&db);
    backup_engine.create_backup(at("backups/first"))?;
    db.put(b"later", b"1")?;
    let backups = backup_engine.list_backups(at("backups"))?;
    let lines: Vec<_> = backups.iter().map(|backup| format!("{} {}", backup.id, backup.timestamp)).collect();
    assert!(lines.len() == 1 && lines[0].starts_with("first "), "{lines:?}");
    let restored = Database::restore(at("restored"), at("backups/first"))?;
    assert!(restored.get(b"kept")?.is_some() && restored.get(b"later")?.is_none());
    Ok(())
}

#[test]
fn memory_configuration() -> Outcome {
    let (folder, _) = place();
    let small = LightningDbConfig { cache_size: 50 * 1024 * 1024, page_size: 4096, ..Default::default() };
    works(Database::create(folder.path().join("small"), small)?)?;
    let large = LightningDbConfig {
        cache_size: 1024 * 1024 * 1024,
        page_size: 16384,
        mmap_size: Some(10 * 1024 * 1024 * 1024),
        ..Default::default()
    };
    works(Database::create(folder.path().join("large"), large)?)
}

#[test]
fn write_optimization() -> Outcome {
    let config = LightningDbConfig {
        lsm_config: LSMConfig {
            memtable_size: 64 * 1024 * 1024,
            level0_file_num_compaction_trigger: 8,
            max_background_compactions: 4,
            ..Default::default()
        },
        compression_enabled: false,
        ..Default::default()
    };
    let (_folder, path) = place();
    works(Database::create(path, config)?)
}

#[test]
fn read_optimization() -> Outcome {
    let available_memory = 512usize << 20;
    let config = LightningDbConfig {
        cache_size: (available_memory as f64 * 0.8) as usize,
        prefetch_enabled: true,
        prefetch_distance: 32,
        prefetch_workers: 4,
        compression_type: 2,
        ..Default::default()
    };
    let (_folder, path) = place();
    works(Database::create(path, config)?)
}

#[test]
fn troubleshooting() -> Outcome {
    let (_folder, path) = place();
    let db = Database::create(&path, LightningDbConfig::default())?;
    db.put_batch(&(0..1000u32).map(|i| (i.to_be_bytes(), [1; 100])).collect::<Vec<_>>())?;
    db.flush()?;
    db.put_batch(&(0..1000u32).map(|i| (i.to_be_bytes(), [2; 100])).collect::<Vec<_>>())?;
    db.compact_lsm()?;
    assert_eq!(db.stats()?.tables_per_level.iter().sum::<usize>(), 1, "one version, one table");
    assert_eq!(db.scan(None, None)?.count(), 1000);
    let used = db.stats()?.cache_bytes;
    db.clear_cache()?;
    assert!(db.stats()?.cache_bytes < used);
    assert_eq!(db.get(7u32.to_be_bytes())?.as_deref(), Some(&[2; 100][..]));
    if let Some(stats) = db.memory_stats() {
        assert!(stats.cache_bytes / 1024 > 0 && stats.index_bytes / 1024 / 1024 < 64);
    }
    db.close()?;
    assert!(db.memory_stats().is_none());
    let consistency_manager = ConsistencyManager::new();
    assert!(consistency_manager.check_and_repair(path.to_str().unwrap())?.is_ok());
    Ok(())
}
