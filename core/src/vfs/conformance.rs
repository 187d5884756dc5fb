//! What every [`Vfs`] does alike: the same checks against the operating system and its stand-ins.

use super::*;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};

fn kind<T: fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.expect_err("must fail").kind()
}

fn create(vfs: &dyn Vfs, path: &Path, content: &[u8]) -> Arc<dyn VfsFile> {
    let file = vfs.open(path, OpenMode::CreateNew).unwrap();
    file.write_at(content, 0).unwrap();
    file
}

fn content(vfs: &dyn Vfs, path: &Path) -> Vec<u8> {
    whole(&*vfs.open(path, OpenMode::Read).unwrap())
}

fn whole(file: &dyn VfsFile) -> Vec<u8> {
    let mut bytes = vec![0xaa; file.len().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

fn open_modes(vfs: &dyn Vfs, root: &Path) {
    let path = root.join("file");
    assert_eq!(kind(vfs.open(&path, OpenMode::Read)), ErrorKind::NotFound);
    assert_eq!(kind(vfs.open(&path, OpenMode::ReadWrite)), ErrorKind::NotFound);
    create(vfs, &path, b"one");
    assert_eq!(kind(vfs.open(&path, OpenMode::CreateNew)), ErrorKind::AlreadyExists);
    assert_eq!(content(vfs, &path), b"one");

    let reader = vfs.open(&path, OpenMode::Read).unwrap();
    assert!(reader.write_at(b"x", 0).is_err());
    assert!(reader.set_len(0).is_err());
    let writer = vfs.open(&path, OpenMode::ReadWrite).unwrap();
    writer.write_at(b"two", 0).unwrap();
    assert_eq!(whole(&*reader), b"two");
}

fn error_kinds(vfs: &dyn Vfs, root: &Path) {
    let (file, folder) = (root.join("file"), root.join("folder"));
    create(vfs, &file, b"");
    vfs.create_dir(&folder).unwrap();
    let below = file.join("below");
    let nowhere = root.join("no/where");

    for mode in [OpenMode::Read, OpenMode::ReadWrite] {
        assert_eq!(kind(vfs.open(&folder, mode)), ErrorKind::IsADirectory, "{mode:?}");
    }
    assert_eq!(kind(vfs.open(&folder, OpenMode::CreateNew)), ErrorKind::AlreadyExists);
    for mode in [OpenMode::Read, OpenMode::ReadWrite, OpenMode::CreateNew] {
        assert_eq!(kind(vfs.open(&below, mode)), ErrorKind::NotADirectory, "{mode:?}");
        assert_eq!(kind(vfs.open(&nowhere, mode)), ErrorKind::NotFound, "{mode:?}");
        assert_eq!(kind(vfs.open(Path::new(""), mode)), ErrorKind::NotFound, "{mode:?}");
    }
    assert_eq!(kind(vfs.list(&file)), ErrorKind::NotADirectory);
    assert_eq!(kind(vfs.list(&nowhere)), ErrorKind::NotFound);
    assert_eq!(kind(vfs.create_dir(&below)), ErrorKind::NotADirectory);
    assert_eq!(kind(vfs.create_dir(&nowhere)), ErrorKind::NotFound);
    assert_eq!(kind(vfs.create_dir(&folder)), ErrorKind::AlreadyExists);
    assert_eq!(kind(vfs.create_dir(&file)), ErrorKind::AlreadyExists);
    assert_eq!(kind(vfs.create_dir(Path::new("/"))), ErrorKind::AlreadyExists);
    assert_eq!(kind(vfs.remove(&nowhere)), ErrorKind::NotFound);
    assert!(vfs.remove(&folder).is_err());
    assert_eq!(kind(vfs.remove_dir(&file)), ErrorKind::NotADirectory);
    assert_eq!(kind(vfs.remove_dir(&nowhere)), ErrorKind::NotFound);
    assert_eq!(kind(vfs.sync_dir(&file)), ErrorKind::NotADirectory);
    assert_eq!(kind(vfs.sync_dir(&nowhere)), ErrorKind::NotFound);
    assert_eq!(kind(vfs.file_type(&below)), ErrorKind::NotADirectory);
    assert_eq!(kind(vfs.canonicalize(&nowhere)), ErrorKind::NotFound);
    assert_eq!(vfs.list(root).unwrap(), ["file", "folder"]);
}

fn reads_end_at_the_end(vfs: &dyn Vfs, root: &Path) {
    let file = create(vfs, &root.join("file"), b"0123456789");
    let mut buf = [0; 4];
    file.read_at(&mut buf, 6).unwrap();
    assert_eq!(&buf, b"6789");
    assert_eq!(kind(file.read_at(&mut buf, 7)), ErrorKind::UnexpectedEof);
    assert_eq!(kind(file.read_at(&mut buf, 10)), ErrorKind::UnexpectedEof);
    assert_eq!(kind(file.read_at(&mut buf, 1 << 40)), ErrorKind::UnexpectedEof);
    assert!(file.read_at(&mut buf, u64::MAX).is_err());
    file.read_at(&mut [], 99).unwrap();
}

fn writes_go_anywhere(vfs: &dyn Vfs, root: &Path) {
    let file = create(vfs, &root.join("file"), b"abc");
    file.write_at(b"Z", 1).unwrap();
    file.write_at(b"end", 10_000).unwrap();
    let mut expected = b"aZc".to_vec();
    expected.resize(10_000, 0);
    expected.extend(b"end");
    assert_eq!(whole(&*file), expected);
    file.write_at(b"", 20_000).unwrap();
    assert_eq!(file.len().unwrap(), 10_003);
    assert!(file.write_at(b"x", u64::MAX).is_err());
    assert!(file.write_at(b"xy", i64::MAX as u64).is_err());
    assert_eq!(file.len().unwrap(), 10_003);

    // Over the edges of any page or chunk.
    let pattern: Vec<u8> = (0..70_000u32).map(|i| (i % 251) as u8).collect();
    file.write_at(&pattern, 4_000).unwrap();
    let mut back = vec![0; pattern.len() - 2];
    file.read_at(&mut back, 4_001).unwrap();
    assert_eq!(back, pattern[1..pattern.len() - 1]);
}

fn lengths_are_set(vfs: &dyn Vfs, root: &Path) {
    let file = create(vfs, &root.join("file"), &[7; 10_000]);
    file.set_len(5_000).unwrap();
    assert_eq!(whole(&*file), [7; 5_000]);
    file.set_len(9_000).unwrap();
    let mut expected = vec![7; 5_000];
    expected.resize(9_000, 0);
    assert_eq!(whole(&*file), expected, "what was cut off does not come back");
    file.set_len(0).unwrap();
    assert_eq!(file.len().unwrap(), 0);
    file.set_len(3).unwrap();
    assert_eq!(whole(&*file), [0; 3]);
    assert!(file.set_len(u64::MAX).is_err());
    file.preallocate(100_000).unwrap();
    assert_eq!(file.len().unwrap(), 3, "the length is not the room");
    file.sync_data().unwrap();
    file.sync_all().unwrap();
}

fn holes_cost_nothing(vfs: &dyn Vfs, root: &Path) {
    let file = create(vfs, &root.join("file"), b"start");
    let far = (5 << 30) + 7;
    file.write_at(b"far", far).unwrap();
    assert_eq!(file.len().unwrap(), far + 3);
    let mut buf = [9; 4];
    file.read_at(&mut buf, far - 1).unwrap();
    assert_eq!(&buf, b"\0far");
    file.read_at(&mut buf, 3 << 30).unwrap();
    assert_eq!(buf, [0; 4]);
    file.set_len(5).unwrap();
    assert_eq!(whole(&*file), b"start");
}

fn renames_replace(vfs: &dyn Vfs, root: &Path) {
    let (a, b) = (root.join("a"), root.join("b"));
    let old = create(vfs, &b, b"old");
    create(vfs, &a, b"new");
    vfs.rename(&a, &b).unwrap();
    assert_eq!(vfs.list(root).unwrap(), ["b"]);
    assert_eq!(content(vfs, &b), b"new");
    assert_eq!(whole(&*old), b"old", "an open file outlives its name");
    vfs.rename(&b, &b).unwrap();
    assert_eq!(content(vfs, &b), b"new");
    assert_eq!(kind(vfs.rename(&a, &b)), ErrorKind::NotFound);
    assert_eq!(kind(vfs.rename(&b, &root.join("no/where"))), ErrorKind::NotFound);

    let (full, empty) = (root.join("full"), root.join("empty"));
    vfs.create_dir(&full).unwrap();
    vfs.create_dir(&empty).unwrap();
    create(vfs, &full.join("file"), b"inside");
    assert_eq!(kind(vfs.rename(&b, &empty)), ErrorKind::IsADirectory);
    assert_eq!(kind(vfs.rename(&empty, &b)), ErrorKind::NotADirectory);
    assert_eq!(kind(vfs.rename(&empty, &full)), ErrorKind::DirectoryNotEmpty);
    assert_eq!(kind(vfs.rename(&full, &full.join("inner"))), ErrorKind::InvalidInput);
    vfs.rename(&full, &full).unwrap();
    vfs.rename(&full, &empty).unwrap();
    assert_eq!(content(vfs, &empty.join("file")), b"inside");
    vfs.rename(&b, &empty.join("moved")).unwrap();
    assert_eq!(vfs.list(root).unwrap(), ["empty"]);
    assert_eq!(vfs.list(&empty).unwrap(), ["file", "moved"]);
}

fn removed_files_live_while_open(vfs: &dyn Vfs, root: &Path) {
    let path = root.join("file");
    let file = create(vfs, &path, b"first");
    vfs.remove(&path).unwrap();
    assert_eq!(vfs.file_type(&path).unwrap(), None);
    create(vfs, &path, b"second");
    file.write_at(b"F", 0).unwrap();
    file.sync_data().unwrap();
    assert_eq!(whole(&*file), b"First");
    assert_eq!(content(vfs, &path), b"second");
}

fn maps_hold_what_the_file_held(vfs: &dyn Vfs, root: &Path) {
    let path = root.join("file");
    let bytes: Vec<u8> = (0..10_000u32).map(|i| (i * i) as u8).collect();
    create(vfs, &path, &bytes);
    let file = vfs.open(&path, OpenMode::Read).unwrap();
    for len in [0, 1, 4095, 4096, 10_000] {
        assert_eq!(file.map(len as u64).unwrap(), bytes[..len]);
    }
    for len in [10_001, u64::MAX] {
        assert_ne!(kind(file.map(len)), ErrorKind::Unsupported, "{len}");
    }
    let map = file.map(10_000).unwrap();
    let part = map.slice(9_000..);
    drop((file, map));
    vfs.remove(&path).unwrap();
    assert_eq!(part, bytes[9_000..]);
}

fn folders_list_their_names(vfs: &dyn Vfs, root: &Path) {
    assert_eq!(vfs.list(root).unwrap(), [""; 0]);
    for name in ["b", "a", "C", "10", "9"] {
        create(vfs, &root.join(name), b"");
    }
    vfs.create_dir(&root.join("folder")).unwrap();
    create(vfs, &root.join("folder/inner"), b"");
    assert_eq!(vfs.list(root).unwrap(), ["10", "9", "C", "a", "b", "folder"]);
    assert_eq!(vfs.file_type(&root.join("folder")).unwrap(), Some(FileType::Folder));
    assert_eq!(vfs.file_type(&root.join("a")).unwrap(), Some(FileType::File(0)));
    assert_eq!(vfs.file_type(&root.join("x")).unwrap(), None);
    vfs.sync_dir(root).unwrap();

    assert_eq!(kind(vfs.remove_dir(&root.join("folder"))), ErrorKind::DirectoryNotEmpty);
    vfs.remove(&root.join("folder/inner")).unwrap();
    vfs.remove_dir(&root.join("folder")).unwrap();
    assert_eq!(vfs.file_type(&root.join("folder")).unwrap(), None);
}

fn paths_are_made_canonical(vfs: &dyn Vfs, root: &Path) {
    vfs.create_dir(&root.join("a")).unwrap();
    create(vfs, &root.join("a/file"), b"");
    let winding = root.join("a/../a/./file");
    let straight = vfs.canonicalize(&root.join("a/file")).unwrap();
    assert!(straight.is_absolute());
    assert_eq!(vfs.canonicalize(&winding).unwrap(), straight);
    assert_eq!(vfs.file_type(&winding).unwrap(), Some(FileType::File(0)));
    assert_eq!(kind(vfs.canonicalize(&root.join("a/file/.."))), ErrorKind::NotADirectory);
    assert_eq!(kind(vfs.canonicalize(Path::new(""))), ErrorKind::NotFound);
}

fn locks_are_exclusive(vfs: &dyn Vfs, root: &Path) {
    let (one, two) = (root.join("one"), root.join("two"));
    vfs.create_dir(&one).unwrap();
    vfs.create_dir(&two).unwrap();
    let path = one.join("LOCK");
    let held = vfs.lock(&path).unwrap();
    assert_eq!(vfs.file_type(&path).unwrap(), Some(FileType::File(0)));
    for _ in 0..2 {
        assert_eq!(kind(vfs.lock(&path)), ErrorKind::WouldBlock);
        assert_eq!(kind(vfs.lock(&two.join("../one/LOCK"))), ErrorKind::WouldBlock);
    }
    let other = vfs.lock(&two.join("LOCK")).unwrap();
    vfs.remove(&path).unwrap();
    assert_eq!(kind(vfs.lock(&path)), ErrorKind::WouldBlock, "removing the file does not unlock");
    drop(held);
    drop(vfs.lock(&path).unwrap());
    drop(vfs.lock(&path).unwrap());
    assert_eq!(kind(vfs.lock(&two.join("LOCK"))), ErrorKind::WouldBlock);
    drop(other);

    assert_eq!(kind(vfs.lock(&root.join("no/LOCK"))), ErrorKind::NotFound);
    assert_eq!(kind(vfs.lock(&path.join("LOCK"))), ErrorKind::NotADirectory);
    vfs.create_dir(&two.join("folder")).unwrap();
    assert_eq!(kind(vfs.lock(&two.join("folder"))), ErrorKind::IsADirectory);
    drop(vfs.lock(&two.join("LOCK")).expect("a failed attempt leaves no lock"));
}

fn one_of_many_threads_gets_the_lock(vfs: &dyn Vfs, root: &Path) {
    let path = root.join("LOCK");
    let barrier = std::sync::Barrier::new(8);
    let winners = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                let lock = vfs.lock(&path);
                winners.fetch_add(usize::from(lock.is_ok()), Ordering::SeqCst);
                barrier.wait();
            });
        }
    });
    assert_eq!(winners.into_inner(), 1);
}

fn files_are_shared_by_threads(vfs: &dyn Vfs, root: &Path) {
    let file = &create(vfs, &root.join("file"), &[0; 8 * 5_000]);
    std::thread::scope(|scope| {
        for thread in 0..8u8 {
            scope.spawn(move || {
                let offset = u64::from(thread) * 5_000;
                for round in 0..20u8 {
                    let bytes = [thread * 20 + round; 5_000];
                    file.write_at(&bytes, offset).unwrap();
                    let mut back = [0; 5_000];
                    file.read_at(&mut back, offset).unwrap();
                    assert_eq!(back, bytes);
                    file.sync_data().unwrap();
                }
            });
        }
    });
    let expected: Vec<u8> = (0..8u8).flat_map(|thread| [thread * 20 + 19; 5_000]).collect();
    assert_eq!(whole(&**file), expected);
}

fn threads_run_and_end(vfs: &dyn Vfs, _root: &Path) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let work = move || {
        assert_eq!(std::thread::current().name(), Some("worker"));
        counted.fetch_add(1, Ordering::SeqCst);
    };
    vfs.spawn("worker", Box::new(work)).unwrap().join();
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(vfs.spawn("a\0b", Box::new(|| ())).err().unwrap().kind(), ErrorKind::InvalidInput);
}

fn clocks_and_random_numbers(vfs: &dyn Vfs, _root: &Path) {
    assert!(vfs.now() > Duration::from_secs(1_600_000_000));
    let before = vfs.monotonic();
    assert!(vfs.monotonic() >= before);
    let (mut a, mut b) = ([0; 19], [0; 19]);
    vfs.random(&mut a).unwrap();
    vfs.random(&mut b).unwrap();
    assert_ne!(a, b);
    assert!(a.iter().any(|byte| *byte != 0));
}

fn on_os(check: fn(&dyn Vfs, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    check(&OsVfs, folder.path());
}

fn on_memory(check: fn(&dyn Vfs, &Path)) {
    let vfs = MemoryVfs::default();
    vfs.create_dir(Path::new("/root")).unwrap();
    check(&vfs, Path::new("/root"));
}

fn on_recording(check: fn(&dyn Vfs, &Path)) {
    check(&RecordingVfs::new(Arc::new(MemoryVfs::default())), Path::new("/"));
}

macro_rules! check_all {
    ($($check:ident)*) => {
        check_all! { os, on_os: $($check)* }
        check_all! { memory, on_memory: $($check)* }
        check_all! { recording, on_recording: $($check)* }
    };
    ($on:ident, $run:ident: $($check:ident)*) => {
        mod $on {
            $(#[test] fn $check() { super::$run(super::$check) })*
        }
    };
}

check_all! {
    open_modes
    error_kinds
    reads_end_at_the_end
    writes_go_anywhere
    lengths_are_set
    holes_cost_nothing
    renames_replace
    removed_files_live_while_open
    maps_hold_what_the_file_held
    folders_list_their_names
    paths_are_made_canonical
    locks_are_exclusive
    one_of_many_threads_gets_the_lock
    files_are_shared_by_threads
    threads_run_and_end
    clocks_and_random_numbers
}
