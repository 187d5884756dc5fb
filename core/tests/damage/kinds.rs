//! What is done to files.

use std::fmt;
use std::path::Path;

use lightning_db::vfs::{MemoryVfs, Vfs};

/// What happened to which files of a database.
#[derive(Clone, Debug, Default)]
pub struct Damage {
    /// Names, in the folder that was damaged.
    pub files: Vec<String>,
    pub what: String,
    /// Another file may be the first to show it: one is missing, or has another's place.
    pub may_show_elsewhere: bool,
    /// A log without a recorded end was cut between two commits: nothing in it can show that.
    pub is_cut_at_a_boundary: bool,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.files.join(" and "), self.what)
    }
}

impl Damage {
    pub fn of(name: &str, what: String) -> Damage {
        Damage { files: vec![name.to_owned()], what, ..Damage::default() }
    }
}

/// Files of one folder, as they were, and the new content of some: `None` for one that is gone.
pub struct Changes {
    pub damage: Damage,
    pub files: Vec<(String, Option<Vec<u8>>)>,
}

impl Changes {
    fn one(name: &str, bytes: Vec<u8>, what: String) -> Changes {
        Changes { damage: Damage::of(name, what), files: vec![(name.to_owned(), Some(bytes))] }
    }

    /// Makes them on a disk.
    pub fn apply(&self, disk: &MemoryVfs, folder: &str) {
        for (name, bytes) in &self.files {
            let path = Path::new(folder).join(name);
            match bytes {
                Some(bytes) => disk.write_file(&path, bytes).unwrap(),
                None => disk.remove(&path).unwrap(),
            }
        }
        // A power cut does not bring back what is gone.
        disk.sync_dir(Path::new(folder)).unwrap();
    }
}

pub fn flipped(name: &str, bytes: &[u8], at: usize, mask: u8) -> Changes {
    let mut changed = bytes.to_vec();
    changed[at] ^= mask;
    Changes::one(name, changed, format!("flipped at {at} of {} by {mask:#x}", bytes.len()))
}

pub fn cut(name: &str, bytes: &[u8], len: usize) -> Changes {
    Changes::one(name, bytes[..len].to_vec(), format!("cut to {len} of {}", bytes.len()))
}

/// Longer by garbage, by zeros, or by a copy of itself.
pub fn grown(name: &str, bytes: &[u8]) -> Vec<Changes> {
    let garbage: Vec<u8> = (0..700u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let grown = [("garbage", garbage), ("zeros", vec![0; 700]), ("itself", bytes.to_vec())];
    let grow = |(what, more): (&str, Vec<u8>)| {
        Changes::one(name, [bytes, &more].concat(), format!("grown by {what}"))
    };
    grown.into_iter().map(grow).collect()
}

/// All of it, and each sector of 512 bytes, and each half of one, as zeros, as ones and as garbage.
pub fn overwritten(name: &str, bytes: &[u8]) -> Vec<Changes> {
    let sectors = (0..bytes.len()).step_by(256).flat_map(|start| [(start, 256), (start, 512)]);
    let places = sectors.chain([(0, bytes.len())]).filter(|(start, _)| *start < bytes.len());
    let mut all = Vec::new();
    for (start, len) in places {
        let end = bytes.len().min(start + len);
        for (what, fill) in [("zeros", 0), ("ones", 255), ("garbage", 1)] {
            let mut changed = bytes.to_vec();
            for (at, byte) in changed[start..end].iter_mut().enumerate() {
                *byte = if fill == 1 {
                    (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ 7
                } else {
                    fill
                };
            }
            if changed != bytes {
                all.push(Changes::one(name, changed, format!("with {what} from {start} to {end}")));
            }
        }
    }
    all
}

/// Every two blocks of equal size swapped, and each one copied over the other.
pub fn misdirected(name: &str, bytes: &[u8], blocks: &[(usize, usize)]) -> Vec<Changes> {
    let mut all = Vec::new();
    for (nth, &(one, len)) in blocks.iter().enumerate() {
        for &(two, _) in blocks[nth + 1..].iter().filter(|block| block.1 == len) {
            let copy = |from: usize, to: usize, changed: &mut Vec<u8>| {
                changed[to..to + len].copy_from_slice(&bytes[from..from + len]);
            };
            let (mut swapped, mut doubled, mut early) = (bytes.to_vec(), bytes.to_vec(), bytes.to_vec());
            copy(one, two, &mut swapped);
            copy(two, one, &mut swapped);
            copy(one, two, &mut doubled);
            copy(two, one, &mut early);
            for (changed, what) in
                [(swapped, "swapped with"), (doubled, "copied over"), (early, "overwritten by")]
            {
                if changed != bytes {
                    all.push(Changes::one(
                        name,
                        changed,
                        format!("with {len} bytes at {one} {what} those at {two}"),
                    ));
                }
            }
        }
    }
    all
}

/// Each file in the place of each other one, gone, and under names that it should not have.
pub fn misplaced(files: &[(&String, &Vec<u8>)]) -> Vec<Changes> {
    let mut all = Vec::new();
    let mut add = |files: Vec<(String, Option<Vec<u8>>)>, what: String| {
        let names = files.iter().map(|(name, _)| name.clone()).collect();
        let damage = Damage { files: names, what, may_show_elsewhere: true, is_cut_at_a_boundary: false };
        all.push(Changes { damage, files });
    };
    for (nth, (name, bytes)) in files.iter().enumerate() {
        let content = || Some((*bytes).clone());
        add(vec![((*name).clone(), None)], "missing".into());
        for (other, others) in files.iter().filter(|(other, _)| other != name) {
            add(vec![((*other).clone(), content())], format!("overwritten by {name}"));
            if files[nth..].iter().any(|(later, _)| later == other) {
                let swap = vec![((*name).clone(), Some((*others).clone())), ((*other).clone(), content())];
                add(swap, "swapped".into());
                add(vec![((*name).clone(), None), ((*other).clone(), None)], "both missing".into());
            }
        }
        for ending in ["log", "table", "manifest", "tmp"] {
            for stem in ["000000", "000001", "000077", "18446744073709551615"] {
                let new = format!("{stem}.{ending}");
                if files.iter().any(|(known, _)| **known == new) {
                    continue;
                }
                add(vec![(new.clone(), content())], format!("a copy of {name}"));
                add(vec![((*name).clone(), None), (new, content())], "renamed".into());
            }
        }
    }
    all
}
