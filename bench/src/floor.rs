//! What the disk allows: the time of a small durable write without a database.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

/// A log record of one of our records is about so long.
const BYTES: [u8; 130] = [0x5a; 130];
/// Blocks that are written before the clock starts; the writes go round in them.
const PREALLOCATED: usize = 16 << 20;

/// `room` writes go into the file one behind the other, then again from its begin.
fn writes_a_second(file: &mut File, room: u32, time: Duration) -> Result<f64> {
    let (begin, mut writes) = (Instant::now(), 0u32);
    while begin.elapsed() < time {
        if writes.is_multiple_of(room) {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&BYTES)?;
        file.sync_data()?;
        writes += 1;
    }
    Ok(f64::from(writes) / begin.elapsed().as_secs_f64())
}

/// Durable writes a second that grow a file.
pub fn appended(folder: &Path, time: Duration) -> Result<f64> {
    let path = folder.join("floor-appended");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    let rate = writes_a_second(&mut file, u32::MAX, time)?;
    std::fs::remove_file(path)?;
    Ok(rate)
}

/// Durable writes a second over blocks that were written before.
pub fn preallocated(folder: &Path, time: Duration) -> Result<f64> {
    let path = folder.join("floor-preallocated");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    file.write_all(&vec![0; PREALLOCATED])?;
    file.sync_all()?;
    let rate = writes_a_second(&mut file, (PREALLOCATED / BYTES.len()) as u32, time)?;
    std::fs::remove_file(path)?;
    Ok(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_floors_are_measured() {
        let folder = tempfile::tempdir().expect("a folder");
        for floor in [appended, preallocated] {
            assert!(floor(folder.path(), Duration::from_millis(50)).expect("a rate") > 1.0);
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
