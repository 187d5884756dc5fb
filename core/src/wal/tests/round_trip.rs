//! What is written comes back.

use proptest::prelude::*;

use super::*;
use crate::base::limits::MAX_CHUNK_PAYLOAD;

#[test]
fn records_of_every_size_come_back() {
    let sizes = [0, 1, 20, MAX_CHUNK_PAYLOAD - 1, MAX_CHUNK_PAYLOAD, MAX_CHUNK_PAYLOAD + 1, 3 << 20, 0, 5];
    let vfs = disk();
    let mut log = create(&vfs);
    let mut expected = Vec::new();
    for (i, size) in sizes.into_iter().enumerate() {
        let record = noise(i as u64 + 1, size);
        expected.push((log.end(), record.clone()));
        let (a, b) = record.split_at(size / 3);
        log.append(&[a, &[], b]).unwrap();
        assert_eq!(log.end(), log.written() + log.buffered() as u64);
        if i % 2 == 0 {
            log.write().unwrap();
            assert_eq!(log.end(), log.written());
        }
    }
    assert_eq!(log.buffered(), 0);
    let (records, tail) = read(&vfs, None);
    assert!(records == expected, "sizes {:?}", records.iter().map(|r| r.1.len()).collect::<Vec<_>>());
    assert_eq!(tail.unwrap(), Tail { end: log.end(), dropped: 0 });
    assert_eq!(vfs.read_file(path()).unwrap().len() as u64, log.end());
}

#[test]
fn an_empty_log_has_no_records() {
    let vfs = disk();
    let log = create(&vfs);
    assert_eq!((log.number(), log.end(), log.written(), log.buffered()), (NUMBER, 64, 64, 0));
    let (records, tail) = read(&vfs, Some(64));
    assert!(records.is_empty());
    assert_eq!(tail.unwrap(), Tail { end: 64, dropped: 0 });
    let reader = LogReader::open(&vfs, folder(), FileKind::Log, None, NUMBER, None).unwrap();
    assert_eq!(reader.header(), &header());
}

#[test]
fn a_mark_is_made_only_when_it_says_something_new() {
    let vfs = disk();
    let mut log = create(&vfs);
    log.mark();
    assert_eq!(log.buffered(), 0);
    log.append(&[b"x"]).unwrap();
    log.write().unwrap();
    log.mark();
    assert_eq!(log.buffered(), 0, "nothing new was synced");
    sync_log(&log).unwrap();
    log.mark();
    log.mark();
    assert_eq!(log.buffered(), 20);
    // A mark that was rolled back is made again.
    log.rollback(log.written()).unwrap();
    log.mark();
    assert_eq!(log.buffered(), 20);
    log.write().unwrap();
    log.mark();
    assert_eq!(log.buffered(), 0);
    // A record says it as well.
    sync_log(&log).unwrap();
    log.append(&[b"y"]).unwrap();
    let end = log.end();
    log.mark();
    assert_eq!(log.end(), end);
}

#[test]
fn a_log_is_not_made_over_another() {
    let vfs = disk();
    create(&vfs);
    let before = vfs.read_file(path()).unwrap();
    let other = FileHeader { first_sequence: 99, ..header() };
    assert!(LogWriter::create(&vfs, folder(), other).is_err());
    assert_eq!(vfs.read_file(path()).unwrap(), before);
}

#[test]
fn rollback_takes_what_is_buffered_and_nothing_else() {
    let vfs = disk();
    let mut log = create(&vfs);
    log.append(&[b"kept, written"]).unwrap();
    log.write().unwrap();
    log.append(&[b"kept, buffered"]).unwrap();
    let to = log.end();
    log.append(&[b"forgotten"]).unwrap();
    assert_eq!(log.rollback(log.end() + 1).unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(log.rollback(log.written() - 1).unwrap_err().kind(), ErrorKind::Internal);
    log.rollback(to).unwrap();
    assert_eq!(log.end(), to);
    log.append(&[b"next"]).unwrap();
    log.write().unwrap();
    let records: Vec<_> = read(&vfs, None).0.into_iter().map(|record| record.1).collect();
    assert_eq!(records, [&b"kept, written"[..], b"kept, buffered", b"next"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_are_joined(
        records in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5), 0..30),
        write_every in 1usize..5,
    ) {
        let vfs = disk();
        let mut log = create(&vfs);
        let mut expected = Vec::new();
        for (i, parts) in records.iter().enumerate() {
            expected.push((log.end(), parts.concat()));
            log.append(&parts.iter().map(|part| &part[..]).collect::<Vec<_>>()).unwrap();
            if i % write_every == 0 {
                log.write().unwrap();
            }
            if i % 7 == 0 {
                sync_log(&log).unwrap();
            }
        }
        log.write().unwrap();
        let (records, tail) = read(&vfs, None);
        prop_assert_eq!(records, expected);
        prop_assert_eq!(tail.unwrap(), Tail { end: log.end(), dropped: 0 });
    }
}
