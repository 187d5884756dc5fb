//! Events for who listens to `tracing`, or to `log`. Without a listener each costs the look at a level.
//!
//! No event has a key or a value in it. All have the folder of the database.

use std::path::Path;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use crate::base::error::Error;
use crate::metrics::jobs::{Job, JobKind};
use crate::metrics::meters::{Meters, Opening};

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn opened(meters: &Meters, opening: Opening) {
    let database = meters.folder().display();
    let Opening { clean, replayed_records, dropped_log_bytes, dropped_manifest_bytes } = opening;
    if !clean {
        warn!(
            target: "lightning_db::recovery", %database, replayed_records, dropped_log_bytes,
            dropped_manifest_bytes, "recovered: the database had not been closed"
        );
    }
    info!(target: "lightning_db::database", %database, clean, replayed_records, "opened");
}

pub(super) fn closed(meters: &Meters, error: Option<&Error>) {
    let database = meters.folder().display();
    match error {
        None => info!(target: "lightning_db::database", %database, "closed"),
        Some(error) => warn!(target: "lightning_db::database", %database, %error, "closed, with an error"),
    }
}

pub(super) fn halted(meters: &Meters, cause: &Error) {
    let database = meters.folder().display();
    error!(target: "lightning_db::database", %database, %cause, "halted: no more writes until it is reopened");
}

pub(super) fn background_error(meters: &Meters, job: &'static str, error: &Error) {
    let database = meters.folder().display();
    warn!(target: "lightning_db::background", %database, job, %error, "a job could not go on");
}

pub(super) fn job_began(job: &Job<'_>) {
    let (database, input_bytes) = (job.meters.folder().display(), job.input_bytes);
    match job.kind {
        JobKind::Flush => debug!(target: "lightning_db::flush", %database, input_bytes, "flush began"),
        JobKind::Compaction { keyspace, level } => debug!(
            target: "lightning_db::compaction", %database, keyspace = keyspace.0, level, input_bytes,
            "compaction began"
        ),
    }
}

pub(super) fn job_ended(job: &Job<'_>, tables: u64, output_bytes: u64, time: Duration) {
    let (database, input_bytes) = (job.meters.folder().display(), job.input_bytes);
    let milliseconds = milliseconds(time);
    match job.kind {
        JobKind::Flush => info!(
            target: "lightning_db::flush", %database, level = 0, tables, input_bytes, output_bytes,
            milliseconds, "flush ended"
        ),
        JobKind::Compaction { keyspace, level } => info!(
            target: "lightning_db::compaction", %database, keyspace = keyspace.0, level, tables, input_bytes,
            output_bytes, milliseconds, "compaction ended"
        ),
    }
}

pub(super) fn job_abandoned(job: &Job<'_>, time: Duration) {
    let (database, milliseconds) = (job.meters.folder().display(), milliseconds(time));
    match job.kind {
        JobKind::Flush => {
            info!(target: "lightning_db::flush", %database, milliseconds, "flush abandoned");
        }
        JobKind::Compaction { keyspace, level } => info!(
            target: "lightning_db::compaction", %database, keyspace = keyspace.0, level, milliseconds,
            "compaction abandoned"
        ),
    }
}

/// A table was written by a flush or compaction.
pub(super) fn table_written(meters: &Meters, keyspace: u32, number: u64, bytes: u64) {
    let database = meters.folder().display();
    debug!(target: "lightning_db::table", %database, keyspace, number, bytes, "table written");
}

pub(super) fn stall_began(meters: &Meters, waits_for: &'static str) {
    let database = meters.folder().display();
    warn!(target: "lightning_db::stall", %database, waits_for, "a write waits");
}

pub(super) fn stall_ended(meters: &Meters, waits_for: &'static str, time: Duration) {
    let (database, milliseconds) = (meters.folder().display(), milliseconds(time));
    info!(target: "lightning_db::stall", %database, waits_for, milliseconds, "a write waits no more");
}

pub(super) fn files_removed(meters: &Meters, files: u64) {
    let database = meters.folder().display();
    debug!(target: "lightning_db::files", %database, files, "obsolete files removed");
}

pub(super) fn backup_ended(meters: &Meters, target: &Path, bytes: u64, time: Duration) {
    let (database, milliseconds) = (meters.folder().display(), milliseconds(time));
    let target = target.display();
    info!(target: "lightning_db::backup", %database, %target, bytes, milliseconds, "backup ended");
}

pub(super) fn restored(meters: &Meters, source: &Path) {
    let (database, source) = (meters.folder().display(), source.display());
    info!(target: "lightning_db::backup", %database, %source, "restored");
}
