//! Proof of a whole table, page by page, past the cache.

use crate::base::error::{Error, Result};
use crate::base::hash::hash_key;
use crate::base::header::FILE_HEADER_LEN;
use crate::base::ids::SequenceNumber;
use crate::base::record::Record;
use crate::btree::format::{HEAD_LEN, PageKind, PagePointer, head_of};
use crate::btree::page::Page;
use crate::btree::properties::Properties;
use crate::btree::table::Table;
use crate::filter::may_hold;

impl Table {
    /// Reads every page and checks it: checksum, content, order inside and across pages, separators, that the filter
    /// lets every key pass, that the pages fill the file without a gap, and that the properties are true. `progress` is told
    /// the bytes of each page.
    pub fn verify(&self, progress: &mut dyn FnMut(u64)) -> Result<()> {
        let mut verifier = Verifier {
            table: self,
            counted: Properties::new(self.properties.keyspace, &self.properties.comparator),
            last_sequence: None,
            bounds: Vec::new(),
            filter: Vec::new(),
            pages: vec![self.properties_pointer],
            progress,
        };
        verifier.counted.height = self.properties.height;
        verifier.load_filter()?;
        verifier.visit(self.root, self.properties.height)?;
        if verifier.counted != self.properties {
            let offset = self.properties_pointer.offset;
            return Err(self.file.damaged(offset, "properties that hold for the records and pages"));
        }
        verifier.check_pages()
    }
}

struct Verifier<'a> {
    table: &'a Table,
    /// What has been seen; the largest key is that of the last record.
    counted: Properties,
    last_sequence: Option<SequenceNumber>,
    /// Separators between the last record and the next one: key, bound, offset of the page.
    bounds: Vec<(Vec<u8>, SequenceNumber, u64)>,
    /// The pages of the filter.
    filter: Vec<Page>,
    pages: Vec<PagePointer>,
    progress: &'a mut dyn FnMut(u64),
}

impl Verifier<'_> {
    fn load_filter(&mut self) -> Result<()> {
        for pointer in self.table.filter.iter().flat_map(|span| span.pages()) {
            self.filter.push(Page::load(&self.table.file, pointer, PageKind::Filter, false)?);
            self.pages.push(pointer);
            (self.progress)(pointer.length.into());
        }
        Ok(())
    }

    /// Visits a page of level `level`, 1 for leaves, and all below it.
    fn visit(&mut self, pointer: PagePointer, level: u64) -> Result<()> {
        let kind = if level == 1 { PageKind::Leaf } else { PageKind::Inner };
        let page = Page::load(&self.table.file, pointer, kind, self.table.order.is_bytewise())?;
        self.pages.push(pointer);
        (self.progress)(pointer.length.into());
        let mut key = Vec::new();
        if kind == PageKind::Leaf {
            self.counted.leaf_pages += 1;
            for index in 0..page.count() {
                self.check_head(&page, index, pointer)?;
                page.copy_key(index, &mut key);
                self.visit_record(&page, index, &key, pointer)?;
            }
            return Ok(());
        }
        self.counted.inner_pages += 1;
        for index in 0..page.count() {
            self.check_head(&page, index, pointer)?;
            page.copy_key(index, &mut key);
            let cell = page.inner_cell(index);
            self.visit_separator(&key, cell.bound, pointer)?;
            self.visit(cell.child, level - 1)?;
        }
        Ok(())
    }

    fn visit_record(&mut self, page: &Page, index: usize, key: &[u8], pointer: PagePointer) -> Result<()> {
        let cell = page.leaf_cell(index);
        let Some(kind) = cell.kind else { return Err(self.damaged(pointer, "a record of a known kind")) };
        let record = Record { key, sequence: cell.sequence, kind, value: cell.value };
        let order = &self.table.order;
        if let Some(last) = self.last_sequence {
            let last = (&self.counted.largest_key[..], last);
            if order.compare_records(last, (key, record.sequence)).is_ge() {
                return Err(self.damaged(pointer, "records in rising order"));
            }
            for (bound_key, bound, offset) in self.bounds.drain(..) {
                if !separates(self.table, last, (&bound_key, bound), (key, record.sequence)) {
                    return Err(self.table.file.damaged(offset, "a separator that parts its children"));
                }
            }
        }
        self.bounds.clear();
        self.check_filter(key)?;
        self.last_sequence = Some(record.sequence);
        self.counted.count(record, true);
        Ok(())
    }

    fn check_filter(&self, key: &[u8]) -> Result<()> {
        let Some(span) = &self.table.filter else { return Ok(()) };
        let hash = hash_key(key);
        let (number, line) = span.place_of(hash);
        let page = self.filter.get(number as usize);
        match page.and_then(|page| page.line(line)).is_some_and(|line| may_hold(line, hash)) {
            true => Ok(()),
            false => Err(self.damaged(span.page(number), "a filter that lets every key of its table pass")),
        }
    }

    /// The very first ones have nothing to part, and are empty.
    fn visit_separator(&mut self, key: &[u8], bound: SequenceNumber, pointer: PagePointer) -> Result<()> {
        if self.last_sequence.is_none() {
            return match key.is_empty() && bound == SequenceNumber::MAX {
                true => Ok(()),
                false => Err(self.damaged(pointer, "an empty first separator")),
            };
        }
        self.bounds.push((key.to_vec(), bound, pointer.offset));
        Ok(())
    }

    /// Heads are padded with zeros: the search relies on it.
    fn check_head(&self, page: &Page, index: usize, pointer: PagePointer) -> Result<()> {
        let len = page.position(index).0.len.min(HEAD_LEN);
        match page.heads().get(index) {
            Some(head) if head_of(&head[..len]) == *head => Ok(()),
            _ => Err(self.damaged(pointer, "key heads padded with zeros")),
        }
    }

    /// The pages, the properties among them, must fill the file from header to footer.
    fn check_pages(&mut self) -> Result<()> {
        self.pages.sort_unstable_by_key(|page| page.offset);
        let mut end = FILE_HEADER_LEN as u64;
        for page in &self.pages {
            if page.offset != end {
                return Err(self.table.file.damaged(end, "a page of the tree"));
            }
            end += u64::from(page.length);
        }
        match end == self.table.file.pages_end() {
            true => Ok(()),
            false => Err(self.table.file.damaged(end, "the footer")),
        }
    }

    fn damaged(&self, pointer: PagePointer, expected: &str) -> Error {
        self.table.file.damaged(pointer.offset, expected)
    }
}

/// Whether a separator lies between two neighbours so that every position whose answer is `first`
/// lies at or behind it: in front of no version of `first`'s key that could be asked for.
fn separates(
    table: &Table,
    last: (&[u8], SequenceNumber),
    bound: (&[u8], SequenceNumber),
    first: (&[u8], SequenceNumber),
) -> bool {
    let order = &table.order;
    let tightest = match last.0 == first.0 {
        true => last.1.saturating_sub(1),
        false => SequenceNumber::MAX,
    };
    order.compare_records(last, bound).is_lt()
        && order.compare_records(bound, first).is_le()
        && bound.1 == tightest
}
