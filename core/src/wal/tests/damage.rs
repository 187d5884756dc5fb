//! A torn tail is dropped, damage is reported, and no wrong record is ever read.

use proptest::prelude::*;

use super::*;
use crate::base::limits::MAX_CHUNK_PAYLOAD;

/// Small records, some of them synced, none of them zeros alone.
fn small() -> Sample {
    let records: Vec<_> = (0..24u64).map(|i| (noise(i + 1, (i as usize * 7) % 50), i % 3 == 1)).collect();
    sample(&records)
}

/// Every chunk: its offset, the start of its record and its durable mark, if it verifies alone.
fn chunks(sample: &Sample) -> Vec<(u64, u64, Option<u64>)> {
    let mut chunks = Vec::new();
    let (mut at, mut start) = (64, 64);
    while at < sample.bytes.len() {
        let field = |from: usize, to: usize| &sample.bytes[at + from..at + to];
        let len = u32::from_le_bytes(field(4, 8).try_into().unwrap()) as usize;
        let mark = u64::from_le_bytes(field(12, 20).try_into().unwrap());
        let alone = matches!(sample.bytes[at + 8], 1 | 2 | 5);
        if alone {
            start = at;
        }
        chunks.push((at as u64, start as u64, alone.then_some(mark)));
        at += 20 + len;
    }
    chunks
}

/// Reads the sample with its chunk `bad` damaged, and compares with what the contract says.
fn check_damaged_chunk(sample: &Sample, bytes: &[u8], chunks: &[(u64, u64, Option<u64>)], bad: usize) {
    let (at, start, _) = chunks[bad];
    let mark = chunks[bad + 1..].iter().filter_map(|chunk| chunk.2).max().unwrap_or(0);
    let outcome = read_bytes(bytes, None);
    assert_eq!(outcome.0, sample.up_to(start), "chunk at {at}");
    if start < mark {
        assert_eq!(assert_corruption(&outcome), at);
    } else {
        let tail = outcome.1.unwrap();
        assert_eq!(tail.end, start);
        assert!(tail.dropped <= bytes.len() as u64 - start);
    }
    let known = read_bytes(bytes, Some(sample.bytes.len() as u64));
    assert_eq!(known.0, sample.up_to(start));
    assert_eq!(assert_corruption(&known), at);
}

#[test]
fn every_cut_reads_back_a_prefix() {
    let sample = small();
    let whole = sample.bytes.len() as u64;
    let parts: Vec<u64> = chunks(&sample).iter().map(|chunk| chunk.0).chain([whole]).collect();
    for cut in 0..=sample.bytes.len() {
        let bytes = &sample.bytes[..cut];
        let outcome = read_bytes(bytes, None);
        if cut < 64 {
            assert_corruption(&outcome);
            continue;
        }
        assert_eq!(outcome.0, sample.up_to(cut as u64), "cut at {cut}");
        let tail = outcome.1.unwrap();
        assert_eq!(Some(&tail.end), parts.iter().rfind(|&&end| end <= cut as u64));
        let data = bytes.iter().rposition(|&byte| byte != 0).unwrap() as u64 + 1;
        assert_eq!(tail.dropped, data.saturating_sub(tail.end));
        let known = read_bytes(bytes, Some(whole));
        if cut as u64 == whole {
            assert_eq!(known.1.unwrap(), Tail { end: whole, dropped: 0 });
        } else {
            assert_corruption(&known);
        }
    }
}

#[test]
fn nothing_behind_a_known_end_is_read() {
    let sample = small();
    for (start, end, _) in &sample.records {
        for tail in [sample.bytes.clone(), [&sample.bytes[..*end as usize], &noise(3, 100)].concat()] {
            let (records, tail) = read_bytes(&tail, Some(*end));
            assert_eq!(records, sample.up_to(*end));
            assert_eq!(tail.unwrap(), Tail { end: *end, dropped: 0 });
        }
        // An end within a record is an end that the log never had.
        let outcome = read_bytes(&sample.bytes, Some(*end - 1));
        assert_eq!(assert_corruption(&outcome), *start);
    }
    for end in [0, 63] {
        assert_corruption(&read_bytes(&sample.bytes, Some(end)));
    }
}

#[test]
fn every_flipped_byte_is_damage_or_a_torn_tail() {
    let sample = small();
    let chunks = chunks(&sample);
    for at in 0..sample.bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = sample.bytes.clone();
            bytes[at] ^= flip;
            match chunks.iter().rposition(|chunk| chunk.0 <= at as u64) {
                Some(bad) => check_damaged_chunk(&sample, &bytes, &chunks, bad),
                None => drop(assert_corruption(&read_bytes(&bytes, None))),
            }
        }
    }
}

#[test]
fn zero_holes_are_not_the_end() {
    let sample = small();
    let chunks = chunks(&sample);
    for (bad, &(at, ..)) in chunks.iter().enumerate() {
        let next = chunks.get(bad + 1).map_or(sample.bytes.len(), |chunk| chunk.0 as usize);
        let mut bytes = sample.bytes.clone();
        bytes[at as usize..next].fill(0);
        check_damaged_chunk(&sample, &bytes, &chunks, bad);
    }
}

#[test]
fn chunks_of_a_large_record_are_judged_together() {
    let large = noise(9, 2 * MAX_CHUNK_PAYLOAD + 100);
    let small = (b"small".to_vec(), true);
    let sample = sample(&[small.clone(), (large.clone(), false), small.clone(), small, (large, false)]);
    let chunks = chunks(&sample);
    for (bad, &(at, ..)) in chunks.iter().enumerate() {
        let mut flipped = sample.bytes.clone();
        flipped[at as usize + 8] ^= 0xff;
        check_damaged_chunk(&sample, &flipped, &chunks, bad);
        let cut = read_bytes(&sample.bytes[..at as usize + 20], None);
        assert_eq!(cut.0, sample.up_to(at + 19));
        // Cut between two chunks.
        let start = chunks[bad].1;
        let torn = at > start && sample.bytes[at as usize + 8] != 5;
        let cut = read_bytes(&sample.bytes[..at as usize], None);
        assert_eq!(cut.0, sample.up_to(at));
        let end = if torn { start } else { at };
        assert_eq!(cut.1.unwrap(), Tail { end, dropped: at - end });
        let known = read_bytes(&sample.bytes[..at as usize], Some(at));
        match torn {
            true => assert_eq!(assert_corruption(&known), at),
            false => assert_eq!(known.1.unwrap(), Tail { end, dropped: 0 }),
        }
    }
}

#[test]
fn a_chunk_of_a_record_may_not_be_left_out_or_swapped() {
    // Three chunks of equal size, so that only their order can tell.
    let record: Vec<u8> = (0..3u64).flat_map(|i| noise(i + 1, MAX_CHUNK_PAYLOAD)).collect();
    let sample = sample(&[(record, true)]);
    let size = MAX_CHUNK_PAYLOAD + 20;
    let (one, rest) = sample.bytes[64..].split_at(size);
    let (two, rest) = rest.split_at(size);
    let (three, mark) = rest.split_at(size);
    let head = &sample.bytes[..64];
    for order in [[one, three, two], [two, one, three], [two, two, three], [one, two, two]] {
        let bytes = [head, &order.concat(), mark].concat();
        let outcome = read_bytes(&bytes, None);
        assert!(outcome.0.is_empty());
        assert_corruption(&outcome);
    }
    for order in [[one, three].concat(), [one, two].concat(), two.to_vec()] {
        let (records, tail) = read_bytes(&[head, &order, mark].concat(), None);
        assert!(records.is_empty(), "the mark is not in its place and proves nothing");
        assert_eq!(tail.unwrap().end, 64);
    }
}

#[test]
fn chunks_of_another_file_or_database_do_not_pass() {
    let ours = sample(&[(b"ours".to_vec(), false)]);
    for other in [FileHeader { number: 8, ..header() }, FileHeader { database_id: 5, ..header() }] {
        let vfs = disk();
        let mut log = LogWriter::create(&vfs, folder(), other).unwrap();
        log.append(&[b"ours"]).unwrap();
        log.append(&[b"more"]).unwrap();
        log.write().unwrap();
        let theirs = vfs.read_file(log.path()).unwrap();
        let (records, tail) = read_bytes(&[&ours.bytes[..64], &theirs[64..]].concat(), None);
        assert!(records.is_empty());
        assert_eq!(tail.unwrap(), Tail { end: 64, dropped: theirs.len() as u64 - 64 });
        let (records, _) = read_bytes(&[&ours.bytes[..], &theirs[ours.bytes.len()..]].concat(), None);
        assert_eq!(records, ours.up_to(u64::MAX));
        assert_corruption(&read_bytes(&theirs, None));
    }
}

#[test]
fn zero_padding_is_not_dropped_data() {
    let sample = small();
    for padding in [1, 19, 20, 100, 1 << 20] {
        let mut bytes = sample.bytes.clone();
        bytes.resize(bytes.len() + padding, 0);
        let (records, tail) = read_bytes(&bytes, None);
        assert_eq!(records, sample.up_to(u64::MAX));
        assert_eq!(tail.unwrap(), Tail { end: sample.bytes.len() as u64, dropped: 0 });
    }
    // Garbage, even far behind the padding, is counted from the end of the last record.
    let mut bytes = sample.bytes.clone();
    bytes.resize(bytes.len() + 600_000, 0);
    bytes.push(1);
    let (_, tail) = read_bytes(&bytes, None);
    assert_eq!(tail.unwrap().dropped, 600_001);
}

#[test]
fn proof_is_found_behind_a_large_hole() {
    let mut records = vec![(noise(1, 30), true), (noise(2, 1 << 20), true), (noise(3, 1 << 20), true)];
    records.push((vec![], false));
    let sample = sample(&records);
    let mut bytes = sample.bytes.clone();
    let (from, to) = (sample.records[1].0 as usize + 3, sample.records[3].0 as usize);
    bytes[from..to].fill(0);
    let outcome = read_bytes(&bytes, None);
    assert_eq!(outcome.0, sample.up_to(from as u64));
    assert_eq!(assert_corruption(&outcome), sample.records[1].0);
}

#[test]
fn a_flood_of_look_alikes_is_given_up() {
    // Headers of chunks of 1 MiB, one every 20 bytes: the checksums alone would cover some hundred GiB.
    let mut look_alike = [0; 20];
    look_alike[..4].copy_from_slice(&[1, 2, 3, 4]);
    look_alike[4..8].copy_from_slice(&(MAX_CHUNK_PAYLOAD as u32).to_le_bytes());
    look_alike[8] = 1;
    look_alike[12] = 64;
    let mut bytes = sample(&[]).bytes;
    bytes.extend(look_alike.iter().cycle().take(4 << 20));
    let outcome = read_bytes(&bytes, None);
    assert!(outcome.0.is_empty());
    assert_eq!(assert_corruption(&outcome), 64);
}

#[test]
fn a_missing_log_is_corruption() {
    let outcome = read(&disk(), None);
    assert_eq!(assert_corruption(&outcome), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_behind_the_end_is_dropped(seed: u64, len in 1usize..5000, zeros in 0usize..100) {
        let sample = small();
        let bytes = [&sample.bytes[..], &vec![0; zeros], &noise(seed, len)].concat();
        let (records, tail) = read_bytes(&bytes, None);
        prop_assert_eq!(records, sample.up_to(u64::MAX));
        prop_assert_eq!(tail.unwrap().end, sample.bytes.len() as u64);
    }

    /// Bytes that look like chunks, with any fields, right behind the header.
    #[test]
    fn hostile_chunks_are_survived(
        fields in prop::collection::vec((any::<u32>(), prop_oneof![0u32..100, any::<u32>()], 0u8..7, 0u64..200), 0..60),
        known in any::<bool>(),
    ) {
        let mut bytes = sample(&[]).bytes;
        for (crc, len, kind, durable) in fields {
            bytes.extend(crc.to_le_bytes());
            bytes.extend(len.to_le_bytes());
            bytes.extend([kind, 0, 0, 0]);
            bytes.extend(durable.to_le_bytes());
        }
        let (records, _) = read_bytes(&bytes, known.then_some(bytes.len() as u64));
        prop_assert!(records.is_empty());
    }

    /// Any run of bytes overwritten: what is read is a prefix, never a wrong record.
    #[test]
    fn an_overwritten_run_never_gives_a_wrong_record(seed: u64, from in 64usize..900, len in 1usize..300) {
        let sample = small();
        let mut bytes = sample.bytes.clone();
        let to = (from + len).min(bytes.len());
        let from = from.min(to - 1);
        bytes[from..to].copy_from_slice(&noise(seed, to - from));
        let (records, tail) = read_bytes(&bytes, None);
        let all = sample.up_to(u64::MAX);
        prop_assert!(all.starts_with(&records));
        if let Ok(tail) = tail {
            let marks = chunks(&sample);
            let proven = marks.iter().filter(|chunk| chunk.0 >= to as u64).filter_map(|chunk| chunk.2).max();
            prop_assert!(proven.is_none_or(|mark| tail.end >= mark));
        }
    }
}
