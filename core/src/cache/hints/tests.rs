//! Hints lead to what they were left for, or nowhere.

use std::collections::HashSet;
use std::sync::Barrier;

use proptest::prelude::*;

use super::*;
use crate::cache::slots::Marked;
use crate::cache::{PageCache, Priority, pin};
use crate::sync::AtomicUsize;

/// Bytes of a cache with a few lines.
const SMALL: usize = 64 << 10;

/// A leaf that no other one is like.
type Leaf = Marked<u64>;

fn cache() -> PageCache<Leaf> {
    let cache = PageCache::new(SMALL);
    cache.turn_hints_on();
    cache
}

fn bring_in(cache: &PageCache<Leaf>, number: u64) -> Arc<Leaf> {
    let leaf = Leaf::new(number);
    cache.insert(1, number * 4096, Arc::clone(&leaf), 3000, Priority::Normal);
    leaf
}

/// A hash that looks like one.
fn hash(number: u64) -> u64 {
    number
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(31)
        .wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// Leaf and index that a hash leads to.
fn found(cache: &PageCache<Leaf>, hash: u64) -> Option<(u64, u32)> {
    let pin = pin().unwrap();
    let hint = cache.hints().find(hash)?;
    Some((cache.hints().leaf(hint, &pin)?.get().value, hint.index))
}

#[test]
fn a_hint_leads_to_its_record_until_it_is_removed_or_its_leaf_goes() {
    let cache = cache();
    let (a, b) = (bring_in(&cache, 0), bring_in(&cache, 1));
    cache.hints().insert(hash(0), &a, 5);
    cache.hints().insert(hash(1), &b, 127);
    cache.hints().insert(hash(2), &b, 128);
    let all = || [0, 1, 2].map(|key| found(&cache, hash(key)));
    assert_eq!(all(), [Some((0, 5)), Some((1, 127)), None], "an index that does not fit leaves none");
    cache.hints().insert(hash(0), &b, 6);
    assert_eq!(all(), [Some((1, 6)), Some((1, 127)), None], "in place of the first");
    cache.hints().remove(hash(0));
    assert_eq!(all(), [None, Some((1, 127)), None]);
    cache.take(1, 4096).unwrap();
    assert_eq!(all(), [None; 3]);
    cache.hints().insert(hash(1), &b, 3);
    assert_eq!(all(), [None; 3], "not to what has left");
    cache.hints().insert(hash(1), &a, 3);
    cache.hints().clear();
    assert_eq!(all(), [None; 3]);
}

#[test]
fn a_line_keeps_as_many_hints_as_it_has_places() {
    let cache = cache();
    let only = bring_in(&cache, 0);
    // The highest bits choose the line, the lowest are the tag.
    let hashes: Vec<u64> = (1..=20).map(|tag| 0xff << 56 | tag << 20 | tag).collect();
    for (index, hash) in hashes.iter().enumerate() {
        cache.hints().insert(*hash, &only, index as u32);
    }
    let kept = hashes.iter().enumerate().filter(|(at, hash)| found(&cache, **hash) == Some((0, *at as u32)));
    assert_eq!(kept.count(), 16);
    assert_eq!(found(&cache, hashes[19]), Some((0, 19)), "the newest is among them");
}

/// Bytes of a line.
const LINE: usize = LINE_WORDS * size_of::<u64>();

#[test]
fn hints_take_their_share_of_the_budget_or_do_not_come_in() {
    let cache = PageCache::<Leaf>::new(SMALL);
    let only = bring_in(&cache, 0);
    cache.hints().insert(hash(0), &only, 0);
    assert_eq!((found(&cache, hash(0)), cache.figures().row_bytes), (None, 0));
    let before = cache.usage();
    cache.turn_hints_on();
    cache.turn_hints_on();
    let share = SMALL / SHARE / LINE * LINE;
    assert!(share > 0 && (cache.usage() - before, cache.figures().row_bytes) == (share, share));
    cache.hints().insert(hash(0), &only, 0);
    assert_eq!(found(&cache, hash(0)), Some((0, 0)));
}

#[test]
fn large_caches_have_wide_hints() {
    for (ids, width) in [(1 << 10, 32), (1 << 19, 32), ((1 << 19) + 1, 64), (1 << 31, 64)] {
        let layout = Layout::of(ids);
        let hint = Hint { id: ids as u32 - 1, index: (1 << layout.index_bits) - 1 };
        let bits = layout.encode(u64::MAX, hint).unwrap();
        assert_eq!((layout.width, layout.decode(bits)), (width, hint));
        assert!(layout.has_tag(bits, layout.tag(u64::MAX)) && !layout.has_tag(bits, layout.tag(0)));
        assert!(layout.tag(u64::MAX) >> (layout.index_bits + layout.id_bits) >= 0x3f, "six bits at least");
        assert_eq!(layout.encode(0, Hint { index: hint.index + 1, ..hint }), None);
    }
}

#[derive(Clone, Debug)]
enum Step {
    BringIn(u64),
    Take(u64),
    Hint(u64, u32),
    Remove(u64),
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..40u64).prop_map(Step::BringIn),
        3 => (0..40u64).prop_map(Step::Take),
        12 => (0..500u64, 0..100u32).prop_map(|(key, index)| Step::Hint(key, index)),
        4 => (0..500u64).prop_map(Step::Remove),
        1 => Just(Step::Clear),
    ];
    proptest::collection::vec(step, 1..400)
}

proptest! {
    /// Leaves have new numbers each time, so a hint that outlived its leaf would lead to a pair that was never left.
    #[test]
    fn hints_lead_to_what_they_were_left_for(steps in steps()) {
        let cache = cache();
        let (mut number, mut left, mut leaves) = (0, HashSet::new(), Vec::new());
        for step in steps {
            match step {
                Step::BringIn(offset) => {
                    number += 1;
                    leaves.push(Leaf::new(number));
                    cache.insert(1, offset * 4096, Arc::clone(leaves.last().unwrap()), 3000, Priority::Normal);
                }
                Step::Take(offset) => drop(cache.take(1, offset * 4096)),
                Step::Hint(key, index) => {
                    // Also of leaves that have left.
                    if let Some(leaf) = leaves.iter().rev().nth(index as usize % 30) {
                        cache.hints().insert(hash(key), leaf, index);
                        left.insert((leaf.value, index));
                    }
                }
                Step::Remove(key) => {
                    cache.hints().remove(hash(key));
                    prop_assert_eq!(found(&cache, hash(key)), None);
                }
                Step::Clear => cache.hints().clear(),
            }
            for key in 0..500 {
                if let Some(pair) = found(&cache, hash(key)) {
                    prop_assert!(left.contains(&pair), "{:?}", pair);
                }
            }
        }
    }
}

/// Leaves come and go on two threads; two others look and leave hints. The index tells which leaf a hint was left for.
#[test]
fn an_id_is_used_again_only_when_nobody_has_it() {
    const KEYS: u64 = 400;
    const ENOUGH: usize = 1000;
    let cache = cache();
    let (barrier, numbers, hits) = (Barrier::new(4), AtomicU64::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (cache, barrier, numbers, hits) = (&cache, &barrier, &numbers, &hits);
            scope.spawn(move || {
                barrier.wait();
                let mut state = thread;
                for step in 0..10_000_000 {
                    // While a pinned thread does not run, ids run out and nothing is found.
                    match (step < 60_000, hits.load(Ordering::Relaxed) < ENOUGH) {
                        (true, _) => (),
                        (false, true) => std::thread::yield_now(),
                        (false, false) => break,
                    }
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let key = (state >> 33) % KEYS;
                    let here = pin().unwrap();
                    if let Some(hint) = cache.hints().find(hash(key)) {
                        std::hint::spin_loop();
                        if let Some(leaf) = cache.hints().leaf(hint, &here) {
                            hits.fetch_add(1, Ordering::Relaxed);
                            assert_eq!(u64::from(hint.index), leaf.get().value % 101);
                        }
                    }
                    drop(here);
                    if thread < 2 {
                        let number = numbers.fetch_add(1, Ordering::Relaxed);
                        let leaf = Leaf::new(number);
                        cache.insert(1, number % 64 * 4096, Arc::clone(&leaf), 2500, Priority::Normal);
                        cache.hints().insert(hash(key), &leaf, (number % 101) as u32);
                    }
                }
            });
        }
    });
    assert!(hits.into_inner() >= ENOUGH);
}

/// Once no leaf in the cache had an id, none was swept out, and no leaf ever had one again.
#[test]
fn ids_that_ran_out_come_back() {
    let cache = cache();
    let pinned = pin().unwrap();
    (0..200).for_each(|number| drop(bring_in(&cache, number)));
    let has_hint = |number| {
        let leaf = bring_in(&cache, number);
        cache.hints().insert(hash(number), &leaf, 1);
        found(&cache, hash(number)) == Some((number, 1))
    };
    assert!(!has_hint(200), "readers may still hold all ids");
    drop(pinned);
    // Other tests of the process pin too, but never for long.
    let comes_back = |number| {
        std::thread::yield_now();
        has_hint(number)
    };
    assert!((201..1_000_000).any(comes_back));
}

/// Leaves that come and go before anything is read cost no sweep, and readers have nothing of them.
#[test]
fn ids_that_no_hint_ever_had_are_free_at_once() {
    let cache = PageCache::<Leaf>::new(SMALL);
    let _pinned = pin().unwrap();
    (0..200).for_each(|number| drop(bring_in(&cache, number)));
    cache.turn_hints_on();
    let leaf = bring_in(&cache, 200);
    cache.hints().insert(hash(200), &leaf, 1);
    assert_eq!(found(&cache, hash(200)), Some((200, 1)));
}
