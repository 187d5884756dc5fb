//! The conflict window.

use super::*;
use proptest::prelude::*;

const SPACE: KeyspaceId = KeyspaceId::DEFAULT;

fn reads(keys: &[&[u8]], ranges: &[(&[u8], &[u8])]) -> ReadSet {
    let mut reads = ReadSet::default();
    keys.iter().for_each(|key| reads.add_key(SPACE, key));
    let ranges = ranges.iter().map(|(a, b)| KeyRange::half_open(Some(a.to_vec()), Some(b.to_vec())));
    reads.ranges.extend(ranges.map(|range| (SPACE, range)));
    reads
}

fn conflicts(window: &ConflictWindow, reads: &ReadSet, since: SequenceNumber) -> bool {
    window.conflict(reads, since, |_| Some(&KeyOrder::Bytewise)).is_some()
}

/// A window with its transactions, each of which waits for no commit.
#[derive(Default)]
struct Watched {
    open: OpenTransactions,
    window: ConflictWindow,
    visible: SequenceNumber,
}

impl Watched {
    fn with_limit(limit: usize) -> Self {
        Watched { window: ConflictWindow::with_limit(limit), ..Watched::default() }
    }

    fn begin(&mut self, sequence: SequenceNumber) {
        if !self.open.is_watching() {
            self.open.watch();
            self.window.watch(sequence);
        }
        self.open.begin(sequence);
        self.visible = sequence;
    }

    fn end(&mut self, sequence: SequenceNumber) {
        self.open.end(sequence);
        self.settle();
    }

    fn settle(&mut self) {
        if self.window.is_watching() {
            self.window.drop_spare(self.open.spare(self.visible));
        }
        assert_eq!(self.window.is_watching(), self.open.is_watching());
    }
}

impl std::ops::Deref for Watched {
    type Target = ConflictWindow;
    fn deref(&self) -> &ConflictWindow {
        &self.window
    }
}

impl std::ops::DerefMut for Watched {
    fn deref_mut(&mut self) -> &mut ConflictWindow {
        &mut self.window
    }
}

#[test]
fn only_what_was_read_and_changed_later_conflicts() {
    let mut window = Watched::default();
    window.begin(10);
    window.record(11, SPACE, b"b");
    assert!(conflicts(&window, &reads(&[b"b"], &[]), 10));
    assert!(!conflicts(&window, &reads(&[b"b"], &[]), 11));
    assert!(!conflicts(&window, &reads(&[b"a", b"c"], &[]), 10));
    assert!(conflicts(&window, &reads(&[], &[(b"a", b"c")]), 10));
    assert!(!conflicts(&window, &reads(&[], &[(b"a", b"b")]), 10));
    assert!(!conflicts(&window, &reads(&[], &[(b"c", b"d"), (b"z", b"a")]), 10));
}

#[test]
fn ranges_follow_a_custom_order() {
    struct Reverse;
    impl crate::base::comparator::Comparator for Reverse {
        fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
            b.cmp(a)
        }
    }
    let order = KeyOrder::Custom(crate::sync::Arc::new(Reverse));
    let mut window = Watched::default();
    window.begin(0);
    window.record(1, SPACE, b"m");
    let hit = reads(&[], &[(b"z", b"a")]);
    assert!(window.conflict(&hit, 0, |_| Some(&order)).is_some());
    let miss = reads(&[], &[(b"m0", b"m")]);
    assert!(window.conflict(&miss, 0, |_| Some(&order)).is_none());
}

#[test]
fn a_keyspace_that_was_read_and_dropped_conflicts() {
    let mut window = Watched::default();
    window.begin(0);
    let read = |keyspaces: &[u32]| {
        let mut reads = ReadSet::default();
        keyspaces.iter().for_each(|id| reads.add_key(KeyspaceId(*id), b"k"));
        reads
    };
    let there = |id: KeyspaceId| (id.0 != 7).then_some(&KeyOrder::Bytewise);
    assert!(window.conflict(&read(&[0, 3, 7, 9]), 0, there).is_some());
    assert!(window.conflict(&read(&[0, 3, 6, 8, u32::MAX]), 0, there).is_none());
    let mut scanned = read(&[]);
    scanned.ranges.push((KeyspaceId(7), KeyRange::all()));
    assert!(window.conflict(&scanned, 0, there).is_some());
}

#[test]
fn a_transaction_older_than_the_window_conflicts() {
    let mut window = Watched::with_limit(3 * (ENTRY_OVERHEAD + 1));
    window.begin(0);
    for sequence in 1..=4 {
        window.record(sequence, SPACE, &[sequence as u8]);
    }
    assert!(conflicts(&window, &reads(&[b"other"], &[]), 0));
    assert!(!conflicts(&window, &reads(&[b"other"], &[]), 1));
    assert!(!conflicts(&window, &reads(&[], &[]), 0), "what reads nothing cannot conflict");
}

#[test]
fn what_is_taken_back_leaves_the_window_as_it_was() {
    let mut window = Watched::with_limit(4 * (ENTRY_OVERHEAD + 1));
    window.begin(0);
    window.record(1, SPACE, b"a");
    window.record(2, SPACE, b"b");
    window.record(3, SPACE, b"a");
    window.record(4, SPACE, b"c");
    window.rollback(2);
    assert!(conflicts(&window, &reads(&[b"a"], &[]), 0), "as of its first commit");
    assert!(!conflicts(&window, &reads(&[b"a", b"c"], &[]), 1));
    assert!(conflicts(&window, &reads(&[b"b"], &[]), 1));
    for sequence in 3..9 {
        window.record(sequence, SPACE, &[sequence as u8]);
    }
    window.rollback(2);
    assert!(conflicts(&window, &reads(&[b"z"], &[]), 1), "1 and 2 were pushed out");
    assert!(!conflicts(&window, &reads(&[b"z", b"a", &[8]], &[]), 2));
    assert_eq!((window.bytes, window.keys.len()), (0, 0));
}

#[test]
fn a_key_committed_again_stays_when_its_first_entry_goes() {
    let mut window = Watched::default();
    window.begin(0);
    window.begin(1);
    window.record(1, SPACE, b"k");
    window.record(2, SPACE, b"k");
    window.end(0);
    assert!(conflicts(&window, &reads(&[b"k"], &[]), 1));
    window.visible = 2;
    window.end(1);
    assert_eq!((window.bytes, window.open.count()), (0, 0));
}

#[test]
fn an_ingest_changes_all_from_its_first_to_its_last_key() {
    let mut window = Watched::with_limit(1000);
    let span = |first: &[u8], last: &[u8]| Span { keyspace: SPACE, first: first.into(), last: last.into() };
    window.begin(10);
    window.record_ingest(11, span(b"c", b"e"));
    for (key, hit) in [(b"b", false), (b"c", true), (b"d", true), (b"e", true), (b"f", false)] {
        assert_eq!(conflicts(&window, &reads(&[key], &[]), 10), hit, "{key:?}");
        assert!(!conflicts(&window, &reads(&[key], &[]), 11));
    }
    assert!(conflicts(&window, &reads(&[], &[(b"a", b"cc")]), 10));
    assert!(conflicts(&window, &reads(&[], &[(b"e", b"x")]), 10));
    assert!(!conflicts(&window, &reads(&[], &[(b"a", b"c"), (b"ee", b"x"), (b"d", b"d")]), 10));
    window.begin(12);
    window.record(13, SPACE, b"k");
    window.end(10);
    assert_eq!(window.ingests.len(), 0);
    for sequence in 14..40 {
        window.record_ingest(sequence, span(b"m", b"n"));
    }
    assert!(window.bytes <= 1000, "bounded");
    assert!(conflicts(&window, &reads(&[b"a"], &[]), 12), "older than the window");
    window.visible = 39;
    window.end(12);
    assert_eq!((window.bytes, window.ingests.len()), (0, 0));
}

#[test]
fn nothing_is_kept_while_no_transaction_is_open() {
    let mut window = Watched::default();
    window.record(1, SPACE, b"k");
    assert_eq!(window.bytes, 0);
    window.begin(1);
    assert!(!conflicts(&window, &reads(&[b"k"], &[]), 1));
    window.record(2, SPACE, b"k");
    window.end(1);
    for visible in 3..1000 {
        window.visible = visible;
        window.settle();
        assert_eq!(window.bytes, 0);
        window.record(visible + 1, SPACE, b"k");
    }
    assert_eq!((window.bytes, window.is_watching()), (0, false));
}

#[test]
fn a_transaction_that_begins_while_commits_are_still_watched_sees_all_that_are_newer() {
    let mut window = Watched::default();
    window.begin(1);
    window.end(1);
    // The one under way is not visible yet.
    window.record(2, SPACE, b"k");
    window.settle();
    window.begin(1);
    assert!(conflicts(&window, &reads(&[b"k"], &[]), 1));
    assert!(!conflicts(&window, &reads(&[b"other"], &[]), 1), "it is not older than the window");
}

/// The slow twin: every commit there was, with its keys.
#[derive(Default)]
struct Twin {
    commits: Vec<(SequenceNumber, u32, Vec<u8>)>,
}

impl Twin {
    fn conflicts(&self, reads: &ReadSet, since: SequenceNumber) -> bool {
        let order = &KeyOrder::Bytewise;
        let newer = || self.commits.iter().filter(|(sequence, ..)| *sequence > since);
        newer().any(|(_, id, key)| {
            reads.keys().any(|(space, read)| space.0 == *id && read == key)
                || reads.ranges.iter().any(|(space, range)| space.0 == *id && range.contains(order, key))
        })
    }
}

proptest! {
    /// Commits, some taken back, by the side of transactions that begin and end in any order.
    #[test]
    fn the_window_answers_as_if_it_had_all(steps in prop::collection::vec((0..9u8, any::<u32>()), 1..300)) {
        let (mut window, mut twin, mut last) = (Watched::default(), Twin::default(), 1);
        let mut open: Vec<SequenceNumber> = Vec::new();
        for (step, number) in steps {
            let key_of = |number: u32| (number >> 8 & 1, vec![b'k', (number % 23) as u8]);
            match step {
                0 => {
                    window.begin(last);
                    open.push(last);
                }
                1 if !open.is_empty() => window.end(open.swap_remove(number as usize % open.len())),
                2 => {
                    let to = last.saturating_sub(u64::from(number % 4)).max(*open.iter().max().unwrap_or(&1));
                    window.rollback(to);
                    twin.commits.retain(|(sequence, ..)| *sequence <= to);
                    last = to;
                    window.visible = to;
                }
                _ => {
                    window.visible = last;
                    last += 1;
                    let (space, key) = key_of(number);
                    window.record(last, KeyspaceId(space), &key);
                    twin.commits.push((last, space, key));
                }
            }
            let Some(since) = open.get(number as usize % open.len().max(1)) else { continue };
            let mut reads = ReadSet::default();
            let (space, key) = key_of(number.rotate_left(9));
            reads.add_key(KeyspaceId(space), &key);
            prop_assert_eq!(conflicts(&window, &reads, *since), twin.conflicts(&reads, *since));
            let mut reads = ReadSet::default();
            for nth in 0..number % 9 {
                let (space, start) = key_of(number.rotate_left(nth));
                let end = vec![b'k', start[1] + (number % 3) as u8];
                reads.ranges.push((KeyspaceId(space), KeyRange::half_open(Some(start), Some(end))));
            }
            prop_assert_eq!(conflicts(&window, &reads, *since), twin.conflicts(&reads, *since));
        }
        window.visible = last;
        open.into_iter().for_each(|sequence| window.end(sequence));
        window.settle();
        prop_assert_eq!((window.bytes, window.keys.len()), (0, 0));
    }
}
