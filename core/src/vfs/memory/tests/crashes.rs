//! The states that a crash may leave are those of the rules, each of them, and no other.

use super::*;
use std::collections::BTreeSet;

const SEEDS: u64 = 4_000;

fn any_of(vfs: &MemoryVfs, what: impl Fn(&MemoryVfs) -> String) -> BTreeSet<String> {
    (0..SEEDS).map(|seed| what(&vfs.crash(Keep::Any(seed)))).collect()
}

/// A letter for each sector: the byte that fills it, `0` for zeros, `?` if it is torn.
fn sectors(vfs: &MemoryVfs, name: &str) -> String {
    let Ok(bytes) = vfs.read_file(name) else { return "-".to_owned() };
    let letter = |sector: &[u8]| match sector {
        [0, rest @ ..] if rest.iter().all(|&byte| byte == 0) => '0',
        [first, rest @ ..] if rest.iter().all(|byte| byte == first) => char::from(*first),
        _ => '?',
    };
    bytes.chunks(512).map(letter).collect()
}

fn durable(content: &[u8]) -> (MemoryVfs, Arc<dyn VfsFile>) {
    let vfs = MemoryVfs::default();
    vfs.write_file("/f", content).unwrap();
    let file = vfs.open(path("/f"), OpenMode::ReadWrite).unwrap();
    (vfs, file)
}

fn set(states: &[&str]) -> BTreeSet<String> {
    states.iter().map(|state| (*state).to_owned()).collect()
}

fn whole(states: BTreeSet<String>) -> BTreeSet<String> {
    states.into_iter().filter(|state| !state.contains('?')).collect()
}

#[test]
fn each_sector_has_any_of_its_versions() {
    let (vfs, file) = durable(&[b'a'; 1024]);
    file.write_at(&[b'b'; 1024], 0).unwrap();
    file.write_at(&[b'c'; 512], 0).unwrap();
    let states = any_of(&vfs, |disk| sectors(disk, "/f"));
    assert_eq!(whole(states.clone()), set(&["aa", "ab", "ba", "bb", "ca", "cb"]));
    assert!(states.contains("?a") && states.contains("c?"), "{states:?}");
    file.sync_data().unwrap();
    assert_eq!(any_of(&vfs, |disk| sectors(disk, "/f")), set(&["cb"]));
}

#[test]
fn a_torn_sector_has_the_begin_of_the_newer_version() {
    let (vfs, file) = durable(&[b'a'; 512]);
    file.write_at(&[b'b'; 512], 0).unwrap();
    let mut cuts = BTreeSet::new();
    for seed in 0..SEEDS {
        let bytes = vfs.crash(Keep::Any(seed)).read_file("/f").unwrap();
        let cut = bytes.iter().take_while(|&&byte| byte == b'b').count();
        assert!(bytes[cut..].iter().all(|&byte| byte == b'a'), "seed {seed}");
        cuts.insert(cut);
    }
    assert!(cuts.len() > 50, "{} cuts", cuts.len());
}

#[test]
fn length_and_bytes_of_an_append_come_apart() {
    let (vfs, file) = durable(&[b'a'; 512]);
    file.write_at(&[b'b'; 1024], 512).unwrap();
    let states = whole(any_of(&vfs, |disk| sectors(disk, "/f")));
    assert_eq!(states, set(&["a", "a00", "a0b", "ab0", "abb"]));
    assert_eq!(sectors(&vfs.crash(Keep::Names), "/f"), "a");
    assert_eq!(sectors(&vfs.crash(Keep::Sizes), "/f"), "a00");
}

#[test]
fn a_length_may_grow_page_by_page() {
    let (vfs, file) = durable(b"");
    file.write_at(&[b'b'; 10_000], 0).unwrap();
    let states = any_of(&vfs, |disk| disk.read_file("/f").unwrap().len().to_string());
    assert_eq!(states, set(&["0", "4096", "8192", "10000"]));
}

#[test]
fn what_was_cut_may_come_back_until_the_sync() {
    let (vfs, file) = durable(&[b'a'; 1024]);
    file.set_len(512).unwrap();
    file.write_at(&[b'c'; 512], 512).unwrap();
    let states = whole(any_of(&vfs, |disk| sectors(disk, "/f")));
    assert_eq!(states, set(&["a", "aa", "ac", "a0"]));
    file.sync_data().unwrap();
    assert_eq!(any_of(&vfs, |disk| sectors(disk, "/f")), set(&["ac"]));
}

#[test]
fn names_come_and_go_apart_and_a_rename_is_one_effect() {
    let vfs = MemoryVfs::default();
    vfs.write_file("/old", "").unwrap();
    vfs.write_file("/current", "1").unwrap();
    create(&vfs, "/tmp", b"2").sync_data().unwrap();
    vfs.rename(path("/tmp"), path("/current")).unwrap();
    vfs.remove(path("/old")).unwrap();
    let state = |disk: &MemoryVfs| {
        let current = String::from_utf8(disk.read_file("/current").unwrap()).unwrap();
        format!("{current} {}", names(disk, "/").join(" "))
    };
    let kept =
        ["1 current", "1 current old", "1 current tmp", "1 current old tmp", "2 current", "2 current old"];
    assert_eq!(any_of(&vfs, state), set(&kept));
    assert_eq!(state(&vfs.crash(Keep::Names)), "2 current");
    vfs.sync_dir(path("/")).unwrap();
    assert_eq!(any_of(&vfs, state), set(&["2 current"]));
}

#[test]
fn a_hole_has_what_came_behind_it() {
    let (vfs, file) = durable(b"");
    for (byte, offset) in [(b'a', 0), (b'b', 512), (b'c', 1024), (b'd', 512 + 100)] {
        let len = if byte == b'd' { 412 } else { 512 };
        file.write_at(&vec![byte; len], offset).unwrap();
    }
    let states: BTreeSet<_> = (0..100).map(|seed| sectors(&vfs.crash(Keep::Hole(seed)), "/f")).collect();
    // The sector in which `d` was written last has `b` in it too, or is as `b` has left it.
    assert_eq!(states, set(&["0?c", "a?c", "a?0", "abc"]));
}

#[test]
fn a_prefix_has_nothing_behind_its_end() {
    let vfs = MemoryVfs::default();
    let file = create(&vfs, "/a", &[b'a'; 512]);
    create(&vfs, "/b", &[b'b'; 512]);
    file.write_at(&[b'c'; 512], 0).unwrap();
    let state = |disk: &MemoryVfs| format!("{} {}", sectors(disk, "/a"), sectors(disk, "/b"));
    let states: BTreeSet<_> = (0..200).map(|seed| state(&vfs.crash(Keep::Prefix(seed)))).collect();
    assert_eq!(states, set(&["- -", " -", "a -", "a ", "a b", "c b"]));
}

#[test]
fn a_write_tears_at_its_unit() {
    let (vfs, file) = durable(&[b'a'; 20_000]);
    file.write_at(&[b'b'; 10_000], 1_000).unwrap();
    for (tear, unit) in [(Tear::Byte, 1), (Tear::Sector, 512), (Tear::Page, 4096)] {
        let mut cuts = BTreeSet::new();
        for seed in 0..300 {
            let bytes = vfs.crash(Keep::Torn(tear, seed)).read_file("/f").unwrap();
            let changed: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at] == b'b').collect();
            let Some((&first, &last)) = changed.first().zip(changed.last()) else { continue };
            assert_eq!(last - first + 1, changed.len(), "one piece");
            for cut in [first, last + 1] {
                assert!(cut == 1_000 || cut == 11_000 || cut % unit == 0, "{tear:?}: {cut}");
                cuts.insert(cut);
            }
        }
        assert!(cuts.len() >= 4.min(10_000 / unit), "{tear:?}: {cuts:?}");
    }
}

/// A sync that fails drops what it has not written; the next one says that all is well.
#[test]
fn a_failed_sync_drops_pages_for_good() {
    let mut kept = BTreeSet::new();
    for seed in 0..200 {
        let (vfs, file) = durable(&[b'a'; 1024]);
        file.write_at(&[b'b'; 1536], 0).unwrap();
        vfs.fail_call_with(1, 5, Leaves::Part(seed));
        assert_eq!(file.sync_data().unwrap_err().raw_os_error(), Some(5));
        file.sync_data().unwrap();
        assert_eq!(sectors(&vfs, "/f"), "bbb", "what was written is still read");
        assert_eq!(sectors(&vfs.crash(Keep::All), "/f"), "bbb");
        let lost = sectors(&vfs.crash(Keep::Durable), "/f");
        assert_eq!(sectors(&vfs.crash(Keep::Evicted), "/f"), lost);
        kept.insert(lost);
        // Written again, a page is whole.
        file.write_at(b"b", 0).unwrap();
        file.sync_data().unwrap();
        assert_eq!(sectors(&vfs.crash(Keep::Durable), "/f"), "bbb");
    }
    assert!(whole(kept.clone()).is_superset(&set(&["aa0", "ba0", "ab0"])), "{kept:?}");
}

#[test]
fn a_call_that_fails_may_have_done_a_part_or_all() {
    let mut lens = BTreeSet::new();
    for seed in 0..100 {
        let (vfs, file) = durable(b"");
        vfs.fail_call_with(0, 5, Leaves::Part(seed));
        file.write_at(b"abc", 0).unwrap_err();
        lens.insert(vfs.read_file("/f").unwrap().len());
    }
    assert_eq!(lens, BTreeSet::from([0, 1, 2, 3]));
    let (vfs, _) = durable(b"");
    vfs.fail_call_with(0, 5, Leaves::All);
    vfs.rename(path("/f"), path("/g")).unwrap_err();
    assert_eq!(names(&vfs, "/"), ["g"]);
    vfs.fail_from(1, 28, Leaves::Nothing);
    for _ in 0..2 {
        assert_eq!(vfs.remove(path("/g")).unwrap_err().raw_os_error(), Some(28));
    }
    vfs.heal();
    vfs.remove(path("/g")).unwrap();
}

#[test]
fn reads_fail_by_a_number_of_their_own() {
    let (vfs, file) = durable(b"abc");
    let before = vfs.reads();
    vfs.fail_read(before + 1, 5);
    assert_eq!(file.len().unwrap(), 3);
    assert_eq!(file.read_at(&mut [0], 0).unwrap_err().raw_os_error(), Some(5));
    file.read_at(&mut [0], 0).unwrap();
    vfs.fail_reads_from(vfs.reads(), 24);
    assert_eq!(vfs.open(path("/f"), OpenMode::Read).unwrap_err().raw_os_error(), Some(24));
    assert!(vfs.list(path("/")).is_err() && vfs.file_type(path("/f")).is_err() && file.map(1).is_err());
    assert_eq!(vfs.calls(), 0);
    vfs.heal();
    assert_eq!(names(&vfs, "/"), ["f"]);
}

#[test]
fn who_watches_sees_the_disk_before_each_call() {
    let vfs = MemoryVfs::default();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let watcher = move |disk: &MemoryVfs, call| log.lock().unwrap().push((call, names(disk, "/").len()));
    vfs.watch(Some(Arc::new(watcher)));
    create(&vfs, "/a", b"x");
    vfs.watch(None);
    create(&vfs, "/b", b"");
    assert_eq!(*seen.lock().unwrap(), [(0, 0), (1, 1)]);
}
