//! A backup of a database in use, and its restore into a new folder.
//!
//! `cargo run -p lightning_db_examples --example backup [FOLDER]`

use lightning_db::{BackupEngine, Database, LightningDbConfig};
use lightning_db_examples::{Outcome, WorkFolder};

fn main() -> Outcome {
    let folder = WorkFolder::from_args()?;
    let db = Database::create(folder.join("original"), LightningDbConfig::default())?;
    db.put(b"color", b"green")?;

    let backups = folder.join("backups");
    std::fs::create_dir_all(&backups)?;
    let engine = BackupEngine::new(&db);
    engine.create_backup(backups.join("monday"))?;

    // What is written later is not in the backup.
    db.put(b"color", b"blue")?;

    for backup in engine.list_backups(&backups)? {
        println!("backup {} at {}", backup.id, backup.timestamp);
    }

    let restored = Database::restore(folder.join("restored"), backups.join("monday"))?;
    assert_eq!(restored.get(b"color")?.as_deref(), Some(&b"green"[..]));
    assert_eq!(db.get(b"color")?.as_deref(), Some(&b"blue"[..]));

    restored.close()?;
    db.close()?;
    Ok(())
}
