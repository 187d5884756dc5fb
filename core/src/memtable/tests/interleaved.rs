//! Readers at every step of a writer, and a writer at every step of readers, without threads.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use super::*;
use crate::memtable::node::Node;
use crate::memtable::search::Target;
use crate::memtable::tree::Place;

/// Where the records go, by sequence.
const ORDERS: [fn(u64) -> u64; 8] = [
    |i| i,
    |i| u64::MAX - i,
    random,
    |i| (i % 5) << 40 | i,
    |i| (i % 5) << 40 | ((1 << 30) - i),
    |i| if i < 400 { random(i) } else { i << 50 },
    |i| random(i) % 3,
    |_| 0,
];

type Look = Box<dyn FnMut()>;

thread_local! {
    static LOOK: RefCell<Option<Look>> = const { RefCell::new(None) };
}

/// Called by the writer after each store that readers can see.
pub fn look_between_stores() {
    let look = LOOK.take();
    LOOK.set(look.map(|mut look| {
        look();
        look
    }));
}

/// Whatever store of an insert a reader comes after, it finds all earlier records, in order.
#[test]
fn no_store_hides_a_record() {
    for place_of in ORDERS {
        let table = Arc::new(Memtable::new(KeyOrder::Bytewise));
        let inserted = Rc::new(RefCell::new(BTreeSet::new()));
        let looks = Rc::new(Cell::new(0));
        LOOK.set(Some(look_at(&table, &inserted, &looks)));
        for sequence in 1..=500 {
            let key = place_of(sequence).to_be_bytes();
            table.writer().insert(&key, sequence, RecordKind::Put, b"").unwrap();
            inserted.borrow_mut().insert((key, Reverse(sequence)));
        }
        LOOK.set(None);
        assert!(looks.get() >= 500);
    }
}

type Places = BTreeSet<([u8; 8], Reverse<SequenceNumber>)>;

fn look_at(table: &Arc<Memtable>, inserted: &Rc<RefCell<Places>>, looks: &Rc<Cell<usize>>) -> Look {
    let (table, inserted, looks) = (Arc::clone(table), Rc::clone(inserted), Rc::clone(looks));
    Box::new(move || {
        looks.set(looks.get() + 1);
        let inserted = inserted.borrow();
        let mut cursor = table.cursor();
        cursor.seek_first().unwrap();
        let forward = places(&mut cursor, Cursor::next);
        cursor.seek_last().unwrap();
        let mut backward = places(&mut cursor, Cursor::prev);
        backward.reverse();
        for seen in [forward, backward] {
            assert!(seen.is_sorted_by(|a, b| a < b));
            assert!(seen.len() <= inserted.len() + 1);
            assert!(inserted.iter().all(|place| seen.binary_search(place).is_ok()));
        }
        for (key, Reverse(sequence)) in inserted.iter() {
            assert_eq!(table.get(key, *sequence).map(|record| record.sequence), Some(*sequence));
            cursor.seek(key, *sequence).unwrap();
            assert_eq!(cursor.record().sequence, *sequence);
        }
    })
}

fn places(
    cursor: &mut MemtableCursor,
    step: fn(&mut MemtableCursor) -> Result<()>,
) -> Vec<([u8; 8], Reverse<SequenceNumber>)> {
    walk(cursor, step, usize::MAX)
        .into_iter()
        .map(|row| (row.0.try_into().unwrap(), Reverse(row.1)))
        .collect()
}

/// A reader that takes one step from time to time: from node to node, then from record to record.
struct Reader<'t> {
    target: Target<'t>,
    forward: bool,
    at: At<'t>,
    /// Records that were there when it started.
    born: u64,
    seen: Vec<([u8; 8], Reverse<SequenceNumber>)>,
    /// It steps once in so many inserts; the quick ones several times an insert.
    slowness: u64,
}

enum At<'t> {
    Node(Node<'t>),
    Place(Option<Place<'t>>),
}

impl Reader<'_> {
    /// Whether there is more to do.
    fn step(&mut self) -> bool {
        self.at = match self.at {
            At::Node(Node::Inner(inner)) => At::Node(inner.view().child(self.target.child_in(inner.view()))),
            At::Node(Node::Leaf(leaf)) if self.forward => At::Place(Place::at(leaf.view(), &self.target)),
            At::Node(Node::Leaf(leaf)) => At::Place(Place::before(leaf.view(), &self.target)),
            At::Place(None) => return false,
            At::Place(Some(place)) => {
                let record = place.record();
                self.seen.push((record.key().try_into().unwrap(), Reverse(record.sequence())));
                At::Place(if self.forward { place.next() } else { place.prev() })
            }
        };
        true
    }

    fn check(mut self, place_of: fn(u64) -> u64) {
        if !self.forward {
            self.seen.reverse();
        }
        let target = (self.target.key.try_into().unwrap(), Reverse(self.target.sequence));
        assert!(self.seen.is_sorted_by(|a, b| a < b));
        assert!(self.seen.iter().all(|place| (*place >= target) == self.forward));
        for sequence in 1..=self.born {
            let place = (place_of(sequence).to_be_bytes(), Reverse(sequence));
            if (place >= target) == self.forward {
                assert!(self.seen.binary_search(&place).is_ok());
            }
        }
    }
}

/// However much is inserted between two steps of a reader, it misses nothing that was there before.
#[test]
fn readers_that_are_held_up_miss_nothing() {
    for place_of in ORDERS {
        let count = 2500;
        let table = Memtable::new(KeyOrder::Bytewise);
        let keys: Vec<_> = (0..=count).map(|i| place_of(i).to_be_bytes()).collect();
        let mut readers: Vec<Reader<'_>> = Vec::new();
        for sequence in 1..=count {
            table.writer().insert(&keys[sequence as usize], sequence, RecordKind::Put, b"").unwrap();
            if sequence % 10 < 4 {
                let chance = random(sequence);
                readers.push(Reader {
                    target: Target {
                        order: &table.order,
                        key: &keys[(chance % (2 * sequence).min(count)) as usize],
                        sequence: if chance >> 40 & 1 == 0 { chance % sequence } else { MAX_SEQUENCE },
                    },
                    forward: chance >> 41 & 1 == 0,
                    at: At::Node(table.tree.root().unwrap()),
                    born: sequence,
                    seen: Vec::new(),
                    slowness: [1, 5, 50, 2000][(chance >> 42) as usize % 4],
                });
            }
            for (i, reader) in readers.iter_mut().enumerate() {
                if random(sequence << 20 | i as u64).is_multiple_of(reader.slowness) {
                    let steps = if reader.slowness == 1 { 5 } else { 1 };
                    for _ in 0..steps {
                        reader.step();
                    }
                }
            }
        }
        for mut reader in readers {
            while reader.step() {}
            reader.check(place_of);
        }
    }
}
