//! The file system in memory: what a power cut keeps and loses, and faults.

use super::*;
use crate::vfs::{FileType, OpenMode, Vfs, VfsFile};

mod crashes;

fn path(name: &str) -> &Path {
    Path::new(name)
}

fn create(vfs: &MemoryVfs, name: &str, content: &[u8]) -> Arc<dyn VfsFile> {
    let file = vfs.open(path(name), OpenMode::CreateNew).unwrap();
    file.write_at(content, 0).unwrap();
    file
}

fn names(vfs: &MemoryVfs, folder: &str) -> Vec<String> {
    vfs.list(path(folder)).unwrap()
}

#[test]
fn a_power_cut_keeps_only_what_was_synced() {
    let vfs = MemoryVfs::default();
    let file = create(&vfs, "/file", b"synced");
    file.sync_data().unwrap();
    assert_eq!(names(&vfs.crash(Keep::Durable), "/"), [""; 0], "a synced file has no durable name yet");

    vfs.sync_dir(path("/")).unwrap();
    file.write_at(b"S", 0).unwrap();
    file.write_at(b" and not", 6).unwrap();
    let after = vfs.crash(Keep::Durable);
    assert_eq!(after.read_file("/file").unwrap(), b"synced");
    assert_eq!(vfs.read_file("/file").unwrap(), b"Synced and not");

    create(&vfs, "/empty", b"gone");
    vfs.sync_dir(path("/")).unwrap();
    assert_eq!(vfs.crash(Keep::Durable).read_file("/empty").unwrap(), b"", "a name without its bytes");
    file.sync_all().unwrap();
    assert_eq!(vfs.crash(Keep::Durable).read_file("/file").unwrap(), b"Synced and not");
}

#[test]
fn a_killed_process_loses_nothing_until_the_power_goes_too() {
    let vfs = MemoryVfs::default();
    let file = create(&vfs, "/file", b"old");
    file.sync_data().unwrap();
    vfs.sync_dir(path("/")).unwrap();
    file.write_at(b"new", 0).unwrap();
    create(&vfs, "/second", b"2");

    let killed = vfs.crash(Keep::All);
    assert_eq!(killed.read_file("/file").unwrap(), b"new");
    assert_eq!(names(&killed, "/"), ["file", "second"]);
    let cut = killed.crash(Keep::Durable);
    assert_eq!(cut.read_file("/file").unwrap(), b"old");
    assert_eq!(names(&cut, "/"), ["file"]);

    killed.open(path("/file"), OpenMode::Read).unwrap().sync_data().unwrap();
    assert_eq!(killed.crash(Keep::Durable).read_file("/file").unwrap(), b"new");
}

#[test]
fn renames_and_removals_last_from_the_sync_of_the_folder_on() {
    let vfs = MemoryVfs::default();
    vfs.write_file("/a", "a").unwrap();
    vfs.write_file("/b", "b").unwrap();
    vfs.write_file("/c", "c").unwrap();
    vfs.rename(path("/a"), path("/b")).unwrap();
    vfs.remove(path("/c")).unwrap();
    let before = vfs.crash(Keep::Durable);
    for name in ["a", "b", "c"] {
        assert_eq!(before.read_file(name).unwrap(), name.as_bytes());
    }
    assert_eq!(names(&vfs.crash(Keep::All), "/"), ["b"]);
    vfs.sync_dir(path("/")).unwrap();
    let after = vfs.crash(Keep::Durable);
    assert_eq!(names(&after, "/"), ["b"]);
    assert_eq!(after.read_file("/b").unwrap(), b"a");
}

#[test]
fn a_folder_is_found_again_only_through_durable_names() {
    let vfs = MemoryVfs::default();
    vfs.create_dir(path("/db")).unwrap();
    create(&vfs, "/db/file", b"x").sync_data().unwrap();
    vfs.sync_dir(path("/db")).unwrap();
    assert_eq!(vfs.crash(Keep::Durable).file_type(path("/db")).unwrap(), None);
    vfs.sync_dir(path("/")).unwrap();
    assert_eq!(vfs.crash(Keep::Durable).read_file("/db/file").unwrap(), b"x");

    vfs.remove(path("/db/file")).unwrap();
    vfs.remove_dir(path("/db")).unwrap();
    assert_eq!(vfs.crash(Keep::Durable).read_file("/db/file").unwrap(), b"x");
    vfs.sync_dir(path("/")).unwrap();
    assert_eq!(vfs.crash(Keep::Durable).file_type(path("/db")).unwrap(), None);
}

#[test]
fn a_move_between_folders_needs_both_synced() {
    let vfs = MemoryVfs::default();
    for folder in ["/from", "/to"] {
        vfs.create_dir(path(folder)).unwrap();
    }
    vfs.sync_dir(path("/")).unwrap();
    vfs.write_file("/from/file", "x").unwrap();
    vfs.rename(path("/from/file"), path("/to/file")).unwrap();

    let other_order = vfs.crash(Keep::All);
    other_order.sync_dir(path("/from")).unwrap();
    let neither = other_order.crash(Keep::Durable);
    assert_eq!((names(&neither, "/from").len(), names(&neither, "/to").len()), (0, 0));

    vfs.sync_dir(path("/to")).unwrap();
    let both = vfs.crash(Keep::Durable);
    both.remove(path("/from/file")).unwrap();
    assert_eq!(both.read_file("/to/file").unwrap(), b"x");
    vfs.sync_dir(path("/from")).unwrap();
    let moved = vfs.crash(Keep::Durable);
    assert_eq!((names(&moved, "/from").len(), names(&moved, "/to").len()), (0, 1));
}

#[test]
fn lengths_are_durable_with_the_bytes() {
    let vfs = MemoryVfs::default();
    vfs.write_file("/file", [7; 10_000]).unwrap();
    let file = vfs.open(path("/file"), OpenMode::ReadWrite).unwrap();
    file.set_len(5_000).unwrap();
    assert_eq!(vfs.crash(Keep::Durable).read_file("/file").unwrap(), [7; 10_000]);
    file.sync_data().unwrap();
    file.set_len(10_000).unwrap();
    assert_eq!(vfs.crash(Keep::Durable).read_file("/file").unwrap(), [7; 5_000]);
    file.sync_data().unwrap();
    let mut expected = vec![7; 5_000];
    expected.resize(10_000, 0);
    assert_eq!(vfs.crash(Keep::Durable).read_file("/file").unwrap(), expected);
}

#[test]
fn old_handles_and_locks_stay_with_the_old_disk() {
    let vfs = MemoryVfs::default();
    let file = create(&vfs, "/file", b"old");
    let held = vfs.lock(path("/LOCK")).unwrap();
    let new = vfs.crash(Keep::All);
    file.write_at(b"OLD", 0).unwrap();
    vfs.remove(path("/file")).unwrap();
    assert_eq!(new.read_file("/file").unwrap(), b"old");

    let taken = new.lock(path("/LOCK")).unwrap();
    drop(held);
    assert_eq!(new.lock(path("/LOCK")).unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(taken);
    drop(vfs.lock(path("/LOCK")).unwrap());
}

/// Every numbered call once; gives back how each ended.
fn every_call(vfs: &MemoryVfs) -> Vec<io::Result<()>> {
    vfs.write_file("/old", "old").unwrap();
    let old = vfs.open(path("/old"), OpenMode::ReadWrite).unwrap();
    vec![
        vfs.open(path("/new"), OpenMode::CreateNew).map(drop),
        old.write_at(b"1", 0),
        old.set_len(2),
        old.preallocate(10),
        old.sync_data(),
        old.sync_all(),
        vfs.create_dir(path("/folder")),
        vfs.sync_dir(path("/")),
        vfs.lock(path("/LOCK")).map(drop),
        vfs.rename(path("/old"), path("/moved")),
        vfs.remove_dir(path("/folder")),
        vfs.remove(path("/moved")),
    ]
}

#[test]
fn every_changing_call_has_a_number_and_no_other() {
    let vfs = MemoryVfs::default();
    let results = every_call(&vfs);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(vfs.calls(), results.len() as u64);

    vfs.lock(path("/LOCK")).unwrap();
    vfs.read_file("/new").unwrap();
    vfs.open(path("/new"), OpenMode::ReadWrite).unwrap().len().unwrap();
    vfs.list(path("/")).unwrap();
    vfs.canonicalize(path("/new")).unwrap();
    assert_eq!(vfs.calls(), results.len() as u64);
    vfs.remove(path("/nothing")).unwrap_err();
    assert_eq!(vfs.calls(), results.len() as u64 + 1, "a call counts however it ends");
}

/// Names, and bytes of files, as seen and as durable.
fn state(vfs: &MemoryVfs) -> Vec<Vec<(String, Option<Vec<u8>>)>> {
    let content = |vfs: &MemoryVfs| {
        let entry = |name: String| (name.clone(), vfs.read_file(Path::new("/").join(name)).ok());
        names(vfs, "/").into_iter().map(entry).collect()
    };
    vec![content(vfs), content(&vfs.crash(Keep::Durable))]
}

#[test]
fn a_cut_freezes_the_disk_before_the_call() {
    let all = every_call(&MemoryVfs::default()).len();
    for cut in 0..all {
        // The twin does the calls before the cut and no more.
        let (vfs, twin) = (MemoryVfs::default(), MemoryVfs::default());
        vfs.cut_at(cut as u64);
        (cut..all).for_each(|call| twin.fail_call(call as u64, ErrorKind::Other));
        let results = every_call(&vfs);
        assert!(results[..cut].iter().all(Result::is_ok), "{cut}");
        for result in &results[cut..] {
            let error = result.as_ref().unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Other, "cut"));
        }
        every_call(&twin);
        assert_eq!(state(&vfs), state(&twin), "{cut}");
        assert_eq!(state(&vfs.crash(Keep::All)), state(&vfs), "{cut}");
        vfs.now();
        vfs.advance(Duration::from_secs(1));
        let after = vfs.crash(Keep::All);
        assert_eq!(after.calls(), 0);
        create(&after, "/works-again", b"");
    }
    let vfs = MemoryVfs::default();
    vfs.cut_at(2);
    every_call(&vfs);
    assert_eq!(vfs.read_file("/old").unwrap(), b"1ld");
    assert_eq!(vfs.crash(Keep::Durable).read_file("/old").unwrap(), b"old");
    assert_eq!(names(&vfs, "/"), ["new", "old"]);
}

#[test]
fn one_call_fails_and_changes_nothing() {
    let vfs = MemoryVfs::default();
    vfs.write_file("/file", "old").unwrap();
    let file = vfs.open(path("/file"), OpenMode::ReadWrite).unwrap();
    vfs.fail_call(1, 5);
    vfs.fail_call(3, ErrorKind::QuotaExceeded);
    file.write_at(b"new", 0).unwrap();
    assert_eq!(file.sync_data().unwrap_err().raw_os_error(), Some(5));
    assert_eq!(vfs.crash(Keep::Durable).read_file("/file").unwrap(), b"old");
    file.sync_data().unwrap();
    assert_eq!(vfs.crash(Keep::Durable).read_file("/file").unwrap(), b"new");
    assert_eq!(vfs.remove(path("/file")).unwrap_err().kind(), ErrorKind::QuotaExceeded);
    vfs.remove(path("/file")).unwrap();
}

#[test]
fn a_full_disk_takes_what_fits() {
    let vfs = MemoryVfs::default();
    let file = create(&vfs, "/file", &[1; 1000]);
    vfs.set_space(Some(1500));
    let error = file.write_at(&[2; 1000], 1000).unwrap_err();
    assert_eq!((error.kind(), error.raw_os_error()), (ErrorKind::StorageFull, Some(28)));
    assert_eq!(file.len().unwrap(), 1500);
    file.write_at(&[3; 1500], 0).expect("overwriting needs no room");
    assert_eq!(file.write_at(b"x", 1500).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.preallocate(1501).unwrap_err().kind(), ErrorKind::StorageFull);
    file.preallocate(1500).unwrap();
    let second = vfs.open(path("/second"), OpenMode::CreateNew).unwrap();
    assert_eq!(second.write_at(b"x", 0).unwrap_err().kind(), ErrorKind::StorageFull);

    // Room comes back when a file has neither name nor handle.
    vfs.remove(path("/file")).unwrap();
    assert!(second.write_at(b"x", 0).is_err());
    drop(file);
    second.write_at(&[4; 1500], 0).unwrap();
    second.set_len(100).unwrap();
    second.write_at(&[5; 1400], 100).unwrap();
    assert!(second.write_at(&[5; 1], 1500).is_err());
    assert!(
        vfs.crash(Keep::All)
            .open(path("/second"), OpenMode::ReadWrite)
            .unwrap()
            .write_at(b"x", 1500)
            .is_err()
    );
}

#[test]
fn a_hole_needs_room_when_it_is_written() {
    let vfs = MemoryVfs::default();
    vfs.set_space(Some(10_000));
    let file = create(&vfs, "/file", b"");
    file.set_len(1 << 40).unwrap();
    file.write_at(b"x", 1 << 20).unwrap();
    file.write_at(b"x", 1 << 30).unwrap();
    assert_eq!(file.write_at(b"x", 1 << 39).unwrap_err().kind(), ErrorKind::StorageFull);
    file.write_at(b"y", 1 << 30).unwrap();
}

#[test]
fn damage_is_seen_and_durable() {
    let vfs = MemoryVfs::default();
    vfs.write_file("/file", "abc").unwrap();
    let file = vfs.open(path("/file"), OpenMode::ReadWrite).unwrap();
    file.write_at(b"d", 3).unwrap();
    vfs.corrupt("/file", 1, |byte| *byte ^= 0x20).unwrap();
    vfs.corrupt("/file", 3, |byte| *byte = b'!').unwrap();
    assert_eq!(vfs.read_file("/file").unwrap(), b"aBc!");
    assert_eq!(vfs.crash(Keep::Durable).read_file("/file").unwrap(), b"aBc");
    let beyond = vfs.corrupt("/file", 4, |_| ());
    assert_eq!(beyond.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(vfs.corrupt("/none", 0, |_| ()).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn clocks_move_only_when_told() {
    let vfs = MemoryVfs::default();
    let start = vfs.now();
    assert_eq!(vfs.monotonic(), Duration::ZERO);
    vfs.advance(Duration::from_secs(5));
    vfs.set_now(Duration::from_secs(3));
    assert_eq!(vfs.monotonic(), Duration::from_secs(5));
    vfs.advance(Duration::from_millis(1));
    assert_eq!(vfs.now(), Duration::from_millis(3001));
    assert_eq!(vfs.crash(Keep::All).monotonic(), Duration::from_millis(5001));
    assert_eq!(start, MemoryVfs::default().now());
}

#[test]
fn random_numbers_follow_from_the_seed() {
    let numbers = |vfs: &MemoryVfs| {
        let mut bytes = [0; 20];
        vfs.random(&mut bytes).unwrap();
        bytes
    };
    let vfs = MemoryVfs::with_seed(7);
    assert_eq!(numbers(&vfs), numbers(&MemoryVfs::with_seed(7)));
    assert_ne!(numbers(&vfs), numbers(&MemoryVfs::with_seed(7)));
    assert_ne!(numbers(&MemoryVfs::with_seed(7)), numbers(&MemoryVfs::with_seed(8)));
    let after = vfs.crash(Keep::All);
    assert_ne!(numbers(&after), numbers(&MemoryVfs::with_seed(7)), "a crash does not start them again");
    // The reference's first output for the state 0.
    assert_eq!(splitmix64(&mut 0), 0xe220_a839_7b1d_cdaf);
}

#[test]
fn a_clone_is_the_same_disk() {
    let vfs = MemoryVfs::default();
    let clone = vfs.clone();
    create(&vfs, "relative", b"x");
    assert_eq!(clone.file_type(path("/relative")).unwrap(), Some(FileType::File(1)));
    assert_eq!(clone.calls(), 2);
}

mod model {
    //! Random calls on three names of one folder, against plain byte vectors.

    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize, u64, usize),
        SetLen(usize, u64),
        Sync(usize),
        SyncDir,
        Rename(usize, usize),
        Remove(usize),
        Crash(bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        let name = 0..3usize;
        let offset = 0..20_000u64;
        prop_oneof![
            6 => (name.clone(), offset.clone(), 0..9_000usize).prop_map(|(n, o, l)| Step::Write(n, o, l)),
            2 => (name.clone(), offset).prop_map(|(n, l)| Step::SetLen(n, l)),
            3 => name.clone().prop_map(Step::Sync),
            2 => Just(Step::SyncDir),
            2 => (name.clone(), name.clone()).prop_map(|(a, b)| Step::Rename(a, b)),
            1 => name.prop_map(Step::Remove),
            1 => any::<bool>().prop_map(Step::Crash),
        ]
    }

    type Names = BTreeMap<usize, usize>;

    /// Files as pairs of seen and durable bytes; names as indexes into them, seen and durable.
    #[derive(Default)]
    struct Model {
        files: Vec<(Vec<u8>, Vec<u8>)>,
        seen: Names,
        durable: Names,
    }

    impl Model {
        fn apply(&mut self, step: &Step, fill: u8) {
            match *step {
                Step::Write(name, offset, len) => {
                    let file = self.file(name);
                    let (start, end) = (offset as usize, offset as usize + len);
                    if len > 0 && file.0.len() < end {
                        file.0.resize(end, 0);
                    }
                    if len > 0 {
                        file.0[start..end].fill(fill);
                    }
                }
                Step::SetLen(name, len) => self.file(name).0.resize(len as usize, 0),
                Step::Sync(name) => {
                    let file = self.file(name);
                    file.1 = file.0.clone();
                }
                Step::SyncDir => self.durable = self.seen.clone(),
                Step::Rename(from, to) => {
                    if let Some(file) = self.seen.remove(&from) {
                        self.seen.insert(to, file);
                    }
                }
                Step::Remove(name) => drop(self.seen.remove(&name)),
                Step::Crash(true) => {}
                Step::Crash(false) => {
                    self.seen = self.durable.clone();
                    self.files.iter_mut().for_each(|file| file.0 = file.1.clone());
                }
            }
        }

        fn file(&mut self, name: usize) -> &mut (Vec<u8>, Vec<u8>) {
            let index = *self.seen.entry(name).or_insert_with(|| {
                self.files.push(Default::default());
                self.files.len() - 1
            });
            &mut self.files[index]
        }

        fn content(&self, durable: bool) -> Vec<(String, Vec<u8>)> {
            let names = if durable { &self.durable } else { &self.seen };
            let entry = |(name, &file): (&usize, &usize)| {
                let file = &self.files[file];
                (name.to_string(), if durable { file.1.clone() } else { file.0.clone() })
            };
            names.iter().map(entry).collect()
        }
    }

    fn open(vfs: &MemoryVfs, name: usize) -> Arc<dyn VfsFile> {
        let path = PathBuf::from(name.to_string());
        let mode = match vfs.file_type(&path).unwrap() {
            Some(_) => OpenMode::ReadWrite,
            None => OpenMode::CreateNew,
        };
        vfs.open(&path, mode).unwrap()
    }

    fn apply(vfs: &mut MemoryVfs, step: &Step, fill: u8) {
        match *step {
            Step::Write(name, offset, len) => open(vfs, name).write_at(&vec![fill; len], offset).unwrap(),
            Step::SetLen(name, len) => open(vfs, name).set_len(len).unwrap(),
            Step::Sync(name) => open(vfs, name).sync_data().unwrap(),
            Step::SyncDir => vfs.sync_dir(path("/")).unwrap(),
            Step::Rename(from, to) => {
                let _ = vfs.rename(path(&from.to_string()), path(&to.to_string()));
            }
            Step::Remove(name) => {
                let _ = vfs.remove(path(&name.to_string()));
            }
            Step::Crash(true) => *vfs = vfs.crash(Keep::All),
            Step::Crash(false) => *vfs = vfs.crash(Keep::Durable),
        }
    }

    fn content(vfs: &MemoryVfs) -> Vec<(String, Vec<u8>)> {
        names(vfs, "/").into_iter().map(|name| (name.clone(), vfs.read_file(&name).unwrap())).collect()
    }

    proptest! {
        #[test]
        fn two_worlds_agree_with_plain_vectors(steps in prop::collection::vec(step(), 1..40)) {
            let mut vfs = MemoryVfs::default();
            let mut model = Model::default();
            for (i, step) in steps.iter().enumerate() {
                apply(&mut vfs, step, i as u8 + 1);
                model.apply(step, i as u8 + 1);
                prop_assert!(content(&vfs) == model.content(false), "seen, after step {i}");
                let after = content(&vfs.crash(Keep::Durable));
                prop_assert!(after == model.content(true), "durable, after step {i}");
                let all = vfs.crash(Keep::All);
                all.disk.lock().tree.settle(Choice::EVERYTHING);
                prop_assert!(content(&all) == model.content(false), "all that is pending, after step {i}");
            }
            // What has no name any more is gone, whatever it went through.
            for name in names(&vfs, "/") {
                vfs.remove(path(&name)).unwrap();
            }
            vfs.sync_dir(path("/")).unwrap();
            prop_assert_eq!(vfs.disk.lock().tree.count(), 1);
        }
    }
}
