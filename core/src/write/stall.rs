//! Back pressure: writes wait while flush or compaction are too far behind.

use std::time::Duration;

use crate::base::error::{ErrorKind, Result};
use crate::health::BackgroundJob;
use crate::sync::MutexGuard;
use crate::write::commit::{Section, Writer};

/// Sealed sets of memtables that may wait for their flush.
const MAX_SEALED: usize = 2;

/// A stalled write looks again this often, should a wake-up be missed.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Writer {
    /// Enters the commit section with room in the active memtables.
    pub(super) fn section_with_room(&self) -> Result<MutexGuard<'_, Section>> {
        let failures = self.health.failures();
        loop {
            let mut section = self.lock();
            self.health.check_write()?;
            if section.active.memory_usage() < self.options.memtable_size {
                return Ok(section);
            }
            let Some(job) = self.waits_for() else {
                self.seal_in(&mut section)?;
                return Ok(section);
            };
            drop(section);
            // Waiting helps no more if the job has failed since it began, or has given up on damage.
            let failed = self.health.failures() != failures;
            if let Some(error) = self.health.trouble_of(job)
                && (failed || error.kind() == ErrorKind::Corruption)
            {
                return Err(error);
            }
            self.flush.notify();
            self.room.wait(LOOK_AGAIN);
        }
    }

    /// The job that is too far behind to seal the active memtables, if one is.
    fn waits_for(&self) -> Option<BackgroundJob> {
        let view = self.catalogue.view().load();
        if view.sealed.len() >= MAX_SEALED {
            return Some(BackgroundJob::Flush);
        }
        (view.version.most_level0_tables() >= self.options.level0_stop).then_some(BackgroundJob::Compaction)
    }
}
