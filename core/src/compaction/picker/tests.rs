//! The picker on paper: tables by number, range and size.

use super::*;
use crate::base::comparator::KeyOrder;
use crate::base::ids::{FileNumber, KeyspaceId};
use crate::btree::Kept;
use crate::compaction::manual::{Piece, Sweep};

const LIMITS: Limits = Limits { level0_trigger: 2, smallest_level: 100, table_bytes: 1000 };

fn meta(number: FileNumber, range: (&str, &str), size: u64) -> TableMeta {
    TableMeta {
        number,
        keyspace: KeyspaceId::DEFAULT,
        size,
        entries: size,
        tombstones: 0,
        smallest_sequence: number,
        largest_sequence: number,
        smallest_key: range.0.into(),
        largest_key: range.1.into(),
        kept: Kept::default(),
        committed_at: None,
    }
}

fn table(number: FileNumber, range: (&str, &str), size: u64) -> Arc<TableMeta> {
    Arc::new(meta(number, range, size))
}

fn shape(levels: &[(usize, Arc<TableMeta>)]) -> LevelShape<'static> {
    let mut all = vec![Vec::new(); LEVELS];
    for (level, meta) in levels {
        all[*level].push(Arc::clone(meta));
    }
    LevelShape {
        order: &KeyOrder::Bytewise,
        levels: all,
        held: &[],
        claims: Vec::new(),
        limits: LIMITS,
        one_codec: true,
    }
}

fn due(shape: &LevelShape<'_>) -> Option<Job> {
    pick(shape).map(|pick| pick.job)
}

fn at_rest(shape: &LevelShape<'_>) -> Option<Job> {
    pick_at_rest(shape).map(|pick| pick.job)
}

#[test]
fn quiet_levels_need_nothing() {
    assert_eq!(due(&shape(&[(0, table(1, ("a", "z"), 50)), (6, table(2, ("a", "z"), 1000))])), None);
    assert_eq!(due(&shape(&[])), None);
    assert_eq!(at_rest(&shape(&[])), None);
}

#[test]
fn a_small_keyspace_has_two_levels() {
    let job = due(&shape(&[(0, table(9, ("a", "f"), 60)), (0, table(8, ("c", "h"), 60))])).unwrap();
    assert_eq!((job.output_level, job.bottom, job.moves), (BOTTOM, true, false));
    assert_eq!(job.inputs, [(0, 9), (0, 8)]);
}

#[test]
fn level_0_goes_whole_to_the_level_that_can_hold_it() {
    let upper = [(0, table(9, ("c", "d"), 50)), (0, table(8, ("g", "h"), 50))];
    let with_bottom = |size| shape(&[&upper[..], &[(6, table(1, ("a", "z"), size))]].concat());
    assert_eq!(due(&with_bottom(999)).unwrap().output_level, 6, "level 5 would be too small");
    let job = due(&with_bottom(1000)).unwrap();
    assert_eq!((job.output_level, job.bottom, job.moves), (5, false, true), "apart from each other");
    assert_eq!(due(&with_bottom(10_000)).unwrap().output_level, 4);
}

#[test]
fn level_0_does_not_pass_data_that_are_older() {
    let job = due(&shape(&[
        (0, table(9, ("c", "d"), 1)),
        (0, table(8, ("g", "h"), 1)),
        (3, table(1, ("a", "b"), 1)),
        (3, table(2, ("d", "e"), 1)),
        (3, table(3, ("h", "k"), 1)),
        (4, table(4, ("e", "f"), 1)),
    ]));
    let job = job.unwrap();
    assert_eq!(job.inputs, [(0, 9), (0, 8), (3, 2), (3, 3)]);
    assert_eq!((job.output_level, job.bottom, job.moves), (3, false, false));
}

#[test]
fn a_level_over_its_limit_gives_its_cheapest_table() {
    let job = due(&shape(&[
        (5, table(1, ("a", "c"), 80)),
        (5, table(2, ("d", "f"), 80)),
        (6, table(3, ("a", "b"), 700)),
        (6, table(4, ("e", "e"), 500)),
    ]));
    assert_eq!(job.as_ref().unwrap().inputs, [(5, 2), (6, 4)]);
    assert!(job.unwrap().bottom);
}

#[test]
fn the_level_furthest_over_its_limit_goes_first() {
    let with = |size: u64| {
        shape(&[
            (0, table(9, ("a", "b"), 1)),
            (0, table(8, ("a", "b"), 1)),
            (5, table(1, ("c", "d"), size)),
            (6, table(2, ("a", "z"), 1000)),
        ])
    };
    assert_eq!(*due(&with(99)).unwrap().claim.levels.start(), 0);
    assert_eq!(*due(&with(101)).unwrap().claim.levels.start(), 5);
}

#[test]
fn a_table_over_nothing_moves_unless_there_is_work() {
    let over_limit = |moved: TableMeta| {
        due(&shape(&[(4, Arc::new(moved)), (6, table(2, ("a", "z"), 1000)), (5, table(3, ("x", "y"), 10))]))
            .unwrap()
    };
    let job = over_limit(meta(1, ("b", "c"), 500));
    assert_eq!((job.moves, job.output_level, job.inputs.len()), (true, 5, 1));
    let job = over_limit(meta(1, ("b", "x"), 500));
    assert_eq!((job.moves, job.inputs.len()), (false, 2));

    // At the bottom: tombstones and old versions to drop, other codecs, small tables to join.
    let to_bottom = |moved: TableMeta| due(&shape(&[(5, Arc::new(moved)), (6, table(2, ("x", "z"), 1000))]));
    assert!(!to_bottom(meta(1, ("a", "b"), 240)).unwrap().moves, "small");
    assert!(to_bottom(meta(1, ("a", "b"), 250)).unwrap().moves);
    let kept = Kept { records: 1, bytes: 1, snapshots: 0 };
    assert!(!to_bottom(TableMeta { kept, ..meta(1, ("a", "b"), 500) }).unwrap().moves);
    let mut other = shape(&[(5, table(1, ("a", "b"), 500)), (6, table(2, ("x", "z"), 1000))]);
    other.one_codec = false;
    assert!(!due(&other).unwrap().moves);
    let settled = TableMeta { smallest_sequence: 0, largest_sequence: 0, ..meta(1, ("a", "b"), 500) };
    assert!(to_bottom(settled.clone()).unwrap().moves);
    assert!(!to_bottom(TableMeta { tombstones: 1, ..settled }).unwrap().moves);

    // Over much of the next level it is cut.
    let wide = shape(&[(4, table(1, ("a", "z"), 500)), (6, table(2, ("a", "z"), LIMITS.max_overlap() + 1))]);
    assert!(!wide.job(4, &wide.levels[4], 5).unwrap().moves);
}

#[test]
fn jobs_keep_off_each_other() {
    let tables = [
        (0, table(9, ("a", "c"), 1)),
        (0, table(8, ("b", "d"), 1)),
        (5, table(1, ("e", "g"), 300)),
        (5, table(2, ("m", "p"), 300)),
        (6, table(3, ("e", "h"), 500)),
        (6, table(4, ("n", "z"), 500)),
    ];
    let mut running = shape(&tables);
    let mut jobs = Vec::new();
    while let Some(job) = due(&running) {
        running.claims.push(job.claim.clone());
        jobs.push(job);
    }
    let from: Vec<_> = jobs.iter().map(|job| *job.claim.levels.start()).collect();
    assert_eq!(from, [5, 5, 0], "{jobs:?}");
    let mut inputs: Vec<_> = jobs.iter().flat_map(|job| &job.inputs).collect();
    inputs.sort_unstable();
    inputs.dedup();
    assert_eq!(inputs.len(), 6, "no table twice");
    assert_eq!(jobs[2].output_level, 5, "apart from them");
}

#[test]
fn level_0_is_in_one_job_at_a_time() {
    let mut shape = shape(&[(0, table(9, ("a", "c"), 1)), (0, table(8, ("b", "d"), 1))]);
    shape.claims.push(claim_of(0, 6, hull_of(&meta(1, ("x", "z"), 1))));
    assert_eq!(due(&shape), None);
}

#[test]
fn at_rest_little_garbage_stays_and_much_goes() {
    let with = |upper: u64| shape(&[(5, table(9, ("a", "z"), upper)), (6, table(1, ("b", "y"), 1000))]);
    assert_eq!(with(150).space().dead, 150);
    assert_eq!(at_rest(&with(150)), None);
    let job = at_rest(&with(260)).unwrap();
    assert_eq!((job.output_level, job.bottom, job.inputs.len()), (6, true, 2));
}

#[test]
fn what_overlaps_nothing_is_no_garbage() {
    let tables =
        [(5, table(9, ("a", "c"), 900)), (5, table(8, ("d", "f"), 900)), (6, table(1, ("g", "z"), 9))];
    assert_eq!(shape(&tables).space(), crate::compaction::SpaceUse { total: 1809, dead: 0, pinned: 0 });
    assert_eq!(at_rest(&shape(&tables)), None);
}

#[test]
fn tombstones_over_nothing_go() {
    let dead = Arc::new(TableMeta { tombstones: 60, ..meta(9, ("a", "c"), 60) });
    let job = at_rest(&shape(&[(0, Arc::clone(&dead))])).unwrap();
    assert_eq!((job.output_level, job.bottom), (6, true));
    let job = at_rest(&shape(&[(6, Arc::clone(&dead)), (6, table(1, ("d", "z"), 900))])).unwrap();
    assert_eq!((job.output_level, job.bottom, job.inputs), (6, true, vec![(6, 9)]));
    // A snapshot that is older than they are may need them.
    let mut pinned = shape(&[(6, dead)]);
    pinned.held = &[5];
    assert_eq!(at_rest(&pinned), None);
    assert_eq!(pinned.space().pinned, 60);
}

#[test]
fn kept_versions_go_when_their_snapshot_does() {
    let kept = Kept { records: 50, bytes: 50, snapshots: 2 };
    let mut shape = shape(&[(6, Arc::new(TableMeta { kept, ..meta(9, ("a", "c"), 100) }))]);
    shape.held = &[3, 5];
    assert_eq!((at_rest(&shape), shape.space().pinned), (None, 50));
    shape.held = &[5];
    assert_eq!((shape.space().pinned, shape.space().dead), (25, 25));
    assert_eq!(at_rest(&shape).unwrap().inputs, [(6, 9)]);
    // A later snapshot sees the newest versions only.
    shape.held = &[9, 30];
    assert_eq!((shape.space().pinned, shape.space().dead), (0, 50));
}

#[test]
fn what_a_snapshot_sees_under_newer_tables_is_pinned() {
    let mut shape = shape(&[(5, table(9, ("a", "z"), 500)), (6, table(1, ("a", "z"), 500))]);
    shape.held = &[4];
    assert_eq!((shape.space().pinned, at_rest(&shape)), (500, None));
    shape.held = &[];
    assert!(at_rest(&shape).is_some());
}

#[test]
fn level_0_is_merged_away_at_rest_as_long_as_that_costs_little() {
    let new = |number: FileNumber| table(number, ("a", "z"), 100);
    let job = at_rest(&shape(&[(0, new(9)), (6, table(1, ("b", "y"), 1000))])).unwrap();
    assert_eq!((job.output_level, job.inputs), (6, vec![(0, 9), (6, 1)]));
    assert_eq!(at_rest(&shape(&[(0, new(9))])).unwrap().output_level, 6, "what is alone gets its last form");
    let large = [(6, table(1, ("a", "m"), 1500)), (6, table(2, ("n", "z"), 1500))];
    assert_eq!(at_rest(&shape(&[&[(0, new(9))][..], &large].concat())), None, "too much for one");
    let job = at_rest(&shape(&[&[(0, new(9)), (0, new(8))][..], &large].concat())).unwrap();
    assert_eq!((job.output_level, job.inputs), (5, vec![(0, 9), (0, 8)]), "several become one run");
    assert_eq!(at_rest(&shape(&[(0, table(9, ("a", "z"), 99))])), None, "it waits for others");
    let over_level5 = [(0, new(9)), (5, table(3, ("c", "d"), 900)), (6, table(1, ("a", "z"), 20_000))];
    assert_eq!(at_rest(&shape(&over_level5)).unwrap().output_level, 5);
}

#[test]
fn a_sweep_goes_down_level_by_level_and_ends() {
    let tables = [
        (0, table(9, ("a", "z"), 10)),
        (4, table(5, ("c", "d"), 10)),
        (5, table(4, ("a", "b"), 10)),
        (6, table(3, ("a", "m"), 10)),
        (6, table(2, ("n", "z"), 10)),
    ];
    let mut sweep = Sweep::new(10);
    let shape0 = shape(&tables);
    assert_eq!(sweep.bytes_left(&shape0), 50);
    let Piece::Run(job) = sweep.next(&shape0, || 11) else { panic!("nothing to do") };
    assert_eq!((job.output_level, job.inputs), (4, vec![(0, 9), (4, 5)]));
    let shape1 = shape(&[
        (0, table(12, ("a", "z"), 10)),
        (4, table(10, ("a", "z"), 20)),
        (5, table(4, ("a", "b"), 10)),
        (6, table(3, ("a", "m"), 10)),
    ]);
    let Piece::Run(job) = sweep.next(&shape1, || 11) else { panic!("nothing to do") };
    assert_eq!(job.inputs, [(4, 10), (5, 4)], "level 0 had its turn");
    let mut busy = shape(&[(5, table(10, ("a", "z"), 20))]);
    busy.claims.push(claim_of(5, 6, hull_of(&meta(10, ("a", "b"), 1))));
    assert_eq!(sweep.clone().next(&busy, || 13), Piece::Wait);
    busy.claims.clear();
    let Piece::Run(job) = sweep.next(&busy, || 13) else { panic!("nothing to do") };
    assert_eq!((job.output_level, job.bottom), (6, true));
    let settled = TableMeta { smallest_sequence: 0, largest_sequence: 0, ..meta(14, ("a", "z"), 20) };
    assert_eq!(sweep.next(&shape(&[(6, Arc::new(settled))]), || 15), Piece::Done);
}
