//! A child process that writes numbered records and is killed, and what it said on its pipe.
//!
//! The child says what it is about to write and what has been acknowledged, one line each. A line is one
//! `write` to the pipe, and the pipe outlives the child: what was said before the kill is read after it.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What the child said of a stream of numbers that rise by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The last number that it may have begun to write.
    pub sent: u64,
    /// The last number whose write was acknowledged.
    pub acknowledged: u64,
}

/// Says, in the child, that `number` of a stream is about to be written, or (`acknowledged`) was.
pub fn say(stream: usize, number: u64, acknowledged: bool) -> io::Result<()> {
    let verb = if acknowledged { "ack" } else { "send" };
    let line = format!("{verb} {stream} {number}\n");
    // Standard output is locked and line-buffered: one line goes out in one write.
    io::stdout().lock().write_all(line.as_bytes())
}

/// A running copy of this program.
pub struct Victim {
    child: Child,
    reader: JoinHandle<io::Result<Vec<Said>>>,
    first_acknowledged: Receiver<()>,
}

impl Victim {
    /// Starts this program once more with other arguments, to say things of `streams` streams.
    pub fn start<A: AsRef<OsStr>>(
        arguments: impl IntoIterator<Item = A>,
        streams: usize,
    ) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipe = child.stdout.take().ok_or_else(|| io::Error::other("the child has no standard output"))?;
        let (sender, first_acknowledged) = channel();
        let reader = thread::spawn(move || {
            let mut said = vec![Said::default(); streams];
            for line in BufReader::new(pipe).lines() {
                if hear(&mut said, &line?) {
                    // Nobody listens any more after the first.
                    sender.send(()).ok();
                }
            }
            Ok(said)
        });
        Ok(Victim { child, reader, first_acknowledged })
    }

    /// Waits for the first acknowledged write, or until the child has ended.
    pub fn wait_for_first_write(&self) {
        self.first_acknowledged.recv().ok();
    }

    /// Kills the child (SIGKILL) after a time and returns all that it said, by stream.
    pub fn kill_after(mut self, time: Duration) -> io::Result<Vec<Said>> {
        thread::sleep(time);
        if let Some(status) = self.child.try_wait()? {
            return Err(io::Error::other(format!("the child ended by itself: {status}")));
        }
        self.child.kill()?;
        self.child.wait()?;
        self.reader.join().map_err(|_| io::Error::other("the reader of the pipe panicked"))?
    }
}

/// Notes a line of the child; whether it is an acknowledgement. A last line that was cut is not counted.
fn hear(said: &mut [Said], line: &str) -> bool {
    let mut words = line.split(' ');
    let verb = words.next();
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (Some(stream), Some(number)) = (number(), number()) else { return false };
    let Some(said) = usize::try_from(stream).ok().and_then(|stream| said.get_mut(stream)) else {
        return false;
    };
    match verb {
        Some("send") => said.sent = said.sent.max(number),
        Some("ack") => said.acknowledged = said.acknowledged.max(number),
        _ => return false,
    }
    verb == Some("ack")
}
