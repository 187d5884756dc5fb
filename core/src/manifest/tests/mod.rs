//! The catalogue on a disk in memory.

mod damage;
mod faults;
mod golden;
mod model;

use std::path::Path;

use crate::base::error::ErrorKind;
use crate::base::filename::{CURRENT, FileKind};
use crate::base::ids::{FileNumber, KeyspaceId};
use crate::btree::TableMeta;
use crate::manifest::edit::KeyspaceMeta;
use crate::manifest::{Edit, Loaded, Manifest, State, load};
use crate::sync::Arc;
use crate::vfs::{MemoryVfs, Vfs};

const ID: u64 = 0x1122_3344_5566_7788;

fn folder() -> &'static Path {
    Path::new("/db")
}

fn disk() -> MemoryVfs {
    let vfs = MemoryVfs::default();
    vfs.create_dir(folder()).unwrap();
    vfs.sync_dir(Path::new("/")).unwrap();
    vfs
}

fn shared(vfs: &MemoryVfs) -> Arc<dyn Vfs> {
    Arc::new(vfs.clone())
}

fn table(number: FileNumber, keyspace: u32, largest_sequence: u64) -> TableMeta {
    TableMeta {
        number,
        keyspace: KeyspaceId(keyspace),
        size: 5000,
        entries: 10,
        tombstones: 2,
        smallest_sequence: largest_sequence / 2,
        largest_sequence,
        smallest_key: b"a".to_vec(),
        largest_key: b"z".to_vec(),
        kept: Default::default(),
        committed_at: None,
    }
}

fn keyspace(id: u32, name: &str) -> KeyspaceMeta {
    KeyspaceMeta {
        id: KeyspaceId(id),
        name: name.to_owned(),
        comparator: "bytewise".to_owned(),
        page_size: 8192,
        codec: 2,
        level: 0,
    }
}

fn new_state() -> State {
    State { next_file: 2, ..State::new("bytewise", 4096, 2) }
}

/// An edit of every kind of field, for [`new_state`].
fn full_edit() -> Edit {
    Edit {
        next_file: Some(20),
        last_sequence: Some(300),
        next_keyspace: Some(3),
        logs_added: vec![5, 6],
        logs_ended: vec![(5, 1234)],
        tables_added: vec![
            (0, Arc::new(table(7, 0, 100))),
            (0, Arc::new(table(8, 0, 200))),
            (1, Arc::new(table(9, 1, 50))),
            (6, Arc::new(table(10, 1, 0))),
        ],
        keyspaces_added: vec![keyspace(1, "one"), keyspace(2, "")],
        ..Edit::default()
    }
}

/// Takes away part of what [`full_edit`] added.
fn second_edit() -> Edit {
    Edit {
        next_file: Some(21),
        logs_removed: vec![5],
        tables_added: vec![(1, Arc::new(table(20, 0, 200)))],
        tables_removed: vec![(KeyspaceId(0), 7), (KeyspaceId(0), 8)],
        keyspaces_dropped: vec![KeyspaceId(2)],
        clean_close: true,
        ..Edit::default()
    }
}

/// A folder with a manifest of three edits; the states behind each.
fn three_edits(vfs: &MemoryVfs) -> Vec<State> {
    let mut state = new_state();
    let mut states = vec![state.clone()];
    let mut manifest = Manifest::publish(&shared(vfs), folder(), ID, 1, &state).unwrap();
    for edit in [full_edit(), second_edit()] {
        manifest.append(&edit).unwrap();
        state.apply(&edit).unwrap();
        states.push(state.clone());
    }
    states
}

fn load_state(vfs: &MemoryVfs) -> Option<Loaded> {
    load(vfs, folder()).unwrap()
}

/// Loading fails with this kind, and the error names this file; returns the offset.
#[track_caller]
fn assert_load_fails(vfs: &MemoryVfs, kind: ErrorKind, file: &str) -> Option<u64> {
    let error = load(vfs, folder()).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.file(), Some(&*folder().join(file)), "{error}");
    assert!(error.to_string().contains(file), "{error}");
    error.offset()
}

fn manifest_name(number: FileNumber) -> String {
    FileKind::Manifest.name(number)
}
