//! Pages that a thread reads ahead.

use super::*;
use crate::btree::format::PageKind;

/// The scan looks into the cache, a thread puts the page there, and then the scan claims it.
#[test]
fn a_page_that_a_thread_has_just_read_is_not_read_again() {
    let bed = Bed::plain();
    let records: Vec<_> = (0..100u32).map(|i| Owned::put(i.to_be_bytes(), 5, [i as u8; 50])).collect();
    let table = bed.build(&records);
    let root = table.page(table.root, PageKind::Inner).unwrap();
    let leaf = |index| root.inner_cell(index).child;
    let ahead = ReadAhead::new(Arc::new(bed.vfs.clone()), 8, 1);
    let mut lane = ahead.lane();
    lane.request(&table, &[0, 1].map(|index| (leaf(index), PageKind::Leaf)));
    // The one thread has the second page: it is done with the first.
    while !table.is_cached(leaf(1)) {
        std::thread::yield_now();
    }
    assert!(lane.claim(&table, leaf(0)), "it is in the cache");
    assert!(!lane.claim(&table, leaf(2)), "nobody was asked for it");
    drop(lane);
    ahead.close();
}
