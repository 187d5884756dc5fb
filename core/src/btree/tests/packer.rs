//! Leaves that another thread compresses.

use super::*;
use crate::vfs::{Fault, Vfs};

/// Records of many sizes: some fill a page alone, some have many versions, most compress.
fn records(count: u64) -> Vec<Owned> {
    let mut records = Vec::new();
    for i in 0..count {
        let key = format!("key/{i:06}");
        let len = match i % 1000 {
            7 => 300_000,
            8 => 6_000,
            _ => (i * 37 % 200) as usize,
        };
        let value: Vec<u8> =
            (0..len).map(|at| if at % 3 == 0 { ((i * at as u64) >> 3) as u8 } else { 7 }).collect();
        let versions = if i % 500 == 499 { 80 } else { 1 };
        records.extend((0..versions).rev().map(|sequence| Owned::put(&key, sequence, &value)));
    }
    records
}

#[test]
fn the_table_is_the_same() {
    let records = records(8000);
    for codec in [Codec::Lz4, Codec::Zstd, Codec::Raw] {
        let bed = Bed::new(KeyOrder::Bytewise, 1024, codec);
        bed.build(&records).verify(&mut |_| {}).unwrap();
        let expected = bed.bytes();
        for begin in [0, 1, 3000, records.len()] {
            bed.vfs.remove(&bed.path()).unwrap();
            let mut builder = bed.builder().unwrap();
            let mut sizes = Vec::new();
            for (nth, record) in records.iter().enumerate() {
                if nth == begin {
                    builder.pack_elsewhere();
                    builder.pack_elsewhere();
                }
                builder.add(record.lend()).unwrap();
                sizes.push(builder.size());
            }
            assert!(sizes.is_sorted());
            let meta = builder.finish().unwrap();
            assert!(bed.bytes() == expected, "{codec:?} from record {begin} on");
            assert_eq!(meta.size, expected.len() as u64);
        }
    }
}

#[test]
fn a_table_that_is_given_up_leaves_nothing() {
    let records = records(3000);
    let bed = Bed::new(KeyOrder::Bytewise, 1024, Codec::Lz4);
    let mut builder = bed.builder().unwrap();
    builder.pack_elsewhere();
    for record in &records {
        builder.add(record.lend()).unwrap();
    }
    builder.abandon();
    assert!(bed.vfs.list(bed.path().parent().unwrap()).unwrap().is_empty());
}

#[test]
fn a_failed_write_ends_it() {
    let records = records(8000);
    let bed = Bed::new(KeyOrder::Bytewise, 1024, Codec::Lz4);
    let mut builder = bed.builder().unwrap();
    builder.pack_elsewhere();
    bed.vfs.fail_call(1, Fault::Os(28));
    // The file is made; the next call that changes it is a write of the builder's.
    let failed = records.iter().position(|record| builder.add(record.lend()).is_err()).unwrap();
    assert!(builder.add(records[failed + 1].lend()).is_err());
    assert!(builder.finish().is_err());
    assert!(bed.vfs.list(bed.path().parent().unwrap()).unwrap().is_empty());
}
