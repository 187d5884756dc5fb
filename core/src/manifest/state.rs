//! The catalogue at one instant: the sum of all edits.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::header::FILE_HEADER_LEN;
use crate::base::ids::{FileNumber, KeyspaceId, MAX_FILE_NUMBER, MAX_SEQUENCE, SequenceNumber};
use crate::base::limits::{LEVELS, MAX_KEY_LEN};
use crate::btree::TableMeta;
use crate::manifest::edit::{Edit, KeyspaceMeta};
use crate::sync::Arc;

/// The hardest that any codec tries.
const MAX_COMPRESSION_LEVEL: u8 = 22;

/// A keyspace and its tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyspaceState {
    /// What it is.
    pub meta: KeyspaceMeta,
    /// Its tables by level. Level 0: newest first; the others in the order in which they were added, to be
    /// sorted by who knows the comparator.
    pub levels: Vec<Vec<Arc<TableMeta>>>,
}

/// Which files are the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// All file numbers in use are below this.
    pub next_file: FileNumber,
    /// The last sequence number is at least this.
    pub last_sequence: SequenceNumber,
    /// The logs, with the recorded end of those that grow no more.
    pub logs: BTreeMap<FileNumber, Option<u64>>,
    /// The keyspaces.
    pub keyspaces: BTreeMap<KeyspaceId, KeyspaceState>,
    /// All keyspace ids ever given are below this.
    pub next_keyspace: u32,
    /// Whether the last edit was a clean close.
    pub clean: bool,
}

impl State {
    /// A new database: the default keyspace and nothing in it.
    pub fn new(comparator: &str, page_size: u32, codec: u8) -> State {
        let meta = KeyspaceMeta {
            id: KeyspaceId::DEFAULT,
            name: KeyspaceId::DEFAULT_NAME.to_owned(),
            comparator: comparator.to_owned(),
            page_size,
            codec,
            level: 0,
        };
        let mut state = State::empty();
        state.keyspaces.insert(meta.id, KeyspaceState::new(meta));
        state.next_keyspace = 1;
        state
    }

    /// The state that the first edit of a manifest holds whole. `Err` says what is wrong with it.
    pub fn from_edit(edit: &Edit) -> Result<State, String> {
        let state = State::empty().applied(edit)?;
        match state.keyspaces.get(&KeyspaceId::DEFAULT) {
            Some(keyspace) if keyspace.meta.name == KeyspaceId::DEFAULT_NAME => Ok(state),
            _ => Err("the first edit has no keyspace 0 named `default`".to_owned()),
        }
    }

    /// The one edit that makes this state out of nothing.
    pub fn to_edit(&self) -> Edit {
        let keyspaces = self.keyspaces.values();
        Edit {
            next_file: Some(self.next_file),
            last_sequence: Some(self.last_sequence),
            next_keyspace: Some(self.next_keyspace),
            logs_added: self.logs.keys().copied().collect(),
            logs_ended: self.logs.iter().filter_map(|(&number, end)| Some((number, (*end)?))).collect(),
            tables_added: keyspaces
                .clone()
                .flat_map(|keyspace| keyspace.levels.iter().enumerate())
                .flat_map(|(level, tables)| tables.iter().map(move |table| (level, Arc::clone(table))))
                .collect(),
            keyspaces_added: keyspaces.clone().map(|keyspace| keyspace.meta.clone()).collect(),
            keyspace_levels: keyspaces
                .map(|keyspace| (keyspace.meta.id, keyspace.meta.level))
                .filter(|(_, level)| *level != 0)
                .collect(),
            clean_close: self.clean,
            ..Edit::default()
        }
    }

    /// Applies an edit. `Err` says why it does not fit; the state is unchanged then.
    pub fn apply(&mut self, edit: &Edit) -> Result<(), String> {
        *self = self.clone().applied(edit)?;
        Ok(())
    }

    /// The state behind an edit. `Err` says why it does not fit.
    pub fn applied(mut self, edit: &Edit) -> Result<State, String> {
        self.raise_counters(edit)?;
        for meta in &edit.keyspaces_added {
            self.add_keyspace(meta)?;
        }
        self.set_levels(edit)?;
        self.remove_tables(edit)?;
        self.add_tables(edit)?;
        for id in &edit.keyspaces_dropped {
            self.drop_keyspace(*id)?;
        }
        self.change_logs(edit)?;
        self.clean = edit.clean_close;
        Ok(self)
    }

    /// Every table, with its level.
    pub fn tables(&self) -> impl Iterator<Item = (usize, &Arc<TableMeta>)> {
        self.keyspaces
            .values()
            .flat_map(|keyspace| keyspace.levels.iter().enumerate())
            .flat_map(|(level, tables)| tables.iter().map(move |table| (level, table)))
    }

    fn empty() -> State {
        State {
            next_file: 1,
            last_sequence: 0,
            logs: BTreeMap::new(),
            keyspaces: BTreeMap::new(),
            next_keyspace: 0,
            clean: false,
        }
    }

    fn raise_counters(&mut self, edit: &Edit) -> Result<(), String> {
        raise("next file number", &mut self.next_file, edit.next_file)?;
        raise("last sequence number", &mut self.last_sequence, edit.last_sequence)?;
        raise("next keyspace id", &mut self.next_keyspace, edit.next_keyspace)?;
        if self.next_file > MAX_FILE_NUMBER {
            return Err(format!("next file number {} is over the limit", self.next_file));
        }
        if self.last_sequence > MAX_SEQUENCE {
            return Err(format!("last sequence number {} is over the limit", self.last_sequence));
        }
        Ok(())
    }

    fn add_keyspace(&mut self, meta: &KeyspaceMeta) -> Result<(), String> {
        let id = meta.id.0;
        if id >= self.next_keyspace {
            return Err(format!("keyspace {id} is not below the next id {}", self.next_keyspace));
        }
        if !(512..=65_536).contains(&meta.page_size) || !meta.page_size.is_power_of_two() {
            return Err(format!("keyspace {id} has pages of {} bytes", meta.page_size));
        }
        if self.keyspaces.values().any(|keyspace| keyspace.meta.name == meta.name) {
            return Err(format!("keyspace {id} has the name of another, `{}`", meta.name));
        }
        // The level comes with a field of its own.
        let meta = KeyspaceMeta { level: 0, ..meta.clone() };
        match self.keyspaces.insert(meta.id, KeyspaceState::new(meta)) {
            None => Ok(()),
            Some(_) => Err(format!("keyspace {id} is added twice")),
        }
    }

    fn set_levels(&mut self, edit: &Edit) -> Result<(), String> {
        for (id, level) in &edit.keyspace_levels {
            let space = self.keyspaces.get_mut(id).ok_or_else(|| format!("keyspace {} is absent", id.0))?;
            if !(1..=MAX_COMPRESSION_LEVEL).contains(level) {
                return Err(format!("keyspace {} is compressed at level {level}", id.0));
            }
            space.meta.level = *level;
        }
        Ok(())
    }

    fn drop_keyspace(&mut self, id: KeyspaceId) -> Result<(), String> {
        if id == KeyspaceId::DEFAULT {
            return Err("keyspace 0 is dropped".to_owned());
        }
        match self.keyspaces.remove(&id) {
            Some(_) => Ok(()),
            None => Err(format!("keyspace {} is dropped but absent", id.0)),
        }
    }

    fn remove_tables(&mut self, edit: &Edit) -> Result<(), String> {
        for (id, number) in &edit.tables_removed {
            self.keyspaces
                .get_mut(id)
                .and_then(|keyspace| keyspace.remove(*number))
                .ok_or_else(|| format!("table {number} of keyspace {} is removed but absent", id.0))?;
        }
        Ok(())
    }

    fn add_tables(&mut self, edit: &Edit) -> Result<(), String> {
        if edit.tables_added.is_empty() {
            return Ok(());
        }
        let added: BTreeSet<FileNumber> = edit.tables_added.iter().map(|(_, table)| table.number).collect();
        if let Some((_, table)) = self.tables().find(|(_, table)| added.contains(&table.number)) {
            return Err(format!("table {} is added but present", table.number));
        }
        if added.len() < edit.tables_added.len() {
            return Err("a table is added twice".to_owned());
        }
        for (level, table) in &edit.tables_added {
            self.check_number("table", table.number)?;
            check_table(table)?;
            self.keyspaces
                .get_mut(&table.keyspace)
                .ok_or_else(|| format!("table {} is of keyspace {}, absent", table.number, table.keyspace.0))?
                .add(*level, table)?;
            self.last_sequence = self.last_sequence.max(table.largest_sequence);
        }
        Ok(())
    }

    fn change_logs(&mut self, edit: &Edit) -> Result<(), String> {
        for &number in &edit.logs_added {
            self.check_number("log", number)?;
            if self.logs.insert(number, None).is_some() {
                return Err(format!("log {number} is added twice"));
            }
        }
        for &(number, len) in &edit.logs_ended {
            let end = self.logs.get_mut(&number).ok_or_else(|| format!("log {number} ends but is absent"))?;
            if len < FILE_HEADER_LEN as u64 || end.is_some_and(|before| before != len) {
                return Err(format!("log {number} ends at {len}, before that at {end:?}"));
            }
            *end = Some(len);
        }
        for number in &edit.logs_removed {
            self.logs.remove(number).ok_or_else(|| format!("log {number} is removed but absent"))?;
        }
        Ok(())
    }

    fn check_number(&self, what: &str, number: FileNumber) -> Result<(), String> {
        if number == 0 || number >= self.next_file {
            return Err(format!("{what} {number} is not below the next file number {}", self.next_file));
        }
        Ok(())
    }
}

impl KeyspaceState {
    fn new(meta: KeyspaceMeta) -> Self {
        KeyspaceState { meta, levels: vec![Vec::new(); LEVELS] }
    }

    fn remove(&mut self, number: FileNumber) -> Option<Arc<TableMeta>> {
        self.levels.iter_mut().find_map(|tables| {
            let at = tables.iter().position(|table| table.number == number)?;
            Some(tables.remove(at))
        })
    }

    fn add(&mut self, level: usize, table: &Arc<TableMeta>) -> Result<(), String> {
        let number = table.number;
        let tables =
            self.levels.get_mut(level).ok_or_else(|| format!("table {number} is of level {level}"))?;
        let age = |table: &TableMeta| (table.largest_sequence, table.number);
        let at = match level {
            0 => tables.partition_point(|other| age(other) > age(table)),
            _ => tables.len(),
        };
        tables.insert(at, Arc::clone(table));
        Ok(())
    }
}

/// Raises a counter, which never falls.
fn raise<T: Copy + Ord + std::fmt::Display>(
    what: &str,
    counter: &mut T,
    to: Option<T>,
) -> Result<(), String> {
    match to {
        Some(to) if to < *counter => Err(format!("the {what} falls from {counter} to {to}")),
        Some(to) => {
            *counter = to;
            Ok(())
        }
        None => Ok(()),
    }
}

/// Bytes, or records, that no table reaches: sums of them do not overflow.
const MAX_TABLE_SIZE: u64 = 1 << 48;

fn check_table(table: &TableMeta) -> Result<(), String> {
    let possible = table.tombstones <= table.entries
        && table.smallest_sequence <= table.largest_sequence
        && table.largest_sequence <= MAX_SEQUENCE
        && table.size.max(table.entries) <= MAX_TABLE_SIZE
        && table.kept.records <= table.entries
        && table.kept.bytes <= table.size
        && table.smallest_key.len().max(table.largest_key.len()) <= MAX_KEY_LEN;
    if possible { Ok(()) } else { Err(format!("table {} contradicts itself", table.number)) }
}
