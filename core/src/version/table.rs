//! A table of the current version: opened at its first use, its file removed behind its last user.

use std::sync::OnceLock;

use crate::base::comparator::KeyOrder;
use crate::base::error::Result;
use crate::base::filename::FileKind;
use crate::base::lookup::{Lookup, Reach, Wanted};
use crate::btree::{FoundRecord, Table, TableContext, TableMeta};
use crate::sync::{Arc, AtomicBool, Mutex, Ordering};
use crate::version::obsolete::Obsolete;

/// One table file.
pub struct TableHandle {
    meta: Arc<TableMeta>,
    order: KeyOrder,
    context: Arc<TableContext>,
    obsolete: Arc<Obsolete>,
    dropped: AtomicBool,
    opening: Mutex<()>,
    table: OnceLock<Arc<Table>>,
}

impl TableHandle {
    /// A handle; the file is not touched yet.
    pub fn new(
        meta: Arc<TableMeta>,
        order: KeyOrder,
        context: Arc<TableContext>,
        obsolete: Arc<Obsolete>,
    ) -> Self {
        TableHandle {
            meta,
            order,
            context,
            obsolete,
            dropped: AtomicBool::new(false),
            opening: Mutex::new(()),
            table: OnceLock::new(),
        }
    }

    /// What the manifest says of it.
    pub fn meta(&self) -> &Arc<TableMeta> {
        &self.meta
    }

    /// The order of its keys.
    pub fn order(&self) -> &KeyOrder {
        &self.order
    }

    /// The open table. A failed open is tried again at the next call.
    pub fn table(&self) -> Result<&Arc<Table>> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let _opening = self.opening.lock();
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = Table::open(&self.context, &self.meta, self.order.clone())?;
        Ok(self.table.get_or_init(|| Arc::new(table)))
    }

    /// The table, if it is open.
    #[inline]
    pub fn opened(&self) -> Option<&Arc<Table>> {
        self.table.get()
    }

    /// Lends the newest record of the wanted key: see [`Table::get`].
    #[inline]
    pub fn get<R>(
        &self,
        wanted: &Wanted<'_>,
        reach: Reach,
        use_record: &mut impl FnMut(FoundRecord<'_>) -> R,
    ) -> Result<Lookup<R>> {
        let table = match (self.table.get(), reach) {
            (None, Reach::Memory) => return Ok(Lookup::NotCached),
            (None, Reach::Disk) => self.table()?,
            (Some(table), _) => table,
        };
        table.get(wanted, reach, use_record)
    }

    /// The file is to be removed when nobody uses it any more.
    pub fn drop_file(&self) {
        if !self.dropped.swap(true, Ordering::AcqRel) {
            self.obsolete.hold(self.meta.size);
        }
    }
}

impl Drop for TableHandle {
    fn drop(&mut self) {
        if self.dropped.load(Ordering::Acquire) {
            self.obsolete.release(self.meta.size);
            self.context.cache.remove_file(self.meta.number);
            self.obsolete.add(FileKind::Table, self.meta.number);
        }
    }
}
