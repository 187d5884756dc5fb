//! What has been done and has not reached the disk: in which states a crash may leave it.
//!
//! The rules, which are those that a file system may be relied on for, and no more:
//! * what was synced stays: bytes and length with a sync of the file, names with a sync of their folder. Neither
//!   brings the other along;
//! * of the rest each part reaches the disk or not, on its own: a name, a length, and of the bytes each sector in
//!   any state that it had since the last sync. A crash in the middle of a sector leaves the first bytes of the newer
//!   state in front of the older one;
//! * a rename is one effect; of one between folders each sync brings the half of its folder to the disk, which is worse
//!   than what file systems do;
//! * the newest of the effects on a name that got through counts.

use super::content::{CHUNK, Chunk, Content};
use super::tree::{Folder, Id, Tree};
use super::{Keep, Tear, mix};
use std::ops::Range;
use std::sync::Arc;

/// Tells effects apart, in their order.
pub type Stamp = u64;

/// A write, or a change of length.
#[derive(Clone, Debug)]
pub struct FileEffect {
    pub stamp: Stamp,
    /// The chunks that it changed, as they are behind it.
    pub chunks: Vec<(u64, Option<Arc<Chunk>>)>,
    /// What it wrote; empty for a change of length.
    pub written: Range<u64>,
    /// Length of the file behind it.
    pub len: u64,
}

/// A name that came, or went.
#[derive(Clone, Debug)]
pub struct NameEffect {
    pub stamp: Stamp,
    pub name: String,
    /// What has the name now; `None`: nothing.
    pub id: Option<Id>,
}

/// The smallest part of a file that a disk writes whole.
const SECTOR: usize = 512;

/// Which of the pending effects got through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Choice {
    /// Names, and lengths if `sizes`, but no bytes.
    Empty { names: bool, sizes: bool },
    /// All in front of a stamp, and a part of the one that has it.
    Before(Stamp, Option<Torn>),
    /// All but the one that has a stamp.
    Without(Stamp),
    /// Each on its own.
    Any(u64),
}

/// The part of a write that got through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Torn {
    start: u64,
    end: u64,
    /// Length of the file, if the write changed it.
    len: u64,
}

impl Choice {
    /// All of it.
    pub const EVERYTHING: Choice = Choice::Before(Stamp::MAX, None);

    /// The choice of a crash.
    pub fn of(keep: Keep, tree: &Tree) -> Choice {
        match keep {
            Keep::All | Keep::Evicted => Choice::EVERYTHING,
            Keep::Durable => Choice::Empty { names: false, sizes: false },
            Keep::Names => Choice::Empty { names: true, sizes: false },
            Keep::Sizes => Choice::Empty { names: true, sizes: true },
            Keep::Prefix(seed) => {
                let stamps = tree.pending_stamps();
                let at = mix(seed, 0) % (stamps.len() as u64 + 1);
                Choice::Before(stamps.get(at as usize).copied().unwrap_or(Stamp::MAX), None)
            }
            Keep::Hole(seed) => {
                let stamps = tree.pending_stamps();
                let at = (mix(seed, 9) % (stamps.len() as u64).max(1)) as usize;
                Choice::Without(stamps.get(at).copied().unwrap_or(Stamp::MAX))
            }
            Keep::Torn(tear, seed) => Self::torn(tear, seed, tree),
            Keep::Any(seed) => Choice::Any(seed),
        }
    }

    /// The last write or, every other time, some write is torn, and nothing behind it got through.
    fn torn(tear: Tear, seed: u64, tree: &Tree) -> Choice {
        let writes = tree.pending_writes();
        let Some(last) = writes.len().checked_sub(1) else { return Choice::EVERYTHING };
        let at =
            if mix(seed, 1).is_multiple_of(2) { last } else { (mix(seed, 2) % writes.len() as u64) as usize };
        let (before, effect) = &writes[at];
        let Range { start, end } = effect.written.clone();
        let cut = start + mix(seed, 3) % (end - start + 1);
        let cut = (cut / tear.bytes() * tear.bytes()).clamp(start, end);
        // A disk may write the end first.
        let (start, end) = if mix(seed, 4).is_multiple_of(4) { (cut, end) } else { (start, cut) };
        let len = match mix(seed, 5) % 3 {
            0 => *before,
            1 => end.clamp(*before.min(&effect.len), effect.len),
            _ => effect.len,
        };
        Choice::Before(effect.stamp, Some(Torn { start, end, len }))
    }

    /// Whether the name effect of a stamp got through.
    pub fn name(&self, stamp: Stamp) -> bool {
        match self {
            Choice::Empty { names, .. } => *names,
            Choice::Before(limit, _) => stamp < *limit,
            Choice::Without(missing) => stamp != *missing,
            // By seed few, half or most of them.
            Choice::Any(seed) => mix(*seed, stamp) % 4 <= mix(*seed, 6) % 3,
        }
    }

    /// The names of a folder.
    pub fn names(&self, folder: &Folder) -> super::tree::Names {
        let mut names = folder.durable.clone();
        for effect in folder.pending.iter().filter(|effect| self.name(effect.stamp)) {
            effect.apply(&mut names);
        }
        names
    }

    /// The bytes of a file.
    pub fn content(&self, id: Id, durable: &Content, pending: &[FileEffect]) -> Content {
        let mut content = durable.clone();
        let mut touched: Vec<u64> =
            pending.iter().flat_map(|effect| &effect.chunks).map(|(index, _)| *index).collect();
        touched.sort_unstable();
        touched.dedup();
        for index in touched {
            let mut versions = vec![(0, durable.chunk(index))];
            for effect in pending {
                let change = effect.chunks.iter().find(|(changed, _)| *changed == index);
                versions.extend(change.map(|(_, chunk)| (effect.stamp, chunk.clone())));
            }
            content.put_chunk(index, self.chunk(mix(id, index), index, &versions));
        }
        content.end_at(self.len(id, durable.len(), pending));
        content
    }

    fn chunk(&self, place: u64, index: u64, versions: &[(Stamp, Option<Arc<Chunk>>)]) -> Option<Arc<Chunk>> {
        let newest = |stamp: Stamp| versions.iter().rfind(|version| version.0 < stamp);
        let first = || versions.first().and_then(|version| version.1.clone());
        match *self {
            Choice::Empty { .. } => first(),
            Choice::Before(limit, torn) => {
                let before = newest(limit).and_then(|version| version.1.clone());
                let write = versions.iter().find(|version| version.0 == limit);
                let (Some(torn), Some((_, Some(write)))) = (torn, write) else { return before };
                let mut chunk = before;
                let within =
                    |at: u64| (at.clamp(index * CHUNK, (index + 1) * CHUNK) - index * CHUNK) as usize;
                let range = within(torn.start)..within(torn.end);
                bytes_of(&mut chunk)[range.clone()].copy_from_slice(&write[range]);
                chunk
            }
            Choice::Without(missing) => without(missing, versions),
            Choice::Any(seed) => {
                let random = mix(seed, place);
                if mix(seed, 7).is_multiple_of(3) {
                    return versions[(random % versions.len() as u64) as usize].1.clone();
                }
                let mut chunk = first();
                for (sector, at) in (0..CHUNK as usize).step_by(SECTOR).enumerate() {
                    let random = mix(random, sector as u64);
                    let version = (random % versions.len() as u64) as usize;
                    // Now and then in the middle of a sector.
                    let cut = if (random >> 32).is_multiple_of(8) {
                        (random >> 40) as usize % SECTOR
                    } else {
                        SECTOR
                    };
                    let older = &versions[version.saturating_sub(1)].1;
                    copy(&mut chunk, older, at + cut..at + SECTOR);
                    copy(&mut chunk, &versions[version].1, at..at + cut);
                }
                chunk
            }
        }
    }

    /// The length of a file.
    fn len(&self, id: Id, durable: u64, pending: &[FileEffect]) -> u64 {
        let newest = |limit: Stamp| {
            pending.iter().rfind(|effect| effect.stamp < limit).map_or(durable, |effect| effect.len)
        };
        match *self {
            Choice::Empty { sizes: false, .. } => durable,
            Choice::Empty { .. } | Choice::Without(_) => newest(Stamp::MAX),
            Choice::Before(limit, torn) => match torn {
                Some(torn) if pending.iter().any(|effect| effect.stamp == limit) => torn.len,
                _ => newest(limit),
            },
            Choice::Any(seed) => {
                let random = mix(seed, id ^ 0x512e);
                let at = (random % (pending.len() as u64 + 1)) as usize;
                let of = |at: usize| if at == 0 { durable } else { pending[at - 1].len };
                let (before, len) = (of(at.saturating_sub(1)), of(at));
                // A length may grow page by page.
                if len > before && (random >> 32).is_multiple_of(4) {
                    let pages = (len - before).div_ceil(CHUNK);
                    return len.min((before / CHUNK + (random >> 40) % pages + 1) * CHUNK);
                }
                len
            }
        }
    }
}

impl NameEffect {
    pub fn apply(&self, names: &mut super::tree::Names) -> Option<Id> {
        match self.id {
            Some(id) => names.insert(self.name.clone(), id),
            None => names.remove(&self.name),
        }
    }
}

/// The newest version, but for the sectors that the missing effect was the last to change: these are as before it.
fn without(missing: Stamp, versions: &[(Stamp, Option<Arc<Chunk>>)]) -> Option<Arc<Chunk>> {
    let newest = versions.last().and_then(|version| version.1.clone());
    let Some(at) = versions.iter().position(|version| version.0 == missing && missing > 0) else {
        return newest;
    };
    let (before, with) = (&versions[at - 1].1, &versions[at].1);
    let mut chunk = newest.clone();
    for at in (0..CHUNK as usize).step_by(SECTOR) {
        let sector = at..at + SECTOR;
        let of = |chunk: &Option<Arc<Chunk>>| chunk.as_ref().map(|chunk| chunk[sector.clone()].to_vec());
        if of(with) == of(&newest) {
            copy(&mut chunk, before, sector);
        }
    }
    chunk
}

fn bytes_of(chunk: &mut Option<Arc<Chunk>>) -> &mut Chunk {
    Arc::make_mut(chunk.get_or_insert_with(|| Arc::new([0; CHUNK as usize])))
}

fn copy(to: &mut Option<Arc<Chunk>>, from: &Option<Arc<Chunk>>, range: Range<usize>) {
    match from {
        _ if range.is_empty() => {}
        Some(from) => bytes_of(to)[range.clone()].copy_from_slice(&from[range]),
        None if to.is_some() => bytes_of(to)[range].fill(0),
        None => {}
    }
}
