//! The commit section: check, log, memtable, publish.

use std::time::Duration;

use crate::base::coding::put_varint;
use crate::base::config::ConsistencyLevel;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::ids::{KeyspaceId, MAX_SEQUENCE, SequenceNumber};
use crate::base::limits::DEFERRED_LOG_BYTES;
use crate::base::record::RecordKind;
use crate::batch::WriteBatch;
use crate::cache::rows::{Row, RowCache};
use crate::catalogue::Catalogue;
use crate::conflict::{ConflictWindow, ReadSet};
use crate::health::{Health, Unfinished};
use crate::memtable::MemtableWriter;
use crate::sync::{Arc, Mutex, MutexGuard, Signal};
use crate::view::MemSet;
use crate::wal::LogWriter;
use crate::write::group_sync::GroupSync;

/// Settings of the write path.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// Bytes of memtables before they are sealed.
    pub memtable_size: usize,
    /// Oldest age of unflushed records before they are sealed.
    pub checkpoint_interval: Duration,
    /// Tables in level 0 that stop writes until a compaction has finished.
    pub level0_stop: usize,
}

/// What a commit of a transaction brings besides its writes.
pub struct Transactional<'a> {
    /// What must not have changed ...
    pub reads: &'a ReadSet,
    /// ... since this sequence number.
    pub since: SequenceNumber,
}

/// The one writer of a database. Its section is entered by one thread at a time and left before any sync.
pub struct Writer {
    pub(super) catalogue: Arc<Catalogue>,
    rows: Arc<RowCache>,
    pub(super) health: Arc<Health>,
    pub(super) options: WriterOptions,
    pub(super) section: Mutex<Section>,
    pub(super) sync: GroupSync,
    /// Wakes the thread that writes deferred log bytes.
    pub deferred: Signal,
    /// Wakes the thread that flushes.
    pub flush: Signal,
    /// Told when a flush or compaction has made room.
    pub room: Signal,
}

/// What only the thread in the commit section may touch.
pub(super) struct Section {
    pub log: LogWriter,
    pub active: Arc<MemSet>,
    pub last_sequence: SequenceNumber,
    pub window: ConflictWindow,
    /// When the first record came into `active`, in monotonic time.
    pub active_since: Duration,
    header: Vec<u8>,
    /// Buckets of rows that are locked.
    buckets: Vec<usize>,
}

impl Writer {
    /// Over a fresh log; `last_sequence` is the newest one ever used.
    pub fn new(
        catalogue: Arc<Catalogue>,
        rows: Arc<RowCache>,
        health: Arc<Health>,
        options: WriterOptions,
        log: LogWriter,
        last_sequence: SequenceNumber,
    ) -> Self {
        let active = Arc::clone(&catalogue.view().load().active);
        let sync = GroupSync::new(&log);
        let section = Section {
            log,
            active,
            last_sequence,
            window: ConflictWindow::default(),
            active_since: Duration::ZERO,
            header: Vec::new(),
            buckets: Vec::new(),
        };
        let section = Mutex::new(section);
        let (deferred, flush, room) = Default::default();
        Writer { catalogue, rows, health, options, section, sync, deferred, flush, room }
    }

    /// Commits a batch: all of it or nothing. Visible to readers before it is synced, acknowledged (this
    /// call returns) as `level` says. Blocks while flush and compaction are behind.
    pub fn commit(
        &self,
        batch: &WriteBatch,
        level: ConsistencyLevel,
        transaction: Option<Transactional<'_>>,
    ) -> Result<()> {
        self.health.check_write()?;
        if batch.is_empty() && transaction.is_none() {
            return Ok(());
        }
        let mut section = self.section_with_room()?;
        if let Some(transaction) = transaction {
            self.check_conflict(&section, &transaction)?;
        }
        if batch.is_empty() {
            return Ok(());
        }
        let position = self.apply(&mut section, batch, level)?;
        drop(section);
        match level {
            ConsistencyLevel::Strong => self.sync.wait(position, &self.health),
            ConsistencyLevel::Quorum | ConsistencyLevel::Eventual => Ok(()),
        }
    }

    fn check_conflict(&self, section: &Section, transaction: &Transactional<'_>) -> Result<()> {
        let order_of = |id| self.catalogue.order(id);
        match section.window.conflict(transaction.reads, transaction.since, order_of) {
            Some(reason) => {
                Err(Error::new(ErrorKind::Conflict, format!("{reason}; run the transaction again")))
            }
            None => Ok(()),
        }
    }

    /// Log, memtable, publish. Nothing has changed when it fails.
    fn apply(
        &self,
        section: &mut Section,
        batch: &WriteBatch,
        level: ConsistencyLevel,
    ) -> Result<super::group_sync::Position> {
        let first = section.last_sequence + 1;
        let last = section.last_sequence + batch.len() as u64;
        if last > MAX_SEQUENCE {
            return Err(Error::new(ErrorKind::Halted, "the sequence numbers are used up"));
        }
        let active = Arc::clone(&section.active);
        let mut memtables = reserve(&active, batch)?;
        self.log(section, first, batch, level)?;
        let unfinished = Unfinished::new(&self.health, "a commit was logged and could not be applied");
        insert(&mut memtables, batch, first)?;
        drop(memtables);
        if active.is_empty() {
            section.active_since = self.catalogue.tables().vfs.monotonic();
        }
        active.set_last_sequence(last);
        active.add_tombstones(batch.deletes() as u64);
        section.last_sequence = last;
        let watched = section.window.open_count() > 0;
        for (sequence, operation) in (first..).zip(batch.operations()).take_while(|_| watched) {
            section.window.record(sequence, operation.keyspace, operation.key);
        }
        self.publish(section, batch, first);
        unfinished.done();
        Ok(self.sync.position(&section.log))
    }

    /// Makes a commit visible; rows of its keys are changed with it.
    fn publish(&self, section: &mut Section, batch: &WriteBatch, first: SequenceNumber) {
        let last = section.last_sequence;
        if !self.rows.is_on() {
            return self.catalogue.view().publish(last);
        }
        if batch.len() > 1 {
            batch.operations().for_each(|operation| self.rows.prefetch(operation.keyspace.0, operation.key));
        }
        section.buckets.clear();
        for (sequence, operation) in (first..).zip(batch.operations()) {
            let row = Row { keyspace: operation.keyspace.0, key: operation.key, sequence };
            let value = (operation.kind == RecordKind::Put).then_some(operation.value);
            section.buckets.extend(self.rows.change(row, value));
        }
        self.catalogue.view().publish(last);
        section.buckets.iter().for_each(|bucket| self.rows.release(*bucket));
    }

    /// Starts to keep rows, unless a commit is under way.
    pub fn turn_rows_on(&self) {
        let Some(_section) = self.section.try_lock() else { return };
        let pages = &self.catalogue.tables().cache;
        if !self.rows.is_on() && pages.take_budget(self.rows.bytes_of_heads()) {
            self.rows.turn_on();
        }
    }

    fn log(
        &self,
        section: &mut Section,
        first: SequenceNumber,
        batch: &WriteBatch,
        level: ConsistencyLevel,
    ) -> Result<()> {
        let before = section.log.end();
        section.header.clear();
        put_varint(&mut section.header, first);
        put_varint(&mut section.header, batch.len() as u64);
        let mut result = section.log.append(&[&section.header, batch.encoded()]);
        let write_now = level != ConsistencyLevel::Eventual || section.log.buffered() >= DEFERRED_LOG_BYTES;
        if result.is_ok() && write_now {
            result = self.write_log(section);
        } else if result.is_ok() {
            self.deferred.notify();
        }
        if let Err(error) = result {
            // The commit is taken back; deferred ones in front of it stay buffered.
            if let Err(stuck) = section.log.rollback(before) {
                self.health.halt(&stuck);
            }
            return Err(error);
        }
        Ok(())
    }

    /// Hands buffered log bytes to the operating system. A full disk leaves everything as it was; any
    /// other failure halts.
    pub(super) fn write_log(&self, section: &mut Section) -> Result<()> {
        if section.log.buffered() == 0 {
            return Ok(());
        }
        if self.health.is_halted() {
            return Err(self.health.halted());
        }
        let Err(error) = section.log.write() else {
            self.sync.written(&section.log);
            return Ok(());
        };
        self.health.halt_unless_undone(&error);
        if let Err(stuck) = self.sync.alone(|| section.log.repair_tail()) {
            self.health.halt(&stuck);
        }
        Err(error)
    }

    /// Writes what `Eventual` commits left in memory. Called about every millisecond while there is some.
    pub fn write_deferred(&self) -> Result<()> {
        self.write_log(&mut self.section.lock())
    }

    /// Begins a transaction: what it sees, and from now on commits are remembered for its conflict check.
    /// `hold` is called at the instant that counts. Refused above `limit` open ones.
    pub fn begin<T>(&self, limit: usize, hold: impl FnOnce() -> (SequenceNumber, T)) -> Result<T> {
        let mut section = self.section.lock();
        if section.window.open_count() >= limit {
            return Err(Error::new(
                ErrorKind::TooMany,
                format!(
                    "{limit} transactions are open: commit or abort some, or raise max_active_transactions"
                ),
            ));
        }
        let (sequence, held) = hold();
        section.window.begin(sequence);
        Ok(held)
    }

    /// Ends a transaction that [`Writer::begin`] began at `sequence`.
    pub fn end(&self, sequence: SequenceNumber) {
        self.section.lock().window.end(sequence);
    }

    /// Transactions that are open.
    pub fn open_transactions(&self) -> usize {
        self.section.lock().window.open_count()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Section> {
        self.section.lock()
    }
}

type Memtables<'a> = Vec<(KeyspaceId, MemtableWriter<'a>)>;

/// Makes sure that the inserts cannot fail once the log has the batch.
fn reserve<'a>(active: &'a MemSet, batch: &WriteBatch) -> Result<Memtables<'a>> {
    let mut memtables: Memtables<'a> = Vec::with_capacity(1);
    for operation in batch.operations() {
        if memtables.iter().any(|(id, _)| *id == operation.keyspace) {
            continue;
        }
        let Some(memtable) = active.space(operation.keyspace) else {
            let id = operation.keyspace.0;
            return Err(Error::new(ErrorKind::NotFound, format!("there is no keyspace {id}")));
        };
        let mut writer = memtable.writer();
        writer.reserve(batch.len(), batch.size())?;
        memtables.push((operation.keyspace, writer));
    }
    Ok(memtables)
}

fn insert(memtables: &mut Memtables<'_>, batch: &WriteBatch, first: SequenceNumber) -> Result<()> {
    for (sequence, operation) in (first..).zip(batch.operations()) {
        if let Some((_, memtable)) = memtables.iter_mut().find(|(id, _)| *id == operation.keyspace) {
            memtable.insert(operation.key, sequence, operation.kind, operation.value)?;
        }
    }
    Ok(())
}
