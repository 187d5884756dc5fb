//! Tables written anew: from the right pages of damaged ones, from logs, from tables that overlap.

use crate::base::comparator::KeyOrder;
use crate::base::error::Result;
use crate::base::filename::FileKind;
use crate::base::ids::{FileNumber, KeyspaceId, SequenceNumber};
use crate::base::limits::TARGET_TABLE_BYTES;
use crate::base::record::Record;
use crate::btree::{Remains, Table, TableBuilder, TableMeta, TableOptions};
use crate::iter::{Cursor, MergeCursor};
use crate::recovery::check::{Examined, finding_of, name_of};
use crate::recovery::open::version_context;
use crate::recovery::repair::{each_record, unknown_keyspace};
use crate::recovery::report::{Finding, RepairReport};
use crate::recovery::survey::Examination;
use crate::sync::Arc;
use crate::version::{Space, VersionContext};

/// Writes tables with new numbers.
pub(super) struct Salvage<'a> {
    job: &'a Examination<'a>,
    examined: &'a Examined,
    context: VersionContext,
    next_file: FileNumber,
    /// Records written anew.
    pub salvaged: u64,
}

impl<'a> Salvage<'a> {
    pub fn new(job: &'a Examination<'a>, examined: &'a Examined, next_file: FileNumber) -> Result<Self> {
        let id = examined.survey.database_id;
        let context = version_context(job.vfs, job.folder, job.config, id, job.meters);
        Ok(Salvage { job, examined, context, next_file, salvaged: 0 })
    }

    /// A number for a new file.
    pub fn next_file(&mut self) -> FileNumber {
        self.next_file += 1;
        self.next_file - 1
    }

    fn order(&self, id: KeyspaceId) -> Result<KeyOrder> {
        self.examined.orders.get(id).cloned().ok_or_else(|| unknown_keyspace(id))
    }

    /// The table if it is whole, else new ones with what is left of it.
    pub fn table(&mut self, meta: &Arc<TableMeta>, report: &mut RepairReport) -> Result<Vec<Arc<TableMeta>>> {
        if !self.examined.damaged_tables.contains(&meta.number) {
            return Ok(vec![Arc::clone(meta)]);
        }
        let path = self.job.folder.join(FileKind::Table.name(meta.number));
        let keyspace = name_of(&self.examined.survey.state, meta.keyspace);
        let all = Finding {
            keyspace: keyspace.clone(),
            first_key: (meta.entries > 0).then(|| meta.smallest_key.clone()),
            last_key: (meta.entries > 0).then(|| meta.largest_key.clone()),
            records: (meta.entries > 0).then_some(meta.entries),
            ..Finding::new(&path, "the whole table")
        };
        let remains = match Remains::open(&self.context.tables, path.clone(), meta.number) {
            Ok(remains) => remains,
            Err(error) if error.is_damage() => {
                report.lost.push(all);
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let order = self.order(meta.keyspace)?;
        let mut runs = Runs {
            salvage: self,
            id: meta.keyspace,
            order: order.clone(),
            last: None,
            open: None,
            done: Vec::new(),
            records: 0,
        };
        let counted = |sequence| meta.committed_at.unwrap_or(sequence);
        let walked = remains
            .walk(&order, &mut |record| runs.add(Record { sequence: counted(record.sequence), ..record }))?;
        runs.end()?;
        let (records, done) = (runs.records, runs.done);
        self.salvaged += records;
        let lost = meta.entries.saturating_sub(records);
        if records == 0 {
            report.lost.push(all);
        } else if lost > 0 || meta.entries == 0 {
            let pages = walked.lost.iter().map(|pages| finding_of(pages, meta, &path, keyspace.clone()));
            report.lost.extend(
                pages.map(|finding| Finding { what: "the records of these pages".into(), ..finding }),
            );
            let what = format!("{records} records of this table were kept, the others are gone");
            let records = (meta.entries > 0).then_some(lost);
            report.lost.push(Finding { records, ..Finding { what, ..all } });
        }
        self.part(meta.keyspace, done)
    }

    /// Tables without common keys that hold what `tables` hold: those that overlap are merged.
    pub fn part(&mut self, id: KeyspaceId, mut tables: Vec<Arc<TableMeta>>) -> Result<Vec<Arc<TableMeta>>> {
        let order = self.order(id)?;
        tables.sort_by(|a, b| order.compare(&a.smallest_key, &b.smallest_key));
        let mut parted = Vec::new();
        let mut group: Vec<Arc<TableMeta>> = Vec::new();
        let mut reach: Vec<u8> = Vec::new();
        for meta in tables {
            if !group.is_empty() && order.compare(&reach, &meta.smallest_key).is_lt() {
                self.merge(id, &order, &mut group, &mut parted)?;
            }
            if group.is_empty() || order.compare(&reach, &meta.largest_key).is_lt() {
                reach.clone_from(&meta.largest_key);
            }
            group.push(meta);
        }
        self.merge(id, &order, &mut group, &mut parted)?;
        Ok(parted)
    }

    fn merge(
        &mut self,
        id: KeyspaceId,
        order: &KeyOrder,
        group: &mut Vec<Arc<TableMeta>>,
        parted: &mut Vec<Arc<TableMeta>>,
    ) -> Result<()> {
        if group.len() < 2 {
            parted.append(group);
            return Ok(());
        }
        // Of equal records the one of the newest file counts.
        group.sort_by_key(|meta| std::cmp::Reverse(meta.number));
        let mut sources: Vec<Box<dyn Cursor>> = Vec::new();
        for meta in group.drain(..) {
            let table = Arc::new(Table::open(&self.context.tables, &meta, order.clone())?);
            sources.push(Box::new(table.cursor().past_cache()));
        }
        let merged = MergeCursor::new(order.clone(), sources);
        parted.extend(self.written(id, Box::new(merged))?);
        Ok(())
    }

    /// New tables with the records of a cursor, each version once.
    pub fn written(&mut self, id: KeyspaceId, cursor: Box<dyn Cursor + '_>) -> Result<Vec<Arc<TableMeta>>> {
        let mut open: Option<TableBuilder> = None;
        let mut last: Option<(Vec<u8>, SequenceNumber)> = None;
        let mut done = Vec::new();
        each_record(cursor, |record| {
            let same_key = last.as_ref().is_some_and(|(key, _)| key == record.key);
            if same_key && last.as_ref().is_some_and(|(_, sequence)| *sequence == record.sequence) {
                return Ok(());
            }
            if !same_key && open.as_ref().is_some_and(|builder| builder.size() >= TARGET_TABLE_BYTES) {
                done.extend(open.take().map(finish).transpose()?);
            }
            let (key, sequence) = last.get_or_insert_default();
            key.clear();
            key.extend_from_slice(record.key);
            *sequence = record.sequence;
            if open.is_none() {
                open = Some(self.builder(id)?);
            }
            open.as_mut().map_or(Ok(()), |builder| builder.add(record).map(drop))
        })?;
        done.extend(open.map(finish).transpose()?);
        Ok(done)
    }

    fn builder(&mut self, id: KeyspaceId) -> Result<TableBuilder> {
        let known = self.examined.survey.state.keyspaces.get(&id).ok_or_else(|| unknown_keyspace(id))?;
        let space = Space::new(known.meta.clone(), self.order(id)?, &self.context.defaults)?;
        let options = TableOptions {
            database_id: self.examined.survey.database_id,
            number: self.next_file(),
            keyspace: id,
            page_size: space.page_size,
            compression: space.compression(true),
            order: space.order,
        };
        TableBuilder::create(self.job.vfs, self.job.folder, options)
    }
}

fn finish(builder: TableBuilder) -> Result<Arc<TableMeta>> {
    builder.finish().map(Arc::new)
}

/// Records of a table whose order is not trusted: each time it breaks a new table is begun.
struct Runs<'s, 'a> {
    salvage: &'s mut Salvage<'a>,
    id: KeyspaceId,
    order: KeyOrder,
    last: Option<(Vec<u8>, SequenceNumber)>,
    open: Option<TableBuilder>,
    done: Vec<Arc<TableMeta>>,
    records: u64,
}

impl Runs<'_, '_> {
    fn add(&mut self, record: Record<'_>) -> Result<()> {
        let behind = |(key, sequence): &(Vec<u8>, SequenceNumber)| {
            self.order.compare_records((key, *sequence), (record.key, record.sequence)).is_lt()
        };
        if !self.last.as_ref().is_none_or(behind) {
            self.end()?;
        }
        if self.open.is_none() {
            self.open = Some(self.salvage.builder(self.id)?);
        }
        if let Some(builder) = &mut self.open {
            builder.add(record)?;
        }
        let (key, sequence) = self.last.get_or_insert_default();
        key.clear();
        key.extend_from_slice(record.key);
        *sequence = record.sequence;
        self.records += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        if let Some(builder) = self.open.take() {
            self.done.push(finish(builder)?);
        }
        Ok(())
    }
}
