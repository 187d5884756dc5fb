//! Reading a table.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::base::checksum::Checksum;
use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::header::{FILE_HEADER_LEN, FileHeader};
use crate::base::ids::{FileNumber, SequenceNumber};
use crate::base::record::RecordKind;
use crate::btree::TableMeta;
use crate::btree::course::Course;
use crate::btree::cursor::TableCursor;
use crate::btree::file::TableFile;
use crate::btree::filter::FilterSpan;
use crate::btree::footer::Footer;
use crate::btree::format::{FOOTER_LEN, PageKind, PagePointer};
use crate::btree::maps::Maps;
use crate::btree::page::{Origin, Page};
use crate::btree::properties::Properties;
use crate::btree::way::{Way, top_slots};
use crate::cache::{Found, Hints, PageCache, Place, Priority, Slots};
use crate::metrics::Meters;
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
    /// What the database has done.
    pub meters: Arc<Meters>,
    /// Maps of all tables.
    pub maps: Arc<Maps>,
}

impl TableContext {
    /// For tables that are read once: without a cache or maps.
    pub fn uncached(vfs: &Arc<dyn Vfs>, folder: &Path, database_id: u64, meters: &Arc<Meters>) -> Self {
        TableContext {
            vfs: Arc::clone(vfs),
            folder: folder.to_owned(),
            database_id,
            cache: Arc::new(PageCache::new(0)),
            meters: Arc::clone(meters),
            maps: Arc::default(),
        }
    }
}

/// An open table.
pub struct Table {
    pub(super) file: TableFile,
    pub(super) order: KeyOrder,
    pub(super) root: PagePointer,
    pub(super) properties: Properties,
    pub(super) properties_pointer: PagePointer,
    pub(super) filter: Option<FilterSpan>,
    pub(super) meta: TableMeta,
    pub(super) cache: Arc<PageCache<Page>>,
    /// Finds what has no parent.
    pub(super) top: Arc<Slots<Page>>,
}

/// A record found, of a page that may be on loan.
pub struct FoundRecord<'p> {
    pub(super) page: Found<'p, Page>,
    /// When it was committed.
    pub sequence: SequenceNumber,
    /// What it says.
    pub kind: RecordKind,
    /// Which of the page's records it is.
    pub(super) index: usize,
    pub(super) value: Range<usize>,
}

impl FoundRecord<'_> {
    /// The value; empty for a tombstone.
    #[inline]
    pub fn value(&self) -> &[u8] {
        self.page.bytes(self.value.clone())
    }

    /// The record with a page that is counted.
    #[inline]
    pub fn counted(self) -> FoundRecord<'static> {
        FoundRecord { page: Found::Counted(self.page.counted()), ..self }
    }

    /// Leaves a hint to this record for the next who looks for its key, by the hash of its row and under the lock of that.
    pub fn leave_hint(&self, hints: &Hints<Page>, hash: u64) {
        hints.insert(hash, &self.page, self.index as u32);
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
            io::ErrorKind::NotFound => Error::missing(&path),
            _ => Error::io("open", &path, error),
        })?;
        let size = file.len().map_err(|error| Error::io("read the length of", &path, error))?;
        let checksum = Checksum::new(context.database_id, meta.number);
        let (meters, frames) = (Arc::clone(&context.meters), Arc::clone(context.cache.frames()));
        let origin = Arc::new(Origin { keyspace: meta.keyspace, committed_at: meta.committed_at });
        let mut file = TableFile { file, map: None, path, checksum, size, meters, frames, origin };
        if size != meta.size || size < (FILE_HEADER_LEN + FOOTER_LEN) as u64 {
            let expected = format_args!("{} bytes, as the manifest says", meta.size);
            return Err(file.damaged(size.min(meta.size), expected));
        }
        file.map = context.maps.map(&*file.file, size);
        let header = file.read(0, FILE_HEADER_LEN)?;
        FileHeader::decode(&file.path, &header, FileKind::Table, Some(context.database_id), meta.number)?;
        let footer = Footer::decode(&file, &file.read(file.pages_end(), FOOTER_LEN)?)?;
        let raw = file.read_page(footer.properties, PageKind::Properties)?;
        let properties = Properties::decode(&file, footer.properties.offset, &raw.content)?;
        if properties.comparator != order.name() {
            let (path, own) = (file.path.display(), &properties.comparator);
            let message =
                format!("{path}: its comparator is {own:?}, not {:?}: open it with that", order.name());
            return Err(Error::new(ErrorKind::Mismatch, message).with_file(&file.path));
        }
        let stored = TableMeta { kept: meta.kept, ..properties.meta(meta.number, size) };
        let stored = match meta.committed_at {
            Some(sequence) => stored.counted_as(sequence),
            None => Some(stored),
        };
        if stored.as_ref() != Some(meta) {
            return Err(file.damaged(footer.properties.offset, "the properties that the manifest gives"));
        }
        if !footer.root.lies_before(footer.properties.offset) {
            return Err(file.damaged(file.pages_end(), "a root in front of the properties"));
        }
        let filter = match footer.filter {
            PagePointer::NONE => None,
            pointer => Some(
                FilterSpan::of(pointer)
                    .ok_or_else(|| file.damaged(file.pages_end(), "the length of a filter"))?,
            ),
        };
        let table = Table {
            top: top_slots(filter.as_ref()),
            file,
            order,
            filter,
            root: footer.root,
            properties,
            properties_pointer: footer.properties,
            meta: meta.clone(),
            cache: Arc::clone(&context.cache),
        };
        table.check_order()?;
        Ok(table)
    }

    /// Looks whether the keys of the root rise, which the next read wants anyway: a comparator that orders other than
    /// when the table was made keeps its name. Bytes are always in the order of bytes.
    fn check_order(&self) -> Result<()> {
        let disorder = || {
            let (path, name) = (self.file.path.display(), self.order.name());
            let message = format!("{path}: comparator {name:?} orders other than when it was made");
            Err(Error::new(ErrorKind::Mismatch, message).with_file(&self.file.path))
        };
        if self.order.is_bytewise() {
            return Ok(());
        }
        if self.order.compare(&self.meta.smallest_key, &self.meta.largest_key).is_gt() {
            return disorder();
        }
        let kind = if self.properties.height == 1 { PageKind::Leaf } else { PageKind::Inner };
        let root = self.page_on(Way::Root, kind)?;
        let (mut last, mut key) = (self.meta.smallest_key.clone(), Vec::new());
        // The first separator of all is empty, and the first key is known.
        for index in 1..root.count() {
            root.copy_key(index, &mut key);
            if self.order.compare(&last, &key).is_gt() {
                return disorder();
            }
            std::mem::swap(&mut last, &mut key);
        }
        match self.order.compare(&last, &self.meta.largest_key).is_gt() {
            true => disorder(),
            false => Ok(()),
        }
    }

    /// Pages of all kinds, as its properties say.
    pub fn page_count(&self) -> u64 {
        self.properties.leaf_pages.saturating_add(self.properties.inner_pages).saturating_add(1)
    }

    /// What the manifest knows of it.
    #[cfg(test)]
    pub fn meta(&self) -> &TableMeta {
        &self.meta
    }

    /// The sequence number of a record that has `stored` in the file.
    #[inline]
    pub(super) fn counted(&self, stored: SequenceNumber) -> SequenceNumber {
        self.meta.committed_at.unwrap_or(stored)
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
        // What stands behind the tree, such as the filter, is spread over all keys.
        let tree_end = u128::from(self.root.offset) + u128::from(self.root.length);
        Ok((u128::from(pointer.offset) * u128::from(self.meta.size) / tree_end) as u64)
    }

    /// A cursor over all records.
    pub fn cursor(self: &Arc<Self>) -> TableCursor {
        TableCursor::new(Arc::clone(self), None)
    }

    /// A cursor over all records that has pages read ahead.
    pub fn cursor_on(self: &Arc<Self>, course: Option<Course>) -> TableCursor {
        TableCursor::new(Arc::clone(self), course)
    }

    pub(super) fn number(&self) -> FileNumber {
        self.meta.number
    }

    pub(super) fn disorder(&self) -> Error {
        self.file.damaged(self.root.offset, "leaves in the order of their keys")
    }

    /// A page through the cache.
    pub(super) fn page(&self, pointer: PagePointer, kind: PageKind) -> Result<Arc<Page>> {
        match self.cached(pointer, kind)? {
            Some(page) => Ok(page),
            None => self.load(pointer, kind, None),
        }
    }

    /// A page from the cache or from the disk, without a trace in the cache.
    pub(super) fn page_past_cache(&self, pointer: PagePointer, kind: PageKind) -> Result<Arc<Page>> {
        match self.judged(pointer, kind, self.cache.peek(self.meta.number, pointer.offset))? {
            Some(page) => Ok(page),
            None => self.read(pointer, kind).map(Arc::new),
        }
    }

    pub(super) fn cached(&self, pointer: PagePointer, kind: PageKind) -> Result<Option<Arc<Page>>> {
        self.judged(pointer, kind, self.cache.get(self.meta.number, pointer.offset))
    }

    /// What the cache has, if it is what the pointer says.
    pub(super) fn judged(
        &self,
        pointer: PagePointer,
        kind: PageKind,
        cached: Option<Arc<Page>>,
    ) -> Result<Option<Arc<Page>>> {
        if cached.as_ref().is_some_and(|page| !page.is(pointer, kind)) {
            return Err(self.file.damaged(pointer.offset, kind.name()));
        }
        Ok(cached)
    }

    /// Whether a page is in the cache; it does not count as used.
    pub(super) fn is_cached(&self, pointer: PagePointer) -> bool {
        self.cache.contains(self.meta.number, pointer.offset)
    }

    fn read(&self, pointer: PagePointer, kind: PageKind) -> Result<Page> {
        Page::load(&self.file, pointer, kind, self.order.is_bytewise())
    }

    /// Brings a page into the cache, where a slot names it.
    pub(super) fn load(
        &self,
        pointer: PagePointer,
        kind: PageKind,
        place: Option<Place<'_, Page>>,
    ) -> Result<Arc<Page>> {
        let page = Arc::new(self.read(pointer, kind)?);
        let priority = match kind {
            PageKind::Inner | PageKind::Filter => Priority::High,
            PageKind::Leaf | PageKind::Properties => Priority::Normal,
        };
        let (number, weight) = (self.meta.number, page.weight());
        self.cache.insert_named(number, pointer.offset, Arc::clone(&page), weight, priority, place);
        Ok(page)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("path", &self.file.path).finish_non_exhaustive()
    }
}
