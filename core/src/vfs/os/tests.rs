//! Calls of the operating system that are short or interrupted.

use super::*;
use std::io::ErrorKind;

#[test]
fn interrupted_and_short_calls_are_repeated_to_the_end() {
    let disk: Vec<u8> = (0..100).collect();
    let mut calls = 0;
    let mut buf = [0; 30];
    read_full(&mut buf, 10, |rest, at| {
        calls += 1;
        if calls % 2 == 0 {
            return Err(ErrorKind::Interrupted.into());
        }
        let count = rest.len().min(7);
        rest[..count].copy_from_slice(&disk[at as usize..at as usize + count]);
        Ok(count)
    })
    .unwrap();
    assert_eq!(buf, disk[10..40]);

    let mut written = [0; 100];
    let mut calls = 0;
    write_full(&disk[..30], 50, |rest, at| {
        calls += 1;
        if calls % 2 == 1 {
            return Err(ErrorKind::Interrupted.into());
        }
        let count = rest.len().min(7);
        written[at as usize..at as usize + count].copy_from_slice(&rest[..count]);
        Ok(count)
    })
    .unwrap();
    assert_eq!(written[50..80], disk[..30]);
    assert_eq!(written[..50], [0; 50]);
    assert_eq!(written[80..], [0; 20]);
}

#[test]
fn other_errors_end_the_loops() {
    let mut calls = 0;
    let result = write_full(b"abc", 0, |_, _| {
        calls += 1;
        if calls == 1 { Ok(1) } else { Err(io::Error::from_raw_os_error(5)) }
    });
    assert_eq!(result.unwrap_err().raw_os_error(), Some(5));
    assert_eq!(calls, 2);
    assert_eq!(write_full(b"abc", 0, |_, _| Ok(0)).unwrap_err().kind(), ErrorKind::WriteZero);
    assert_eq!(read_full(&mut [0], 0, |_, _| Ok(0)).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_thread_may_join_itself_or_panic() {
    let (give, take) = std::sync::mpsc::channel::<Box<dyn VfsThread>>();
    let (done, wait) = std::sync::mpsc::channel();
    let work = move || {
        take.recv().unwrap().join();
        done.send(()).unwrap();
    };
    give.send(OsVfs.spawn("own", Box::new(work)).unwrap()).unwrap();
    wait.recv().expect("the thread must come out of its own join");
    OsVfs.spawn("panics", Box::new(|| panic!("on purpose"))).unwrap().join();
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::process::Command;

    const MODES: [OpenMode; 3] = [OpenMode::Read, OpenMode::ReadWrite, OpenMode::CreateNew];

    fn mode_of(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        OsVfs.open(&root.join("file"), OpenMode::CreateNew).unwrap();
        drop(OsVfs.lock(&root.join("LOCK")).unwrap());
        OsVfs.create_dir(&root.join("folder")).unwrap();
        assert_eq!(mode_of(&root.join("file")), 0o600);
        assert_eq!(mode_of(&root.join("LOCK")), 0o600);
        assert_eq!(mode_of(&root.join("folder")), 0o700);
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("target"), "precious").unwrap();
        symlink("target", root.join("link")).unwrap();
        symlink("nothing", root.join("dangling")).unwrap();
        for name in ["link", "dangling"] {
            let link = root.join(name);
            for mode in MODES {
                assert!(OsVfs.open(&link, mode).is_err(), "{name} {mode:?}");
            }
            assert!(OsVfs.lock(&link).is_err(), "{name}");
            assert_eq!(OsVfs.file_type(&link).unwrap(), Some(FileType::Other));
        }
        assert!(!root.join("nothing").exists());

        OsVfs.remove(&root.join("link")).unwrap();
        assert_eq!(fs::read(root.join("target")).unwrap(), b"precious");
    }

    #[test]
    fn pipes_devices_and_sockets_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [&pipe, &socket, Path::new("/dev/null")] {
            for mode in MODES {
                assert!(OsVfs.open(path, mode).is_err(), "{path:?} {mode:?}");
            }
            assert_eq!(OsVfs.file_type(path).unwrap(), Some(FileType::Other));
        }
        assert!(OsVfs.lock(&pipe).is_err());
        drop(OsVfs.lock(&folder.path().join("LOCK")).unwrap());
    }

    #[test]
    fn a_folder_has_one_lock_under_all_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("db")).unwrap();
        symlink("db", root.join("link")).unwrap();
        let held = OsVfs.lock(&root.join("db/LOCK")).unwrap();
        assert_eq!(OsVfs.lock(&root.join("link/LOCK")).unwrap_err().kind(), ErrorKind::WouldBlock);
        // The table knows the old name; the lock itself stays with the folder.
        fs::rename(root.join("db"), root.join("moved")).unwrap();
        assert_eq!(OsVfs.lock(&root.join("moved/LOCK")).unwrap_err().kind(), ErrorKind::WouldBlock);
        drop(held);
        drop(OsVfs.lock(&root.join("moved/LOCK")).unwrap());
    }

    /// What another process does: it does not see our table.
    fn foreign_lock(path: &Path) -> Option<File> {
        let file = File::open(path).unwrap();
        file.try_lock().is_ok().then_some(file)
    }

    #[test]
    fn other_processes_are_kept_out_by_file_and_folder() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("LOCK");
        let held = OsVfs.lock(&lock).unwrap();
        assert!(foreign_lock(&lock).is_none());
        assert!(foreign_lock(folder.path()).is_none());
        drop(held);

        for path in [lock.as_path(), folder.path()] {
            let foreign = foreign_lock(path).unwrap();
            assert_eq!(OsVfs.lock(&lock).unwrap_err().kind(), ErrorKind::WouldBlock, "{path:?}");
            // Only closed, it might live on in a child that another test is starting.
            foreign.unlock().unwrap();
            drop(OsVfs.lock(&lock).unwrap());
        }
    }

    #[test]
    fn a_folder_without_permission_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        if fs::metadata(folder.path()).unwrap().uid() == 0 {
            return; // Nothing is forbidden to root.
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
        let error = OsVfs.open(&folder.path().join("file"), OpenMode::CreateNew).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(OsVfs.lock(&folder.path().join("LOCK")).is_err());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    }
}
