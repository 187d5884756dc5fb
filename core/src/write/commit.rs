//! The commit section: check, log, memtable, publish, for a group of commits at once.

use std::time::Duration;

use crate::base::coding::put_varint;
use crate::base::config::ConsistencyLevel;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::hash::hash_key;
use crate::base::ids::{KeyspaceId, MAX_SEQUENCE, SequenceNumber};
use crate::base::limits::DEFERRED_LOG_BYTES;
use crate::base::planted::{Plant, planted};
use crate::base::record::RecordKind;
use crate::batch::{Operation, WriteBatch};
use crate::cache::rows::{Row, RowCache};
use crate::catalogue::Catalogue;
use crate::conflict::{ConflictWindow, OpenTransactions, ReadSet};
use crate::health::{Health, Unfinished};
use crate::metrics::{Counter, Timed};
use crate::sync::{Arc, Mutex, MutexGuard, Signal};
use crate::view::MemSet;
use crate::wal::LogWriter;
use crate::write::group_commit::Queue;
use crate::write::group_sync::{GroupSync, Position};
use crate::write::memtables::Memtables;
use crate::write::stall::Pace;

/// So many operations of a group are looked at before the log is written.
const AHEAD: usize = 32;

/// Settings of the write path.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// Bytes of memtables before they are sealed.
    pub memtable_size: usize,
    /// Oldest age of unflushed records before they are sealed.
    pub checkpoint_interval: Duration,
    /// Tables in level 0 above which writes are slowed down.
    pub level0_slow: usize,
    /// Tables in level 0 that stop writes until a compaction has finished.
    pub level0_stop: usize,
    /// Whether concurrent commits of transactions share log writes and syncs.
    pub group_transactions: bool,
}

/// What must be unchanged when a transaction commits.
pub struct Checked {
    /// Keys and ranges that must not have changed ...
    pub reads: ReadSet,
    /// ... since this sequence number.
    pub since: SequenceNumber,
}

/// One commit of a group, on its way through the section.
pub(super) struct Member<'a> {
    batch: &'a WriteBatch,
    pub level: ConsistencyLevel,
    check: Option<&'a Checked>,
    /// Sequence number of its first record, once it is staged.
    first: SequenceNumber,
    /// Where the log ends behind it, or why it failed; `None` until it was tried.
    pub outcome: Option<Result<Position>>,
}

impl<'a> Member<'a> {
    pub fn new(batch: &'a WriteBatch, level: ConsistencyLevel, check: Option<&'a Checked>) -> Self {
        Member { batch, level, check, first: 0, outcome: None }
    }

    /// Whether it is going to be committed.
    fn is_staged(&self) -> bool {
        matches!(self.outcome, Some(Ok(_)))
    }
}

/// The one writer of a database. Its section is entered by one thread at a time and left before any sync.
pub struct Writer {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) rows: Arc<RowCache>,
    pub(super) health: Arc<Health>,
    pub(super) options: WriterOptions,
    pub(super) section: Mutex<Section>,
    /// Locked for a moment only; also inside the section.
    open: Mutex<OpenTransactions>,
    pub(super) sync: GroupSync,
    pub(super) pace: Pace,
    pub(super) queue: Queue,
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
    /// Ingests that wait for what is older to be flushed; commits wait for them.
    pub pauses: usize,
    header: Vec<u8>,
    /// Hashes of the rows of a group's first operations, then of all; none while there are no rows.
    pub(super) hashes: Vec<u64>,
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
        let sync = GroupSync::new(&log, Arc::clone(&catalogue.tables().vfs));
        let section = Section {
            log,
            active,
            last_sequence,
            window: ConflictWindow::default(),
            active_since: Duration::ZERO,
            pauses: 0,
            header: Vec::new(),
            hashes: Vec::new(),
            buckets: Vec::new(),
        };
        let section = Mutex::new(section);
        let (open, queue, pace, deferred, flush, room) = Default::default();
        Writer { catalogue, rows, health, options, section, open, sync, pace, queue, deferred, flush, room }
    }

    /// Commits a group: each member whole or not at all, the log written once and the view published once.
    /// A member that conflicts, or has no room in memory, fails alone; a log write that fails takes back all.
    pub(super) fn commit_group(&self, section: &mut Section, members: &mut [Member<'_>]) {
        self.drop_spare(section);
        let active = Arc::clone(&section.active);
        let (log_end, last) = (section.log.end(), section.last_sequence);
        let mut staging = Staging { memtables: Memtables::new(&active), last_sequence: last };
        // Armed with the first change that a panic (of a comparator) would leave behind.
        let mut unfinished = None;
        for member in &mut *members {
            member.outcome = Some(self.stage(section, &mut staging, member));
            if member.is_staged() && unfinished.is_none() {
                unfinished = Some(Unfinished::new(&self.health, "a commit was left half-way"));
            }
        }
        let Some(unfinished) = unfinished else { return };
        self.ask_ahead(section, &mut staging.memtables, members);
        let result = self.log_group(section, members);
        if let Err(error) = &result {
            // The group is taken back; deferred commits in front of it stay buffered.
            section.window.rollback(last);
            if let Err(stuck) = section.log.rollback(log_end) {
                self.health.halt(&stuck);
            }
            unfinished.done();
            return fail_staged(members, error);
        }
        if let Err(error) = staging.insert(members) {
            return fail_staged(members, &error);
        }
        if active.is_empty() {
            section.active_since = self.catalogue.tables().vfs.monotonic();
        }
        active.set_last_sequence(staging.last_sequence);
        section.last_sequence = staging.last_sequence;
        drop(staging);
        self.publish(section, members);
        unfinished.done();
    }

    /// Checks a member and appends it to the log's buffer. Nothing has changed when it fails.
    fn stage(
        &self,
        section: &mut Section,
        staging: &mut Staging<'_>,
        member: &mut Member<'_>,
    ) -> Result<Position> {
        if let Some(check) = member.check.filter(|_| !planted(Plant::ConflictUnchecked)) {
            self.check_conflict(section, check)?;
        }
        let (batch, first) = (member.batch, staging.last_sequence + 1);
        let last = staging.last_sequence + batch.len() as u64;
        if last > MAX_SEQUENCE {
            return Err(Error::new(ErrorKind::Halted, "the sequence numbers are used up"));
        }
        staging.memtables.reserve(batch)?;
        section.header.clear();
        put_varint(&mut section.header, first);
        put_varint(&mut section.header, batch.len() as u64);
        section.log.append(&[&section.header, batch.encoded()])?;
        if section.window.is_watching() {
            for (sequence, operation) in (first..).zip(batch.operations()) {
                section.window.record(sequence, operation.keyspace, operation.key);
            }
        }
        member.first = first;
        staging.last_sequence = last;
        Ok(self.sync.position(&section.log))
    }

    fn check_conflict(&self, section: &Section, check: &Checked) -> Result<()> {
        let view = self.catalogue.view().load();
        let order_of = |id| view.version.space(id).map(|levels| levels.order());
        match section.window.conflict(&check.reads, check.since, order_of) {
            Some(reason) => {
                Err(Error::new(ErrorKind::Conflict, format!("{reason}; run the transaction again")))
            }
            None => Ok(()),
        }
    }

    /// Asks the processor for what the first operations will change once the log is written. The others ask as they go.
    fn ask_ahead(&self, section: &mut Section, memtables: &mut Memtables<'_>, members: &[Member<'_>]) {
        section.hashes.clear();
        let are_rows_on = self.rows.is_on();
        for (nth, (_, operation)) in operations(members).take(AHEAD).enumerate() {
            let hash = hash_key(operation.key);
            memtables.ask_filter(operation.keyspace, nth, hash);
            if are_rows_on {
                section.hashes.push(self.ask_row(operation.keyspace, hash));
            }
        }
    }

    /// Asks for the lines of a row and of its hint. The hash of the row.
    fn ask_row(&self, keyspace: KeyspaceId, hash: u64) -> u64 {
        let hash = self.rows.prefetch(keyspace.0, hash);
        self.catalogue.tables().cache.hints().prefetch(hash);
        hash
    }

    /// Makes a group visible; rows of its keys are changed with it.
    fn publish(&self, section: &mut Section, members: &[Member<'_>]) {
        let last = section.last_sequence;
        if !self.rows.is_on() || planted(Plant::StaleRow) {
            return self.catalogue.view().publish(last);
        }
        let hints = self.catalogue.tables().cache.hints();
        for (_, operation) in operations(members).skip(section.hashes.len()) {
            section.hashes.push(self.ask_row(operation.keyspace, hash_key(operation.key)));
        }
        section.buckets.clear();
        for ((sequence, operation), hash) in operations(members).zip(&section.hashes) {
            let row = Row { keyspace: operation.keyspace.0, key: operation.key, sequence };
            let value = (operation.kind == RecordKind::Put).then_some(operation.value);
            section.buckets.extend(self.rows.change(*hash, row, value));
            if !planted(Plant::StaleHint) {
                hints.remove(*hash);
            }
        }
        self.catalogue.view().publish(last);
        section.buckets.iter().for_each(|bucket| self.rows.release(*bucket));
    }

    /// Starts to keep rows, unless a commit is under way.
    pub fn turn_rows_on(&self) {
        let Some(_section) = self.section.try_lock() else { return };
        let pages = &*self.catalogue.tables().cache;
        pages.turn_hints_on();
        self.rows.turn_on(pages);
    }

    /// One write for the group, unless all of it may wait.
    fn log_group(&self, section: &mut Section, members: &[Member<'_>]) -> Result<()> {
        let may_wait = staged(members).all(|member| member.level == ConsistencyLevel::Eventual);
        if may_wait && section.log.buffered() < DEFERRED_LOG_BYTES {
            self.deferred.notify();
            return Ok(());
        }
        self.write_log(section)
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
        if section.log.refuses() {
            section.log.begin(self.catalogue.begin()?);
            self.sync.replaced(&section.log);
        }
        let timer = self.health.meters.begin(Timed::LogWrite);
        let bytes = section.log.buffered() as u64;
        let Err(error) = section.log.write() else {
            timer.end(Counter::LogWrites);
            self.health.meters.add(Counter::LogBytes, bytes);
            self.sync.written(&section.log);
            section.log.fill_ahead();
            return Ok(());
        };
        self.health.halt_unless_undone(&error);
        if let Err(stuck) = self.sync.alone(|| section.log.repair_tail()) {
            self.health.halt(&stuck);
        }
        Err(error)
    }

    /// Writes what `Eventual` commits left in memory. Called about every millisecond while there is some, and
    /// now and then.
    pub fn write_deferred(&self) -> Result<()> {
        let mut section = self.section.lock();
        self.write_log(&mut section)?;
        section.log.rest();
        Ok(())
    }

    /// Makes the room of the disk that the log does not need free for others.
    pub fn give_back(&self) {
        self.section.lock().log.give_back();
    }

    /// Begins a transaction: what it sees, and from now on commits are remembered for its conflict check.
    /// `hold` is called at the instant that counts. Refused above `limit` open ones.
    pub fn begin<T>(&self, limit: usize, hold: impl FnOnce() -> (SequenceNumber, T)) -> Result<T> {
        let mut open = self.open.lock();
        if !open.is_watching() {
            drop(open);
            let mut section = self.section.lock();
            open = self.open.lock();
            if !open.is_watching() {
                section.window.watch(self.catalogue.view().visible());
                open.watch();
            }
        }
        if open.count() >= limit {
            return Err(Error::new(
                ErrorKind::TooMany,
                format!(
                    "{limit} transactions are open: commit or abort some, or raise max_active_transactions"
                ),
            ));
        }
        let (sequence, held) = hold();
        open.begin(sequence);
        Ok(held)
    }

    /// Ends a transaction that [`Writer::begin`] began at `sequence`.
    pub fn end(&self, sequence: SequenceNumber) {
        self.open.lock().end(sequence);
    }

    /// Transactions that are open.
    pub fn open_transactions(&self) -> usize {
        self.open.lock().count()
    }

    /// Forgets recent commits that no transaction asks about.
    fn drop_spare(&self, section: &mut Section) {
        if section.window.is_watching() {
            let spare = self.open.lock().spare(self.catalogue.view().visible());
            section.window.drop_spare(spare);
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Section> {
        self.section.lock()
    }
}

/// Members that are going to be committed.
fn staged<'m, 'a>(members: &'m [Member<'a>]) -> impl Iterator<Item = &'m Member<'a>> {
    members.iter().filter(|member| member.is_staged())
}

/// Their operations with sequence numbers, which rise by one.
fn operations<'m>(members: &'m [Member<'_>]) -> impl Iterator<Item = (SequenceNumber, Operation<'m>)> {
    staged(members).flat_map(|member| (member.first..).zip(member.batch.operations()))
}

fn fail_staged(members: &mut [Member<'_>], error: &Error) {
    for member in members.iter_mut().filter(|member| member.is_staged()) {
        member.outcome = Some(Err(error.clone()));
    }
}

/// A group that is being put together.
struct Staging<'a> {
    memtables: Memtables<'a>,
    last_sequence: SequenceNumber,
}

impl Staging<'_> {
    fn insert(&mut self, members: &[Member<'_>]) -> Result<()> {
        staged(members).try_for_each(|member| self.memtables.insert(member.batch, member.first))
    }
}
