//! Opening an existing database. Everything up to the publishing of the new manifest may be cut and
//! started again; no file that was recovered is ever written to with other bytes.

use std::path::Path;

use crate::base::comparator::{GivenOrders, KeyOrder};
use crate::base::config::LightningDbConfig;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::{self, FileKind, UNFINISHED};
use crate::base::header::{FILE_HEADER_LEN, FileHeader};
use crate::base::ids::SequenceNumber;
use crate::base::per_keyspace::PerKeyspace;
use crate::base::planted::{Plant, planted};
use crate::btree::{Maps, TableContext};
use crate::cache::PageCache;
use crate::catalogue::{Catalogue, FirstChange};
use crate::codec::{Codec, Compression};
use crate::health::Health;
use crate::manifest::{self, Edit, Loaded, Manifest, orders_of};
use crate::metrics::Meters;
use crate::recovery::files;
use crate::recovery::replay::{new_memset, replay_all};
use crate::sync::Arc;
use crate::version::{Obsolete, Space, SpaceDefaults, VersionContext, new_instance};
use crate::vfs::Vfs;
use crate::view::MemSet;
use crate::wal::LogWriter;

/// What opening found to mend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Whether the database is new, or was closed properly the last time.
    pub clean: bool,
    /// Records read back from logs.
    pub replayed_records: u64,
    /// Bytes of an unfinished write at the end of the last log, which were dropped. Damage to the very last
    /// group of synced commits looks the same.
    pub dropped_log_bytes: u64,
    /// Bytes of an unfinished edit at the end of the manifest, which were dropped.
    pub dropped_manifest_bytes: u64,
}

/// A recovered database, ready to take writes.
pub struct Opened {
    /// Files and views.
    pub catalogue: Arc<Catalogue>,
    /// The new log.
    pub log: LogWriter,
    /// The newest sequence number ever used.
    pub last_sequence: SequenceNumber,
    /// What was mended.
    pub report: RecoveryReport,
}

/// Opens the database in `folder`, whose lock the caller holds.
pub fn open(
    vfs: &Arc<dyn Vfs>,
    folder: &Path,
    config: &LightningDbConfig,
    given: &GivenOrders,
    health: &Arc<Health>,
) -> Result<Opened> {
    let Some(loaded) = manifest::load(&**vfs, folder)? else {
        return Err(Error::missing(&folder.join(filename::CURRENT)));
    };
    let orders = orders_of(&loaded.state, given, folder)?;
    let context = version_context(vfs, folder, config, loaded.database_id, &health.meters);
    let spaces = spaces_of(&loaded, &orders, &context.defaults)?;
    let names = vfs.list(folder).map_err(|error| Error::io("list", folder, error))?;
    files::check(&**vfs, folder, &loaded, &names)?;
    // Before anything is written: it may make room on a full disk.
    files::remove_orphans(&**vfs, folder, &loaded, &names)?;
    let mut recovery = Recovery { vfs, folder, orders: &orders, loaded, report: RecoveryReport::default() };
    recovery.reserve_numbers(&names);
    let (sealed, mut last_sequence) = recovery.replay_logs()?;
    if planted(Plant::SequenceBack) {
        last_sequence = last_sequence.saturating_sub(1);
    }
    let (log, manifest, first_change) = match recovery.is_clean() && last_sequence > 0 {
        true => recovery.put_off(last_sequence, &names)?,
        false => recovery.publish(last_sequence, &names)?,
    };
    let Recovery { loaded, report, .. } = recovery;
    let active = Arc::new(new_memset(vec![log.number()], &orders));
    let files = (manifest, loaded.state, first_change);
    let catalogue =
        Catalogue::new(context, Arc::clone(health), files, &spaces, active, sealed, last_sequence);
    Ok(Opened { catalogue: Arc::new(catalogue), log, last_sequence, report })
}

/// What the keyspaces are made with.
pub(super) fn spaces_of(
    loaded: &Loaded,
    orders: &PerKeyspace<KeyOrder>,
    defaults: &SpaceDefaults,
) -> Result<Vec<Arc<Space>>> {
    let space = |(id, order): (_, &KeyOrder)| {
        let meta = loaded.state.keyspaces.get(&id)?.meta.clone();
        Some(Space::new(meta, order.clone(), defaults).map(Arc::new))
    };
    orders.iter().filter_map(space).collect()
}

struct Recovery<'a> {
    vfs: &'a Arc<dyn Vfs>,
    folder: &'a Path,
    orders: &'a PerKeyspace<KeyOrder>,
    loaded: Loaded,
    report: RecoveryReport,
}

impl Recovery<'_> {
    /// A cut recovery may have made files that the manifest does not know: their numbers are used up.
    fn reserve_numbers(&mut self, names: &[String]) {
        if planted(Plant::NumberReused) {
            return;
        }
        let used = names
            .iter()
            .filter_map(|name| FileKind::parse(name.strip_suffix(UNFINISHED).unwrap_or(name)))
            .map(|(_, number)| number.saturating_add(1))
            .max();
        let next = &mut self.loaded.state.next_file;
        *next = (*next).max(used.unwrap_or(0)).max(self.loaded.number + 1);
    }

    /// Memtables with what the logs hold, newest first, and the last sequence number.
    fn replay_logs(&mut self) -> Result<(Vec<Arc<MemSet>>, SequenceNumber)> {
        let Recovery { vfs, folder, orders, loaded, report } = self;
        report.clean = loaded.state.clean;
        report.dropped_manifest_bytes = loaded.dropped;
        let (mut sealed, mut edit) = (Vec::new(), Edit::default());
        let last_sequence = replay_all(&***vfs, folder, loaded, orders, &mut |log| {
            report.replayed_records += log.records;
            report.dropped_log_bytes += log.tail.dropped;
            if log.records == 0 {
                edit.logs_removed.push(log.number);
                return Ok(());
            }
            if log.tail.dropped > 0 && planted(Plant::TailMended) {
                super::planted::mend_tail(&***vfs, folder, loaded.database_id, log.number, log.tail.end);
            }
            if log.known_end.is_none() {
                files::make_durable(&***vfs, folder, log.number, log.tail.end)?;
                edit.logs_ended.push((log.number, log.tail.end));
            }
            sealed.insert(0, Arc::new(log.set));
            Ok(())
        })?;
        loaded.state.apply(&edit).map_err(|problem| Error::new(ErrorKind::Internal, problem))?;
        Ok((sealed, last_sequence))
    }

    /// Whether all stands on the disk as the last close has left it.
    fn is_clean(&self) -> bool {
        self.report.clean && self.report.dropped_manifest_bytes == 0 && self.report.dropped_log_bytes == 0
    }

    /// The header of the new log, which the state names from now on.
    fn add_log(&mut self, last_sequence: SequenceNumber) -> Result<FileHeader> {
        let state = &mut self.loaded.state;
        let number = state.next_file;
        let header = FileHeader {
            kind: FileKind::Log,
            database_id: self.loaded.database_id,
            number,
            first_sequence: last_sequence + 1,
            previous_log: state.logs.keys().next_back().copied().unwrap_or(0),
        };
        let edit = Edit { logs_added: vec![number], next_file: Some(number + 1), ..Edit::default() };
        state.apply(&edit).map_err(|problem| Error::new(ErrorKind::Internal, problem))?;
        Ok(header)
    }

    /// A new log, then a new manifest that names it: with the manifest the recovery is done.
    fn publish(&mut self, last_sequence: SequenceNumber, names: &[String]) -> Result<Files> {
        let header = self.add_log(last_sequence)?;
        let log = LogWriter::create(&**self.vfs, self.folder, header)?;
        let state = &mut self.loaded.state;
        let number = state.next_file;
        state.next_file += 1;
        let manifest = Manifest::publish(self.vfs, self.folder, self.loaded.database_id, number, state)?;
        files::remove_replaced(&**self.vfs, self.folder, names, state);
        Ok((log, manifest, None))
    }

    /// The same, to be done when something changes.
    fn put_off(&mut self, last_sequence: SequenceNumber, names: &[String]) -> Result<Files> {
        let header = self.add_log(last_sequence)?;
        let (id, folder) = (self.loaded.database_id, self.folder);
        let log = LogWriter::refusing(folder, FileKind::Log, id, header.number, FILE_HEADER_LEN as u64);
        let manifest = Manifest::refusing(folder, id, self.loaded.number);
        let replaced = files::replaced(names, &self.loaded.state).collect();
        Ok((log, manifest, Some(FirstChange { log: header, made: None, replaced })))
    }
}

/// What takes the changes of an open database.
type Files = (LogWriter, Manifest, Option<FirstChange>);

pub(super) fn version_context(
    vfs: &Arc<dyn Vfs>,
    folder: &Path,
    config: &LightningDbConfig,
    database_id: u64,
    meters: &Arc<Meters>,
) -> VersionContext {
    let compression = |number: u8| match Codec::from_byte(number).filter(|_| config.compression_enabled) {
        Some(codec) => Compression { codec, level: config.compression_level },
        None => Compression::NONE,
    };
    VersionContext {
        tables: Arc::new(TableContext {
            vfs: Arc::clone(vfs),
            folder: folder.to_owned(),
            database_id,
            cache: Arc::new(PageCache::new(config.cache_size)),
            meters: Arc::clone(meters),
            maps: Arc::new(Maps::new(config.mmap_size.unwrap_or(0))),
        }),
        obsolete: Arc::new(Obsolete::default()),
        defaults: SpaceDefaults {
            instance: new_instance(),
            page_size: config.page_size,
            upper: compression(config.lsm_config.upper_compression_type),
            bottom: compression(config.compression_type),
        },
    }
}
