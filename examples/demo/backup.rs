//! A backup while another thread writes, and its restore.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lightning_db::{BackupEngine, ConsistencyLevel, Database, Result, WriteBatch};
use lightning_db_examples::{Outcome, thousands};

use crate::{Demo, check};

const PAIR: &str = "pair/";
/// Pairs that are written before the backup starts.
const PAIRS_BEFORE: u64 = 200;
/// How long the writer goes on after the backup.
const AFTER: Duration = Duration::from_millis(20);

/// Where the backup is.
pub fn folder(demo: &Demo) -> PathBuf {
    demo.folder.join("backups").join("1")
}

/// How far the writer has got.
#[derive(Default)]
struct Progress {
    sent: AtomicU64,
    acknowledged: AtomicU64,
    stop: AtomicBool,
}

/// The two halves of a pair are far apart in the order of keys.
fn pair(number: u64) -> [(String, String); 2] {
    ["left", "right"].map(|side| (format!("{PAIR}{side}/{number:010}"), format!("{side} {number}")))
}

/// Writes numbered pairs, each in one batch, until told to stop.
fn write_pairs(db: &Database, progress: &Progress) -> Result<()> {
    let mut number = 0;
    while !progress.stop.load(Ordering::Relaxed) {
        number += 1;
        progress.sent.store(number, Ordering::SeqCst);
        let mut batch = WriteBatch::new();
        for (key, value) in pair(number) {
            batch.put(key, value)?;
        }
        db.write_with(&batch, ConsistencyLevel::Quorum)?;
        progress.acknowledged.store(number, Ordering::SeqCst);
    }
    Ok(())
}

/// The pairs between which the backup must end: acknowledged at its start, sent at its end.
pub struct Window {
    acknowledged: u64,
    sent: u64,
}

/// Makes a backup while pairs are written.
pub fn backup_under_writes(demo: &mut Demo) -> Outcome<Window> {
    std::fs::create_dir_all(demo.folder.join("backups"))?;
    let (db, target) = (&demo.db, folder(demo));
    let progress = Progress::default();
    let (window, time) = thread::scope(|scope| {
        let writer = scope.spawn(|| write_pairs(db, &progress));
        while progress.acknowledged.load(Ordering::SeqCst) < PAIRS_BEFORE && !writer.is_finished() {
            thread::yield_now();
        }
        let acknowledged = progress.acknowledged.load(Ordering::SeqCst);
        let start = Instant::now();
        let made = BackupEngine::new(db).create_backup(&target);
        let time = start.elapsed();
        let sent = progress.sent.load(Ordering::SeqCst);
        thread::sleep(AFTER);
        progress.stop.store(true, Ordering::Relaxed);
        writer.join().map_err(|_| "the writing thread panicked")??;
        made?;
        Outcome::Ok((Window { acknowledged, sent }, time))
    })?;

    let backups = BackupEngine::new(db).list_backups(demo.folder.join("backups"))?;
    check::equal("listed backups", backups.len(), 1)?;
    let meanwhile = thousands((window.sent - window.acknowledged) as usize);
    let checked = format!("listed; another thread wrote {meanwhile} pairs meanwhile");
    demo.report.row("backup under writes", demo.model.len(), time, &checked);
    for number in 1..=progress.sent.into_inner() {
        demo.model.extend(pair(number).map(|(key, value)| (key.into_bytes(), value.into_bytes())));
    }
    Ok(window)
}

/// Restores the backup and compares it record by record with the state at some moment of the backup.
pub fn restore_and_compare(demo: &mut Demo, window: &Window) -> Outcome {
    let start = Instant::now();
    let restored = Database::restore(demo.folder.join("restored"), folder(demo))?;
    let time = start.elapsed();

    let [left, right] = ["left", "right"].map(|side| format!("{PAIR}{side}/"));
    let left =
        check::numbered("left halves", restored.scan_prefix(left.as_bytes())?, |n| pair(n)[0].clone())?;
    let right =
        check::numbered("right halves", restored.scan_prefix(right.as_bytes())?, |n| pair(n)[1].clone())?;
    check::equal("pairs in the backup: left and right halves", left, right)?;
    check::holds("pairs acknowledged before the backup are in it", window.acknowledged <= left)?;
    check::holds("pairs sent after the backup are not in it", left <= window.sent)?;

    let expected = demo.model.iter().filter(|(key, _)| pair_number(key).is_none_or(|number| number <= left));
    let records = check::same_records("restored database", restored.scan(None, None)?, expected)?;
    restored.close()?;
    let checked = format!(
        "every record equal; of each pair written meanwhile both or none: {}",
        thousands(left as usize)
    );
    demo.report.row("restore and compare", records, time, &checked);
    Ok(())
}

/// The number of the pair that a key belongs to.
fn pair_number(key: &[u8]) -> Option<u64> {
    let key = std::str::from_utf8(key).ok()?.strip_prefix(PAIR)?;
    key.rsplit('/').next()?.parse().ok()
}
