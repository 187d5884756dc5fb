//! The calls of `speed.c`, made from Rust: what is left between the two is the C face.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a measurement ends at its first error")]

use std::hint::black_box;
use std::time::Instant;

use lightning_db_bindings::{ConsistencyLevel, Database, Opening};

const HOT: usize = 10_000;
const CALLS: usize = 20_000;
const PARTS: usize = 25;
const MANY: usize = 100;

struct Bench {
    db: Database,
    keys: Vec<String>,
    random: u64,
}

impl Bench {
    fn key(&mut self) -> usize {
        let next = self.random.wrapping_mul(6_364_136_223_846_793_005);
        self.random = next.wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % HOT
    }

    fn row(&mut self, name: &str, calls: usize, run: impl Fn(&mut Self)) {
        let part = |bench: &mut Self| {
            let start = Instant::now();
            run(bench);
            start.elapsed().as_nanos() as f64 / calls as f64
        };
        let best = (0..PARTS).map(|_| part(self)).fold(f64::INFINITY, f64::min);
        println!("Rust  {name:<36} {best:>8.1} ns");
    }

    fn each(&mut self, name: &str, call: impl Fn(&Database, &str)) {
        self.row(name, CALLS, |bench| {
            for _ in 0..CALLS {
                let key = bench.key();
                call(&bench.db, &bench.keys[key]);
            }
        });
    }

    fn reads(&mut self) {
        self.each("get", |db, key| assert_eq!(db.get(key).unwrap().map(|value| value.len()), Some(100)));
        self.each("get_with into a buffer", |db, key| {
            let mut buffer = [0; 128];
            let copy = |value: &[u8]| buffer[..value.len()].copy_from_slice(value);
            db.get_with(key, copy).unwrap().unwrap();
            black_box(&mut buffer);
        });
        self.each("contains", |db, key| assert!(db.contains(key).unwrap()));
        self.row("get_batch of 100, a key", CALLS, |bench| {
            for _ in 0..CALLS / MANY {
                let asked: Vec<_> = (0..MANY).map(|_| bench.key()).collect();
                let asked: Vec<_> = asked.into_iter().map(|key| &bench.keys[key]).collect();
                black_box(bench.db.get_batch(&asked).unwrap());
            }
        });
        self.row("scan, an item", HOT, |bench| {
            let mut scan = bench.db.scan(None, None).unwrap();
            while let Some(entry) = scan.next_entry().unwrap() {
                black_box(entry);
            }
        });
    }
}

fn main() {
    let folder = std::env::args_os().nth(1).unwrap();
    let db = Opening::new().open(folder.as_ref()).unwrap();
    let keys = (0..HOT).map(|number| format!("{number:016}")).collect();
    let mut bench = Bench { db, keys, random: 1 };
    for key in &bench.keys {
        bench.db.put_with_consistency(key, [0; 100], ConsistencyLevel::Quorum).unwrap();
    }
    println!("10,000 hot records in the memtable:");
    bench.reads();
    bench.db.compact_lsm().unwrap();
    println!("in a table, cached:");
    bench.reads();
    bench.row("snapshot, and drop", CALLS, |bench| {
        (0..CALLS).for_each(|_| drop(black_box(bench.db.snapshot().unwrap())));
    });
    for (name, level) in
        [("put, Eventual", ConsistencyLevel::Eventual), ("put, Quorum", ConsistencyLevel::Quorum)]
    {
        bench.each(name, |db, key| db.put_with_consistency(key, [b'v'; 100], level).unwrap());
    }
    bench.db.close().unwrap();
}
