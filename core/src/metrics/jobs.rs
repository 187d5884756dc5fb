//! Jobs that take their time: told when they begin and end, counted when they end.

use std::time::Duration;

use crate::base::ids::KeyspaceId;
use crate::metrics::{Counter, Meters, events};

/// What a job is, and what it works on.
#[derive(Clone, Copy, Debug)]
pub(super) enum JobKind {
    /// Sealed memtables become tables of level 0.
    Flush,
    /// Tables of a keyspace become others of a level.
    Compaction { keyspace: KeyspaceId, level: usize },
}

/// A flush or compaction that runs. Dropped before [`Job::end`] it has failed, and is not counted.
#[must_use]
pub struct Job<'a> {
    pub(super) meters: &'a Meters,
    pub(super) kind: JobKind,
    pub(super) input_bytes: u64,
    pub(super) began: Duration,
    ended: bool,
}

impl Meters {
    /// A flush of memtables of so many bytes begins.
    pub fn begin_flush(&self, input_bytes: usize) -> Job<'_> {
        self.begin_job(JobKind::Flush, input_bytes as u64)
    }

    /// A compaction of a keyspace into a level begins; `input_bytes` are those of each table that goes in.
    pub fn begin_compaction(
        &self,
        keyspace: KeyspaceId,
        level: usize,
        input_bytes: impl Iterator<Item = u64>,
    ) -> Job<'_> {
        self.begin_job(JobKind::Compaction { keyspace, level }, input_bytes.sum())
    }

    fn begin_job(&self, kind: JobKind, input_bytes: u64) -> Job<'_> {
        let job = Job { meters: self, kind, input_bytes, began: self.now(), ended: false };
        events::job_began(&job);
        job
    }

    /// A write begins to wait for room. Told to listeners; the write counts what it waits, also when it is slowed down.
    pub fn begin_stall(&self, waits_for: &'static str) -> Stall<'_> {
        events::stall_began(self, waits_for);
        Stall { meters: self, waits_for, began: self.now() }
    }
}

impl Job<'_> {
    /// The job is done; `output_bytes` are those of each table that it made.
    pub fn end(mut self, output_bytes: impl Iterator<Item = u64>) {
        let (mut tables, mut bytes) = (0u64, 0);
        output_bytes.for_each(|size| {
            tables += 1;
            bytes += size;
        });
        let time = self.time();
        let [jobs, input, output, nanoseconds] = match self.kind {
            JobKind::Flush => {
                [Counter::Flushes, Counter::FlushInputBytes, Counter::FlushOutputBytes, Counter::FlushTime]
            }
            JobKind::Compaction { .. } => [
                Counter::Compactions,
                Counter::CompactionInputBytes,
                Counter::CompactionOutputBytes,
                Counter::CompactionTime,
            ],
        };
        self.meters.add(jobs, 1);
        self.meters.add(input, self.input_bytes);
        self.meters.add(output, bytes);
        self.meters.add(nanoseconds, time.as_nanos() as u64);
        events::job_ended(&self, tables, bytes, time);
        self.ended = true;
    }

    fn time(&self) -> Duration {
        self.meters.now().saturating_sub(self.began)
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        if !self.ended {
            events::job_abandoned(self, self.time());
        }
    }
}

/// A write that waits for room. It has it, or has given up, when this is dropped.
#[must_use]
pub struct Stall<'a> {
    meters: &'a Meters,
    waits_for: &'static str,
    began: Duration,
}

impl Drop for Stall<'_> {
    fn drop(&mut self) {
        let time = self.meters.now().saturating_sub(self.began);
        events::stall_ended(self.meters, self.waits_for, time);
    }
}
