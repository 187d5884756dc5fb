//! Rows against a model, the race that would leave a stale one, and threads.

use std::collections::HashMap;

use super::*;
use crate::sync::{Arc, AtomicU64};

/// One extent of buckets.
const SMALL: usize = EXTENT * BUCKET_BYTES;

/// Lends up to a limit.
#[derive(Default)]
struct Bank {
    limit: usize,
    lent: AtomicUsize,
    ghosts: [AtomicUsize; 2],
}

impl Bank {
    fn of(limit: usize) -> Self {
        Bank { limit, ..Bank::default() }
    }

    fn lent(&self) -> usize {
        self.lent.load(Ordering::Relaxed)
    }
}

impl Lender for Bank {
    fn lend(&self, bytes: usize) -> bool {
        let fits = |lent: usize| Some(lent + bytes).filter(|sum| *sum <= self.limit);
        self.lent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    fn take_back(&self, bytes: usize) {
        self.lent.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn found_ghost(&self, from_disk: bool) {
        self.ghosts[usize::from(from_disk)].fetch_add(1, Ordering::Relaxed);
    }
}

/// Exactly one extent.
fn cache() -> RowCache {
    let cache = RowCache::new(SMALL).unwrap();
    cache.turn_on(&Bank::of(SMALL));
    assert_eq!(cache.buckets(), EXTENT);
    cache
}

fn offer(cache: &RowCache, ticket: Ticket, row: Row<'_>, value: &[u8]) {
    cache.offer(ticket, row, value, true, &Bank::default());
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
            offer(cache, ticket, row(key, sequence), value);
        }
    }
}

/// The hash of a row.
fn hash_of(keyspace: u32, key: &[u8]) -> u64 {
    in_keyspace(hash_key(key), keyspace)
}

fn commit(cache: &RowCache, key: &[u8], sequence: SequenceNumber, value: Option<&[u8]>) {
    let bucket = cache.change(hash_of(0, key), row(key, sequence), value);
    bucket.into_iter().for_each(|bucket| cache.release(bucket));
}

/// The race that would leave a stale hint: found, then written, then left.
#[test]
fn a_hint_is_left_only_if_the_key_was_not_written_since_the_ticket() {
    let cache = cache();
    let ticket = ticket(&cache, b"key").unwrap();
    let leave = || {
        let mut left = None;
        cache.unwritten(ticket, |hash| left = Some(hash));
        left
    };
    assert_eq!([leave(), leave()], [Some(hash_of(0, b"key")); 2]);
    let bucket = cache.change(hash_of(0, b"key"), row(b"key", 7), None).unwrap();
    assert_eq!(leave(), None, "the commit is not visible yet");
    cache.release(bucket);
    assert_eq!(leave(), None);
    let later = self::ticket(&cache, b"key").unwrap();
    cache.clear_and(|| ());
    let mut left = false;
    cache.unwritten(later, |_| left = true);
    assert!(!left, "a change of unknown keys");
}

#[test]
fn a_row_comes_back_at_its_sequence_and_later() {
    let cache = cache();
    for len in [0, 1, 7, 8, 9, 100, 131, 200, 320] {
        let (key, value) = (vec![len as u8; 1 + len / 3], vec![7; len]);
        fill(&cache, &key, 10, &value);
        assert_eq!(get(&cache, &key, 10), Some(value), "{len}");
        assert_eq!(get(&cache, &key, 9), None);
    }
    fill(&cache, b"long", 1, &[1; 600]);
    assert_eq!(get(&cache, b"long", 5), None);
}

/// Short values are copied with what lies behind them, long ones and those at the end of a bucket word by word.
#[test]
fn values_of_every_length_come_back_from_everywhere_in_a_bucket() {
    let cache = cache();
    let byte = |at: usize, len: usize| (at * 7 + len * 13) as u8;
    let mut kept = 0;
    for key_len in 0..40 {
        for len in 0..300 {
            let key: Vec<u8> = (0..key_len).map(|at| byte(at, len + 1)).collect();
            let value: Vec<u8> = (0..len).map(|at| byte(at, key_len)).collect();
            commit(&cache, &key, 9, None);
            fill(&cache, &key, 10, &value);
            // Others in the same bucket are as they were.
            for other in [len, len.saturating_sub(1), len / 2] {
                let key: Vec<u8> = (0..key_len).map(|at| byte(at, other + 1)).collect();
                if let Some(found) = get(&cache, &key, 10) {
                    // Keys of no bytes are all one.
                    let len = if key_len == 0 { len } else { other };
                    assert!(
                        found.iter().copied().eq((0..len).map(|at| byte(at, key_len))),
                        "{key_len} {other}"
                    );
                    kept += 1;
                }
            }
        }
    }
    assert!(kept > 20_000, "{kept}");
    assert!((0..cache.buckets()).any(|bucket| cache.bucket(bucket).unwrap().used_units() > UNITS - 4));
}

#[test]
fn a_key_is_kept_when_it_is_looked_for_again() {
    let cache = cache();
    let first = ticket(&cache, b"a").unwrap();
    offer(&cache, first, row(b"a", 1), b"1");
    assert_eq!(get(&cache, b"a", 9), None);
    fill(&cache, b"a", 1, b"1");
    assert_eq!(get(&cache, b"a", 9).as_deref(), Some(&b"1"[..]));
}

#[test]
fn what_a_reader_found_before_a_commit_is_not_kept_behind_it() {
    let cache = cache();
    fill(&cache, b"other", 1, b"");
    // Looked for once, so that the next offer would be taken.
    offer(&cache, ticket(&cache, b"a").unwrap(), row(b"a", 1), b"old");
    let before = ticket(&cache, b"a").unwrap();
    let bucket = cache.change(hash_of(0, b"a"), row(b"a", 2), Some(b"new")).unwrap();
    offer(&cache, before, row(b"a", 1), b"old");
    assert!(ticket(&cache, b"a").is_none(), "a bucket in a commit gives no ticket");
    cache.release(bucket);
    offer(&cache, before, row(b"a", 1), b"old");
    assert_eq!(get(&cache, b"a", 9), None);
}

#[test]
fn rows_that_are_used_outlive_rows_that_are_not() {
    let cache = cache();
    let hot: Vec<_> = (0..64u8).map(|i| [b'h', i]).collect();
    hot.iter().for_each(|key| fill(&cache, key, 1, &[1; 100]));
    let mut lost = 0;
    for i in 0..16_000u32 {
        fill(&cache, &i.to_be_bytes(), 1, &[2; 100]);
        for key in &hot[..if i % 8 == 0 { hot.len() } else { 0 }] {
            if get(&cache, key, 9).is_none() {
                lost += 1;
                fill(&cache, key, 1, &[1; 100]);
            }
        }
    }
    assert!(lost < 6400, "{lost} of 128,000 looks at a hot row missed");
}

#[test]
fn no_answer_is_ever_stale() {
    let cache = cache();
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
                offer(&cache, ticket, row(&key, sequence), &value);
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
    let cache = Arc::new(cache());
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
                                offer(&cache, ticket, row(&bytes, number), &value(key, number));
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
            let bytes = key.to_be_bytes();
            let bucket = cache.change(hash_of(0, &bytes), row(&bytes, number), Some(&value(key, number)));
            visible[key as usize].store(number, Ordering::Release);
            bucket.into_iter().for_each(|bucket| cache.release(bucket));
        }
    });
}

/// Memory comes and goes under readers, slow ones too, and commits.
#[test]
fn no_answer_is_stale_while_buckets_come_and_go() {
    const KEYS: u64 = 3000;
    let cache = Arc::new(RowCache::new(64 * SMALL).unwrap());
    let bank = Arc::new(Bank::of(40 * SMALL));
    cache.turn_on(&*bank);
    let visible: Arc<[AtomicU64]> = (0..KEYS).map(|_| AtomicU64::new(1)).collect();
    let value = |key: u64, number: u64| [key, number].map(u64::to_be_bytes).as_flattened().repeat(6);
    let done = crate::sync::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..2u64 {
            let (cache, bank, visible, done) = (&cache, &bank, &visible, &done);
            scope.spawn(move || {
                let (mut state, mut hits, mut late) = (reader, 0, Vec::new());
                while !done.load(Ordering::Relaxed) || hits < 1000 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let key = (state >> 33) % KEYS;
                    let bytes = key.to_be_bytes();
                    let floor = visible[key as usize].load(Ordering::Acquire);
                    let check = |found: &[u8]| {
                        let number = u64::from_be_bytes(found[8..16].try_into().unwrap());
                        assert_eq!(found, value(key, number));
                        assert!(number >= floor, "{number} {floor}");
                    };
                    match cache.get(row(&bytes, SequenceNumber::MAX), check) {
                        Seen::Hit(()) => hits += 1,
                        Seen::Miss(_, Some(ticket)) => {
                            let number = visible[key as usize].load(Ordering::Acquire);
                            late.push((ticket, key, number));
                        }
                        Seen::Miss(_, None) => {}
                    }
                    if late.len() > (state >> 60) as usize {
                        for (ticket, key, number) in late.drain(..) {
                            let (key, value) = (key.to_be_bytes(), value(key, number));
                            cache.offer(ticket, row(&key, number), &value, true, &**bank);
                        }
                    }
                }
            });
        }
        let (mut largest, mut given) = (0, 0);
        for number in 2.. {
            let key = number * 31 % KEYS;
            let bytes = key.to_be_bytes();
            let bucket = cache.change(hash_of(0, &bytes), row(&bytes, number), Some(&value(key, number)));
            visible[key as usize].store(number, Ordering::Release);
            bucket.into_iter().for_each(|bucket| cache.release(bucket));
            largest = largest.max(cache.buckets());
            if cache.buckets() > 3 * EXTENT {
                let bytes = cache.shrink();
                bank.take_back(bytes);
                given += bytes;
            }
            if number % 4 == 0 {
                crate::sync::yield_now();
            }
            if number > 20_000 && given > 4 * SMALL || number > 10_000_000 {
                break;
            }
            assert!(bank.lent() >= cache.buckets() * BUCKET_BYTES);
        }
        done.store(true, Ordering::Relaxed);
        assert!(largest > 2 * EXTENT && given > 2 * SMALL, "{largest} buckets, {given} bytes given");
    });
}

#[test]
fn rows_move_with_their_buckets() {
    let cache = RowCache::new(64 * SMALL).unwrap();
    let bank = Bank::of(64 * SMALL);
    cache.turn_on(&bank);
    let fill = |key: u64| {
        for _ in 0..2 {
            let bytes = key.to_be_bytes();
            if let Some(ticket) = ticket(&cache, &bytes) {
                cache.offer(ticket, row(&bytes, 1), &bytes.repeat(12), false, &bank);
            }
        }
    };
    let found = |keys: u64| (0..keys).filter(|key| get(&cache, &key.to_be_bytes(), 9).is_some()).count();
    (0..20).for_each(|_| (0..2000).for_each(fill));
    assert!(found(2000) > 1850, "{} of 2000", found(2000));
    assert!(bank.lent() >= 2000 * 128 && bank.lent() < 2000 * 128 * 5 / 2, "{} bytes", bank.lent());
    assert!(bank.ghosts[0].load(Ordering::Relaxed) >= 2000 && bank.ghosts[1].load(Ordering::Relaxed) == 0);

    // Those that were just found stay, as many as there is room for.
    let mut given = cache.shrink();
    while given < bank.lent() / 2 {
        given += cache.shrink();
    }
    bank.take_back(given);
    let room = cache.buckets() * UNITS / 8;
    assert!(found(2000) * 10 > room.min(2000) * 7, "{} of {room}", found(2000));
    while cache.shrink() > 0 {}
    assert_eq!(cache.buckets(), cache.least);
    assert_eq!(cache.used_units.load(Ordering::Relaxed) / 8, found(2000));
    cache.clear();
    assert_eq!((found(2000), cache.used_units.load(Ordering::Relaxed)), (0, 0));
}
