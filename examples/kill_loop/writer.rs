//! The child: two threads that write until the process is killed.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use lightning_db::{ConsistencyLevel, Database, ErrorKind, WriteBatch};
use lightning_db_examples::{Outcome, Random, say};

use crate::config;
use crate::records::{COUNTER, Header, SHARED, STREAMS, key, number_of, prefix, value};

const LONGEST_BATCH: usize = 8;

/// What both threads share.
struct Writer {
    db: Database,
    level: ConsistencyLevel,
    /// Last acknowledged number of each stream.
    acknowledged: [AtomicU64; STREAMS],
}

/// Writes until killed; returns only with an error.
pub fn write_until_killed(folder: &Path, level: ConsistencyLevel, seed: u64) -> Outcome {
    let db = Database::create(folder, config())?;
    let acknowledged = [last_number(&db, 0)?, last_number(&db, 1)?, last_number(&db, 2)?].map(AtomicU64::new);
    let writer = Writer { db, level, acknowledged };
    thread::scope(|scope| {
        let threads = [0, 1].map(|stream| {
            let writer = &writer;
            scope.spawn(move || {
                let outcome = writer.write_stream(stream, &mut Random::new(seed ^ stream as u64));
                if let Err(error) = &outcome {
                    // The other thread would hide it by going on.
                    eprintln!("kill_loop: child: {error}");
                    std::process::exit(1);
                }
                outcome
            })
        });
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })
}

fn last_number(db: &Database, stream: usize) -> Outcome<u64> {
    let start = prefix(stream);
    let end = prefix(stream + 1);
    match db.scan_reverse(Some(start), Some(end))?.next() {
        Some(entry) => Ok(number_of(&entry?.0).ok_or("a key without a number")?),
        None => Ok(0),
    }
}

impl Writer {
    fn write_stream(&self, stream: usize, random: &mut Random) -> Outcome {
        loop {
            let last = self.acknowledged[stream].load(Ordering::SeqCst);
            match random.below(3) {
                0 => self.put(stream, last + 1)?,
                1 => self.batch(stream, last + 1, last + 1 + random.below(LONGEST_BATCH) as u64)?,
                _ => self.transaction(1 + random.below(LONGEST_BATCH) as u64)?,
            }
        }
    }

    fn header(&self, first: u64, last: u64) -> Header {
        let seen = self.acknowledged.each_ref().map(|number| number.load(Ordering::SeqCst));
        Header { first, last, seen }
    }

    fn put(&self, stream: usize, number: u64) -> Outcome {
        let value = value(stream, number, &self.header(number, number));
        say(stream, number, false)?;
        self.db.put_with_consistency(key(stream, number), &value, self.level)?;
        self.acknowledge(stream, number)
    }

    fn batch(&self, stream: usize, first: u64, last: u64) -> Outcome {
        let header = self.header(first, last);
        let mut batch = WriteBatch::new();
        for number in first..=last {
            batch.put(key(stream, number), value(stream, number, &header))?;
        }
        say(stream, last, false)?;
        self.db.write_with(&batch, self.level)?;
        self.acknowledge(stream, last)
    }

    /// Appends to the shared stream, whose end is read in the transaction; again after a conflict.
    fn transaction(&self, count: u64) -> Outcome {
        loop {
            let tx = self.db.transaction()?;
            let counter = tx.get(COUNTER)?;
            let end =
                counter.map(|bytes| bytes[..].try_into().map(u64::from_le_bytes)).transpose()?.unwrap_or(0);
            let header = self.header(end + 1, end + count);
            for number in header.first..=header.last {
                tx.put(key(SHARED, number), value(SHARED, number, &header))?;
            }
            tx.put(COUNTER, header.last.to_le_bytes())?;
            say(SHARED, header.last, false)?;
            match tx.commit_with(self.level) {
                Ok(()) => return self.acknowledge(SHARED, header.last),
                Err(error) if error.kind() == ErrorKind::Conflict => continue,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn acknowledge(&self, stream: usize, number: u64) -> Outcome {
        // Another thread may have acknowledged a later transaction already.
        self.acknowledged[stream].fetch_max(number, Ordering::SeqCst);
        Ok(say(stream, number, true)?)
    }
}
