//! Failed calls and power cuts at every call.

use std::io;

use super::*;
use crate::vfs::{Call, Keep, OpenMode, RecordingVfs};

/// Power is cut at every call of `work` on a copy of `disk`; `check` sees what is left, and whether
/// `work` said that it was done.
fn cut_everywhere(disk: &MemoryVfs, work: impl Fn(&MemoryVfs) -> bool, check: impl Fn(&MemoryVfs, bool)) {
    for call in 0.. {
        let vfs = disk.crash(Keep::All);
        vfs.cut_at(vfs.calls() + call);
        let done = work(&vfs);
        for keep in [Keep::All, Keep::Durable] {
            check(&vfs.crash(keep), done);
        }
        if done {
            return;
        }
        assert!(call < 50, "it is never done");
    }
}

#[test]
fn a_first_publish_is_there_whole_or_not_at_all() {
    let state = State { next_file: 9, ..new_state() };
    let publish = |vfs: &MemoryVfs| Manifest::publish(&shared(vfs), folder(), ID, 1, &state).is_ok();
    cut_everywhere(&disk(), publish, |vfs, done| {
        match load_state(vfs) {
            Some(loaded) => {
                assert_eq!(loaded, Loaded { database_id: ID, number: 1, state: state.clone(), dropped: 0 });
            }
            None => assert!(!done),
        }
        // What the cut left behind does not stand in the way of the next try, with a new number.
        let next = State { next_file: 10, ..state.clone() };
        Manifest::publish(&shared(vfs), folder(), ID, 9, &next).unwrap();
        assert_eq!(load_state(&vfs.crash(Keep::Durable)).unwrap().state, next);
    });
}

#[test]
fn a_publish_syncs_each_step_before_the_next() {
    let vfs = RecordingVfs::new(Arc::new(disk()));
    let shared: Arc<dyn Vfs> = Arc::new(vfs.clone());
    let mut manifest = Manifest::publish(&shared, folder(), ID, 1, &new_state()).unwrap();
    let path = folder().join(manifest_name(1));
    let (current, unfinished) = (folder().join(CURRENT), folder().join("CURRENT.tmp"));
    let create = |path: &Path| Call::Open { path: path.to_owned(), mode: OpenMode::CreateNew };
    let write = |path: &Path, offset, len| Call::WriteAt { path: path.to_owned(), offset, len };
    let sync_all = |path: &Path| Call::SyncAll { path: path.to_owned() };
    let sync_folder = || Call::SyncDir { path: folder().to_owned() };
    let publish = [
        create(&path),
        write(&path, 0, 64),
        sync_all(&path),
        write(&path, 64, 52),
        Call::SyncData { path: path.clone() },
        sync_folder(),
        create(&unfinished),
        write(&unfinished, 0, 32),
        sync_all(&unfinished),
        Call::Rename { from: unfinished, to: current },
        sync_folder(),
    ];
    assert_eq!(vfs.take(), publish);
    manifest.append(&Edit::default()).unwrap();
    let append = [write(&path, 116, 20), Call::SyncData { path: path.clone() }, write(&path, 136, 20)];
    assert_eq!(vfs.take(), append);
}

#[test]
fn a_publish_over_another_leaves_the_old_or_the_new() {
    let vfs = disk();
    let old = three_edits(&vfs).pop().unwrap();
    let mut new = State { next_file: 30, clean: false, ..old.clone() };
    new.logs.insert(29, None);
    // Once more behind a publish that was cut before its rename, which leaves its files.
    let littered = vfs.crash(Keep::All);
    littered.cut_at(littered.calls() + 7);
    assert!(
        Manifest::publish(&shared(&littered), folder(), ID, 21, &State { next_file: 22, ..old.clone() })
            .is_err()
    );
    let littered = littered.crash(Keep::All);
    assert!(littered.list(folder()).unwrap().contains(&"CURRENT.tmp".to_owned()));
    let publish = |vfs: &MemoryVfs| Manifest::publish(&shared(vfs), folder(), ID, 28, &new).is_ok();
    for disk in [vfs, littered] {
        cut_everywhere(&disk, publish, |vfs, done| {
            let loaded = load_state(vfs).unwrap();
            if loaded.number == 28 {
                assert_eq!(loaded.state, new);
            } else {
                assert!(!done);
                assert_eq!((loaded.number, loaded.state), (1, old.clone()));
            }
        });
    }
}

#[test]
fn a_publish_that_fails_at_one_call_leaves_the_old_or_the_new() {
    let base = disk();
    let old = three_edits(&base).pop().unwrap();
    let new = State { next_file: 30, ..old.clone() };
    for call in 0.. {
        let vfs = base.crash(Keep::All);
        vfs.fail_call(vfs.calls() + call, io::ErrorKind::StorageFull);
        let result = Manifest::publish(&shared(&vfs), folder(), ID, 28, &new);
        for vfs in [vfs.crash(Keep::All), vfs.crash(Keep::Durable)] {
            let loaded = load_state(&vfs).unwrap();
            assert!(loaded.state == new || (result.is_err() && loaded.state == old));
        }
        match result {
            Ok(_) => break,
            Err(error) => assert_eq!(error.kind(), ErrorKind::NoSpace),
        }
        assert!(load_state(&vfs).unwrap().number == 28 || vfs.list(folder()).unwrap().len() <= 4);
    }
}

#[test]
fn an_append_is_there_whole_or_not_at_all() {
    let base = disk();
    let state = new_state();
    Manifest::publish(&shared(&base), folder(), ID, 1, &state).unwrap();
    let after = |edits: &[Edit]| edits.iter().fold(state.clone(), |state, edit| state.applied(edit).unwrap());
    let edits = [full_edit(), second_edit()];
    let states = [state.clone(), after(&edits[..1]), after(&edits)];
    for call in 0.. {
        // The manifest is published anew, as there is no opening one for appending.
        let vfs = disk();
        let mut manifest = Manifest::publish(&shared(&vfs), folder(), ID, 1, &state).unwrap();
        vfs.cut_at(vfs.calls() + call);
        let done = edits.iter().take_while(|edit| manifest.append(edit).is_ok()).count();
        for keep in [Keep::All, Keep::Durable] {
            let loaded = load_state(&vfs.crash(keep)).unwrap();
            let found = states.iter().position(|state| *state == loaded.state).unwrap();
            assert!(found == done || (found == done + 1 && keep == Keep::All), "{found} of {done}");
        }
        if done == 2 {
            assert_eq!(call, 5, "each edit is a write, a sync, and a write of the mark");
            break;
        }
    }
}

#[test]
fn a_failed_append_halts() {
    // The edit's write, its sync.
    for call in 0..2 {
        let vfs = disk();
        let mut manifest = Manifest::publish(&shared(&vfs), folder(), ID, 1, &new_state()).unwrap();
        vfs.fail_call(vfs.calls() + call, io::ErrorKind::Other);
        assert_eq!(manifest.append(&full_edit()).unwrap_err().kind(), ErrorKind::Io);
        let before = vfs.calls();
        for _ in 0..2 {
            let error = manifest.append(&full_edit()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Halted);
            assert!(error.to_string().contains(&manifest_name(1)));
        }
        assert_eq!(vfs.calls(), before, "a halted manifest is left alone");
    }
    // The mark's write: the edit is in force, but it is the last one.
    let vfs = disk();
    let mut manifest = Manifest::publish(&shared(&vfs), folder(), ID, 1, &new_state()).unwrap();
    vfs.fail_call(vfs.calls() + 2, io::ErrorKind::Other);
    manifest.append(&full_edit()).unwrap();
    assert_eq!(manifest.append(&second_edit()).unwrap_err().kind(), ErrorKind::Halted);
    assert_eq!(load_state(&vfs).unwrap().state, new_state().applied(&full_edit()).unwrap());
}

#[test]
fn an_append_without_room_is_taken_back() {
    for room in 0..60 {
        let vfs = disk();
        let mut manifest = Manifest::publish(&shared(&vfs), folder(), ID, 1, &new_state()).unwrap();
        let used: u64 = [CURRENT, &manifest_name(1)]
            .iter()
            .map(|name| vfs.read_file(folder().join(name)).unwrap().len() as u64)
            .sum();
        vfs.set_space(Some(used + room));
        assert_eq!(manifest.append(&full_edit()).unwrap_err().kind(), ErrorKind::NoSpace);
        let loaded = load_state(&vfs).unwrap();
        assert_eq!((loaded.state, loaded.dropped), (new_state(), 0));
        vfs.set_space(None);
        manifest.append(&full_edit()).unwrap();
        assert_eq!(load_state(&vfs).unwrap().state, new_state().applied(&full_edit()).unwrap());
    }
}

#[test]
fn length_and_number_are_those_of_the_file() {
    let vfs = disk();
    let mut manifest = Manifest::publish(&shared(&vfs), folder(), ID, 1, &new_state()).unwrap();
    for _ in 0..3 {
        manifest.append(&Edit { clean_close: true, ..Edit::default() }).unwrap();
        let file = vfs.read_file(folder().join(manifest_name(manifest.number()))).unwrap();
        assert_eq!(manifest.len(), file.len() as u64);
    }
}
