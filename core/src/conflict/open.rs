//! The transactions that are open. They begin and end without waiting for a commit.
//!
//! Commits are watched, that is, they note their keys in the window, while a transaction is open, and somewhat longer.
//! Only a transaction that finds them not watched waits for the commit under way, which notes nothing.

use crate::base::holds::Holds;
use crate::base::ids::SequenceNumber;

/// So many groups of commits are still watched when no transaction is open.
const IDLE_GROUPS: u32 = 100;

/// What each open transaction sees. Has a lock of its own, which may be taken inside the commit section.
#[derive(Default)]
pub struct OpenTransactions {
    seen: Holds,
    count: usize,
    /// Changes inside the commit section only.
    watching: bool,
    /// Groups of commits since one was open.
    idle: u32,
}

/// What of the window nobody needs.
pub enum Spare {
    /// Everything up to this.
    UpTo(SequenceNumber),
    /// All, and commits are not watched any more.
    All,
}

impl OpenTransactions {
    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether commits note their keys.
    pub fn is_watching(&self) -> bool {
        self.watching
    }

    /// Inside the commit section: from now on commits note their keys.
    pub fn watch(&mut self) {
        self.watching = true;
        self.idle = 0;
    }

    /// A transaction begins, while commits are watched; everything up to `sequence`, which is visible now, is visible
    /// to it.
    pub fn begin(&mut self, sequence: SequenceNumber) {
        debug_assert!(self.watching);
        self.seen.add(sequence);
        self.count += 1;
        self.idle = 0;
    }

    /// A transaction that began at `sequence` ends, one way or the other.
    pub fn end(&mut self, sequence: SequenceNumber) {
        self.seen.remove(sequence);
        self.count -= 1;
    }

    /// Inside the commit section, in front of a group of commits: what nobody needs. `visible` is what a transaction sees
    /// that begins now.
    pub fn spare(&mut self, visible: SequenceNumber) -> Spare {
        if let Some(oldest) = self.seen.oldest() {
            return Spare::UpTo(oldest);
        }
        self.idle += 1;
        if self.idle <= IDLE_GROUPS {
            return Spare::UpTo(visible);
        }
        self.watching = false;
        Spare::All
    }
}
