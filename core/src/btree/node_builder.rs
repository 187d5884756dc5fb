//! Leaf and inner pages in the making.

use crate::base::coding::{put_varint, varint_len};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::SequenceNumber;
use crate::base::record::RecordKind;
use crate::btree::format::{
    END_LEN, FLAG_BYTEWISE, FLAG_EQUAL, FLAG_FIRST_EMPTY, FLAG_ZERO_SEQUENCES, HEAD_LEN, MAX_RAW_LEN,
    NODE_HEADER_LEN, SUFFIX_LEN, common_prefix_len, head_of, rest_of,
};

/// The part of a cell between suffix length and suffix: kind and sequence of a record, or the bound
/// of a child.
#[derive(Clone, Copy, Debug)]
pub(super) struct Middle {
    bytes: [u8; Middle::MAX],
    len: u8,
}

impl Middle {
    const MAX: usize = 11;

    pub(super) fn of_record(kind: RecordKind, sequence: SequenceNumber) -> Self {
        let mut middle = Middle { bytes: [kind as u8; Middle::MAX], len: 1 };
        let mut rest = sequence;
        while rest >= 0x80 {
            middle.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        middle.push(rest as u8);
        middle
    }

    /// `None` stands for the newest possible sequence.
    pub(super) fn of_child(bound: Option<SequenceNumber>) -> Self {
        let mut middle = Middle { bytes: [0; Middle::MAX], len: 1 };
        if let Some(sequence) = bound {
            middle.bytes[0] = 1;
            middle.bytes[1..9].copy_from_slice(&sequence.to_le_bytes());
            middle.len = 9;
        }
        middle
    }

    fn push(&mut self, byte: u8) {
        self.bytes[usize::from(self.len)] = byte;
        self.len += 1;
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// What becomes one cell: a record with its value, or a separator with its child's pointer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: &'a [u8],
    pub(super) middle: Middle,
    pub(super) tail: &'a [u8],
}

impl Entry<'_> {
    /// What follows the prefix; nothing, if the key is that empty one in front which does not have it.
    fn suffix(&self, prefix_len: usize) -> &[u8] {
        self.key.get(prefix_len..).unwrap_or_default()
    }

    fn cell_len(&self, prefix_len: usize) -> usize {
        cell_len(self.suffix(prefix_len).len(), usize::from(self.middle.len), self.tail.len())
    }

    /// Whether it is the child in front of all others.
    fn is_first_child(&self) -> bool {
        self.key.is_empty() && self.middle.as_bytes() == [0]
    }

    /// Whether it is a record of sequence 0. (A child's bound has one byte or nine.)
    fn is_of_sequence_zero(&self) -> bool {
        self.middle.as_bytes()[1..] == [0]
    }

    /// The lengths of key and value of a put of sequence 0.
    fn lengths(&self) -> Option<(usize, usize)> {
        let is_plain = self.middle.as_bytes() == [RecordKind::Put as u8, 0];
        is_plain.then_some((self.key.len(), self.tail.len()))
    }
}

fn cell_len(suffix_len: usize, middle_len: usize, tail_len: usize) -> usize {
    varint_len(suffix_len as u64) + middle_len + suffix_len.saturating_sub(HEAD_LEN) + tail_len
}

/// The measures of a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    prefix_len: usize,
    /// With all sequences written out.
    cells_len: usize,
    all_zero: bool,
    /// What [`Entry::lengths`] is of all entries.
    lengths: Option<(usize, usize)>,
    count: usize,
}

impl Plan {
    /// Raw bytes of the page.
    pub(super) fn size(&self) -> usize {
        let front = NODE_HEADER_LEN + self.prefix_len;
        if let Some((suffix_len, value_len)) = self.equal() {
            let cell_len = suffix_len.saturating_sub(HEAD_LEN) + value_len;
            return front + SUFFIX_LEN + self.count * (HEAD_LEN + cell_len);
        }
        let left_out = if self.all_zero { self.count } else { 0 };
        front + self.count * (HEAD_LEN + END_LEN) + self.cells_len - left_out
    }

    /// The lengths of all suffixes and of all values, if each are the same.
    fn equal(&self) -> Option<(usize, usize)> {
        self.lengths.map(|(key_len, value_len)| (key_len - self.prefix_len, value_len))
    }
}

/// Entries collected for one page. Keeps its memory from page to page.
#[derive(Debug)]
pub(super) struct NodeBuilder {
    flags: u32,
    /// Keys and tails, in turns.
    bytes: Vec<u8>,
    entries: Vec<Staged>,
    plan: Plan,
}

#[derive(Clone, Copy, Debug)]
struct Staged {
    key_end: usize,
    tail_end: usize,
    middle: Middle,
}

const NOTHING: Plan = Plan { prefix_len: 0, cells_len: 0, all_zero: true, lengths: None, count: 0 };

impl NodeBuilder {
    pub(super) fn new(bytewise: bool) -> Self {
        let flags = if bytewise { FLAG_BYTEWISE } else { 0 };
        NodeBuilder { flags, bytes: Vec::new(), entries: Vec::new(), plan: NOTHING }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.plan = NOTHING;
    }

    /// The first entry.
    pub(super) fn first(&self) -> Option<Entry<'_>> {
        self.entry(0)
    }

    #[inline]
    fn entry(&self, index: usize) -> Option<Entry<'_>> {
        let start =
            index.checked_sub(1).map_or(Some(0), |before| Some(self.entries.get(before)?.tail_end))?;
        let staged = self.entries.get(index)?;
        let key = &self.bytes[start..staged.key_end];
        Some(Entry { key, middle: staged.middle, tail: &self.bytes[staged.key_end..staged.tail_end] })
    }

    /// The measures that the page would have with one more entry.
    pub(super) fn plan(&self, entry: &Entry<'_>) -> Plan {
        let Some(first) = self.first() else { return Plan::of_one(entry) };
        // The empty key of the first child would leave the others without a prefix, and so their heads alike.
        let first = if first.is_first_child() { self.entry(1) } else { Some(first) };
        let prefix_len = match first {
            Some(first) => common_prefix_len(&first.key[..self.plan.prefix_len], entry.key),
            None => entry.key.len(),
        };
        // A shorter prefix changes every cell; it gets shorter a few times in a page, if at all.
        let cells_len = match prefix_len == self.plan.prefix_len {
            true => self.plan.cells_len,
            false => self.iter().map(|entry| entry.cell_len(prefix_len)).sum(),
        };
        Plan {
            prefix_len,
            cells_len: cells_len + entry.cell_len(prefix_len),
            all_zero: self.plan.all_zero && entry.is_of_sequence_zero(),
            lengths: self.plan.lengths.filter(|lengths| entry.lengths() == Some(*lengths)),
            count: self.plan.count + 1,
        }
    }

    /// Adds an entry whose `plan` was just made.
    pub(super) fn push(&mut self, plan: Plan, entry: &Entry<'_>) {
        debug_assert_eq!(plan.count, self.entries.len() + 1);
        self.bytes.extend_from_slice(entry.key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(entry.tail);
        self.entries.push(Staged { key_end, tail_end: self.bytes.len(), middle: entry.middle });
        self.plan = plan;
    }

    /// Replaces `out` by the raw page.
    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        encode(self.flags, self.plan, self.iter(), out)
    }

    /// Replaces `out` by the raw page of one entry, which is not staged.
    pub(super) fn encode_alone(&self, entry: Entry<'_>, out: &mut Vec<u8>) -> Result<()> {
        encode(self.flags, Plan::of_one(&entry), std::iter::once(entry), out)
    }

    fn iter(&self) -> impl Iterator<Item = Entry<'_>> + Clone {
        (0..self.entries.len()).filter_map(|index| self.entry(index))
    }
}

impl Plan {
    fn of_one(entry: &Entry<'_>) -> Plan {
        let prefix_len = entry.key.len();
        Plan {
            prefix_len,
            cells_len: entry.cell_len(prefix_len),
            all_zero: entry.is_of_sequence_zero(),
            lengths: entry.lengths(),
            count: 1,
        }
    }
}

fn encode<'a>(
    flags: u32,
    plan: Plan,
    entries: impl Iterator<Item = Entry<'a>> + Clone,
    out: &mut Vec<u8>,
) -> Result<()> {
    let size = plan.size();
    if size > MAX_RAW_LEN {
        return Err(Error::invalid(format!("a page of {size} bytes: at most {MAX_RAW_LEN} are allowed")));
    }
    out.clear();
    out.try_reserve(size)
        .map_err(|_| Error::new(ErrorKind::OutOfMemory, format!("no memory for a page of {size} bytes")))?;
    let flags = match (plan.all_zero, plan.equal()) {
        (true, Some(_)) => flags | FLAG_ZERO_SEQUENCES | FLAG_EQUAL,
        (true, None) => flags | FLAG_ZERO_SEQUENCES,
        (false, _) => flags,
    };
    let flags = match entries.clone().next() {
        Some(first) if first.is_first_child() => flags | FLAG_FIRST_EMPTY,
        _ => flags,
    };
    out.extend_from_slice(&(plan.count as u32).to_le_bytes());
    out.extend_from_slice(&(plan.prefix_len as u32).to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    let prefix = entries.clone().find_map(|entry| entry.key.get(..plan.prefix_len));
    out.extend_from_slice(prefix.unwrap_or_default());
    match plan.equal() {
        Some((suffix_len, _)) => put_equal(plan, suffix_len, entries, out),
        None => put_cells(plan, entries, out),
    }
    debug_assert_eq!(out.len(), size);
    Ok(())
}

/// Heads, ends and cells.
fn put_cells<'a>(plan: Plan, entries: impl Iterator<Item = Entry<'a>>, out: &mut Vec<u8>) {
    let sequence_len = usize::from(plan.all_zero);
    // Cells are appended; heads and ends, in front of them, are filled in.
    let mut head = out.len();
    let mut end = head + plan.count * HEAD_LEN;
    let cells = end + plan.count * END_LEN;
    out.resize(cells, 0);
    for entry in entries {
        let suffix = entry.suffix(plan.prefix_len);
        put_varint(out, suffix.len() as u64);
        let middle = entry.middle.as_bytes();
        out.extend_from_slice(&middle[..middle.len() - sequence_len]);
        let rest = rest_of(suffix);
        if !rest.is_empty() {
            out.extend_from_slice(rest);
        }
        out.extend_from_slice(entry.tail);
        let cell_end = (out.len() - cells) as u32;
        out[head..head + HEAD_LEN].copy_from_slice(&head_of(suffix));
        out[end..end + END_LEN].copy_from_slice(&cell_end.to_le_bytes());
        head += HEAD_LEN;
        end += END_LEN;
    }
}

/// Heads, the length of all suffixes, and cells of one length.
fn put_equal<'a>(plan: Plan, suffix_len: usize, entries: impl Iterator<Item = Entry<'a>>, out: &mut Vec<u8>) {
    let mut head = out.len();
    out.resize(head + plan.count * HEAD_LEN, 0);
    out.extend_from_slice(&(suffix_len as u32).to_le_bytes());
    for entry in entries {
        let suffix = entry.suffix(plan.prefix_len);
        out.extend_from_slice(rest_of(suffix));
        out.extend_from_slice(entry.tail);
        out[head..head + HEAD_LEN].copy_from_slice(&head_of(suffix));
        head += HEAD_LEN;
    }
}
