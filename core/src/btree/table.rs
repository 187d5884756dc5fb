//! Reading a table.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

use crate::base::checksum::Checksum;
use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::header::{FILE_HEADER_LEN, FileHeader};
use crate::base::ids::SequenceNumber;
use crate::base::lookup::{Lookup, Reach};
use crate::base::record::RecordKind;
use crate::btree::TableMeta;
use crate::btree::cursor::TableCursor;
use crate::btree::file::TableFile;
use crate::btree::footer::Footer;
use crate::btree::format::{FOOTER_LEN, PageKind, PagePointer};
use crate::btree::page::Page;
use crate::btree::properties::Properties;
use crate::cache::{PageCache, Priority};
use crate::sync::Arc;
use crate::vfs::{OpenMode, Vfs};

/// What all tables of a database share.
#[derive(Clone)]
pub struct TableContext {
    /// The outside world.
    pub vfs: Arc<dyn Vfs>,
    /// The database folder.
    pub folder: PathBuf,
    /// The database.
    pub database_id: u64,
    /// Pages of all tables.
    pub cache: Arc<PageCache<Page>>,
}

/// An open table.
pub struct Table {
    pub(super) file: TableFile,
    pub(super) order: KeyOrder,
    pub(super) root: PagePointer,
    pub(super) properties: Properties,
    pub(super) properties_pointer: PagePointer,
    meta: TableMeta,
    cache: Arc<PageCache<Page>>,
}

/// A record found: lends the value, holds the page.
#[derive(Clone)]
pub struct PageRecord {
    page: Arc<Page>,
    /// When it was committed.
    pub sequence: SequenceNumber,
    /// What it says.
    pub kind: RecordKind,
    value: Range<usize>,
}

impl PageRecord {
    /// The value; empty for a tombstone.
    pub fn value(&self) -> &[u8] {
        self.page.bytes(self.value.clone())
    }
}

impl Table {
    /// Opens the file that `meta` names and holds header, footer and properties against it.
    ///
    /// Errors, which name the file: `Corruption`, also if it is missing; `Mismatch` if it was made with
    /// another comparator; `UnsupportedVersion`.
    pub fn open(context: &TableContext, meta: &TableMeta, order: KeyOrder) -> Result<Table> {
        let path = context.folder.join(FileKind::Table.name(meta.number));
        let file = context.vfs.open(&path, OpenMode::Read).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::corruption(&path, 0, "this file, which is missing"),
            _ => Error::io("open", &path, error),
        })?;
        let size = file.len().map_err(|error| Error::io("read the length of", &path, error))?;
        let checksum = Checksum::new(context.database_id, meta.number);
        let file = TableFile { file, path, checksum, size };
        if size != meta.size || size < (FILE_HEADER_LEN + FOOTER_LEN) as u64 {
            let expected = format_args!("{} bytes, as the manifest says", meta.size);
            return Err(file.damaged(size.min(meta.size), expected));
        }
        let header = file.read(0, FILE_HEADER_LEN)?;
        FileHeader::decode(&file.path, &header, FileKind::Table, Some(context.database_id), meta.number)?;
        let footer = Footer::decode(&file, &file.read(file.pages_end(), FOOTER_LEN)?)?;
        let raw = file.read_page(footer.properties, PageKind::Properties)?;
        let properties = Properties::decode(&file, footer.properties.offset, raw.content())?;
        if properties.comparator != order.name() {
            let (path, own) = (file.path.display(), &properties.comparator);
            let message =
                format!("{path}: its comparator is {own:?}, not {:?}: open it with that", order.name());
            return Err(Error::new(ErrorKind::Mismatch, message).with_file(&file.path));
        }
        if properties.meta(meta.number, size) != *meta {
            return Err(file.damaged(footer.properties.offset, "the properties that the manifest gives"));
        }
        if order.compare(&meta.smallest_key, &meta.largest_key).is_gt() {
            let path = file.path.display();
            let message = format!("{path}: comparator {:?} orders other than when it was made", order.name());
            return Err(Error::new(ErrorKind::Mismatch, message).with_file(&file.path));
        }
        if !footer.root.lies_before(footer.properties.offset) {
            return Err(file.damaged(file.pages_end(), "a root in front of the properties"));
        }
        Ok(Table {
            file,
            order,
            root: footer.root,
            properties,
            properties_pointer: footer.properties,
            meta: meta.clone(),
            cache: Arc::clone(&context.cache),
        })
    }

    /// What the manifest knows of it.
    #[cfg(test)]
    pub fn meta(&self) -> &TableMeta {
        &self.meta
    }

    /// The newest version of exactly `key` that is not newer than `sequence`. Walks from the root to one
    /// leaf: the separators see to it that the answer is nowhere else.
    pub fn get(&self, key: &[u8], sequence: SequenceNumber, reach: Reach) -> Result<Lookup<PageRecord>> {
        let mut pointer = self.root;
        for _ in 1..self.properties.height {
            let Some(page) = self.page_within(reach, pointer, PageKind::Inner)? else {
                return Ok(Lookup::NotCached);
            };
            pointer = page.inner_cell(page.child_index(&self.order, key, sequence)).child;
        }
        let Some(page) = self.page_within(reach, pointer, PageKind::Leaf)? else {
            return Ok(Lookup::NotCached);
        };
        let index = page.find(&self.order, key, sequence);
        if index == page.count() {
            return Ok(Lookup::Absent);
        }
        let cell = page.leaf_cell(index);
        let Some(kind) = cell.kind.filter(|_| page.has_key(index, cell.suffix, key)) else {
            return Ok(Lookup::Absent);
        };
        let (sequence, value) = (cell.sequence, cell.range_of_value());
        Ok(Lookup::Found(PageRecord { page, sequence, kind, value }))
    }

    /// About where in the file `key` is, or would be.
    pub fn approximate_offset(&self, key: &[u8]) -> Result<u64> {
        if self.order.compare(key, &self.meta.largest_key).is_gt() {
            return Ok(self.meta.size);
        }
        let mut pointer = self.root;
        for _ in 1..self.properties.height {
            let page = self.page(pointer, PageKind::Inner)?;
            pointer = page.inner_cell(page.child_index(&self.order, key, SequenceNumber::MAX)).child;
        }
        Ok(pointer.offset)
    }

    /// A cursor over all records.
    pub fn cursor(self: &Arc<Self>) -> TableCursor {
        TableCursor::new(Arc::clone(self))
    }

    pub(super) fn disorder(&self) -> Error {
        self.file.damaged(self.root.offset, "leaves in the order of their keys")
    }

    /// A page through the cache.
    pub(super) fn page(&self, pointer: PagePointer, kind: PageKind) -> Result<Arc<Page>> {
        match self.cached(pointer, kind)? {
            Some(page) => Ok(page),
            None => self.load(pointer, kind),
        }
    }

    /// A page, or `None` if it is out of reach.
    fn page_within(&self, reach: Reach, pointer: PagePointer, kind: PageKind) -> Result<Option<Arc<Page>>> {
        match (self.cached(pointer, kind)?, reach) {
            (None, Reach::Disk) => self.load(pointer, kind).map(Some),
            (cached, _) => Ok(cached),
        }
    }

    fn cached(&self, pointer: PagePointer, kind: PageKind) -> Result<Option<Arc<Page>>> {
        let cached = self.cache.get(self.meta.number, pointer.offset);
        if cached.as_ref().is_some_and(|page| !page.is(pointer, kind)) {
            return Err(self.file.damaged(pointer.offset, kind.name()));
        }
        Ok(cached)
    }

    fn load(&self, pointer: PagePointer, kind: PageKind) -> Result<Arc<Page>> {
        let page = Arc::new(Page::load(&self.file, pointer, kind, self.order.is_bytewise())?);
        let priority = if kind == PageKind::Inner { Priority::High } else { Priority::Normal };
        self.cache.insert(self.meta.number, pointer.offset, Arc::clone(&page), page.weight(), priority);
        Ok(page)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("path", &self.file.path).finish_non_exhaustive()
    }
}
