//! Zeros ahead of a log that is synced again and again.
//!
//! A sync of a file that has grown, or that has reserved blocks nobody has written, waits for the file system's
//! journal too; a sync of blocks that were written before does not. So the blocks behind the end are written
//! first, with zeros: no more than what was logged since there were none to spare, so that a log that is written now
//! and then has few. A log that is not synced gains nothing and gets none.
//!
//! Nothing depends on the zeros. Bytes behind the end of a log are no chunk of it, whatever they are: a chunk's
//! checksum is seeded with the database, the log's number and the chunk's offset.

use crate::sync::Ordering;
use crate::wal::writer::LogWriter;

/// Fewer zeros than this are not worth a write. A log with more that is not on stable storage is one that is
/// rarely synced, or by records so large that the journal counts little.
const LEAST: u64 = 16 << 10;

/// No more zeros are written at once: the next sync takes them along.
const MOST: u64 = 128 << 10;

/// Zeros in one write. Linux keeps what came in one write in one large page, and each small write into such a
/// page costs the more the larger it is.
const PIECE: u64 = 16 << 10;

/// The zeros end with a page.
const PAGE: u64 = 4 << 10;

static ZEROS: [u8; PIECE as usize] = [0; PIECE as usize];

/// The blocks of a log that are written and not used.
#[derive(Debug)]
pub(super) struct Ahead {
    /// Where the zeros end; at or below the log's end if there are none left.
    pub filled: u64,
    /// Where the log ended when there was nothing to spare.
    base: u64,
    /// Where the log ended when [`LogWriter::rest`] was called.
    seen: u64,
}

impl Ahead {
    /// Nothing to spare in a log that ends at `end`.
    pub fn none(end: u64) -> Ahead {
        Ahead { filled: end, base: end, seen: end }
    }

    /// Up to where zeros should be written behind `written`, if that is due.
    fn due(&self, written: u64, durable: u64) -> Option<u64> {
        let logged = written.saturating_sub(self.base).min(MOST);
        let is_due = written >= self.filled && logged >= LEAST && written.saturating_sub(durable) <= LEAST;
        is_due.then(|| (written + logged) / PAGE * PAGE)
    }
}

impl LogWriter {
    /// Behind a write: writes zeros ahead if they are used up. If that fails, on a full disk for one, there are
    /// none: no record depends on them.
    pub fn fill_ahead(&mut self) {
        let Some(to) = self.ahead.due(self.written, self.durable.load(Ordering::Relaxed)) else { return };
        let mut at = self.written;
        while at < to {
            // Pieces end at multiples of their size.
            let len = (PIECE - at % PIECE).min(to - at);
            self.ahead.filled = at + len;
            if self.file.write_at(&ZEROS[..len as usize], at).is_err() {
                return self.give_back();
            }
            at += len;
        }
    }

    /// Gives back the blocks that are not used. Best effort: a file may be longer than its log.
    pub fn give_back(&mut self) {
        if self.ahead.filled > self.written {
            let _ = self.file.set_len(self.written);
        }
        self.ahead = Ahead::none(self.written);
    }

    /// Called now and then: gives back spare blocks if nothing was written since the last time.
    pub fn rest(&mut self) {
        if self.ahead.seen == self.written {
            self.give_back();
        }
        self.ahead.seen = self.written;
    }
}
