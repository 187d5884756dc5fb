//! Pages that come into the cache before anybody reads them.

use crate::base::error::Result;
use crate::base::ids::{FileNumber, SequenceNumber};
use crate::btree::filter::FilterSpan;
use crate::btree::format::PageKind;
use crate::btree::page::Page;
use crate::btree::table::{Table, TableContext};
use crate::btree::way::Way;
use crate::cache::{Cached, Entry, Priority};
use crate::sync::Arc;

impl TableContext {
    /// What is cached of tables, by table and offset. Looks at all that is cached.
    pub fn cached_of(&self, tables: impl Iterator<Item = FileNumber>) -> Vec<Entry> {
        self.cache.of_files(&mut tables.collect::<Vec<_>>())
    }

    /// Takes a page out of the cache; the first key of a leaf that was there.
    pub fn give_up(&self, entry: &Entry) -> Option<Vec<u8>> {
        let page = self.cache.take(entry.file, entry.offset)?;
        (entry.priority == Priority::Normal).then(|| {
            let mut key = Vec::new();
            page.copy_key(0, &mut key);
            key
        })
    }
}

impl Table {
    /// Brings in the leaf that has `key`, or would have it, with the pages above it; `used`: as if it had been used.
    pub fn bring_in(&self, key: &[u8], used: bool) -> Result<()> {
        let mut page = self.bring(Way::Root, self.kind_at(1))?;
        for level in 2..=self.properties.height {
            let index = page.child_index(&self.order, key, SequenceNumber::MAX);
            page = self.bring(Way::Child(&page, index), self.kind_at(level))?;
        }
        if used {
            page.mark().set_used();
        }
        Ok(())
    }

    /// Brings in the filter.
    pub fn bring_in_filter(&self) -> Result<()> {
        let pages = self.filter.as_ref().map_or(0, FilterSpan::page_count);
        (0..pages).try_for_each(|page| self.bring(Way::Filter(page), PageKind::Filter).map(drop))
    }

    /// Brings in all leaves as if they had been used, with the pages above them, while `go_on` says so.
    pub fn bring_in_all(&self, go_on: &dyn Fn() -> bool) -> Result<()> {
        let root = self.bring(Way::Root, self.kind_at(1))?;
        self.bring_in_below(&root, 1, go_on)
    }

    fn bring_in_below(&self, page: &Page, level: u64, go_on: &dyn Fn() -> bool) -> Result<()> {
        if level == self.properties.height {
            page.mark().set_used();
            return Ok(());
        }
        for index in 0..page.count() {
            if !go_on() {
                break;
            }
            let child = self.bring(Way::Child(page, index), self.kind_at(level + 1))?;
            self.bring_in_below(&child, level + 1, go_on)?;
        }
        Ok(())
    }

    fn kind_at(&self, level: u64) -> PageKind {
        if level == self.properties.height { PageKind::Leaf } else { PageKind::Inner }
    }

    /// A page through the cache, without a trace if it is there.
    fn bring(&self, way: Way<'_>, kind: PageKind) -> Result<Arc<Page>> {
        let pointer = self.pointer(way);
        match self.judged(pointer, kind, self.cache.peek(self.number(), pointer.offset))? {
            Some(page) => Ok(page),
            None => self.load(pointer, kind, self.place(way)),
        }
    }
}
