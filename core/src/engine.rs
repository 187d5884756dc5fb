//! The parts of an open database, and what they do together.

mod compact;

use arc_swap::Guard;

use crate::base::config::ConsistencyLevel;
use crate::base::error::Result;
use crate::base::hash::hash_key;
use crate::base::ids::{KeyspaceId, SequenceNumber};
use crate::base::limits::{CLEAN_CLOSE_LOG_BYTES, check_key};
use crate::base::lookup::{Lookup, Reach, Wanted};
use crate::base::value::Value;
use crate::btree::find_hinted;
use crate::btree::{ReadAhead, TableMeta};
use crate::cache::rows::{Row, RowCache, Seen, in_keyspace};
use crate::cache::{loads_of_this_thread, pin};
use crate::catalogue::Catalogue;
use crate::compaction::{Limits, Schedule, Stop};
use crate::health::{BackgroundJob, Health};
use crate::metrics::{Counter, Timed};
use crate::read::{
    self, KeepAlive, Lend, Scan, ScanOptions, ScanSource, absence_is_expected, expect_absence,
};
use crate::snapshots::Snapshots;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, Signal};
use crate::view::View;
use crate::write::{Flushed, IngestedTables, Writer, flush_oldest, refill_flushed};

pub use compact::CompactionProgress;

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
    /// Reads pages ahead of scans.
    pub read_ahead: Option<Arc<ReadAhead>>,
    /// When the picker starts a compaction.
    pub limits: Limits,
    /// Wakes the thread that compacts.
    pub compact: Signal,
    /// Ends compactions.
    pub stop: Stop,
    /// Held while memtables are flushed.
    pub flushing: Mutex<()>,
    /// The compactions that are running.
    pub schedule: Arc<Schedule>,
    /// Rises with each flush.
    pub flushes: AtomicU64,
    /// What flushes have written, and [`Engine::refill_flushed`] has not looked at yet.
    pub fresh: Mutex<Vec<Arc<TableMeta>>>,
}

impl Engine {
    /// Lends the value of `key` in a keyspace that is there, as of now or of a held sequence number, to `use_value`.
    #[inline]
    pub fn get<R>(
        &self,
        keyspace: KeyspaceId,
        held: Option<SequenceNumber>,
        key: &[u8],
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        self.lookup(keyspace, held, key, Reach::Disk, use_value).map(Lookup::on_disk)
    }

    /// As [`Engine::get`], copied.
    #[inline]
    pub fn get_value(
        &self,
        keyspace: KeyspaceId,
        held: Option<SequenceNumber>,
        key: &[u8],
    ) -> Result<Option<Value>> {
        // Filled where the caller will have it: 72 instructions less than a copy that is handed on.
        let mut copy = Ok(Some(Value::default()));
        let use_value = |value: &[u8]| {
            if let Ok(Some(place)) = &mut copy
                && let Err(error) = place.fill(value)
            {
                copy = Err(error);
            }
        };
        match self.look_up(keyspace, held, key, Reach::Disk, Lend::Briefly, use_value) {
            Ok(Lookup::Found(())) => {}
            Ok(_) => copy = Ok(None),
            Err(error) => copy = Err(error),
        }
        copy
    }

    /// As [`Engine::get`], as far as `reach` allows.
    #[inline]
    pub fn lookup<R>(
        &self,
        keyspace: KeyspaceId,
        held: Option<SequenceNumber>,
        key: &[u8],
        reach: Reach,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        self.look_up(keyspace, held, key, reach, Lend::Held, use_value)
    }

    #[inline]
    fn look_up<R>(
        &self,
        keyspace: KeyspaceId,
        held: Option<SequenceNumber>,
        key: &[u8],
        reach: Reach,
        lend: Lend,
        use_value: impl FnOnce(&[u8]) -> R,
    ) -> Result<Lookup<R>> {
        self.health.check_read()?;
        check_key(key)?;
        let timer = self.health.meters.begin(Timed::Read);
        let hash = hash_key(key);
        let row = |sequence| Row { keyspace: keyspace.0, key, sequence };
        if absence_is_expected() && self.is_surely_absent(keyspace, held, key, hash) {
            timer.end(Counter::RowMisses);
            return Ok(Lookup::Absent);
        }
        let (tables, row_hash) = (self.catalogue.tables(), in_keyspace(hash, keyspace.0));
        tables.cache.hints().prefetch(row_hash);
        // The looks at rows and hints come before the view: see `RowCache`.
        let newest = held.unwrap_or(SequenceNumber::MAX);
        let (use_value, ticket) = match self.rows.get_hashed(row_hash, row(newest), use_value) {
            Seen::Hit(found) => {
                timer.end(Counter::RowHits);
                return Ok(Lookup::Found(found));
            }
            Seen::Miss(use_value, ticket) => (use_value, ticket.filter(|_| held.is_none())),
        };
        if let Some(pin) = pin()
            && let wanted = (Wanted { key, hash, sequence: newest })
            && let Some(record) = find_hinted(tables, keyspace, &wanted, row_hash, &pin)
        {
            if let Some(ticket) = ticket {
                self.rows.offer_hinted(ticket, row(record.sequence), record.value(), &*tables.cache);
            }
            let found = match lend {
                Lend::Briefly => use_value(record.value()),
                Lend::Held => {
                    let record = record.counted();
                    drop(pin);
                    use_value(record.value())
                }
            };
            timer.end(Counter::RowMisses);
            return Ok(Lookup::Found(found));
        }
        let loads = loads_of_this_thread();
        let (view, sequence) = self.view_at(held);
        let wanted = Wanted { key, hash, sequence };
        let found = read::get(&view, keyspace, &wanted, reach, lend, |sequence, value, record| {
            if let Some(ticket) = ticket {
                let (tables, from_disk) = (self.catalogue.tables(), loads_of_this_thread() != loads);
                read::keep(&self.rows, tables, ticket, row(sequence), value, record, from_disk);
            }
            use_value(value)
        });
        // Who finds nothing in memory comes again to look on the disk.
        if !matches!(found, Ok(Lookup::NotCached)) {
            timer.end(Counter::RowMisses);
        }
        expect_absence(matches!(found, Ok(Lookup::Absent)));
        if !self.rows.is_on() {
            self.writer.turn_rows_on();
        }
        found.map_err(|error| self.health.closed_or(error))
    }

    /// Asks the filters alone; if they may have the key, something is there to be found next time too.
    #[inline]
    fn is_surely_absent(
        &self,
        keyspace: KeyspaceId,
        held: Option<SequenceNumber>,
        key: &[u8],
        hash: u64,
    ) -> bool {
        let Some(pin) = pin() else { return false };
        let (view, _) = self.view_at(held);
        let absent = read::is_surely_absent(&view, keyspace, key, hash, &pin);
        expect_absence(absent);
        absent
    }

    /// The values of several keys, all as of now.
    pub fn get_many<K: AsRef<[u8]>>(&self, keyspace: KeyspaceId, keys: &[K]) -> Result<Vec<Option<Value>>> {
        self.health.check_read()?;
        self.health.meters.add(Counter::BatchReads, 1);
        self.health.meters.add(Counter::BatchReadKeys, keys.len() as u64);
        let values = read::get_many(&self.catalogue, &self.rows, keyspace, keys);
        if !self.rows.is_on() {
            self.writer.turn_rows_on();
        }
        values.map_err(|error| self.health.closed_or(error))
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
        let keyspace = self.keyspace_of(&options)?;
        let (view, sequence) = self.view_at(held);
        let source = ScanSource {
            view: Arc::clone(&view),
            keyspace,
            sequence,
            health: Arc::clone(&self.health),
            own: None,
            read_ahead: self.read_ahead.clone(),
            keep,
        };
        Scan::new(source, options).map_err(|error| self.health.closed_or(error))
    }

    /// The keyspace that options name. Errors: `NotFound`, `InvalidArgument` (of another database).
    pub fn keyspace_of(&self, options: &ScanOptions) -> Result<KeyspaceId> {
        match &options.keyspace {
            Some(space) => space.id_for(self.catalogue.instance()),
            None => Ok(KeyspaceId::DEFAULT),
        }
    }

    /// About how many bytes of tables the keys of a scan take.
    pub fn approximate_size(&self, options: &ScanOptions) -> Result<u64> {
        self.health.check_read()?;
        let view = self.catalogue.view().load();
        let keyspace = self.keyspace_of(options)?;
        let levels = view.version.space(keyspace).ok_or_else(|| self.health.closed_or(View::gone()))?;
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
        // What a close has forgotten waits for nothing.
        self.health.check_read()
    }

    /// Flushes the oldest sealed memtables, if there are any.
    pub fn flush_one(&self) -> Result<bool> {
        let _flushing = self.flushing.lock();
        self.health.check_read()?;
        self.flush_oldest()
    }

    fn flush_oldest(&self) -> Result<bool> {
        let clock = || self.catalogue.tables().vfs.monotonic();
        let began = clock();
        let flushed = flush_oldest(&self.catalogue, &self.snapshots)
            .inspect_err(|error| self.health.halt_unless_undone(error))?;
        let Some(Flushed { bytes, tables }) = flushed else { return Ok(false) };
        self.fresh.lock().extend(tables);
        self.health.note(BackgroundJob::Flush, None);
        self.flushes.fetch_add(1, Ordering::AcqRel);
        self.writer.note_flushed(bytes, clock().saturating_sub(began));
        self.compact.notify();
        Ok(true)
    }

    /// Brings the tables of flushes into the cache, where what they update is.
    pub fn refill_flushed(&self) {
        let fresh = std::mem::take(&mut *self.fresh.lock());
        refill_flushed(&self.catalogue, &fresh, &|| !self.stop.load(Ordering::Acquire));
    }

    /// Makes ingested tables part of the database. All that is older must be in tables first: what has come in since
    /// the first flush goes in a second one, for which commits wait.
    pub fn publish_ingest(&self, tables: &mut IngestedTables) -> Result<()> {
        self.flush()?;
        let mut pause = None;
        while !self.try_publish(tables)? {
            pause.get_or_insert_with(|| self.writer.pause());
            self.flush()?;
        }
        Ok(())
    }

    fn try_publish(&self, tables: &mut IngestedTables) -> Result<bool> {
        // The outcome of a running compaction may lie across the new tables: they stay above it then.
        let running = self.schedule.lock();
        let published = self.writer.publish_ingest(tables, running.count() == 0)?.is_some();
        if published {
            self.compact.notify();
        }
        Ok(published)
    }

    /// Ends the files of a database that takes no more writes, as well as it can. When this returns,
    /// nothing changes them any more.
    pub fn finish(&self) -> Result<()> {
        if self.health.is_read_only() {
            return Ok(());
        }
        self.schedule.drain();
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

    /// Gives back descriptors, maps and memory of a closed database, whoever still has a handle of it.
    pub fn let_go(&self) {
        self.catalogue.let_go();
        self.catalogue.tables().cache.clear();
        self.rows.clear();
    }

    fn flush_closed(&self) -> Result<()> {
        if self.writer.log_bytes() > CLEAN_CLOSE_LOG_BYTES {
            self.writer.seal_closed()?;
        }
        while self.flush_oldest()? {}
        Ok(())
    }
}
