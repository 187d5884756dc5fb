//! Whole logs, written and read on a disk in memory.

mod ahead;
mod damage;
mod faults;
mod golden;
mod round_trip;

use std::path::{Path, PathBuf};

use crate::base::error::{ErrorKind, Result};
use crate::base::filename::FileKind;
use crate::base::header::FileHeader;
use crate::base::ids::FileNumber;
use crate::vfs::{MemoryVfs, Vfs};
use crate::wal::{LogReader, LogWriter, Tail, sync};

const ID: u64 = 0x1122_3344_5566_7788;
const NUMBER: FileNumber = 7;

fn folder() -> &'static Path {
    Path::new("/db")
}

fn path() -> PathBuf {
    folder().join(FileKind::Log.name(NUMBER))
}

fn disk() -> MemoryVfs {
    let vfs = MemoryVfs::default();
    vfs.create_dir(folder()).unwrap();
    vfs.sync_dir(Path::new("/")).unwrap();
    vfs
}

fn header() -> FileHeader {
    FileHeader { kind: FileKind::Log, database_id: ID, number: NUMBER, first_sequence: 1, previous_log: 0 }
}

fn create(vfs: &MemoryVfs) -> LogWriter {
    let log = LogWriter::create(vfs, folder(), header()).unwrap();
    vfs.sync_dir(folder()).unwrap();
    log
}

fn sync_log(log: &LogWriter) -> Result<()> {
    sync(&**log.file(), log.path(), log.durable(), log.written())
}

/// The records with their offsets, and the end or the error.
type Outcome = (Vec<(u64, Vec<u8>)>, Result<Tail>);

fn read(vfs: &MemoryVfs, known_end: Option<u64>) -> Outcome {
    let mut records = Vec::new();
    let mut log = match LogReader::open(vfs, folder(), FileKind::Log, Some(ID), NUMBER, known_end) {
        Ok(log) => log,
        Err(error) => return (records, Err(error)),
    };
    let mut record = Vec::new();
    loop {
        match log.next(&mut record) {
            Ok(Some(offset)) => records.push((offset, record.clone())),
            Ok(None) => return (records, Ok(log.tail())),
            Err(error) => return (records, Err(error)),
        }
    }
}

fn read_bytes(bytes: &[u8], known_end: Option<u64>) -> Outcome {
    let vfs = disk();
    vfs.write_file(path(), bytes).unwrap();
    read(&vfs, known_end)
}

#[track_caller]
fn assert_corruption(outcome: &Outcome) -> u64 {
    let error = outcome.1.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    assert_eq!(error.file(), Some(&*path()));
    error.offset().unwrap()
}

/// A written log and what it is known to hold.
struct Sample {
    bytes: Vec<u8>,
    /// Offset, end and content of each record.
    records: Vec<(u64, u64, Vec<u8>)>,
}

impl Sample {
    /// The records that end at or before `end`.
    fn up_to(&self, end: u64) -> Vec<(u64, Vec<u8>)> {
        let whole = self.records.iter().filter(|record| record.1 <= end);
        whole.map(|(start, _, record)| (*start, record.clone())).collect()
    }
}

/// A log whose records are written one by one. Those with a `true` are synced, and a mark written behind.
fn sample(records: &[(Vec<u8>, bool)]) -> Sample {
    let vfs = disk();
    let mut log = create(&vfs);
    let mut known = Vec::new();
    for (record, synced) in records {
        let start = log.end();
        log.append(&[record]).unwrap();
        known.push((start, log.end(), record.clone()));
        log.write().unwrap();
        if *synced {
            sync_log(&log).unwrap();
            log.mark();
            log.write().unwrap();
        }
    }
    Sample { bytes: vfs.read_file(path()).unwrap(), records: known }
}

/// Seeded bytes that look like nothing.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}
