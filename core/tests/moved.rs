//! A folder that is moved or removed under an open database, while another database is made in its place.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{entries, small_config};
use lightning_db::{ConsistencyLevel, Database, ErrorKind};

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

#[test]
fn a_database_in_the_place_of_another_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let [here, away, second] = ["db", "away", "second"].map(|name| parent.path().join(name));
    let other = Database::create(&second, small_config()).unwrap();
    other.put("of", "the second").unwrap();
    other.close().unwrap();

    let db = Database::create(&here, small_config()).unwrap();
    for number in 0..100u32 {
        db.put_with_consistency(number.to_be_bytes(), "of the first", ConsistencyLevel::Eventual).unwrap();
    }
    fs::rename(&here, &away).unwrap();
    fs::rename(&second, &here).unwrap();
    let before = files(&here);
    let error = db.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("another one is in its place"), "{error}");
    assert!(db.compact_lsm().is_err() && db.ingest([("a", "b")]).is_err());
    db.put_with_consistency("last", "of the first", ConsistencyLevel::Strong).unwrap();
    assert_eq!(entries(&db).len(), 101);
    let _ = db.close();
    assert_eq!(files(&here), before, "made, changed or removed");

    let second = Database::open(&here, small_config()).unwrap();
    assert_eq!(second.get("of").unwrap().unwrap(), b"the second");
    let first = Database::open(&away, small_config()).unwrap();
    assert_eq!(entries(&first).len(), 101);
}
