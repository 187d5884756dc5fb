//! Whether an acknowledged durable put had its flush before: seen by `strace`.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::data;
use crate::engine::{Level, Setup, View};
use crate::peers::Peer;
use crate::rows::key_of;
use crate::rows::threads::on_threads;

/// What was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Name of the engine.
    pub engine: String,
    /// Threads that put at once.
    pub threads: usize,
    /// Puts that returned.
    pub acknowledged: usize,
    /// Flushes that were completed between the first put and the last return.
    pub flushes: usize,
    /// Puts that returned without a flush that began after them and was completed before.
    pub uncovered: usize,
    /// The trace of one put.
    pub excerpt: String,
}

const CALLS: &str = "trace=openat,write,pwrite64,pwritev,pwritev2,writev,fsync,fdatasync,msync,syncfs";
/// Lines of an excerpt at most.
const EXCERPT: usize = 16;

/// The work that is traced: puts, each between two marks. A mark is a write to the null device.
pub fn child(peer: Peer, threads: usize, puts: u32, folder: &Path) -> Result<()> {
    let setup = Setup { cache: 64 << 20, level: Level::Power };
    let engine = (peer.open)(&folder.join("flushes"), &setup)?;
    on_threads(threads, |thread, start| {
        let mut session = engine.session(View::Latest)?;
        let mut marks = File::options().write(true).open("/dev/null")?;
        start.wait();
        for nth in 0..puts {
            let index = thread as u32 * puts + nth;
            let (key, value) = (key_of(index), data::value(index, 1));
            marks.write_all(format!("put {thread} {nth}.").as_bytes())?;
            session.put(&key, &value)?;
            marks.write_all(format!("ack {thread} {nth}.").as_bytes())?;
        }
        Ok(())
    })?;
    engine.close()
}

/// Runs the child under `strace`, and counts.
pub fn traced(peer: Peer, threads: usize, puts: u32, folder: &Path) -> Result<Counted> {
    let trace = folder.join("trace");
    let program = std::env::current_exe()?;
    let status = Command::new("strace")
        .args(["-f", "-qq", "-s", "40", "-e", CALLS, "-e", "signal=none", "-o"])
        .arg(&trace)
        .arg(program)
        .args(["flushes-child", "--engine", peer.about.name])
        .args(["--threads", &threads.to_string(), "--puts", &puts.to_string(), "--folder"])
        .arg(folder)
        .status()
        .context("strace cannot be run")?;
    ensure!(status.success(), "{}: the traced process failed: {status}", peer.about.name);
    let text = String::from_utf8_lossy(&std::fs::read(trace)?).into_owned();
    let counted = count(&text, peer.about.name, threads);
    let asked = threads * puts as usize;
    ensure!(counted.acknowledged == asked, "{} of {asked} marks are in the trace", counted.acknowledged);
    Ok(counted)
}

/// Files whose writes are on stable storage when they return.
#[derive(Default)]
struct SyncedFiles(HashSet<String>);

impl SyncedFiles {
    fn note(&mut self, call: &str) {
        let opened = call.strip_prefix("openat(").and_then(|rest| rest.rsplit_once("= "));
        if let Some((how, number)) = opened {
            let number = number.trim().to_string();
            if how.contains("O_DSYNC") || how.contains("O_SYNC") {
                self.0.insert(number);
            } else {
                self.0.remove(&number);
            }
        }
    }

    /// A flush, or a write that is one, that has returned without an error.
    fn is_completed_flush(&self, call: &str) -> bool {
        let Some((name, arguments)) = call.split_once('(') else { return false };
        let file = arguments.split([',', ')']).next().unwrap_or_default();
        let flushes = match name {
            "fsync" | "fdatasync" | "syncfs" => true,
            "msync" => arguments.contains("MS_SYNC"),
            "write" | "writev" | "pwrite64" | "pwritev" => self.0.contains(file),
            "pwritev2" => {
                arguments.contains("RWF_DSYNC") || arguments.contains("RWF_SYNC") || self.0.contains(file)
            }
            _ => false,
        };
        flushes && !arguments.contains("= -1")
    }
}

/// `put` or `ack` with thread and number, of a call that writes a mark.
fn mark(call: &str) -> Option<(&str, &str)> {
    let text = call.strip_prefix("write(")?.split_once('"')?.1.split_once(".\"")?.0;
    text.split_once(' ').filter(|(kind, _)| matches!(*kind, "put" | "ack"))
}

/// Counts in a trace of `strace -f`. Where a line stands is its time.
fn count(trace: &str, engine: &str, threads: usize) -> Counted {
    let mut unfinished: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut begun: HashMap<String, usize> = HashMap::new();
    // Begins of completed flushes, the latest begin last seen.
    let (mut latest_flush_begin, mut synced) = (None, SyncedFiles::default());
    let (mut acknowledged, mut flushes, mut uncovered) = (0, 0, 0);
    let mut spans = Vec::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((thread, call)) = line.split_once(' ').map(|(thread, call)| (thread, call.trim_start()))
        else {
            continue;
        };
        // A put begins when its mark is written, and is acknowledged when the other mark is about to be.
        if let Some(("ack", number)) = mark(call) {
            let begin = begun.remove(number).unwrap_or(at);
            acknowledged += 1;
            uncovered += usize::from(latest_flush_begin.is_none_or(|flush| flush < begin));
            spans.push((begin, at));
            continue;
        }
        if let Some(first) = call.strip_suffix("<unfinished ...>") {
            unfinished.insert(thread, (at, first.trim_end()));
            continue;
        }
        let (begin, whole) = match call.strip_prefix("<... ").and_then(|rest| rest.split_once("resumed>")) {
            Some((_, end)) => match unfinished.remove(thread) {
                Some((begin, first)) => (begin, format!("{first}{end}")),
                None => continue,
            },
            None => (at, call.to_string()),
        };
        if let Some(("put", number)) = mark(&whole) {
            begun.insert(number.to_string(), at);
            continue;
        }
        synced.note(&whole);
        if synced.is_completed_flush(&whole) && (!begun.is_empty() || acknowledged > 0) {
            flushes += 1;
            latest_flush_begin = latest_flush_begin.max(Some(begin));
        }
    }
    let excerpt = excerpt(trace, spans.get(spans.len() / 2).copied().unwrap_or((0, 0)));
    Counted { engine: engine.into(), threads, acknowledged, flushes, uncovered, excerpt }
}

fn excerpt(trace: &str, (begin, end): (usize, usize)) -> String {
    let lines: Vec<&str> = trace.lines().skip(begin).take(end + 1 - begin).collect();
    let mut text = String::new();
    for (nth, line) in lines.iter().enumerate() {
        if lines.len() > EXCERPT && nth == EXCERPT / 2 {
            text += &format!("... {} lines ...\n", lines.len() - EXCERPT);
        }
        if nth < EXCERPT / 2 || nth + EXCERPT / 2 >= lines.len() {
            text += line;
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_between_put_and_return_covers_it() {
        let trace = "1 write(5, \"put 0 0.\", 8) = 8\n\
                     1 pwrite64(4, \"x\", 130, 0) = 130\n\
                     1 fdatasync(4) = 0\n\
                     1 write(5, \"ack 0 0.\", 8) = 8\n\
                     1 write(5, \"put 0 1.\", 8) = 8\n\
                     1 fdatasync(4) = -1 EIO\n\
                     1 write(5, \"ack 0 1.\", 8) = 8\n";
        let counted = count(trace, "x", 1);
        assert_eq!((counted.acknowledged, counted.flushes, counted.uncovered), (2, 1, 1));
    }

    #[test]
    fn a_write_to_a_file_that_syncs_itself_is_a_flush() {
        let trace = |flags: &str| {
            format!(
                "1 openat(AT_FDCWD, \"a\", O_RDWR|{flags}) = 7\n\
                 1 write(5, \"put 0 0.\", 8) = 8\n\
                 1 pwrite64(7, \"x\", 4096, 0) = 4096\n\
                 1 write(5, \"ack 0 0.\", 8) = 8\n"
            )
        };
        assert_eq!(count(&trace("O_DSYNC"), "x", 1).uncovered, 0);
        assert_eq!(count(&trace("O_CLOEXEC"), "x", 1).uncovered, 1);
    }

    #[test]
    fn a_flush_that_began_before_the_put_does_not_cover_it() {
        let trace = |second: &str| {
            format!(
                "1 write(5, \"put 0 0.\", 8) = 8\n\
                 1 fdatasync(4 <unfinished ...>\n\
                 2 write(6, \"put 1 0.\", 8) = 8\n\
                 {second}\
                 1 <... fdatasync resumed>) = 0\n\
                 1 write(5, \"ack 0 0.\", 8) = 8\n\
                 2 write(6, \"ack 1 0.\", 8) = 8\n"
            )
        };
        let counted = count(&trace(""), "x", 2);
        assert_eq!((counted.acknowledged, counted.flushes, counted.uncovered), (2, 1, 1));
        let counted = count(&trace("2 fdatasync(4) = 0\n"), "x", 2);
        assert_eq!((counted.acknowledged, counted.flushes, counted.uncovered), (2, 2, 0));
    }

    #[test]
    fn a_flush_that_began_while_the_mark_was_written_does_not_cover_it() {
        let trace = "2 write(6, \"put 1 0.\", 8 <unfinished ...>\n\
                     1 fdatasync(4 <unfinished ...>\n\
                     2 <... write resumed>) = 8\n\
                     1 <... fdatasync resumed>) = 0\n\
                     2 write(6, \"ack 1 0.\", 8) = 8\n";
        assert_eq!(count(trace, "x", 2).uncovered, 1);
    }
}
