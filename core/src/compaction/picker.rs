//! What to compact next: a pure decision over the shape of one keyspace's levels.

use crate::base::comparator::KeyOrder;
use crate::base::ids::FileNumber;
use crate::base::limits::LEVELS;
use crate::btree::TableMeta;
use crate::sync::Arc;

/// Each level may be this many times as large as the one above it.
const LEVEL_RATIO: u64 = 10;

/// The tables of a keyspace as the picker sees them: level 0 newest first, deeper levels by key.
pub struct LevelShape<'a> {
    /// Order of keys.
    pub order: &'a KeyOrder,
    /// Tables by level.
    pub levels: Vec<Vec<Arc<TableMeta>>>,
}

/// Settings of the picker.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tables in level 0 that start a compaction.
    pub level0_trigger: usize,
    /// Bytes that level 1 may hold.
    pub level1_bytes: u64,
}

/// A compaction: merge `inputs` into `output_level`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Level and number of each table that goes in.
    pub inputs: Vec<(usize, FileNumber)>,
    /// Where the result goes.
    pub output_level: usize,
    /// No table outside of the inputs holds older versions of these keys.
    pub bottom: bool,
}

/// The most urgent compaction, or `None` if every level is within its limit. The level that is furthest
/// over its limit goes first, so that a steady load cannot starve the deeper ones.
pub fn pick(shape: &LevelShape<'_>, limits: Limits) -> Option<Job> {
    let mut allowed = limits.level1_bytes;
    let mut most = (shape.levels[0].len() as f64 / limits.level0_trigger.max(1) as f64, 0);
    for level in 1..LEVELS - 1 {
        let bytes: u64 = shape.levels[level].iter().map(|meta| meta.size).sum();
        // A level that is just full is no reason yet.
        let fullness = if bytes > allowed { bytes as f64 / allowed.max(1) as f64 } else { 0.0 };
        if fullness > most.0 {
            most = (fullness, level);
        }
        allowed = allowed.saturating_mul(LEVEL_RATIO);
    }
    match most {
        (fullness, _) if fullness < 1.0 => None,
        (_, 0) => Some(shape.job(0, shape.levels[0].clone())),
        (_, level) => shape.cheapest(level).map(|meta| shape.job(level, vec![meta])),
    }
}

/// Everything into the deepest level in use; `None` if that would change nothing.
pub fn pick_all(shape: &LevelShape<'_>) -> Option<Job> {
    let deepest = (0..LEVELS).rev().find(|&level| !shape.levels[level].is_empty())?;
    let output_level = deepest.max(1);
    let inputs: Vec<_> = (0..=output_level)
        .flat_map(|level| shape.levels[level].iter().map(move |meta| (level, meta.number)))
        .collect();
    let settled = (0..output_level).all(|level| shape.levels[level].is_empty())
        && shape.levels[output_level].iter().all(|meta| meta.largest_sequence == 0);
    (!settled).then_some(Job { inputs, output_level, bottom: true })
}

impl LevelShape<'_> {
    /// The table of `level` that overlaps least with the next level, per byte moved.
    fn cheapest(&self, level: usize) -> Option<Arc<TableMeta>> {
        let cost = |meta: &Arc<TableMeta>| {
            let below: u64 = self.overlapping(level + 1, &[meta]).map(|meta| meta.size).sum();
            below.saturating_mul(1 << 10) / meta.size.max(1)
        };
        self.levels[level].iter().min_by_key(|meta| cost(meta)).cloned()
    }

    /// Tables of `level` that share keys with the range that `metas` span.
    fn overlapping<'b>(
        &'b self,
        level: usize,
        metas: &[&Arc<TableMeta>],
    ) -> impl Iterator<Item = &'b Arc<TableMeta>> {
        let order = self.order;
        let by = |a: &&[u8], b: &&[u8]| order.compare(a, b);
        let smallest = metas.iter().map(|meta| meta.smallest_key.as_slice()).min_by(by).map(<[u8]>::to_vec);
        let largest = metas.iter().map(|meta| meta.largest_key.as_slice()).max_by(by).map(<[u8]>::to_vec);
        self.levels[level].iter().filter(move |meta| match (&smallest, &largest) {
            (Some(smallest), Some(largest)) => {
                order.compare(&meta.largest_key, smallest).is_ge()
                    && order.compare(&meta.smallest_key, largest).is_le()
            }
            _ => false,
        })
    }

    fn job(&self, level: usize, upper: Vec<Arc<TableMeta>>) -> Job {
        let upper_refs: Vec<_> = upper.iter().collect();
        let lower: Vec<_> = self.overlapping(level + 1, &upper_refs).collect();
        let all: Vec<_> = upper_refs.iter().copied().chain(lower.iter().copied()).collect();
        let bottom = (level + 2..LEVELS).all(|deeper| self.overlapping(deeper, &all).next().is_none());
        let inputs = upper
            .iter()
            .map(|meta| (level, meta.number))
            .chain(lower.iter().map(|meta| (level + 1, meta.number)))
            .collect();
        Job { inputs, output_level: level + 1, bottom }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::KeyspaceId;

    fn table(number: FileNumber, range: (&str, &str), size: u64) -> Arc<TableMeta> {
        Arc::new(TableMeta {
            number,
            keyspace: KeyspaceId::DEFAULT,
            size,
            entries: 1,
            tombstones: 0,
            smallest_sequence: number,
            largest_sequence: number,
            smallest_key: range.0.into(),
            largest_key: range.1.into(),
        })
    }

    fn shape(levels: &[(usize, Arc<TableMeta>)]) -> LevelShape<'static> {
        let mut all = vec![Vec::new(); LEVELS];
        for (level, meta) in levels {
            all[*level].push(Arc::clone(meta));
        }
        LevelShape { order: &KeyOrder::Bytewise, levels: all }
    }

    const LIMITS: Limits = Limits { level0_trigger: 2, level1_bytes: 100 };

    #[test]
    fn quiet_levels_need_nothing() {
        assert_eq!(
            pick(&shape(&[(0, table(1, ("a", "z"), 50)), (1, table(2, ("a", "z"), 100))]), LIMITS),
            None
        );
    }

    #[test]
    fn level_0_goes_down_whole_with_what_it_overlaps() {
        let shape = shape(&[
            (0, table(9, ("c", "d"), 1)),
            (0, table(8, ("g", "h"), 1)),
            (1, table(1, ("a", "b"), 1)),
            (1, table(2, ("d", "e"), 1)),
            (1, table(3, ("h", "k"), 1)),
            (2, table(4, ("e", "f"), 1)),
        ]);
        let job = pick(&shape, LIMITS).unwrap();
        assert_eq!(job.inputs, [(0, 9), (0, 8), (1, 2), (1, 3)]);
        assert_eq!((job.output_level, job.bottom), (1, false));
    }

    #[test]
    fn a_level_over_its_limit_gives_its_cheapest_table() {
        let shape = shape(&[
            (1, table(1, ("a", "c"), 80)),
            (1, table(2, ("d", "f"), 80)),
            (2, table(3, ("a", "b"), 500)),
        ]);
        let job = pick(&shape, LIMITS).unwrap();
        assert_eq!(job, Job { inputs: vec![(1, 2)], output_level: 2, bottom: true });
    }

    #[test]
    fn the_level_furthest_over_its_limit_goes_first() {
        let upper = [(0, table(9, ("a", "b"), 1)), (0, table(8, ("a", "b"), 1))];
        let with_level1 = |size| shape(&[&upper[..], &[(1, table(1, ("c", "d"), size))]].concat());
        assert_eq!(pick(&with_level1(99), LIMITS).unwrap().output_level, 1);
        assert_eq!(pick(&with_level1(150), LIMITS).unwrap().output_level, 2);
    }

    #[test]
    fn everything_goes_to_the_deepest_level_once() {
        let mut settled = table(5, ("a", "z"), 1);
        let job = pick_all(&shape(&[(0, table(9, ("a", "b"), 1)), (2, Arc::clone(&settled))])).unwrap();
        assert_eq!(job, Job { inputs: vec![(0, 9), (2, 5)], output_level: 2, bottom: true });
        Arc::get_mut(&mut settled).unwrap().largest_sequence = 0;
        assert_eq!(pick_all(&shape(&[(2, settled)])), None);
        assert_eq!(pick_all(&shape(&[])), None);
    }
}
