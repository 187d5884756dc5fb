//! The first steps: put, get, delete, a batch and a scan.
//!
//! `cargo run -p lightning_db_examples --example quickstart [FOLDER]`

use lightning_db::{Database, LightningDbConfig, WriteBatch};
use lightning_db_examples::{Outcome, WorkFolder};

fn main() -> Outcome {
    let folder = WorkFolder::from_args()?;
    let db = Database::create(folder.join("quickstart"), LightningDbConfig::default())?;

    db.put(b"hello", b"world")?;
    let value = db.get(b"hello")?;
    assert_eq!(value.as_deref(), Some(&b"world"[..]));

    db.delete(b"hello")?;
    assert!(db.get(b"hello")?.is_none());

    // A batch is applied whole or not at all.
    let mut batch = WriteBatch::new();
    for (user, name) in [("user:1", "Alice"), ("user:2", "Bob"), ("user:3", "Charlie")] {
        batch.put(user, name)?;
    }
    db.write(&batch)?;

    // The start belongs to the range, the end does not.
    for entry in db.scan(Some(b"user:1".to_vec()), Some(b"user:3".to_vec()))? {
        let (key, value) = entry?;
        println!("{} = {}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&value));
    }

    db.close()?;
    Ok(())
}
