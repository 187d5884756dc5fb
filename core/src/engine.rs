//! The parts of an open database, and what they do together.

use arc_swap::Guard;

use crate::base::config::ConsistencyLevel;
use crate::base::error::Result;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::limits::{CLEAN_CLOSE_LOG_BYTES, check_key};
use crate::base::lookup::{Lookup, Reach};
use crate::base::value::Value;
use crate::cache::rows::{Row, RowCache, Seen};
use crate::catalogue::Catalogue;
use crate::compaction::{self, LevelShape, Limits, Stop};
use crate::health::{BackgroundJob, Health};
use crate::read::{self, KeepAlive, Scan, ScanOptions, ScanSource};
use crate::snapshots::Snapshots;
use crate::sync::{Arc, Mutex, Signal};
use crate::version::Levels;
use crate::view::View;
use crate::write::{Writer, flush_oldest};

/// An open database without its threads, its lock and its public face.
pub struct Engine {
    /// Open, halted or closed.
    pub health: Arc<Health>,
    /// Files and views.
    pub catalogue: Arc<Catalogue>,
    /// Rows that are read again and again.
    pub rows: Arc<RowCache>,
    /// The write path.
    pub writer: Writer,
    /// Held sequence numbers.
    pub snapshots: Arc<Snapshots>,
    /// Level of a write that names none.
    pub default_level: ConsistencyLevel,
    /// Most transactions open at once.
    pub max_transactions: usize,
    /// When the picker starts a compaction.
    pub limits: Limits,
    /// Wakes the thread that compacts.
    pub compact: Signal,
    /// Ends compactions.
    pub stop: Stop,
    /// Held while memtables are flushed.
    pub flushing: Mutex<()>,
    /// Held while tables are compacted.
    pub compacting: Mutex<()>,
}

impl Engine {
    /// Lends the value of `key`, as of now or of a held sequence number, to `use_value`.
    #[inline]
    pub fn get<R>(
        &self,
        held: Option<SequenceNumber>,
        key: &[u8],
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        self.lookup(held, key, Reach::Disk, use_value).map(Lookup::on_disk)
    }

    /// As [`Engine::get`], as far as `reach` allows.
    #[inline]
    pub fn lookup<R>(
        &self,
        held: Option<SequenceNumber>,
        key: &[u8],
        reach: Reach,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        self.health.check_read()?;
        check_key(key)?;
        let keyspace = KeyspaceId::DEFAULT;
        let row = |sequence| Row { keyspace: keyspace.0, key, sequence };
        // The look comes before the view: see `RowCache`.
        let (use_value, ticket) = match self.rows.get(row(held.unwrap_or(SequenceNumber::MAX)), use_value) {
            Seen::Hit(found) => return Ok(Lookup::Found(found)),
            Seen::Miss(use_value, ticket) => (use_value, ticket.filter(|_| held.is_none())),
        };
        let (view, sequence) = self.view_at(held);
        let found = read::get(&view, keyspace, key, sequence, reach, |sequence, value| {
            if let Some(ticket) = ticket {
                let pages = &self.catalogue.tables().cache;
                self.rows.offer(ticket, row(sequence), value, |bytes| pages.take_budget(bytes));
            }
            use_value(value)
        });
        if !self.rows.is_on() {
            self.writer.turn_rows_on();
        }
        found.map_err(|error| self.health.closed_or(error))
    }

    /// The values of several keys, all as of now.
    pub fn get_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Vec<Option<Value>>> {
        self.health.check_read()?;
        let (view, sequence) = self.view_at(None);
        let get = |key: &K| {
            check_key(key.as_ref())?;
            let (keyspace, key) = (KeyspaceId::DEFAULT, key.as_ref());
            let row = Row { keyspace: keyspace.0, key, sequence };
            if let Seen::Hit(found) = self.rows.get(row, Value::copy) {
                return found.map(Some);
            }
            let found =
                read::get(&view, keyspace, key, sequence, Reach::Disk, |_, value| Value::copy(value))?;
            found.on_disk().transpose()
        };
        keys.iter().map(get).collect::<Result<_>>().map_err(|error| self.health.closed_or(error))
    }

    #[inline]
    fn view_at(&self, held: Option<SequenceNumber>) -> (Guard<Arc<View>>, SequenceNumber) {
        match held {
            Some(sequence) => (self.catalogue.view().load(), sequence),
            None => self.catalogue.view().latest(),
        }
    }

    /// Opens a scan of what is visible now, or of what was visible at a held sequence number.
    pub fn scan(&self, held: Option<SequenceNumber>, options: ScanOptions, keep: KeepAlive) -> Result<Scan> {
        self.health.check_read()?;
        let (view, sequence) = self.view_at(held);
        let source = ScanSource {
            view: Arc::clone(&view),
            keyspace: KeyspaceId::DEFAULT,
            sequence,
            health: Arc::clone(&self.health),
            own: None,
            keep,
        };
        Scan::new(source, options).map_err(|error| self.health.closed_or(error))
    }

    /// About how many bytes of tables the keys of a scan take.
    pub fn approximate_size(&self, options: &ScanOptions) -> Result<u64> {
        self.health.check_read()?;
        let view = self.catalogue.view().load();
        let Some(levels) = view.version.space(KeyspaceId::DEFAULT) else { return Ok(0) };
        let range = options.walked_range(levels.order());
        levels.approximate_size(&range).map_err(|error| self.health.closed_or(error))
    }

    /// Seals what has been written and flushes all that is sealed. Blocks until it is in tables.
    pub fn flush(&self) -> Result<()> {
        let sealed = self.writer.seal()?;
        let waiting = || self.catalogue.view().load().sealed.iter().any(|set| set.last_sequence() <= sealed);
        while waiting() {
            self.flush_one()?;
        }
        Ok(())
    }

    /// Flushes the oldest sealed memtables, if there are any.
    pub fn flush_one(&self) -> Result<bool> {
        let _flushing = self.flushing.lock();
        self.health.check_read()?;
        self.flush_oldest()
    }

    fn flush_oldest(&self) -> Result<bool> {
        let flushed = flush_oldest(&self.catalogue, &self.snapshots)
            .inspect_err(|error| self.health.halt_unless_undone(error))?;
        if flushed {
            self.health.note(BackgroundJob::Flush, None);
            self.writer.room.notify();
            self.compact.notify();
        }
        Ok(flushed)
    }

    /// Runs the most urgent compaction, if one is due.
    pub fn compact_one(&self) -> Result<bool> {
        self.compact_with(|shape| compaction::pick(shape, self.limits))
    }

    /// Flushes, then merges every table into the deepest level in use. Blocks until done.
    pub fn compact_all(&self) -> Result<()> {
        self.flush()?;
        self.compact_with(compaction::pick_all)?;
        Ok(())
    }

    /// A database that is being closed takes `compacting` and keeps it: nothing changes its files then.
    fn compact_with(&self, pick: impl Fn(&LevelShape<'_>) -> Option<compaction::Job>) -> Result<bool> {
        let _compacting = self.compacting.lock();
        self.health.check_write()?;
        let compacted = self.run_job(pick)?;
        if compacted {
            self.health.note(BackgroundJob::Compaction, None);
            self.writer.room.notify();
            self.catalogue.remove_obsolete();
        }
        Ok(compacted)
    }

    fn run_job(&self, pick: impl Fn(&LevelShape<'_>) -> Option<compaction::Job>) -> Result<bool> {
        let view = Arc::clone(&self.catalogue.view().load());
        for (id, levels) in view.version.spaces() {
            let Some(job) = pick(&shape_of(levels)) else { continue };
            compaction::run(&self.catalogue, &self.snapshots, id, levels, &job, &self.stop)
                .inspect_err(|error| self.health.halt_unless_undone(error))?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Ends the files of a database that takes no more writes, as well as it can. When this returns,
    /// nothing changes them any more.
    pub fn finish(&self) -> Result<()> {
        let _compacting = self.compacting.lock();
        let _flushing = self.flushing.lock();
        let flushed = if self.health.is_halted() { Ok(()) } else { self.flush_closed() };
        let finished = match self.health.is_halted() {
            true => Err(self.health.halted()),
            // Also when a full disk kept the memtables from being flushed: the log has what is in them.
            false => self.writer.finish(),
        };
        self.catalogue.remove_obsolete();
        self.catalogue.close();
        flushed.and(finished)
    }

    fn flush_closed(&self) -> Result<()> {
        if self.writer.log_bytes() > CLEAN_CLOSE_LOG_BYTES {
            self.writer.seal_closed()?;
        }
        while self.flush_oldest()? {}
        Ok(())
    }
}

fn shape_of(levels: &Levels) -> LevelShape<'_> {
    let level = |level| levels.level(level).iter().map(|handle| Arc::clone(handle.meta())).collect();
    LevelShape { order: levels.order(), levels: (0..crate::base::limits::LEVELS).map(level).collect() }
}
