//! Events: who listens to `tracing` is told of everything that matters, nobody of keys and values, and nothing is
//! printed. One process has one listener, so all is in one test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, Mutex};

use common::{FOLDER, open, wait_until};
use lightning_db::vfs::{Fault, Keep, MemoryVfs, Vfs};
use lightning_db::{BackupEngine, ConsistencyLevel, Database, ErrorKind, LightningDbConfig};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

/// Target, and `name=value` for each field.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

struct Listener(Seen);

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!("{}={value:?};", field.name());
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("lightning_db::")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.lock().unwrap().push((event.metadata().target().to_owned(), line.0));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn work(disk: &MemoryVfs) {
    let db = open(disk).unwrap();
    for _ in 0..2 {
        db.put("secret-key", "secret-value").unwrap();
        db.flush().unwrap();
    }
    db.compact_lsm().unwrap();
    BackupEngine::new(&db).create_backup("/backup").unwrap();
    db.put("secret-key", "secret-value").unwrap();
    drop(open(&disk.crash(Keep::All)).unwrap());
    db.close().unwrap();
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let restored =
        Database::restore_on(vfs, Path::new("/copy"), Path::new("/backup"), LightningDbConfig::default());
    restored.unwrap().close().unwrap();
}

fn full_disk_and_failed_sync(disk: &MemoryVfs) {
    let db = open(disk).unwrap();
    disk.set_space(Some(0));
    db.put_with_consistency("secret-key", "secret-value", ConsistencyLevel::Eventual).unwrap();
    wait_until("the log finds no room", || db.stats().unwrap().background_error.is_some());
    disk.set_space(None);
    wait_until("it is written", || db.stats().unwrap().background_error.is_none());
    let before = disk.calls();
    db.put("secret-key", "secret-value").unwrap();
    // A write and a sync a put.
    disk.fail_call(disk.calls() + (disk.calls() - before) - 1, Fault::Os(5));
    assert_eq!(db.put("secret-key", "secret-value").unwrap_err().kind(), ErrorKind::Io);
    assert!(db.close().is_err());
}

#[test]
fn a_listener_is_told_and_nothing_is_printed() {
    if std::env::var_os("LIGHTNING_DB_SILENT").is_some() {
        work(&MemoryVfs::default());
        full_disk_and_failed_sync(&MemoryVfs::default());
        return;
    }
    let seen = Seen::default();
    tracing::subscriber::set_global_default(Listener(Arc::clone(&seen))).unwrap();
    work(&MemoryVfs::default());
    full_disk_and_failed_sync(&MemoryVfs::default());
    let seen = seen.lock().unwrap();
    let expected = [
        ("database", "message=opened;", "clean=true;"),
        ("database", "message=opened;", "clean=false;replayed_records=1;"),
        ("recovery", "message=recovered", "replayed_records=1;"),
        ("flush", "message=flush began;", "input_bytes="),
        ("flush", "message=flush ended;", "level=0;tables=1;"),
        ("table", "message=table written;", "keyspace=0;"),
        ("compaction", "message=compaction began;", "keyspace=0;level="),
        ("compaction", "message=compaction ended;", ";tables=1;input_bytes="),
        ("files", "message=obsolete files removed;", "files="),
        ("backup", "message=backup ended;", "target=/backup;bytes="),
        ("backup", "message=restored;", "database=/copy;source=/backup;"),
        ("background", "message=a job could not go on;", "job=\"log\";error=NoSpace"),
        ("database", "message=halted", "cause=Io: sync"),
        ("database", "message=closed;", FOLDER),
        ("database", "message=closed, with an error;", "error=Halted"),
    ];
    for (target, message, field) in expected {
        let target = format!("lightning_db::{target}");
        let found = seen.iter().filter(|(own, line)| *own == target && line.contains(message));
        assert!(
            found.clone().any(|(_, line)| line.contains(field)),
            "{target}: {message} {field}: {seen:#?}"
        );
    }
    for (target, line) in seen.iter() {
        assert!(!line.contains("secret"), "{target}: {line}");
        assert!(line.contains("database=/"), "{target}: {line}");
    }
    let halted = seen.iter().filter(|(_, line)| line.contains("message=halted")).count();
    assert_eq!(halted, 1, "the cause is told once");
    nothing_is_printed();
}

/// Runs this test in a process without a listener.
fn nothing_is_printed() {
    let own = std::env::current_exe().unwrap();
    let output = std::process::Command::new(own)
        .args(["--exact", "a_listener_is_told_and_nothing_is_printed", "--nocapture", "--quiet"])
        .env("LIGHTNING_DB_SILENT", "1")
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(!text.contains(FOLDER) && !text.contains("flush") && !text.contains("halted"), "{text}");
}
