//! Reading ahead of scans: who reads the pages, how far ahead, on how many threads, and that nothing of it is left over.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use common::forward::{forward_file, forward_vfs};
use common::{FOLDER, small_config, wait_until};
use lightning_db::vfs::{MemoryVfs, OpenMode, Vfs, VfsFile, VfsThread};
use lightning_db::{Database, ErrorKind, LightningDbConfig, Scan, ScanOptions};

/// A disk in memory that takes its time to read tables, and knows who read what.
#[derive(Clone, Debug)]
struct SlowDisk {
    disk: MemoryVfs,
    reads: Arc<Reads>,
}

#[derive(Debug, Default)]
struct Reads {
    by: Mutex<Vec<(ThreadId, PathBuf, u64)>>,
    /// Reads of now on threads that the database started, and the most there were at once.
    now: AtomicUsize,
    most: AtomicUsize,
    threads: AtomicUsize,
    delay: Mutex<Duration>,
    /// While it is set, reads on other threads than this one wait.
    held_for: Mutex<Option<ThreadId>>,
    released: Condvar,
}

impl Reads {
    fn take(&self) -> Vec<(ThreadId, PathBuf, u64)> {
        std::mem::take(&mut *self.by.lock().unwrap())
    }

    /// How many pages this thread has read, and how many others.
    fn mine_and_others(&self) -> (usize, usize) {
        let all = self.take();
        let mine = all.iter().filter(|(by, _, _)| *by == thread::current().id()).count();
        (mine, all.len() - mine)
    }

    fn hold(&self) {
        *self.held_for.lock().unwrap() = Some(thread::current().id());
    }

    fn release(&self) {
        *self.held_for.lock().unwrap() = None;
        self.released.notify_all();
    }
}

#[derive(Debug)]
struct SlowFile {
    file: Arc<dyn VfsFile>,
    path: PathBuf,
    reads: Arc<Reads>,
}

impl VfsFile for SlowFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        if self.path.extension().is_none_or(|extension| extension != "table") {
            return self.file.read_at(buf, offset);
        }
        let me = thread::current().id();
        let ahead = thread::current().name() == Some("lightning-ahead");
        if ahead {
            let now = self.reads.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.reads.most.fetch_max(now, Ordering::SeqCst);
        }
        let mut held = self.reads.held_for.lock().unwrap();
        while held.is_some_and(|by| by != me) {
            held = self.reads.released.wait(held).unwrap();
        }
        drop(held);
        let delay = *self.reads.delay.lock().unwrap();
        thread::sleep(delay);
        self.reads.by.lock().unwrap().push((me, self.path.clone(), offset));
        if ahead {
            self.reads.now.fetch_sub(1, Ordering::SeqCst);
        }
        self.file.read_at(buf, offset)
    }

    forward_file!(file, len, write_at, sync_data);
}

impl Vfs for SlowDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn VfsFile>> {
        let file = self.disk.open(path, mode)?;
        Ok(Arc::new(SlowFile { file, path: path.to_owned(), reads: Arc::clone(&self.reads) }))
    }

    fn spawn(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<Box<dyn VfsThread>> {
        if name == "lightning-ahead" {
            self.reads.threads.fetch_add(1, Ordering::SeqCst);
        }
        self.disk.spawn(name, work)
    }

    forward_vfs!(disk, monotonic);
}

const ENTRIES: u32 = 6000;

fn config(enabled: bool, distance: usize, workers: usize) -> LightningDbConfig {
    LightningDbConfig {
        prefetch_enabled: enabled,
        prefetch_distance: distance,
        prefetch_workers: workers,
        cache_size: 16 << 20,
        ..small_config()
    }
}

/// A database with one table of about a thousand leaves, none of them in memory.
fn cold(config: LightningDbConfig) -> (Database, SlowDisk) {
    let disk = SlowDisk { disk: MemoryVfs::with_seed(1), reads: Arc::default() };
    let db = Database::open_on(Arc::new(disk.clone()), Path::new(FOLDER), config, true).unwrap();
    db.ingest((0..ENTRIES).map(|number| (number.to_be_bytes(), [number as u8; 80]))).unwrap();
    assert!(db.get(0u32.to_be_bytes()).unwrap().is_some());
    db.clear_cache().unwrap();
    disk.reads.take();
    (db, disk)
}

fn walk(scan: &mut Scan, entries: usize) -> usize {
    (0..entries).take_while(|_| scan.next_entry().unwrap().is_some()).count()
}

/// Waits until nothing has been read for a while.
fn settle(reads: &Reads) {
    let (mut before, mut quiet) = (usize::MAX, 0);
    while quiet < 10 {
        thread::sleep(Duration::from_millis(20));
        let now = reads.by.lock().unwrap().len();
        quiet = if now == before && reads.now.load(Ordering::SeqCst) == 0 { quiet + 1 } else { 0 };
        before = now;
    }
}

/// Threads that get no time from the machine read nothing ahead: such a run says nothing.
fn in_time(run: impl FnMut() -> bool) {
    wait_until("a run in which the threads keep up", run);
}

/// Pages that a scan of everything reads itself, and that others read for it.
fn mine_and_others(enabled: bool, options: ScanOptions) -> (usize, usize) {
    let (db, disk) = cold(config(enabled, 8, 2));
    *disk.reads.delay.lock().unwrap() = Duration::from_micros(50);
    let mut scan = db.scan_with(options).unwrap();
    assert_eq!(walk(&mut scan, usize::MAX), ENTRIES as usize);
    drop(scan);
    let all = disk.reads.by.lock().unwrap().clone();
    let mut pages = HashMap::new();
    all.iter().for_each(|(_, file, offset)| *pages.entry((file, offset)).or_insert(0) += 1);
    assert!(pages.values().all(|times| *times == 1), "no page is read twice");
    disk.reads.mine_and_others()
}

/// A scan has fewer pages to read itself, in both directions.
#[test]
fn option_prefetch_enabled() {
    for reverse in [false, true] {
        let options = || if reverse { ScanOptions::all().reverse() } else { ScanOptions::all() };
        let (alone, none) = mine_and_others(false, options());
        assert_eq!(none, 0);
        in_time(|| {
            let (mine, others) = mine_and_others(true, options());
            assert_eq!(mine + others, alone, "the same pages");
            mine * 4 < alone * 3
        });
    }
}

/// The distance is how far ahead is read.
#[test]
fn option_prefetch_distance() {
    let ahead = |distance| {
        let (db, disk) = cold(config(true, distance, 2));
        let mut scan = db.scan(None, None).unwrap();
        // Some times, for inner pages have to be there before leaves under them are asked for.
        for _ in 0..4 {
            walk(&mut scan, 25);
            settle(&disk.reads);
        }
        let (mine, others) = disk.reads.mine_and_others();
        mine + others
    };
    in_time(|| {
        let (near, far) = (ahead(2), ahead(60));
        far > near + 10 && far <= near + 64
    });
}

/// As many threads read as the option says.
#[test]
fn option_prefetch_workers() {
    for workers in [1, 4] {
        in_time(|| {
            let (db, disk) = cold(config(true, 32, workers));
            assert_eq!(disk.reads.threads.load(Ordering::SeqCst), 0, "started when they are needed");
            *disk.reads.delay.lock().unwrap() = Duration::from_micros(300);
            assert_eq!(walk(&mut db.scan(None, None).unwrap(), usize::MAX), ENTRIES as usize);
            assert_eq!(disk.reads.threads.load(Ordering::SeqCst), workers);
            let most = disk.reads.most.load(Ordering::SeqCst);
            assert!(most <= workers, "{most} reads at once, {workers} workers");
            workers == 1 || most > 1
        });
    }
}

#[test]
fn short_scans_and_warm_ones_cause_nothing() {
    let (db, disk) = cold(config(true, 8, 2));
    for start in (0..ENTRIES).step_by(500) {
        let mut scan = db.scan(Some(start.to_be_bytes().to_vec()), None).unwrap();
        assert_eq!(walk(&mut scan, 5), 5);
    }
    settle(&disk.reads);
    assert_eq!(disk.reads.mine_and_others().1, 0);
    assert_eq!(disk.reads.threads.load(Ordering::SeqCst), 0);
    assert_eq!(db.scan(None, None).unwrap().count(), ENTRIES as usize);
    settle(&disk.reads);
    disk.reads.take();
    assert_eq!(db.scan_reverse(None, None).unwrap().count(), ENTRIES as usize);
    settle(&disk.reads);
    assert_eq!(disk.reads.take(), []);
}

#[test]
fn nothing_is_read_behind_the_end_of_a_scan() {
    for reverse in [false, true] {
        in_time(|| {
            let (db, disk) = cold(config(true, 64, 2));
            let bounds = 1000u32.to_be_bytes().to_vec()..1200u32.to_be_bytes().to_vec();
            let mut options = ScanOptions::range(bounds);
            if reverse {
                options = options.reverse();
            }
            let mut scan = db.scan_with(options).unwrap();
            *disk.reads.delay.lock().unwrap() = Duration::from_millis(1);
            assert_eq!(walk(&mut scan, 150), 150);
            settle(&disk.reads);
            let (mine, others) = disk.reads.mine_and_others();
            assert!(mine + others < 200 / 3, "{mine} and {others} pages for 200 entries");
            others > 0
        });
    }
}

#[test]
fn little_is_read_behind_the_limit_of_a_scan() {
    for reverse in [false, true] {
        in_time(|| {
            let (db, disk) = cold(config(true, 64, 2));
            let options = ScanOptions::all().limit(60);
            let mut scan = db.scan_with(if reverse { options.reverse() } else { options }).unwrap();
            *disk.reads.delay.lock().unwrap() = Duration::from_millis(1);
            assert_eq!(walk(&mut scan, 50), 50);
            settle(&disk.reads);
            let (mine, others) = disk.reads.mine_and_others();
            assert!(mine + others < 60 / 3, "{mine} and {others} pages for 60 entries");
            assert_eq!(walk(&mut scan, 50), 10);
            others > 0
        });
    }
}

#[test]
fn nothing_outlives_its_scan_or_the_database() {
    let (db, disk) = cold(config(true, 32, 2));
    *disk.reads.delay.lock().unwrap() = Duration::from_millis(2);
    let mut scan = db.scan(None, None).unwrap();
    while disk.reads.now.load(Ordering::SeqCst) == 0 {
        assert_eq!(walk(&mut scan, 1), 1);
    }
    drop(scan);
    assert_eq!(disk.reads.now.load(Ordering::SeqCst), 0, "what was being read is waited for");
    disk.reads.take();
    thread::sleep(Duration::from_millis(30));
    assert_eq!(disk.reads.take(), [], "what was queued is forgotten");

    let mut scan = db.scan(None, None).unwrap();
    while disk.reads.now.load(Ordering::SeqCst) == 0 {
        assert_eq!(walk(&mut scan, 1), 1);
    }
    db.close().unwrap();
    assert_eq!(disk.reads.now.load(Ordering::SeqCst), 0);
    disk.reads.take();
    assert_eq!(scan.next_entry().unwrap_err().kind(), ErrorKind::Closed);
    thread::sleep(Duration::from_millis(30));
    assert_eq!(disk.reads.take(), []);
}

/// Threads that get nothing done hold nobody up: the scan reads what they have not begun.
#[test]
fn a_scan_does_not_wait_for_threads_that_are_busy() {
    let (db, disk) = cold(config(true, 8, 1));
    disk.reads.hold();
    let mut other = db.scan_reverse(None, None).unwrap();
    // The one thread gets stuck with a page of the other scan, which goes no further.
    while disk.reads.threads.load(Ordering::SeqCst) == 0 {
        assert_eq!(walk(&mut other, 1), 1);
    }
    while disk.reads.now.load(Ordering::SeqCst) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    disk.reads.take();
    let mut scan = db.scan(None, None).unwrap();
    assert_eq!(walk(&mut scan, ENTRIES as usize / 2), ENTRIES as usize / 2);
    assert!(disk.reads.by.lock().unwrap().iter().all(|(by, _, _)| *by == thread::current().id()));
    disk.reads.release();
}

#[test]
fn damage_ahead_is_told_when_the_scan_gets_there() {
    let (db, disk) = cold(config(true, 16, 2));
    db.close().unwrap();
    let name = disk.disk.list(Path::new(FOLDER)).unwrap().into_iter().find(|name| name.ends_with(".table"));
    let path = Path::new(FOLDER).join(name.unwrap());
    let mut bytes = disk.disk.read_file(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    disk.disk.write_file(&path, &bytes).unwrap();
    let count = |enabled| {
        let db = Database::open_on(Arc::new(disk.clone()), Path::new(FOLDER), config(enabled, 16, 2), false)
            .unwrap();
        let mut scan = db.scan(None, None).unwrap();
        let mut seen = 0;
        loop {
            match scan.next_entry() {
                Ok(Some(_)) => seen += 1,
                Ok(None) => panic!("the damage was not seen"),
                Err(error) => return (seen, error.kind(), error.offset()),
            }
        }
    };
    let alone = count(false);
    assert!(alone.0 > 1000 && alone.1 == ErrorKind::Corruption);
    assert_eq!(count(true), alone);
}
