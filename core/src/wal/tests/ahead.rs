//! Logs whose files are longer than what they hold.

use proptest::prelude::*;

use super::*;
use crate::base::checksum::Checksum;
use crate::base::header::FILE_HEADER_LEN;
use crate::vfs::{Keep, OpenMode};

fn file_len(vfs: &MemoryVfs) -> u64 {
    vfs.read_file(path()).unwrap().len() as u64
}

fn put(log: &mut LogWriter, len: usize) {
    log.append(&[&noise(log.end(), len)]).unwrap();
    log.write().unwrap();
    log.fill_ahead();
}

/// A log of small records, each synced, until zeros stand ahead of it.
fn filled(vfs: &MemoryVfs) -> LogWriter {
    let mut log = create(vfs);
    while file_len(vfs) == log.written() {
        assert!(log.written() < 64 << 10, "no zeros");
        put(&mut log, 100);
        sync_log(&log).unwrap();
    }
    log
}

#[test]
fn a_log_that_is_synced_grows_rarely_and_one_that_is_not_by_each_write() {
    let (synced, unsynced, large) = (disk(), disk(), disk());
    let mut logs = [&synced, &unsynced, &large].map(create);
    let mut grown = 0;
    for _ in 0..10_000 {
        let before = file_len(&synced);
        put(&mut logs[0], 100);
        sync_log(&logs[0]).unwrap();
        grown += u32::from(file_len(&synced) > before && before > 64 << 10);
        put(&mut logs[1], 100);
        assert_eq!(file_len(&unsynced), logs[1].written());
    }
    assert!(grown < 12, "grown {grown} times");
    let len = file_len(&synced);
    assert!(len < logs[0].written() + (160 << 10), "{len} bytes for {}", logs[0].written());
    for _ in 0..40 {
        put(&mut logs[2], 20 << 10);
        sync_log(&logs[2]).unwrap();
        assert_eq!(file_len(&large), logs[2].written(), "large records");
    }
}

/// However often a log comes to rest.
#[test]
fn zeros_are_at_most_twice_the_records() {
    let vfs = disk();
    let mut log = create(&vfs);
    let mut zeros = 0;
    for round in 0..4_000 {
        let before = file_len(&vfs).max(log.written());
        put(&mut log, 100);
        sync_log(&log).unwrap();
        zeros += file_len(&vfs).saturating_sub(before.max(log.written()));
        if round % 170 == 0 {
            log.rest();
            log.rest();
            assert_eq!(file_len(&vfs), log.written(), "at rest");
        }
    }
    assert!((1..=2 * log.written()).contains(&zeros), "{zeros} zeros for {} bytes", log.written());
}

#[test]
fn rest_waits_for_a_time_without_writes() {
    let vfs = disk();
    let mut log = filled(&vfs);
    log.rest();
    assert!(file_len(&vfs) > log.written(), "written since the last look");
    put(&mut log, 1);
    log.rest();
    assert!(file_len(&vfs) > log.written());
    log.rest();
    assert_eq!(file_len(&vfs), log.written());
}

#[test]
fn zeros_that_find_no_room_fail_nothing_and_leave_none() {
    for room in [0, 1, 5_000, 20_000] {
        let vfs = disk();
        let mut log = create(&vfs);
        while log.written() < (16 << 10) - 200 {
            put(&mut log, 100);
            sync_log(&log).unwrap();
        }
        assert_eq!(file_len(&vfs), log.written());
        vfs.set_space(Some(log.written() + 2 * 120 + room));
        for _ in 0..2 {
            put(&mut log, 100);
            sync_log(&log).unwrap();
        }
        if room < 16 << 10 {
            assert_eq!(file_len(&vfs), log.written(), "room {room}");
        }
        // To the last byte.
        let left = log.written() + room - 20;
        for at in (log.written()..left).step_by(120).skip(1) {
            put(&mut log, 100);
            assert!(log.written() >= at);
        }
        let (_, tail) = read(&vfs, None);
        assert_eq!(tail.unwrap(), Tail { end: log.written(), dropped: 0 });
    }
}

#[test]
fn a_failed_write_of_zeros_is_no_failed_write() {
    let vfs = disk();
    let mut log = create(&vfs);
    while log.written() < (16 << 10) + 64 - 120 {
        put(&mut log, 100);
        sync_log(&log).unwrap();
    }
    // Behind the record: the zeros; the zeros, and the cut that takes them back.
    for failed in [vec![1], vec![1, 2]] {
        let disk = vfs.crash(Keep::All);
        let file = disk.open(&path(), OpenMode::ReadWrite).unwrap();
        let sums = Checksum::new(ID, NUMBER);
        let mut copy = LogWriter::over(file, path(), sums, FILE_HEADER_LEN as u64);
        copy.written = log.written();
        sync_log(&copy).unwrap();
        let calls = disk.calls();
        for call in &failed {
            disk.fail_call(calls + call, 5);
        }
        put(&mut copy, 100);
        assert_eq!(disk.calls(), calls + 3, "zeros were tried, and taken back");
        for _ in 0..300 {
            put(&mut copy, 100);
            sync_log(&copy).unwrap();
        }
        for keep in [Keep::All, Keep::Durable] {
            let (_, tail) = read(&disk.crash(keep), None);
            assert_eq!(tail.unwrap(), Tail { end: copy.written(), dropped: 0 }, "{failed:?}");
        }
    }
}

#[test]
fn a_repaired_tail_has_no_zeros_that_are_counted_on() {
    let vfs = disk();
    let mut log = filled(&vfs);
    log.append(&[b"lost"]).unwrap();
    vfs.fail_call(vfs.calls(), 5);
    log.write().unwrap_err();
    log.rollback(log.written()).unwrap();
    log.repair_tail().unwrap();
    assert_eq!(file_len(&vfs), log.written());
    let at = log.written();
    while file_len(&vfs) == log.written() {
        put(&mut log, 100);
        sync_log(&log).unwrap();
    }
    assert!(log.written() >= at + (16 << 10), "as after a rest");
    assert_eq!(read(&vfs, None).1.unwrap(), Tail { end: log.written(), dropped: 0 });
}

/// Records that end in no zero, some of them with a mark behind.
fn records() -> impl Strategy<Value = Vec<(Vec<u8>, bool)>> {
    prop::collection::vec((prop::collection::vec(1u8.., 1..80), any::<bool>()), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Torn tail or damage: the same answer, to the byte, whether the file ends there or zeros follow.
    #[test]
    fn zeros_behind_a_log_change_no_judgement(
        records in records(),
        cut in 0usize..60,
        (from, len, seed) in (64usize..700, 0usize..60, any::<u64>()),
        zeros in 1usize..5_000,
    ) {
        let mut bytes = sample(&records).bytes;
        // A cut that no zeros can undo.
        if let Some((last, false)) = records.last() {
            bytes.truncate(bytes.len() - cut.min(last.len()));
        }
        let from = from.min(bytes.len());
        let to = (from + len).min(bytes.len());
        bytes[from..to].copy_from_slice(&noise(seed, to - from));
        let (found, tail) = read_bytes(&bytes, None);
        bytes.resize(bytes.len() + zeros, 0);
        let (found_before_zeros, tail_before_zeros) = read_bytes(&bytes, None);
        prop_assert_eq!(found, found_before_zeros);
        match (tail, tail_before_zeros) {
            (Ok(tail), Ok(before_zeros)) => prop_assert_eq!(tail.end, before_zeros.end),
            (Err(error), Err(before_zeros)) => {
                prop_assert_eq!(error.kind(), before_zeros.kind());
                prop_assert_eq!(error.offset(), before_zeros.offset());
            }
            (one, other) => prop_assert!(false, "{:?}, and with zeros {:?}", one, other),
        }
    }

    /// Blocks that an older log has used: its chunks stand where they stood there.
    #[test]
    fn no_chunk_of_an_older_log_is_taken_for_one_of_this(
        mine in records(),
        others in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..80), any::<bool>()), 8..30),
    ) {
        let mut bytes = sample(&mine).bytes;
        let vfs = disk();
        let mut old = LogWriter::create(&vfs, folder(), FileHeader { number: NUMBER - 1, ..header() }).unwrap();
        for (record, synced) in &others {
            old.append(&[record]).unwrap();
            old.write().unwrap();
            if *synced {
                sync_log(&old).unwrap();
            }
        }
        let (records, tail) = read_bytes(&bytes, None);
        let rest = vfs.read_file(old.path()).unwrap();
        bytes.extend(rest.get(bytes.len()..).unwrap_or_default());
        let (over_old, over_old_tail) = read_bytes(&bytes, None);
        prop_assert_eq!(records, over_old);
        prop_assert_eq!(tail.unwrap().end, over_old_tail.unwrap().end);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize),
    /// A write of which so many bytes fit, zeros among them.
    PutFull(usize, u64),
    Sync,
    Rest,
    GiveBack,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..9_000).prop_map(Step::Put),
        1 => (0usize..9_000, 0u64..30_000).prop_map(|(len, room)| Step::PutFull(len, room)),
        6 => Just(Step::Sync),
        1 => Just(Step::Rest),
        1 => Just(Step::GiveBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_crash_leaves_what_was_synced_whatever_stands_behind(steps in prop::collection::vec(step(), 0..60)) {
        let vfs = disk();
        let mut log = create(&vfs);
        let (mut written, mut synced): (Vec<Vec<u8>>, usize) = (Vec::new(), 0);
        for step in &steps {
            match *step {
                Step::Put(len) | Step::PutFull(len, _) => {
                    let record = noise(log.end(), len);
                    log.append(&[&record]).unwrap();
                    if let Step::PutFull(_, room) = *step {
                        vfs.set_space(Some(file_len(&vfs) + room));
                    }
                    if log.write().is_ok() {
                        written.push(record);
                        log.fill_ahead();
                    } else {
                        log.rollback(log.written()).unwrap();
                        log.repair_tail().unwrap();
                    }
                    vfs.set_space(None);
                }
                Step::Sync => {
                    sync_log(&log).unwrap();
                    synced = written.len();
                }
                Step::Rest => log.rest(),
                Step::GiveBack => log.give_back(),
            }
            let contents = |keep| {
                let (records, tail) = read(&vfs.crash(keep), None);
                (records.into_iter().map(|record| record.1).collect::<Vec<_>>(), tail.unwrap())
            };
            let (records, tail) = contents(Keep::All);
            prop_assert_eq!(&records, &written);
            prop_assert_eq!(tail, Tail { end: log.written(), dropped: 0 });
            let (records, tail) = contents(Keep::Durable);
            prop_assert!(records.len() >= synced && tail.dropped == 0);
            prop_assert_eq!(&records[..], &written[..records.len()]);
        }
    }
}
