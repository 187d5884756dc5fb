//! Failed calls and crashes while a log is written.

use std::io;

use proptest::prelude::*;

use super::*;
use crate::vfs::Keep;

fn contents(outcome: Outcome) -> Vec<Vec<u8>> {
    outcome.0.into_iter().map(|record| record.1).collect()
}

#[test]
fn a_creation_that_fails_leaves_no_file() {
    for call in 0..3 {
        let vfs = disk();
        vfs.fail_call(vfs.calls() + call, io::ErrorKind::StorageFull);
        let error = LogWriter::create(&vfs, folder(), header()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        assert_eq!(error.file(), Some(&*path()));
        assert!(vfs.list(folder()).unwrap().is_empty(), "call {call}");
    }
}

/// A log with one written record, then a write that fails with part of its bytes in the file.
fn torn(vfs: &MemoryVfs) -> LogWriter {
    let mut log = create(vfs);
    log.append(&[b"first"]).unwrap();
    log.write().unwrap();
    log.append(&[b"lost"]).unwrap();
    log.append(&[&noise(1, 100)]).unwrap();
    vfs.set_space(Some(log.written() + 60));
    let (end, written) = (log.end(), log.written());
    assert_eq!(log.write().unwrap_err().kind(), ErrorKind::NoSpace);
    assert_eq!((log.end(), log.written()), (end, written));
    vfs.set_space(None);
    log
}

#[test]
fn a_failed_write_may_be_made_again() {
    let vfs = disk();
    let mut log = torn(&vfs);
    log.write().unwrap();
    assert_eq!(contents(read(&vfs, None)), [b"first".to_vec(), b"lost".to_vec(), noise(1, 100)]);
}

#[test]
fn a_repaired_tail_has_nothing_of_the_failed_write() {
    let vfs = disk();
    let mut log = torn(&vfs);
    assert_eq!(contents(read(&vfs, None)).len(), 2, "the failed write left a whole record");
    log.rollback(log.written()).unwrap();
    log.repair_tail().unwrap();
    for vfs in [vfs.clone(), vfs.crash(Keep::Durable), vfs.crash(Keep::All)] {
        assert_eq!(vfs.read_file(path()).unwrap().len() as u64, log.written());
    }
    // A record of the size of the lost one, behind which the other one stood.
    log.append(&[b"next"]).unwrap();
    log.write().unwrap();
    let (records, tail) = read(&vfs, None);
    assert_eq!(records.into_iter().map(|record| record.1).collect::<Vec<_>>(), [&b"first"[..], b"next"]);
    assert_eq!(tail.unwrap(), Tail { end: log.end(), dropped: 0 });
}

#[test]
fn a_write_behind_a_failed_one_repairs_first() {
    let vfs = disk();
    let mut log = torn(&vfs);
    log.rollback(log.written()).unwrap();
    log.append(&[b"next"]).unwrap();
    vfs.fail_call(vfs.calls(), io::ErrorKind::Other);
    assert_eq!(log.write().unwrap_err().kind(), ErrorKind::Io);
    log.write().unwrap();
    assert_eq!(contents(read(&vfs, None)), [&b"first"[..], b"next"]);
    assert_eq!(read(&vfs, None).1.unwrap().dropped, 0);
}

#[test]
fn stale_chunks_behind_a_shorter_rewrite_are_a_tail() {
    let old = sample(&[(b"first".to_vec(), true), (noise(2, 60), false), (b"stale".to_vec(), false)]);
    let new = sample(&[(b"first".to_vec(), true), (b"second".to_vec(), false)]);
    let bytes = [&new.bytes[..], &old.bytes[new.bytes.len()..]].concat();
    let (records, tail) = read_bytes(&bytes, None);
    assert_eq!(records, new.up_to(u64::MAX));
    let end = new.bytes.len() as u64;
    assert_eq!(tail.unwrap(), Tail { end, dropped: old.bytes.len() as u64 - end });
}

#[test]
fn a_failed_sync_raises_nothing() {
    let vfs = disk();
    let mut log = create(&vfs);
    log.append(&[b"x"]).unwrap();
    log.write().unwrap();
    vfs.fail_call(vfs.calls(), io::ErrorKind::Other);
    assert!(sync_log(&log).is_err());
    assert_eq!(log.durable().load(std::sync::atomic::Ordering::Relaxed), 64);
    sync_log(&log).unwrap();
    assert_eq!(log.durable().load(std::sync::atomic::Ordering::Relaxed), log.written());
    // A late syncer does not take it back.
    sync(&**log.file(), log.path(), log.durable(), 70).unwrap();
    assert_eq!(log.durable().load(std::sync::atomic::Ordering::Relaxed), log.written());
}

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Write,
    /// A write of which so many bytes fit.
    WriteFull(u64),
    Sync,
    Mark,
    Undo,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0usize..200).prop_map(Step::Append),
        3 => Just(Step::Write),
        1 => (0u64..300).prop_map(Step::WriteFull),
        2 => Just(Step::Sync),
        1 => Just(Step::Mark),
        1 => Just(Step::Undo),
    ]
}

/// What the log's owner knows.
#[derive(Default)]
struct Model {
    records: Vec<Vec<u8>>,
    written: usize,
    synced: usize,
}

fn run(vfs: &MemoryVfs, log: &mut LogWriter, model: &mut Model, step: &Step, seed: u64) {
    match *step {
        Step::Append(len) => {
            let record = noise(seed, len);
            log.append(&[&record]).unwrap();
            model.records.push(record);
        }
        Step::WriteFull(room) => {
            vfs.set_space(Some(log.written() + room));
            let failed = log.write().is_err();
            vfs.set_space(None);
            model.records.truncate(if failed { model.written } else { usize::MAX });
            if failed {
                log.rollback(log.written()).unwrap();
                log.repair_tail().unwrap();
            }
            model.written = model.records.len();
        }
        Step::Write => {
            log.write().unwrap();
            model.written = model.records.len();
        }
        Step::Sync => {
            sync_log(log).unwrap();
            model.synced = model.written;
        }
        Step::Mark => log.mark(),
        Step::Undo => {
            log.rollback(log.written()).unwrap();
            model.records.truncate(model.written);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_crash_leaves_what_was_synced_and_no_more_than_was_written(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let vfs = disk();
        let mut log = create(&vfs);
        let mut model = Model::default();
        for (i, step) in steps.iter().enumerate() {
            run(&vfs, &mut log, &mut model, step, i as u64 + 1);
            let (records, tail) = read(&vfs.crash(Keep::All), None);
            let records: Vec<_> = records.into_iter().map(|record| record.1).collect();
            prop_assert_eq!(&records[..], &model.records[..model.written]);
            prop_assert_eq!(tail.unwrap(), Tail { end: log.written(), dropped: 0 });
            let (records, tail) = read(&vfs.crash(Keep::Durable), None);
            prop_assert!(tail.is_ok());
            let records: Vec<_> = records.into_iter().map(|record| record.1).collect();
            prop_assert!(records.len() >= model.synced);
            prop_assert_eq!(&records[..], &model.records[..records.len()]);
        }
    }
}
