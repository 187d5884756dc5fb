//! The properties page: what a table says of its content.

use crate::base::coding::{Decoder, put_bytes, put_varint};
use crate::base::error::Result;
use crate::base::ids::{FileNumber, KeyspaceId, MAX_SEQUENCE};
use crate::base::record::{Record, RecordKind};
use crate::btree::file::TableFile;
use crate::btree::format::MAX_HEIGHT;
use crate::btree::{Kept, TableMeta};

/// The version of this page.
const PROPERTIES_FORMAT: u64 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Properties {
    pub(super) keyspace: KeyspaceId,
    pub(super) comparator: String,
    pub(super) entries: u64,
    pub(super) tombstones: u64,
    pub(super) key_bytes: u64,
    pub(super) value_bytes: u64,
    pub(super) smallest_sequence: u64,
    pub(super) largest_sequence: u64,
    pub(super) smallest_key: Vec<u8>,
    pub(super) largest_key: Vec<u8>,
    pub(super) leaf_pages: u64,
    pub(super) inner_pages: u64,
    /// Levels, the leaves included.
    pub(super) height: u64,
}

impl Properties {
    /// Those of a table without records and pages.
    pub(super) fn new(keyspace: KeyspaceId, comparator: &str) -> Self {
        Properties {
            keyspace,
            comparator: comparator.to_owned(),
            entries: 0,
            tombstones: 0,
            key_bytes: 0,
            value_bytes: 0,
            smallest_sequence: u64::MAX,
            largest_sequence: 0,
            smallest_key: Vec::new(),
            largest_key: Vec::new(),
            leaf_pages: 0,
            inner_pages: 0,
            height: 0,
        }
    }

    /// Counts the next record in key order; `is_new_key`: the one before it had another key.
    #[inline]
    pub(super) fn count(&mut self, record: Record<'_>, is_new_key: bool) {
        if self.entries == 0 {
            self.smallest_key.extend_from_slice(record.key);
        }
        self.entries += 1;
        self.tombstones += u64::from(record.kind == RecordKind::Delete);
        self.key_bytes += record.key.len() as u64;
        self.value_bytes += record.value.len() as u64;
        self.smallest_sequence = self.smallest_sequence.min(record.sequence);
        self.largest_sequence = self.largest_sequence.max(record.sequence);
        if is_new_key {
            self.largest_key.clear();
            self.largest_key.extend_from_slice(record.key);
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, PROPERTIES_FORMAT);
        put_varint(&mut out, self.keyspace.0.into());
        put_bytes(&mut out, self.comparator.as_bytes());
        for field in [
            self.entries,
            self.tombstones,
            self.key_bytes,
            self.value_bytes,
            self.smallest_sequence,
            self.largest_sequence,
        ] {
            put_varint(&mut out, field);
        }
        put_bytes(&mut out, &self.smallest_key);
        put_bytes(&mut out, &self.largest_key);
        for field in [self.leaf_pages, self.inner_pages, self.height] {
            put_varint(&mut out, field);
        }
        out
    }

    /// Reads the page that stands at `offset`.
    pub(super) fn decode(file: &TableFile, offset: u64, raw: &[u8]) -> Result<Properties> {
        let mut decoder = Decoder::new(raw);
        match decoder.varint() {
            Some(PROPERTIES_FORMAT) => {}
            Some(newer) if newer > PROPERTIES_FORMAT => {
                return Err(file.unsupported(format_args!("properties format {newer}")));
            }
            _ => return Err(file.damaged(offset, "properties of format 1")),
        }
        Self::decode_fields(&mut decoder)
            .filter(|properties| decoder.is_empty() && properties.are_plausible())
            .ok_or_else(|| file.damaged(offset, "properties of a table"))
    }

    fn decode_fields(decoder: &mut Decoder<'_>) -> Option<Properties> {
        Some(Properties {
            keyspace: KeyspaceId(decoder.varint32()?),
            comparator: std::str::from_utf8(decoder.bytes()?).ok()?.to_owned(),
            entries: decoder.varint()?,
            tombstones: decoder.varint()?,
            key_bytes: decoder.varint()?,
            value_bytes: decoder.varint()?,
            smallest_sequence: decoder.varint()?,
            largest_sequence: decoder.varint()?,
            smallest_key: decoder.bytes()?.to_vec(),
            largest_key: decoder.bytes()?.to_vec(),
            leaf_pages: decoder.varint()?,
            inner_pages: decoder.varint()?,
            height: decoder.varint()?,
        })
    }

    fn are_plausible(&self) -> bool {
        self.largest_sequence <= MAX_SEQUENCE && (1..=MAX_HEIGHT).contains(&self.height)
    }

    /// What the manifest is told of file `number`.
    pub(super) fn meta(&self, number: FileNumber, size: u64) -> TableMeta {
        TableMeta {
            number,
            keyspace: self.keyspace,
            size,
            entries: self.entries,
            tombstones: self.tombstones,
            smallest_sequence: self.smallest_sequence,
            largest_sequence: self.largest_sequence,
            smallest_key: self.smallest_key.clone(),
            largest_key: self.largest_key.clone(),
            kept: Kept::default(),
            committed_at: None,
        }
    }
}
