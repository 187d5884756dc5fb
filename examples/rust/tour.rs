//! The tour in Rust: loads a database, or asks one every question and prints `question<TAB>answer` lines.
//! `tour.py`, `tour.mjs` and `tour.c` in the folders beside this one do the same, step by step.

use std::path::Path;

use lightning_db::{BackupEngine, ConsistencyLevel, Database, LightningDbConfig, Result, ScanOptions};
use lightning_db_examples::Outcome;

const BATCH: usize = 1000;
/// Every so manieth key is read by its own.
const STEP: usize = 101;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["load", database, input] => load(database.as_ref(), input.as_ref()),
        ["tour", database, work, locked] => tour(database.as_ref(), work.as_ref(), locked.as_ref()),
        _ => Err("usage: tour load DATABASE INPUT | tour tour DATABASE WORK LOCKED".into()),
    }
}

fn load(database: &Path, input: &Path) -> Outcome {
    let text = std::fs::read_to_string(input)?;
    let db = Database::create(database, LightningDbConfig::default())?;
    let entries: Vec<_> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    for entries in entries.chunks(BATCH) {
        db.put_batch(entries)?;
    }
    Ok(db.close()?)
}

fn say(question: &str, answer: impl std::fmt::Display) {
    println!("{question}\t{answer}");
}

fn tour(database: &Path, work: &Path, locked: &Path) -> Outcome {
    let db = Database::open(database, LightningDbConfig::default())?;
    gets(&db)?;
    scans(&db)?;
    snapshot(&db)?;
    transactions(&db)?;
    levels(&db)?;
    backup(&db, work)?;
    errors(db, work, locked)
}

/// CRC-32 over all parts, one behind the other.
#[derive(Default)]
struct Digest(crc32fast::Hasher);

impl Digest {
    fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn text(self) -> String {
        format!("{:08x}", self.0.finalize())
    }
}

fn gets(db: &Database) -> Outcome {
    let keys: Vec<_> = db.scan_prefix("city/")?.map(|entry| Ok(entry?.0)).collect::<Result<_>>()?;
    say("keys", keys.len());
    let sample: Vec<_> = keys.iter().step_by(STEP).collect();
    let mut digest = Digest::default();
    for key in &sample {
        digest.add(&db.get(key)?.ok_or("a key without a value")?);
    }
    say("gets", format!("{} {}", sample.len(), digest.text()));
    let mut digest = Digest::default();
    for value in db.get_batch(&sample)? {
        digest.add(&value.ok_or("a key without a value")?);
    }
    say("get many", digest.text());
    say("absent key", db.get("city/nowhere")?.map_or("none", |_| "a value"));
    Ok(())
}

/// Number and digest of the entries of a scan.
fn summary(db: &Database, options: ScanOptions) -> Result<String> {
    let (mut count, mut digest) = (0, Digest::default());
    let mut scan = db.scan_with(options)?;
    while let Some((key, value)) = scan.next_entry()? {
        count += 1;
        digest.add(key);
        digest.add(value);
    }
    Ok(format!("{count} {}", digest.text()))
}

fn scans(db: &Database) -> Outcome {
    say("scan all cities", summary(db, ScanOptions::prefix("city/"))?);
    say("scan one country", summary(db, ScanOptions::prefix("city/JP/"))?);
    say("scan backwards", summary(db, ScanOptions::prefix("city/").reverse())?);
    say("scan a range", summary(db, ScanOptions::range("city/DE/"..="city/FR/Paris/0000"))?);
    let last =
        db.scan_with(ScanOptions::prefix("city/").reverse().limit(1))?.next().ok_or("no last key")??;
    say("last key", String::from_utf8(last.0)?);
    Ok(())
}

fn snapshot(db: &Database) -> Outcome {
    db.put("tour/moving", "old")?;
    let snapshot = db.snapshot()?;
    db.put("tour/moving", "new")?;
    let then = snapshot.get("tour/moving")?.ok_or("lost")?;
    let now = db.get("tour/moving")?.ok_or("lost")?;
    say("snapshot, then now", format!("{} {}", then.escape_ascii(), now.escape_ascii()));
    Ok(())
}

fn transactions(db: &Database) -> Outcome {
    let number = |value: Option<lightning_db::Value>| -> u64 {
        value.and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok()).unwrap_or(0)
    };
    let before = number(db.get("tour/counter")?);
    let inside = db.transact(|tx| {
        let count = number(tx.get("tour/counter")?) + 1;
        tx.put("tour/counter", count.to_string())?;
        Ok(number(tx.get("tour/counter")?))
    })?;
    let after = number(db.get("tour/counter")?);
    say("transaction adds", format!("{} {}", inside - before, after - before));

    let tx = db.transaction()?;
    tx.get("tour/counter")?;
    tx.put("tour/counter", "lost")?;
    db.put("tour/counter", after.to_string())?;
    say("lost race", outcome(tx.commit()));

    let tx = db.transaction()?;
    tx.put("tour/counter", "taken back")?;
    tx.abort();
    say("aborted", number(db.get("tour/counter")?) - after);
    Ok(())
}

fn levels(db: &Database) -> Outcome {
    let all =
        [(ConsistencyLevel::Strong, "s"), (ConsistencyLevel::Quorum, "q"), (ConsistencyLevel::Eventual, "e")];
    let mut text = String::new();
    for (level, letter) in all {
        db.put_with_consistency("tour/level", letter, level)?;
        text += &db.get("tour/level")?.ok_or("lost")?.escape_ascii().to_string();
    }
    db.delete_batch(&["tour/level", "tour/moving"])?;
    say("levels", text);
    say("deleted", db.get("tour/level")?.map_or("none", |_| "a value"));
    Ok(())
}

fn backup(db: &Database, work: &Path) -> Outcome {
    BackupEngine::new(db).create_backup(work.join("backup"))?;
    let restored = Database::restore(work.join("restored"), work.join("backup"))?;
    say("backup, restored", summary(&restored, ScanOptions::prefix("city/"))?);
    restored.close()?;
    Ok(())
}

/// Number and name of an error.
fn outcome<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(error) => format!("{} {}", error.code(), error.kind().name()),
    }
}

fn errors(db: Database, work: &Path, locked: &Path) -> Outcome {
    let config = LightningDbConfig::default;
    say("error: open elsewhere", outcome(Database::create(locked, config())));
    say("error: no such database", outcome(Database::open(work.join("nothing"), config())));
    say("error: restore over files", outcome(Database::restore(work.join("backup"), work.join("backup"))));
    say("error: key too long", outcome(db.put(vec![0; 65_536], "")));
    say("error: not a database", outcome(Database::create(work.join("backup").join("CURRENT"), config())));
    db.close()?;
    say("error: closed", outcome(db.get("a")));
    Ok(())
}
