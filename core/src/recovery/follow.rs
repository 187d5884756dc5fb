//! Opening read-only, beside a writer that goes on: nothing is written, no lock is taken.
//!
//! The writer may flush, compact and remove files at any moment. Every file of one version of the manifest is
//! opened before it counts; a file that is gone meanwhile means that the manifest has moved on, and the work
//! is done again. Table files never change, and what is open stays readable when its name goes.

use std::path::Path;
use std::time::Duration;

use crate::base::comparator::{GivenOrders, KeyOrder};
use crate::base::config::LightningDbConfig;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::filename::{CURRENT, FileKind};
use crate::base::ids::{FileNumber, SequenceNumber};
use crate::base::per_keyspace::PerKeyspace;
use crate::catalogue::Catalogue;
use crate::health::Health;
use crate::manifest::{self, Loaded, Manifest, orders_of};
use crate::metrics::Meters;
use crate::recovery::files;
use crate::recovery::open::{Opened, RecoveryReport, spaces_of, version_context};
use crate::recovery::replay::{new_memset, replay_all};
use crate::sync::Arc;
use crate::version::{Version, VersionContext};
use crate::vfs::{FileType, Vfs};
use crate::view::{MemSet, View};
use crate::wal::LogWriter;

/// Attempts while the writer changes the files meanwhile.
const ATTEMPTS: u32 = 200;

/// What fails so often while the files stay as they are is no race: it is damage.
const STILL_ATTEMPTS: u32 = 3;

/// Longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_millis(20);

/// Opens what is committed in `folder` now, to be read.
pub fn follow(
    vfs: &Arc<dyn Vfs>,
    folder: &Path,
    config: &LightningDbConfig,
    given: &GivenOrders,
    health: &Arc<Health>,
) -> Result<Opened> {
    let mut follower = Follower { vfs, folder, config, given, meters: &health.meters, tables: None };
    let mut still = 0;
    for attempt in 1..=ATTEMPTS {
        let before = Stamp::of(&**vfs, folder);
        let error = match follower.attempt() {
            Ok(followed) => return Ok(follower.finish(followed, health)),
            // A file that goes, is replaced or is written meanwhile looks like damage.
            Err(error) if error.is_damage() => error,
            Err(error) => return Err(error),
        };
        let moved = Stamp::of(&**vfs, folder) != before;
        still = if moved { 0 } else { still + 1 };
        if still == STILL_ATTEMPTS {
            return Err(error);
        }
        vfs.sleep(Duration::from_millis(attempt.into()).min(MAX_PAUSE));
    }
    let message = format!(
        "{}: its files changed {ATTEMPTS} times while it was being opened: try again when less is written",
        folder.display()
    );
    Err(Error::new(ErrorKind::TimedOut, message).with_file(folder))
}

/// What tells one version of the manifest from another. What cannot be read is like nothing.
#[derive(PartialEq, Eq)]
struct Stamp(Option<(FileNumber, Option<FileType>)>);

impl Stamp {
    fn of(vfs: &dyn Vfs, folder: &Path) -> Stamp {
        let Ok(Some(number)) = manifest::in_force(vfs, folder) else { return Stamp(None) };
        let manifest = vfs.file_type(&folder.join(FileKind::Manifest.name(number)));
        Stamp(Some((number, manifest.ok().flatten())))
    }
}

struct Follower<'a> {
    vfs: &'a Arc<dyn Vfs>,
    folder: &'a Path,
    config: &'a LightningDbConfig,
    given: &'a GivenOrders,
    meters: &'a Arc<Meters>,
    /// Tables that an earlier attempt has opened, so that each attempt gets further.
    tables: Option<(VersionContext, Version)>,
}

/// What one attempt found.
struct Followed {
    context: VersionContext,
    orders: PerKeyspace<KeyOrder>,
    version: Version,
    loaded: Loaded,
    /// Newest first.
    sealed: Vec<Arc<MemSet>>,
    last_sequence: SequenceNumber,
    log_bytes: u64,
    report: RecoveryReport,
}

impl Follower<'_> {
    fn attempt(&mut self) -> Result<Followed> {
        let Some(loaded) = manifest::load(&**self.vfs, self.folder)? else {
            return Err(Error::missing(&self.folder.join(CURRENT)));
        };
        let orders = orders_of(&loaded.state, self.given, self.folder)?;
        let names = self.vfs.list(self.folder).map_err(|error| Error::io("list", self.folder, error))?;
        files::check(&**self.vfs, self.folder, &loaded, &names)?;
        let kept = self.tables.take().filter(|(context, _)| context.tables.database_id == loaded.database_id);
        let (context, before) = match kept {
            Some(kept) => kept,
            None => (self.new_context(loaded.database_id), Version::default()),
        };
        let spaces = spaces_of(&loaded, &orders, &context.defaults)?;
        let version = before.next(&context, &loaded.state, &spaces);
        drop(before);
        let opened = version.tables().try_for_each(|handle| handle.table().map(drop));
        if let Err(error) = opened {
            self.tables = Some((context, version));
            return Err(error);
        }
        let mut followed = Followed {
            report: RecoveryReport {
                clean: loaded.state.clean,
                dropped_manifest_bytes: loaded.dropped,
                ..RecoveryReport::default()
            },
            last_sequence: loaded.state.last_sequence,
            context,
            orders,
            version,
            loaded,
            sealed: Vec::new(),
            log_bytes: 0,
        };
        if let Err(error) = self.replay_logs(&mut followed) {
            self.tables = Some((followed.context, followed.version));
            return Err(error);
        }
        Ok(followed)
    }

    fn new_context(&self, database_id: u64) -> VersionContext {
        version_context(self.vfs, self.folder, self.config, database_id, self.meters)
    }

    /// A write that is under way looks like a torn tail: the log ends in front of it.
    fn replay_logs(&self, followed: &mut Followed) -> Result<()> {
        let Followed { orders, loaded, report, sealed, log_bytes, .. } = followed;
        followed.last_sequence = replay_all(&**self.vfs, self.folder, loaded, orders, &mut |log| {
            report.replayed_records += log.records;
            report.dropped_log_bytes += log.tail.dropped;
            *log_bytes += log.tail.end;
            if log.records > 0 {
                sealed.insert(0, Arc::new(log.set));
            }
            Ok(())
        })?;
        Ok(())
    }

    fn finish(&self, followed: Followed, health: &Arc<Health>) -> Opened {
        let Followed { context, orders, version, loaded, sealed, last_sequence, log_bytes, report } =
            followed;
        let (id, folder) = (loaded.database_id, self.folder);
        let newest_log = loaded.state.logs.keys().next_back().copied().unwrap_or(0);
        let log = LogWriter::refusing(folder, FileKind::Log, id, newest_log, log_bytes);
        let manifest = Manifest::refusing(folder, id, loaded.number);
        let active = Arc::new(new_memset(Vec::new(), &orders));
        let view = View { generation: 0, active, sealed, version: Arc::new(version) };
        let files = (manifest, loaded.state);
        let catalogue = Catalogue::with_view(context, Arc::clone(health), files, view, last_sequence);
        // The files are the writer's: none may be removed, whatever a version drops.
        catalogue.close();
        Opened { catalogue: Arc::new(catalogue), log, last_sequence, report }
    }
}
