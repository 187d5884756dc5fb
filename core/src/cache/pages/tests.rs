//! The page cache: budget, eviction, threads.

use std::collections::HashMap;
use std::sync::Barrier;

use proptest::prelude::*;

use super::*;
use crate::cache::slots::Marked;

const SMALL: usize = 64 << 10;

fn marked<T>(value: T) -> Arc<Marked<T>> {
    Marked::new(value)
}

fn filled(cache: &PageCache<Marked<u64>>, range: std::ops::Range<u64>, priority: Priority) {
    for i in range {
        cache.insert(1, i * 4096, marked(i), 1000, priority);
    }
}

fn held(cache: &PageCache<Marked<u64>>, range: std::ops::Range<u64>) -> usize {
    range.filter(|i| cache.get(1, i * 4096).is_some()).count()
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64, u64, usize, bool),
    Get(u64, u64),
    Take(u64, u64),
    RemoveFile(u64),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..3u64, 0..40u64, 0..6000usize, any::<bool>()).prop_map(|(f, o, w, h)| Step::Insert(f, o, w, h)),
        20 => (0..3u64, 0..40u64).prop_map(|(f, o)| Step::Get(f, o)),
        5 => (0..3u64, 0..40u64).prop_map(|(f, o)| Step::Take(f, o)),
        1 => (0..3u64).prop_map(Step::RemoveFile),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #[test]
    fn a_value_found_is_the_last_one_put_and_the_budget_holds(steps in proptest::collection::vec(step(), 1..400)) {
        let cache = PageCache::new(32 << 10);
        let mut model = HashMap::new();
        for (stamp, step) in steps.into_iter().enumerate() {
            match step {
                Step::Insert(file, offset, weight, high) => {
                    let priority = if high { Priority::High } else { Priority::Normal };
                    if weight + Shard::<Marked<usize>>::ENTRY <= (32 << 10) / 8 {
                        model.insert((file, offset), stamp);
                        cache.insert(file, offset, marked(stamp), weight, priority);
                        prop_assert_eq!(cache.get(file, offset).map(|found| found.value), Some(stamp));
                    }
                }
                Step::Get(file, offset) => {
                    if let Some(found) = cache.get(file, offset) {
                        prop_assert_eq!(Some(&found.value), model.get(&(file, offset)));
                    }
                }
                Step::Take(file, offset) => {
                    let listed = cache.of_files(&mut [9, file]);
                    let is_listed = listed.iter().any(|entry| (entry.file, entry.offset) == (file, offset));
                    prop_assert!(listed.is_sorted() && listed.iter().all(|entry| entry.file == file));
                    let taken = cache.take(file, offset).map(|taken| taken.value);
                    prop_assert_eq!(is_listed, taken.is_some());
                    let expected = model.remove(&(file, offset));
                    prop_assert!(taken.is_none() || taken == expected);
                    prop_assert!(cache.take(file, offset).is_none() && cache.get(file, offset).is_none());
                }
                Step::RemoveFile(file) => {
                    cache.remove_file(file);
                    model.retain(|key, _| key.0 != file);
                }
                Step::Clear => {
                    cache.clear();
                    model.clear();
                    prop_assert_eq!(cache.usage(), 0);
                }
            }
            prop_assert!(cache.usage() <= 32 << 10);
        }
        for file in 0..3 {
            cache.remove_file(file);
        }
        prop_assert_eq!(cache.usage(), cache.figures().ghost_bytes);
    }
}

#[test]
fn everything_stays_while_there_is_room() {
    let cache = PageCache::new(1 << 20);
    filled(&cache, 0..500, Priority::Normal);
    assert_eq!(held(&cache, 0..500), 500);
    assert!(cache.usage() >= 500_000);
    let looks = || (cache.figures().page_hits, cache.figures().page_misses);
    assert_eq!(looks(), (500, 0));
    assert!(cache.get(2, 0).is_none());
    assert_eq!(looks(), (500, 1));
}

#[test]
fn the_budget_is_used_well_and_never_passed() {
    let cache = PageCache::new(SMALL);
    for i in 0..1000 {
        filled(&cache, i..i + 1, Priority::Normal);
        assert!(cache.usage() <= SMALL);
    }
    assert!(cache.usage() > SMALL - 2000);
}

#[test]
fn used_and_high_entries_outlive_a_scan() {
    let cache = PageCache::new(SMALL);
    filled(&cache, 0..10, Priority::High);
    filled(&cache, 10..20, Priority::Normal);
    filled(&cache, 20..30, Priority::Normal);
    for round in 0..20 {
        assert_eq!(held(&cache, 10..20), 10, "round {round}");
        assert_eq!(held(&cache, 0..10), 10, "round {round}");
        filled(&cache, 100 + round * 10..110 + round * 10, Priority::Normal);
    }
    assert_eq!(held(&cache, 20..30), 0);
}

#[test]
fn an_unused_high_entry_goes_in_the_end() {
    let cache = PageCache::new(SMALL);
    filled(&cache, 0..40, Priority::High);
    filled(&cache, 40..1000, Priority::Normal);
    assert_eq!(held(&cache, 0..40), 0);
}

#[test]
fn a_giant_is_not_kept_and_evicts_nothing() {
    let cache = PageCache::new(SMALL);
    filled(&cache, 0..20, Priority::Normal);
    cache.insert(2, 0, marked(0), SMALL / 8, Priority::High);
    cache.insert(2, 1, marked(0), usize::MAX, Priority::High);
    assert!(cache.get(2, 0).is_none() && cache.get(2, 1).is_none());
    assert_eq!(held(&cache, 0..20), 20);
    cache.insert(2, 2, marked(0), SMALL / 8 - Shard::<Marked<u64>>::ENTRY, Priority::Normal);
    assert!(cache.get(2, 2).is_some());
}

#[test]
fn no_budget_keeps_nothing() {
    let cache = PageCache::new(0);
    filled(&cache, 0..10, Priority::High);
    assert_eq!((held(&cache, 0..10), cache.usage()), (0, 0));
}

#[test]
fn threads_share_it_within_the_budget() {
    let cache = PageCache::<Marked<u64>>::new(SMALL);
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (cache, barrier) = (&cache, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let mut state = thread;
                for _ in 0..20_000 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let (file, offset) = (state >> 60, (state >> 40) % 64);
                    match cache.get(file, offset) {
                        Some(found) => assert_eq!(found.value, file << 32 | offset),
                        None => {
                            let weight = (state >> 20) as usize % 4000;
                            let value = marked(file << 32 | offset);
                            cache.insert(file, offset, value, weight, Priority::Normal);
                        }
                    }
                    if state >> 53 == 7 {
                        cache.remove_file(file);
                    }
                    assert!(cache.usage() <= SMALL);
                }
            });
        }
    });
    cache.clear();
    assert_eq!(cache.usage(), 0);
}

/// Values that say so when they are dropped, lent while others evict and remove them. What leads to them is there twice, as
/// when a parent was evicted and brought in again while somebody held it.
#[test]
fn what_is_lent_is_not_freed() {
    struct Canary(AtomicU64);

    impl Drop for Canary {
        fn drop(&mut self) {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    const OFFSETS: u64 = 32;
    const NOTHING: Ahead = Ahead { skip: 0, lines: 0 };
    let cache = PageCache::<Marked<Canary>>::new(SMALL);
    let parents = [0; 2].map(|_| Slots::new(8 * OFFSETS as usize));
    let name = |file: u64, offset: u64| file << 32 | offset | 1 << 63;
    let lent = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (cache, parents, lent) = (&cache, &parents, &lent);
            scope.spawn(move || {
                let mut state = thread;
                for _ in 0..30_000 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let (file, offset) = (state >> 61, (state >> 40) % OFFSETS);
                    let (slots, index) =
                        (&parents[state as usize >> 30 & 1], (file * OFFSETS + offset) as usize);
                    let pin = epoch::pin().unwrap();
                    let counted = cache.find(slots, index, NOTHING, &pin).map(|found| {
                        lent.fetch_add(1, Ordering::Relaxed);
                        (0..3).for_each(|_| {
                            assert_eq!(found.get().value.0.load(Ordering::Relaxed), name(file, offset));
                            std::thread::yield_now();
                        });
                        found.counted()
                    });
                    drop(pin);
                    let place = Place { slots, index };
                    if let Some(value) =
                        counted.or_else(|| cache.get_named(file, offset, Some(place), |_| true))
                    {
                        assert_eq!(value.value.0.load(Ordering::Relaxed), name(file, offset));
                        continue;
                    }
                    let value = marked(Canary(AtomicU64::new(name(file, offset))));
                    cache.insert(file, offset, value, (state >> 20) as usize % 4000, Priority::Normal);
                    if state >> 53 & 0xff == 7 {
                        cache.remove_file(file);
                    }
                }
            });
        }
    });
    assert!(lent.into_inner() > 1000);
    cache.clear();
    let pin = epoch::pin().unwrap();
    let mut named =
        parents.iter().flat_map(|slots| (0..8 * OFFSETS as usize).map(move |index| (slots, index)));
    assert!(named.all(|(slots, index)| cache.find(slots, index, NOTHING, &pin).is_none()));
    drop(pin);
    // Other tests of the process pin too, but never for long.
    let mut left = (0..1_000_000).map(|_| {
        std::thread::yield_now();
        cache.retired.let_go()
    });
    assert!(left.any(|left| left == 0), "what nobody sees any more is let go");
}

/// A slot names what was looked for through it, until that leaves, is replaced, or is found through another one.
#[test]
fn one_slot_names_a_value() {
    let cache = PageCache::<Marked<u64>>::new(SMALL);
    let parents = [0; 2].map(|_| Slots::new(3));
    let place = |parent: usize| Place { slots: &parents[parent], index: 1 };
    let named = |parent: usize| {
        let pin = epoch::pin().unwrap();
        cache.find(&parents[parent], 1, Ahead { skip: 0, lines: 1 }, &pin).map(|found| found.get().value)
    };
    cache.insert(7, 4096, marked(1), 100, Priority::Normal);
    assert_eq!((named(0), named(1)), (None, None));
    assert!(cache.get_named(7, 4096, Some(place(0)), |_| false).is_some());
    assert_eq!(named(0), None, "it does not fit");
    assert!(cache.get_named(7, 4096, Some(place(0)), |value| value.value == 1).is_some());
    assert_eq!((named(0), named(1)), (Some(1), None));
    assert!(cache.get_named(7, 4096, Some(place(1)), |_| true).is_some());
    assert_eq!((named(0), named(1)), (None, Some(1)));
    cache.insert(7, 4096, marked(2), 100, Priority::Normal);
    assert_eq!((named(0), named(1)), (None, None), "it was replaced");
    assert!(cache.get_named(7, 4096, Some(place(1)), |_| true).is_some());
    assert_eq!(named(1), Some(2));
    cache.remove_file(7);
    assert_eq!(named(1), None);
    for value in 3..5 {
        cache.insert_named(7, 4096, marked(value), 100, Priority::Normal, Some(place(0)));
        assert_eq!(named(0), Some(value), "from the beginning");
    }
    assert_eq!(cache.take(7, 4096).map(|taken| taken.value), Some(4));
    assert_eq!((named(0), cache.figures().bytes), (None, 0), "it was taken");
    cache.insert_named(7, 4096, marked(5), usize::MAX, Priority::Normal, Some(place(0)));
    assert_eq!(named(0), None, "it is not kept");
    assert!(cache.get_named(7, 4096, Some(Place { slots: &parents[0], index: 3 }), |_| true).is_none());
}

#[test]
fn what_was_used_is_listed_as_that() {
    let cache = PageCache::new(1 << 20);
    filled(&cache, 0..4, Priority::Normal);
    assert!(cache.get(1, 4096).is_some());
    let used: Vec<_> =
        cache.of_files(&mut [2, 1]).iter().map(|entry| (entry.offset / 4096, entry.used)).collect();
    assert_eq!(used, [(0, false), (1, true), (2, false), (3, false)]);
    assert_eq!(cache.of_files(&mut [2]), []);
}
