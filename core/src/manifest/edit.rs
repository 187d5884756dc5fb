//! One edit of the catalogue: a record of the manifest, applied whole or not at all.

use crate::base::coding::{Decoder, put_bytes, put_varint};
use crate::base::ids::{FileNumber, KeyspaceId, SequenceNumber};
use crate::btree::{Kept, TableMeta};
use crate::sync::Arc;

/// What the manifest knows of a keyspace, beside its tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyspaceMeta {
    /// Never reused.
    pub id: KeyspaceId,
    /// Its name, unique among the keyspaces that exist.
    pub name: String,
    /// Name of the comparator it was made with.
    pub comparator: String,
    /// Target size of a page, in bytes.
    pub page_size: u32,
    /// Codec of new pages, by its number in the table format.
    pub codec: u8,
    /// How hard the codec tries; 0: nothing was noted.
    pub level: u8,
}

/// A change of the catalogue. Within one edit keyspaces are added first and dropped last, logs are added,
/// ended and removed in this order, and tables are removed before they are added: to be in both lists is
/// how a table moves to another level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// All file numbers are below this.
    pub next_file: Option<FileNumber>,
    /// The last sequence number is at least this.
    pub last_sequence: Option<SequenceNumber>,
    /// All keyspace ids are below this.
    pub next_keyspace: Option<u32>,
    /// Logs that count from now on.
    pub logs_added: Vec<FileNumber>,
    /// Logs that grow no more, with their length: nothing below it may be missing.
    pub logs_ended: Vec<(FileNumber, u64)>,
    /// Logs whose records are all in tables.
    pub logs_removed: Vec<FileNumber>,
    /// Tables with their level.
    pub tables_added: Vec<(usize, Arc<TableMeta>)>,
    /// Tables that are no part of the database any more.
    pub tables_removed: Vec<(KeyspaceId, FileNumber)>,
    /// New keyspaces, without tables. Their compression level stands in a field of its own.
    pub keyspaces_added: Vec<KeyspaceMeta>,
    /// Compression levels of keyspaces.
    pub keyspace_levels: Vec<(KeyspaceId, u8)>,
    /// Keyspaces that are gone with all their tables.
    pub keyspaces_dropped: Vec<KeyspaceId>,
    /// The database is closed; the next edit says that it is open again.
    pub clean_close: bool,
}

/// Why a record of the manifest is no edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecodable {
    /// The bytes are not what any version writes; says what was expected.
    Damaged(&'static str),
    /// A newer version wrote this tag.
    UnknownTag(u64),
}

/// What a field says; the numbers are part of the format.
mod tag {
    pub const NEXT_FILE: u64 = 1;
    pub const LAST_SEQUENCE: u64 = 2;
    pub const LOG_ADDED: u64 = 3;
    pub const LOG_ENDED: u64 = 4;
    pub const LOG_REMOVED: u64 = 5;
    pub const TABLE_ADDED: u64 = 6;
    pub const TABLE_REMOVED: u64 = 7;
    pub const KEYSPACE_ADDED: u64 = 8;
    pub const KEYSPACE_DROPPED: u64 = 9;
    pub const CLEAN_CLOSE: u64 = 10;
    pub const NEXT_KEYSPACE: u64 = 11;
    pub const KEYSPACE_LEVEL: u64 = 12;
    pub const TABLE_WITH_KEPT_ADDED: u64 = 13;
    pub const TABLE_COMMITTED: u64 = 14;
}

impl Edit {
    /// Numbers of the tables that are new: those that it does not move.
    pub fn new_tables(&self) -> impl Iterator<Item = FileNumber> {
        let moved = |number| self.tables_removed.iter().any(|(_, removed)| *removed == number);
        self.tables_added.iter().map(|(_, meta)| meta.number).filter(move |number| !moved(*number))
    }

    /// The bytes of the manifest record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Fields::default();
        for (tag, value) in [
            (tag::NEXT_FILE, self.next_file),
            (tag::LAST_SEQUENCE, self.last_sequence),
            (tag::NEXT_KEYSPACE, self.next_keyspace.map(u64::from)),
        ] {
            if let Some(value) = value {
                out.numbers(tag, &[value]);
            }
        }
        for keyspace in &self.keyspaces_added {
            out.field(tag::KEYSPACE_ADDED, |field| encode_keyspace(field, keyspace));
        }
        for &(keyspace, level) in &self.keyspace_levels {
            out.numbers(tag::KEYSPACE_LEVEL, &[keyspace.0.into(), level.into()]);
        }
        for &(keyspace, number) in &self.tables_removed {
            out.numbers(tag::TABLE_REMOVED, &[keyspace.0.into(), number]);
        }
        for (level, table) in &self.tables_added {
            match table.kept == Kept::default() {
                true => out.field(tag::TABLE_ADDED, |field| encode_table(field, *level, table)),
                false => out.field(tag::TABLE_WITH_KEPT_ADDED, |field| {
                    encode_table(field, *level, table);
                    let Kept { records, bytes, snapshots } = table.kept;
                    [records, bytes, snapshots].into_iter().for_each(|number| put_varint(field, number));
                }),
            }
            if let Some(sequence) = table.committed_at {
                out.numbers(tag::TABLE_COMMITTED, &[table.keyspace.0.into(), table.number, sequence]);
            }
        }
        for &id in &self.keyspaces_dropped {
            out.numbers(tag::KEYSPACE_DROPPED, &[id.0.into()]);
        }
        for &number in &self.logs_added {
            out.numbers(tag::LOG_ADDED, &[number]);
        }
        for &(number, len) in &self.logs_ended {
            out.numbers(tag::LOG_ENDED, &[number, len]);
        }
        for &number in &self.logs_removed {
            out.numbers(tag::LOG_REMOVED, &[number]);
        }
        if self.clean_close {
            out.numbers(tag::CLEAN_CLOSE, &[]);
        }
        out.bytes
    }

    /// Reads what [`Edit::encode`] made, or an older version's.
    pub fn decode(record: &[u8]) -> Result<Edit, Undecodable> {
        let mut edit = Edit::default();
        let mut decoder = Decoder::new(record);
        while !decoder.is_empty() {
            let tag = decoder.varint().ok_or(Undecodable::Damaged("the tag of a field"))?;
            let field = decoder.bytes().ok_or(Undecodable::Damaged("a whole field"))?;
            let mut field = Decoder::new(field);
            let known = edit.decode_field(tag, &mut field).ok_or(Undecodable::Damaged(expected(tag)))?;
            if !known {
                return Err(Undecodable::UnknownTag(tag));
            }
            if !field.is_empty() {
                return Err(Undecodable::Damaged(expected(tag)));
            }
        }
        Ok(edit)
    }

    /// `Some(false)` for an unknown tag, `None` for a bad field.
    fn decode_field(&mut self, tag: u64, field: &mut Decoder<'_>) -> Option<bool> {
        match tag {
            tag::NEXT_FILE => set_once(&mut self.next_file, field.varint()?)?,
            tag::LAST_SEQUENCE => set_once(&mut self.last_sequence, field.varint()?)?,
            tag::NEXT_KEYSPACE => set_once(&mut self.next_keyspace, field.varint32()?)?,
            tag::LOG_ADDED => self.logs_added.push(field.varint()?),
            tag::LOG_ENDED => self.logs_ended.push((field.varint()?, field.varint()?)),
            tag::LOG_REMOVED => self.logs_removed.push(field.varint()?),
            tag::TABLE_ADDED => {
                let (level, table) = decode_table(field)?;
                self.tables_added.push((level, Arc::new(table)));
            }
            tag::TABLE_WITH_KEPT_ADDED => {
                let (level, table) = decode_table(field)?;
                let kept =
                    Kept { records: field.varint()?, bytes: field.varint()?, snapshots: field.varint()? };
                self.tables_added.push((level, Arc::new(TableMeta { kept, ..table })));
            }
            tag::TABLE_REMOVED => {
                self.tables_removed.push((KeyspaceId(field.varint32()?), field.varint()?));
            }
            tag::KEYSPACE_ADDED => self.keyspaces_added.push(decode_keyspace(field)?),
            tag::KEYSPACE_DROPPED => self.keyspaces_dropped.push(KeyspaceId(field.varint32()?)),
            tag::KEYSPACE_LEVEL => {
                let level = (KeyspaceId(field.varint32()?), u8::try_from(field.varint()?).ok()?);
                self.keyspace_levels.push(level);
            }
            tag::TABLE_COMMITTED => self.commit_table(field)?,
            tag::CLEAN_CLOSE => self.clean_close = true,
            _ => return Some(false),
        }
        Some(true)
    }

    /// The field follows that of its table.
    fn commit_table(&mut self, field: &mut Decoder<'_>) -> Option<()> {
        let (keyspace, number, sequence) = (KeyspaceId(field.varint32()?), field.varint()?, field.varint()?);
        let (_, table) = self.tables_added.last_mut()?;
        if (table.keyspace, table.number) != (keyspace, number) {
            return None;
        }
        *table = Arc::new(TableMeta::clone(table).counted_as(sequence)?);
        Some(())
    }
}

fn expected(tag: u64) -> &'static str {
    match tag {
        tag::TABLE_COMMITTED => "the sequence number of the table added before it",
        tag::NEXT_FILE => "one next file number",
        tag::LAST_SEQUENCE => "one last sequence number",
        tag::LOG_ADDED => "the number of an added log",
        tag::LOG_ENDED => "the number and length of an ended log",
        tag::LOG_REMOVED => "the number of a removed log",
        tag::TABLE_ADDED | tag::TABLE_WITH_KEPT_ADDED => "the description of an added table",
        tag::TABLE_REMOVED => "keyspace and number of a removed table",
        tag::KEYSPACE_ADDED => "the description of an added keyspace",
        tag::KEYSPACE_DROPPED => "the id of a dropped keyspace",
        tag::KEYSPACE_LEVEL => "keyspace and compression level",
        tag::CLEAN_CLOSE => "an empty field for a clean close",
        _ => "one next keyspace id",
    }
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// Fields that are being encoded.
#[derive(Default)]
struct Fields {
    bytes: Vec<u8>,
    scratch: Vec<u8>,
}

impl Fields {
    fn field(&mut self, tag: u64, encode: impl FnOnce(&mut Vec<u8>)) {
        self.scratch.clear();
        encode(&mut self.scratch);
        put_varint(&mut self.bytes, tag);
        put_bytes(&mut self.bytes, &self.scratch);
    }

    fn numbers(&mut self, tag: u64, numbers: &[u64]) {
        self.field(tag, |field| numbers.iter().for_each(|&number| put_varint(field, number)));
    }
}

fn encode_keyspace(out: &mut Vec<u8>, keyspace: &KeyspaceMeta) {
    put_varint(out, keyspace.id.0.into());
    put_bytes(out, keyspace.name.as_bytes());
    put_bytes(out, keyspace.comparator.as_bytes());
    put_varint(out, keyspace.page_size.into());
    put_varint(out, keyspace.codec.into());
}

fn decode_keyspace(field: &mut Decoder<'_>) -> Option<KeyspaceMeta> {
    Some(KeyspaceMeta {
        id: KeyspaceId(field.varint32()?),
        name: String::from_utf8(field.bytes()?.to_vec()).ok()?,
        comparator: String::from_utf8(field.bytes()?.to_vec()).ok()?,
        page_size: field.varint32()?,
        codec: u8::try_from(field.varint()?).ok()?,
        level: 0,
    })
}

fn encode_table(out: &mut Vec<u8>, level: usize, table: &TableMeta) {
    let sequences = match table.committed_at {
        Some(_) => [0, 0],
        None => [table.smallest_sequence, table.largest_sequence],
    };
    for number in [
        table.keyspace.0.into(),
        level as u64,
        table.number,
        table.size,
        table.entries,
        table.tombstones,
        sequences[0],
        sequences[1],
    ] {
        put_varint(out, number);
    }
    put_bytes(out, &table.smallest_key);
    put_bytes(out, &table.largest_key);
}

fn decode_table(field: &mut Decoder<'_>) -> Option<(usize, TableMeta)> {
    let keyspace = KeyspaceId(field.varint32()?);
    let level = usize::try_from(field.varint()?).ok()?;
    let table = TableMeta {
        number: field.varint()?,
        keyspace,
        size: field.varint()?,
        entries: field.varint()?,
        tombstones: field.varint()?,
        smallest_sequence: field.varint()?,
        largest_sequence: field.varint()?,
        smallest_key: field.bytes()?.to_vec(),
        largest_key: field.bytes()?.to_vec(),
        kept: Kept::default(),
        committed_at: None,
    };
    Some((level, table))
}
