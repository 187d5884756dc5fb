//! One writer, readers beside it: what was published before a reader looks must be there.

use std::sync::Barrier;

use super::*;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

struct Shared {
    table: Arc<Memtable>,
    /// All records up to this sequence have been inserted.
    published: AtomicU64,
    done: AtomicBool,
    start: Barrier,
    key_of: fn(u64) -> Vec<u8>,
}

impl Shared {
    fn write(&self, count: u64) {
        self.start.wait();
        for sequence in 1..=count {
            let key = (self.key_of)(sequence);
            self.table.writer().insert(&key, sequence, RecordKind::Put, &sequence.to_le_bytes()).unwrap();
            self.published.store(sequence, Ordering::Release);
        }
        self.done.store(true, Ordering::Release);
    }

    /// Looks with a snapshot and a published sequence again and again, at last when all is written.
    fn read(&self, seed: u64, look: impl Fn(&mut MemtableCursor, u64, u64)) {
        let mut cursor = self.table.cursor();
        self.start.wait();
        for round in seed << 40.. {
            let last = self.done.load(Ordering::Acquire);
            let snapshot = self.published.load(Ordering::Acquire);
            if snapshot > 0 {
                look(&mut cursor, snapshot, 1 + random(round) % snapshot);
            }
            if last {
                break;
            }
        }
    }
}

/// Small tables, in which readers often meet a split; and a large one.
fn read_beside_a_writer(key_of: fn(u64) -> Vec<u8>) {
    for _ in 0..100 {
        read_beside_writes(300, key_of);
    }
    read_beside_writes(20_000, key_of);
}

fn read_beside_writes(count: u64, key_of: fn(u64) -> Vec<u8>) {
    let shared = Shared {
        table: Arc::new(Memtable::new(KeyOrder::Bytewise)),
        published: AtomicU64::new(0),
        done: AtomicBool::new(false),
        start: Barrier::new(4),
        key_of,
    };
    std::thread::scope(|scope| {
        scope.spawn(|| shared.write(count));
        scope.spawn(|| {
            shared.read(1, |cursor, snapshot, wanted| {
                point_reads(&shared, cursor, snapshot, wanted);
                point_reads(&shared, cursor, snapshot, snapshot);
            });
        });
        scope.spawn(|| {
            shared.read(2, |cursor, snapshot, _| {
                cursor.seek_first().unwrap();
                assert_eq!(in_order(cursor, Cursor::next, false, snapshot), snapshot);
            });
        });
        scope.spawn(|| {
            shared.read(3, |cursor, snapshot, wanted| {
                cursor.seek_last().unwrap();
                assert_eq!(in_order(cursor, Cursor::prev, true, snapshot), snapshot);
                parts(cursor, &key_of(wanted), wanted, snapshot);
            });
        });
    });
}

fn point_reads(shared: &Shared, cursor: &mut MemtableCursor, snapshot: u64, wanted: u64) {
    let table = &shared.table;
    let key = (shared.key_of)(wanted);
    let record = table.get_hashed(&key, hash_key(&key), wanted).expect("a published record");
    assert_eq!((record.key, record.sequence), (&key[..], wanted));
    assert_eq!(record.value, wanted.to_le_bytes());
    assert!(table.get(&key, snapshot).is_some_and(|newest| newest.sequence >= wanted));
    cursor.seek(&key, wanted).unwrap();
    assert_eq!(cursor.record().sequence, wanted);
    cursor.seek_before(&key, wanted).unwrap();
    // Between that and the wanted one there can only be what came later.
    if !cursor.valid() {
        cursor.seek_first().unwrap();
    } else {
        assert!((cursor.record().key, Reverse(cursor.record().sequence)) < (&key[..], Reverse(wanted)));
        cursor.next().unwrap();
    }
    while cursor.record().sequence != wanted {
        assert!(cursor.record().sequence > snapshot);
        cursor.next().unwrap();
    }
}

/// Walks to the end; the records seen whose sequence is `snapshot` at most. Checks the order.
fn in_order(
    cursor: &mut MemtableCursor,
    step: fn(&mut MemtableCursor) -> crate::base::error::Result<()>,
    backward: bool,
    snapshot: u64,
) -> u64 {
    let mut seen = 0;
    let mut last: Option<(Vec<u8>, Reverse<u64>)> = None;
    while cursor.valid() {
        let record = cursor.record();
        let place = (record.key.to_vec(), Reverse(record.sequence));
        assert!(last.is_none_or(|last| if backward { place < last } else { last < place }));
        last = Some(place);
        seen += u64::from(record.sequence <= snapshot);
        step(cursor).unwrap();
    }
    seen
}

/// What is in front of a record and what is not, by two walks, make up all.
fn parts(cursor: &mut MemtableCursor, key: &[u8], wanted: u64, snapshot: u64) {
    cursor.seek_before(key, wanted).unwrap();
    let front = in_order(cursor, Cursor::prev, true, snapshot);
    cursor.seek(key, wanted).unwrap();
    let rest = in_order(cursor, Cursor::next, false, snapshot);
    assert_eq!(front + rest, snapshot);
}

#[test]
fn random_keys() {
    read_beside_a_writer(|i| random(i).to_be_bytes().to_vec());
}

#[test]
fn rising_keys() {
    read_beside_a_writer(|i| i.to_be_bytes().to_vec());
}

#[test]
fn rising_keys_with_a_long_prefix() {
    read_beside_a_writer(|i| format!("user:{i:012}").into_bytes());
}

#[test]
fn falling_keys() {
    read_beside_a_writer(|i| (u64::MAX - i).to_be_bytes().to_vec());
}

#[test]
fn runs_at_several_places() {
    read_beside_a_writer(|i| ((i % 5) << 60 | i).to_be_bytes().to_vec());
}

#[test]
fn few_keys_with_many_versions() {
    read_beside_a_writer(|i| vec![b'k'; (random(i) % 4) as usize]);
}
