//! Edits and states, without damage.

use proptest::prelude::*;

use super::*;
use crate::base::ids::MAX_SEQUENCE;
use crate::base::limits::LEVELS;
use crate::btree::Kept;
use crate::manifest::edit::Undecodable;

fn any_table() -> impl Strategy<Value = Arc<TableMeta>> {
    let key = || prop::collection::vec(any::<u8>(), 0..20);
    ((any::<u64>(), any::<u32>(), any::<[u64; 6]>()), key(), key()).prop_map(
        |(
            (number, keyspace, [size, entries, tombstones, smallest_sequence, largest_sequence, old]),
            a,
            b,
        )| {
            Arc::new(TableMeta {
                number,
                keyspace: KeyspaceId(keyspace),
                size,
                entries,
                tombstones,
                smallest_sequence,
                largest_sequence,
                smallest_key: a,
                largest_key: b,
                // Most tables keep nothing.
                kept: if old % 3 > 0 {
                    Kept::default()
                } else {
                    Kept { records: old, bytes: 7, snapshots: 2 }
                },
                committed_at: None,
            })
        },
    )
}

fn any_keyspace() -> impl Strategy<Value = KeyspaceMeta> {
    (any::<u32>(), ".*", "[a-z]*", any::<u32>(), any::<u8>()).prop_map(
        |(id, name, comparator, page_size, codec)| KeyspaceMeta {
            id: KeyspaceId(id),
            name,
            comparator,
            page_size,
            codec,
            level: 0,
        },
    )
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let list = 0usize..4;
    (
        (any::<Option<u64>>(), any::<Option<u64>>(), any::<Option<u32>>(), any::<bool>()),
        prop::collection::vec(any::<u64>(), list.clone()),
        prop::collection::vec(any::<(u64, u64)>(), list.clone()),
        prop::collection::vec(any::<u64>(), list.clone()),
        prop::collection::vec((any::<usize>(), any_table()), list.clone()),
        prop::collection::vec((any::<u32>().prop_map(KeyspaceId), any::<u64>()), list.clone()),
        prop::collection::vec(any_keyspace(), list.clone()),
        prop::collection::vec((any::<u32>().prop_map(KeyspaceId), any::<u8>()), list.clone()),
        prop::collection::vec(any::<u32>().prop_map(KeyspaceId), list),
    )
        .prop_map(
            |(
                (next_file, last_sequence, next_keyspace, clean_close),
                logs_added,
                logs_ended,
                logs_removed,
                tables_added,
                tables_removed,
                keyspaces_added,
                keyspace_levels,
                keyspaces_dropped,
            )| Edit {
                next_file,
                last_sequence,
                next_keyspace,
                logs_added,
                logs_ended,
                logs_removed,
                tables_added,
                tables_removed,
                keyspaces_added,
                keyspace_levels,
                keyspaces_dropped,
                clean_close,
            },
        )
}

/// A random change of a database; some of these do not fit the state.
fn any_change() -> impl Strategy<Value = (u8, u64, u64)> {
    (0u8..9, 0u64..12, 0u64..1000)
}

fn edit_of(state: &State, (what, a, b): (u8, u64, u64)) -> Edit {
    let number = state.next_file;
    let next_file = Some(number + 1);
    let space = KeyspaceId((a % 3) as u32);
    let tables: Vec<_> = state.tables().map(|(_, table)| Arc::clone(table)).collect();
    let some_table = tables.get(b as usize % tables.len().max(1));
    match what {
        0..=2 => Edit {
            next_file,
            tables_added: vec![((b % 9) as usize, Arc::new(table(number, space.0, b)))],
            ..Edit::default()
        },
        3 => Edit { next_file, logs_added: vec![number], ..Edit::default() },
        4 => Edit {
            logs_removed: state.logs.keys().take(1).copied().collect(),
            logs_ended: state.logs.keys().skip(1).take(1).map(|&log| (log, 40 + b)).collect(),
            ..Edit::default()
        },
        5 => Edit {
            next_keyspace: Some(state.next_keyspace + 1),
            keyspaces_added: vec![keyspace(state.next_keyspace, &format!("k{a}"))],
            // Some do not fit: level 0, or a keyspace that is absent.
            keyspace_levels: vec![(KeyspaceId(state.next_keyspace - (a % 4 / 3) as u32), (b % 20) as u8)],
            ..Edit::default()
        },
        6 => Edit { keyspaces_dropped: vec![space], clean_close: a % 2 == 0, ..Edit::default() },
        7 => Edit {
            // A move to another level.
            tables_removed: some_table.iter().map(|table| (table.keyspace, table.number)).collect(),
            tables_added: some_table.iter().map(|table| ((a % 8) as usize, Arc::clone(table))).collect(),
            ..Edit::default()
        },
        _ => Edit { last_sequence: Some(state.last_sequence + b / 2), clean_close: true, ..Edit::default() },
    }
}

proptest! {
    #[test]
    fn edits_come_back(edit in any_edit()) {
        prop_assert_eq!(Edit::decode(&edit.encode()), Ok(edit));
    }

    #[test]
    fn hostile_edits_never_panic(bytes: Vec<u8>) {
        if let Ok(edit) = Edit::decode(&bytes) {
            drop(new_state().apply(&edit));
            drop(State::from_edit(&edit));
        }
    }

    #[test]
    fn a_cut_edit_never_panics(edit in any_edit(), cut in any::<prop::sample::Index>()) {
        let bytes = edit.encode();
        drop(Edit::decode(&bytes[..cut.index(bytes.len() + 1)]));
        drop(new_state().apply(&edit));
    }

    #[test]
    fn state_to_edit_to_state_is_the_identity(changes in prop::collection::vec(any_change(), 0..60)) {
        let mut state = new_state();
        for change in changes {
            let before = state.clone();
            if state.apply(&edit_of(&before, change)).is_err() {
                prop_assert_eq!(&state, &before);
            }
            let edit = Edit::decode(&state.to_edit().encode()).unwrap();
            prop_assert_eq!(State::from_edit(&edit), Ok(state.clone()));
        }
        for keyspace in state.keyspaces.values() {
            prop_assert_eq!(keyspace.levels.len(), LEVELS);
            let age = |table: &TableMeta| (table.largest_sequence, table.number);
            prop_assert!(keyspace.levels[0].is_sorted_by(|a, b| age(a) > age(b)));
        }
    }
}

#[test]
fn an_unknown_tag_is_told_from_damage() {
    assert_eq!(Edit::decode(&[99, 0]), Err(Undecodable::UnknownTag(99)));
    assert_eq!(Edit::decode(&[99, 1]), Err(Undecodable::Damaged("a whole field")));
    assert_eq!(Edit::decode(&[0x80]), Err(Undecodable::Damaged("the tag of a field")));
    // A field with a byte too many, a counter twice, a keyspace id over 32 bits.
    for bytes in [&[10, 1, 0][..], &[1, 1, 5, 1, 1, 5], &[9, 5, 0xff, 0xff, 0xff, 0xff, 0x1f], &[1, 0]] {
        assert!(matches!(Edit::decode(bytes), Err(Undecodable::Damaged(_))), "{bytes:?}");
    }
    assert_eq!(Edit::decode(&[]), Ok(Edit::default()));
}

#[test]
fn an_edit_changes_what_it_says() {
    let mut state = new_state();
    assert!(!state.clean);
    state.apply(&full_edit()).unwrap();
    assert_eq!((state.next_file, state.last_sequence, state.next_keyspace), (20, 300, 3));
    assert_eq!(state.logs, [(5, Some(1234)), (6, None)].into());
    let numbers = |state: &State, space: u32, level: usize| {
        let tables = &state.keyspaces[&KeyspaceId(space)].levels[level];
        tables.iter().map(|table| table.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&state, 0, 0), [8, 7], "newest first");
    assert_eq!(numbers(&state, 1, 1), [9]);
    state.apply(&second_edit()).unwrap();
    assert!(state.clean);
    assert_eq!(numbers(&state, 0, 0), []);
    assert_eq!(numbers(&state, 0, 1), [20]);
    assert_eq!(state.logs, [(6, None)].into());
    assert_eq!(state.keyspaces.keys().map(|id| id.0).collect::<Vec<_>>(), [0, 1]);
    state.apply(&Edit::default()).unwrap();
    assert!(!state.clean, "only the very last edit makes it clean");
}

#[test]
fn a_table_newer_than_the_last_sequence_raises_it() {
    let mut state = new_state();
    let tables_added = vec![(0, Arc::new(table(2, 0, 77)))];
    state.apply(&Edit { next_file: Some(3), tables_added, ..Edit::default() }).unwrap();
    assert_eq!(state.last_sequence, 77);
}

#[test]
fn an_edit_that_does_not_fit_changes_nothing() {
    let mut state = new_state();
    state.apply(&full_edit()).unwrap();
    let add = |level: usize, table: TableMeta| vec![(level, Arc::new(table))];
    let empty = Edit::default;
    let wrong = [
        Edit { next_file: Some(19), ..empty() },
        Edit { last_sequence: Some(299), ..empty() },
        Edit { last_sequence: Some(MAX_SEQUENCE + 1), ..empty() },
        Edit { next_keyspace: Some(2), ..empty() },
        Edit { logs_added: vec![20], ..empty() },
        Edit { logs_added: vec![0], ..empty() },
        Edit { logs_added: vec![6], ..empty() },
        Edit { logs_ended: vec![(4, 100)], ..empty() },
        Edit { logs_ended: vec![(6, 63)], ..empty() },
        Edit { logs_ended: vec![(5, 1235)], ..empty() },
        Edit { logs_removed: vec![4], ..empty() },
        Edit { logs_removed: vec![5, 5], ..empty() },
        Edit { tables_added: add(0, table(20, 0, 1)), ..empty() },
        Edit { tables_added: add(0, table(0, 0, 1)), ..empty() },
        Edit { tables_added: add(0, table(7, 1, 1)), ..empty() },
        Edit { tables_added: add(LEVELS, table(11, 0, 1)), ..empty() },
        Edit { tables_added: add(0, table(11, 9, 1)), ..empty() },
        Edit { tables_added: [add(0, table(11, 0, 1)), add(1, table(11, 1, 1))].concat(), ..empty() },
        Edit { tables_added: add(0, TableMeta { tombstones: 11, ..table(11, 0, 1) }), ..empty() },
        Edit {
            tables_added: add(
                0,
                TableMeta { kept: Kept { records: 11, bytes: 1, snapshots: 1 }, ..table(11, 0, 1) },
            ),
            ..empty()
        },
        Edit { tables_added: add(0, TableMeta { smallest_sequence: 2, ..table(11, 0, 1) }), ..empty() },
        Edit { tables_added: add(0, table(11, 0, MAX_SEQUENCE + 1)), ..empty() },
        Edit {
            tables_added: add(0, TableMeta { smallest_key: vec![0; 65_536], ..table(11, 0, 1) }),
            ..empty()
        },
        Edit { tables_removed: vec![(KeyspaceId(1), 7)], ..empty() },
        Edit { tables_removed: vec![(KeyspaceId(9), 7)], ..empty() },
        Edit { tables_removed: vec![(KeyspaceId(0), 7), (KeyspaceId(0), 7)], ..empty() },
        Edit { keyspaces_added: vec![keyspace(3, "new")], ..empty() },
        Edit { keyspaces_added: vec![keyspace(1, "again")], ..empty() },
        Edit { keyspaces_added: vec![keyspace(3, "one")], next_keyspace: Some(4), ..empty() },
        Edit {
            keyspaces_added: vec![KeyspaceMeta { page_size: 4097, ..keyspace(3, "new") }],
            next_keyspace: Some(4),
            ..empty()
        },
        Edit { keyspaces_dropped: vec![KeyspaceId(0)], ..empty() },
        Edit { keyspaces_dropped: vec![KeyspaceId(3)], ..empty() },
    ];
    for mut edit in wrong {
        // Something that fits and comes first must be undone.
        edit.next_file = edit.next_file.or(Some(20));
        edit.clean_close = true;
        edit.logs_removed.push(6);
        let before = state.clone();
        assert!(state.apply(&edit).is_err(), "{edit:?}");
        assert_eq!(state, before);
    }
}

#[test]
fn a_state_without_the_default_keyspace_is_none() {
    assert!(State::from_edit(&Edit::default()).is_err());
    let other =
        Edit { next_keyspace: Some(1), keyspaces_added: vec![keyspace(0, "other")], ..Edit::default() };
    assert!(State::from_edit(&other).is_err());
}
