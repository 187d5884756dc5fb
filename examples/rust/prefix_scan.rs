//! Keys in order: a prefix as a table, a second prefix as an index, and a snapshot that does not move.
//!
//! `cargo run -p lightning_db_examples --example prefix_scan [FOLDER]`

use lightning_db::{Database, LightningDbConfig, WriteBatch};
use lightning_db_examples::{Outcome, WorkFolder};

const BOOKS: [(&str, u16); 4] = [("Emma", 1815), ("Ulysses", 1922), ("Dracula", 1897), ("Beloved", 1987)];

fn main() -> Outcome {
    let folder = WorkFolder::from_args()?;
    let db = Database::create(folder.join("prefix_scan"), LightningDbConfig::default())?;

    // Record and index entry are in one batch, so that they never disagree.
    for (title, year) in BOOKS {
        let mut batch = WriteBatch::new();
        batch.put(format!("book/{title}"), year.to_string())?;
        batch.put(format!("year/{year:04}/{title}"), "")?;
        db.write(&batch)?;
    }

    println!("by title:");
    for entry in db.scan_prefix(b"book/")? {
        let (key, year) = entry?;
        println!("  {}, {}", String::from_utf8_lossy(&key[5..]), String::from_utf8_lossy(&year));
    }

    println!("of the 20th century, newest first:");
    let mut titles = Vec::new();
    for entry in db.scan_reverse(Some(b"year/1901".to_vec()), Some(b"year/2001".to_vec()))? {
        let (key, _) = entry?;
        titles.push(String::from_utf8_lossy(&key[10..]).into_owned());
    }
    println!("  {}", titles.join(", "));
    assert_eq!(titles, ["Beloved", "Ulysses"]);

    let snapshot = db.snapshot()?;
    db.delete("book/Emma")?;
    assert_eq!(snapshot.scan_prefix(b"book/")?.count(), 4);
    assert_eq!(db.scan_prefix(b"book/")?.count(), 3);
    drop(snapshot);

    db.close()?;
    Ok(())
}
