//! Rows against a model, the race that would leave a stale one, and threads.

use std::collections::HashMap;

use super::*;
use crate::sync::Arc;

/// Few buckets, so that rows push each other out.
const SMALL: usize = 8 * (DATA_BYTES + HEAD_BYTES);

fn cache(bytes: usize) -> RowCache {
    let cache = RowCache::new(bytes).unwrap();
    cache.turn_on();
    cache
}

fn row(key: &[u8], sequence: SequenceNumber) -> Row<'_> {
    Row { keyspace: 0, key, sequence }
}

fn get(cache: &RowCache, key: &[u8], newest: SequenceNumber) -> Option<Vec<u8>> {
    match cache.get(row(key, newest), |value| value.to_vec()) {
        Seen::Hit(value) => Some(value),
        Seen::Miss(..) => None,
    }
}

fn ticket(cache: &RowCache, key: &[u8]) -> Option<Ticket> {
    match cache.get(row(key, SequenceNumber::MAX), |_| ()) {
        Seen::Hit(()) => None,
        Seen::Miss(_, ticket) => ticket,
    }
}

/// Offers until the cache wants it.
fn fill(cache: &RowCache, key: &[u8], sequence: SequenceNumber, value: &[u8]) {
    for _ in 0..2 {
        if let Some(ticket) = ticket(cache, key) {
            cache.offer(ticket, row(key, sequence), value, |_| true);
        }
    }
}

fn commit(cache: &RowCache, key: &[u8], sequence: SequenceNumber, value: Option<&[u8]>) {
    let bucket = cache.change(row(key, sequence), value);
    bucket.into_iter().for_each(|bucket| cache.release(bucket));
}

#[test]
fn a_row_comes_back_at_its_sequence_and_later() {
    let cache = cache(SMALL);
    for len in [0, 1, 7, 8, 9, 100, 131, 200, 340] {
        let (key, value) = (vec![len as u8; 1 + len / 3], vec![7; len]);
        fill(&cache, &key, 10, &value);
        assert_eq!(get(&cache, &key, 10), Some(value), "{len}");
        assert_eq!(get(&cache, &key, 9), None);
    }
    fill(&cache, b"long", 1, &[1; 600]);
    assert_eq!(get(&cache, b"long", 5), None);
}

#[test]
fn a_key_is_kept_when_it_is_looked_for_again() {
    let cache = cache(SMALL);
    let first = ticket(&cache, b"a").unwrap();
    cache.offer(first, row(b"a", 1), b"1", |_| true);
    assert_eq!(get(&cache, b"a", 9), None);
    fill(&cache, b"a", 1, b"1");
    assert_eq!(get(&cache, b"a", 9).as_deref(), Some(&b"1"[..]));
}

#[test]
fn what_a_reader_found_before_a_commit_is_not_kept_behind_it() {
    let cache = cache(SMALL);
    fill(&cache, b"other", 1, b"");
    // Looked for once, so that the next offer would be taken.
    cache.offer(ticket(&cache, b"a").unwrap(), row(b"a", 1), b"old", |_| true);
    let before = ticket(&cache, b"a").unwrap();
    let bucket = cache.change(row(b"a", 2), Some(b"new")).unwrap();
    cache.offer(before, row(b"a", 1), b"old", |_| true);
    assert!(ticket(&cache, b"a").is_none(), "a bucket in a commit gives no ticket");
    cache.release(bucket);
    cache.offer(before, row(b"a", 1), b"old", |_| true);
    assert_eq!(get(&cache, b"a", 9), None);
}

#[test]
fn without_memory_nothing_is_kept_and_memory_is_asked_for_once_a_group() {
    let cache = cache(SMALL);
    cache.offer(ticket(&cache, b"a").unwrap(), row(b"a", 1), b"1", |_| true);
    cache.offer(ticket(&cache, b"a").unwrap(), row(b"a", 1), b"1", |_| false);
    assert_eq!(get(&cache, b"a", 9), None);
    let mut asked = 0;
    for i in 0..200u8 {
        for _ in 0..2 {
            let Some(ticket) = ticket(&cache, &[i]) else { continue };
            let take = |bytes| {
                asked += bytes;
                true
            };
            cache.offer(ticket, row(&[i], 1), b"1", take);
        }
    }
    assert_eq!(asked, 8 * DATA_BYTES);
}

#[test]
fn rows_that_are_used_outlive_rows_that_are_not() {
    let cache = cache(4 * (DATA_BYTES + HEAD_BYTES));
    let hot: Vec<_> = (0..8u8).map(|i| [b'h', i]).collect();
    hot.iter().for_each(|key| fill(&cache, key, 1, &[1; 100]));
    let mut lost = 0;
    for i in 0..2000u32 {
        fill(&cache, &i.to_be_bytes(), 1, &[2; 100]);
        for key in &hot {
            if get(&cache, key, 9).is_none() {
                lost += 1;
                fill(&cache, key, 1, &[1; 100]);
            }
        }
    }
    assert!(lost < 800, "{lost} of 16,000 looks at a hot row missed");
}

#[test]
fn no_answer_is_ever_stale() {
    let cache = cache(SMALL);
    let mut state = 5u64;
    let mut random = move |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % limit
    };
    let mut model: HashMap<Vec<u8>, (u64, Vec<u8>)> = HashMap::new();
    let (mut hits, mut tickets) = (0, Vec::new());
    for sequence in 1..60_000u64 {
        let key = random(60).to_be_bytes()[8 - 1 - random(8) as usize..].to_vec();
        match random(8) {
            0 => {
                let value = vec![sequence as u8; random(120) as usize];
                commit(&cache, &key, sequence, Some(&value));
                model.insert(key, (sequence, value));
            }
            1 => {
                commit(&cache, &key, sequence, None);
                model.remove(&key);
            }
            2 => {
                // A reader that is slow: offers later what it has found now.
                if let (Some(ticket), Some(found)) = (ticket(&cache, &key), model.get(&key)) {
                    tickets.push((ticket, key, found.clone()));
                }
            }
            3 if !tickets.is_empty() => {
                let at = random(tickets.len() as u64) as usize;
                let (ticket, key, (sequence, value)) = tickets.swap_remove(at);
                cache.offer(ticket, row(&key, sequence), &value, |_| true);
            }
            4 if random(500) == 0 => cache.clear(),
            _ => {
                let found = get(&cache, &key, SequenceNumber::MAX);
                if let Some(found) = found {
                    assert_eq!(Some(&found), model.get(&key).map(|(_, value)| value), "{key:?}");
                    hits += 1;
                } else if let Some((sequence, value)) = model.get(&key) {
                    fill(&cache, &key, *sequence, value);
                }
            }
        }
    }
    assert!(hits > 3000, "{hits} hits");
}

/// Each value says its key and a number, twice; a torn one would not agree with itself.
#[test]
fn readers_never_see_a_torn_or_an_older_row() {
    const KEYS: u64 = 40;
    let cache = Arc::new(cache(SMALL));
    let visible: Arc<[AtomicU64]> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    let value =
        |key: u64, number: u64| [key, number, key, number].map(u64::to_be_bytes).as_flattened().to_vec();
    std::thread::scope(|scope| {
        for reader in 0..2u64 {
            let (cache, visible) = (Arc::clone(&cache), Arc::clone(&visible));
            scope.spawn(move || {
                let (mut newest, mut hits) = (vec![0; KEYS as usize], 0);
                for step in 0..150_000u64 {
                    let key = (step * (7 + reader)) % KEYS;
                    let bytes = key.to_be_bytes();
                    let floor = visible[key as usize].load(Ordering::Acquire);
                    let check = |found: &[u8]| {
                        let number = u64::from_be_bytes(found[8..16].try_into().unwrap());
                        assert_eq!(found, value(key, number));
                        number
                    };
                    let number = match cache.get(row(&bytes, SequenceNumber::MAX), check) {
                        Seen::Hit(number) => {
                            hits += 1;
                            number
                        }
                        Seen::Miss(_, ticket) => {
                            // The view: what is visible after the look.
                            let number = visible[key as usize].load(Ordering::Acquire);
                            if let Some(ticket) = ticket {
                                cache.offer(ticket, row(&bytes, number), &value(key, number), |_| true);
                            }
                            number
                        }
                    };
                    assert!(number >= floor && number >= newest[key as usize], "{number} {floor}");
                    newest[key as usize] = number;
                }
                assert!(hits > 1000, "{hits} hits");
            });
        }
        for number in 1..40_000u64 {
            let key = number.wrapping_mul(31) % KEYS;
            let bucket = cache.change(row(&key.to_be_bytes(), number), Some(&value(key, number)));
            visible[key as usize].store(number, Ordering::Release);
            bucket.into_iter().for_each(|bucket| cache.release(bucket));
        }
    });
}
