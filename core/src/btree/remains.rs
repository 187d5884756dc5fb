//! A table file read page by page as the pages stand in it, past its tree: what is left of a damaged one.
//!
//! Pages follow each other without a gap and say how long they are. Behind bytes that are no page the next
//! place is searched whose checksum, seeded with the place, is right. So a lost inner page loses no leaf.

use std::ops::Range;
use std::path::PathBuf;

use crate::base::checksum::Checksum;
use crate::base::coding::Decoder;
use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, Result};
use crate::base::header::FILE_HEADER_LEN;
use crate::base::ids::FileNumber;
use crate::base::record::Record;
use crate::btree::TableContext;
use crate::btree::TableMeta;
use crate::btree::file::{RawPage, TableFile};
use crate::btree::footer::Footer;
use crate::btree::format::{FOOTER_LEN, MAX_RAW_LEN, PAGE_HEADER_LEN, PageKind, PagePointer};
use crate::btree::page::Page;
use crate::btree::properties::Properties;
use crate::codec::Codec;
use crate::sync::Arc;
use crate::vfs::OpenMode;

/// Bytes searched at once.
const BLOCK: u64 = 64 << 10;

/// The search for pages may run this many bytes, and 16 times the file, through the checksum.
const SEARCH_BYTES: u64 = 64 << 20;

/// A stretch of a file that holds no right page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPages {
    /// Where it is in the file.
    pub place: Range<u64>,
    /// The last key in front of it.
    pub behind_key: Option<Vec<u8>>,
    /// The first key behind it.
    pub before_key: Option<Vec<u8>>,
}

/// What a walk over a table file found.
#[derive(Debug, Default)]
pub struct Walked {
    /// Right pages.
    pub pages: u64,
    /// Stretches without one.
    pub lost: Vec<LostPages>,
}

/// A table file whose tree is not trusted.
pub struct Remains {
    file: TableFile,
    number: FileNumber,
    footer: Option<Footer>,
}

enum Found {
    Page(PagePointer, PageKind, RawPage),
    Nothing(Range<u64>),
}

impl Remains {
    /// Opens the file at `path`, which is to hold table `number`. Errors: those of opening it.
    pub fn open(context: &TableContext, path: PathBuf, number: FileNumber) -> Result<Remains> {
        let file =
            context.vfs.open(&path, OpenMode::Read).map_err(|error| Error::io("open", &path, error))?;
        let size = file.len().map_err(|error| Error::io("read the length of", &path, error))?;
        let checksum = Checksum::new(context.database_id, number);
        let mut file = TableFile {
            file,
            map: None,
            path,
            checksum,
            size,
            meters: Arc::clone(&context.meters),
            frames: Arc::clone(context.cache.frames()),
            // Its pages are not cached, where that is asked for.
            origin: Arc::default(),
        };
        let footer = file.pages_end();
        let footer = file.read(footer, FOOTER_LEN).and_then(|bytes| Footer::decode(&file, &bytes)).ok();
        if footer.is_none() {
            // Pages may reach to the very end.
            file.size = size.saturating_add(FOOTER_LEN as u64);
        }
        Ok(Remains { file, number, footer })
    }

    /// What the table says of itself, and the name of its comparator; `None` if its properties are lost.
    pub fn about(&self) -> Result<Option<(TableMeta, String)>> {
        let pointed = self.footer.as_ref().and_then(|footer| {
            let raw = self.file.read_page(footer.properties, PageKind::Properties).ok()?;
            Properties::decode(&self.file, footer.properties.offset, &raw.content).ok()
        });
        let mut about = pointed;
        if about.is_none() {
            self.each(&mut |found| {
                if let Found::Page(pointer, PageKind::Properties, raw) = found {
                    about = Properties::decode(&self.file, pointer.offset, &raw.content).ok();
                }
                Ok(())
            })?;
        }
        let size = self.file.pages_end() + if self.footer.is_some() { FOOTER_LEN as u64 } else { 0 };
        Ok(about.map(|properties| (properties.meta(self.number, size), properties.comparator)))
    }

    /// Hands every record of every right leaf to `each`, leaf by leaf as they stand in the file.
    pub fn walk(&self, order: &KeyOrder, each: &mut dyn FnMut(Record<'_>) -> Result<()>) -> Result<Walked> {
        let mut walked = Walked::default();
        let mut key = Vec::new();
        let mut last: Option<Vec<u8>> = None;
        // Lost stretches since the last record, which wait for the key behind them.
        let mut open = 0;
        let lose = |walked: &mut Walked, place: Range<u64>, last: &Option<Vec<u8>>| {
            walked.lost.push(LostPages { place, behind_key: last.clone(), before_key: None });
        };
        self.each(&mut |found| {
            let (pointer, kind, raw) = match found {
                Found::Page(pointer, kind, raw) => (pointer, kind, raw),
                Found::Nothing(place) => {
                    lose(&mut walked, place, &last);
                    return Ok(());
                }
            };
            if matches!(kind, PageKind::Properties | PageKind::Filter) {
                walked.pages += 1;
                return Ok(());
            }
            let place = pointer.offset..pointer.offset + u64::from(pointer.length);
            let page = match Page::judge(&self.file, raw, pointer, kind, order.is_bytewise()) {
                Ok(page) => page,
                Err(error) if error.is_damage() => {
                    lose(&mut walked, place, &last);
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            walked.pages += 1;
            if kind == PageKind::Inner {
                return Ok(());
            }
            for index in 0..page.count() {
                page.copy_key(index, &mut key);
                let cell = page.leaf_cell(index);
                let Some(kind) = cell.kind else { continue };
                each(Record { key: &key, sequence: cell.sequence, kind, value: cell.value })?;
                if index == 0 {
                    let waiting = walked.lost.iter_mut().skip(open);
                    waiting.for_each(|lost| lost.before_key = Some(key.clone()));
                    open = walked.lost.len();
                }
            }
            let last = last.get_or_insert_default();
            last.clear();
            last.extend_from_slice(&key);
            Ok(())
        })?;
        Ok(walked)
    }

    /// Walks over the file: every right page, and what lies between them.
    fn each(&self, each: &mut dyn FnMut(Found) -> Result<()>) -> Result<()> {
        let end = self.file.pages_end();
        let mut budget = end.saturating_mul(16).saturating_add(SEARCH_BYTES);
        let mut at = FILE_HEADER_LEN as u64;
        while at < end {
            if let Some((pointer, kind, raw)) = self.page_at(at)? {
                at += u64::from(pointer.length);
                each(Found::Page(pointer, kind, raw))?;
                continue;
            }
            let next = self.next_page(at + 1, &mut budget)?;
            each(Found::Nothing(at..next))?;
            at = next;
        }
        Ok(())
    }

    /// The page at an offset, if a right one is there.
    fn page_at(&self, at: u64) -> Result<Option<(PagePointer, PageKind, RawPage)>> {
        let left = self.file.pages_end().saturating_sub(at);
        if left < PAGE_HEADER_LEN as u64 {
            return Ok(None);
        }
        let header = readable(self.file.read(at, PAGE_HEADER_LEN))?;
        let Some((length, kind)) = header.and_then(|header| plausible(&header, left)) else {
            return Ok(None);
        };
        let pointer = PagePointer { offset: at, length };
        Ok(readable(self.file.read_page(pointer, kind))?.map(|raw| (pointer, kind, raw)))
    }

    /// Where the next right page begins, from `from` on; the end if there is none, or too much looks like one.
    fn next_page(&self, from: u64, budget: &mut u64) -> Result<u64> {
        let end = self.file.pages_end();
        let mut at = from;
        while at + PAGE_HEADER_LEN as u64 <= end {
            let len = BLOCK.min(end - at);
            let Some(block) = readable(self.file.read(at, len as usize))? else {
                at += len;
                continue;
            };
            for (offset, header) in (at..).zip(block.windows(PAGE_HEADER_LEN)) {
                let Some((length, _)) = plausible(header, end - offset) else { continue };
                let Some(left) = budget.checked_sub(length.into()) else { return Ok(end) };
                *budget = left;
                if self.page_at(offset)?.is_some() {
                    return Ok(offset);
                }
            }
            at += len - (PAGE_HEADER_LEN as u64 - 1);
        }
        Ok(end)
    }
}

/// What was read, or `None` where the disk or the checksum said no.
fn readable<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_damage() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Length and kind of the page whose header this may be, with `left` bytes in front of the end.
fn plausible(header: &[u8], left: u64) -> Option<(u32, PageKind)> {
    let mut decoder = Decoder::new(header);
    decoder.u32()?;
    let length = decoder.u32()?.checked_add(PAGE_HEADER_LEN as u32)?;
    let raw_len = decoder.u32()?;
    Codec::from_byte(decoder.u8()?)?;
    let kind = PageKind::from_byte(decoder.u8()?)?;
    let reserved = decoder.take(2)?;
    let fits = u64::from(length) <= left && length as usize > PAGE_HEADER_LEN;
    (fits && raw_len as usize <= MAX_RAW_LEN && reserved == [0, 0]).then_some((length, kind))
}
