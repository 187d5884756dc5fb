//! What a folder must hold after a kill.

use std::path::Path;

use lightning_db::Database;
use lightning_db_examples::{Outcome, Said};

use crate::config;
use crate::records::{COUNTER, Header, SHARED, STREAMS, decode, key, prefix};

/// What a round came to.
pub struct Found {
    /// Writes acknowledged in the round.
    pub acknowledged: u64,
    /// Acknowledged writes that are not there.
    pub lost: u64,
    /// Last number of each stream.
    pub survived: [u64; STREAMS],
}

/// Opens the folder and checks all streams; `before` is their last number when the round began.
pub fn verify(
    folder: &Path,
    before: &[u64; STREAMS],
    said: &[Said],
    may_lose_the_tail: bool,
) -> Outcome<Found> {
    let db = Database::create(folder, config())?;
    let mut found = Found { acknowledged: 0, lost: 0, survived: [0; STREAMS] };
    let mut latest_seen = [0; STREAMS];
    for (stream, &before) in before.iter().enumerate() {
        let last = read_stream(&db, stream, &mut latest_seen)?;
        found.survived[stream] = last;

        let said = said.get(stream).copied().unwrap_or_default();
        let acknowledged = said.acknowledged.max(before);
        found.acknowledged += acknowledged - before;
        found.lost += acknowledged.saturating_sub(last);
        if last < acknowledged && (!may_lose_the_tail || last < before) {
            return Err(
                format!("stream {stream}: {acknowledged} was acknowledged, {last} is the last").into()
            );
        }
        if last > said.sent.max(before) {
            return Err(format!("stream {stream}: {last} is there, {} was the last sent", said.sent).into());
        }
    }
    for (stream, (seen, last)) in latest_seen.iter().zip(&found.survived).enumerate() {
        if seen > last {
            return Err(format!("stream {stream}: ends at {last}, a later write knew of {seen}").into());
        }
    }
    let counter =
        db.get(COUNTER)?.as_deref().and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
    if counter != found.survived[SHARED] {
        return Err(
            format!("the counter says {counter}, its stream ends at {}", found.survived[SHARED]).into()
        );
    }
    db.close()?;
    Ok(found)
}

/// Reads a stream, which must have no hole and no part of a batch; its last number. Notes what its records
/// knew of all streams.
fn read_stream(db: &Database, stream: usize, latest_seen: &mut [u64; STREAMS]) -> Outcome<u64> {
    let mut last: Option<Header> = None;
    let mut count = 0;
    for entry in db.scan_prefix(prefix(stream))? {
        let (found, value) = entry?;
        count += 1;
        if found != key(stream, count) {
            let found = String::from_utf8_lossy(&found);
            return Err(format!("stream {stream}: expected number {count}, found {found}").into());
        }
        let header = decode(stream, count, &value);
        let header = header.ok_or_else(|| format!("stream {stream}: number {count} has a wrong value"))?;
        // Numbers of one batch have one header; a new one begins where the last has ended.
        let goes_on = last.is_some_and(|last| last == header && count <= last.last);
        let begins = last.is_none_or(|last| count == last.last + 1) && count == header.first;
        if !goes_on && !begins {
            return Err(format!("stream {stream}: number {count} is not in its batch: {header:?}").into());
        }
        for (latest, seen) in latest_seen.iter_mut().zip(header.seen) {
            *latest = seen.max(*latest);
        }
        last = Some(header);
    }
    match last {
        Some(header) if header.last != count => {
            Err(format!("stream {stream}: ends inside {header:?}").into())
        }
        _ => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use lightning_db::WriteBatch;
    use tempfile::TempDir;

    use super::*;
    use crate::records::value;

    const SAID: Said = Said { sent: 7, acknowledged: 5 };

    fn batch(stream: usize, first: u64, last: u64) -> WriteBatch {
        let header = Header { first, last, seen: [first - 1, 0, 0] };
        let mut batch = WriteBatch::new();
        for number in first..=last {
            batch.put(key(stream, number), value(stream, number, &header)).unwrap();
        }
        batch
    }

    /// Verifies a folder whose stream 0 holds the batches 1, 2 to 4 and 5, after a change.
    fn verify_after(change: impl FnOnce(&Database), may_lose_the_tail: bool) -> Result<Found, String> {
        let folder = TempDir::new().unwrap();
        let db = Database::create(folder.path(), config()).unwrap();
        for (first, last) in [(1, 1), (2, 4), (5, 5)] {
            db.write(&batch(0, first, last)).unwrap();
        }
        change(&db);
        db.close().unwrap();
        let said = [SAID, Said::default(), Said::default()];
        verify(folder.path(), &[1, 0, 0], &said, may_lose_the_tail).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_sent_may_be_there() {
        let found = verify_after(|_| {}, false).unwrap();
        assert_eq!((found.acknowledged, found.lost, found.survived), (4, 0, [5, 0, 0]));
        let found = verify_after(|db| db.write(&batch(0, 6, 7)).unwrap(), false).unwrap();
        assert_eq!((found.acknowledged, found.lost, found.survived), (4, 0, [7, 0, 0]));
    }

    #[test]
    fn what_may_not_be_is_named() {
        type Change = fn(&Database);
        let wrong: [(Change, &str); 8] = [
            (|db| db.delete(key(0, 5)).unwrap(), "5 was acknowledged, 4 is the last"),
            (|db| db.delete(key(0, 1)).unwrap(), "expected number 1"),
            (|db| db.delete(key(0, 3)).unwrap(), "expected number 3"),
            (|db| db.write(&batch(0, 6, 8)).unwrap(), "8 is there, 7 was the last sent"),
            (|db| db.put(key(0, 5), b"").unwrap(), "number 5 has a wrong value"),
            (
                |db| db.put(key(0, 6), value(0, 6, &Header { first: 6, last: 7, seen: [0; 3] })).unwrap(),
                "ends inside",
            ),
            (
                |db| db.put(key(0, 5), value(0, 5, &Header { first: 4, last: 5, seen: [0; 3] })).unwrap(),
                "not in its batch",
            ),
            (
                |db| db.put(key(0, 5), value(0, 5, &Header { first: 5, last: 5, seen: [0, 9, 0] })).unwrap(),
                "knew of 9",
            ),
        ];
        for (change, reason) in wrong {
            let error = verify_after(change, false).err().unwrap();
            assert!(error.contains(reason), "{error}, expected {reason}");
        }
    }

    #[test]
    fn a_tail_may_be_lost_where_nothing_was_promised() {
        let found = verify_after(|db| db.delete(key(0, 5)).unwrap(), true).unwrap();
        assert_eq!((found.lost, found.survived), (1, [4, 0, 0]));
        let lose_all = |db: &Database| (1..=5).for_each(|number| db.delete(key(0, number)).unwrap());
        assert!(verify_after(lose_all, true).is_err());
    }
}
