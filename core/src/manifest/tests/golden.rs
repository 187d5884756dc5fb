//! The bytes of `CURRENT` and of a manifest are pinned.

use super::*;
use crate::btree::Kept;

const CURRENT_BYTES: &str = "4c4442435552524e799e1e8a0100000088776655443322110100000000000000";

/// Header, then three edits, a line for each field; a `Mark` chunk behind the second and the third.
const MANIFEST_BYTES: &str = concat!(
    "4c44424d414e494654fda39c0100000088776655443322110100000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "d7e4646020000000010000004000000000000000",
    "010102",
    "020100",
    "0b0101",
    "0815000764656661756c74086279746577697365802002",
    "2a8b171275000000010000007400000000000000",
    "010114",
    "0202ac02",
    "0b0103",
    "081101036f6e65086279746577697365804002",
    "080e0200086279746577697365804002",
    "060d00000788270a0232640161017a",
    "060e00000888270a0264c8010161017a",
    "060d01010988270a0219320161017a",
    "060d01060a88270a0200000161017a",
    "030105",
    "030106",
    "040305d209",
    "f99af5de0000000005000000fd00000000000000",
    "dbb38d182300000001000000fd00000000000000",
    "010115",
    "07020007",
    "07020008",
    "060e00011488270a0264c8010161017a",
    "090102",
    "050105",
    "0a00",
    "0f2cc05900000000050000004801000000000000",
);

fn hex(vfs: &MemoryVfs, name: &str) -> String {
    let bytes = vfs.read_file(folder().join(name)).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_bytes_are_pinned() {
    let vfs = disk();
    three_edits(&vfs);
    assert_eq!(hex(&vfs, CURRENT), CURRENT_BYTES);
    assert_eq!(hex(&vfs, &manifest_name(1)), MANIFEST_BYTES);
}

/// A keyspace with its compression level, which older versions do not know and refuse.
#[test]
fn the_bytes_of_a_compression_level_are_pinned() {
    let edit = Edit {
        next_keyspace: Some(2),
        keyspaces_added: vec![keyspace(1, "one")],
        keyspace_levels: vec![(KeyspaceId(1), 19)],
        ..Edit::default()
    };
    let bytes: String = edit.encode().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(bytes, concat!("0b0102", "081101036f6e65086279746577697365804002", "0c020113"));
    let mut state = new_state();
    state.apply(&edit).unwrap();
    assert_eq!(state.keyspaces[&KeyspaceId(1)].meta.level, 19);
    assert_eq!(State::from_edit(&Edit::decode(&state.to_edit().encode()).unwrap()).unwrap(), state);
    for (keyspace, level) in [(1, 0), (1, 23), (2, 1)] {
        let wrong = Edit { keyspace_levels: vec![(KeyspaceId(keyspace), level)], ..Edit::default() };
        assert!(state.apply(&wrong).is_err(), "{keyspace} {level}");
    }
}

/// A table that keeps nothing for snapshots has the field of old; any other has one of its own.
#[test]
fn a_table_with_kept_versions_has_its_own_field() {
    let kept = Kept { records: 3, bytes: 300, snapshots: 1 };
    let table = TableMeta { kept, ..table(7, 0, 10) };
    let edit = Edit { tables_added: vec![(2, Arc::new(table))], ..Edit::default() };
    let bytes: String = edit.encode().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(bytes, "0d1100020788270a02050a0161017a03ac0201");
    assert_eq!(Edit::decode(&edit.encode()), Ok(edit));
}

#[test]
fn the_bytes_of_an_ingested_table_are_pinned() {
    let ingested = TableMeta { smallest_sequence: 0, ..table(7, 0, 0) }.counted_as(300).unwrap();
    let edit = Edit { tables_added: vec![(1, Arc::new(ingested))], ..Edit::default() };
    let bytes: String = edit.encode().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(bytes, "060d00010788270a0200000161017a0e040007ac02");
    assert_eq!(Edit::decode(&edit.encode()), Ok(edit.clone()));
    let mut alone = edit.encode();
    alone.drain(..15);
    assert!(Edit::decode(&alone).is_err(), "without its table");
}
