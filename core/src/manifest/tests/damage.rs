//! Damaged, cut, foreign and missing files.

use super::*;
use crate::base::header::FileHeader;
use crate::manifest::current::Current;
use crate::wal::LogWriter;

#[test]
fn every_changed_byte_of_current_is_found() {
    let vfs = disk();
    three_edits(&vfs);
    let path = folder().join(CURRENT);
    let bytes = vfs.read_file(&path).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        vfs.write_file(&path, bytes).unwrap();
        assert_load_fails(&vfs, ErrorKind::Corruption, CURRENT);
    }
    for len in 0..bytes.len() {
        vfs.write_file(&path, &bytes[..len]).unwrap();
        assert_eq!(assert_load_fails(&vfs, ErrorKind::Corruption, CURRENT), Some(len as u64));
    }
    for more in [1, 32, 10_000] {
        let mut bytes = bytes.clone();
        bytes.resize(32 + more, 0);
        vfs.write_file(&path, bytes).unwrap();
        assert_load_fails(&vfs, ErrorKind::Corruption, CURRENT);
    }
    vfs.write_file(&path, bytes).unwrap();
    assert!(load_state(&vfs).is_some());
}

/// `CURRENT` with some bytes changed and the checksum made right again.
fn forged(at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = Current { database_id: ID, manifest: 1 }.encode();
    bytes[at..at + with.len()].copy_from_slice(with);
    let crc = crate::base::checksum::Checksum::new(0, 0).of(0, &[&bytes[12..]]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    bytes.to_vec()
}

#[test]
fn current_of_a_newer_version_or_of_nothing_is_refused() {
    let vfs = disk();
    three_edits(&vfs);
    let cases = [
        (forged(12, &2u32.to_le_bytes()), ErrorKind::UnsupportedVersion, None),
        (forged(12, &0u32.to_le_bytes()), ErrorKind::Corruption, Some(12)),
        (forged(0, b"LDBMANIF"), ErrorKind::Corruption, Some(0)),
        (forged(16, &[0; 8]), ErrorKind::Corruption, Some(16)),
        (forged(24, &[0; 8]), ErrorKind::Corruption, Some(24)),
    ];
    for (bytes, kind, offset) in cases {
        vfs.write_file(folder().join(CURRENT), bytes).unwrap();
        assert_eq!(assert_load_fails(&vfs, kind, CURRENT), offset);
    }
}

#[test]
fn a_missing_or_foreign_manifest_is_named() {
    let vfs = disk();
    assert_eq!(load_state(&vfs), None);
    three_edits(&vfs);
    // Of another number, of another database, not there at all.
    let path = folder().join(manifest_name(1));
    let bytes = vfs.read_file(&path).unwrap();
    vfs.write_file(folder().join(manifest_name(2)), bytes).unwrap();
    for (current, name) in [
        (Current { database_id: ID, manifest: 2 }, manifest_name(2)),
        (Current { database_id: ID + 1, manifest: 1 }, manifest_name(1)),
        (Current { database_id: ID, manifest: 3 }, manifest_name(3)),
        (Current { database_id: ID, manifest: u64::MAX }, manifest_name(u64::MAX)),
    ] {
        vfs.write_file(folder().join(CURRENT), current.encode()).unwrap();
        assert_load_fails(&vfs, ErrorKind::Corruption, &name);
    }
    vfs.remove(&folder().join(CURRENT)).unwrap();
    vfs.create_dir(&folder().join(CURRENT)).unwrap();
    assert_load_fails(&vfs, ErrorKind::Corruption, CURRENT);
}

#[test]
fn every_changed_byte_of_the_manifest_is_damage_or_a_dropped_edit() {
    let vfs = disk();
    let states = three_edits(&vfs);
    let name = manifest_name(1);
    let path = folder().join(&name);
    let bytes = vfs.read_file(&path).unwrap();
    for at in 0..bytes.len() {
        vfs.corrupt(&path, at as u64, |byte| *byte ^= 0x41).unwrap();
        if at < bytes.len() - 20 {
            // The mark behind the last edit knows that all before it was durable.
            assert_load_fails(&vfs, ErrorKind::Corruption, &name);
        } else {
            let loaded = load_state(&vfs).unwrap();
            assert_eq!(Some(&loaded.state), states.last());
            assert!(loaded.dropped > 0);
        }
        vfs.corrupt(&path, at as u64, |byte| *byte ^= 0x41).unwrap();
    }
}

#[test]
fn every_cut_of_the_manifest_loads_a_state_that_was_in_force() {
    let vfs = disk();
    let states = three_edits(&vfs);
    let name = manifest_name(1);
    let bytes = vfs.read_file(folder().join(&name)).unwrap();
    let mut seen = 0;
    for len in 0..=bytes.len() {
        vfs.write_file(folder().join(&name), &bytes[..len]).unwrap();
        match load(&vfs, folder()) {
            Ok(loaded) => {
                let state = loaded.unwrap().state;
                assert!(state == states[seen] || state == states[seen + 1], "cut at {len}");
                seen = states.iter().position(|known| *known == state).unwrap();
            }
            // The first edit was there before `CURRENT` named the file.
            Err(_) => {
                assert_eq!(seen, 0);
                assert_load_fails(&vfs, ErrorKind::Corruption, &name);
            }
        }
    }
    assert_eq!(seen, 2);
}

/// A manifest of these records, whatever they hold.
fn manifest_of(records: &[Vec<u8>]) -> MemoryVfs {
    let vfs = disk();
    let header = FileHeader {
        kind: FileKind::Manifest,
        database_id: ID,
        number: 1,
        first_sequence: 0,
        previous_log: 0,
    };
    let mut log = LogWriter::create(&vfs, folder(), header).unwrap();
    for record in records {
        log.append(&[record]).unwrap();
    }
    log.write().unwrap();
    Current { database_id: ID, manifest: 1 }.store(&vfs, folder()).unwrap();
    vfs
}

#[test]
fn records_with_right_checksums_and_wrong_content_are_found() {
    let first = new_state().to_edit().encode();
    let at_second = Some(64 + 20 + first.len() as u64);
    let name = manifest_name(1);
    let newer = manifest_of(&[first.clone(), vec![99, 0]]);
    assert_load_fails(&newer, ErrorKind::UnsupportedVersion, &name);
    let cut = manifest_of(&[first.clone(), vec![1, 9, 0]]);
    assert_eq!(assert_load_fails(&cut, ErrorKind::Corruption, &name), at_second);
    let misfit = Edit { logs_removed: vec![1], ..Edit::default() };
    let misfit = manifest_of(&[first.clone(), misfit.encode()]);
    assert_eq!(assert_load_fails(&misfit, ErrorKind::Corruption, &name), at_second);
    let not_whole = manifest_of(&[Edit { next_file: Some(9), ..Edit::default() }.encode(), first]);
    assert_eq!(assert_load_fails(&not_whole, ErrorKind::Corruption, &name), Some(64));
    assert_eq!(assert_load_fails(&manifest_of(&[]), ErrorKind::Corruption, &name), Some(64));
    let own_number_free = manifest_of(&[State { next_file: 1, ..new_state() }.to_edit().encode()]);
    assert_load_fails(&own_number_free, ErrorKind::Corruption, &name);
    let vfs = disk();
    let low = State { next_file: 1, ..new_state() };
    let error = Manifest::publish(&shared(&vfs), folder(), ID, 1, &low).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}
