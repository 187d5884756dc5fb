//! The calls that a real disk got, made again on the simulated one: crashes leave each part of what is pending there and
//! not there, and of two parts each without the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lightning_db::vfs::{FileType, Keep, MemoryVfs, OpenMode, OsVfs, Vfs, VfsFile};

use crate::cross::{calls, real_folder};
use crate::stepped::{Traced, What};

/// Disks that are looked at in front of a call. Always the same ones: what is rare among them is met or not by chance.
const SEEDS: std::ops::Range<u64> = 250..500;
/// In front of each so many calls.
const EVERY: usize = 12;
/// Parts whose pairs are looked at.
const PAIRED: usize = 12;
const SECTOR: usize = 512;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Something that a crash may leave as it was, or as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Name(PathBuf),
    Len(PathBuf),
    Sector(PathBuf, usize),
}

impl Part {
    fn path(&self) -> &Path {
        match self {
            Part::Name(path) | Part::Len(path) | Part::Sector(path, _) => path,
        }
    }

    /// Whether the part got through, where that can be seen.
    fn is_there(&self, found: &Files, before: &Files, after: &Files) -> Option<bool> {
        let of = |files: &Files| -> Option<Vec<u8>> {
            let bytes = files.get(self.path());
            match self {
                Part::Name(_) => Some(vec![u8::from(bytes.is_some())]),
                Part::Len(_) => bytes.map(|bytes| bytes.len().to_le_bytes().to_vec()),
                Part::Sector(_, number) => bytes.map(|bytes| sector(bytes, *number)),
            }
        };
        let (found, before, after) = (of(found)?, of(before)?, of(after)?);
        if found.len() < after.len() && matches!(self, Part::Sector(..)) {
            return None;
        }
        (found == before || found == after).then_some(found == after)
    }
}

fn sector(bytes: &[u8], number: usize) -> Vec<u8> {
    let start = (number * SECTOR).min(bytes.len());
    bytes[start..bytes.len().min(start + SECTOR)].to_vec()
}

fn files(disk: &MemoryVfs) -> Files {
    let (mut files, mut folders) = (Files::new(), vec![PathBuf::from("/")]);
    while let Some(folder) = folders.pop() {
        for name in disk.list(&folder).unwrap() {
            let path = folder.join(name);
            match disk.file_type(&path).unwrap() {
                Some(FileType::Folder) => folders.push(path),
                _ => drop(files.insert(path.clone(), disk.read_file(&path).unwrap())),
            }
        }
    }
    files
}

/// Makes a call again.
fn make(disk: &MemoryVfs, open: &mut BTreeMap<PathBuf, Arc<dyn VfsFile>>, call: &Traced) {
    let path = &Path::new("/").join(&call.path);
    let mut file = || match open.get(path) {
        Some(file) => Arc::clone(file),
        None => open.entry(path.clone()).or_insert(disk.open(path, OpenMode::ReadWrite).unwrap()).clone(),
    };
    match call.what {
        What::Create | What::Lock => drop(disk.open(path, OpenMode::CreateNew).unwrap()),
        What::Write => file().write_at(&call.bytes, call.offset).unwrap(),
        What::SetLen => file().set_len(call.offset).unwrap(),
        What::Preallocate => {}
        What::SyncData | What::SyncAll => file().sync_data().unwrap(),
        What::Rename => disk.rename(&Path::new("/").join(&call.from), path).unwrap(),
        What::Remove => disk.remove(path).unwrap(),
        What::CreateDir => disk.create_dir(path).unwrap(),
        What::RemoveDir => disk.remove_dir(path).unwrap(),
        What::SyncDir if call.path == Path::new("above") => {}
        What::SyncDir => disk.sync_dir(path).unwrap(),
    }
    // A name may be another file's from now on.
    if matches!(call.what, What::Rename | What::Remove) {
        open.clear();
    }
}

/// What is pending, and the files without and with it.
fn pending(disk: &MemoryVfs) -> (Vec<Part>, Files, Files, Files) {
    let (durable, before, after) =
        (files(&disk.crash(Keep::Durable)), files(&disk.crash(Keep::Names)), files(disk));
    let mut parts = Vec::new();
    for path in durable.keys().chain(after.keys()) {
        let part = Part::Name(path.clone());
        if durable.contains_key(path) != after.contains_key(path) && !parts.contains(&part) {
            parts.push(part);
        }
    }
    for (path, bytes) in &after {
        let Some(old) = before.get(path) else { continue };
        let changed = |number: &usize| sector(old, *number) != sector(bytes, *number);
        if old.len() != bytes.len() {
            parts.push(Part::Len(path.clone()));
        }
        // Those that both have whole: of what lies behind the old length, zeros are what was.
        let whole = 0..old.len().min(bytes.len()) / SECTOR;
        parts.extend(whole.filter(changed).map(|number| Part::Sector(path.clone(), number)));
    }
    (parts, durable, before, after)
}

#[derive(Default)]
struct Coverage {
    parts: usize,
    parts_met: usize,
    pairs: usize,
    pairs_met: usize,
}

impl Coverage {
    fn look(&mut self, disk: &MemoryVfs) {
        let (parts, durable, before, after) = pending(disk);
        let mut met: Vec<Vec<Option<bool>>> = Vec::new();
        for seed in SEEDS {
            let found = files(&disk.crash(Keep::Any(seed)));
            let is_there = |part: &Part| {
                let was = if matches!(part, Part::Name(_)) { &durable } else { &before };
                part.is_there(&found, was, &after)
            };
            met.push(parts.iter().map(is_there).collect());
        }
        for (number, part) in parts.iter().enumerate() {
            self.parts += 1;
            let is_met = |there: bool| met.iter().any(|found| found[number] == Some(there));
            self.parts_met += usize::from(is_met(false) && is_met(true));
            for (other, second) in parts.iter().enumerate().take(PAIRED).skip(number + 1) {
                if number >= PAIRED || are_tied(part, second) {
                    continue;
                }
                self.pairs += 1;
                let is_met = |a: bool, b: bool| {
                    met.iter().any(|found| (found[number], found[other]) == (Some(a), Some(b)))
                };
                let all = [(false, false), (false, true), (true, false), (true, true)];
                match all.into_iter().all(|(a, b)| is_met(a, b)) {
                    true => self.pairs_met += 1,
                    false => println!("  not in all four ways: {part:?} and {second:?}"),
                }
            }
        }
    }
}

/// Parts of one effect, or of which one hides the other: both names of a rename (to another name, or of the same name to
/// another folder), a file's name and what is in it.
fn are_tied(a: &Part, b: &Part) -> bool {
    let is_renamed = |part: &Part| {
        let name = part.path().file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".tmp") || name == "CURRENT" || name == "BACKUP" || part.path().starts_with("/db/lost")
    };
    let is_sector = |part: &Part| matches!(part, Part::Sector(..));
    let is_moved = a.path() != b.path() && a.path().file_name() == b.path().file_name();
    let is_hidden = a.path() == b.path() && !(is_sector(a) && is_sector(b));
    is_hidden || is_moved || (is_renamed(a) && is_renamed(b))
}

#[test]
fn crashes_leave_every_part_of_what_the_real_calls_left_open() {
    let (_folder, root) = real_folder();
    let real = calls(OsVfs, &root);
    let (disk, mut open, mut coverage) = (MemoryVfs::default(), BTreeMap::new(), Coverage::default());
    for (number, call) in real.iter().filter(|call| call.done).enumerate() {
        make(&disk, &mut open, call);
        if number % EVERY == 0 || call.what == What::Rename {
            coverage.look(&disk);
        }
    }
    let is_report = |path: &Path| path.extension().is_some_and(|extension| extension == "txt");
    for (path, bytes) in files(&disk).into_iter().filter(|(path, _)| !is_report(path)) {
        let real = std::fs::read(root.join(path.strip_prefix("/").unwrap())).unwrap();
        assert!(real == bytes, "{path:?} is not as on the real disk");
    }
    let Coverage { parts, parts_met, pairs, pairs_met } = coverage;
    println!(
        "states: {parts_met} of {parts} parts met there and not there, {pairs_met} of {pairs} pairs in all four ways"
    );
    assert!(parts > 100 && parts == parts_met && pairs > 100 && pairs == pairs_met);
}
